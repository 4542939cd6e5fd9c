"""A standing watch over a Celery: its events and looks, folded into the ledger."""
