"""Celery from outside: broker, workers, queues and schedule; and what a user's app imports.

Nothing is imported here: `radar celery alive` has one interpreter start to spend.
"""
