"""From the options of a command to an open broker, and never longer than its --timeout."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from radar_cli.celery.addresses import without_password
from radar_cli.celery.broker import Broker, load_driver, open_broker
from radar_cli.celery.causes import BrokerError, explain
from radar_cli.celery.check.bounded import Bounded
from radar_cli.celery.project import Project, project_of
from radar_cli.cli.celery.options import read_period
from radar_cli.core.errors import RadarError
from radar_cli.core.places import state_directory

if TYPE_CHECKING:
    from radar_cli.store.ledger import Ledger

T = TypeVar("T")
# What is kept back for telling of an answer that didn't come.
_LAST_WORDS_S = 0.4


def with_broker(options: dict[str, str], function: Callable[[Broker, Project, float], T]) -> T:
    """Call the function with the broker that -b, -A and --key-prefix name, and what they know.

    It gets the seconds that it may take, too. `options` are those of `broker_options` and
    `timeout_option`. Raises BrokerError, also if it isn't done in time.
    """
    timeout_s = read_period("--timeout", options["timeout"])
    project = project_of(
        options["broker"], options["app"], key_prefix=options["key_prefix"], timeout_s=timeout_s
    )
    return with_project(project, timeout_s, function)


def with_project(
    project: Project, timeout_s: float, function: Callable[[Broker, Project, float], T]
) -> T:
    """Call the function with the broker of a project, as `with_broker` does."""
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
            return function(broker, project, max(0.1, most_s - max(_LAST_WORDS_S, most_s / 10)))
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


@contextmanager
def open_ledger(database: str = "") -> Iterator["Ledger | None"]:
    """Open the ledger of the watch on this machine, or in another database; None: there is none.

    Nothing is made where nothing was. StateError: it can't be read.
    """
    from radar_cli.store.opening import open_store, store_file

    url, directory = database or os.environ.get("RADAR_DATABASE", ""), state_directory(os.environ)
    file = store_file(url, directory)
    if file and not os.path.exists(file):
        yield None
        return
    with open_store(url, directory) as store:
        yield store.ledger if store.ledger.last_look() is not None else None
