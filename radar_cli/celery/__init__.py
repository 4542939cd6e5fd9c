"""Celery from outside: broker, workers, queues and schedule."""
