"""Celery from outside: broker, workers, queues and schedule; and what a user's app imports.

Nothing is imported here before it is used: `radar celery alive` has one interpreter start to spend.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.celery.heartbeat import install_heartbeat

__all__ = ["install_heartbeat"]


def __getattr__(name: str) -> object:
    if name != "install_heartbeat":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from radar_cli.celery.heartbeat import install_heartbeat

    return install_heartbeat
