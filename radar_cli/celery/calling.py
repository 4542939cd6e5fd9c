"""Calls to a broker that never take longer than they may."""

from collections.abc import Callable
from typing import TypeVar

from radar_cli.celery.addresses import without_password
from radar_cli.celery.broker import Broker, load_driver, open_broker
from radar_cli.celery.broker_causes import BrokerError, explain
from radar_cli.celery.check.bounded import Bounded
from radar_cli.celery.project import Project
from radar_cli.core.errors import RadarError

T = TypeVar("T")
# Time that is kept for reporting an answer that didn't come.
_RESERVED_S = 0.4


def with_project(
    project: Project, timeout_s: float, function: Callable[[Broker, Project, float], T]
) -> T:
    """Call the function with the broker of a project, the project, and the seconds it may take.

    Raises BrokerError, also if it isn't done in time.
    """
    shown = without_password(project.broker)
    load_driver(project.broker)

    def work(left_s: Callable[[], float]) -> T:
        broker = open_broker(
            project.broker,
            timeout_s=timeout_s,
            options=project.options,
            use_ssl=project.use_ssl,
            exchange=project.exchange,
        )
        try:
            most_s = left_s()
            return function(broker, project, max(0.1, most_s - max(_RESERVED_S, most_s / 10)))
        except RadarError:
            raise
        except Exception as error:
            raise explain(error, shown, None, url=project.broker) from error

    return within(timeout_s, shown, work)


def within(timeout_s: float, whom: str, function: Callable[[Callable[[], float]], T]) -> T:
    """Call a function with one for the seconds that are left, and return what it returns.

    Raises BrokerError if it isn't done in time; `whom` it waits for then.
    """
    bound: Bounded[T] = Bounded(timeout_s)
    result = bound.run(lambda: function(bound.left_s))
    if result is None:
        hint = "see it, or give a longer --timeout"
        raise BrokerError("hang", whom, f"no answer within {timeout_s:g} s", hint)
    return result
