"""Celery from outside: broker, workers, queues and schedule; and what a user's app imports.

Nothing is imported here before it is used: `radar celery alive` has one interpreter start to spend.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.celery.heartbeat import install_heartbeat
    from radar_cli.celery.integration.setup import CronRadarMiddleware, setup_radar
    from radar_cli.celery.integration.targets import skip_monitor

__all__ = ["CronRadarMiddleware", "install_heartbeat", "setup_radar", "skip_monitor"]
_PLACES = {
    "CronRadarMiddleware": "radar_cli.celery.integration.setup",
    "install_heartbeat": "radar_cli.celery.heartbeat",
    "setup_radar": "radar_cli.celery.integration.setup",
    "skip_monitor": "radar_cli.celery.integration.targets",
}


def __getattr__(name: str) -> object:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(place), name)
