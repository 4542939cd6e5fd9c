"""What an app of Celery tells radar: its tasks' runs, from workers, and its schedule, from Beat."""
