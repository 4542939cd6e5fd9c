"""radar: a dead man's switch for cron jobs, CI scripts and Celery."""

__version__ = "0.1.0"
