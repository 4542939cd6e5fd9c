"""The commands of `radar celery`."""
