"""From the options of a command to an open broker, and never longer than its --timeout."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from radar_cli.celery.broker import Broker
from radar_cli.celery.calling import with_project
from radar_cli.celery.project import Project, project_of
from radar_cli.cli.celery.options import read_period
from radar_cli.core.places import state_directory

if TYPE_CHECKING:
    from radar_cli.store.ledger import Ledger

T = TypeVar("T")


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
