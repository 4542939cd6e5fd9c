"""One verdict over broker, workers, queues and schedule."""
