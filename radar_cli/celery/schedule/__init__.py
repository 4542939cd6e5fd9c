"""The schedule of Celery Beat: what it should do and did, from wherever it keeps its entries."""
