"""What Celery Beat should do and did: its entries, from wherever it keeps them."""
