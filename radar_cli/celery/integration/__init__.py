"""The integration into a Celery app: runs of tasks, from workers, and the schedule, from Beat."""
