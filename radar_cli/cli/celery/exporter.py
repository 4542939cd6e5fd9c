"""`radar celery exporter`: the watch's metrics alone."""

from radar_cli.cli.celery.watch import exporter as command

__all__ = ("command",)
