"""`radar celery queues`: what waits in each, and who consumes it."""

from typing import TypedDict

import click

from radar_cli.celery.broker import Broker
from radar_cli.celery.check.looking import Looker
from radar_cli.celery.check.queues import count_consumers
from radar_cli.celery.check.seen import Look, SeenQueue
from radar_cli.celery.project import Project
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.opening import with_broker
from radar_cli.cli.celery.options import broker_options, timeout_option
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table

_COLUMNS = ("queue", "waiting", "by priority", "fetched", "consumers", "workers")


class QueueFields(TypedDict):
    """A queue; `unacked` and `consumers` are null where the broker doesn't tell."""

    queue: str
    depth: int | None
    by_priority: dict[str, int]
    unacked: int | None
    consumers: int | None
    workers: list[str]
    fault: str | None


@click.command(name="queues")
@broker_options
@click.option("--queue", "queues", metavar="QUEUE", multiple=True, help="Look at it, too.")
@timeout_option("5s")
@list_options
@answers(list[QueueFields])
@pass_session
def command(session: Session, /, queues: tuple[str, ...], **options: str) -> Result:
    """List the queues: those that workers consume and, in Redis, all that were ever used.

    What a worker has fetched waits no more; RabbitMQ doesn't tell how much that is.
    """
    del session

    def look(broker: Broker, project: Project, left_s: float) -> Look:
        with Looker(broker, queues or project.queues) as looker:
            return looker.look(lambda: left_s)

    seen = with_broker(options, look)
    data = [_describe(queue, seen) for queue in seen.queues.values()]
    rows = [
        (
            each["queue"],
            Cell(each["fault"], "bold red") if each["depth"] is None else each["depth"],
            ", ".join(f"{p}: {n}" for p, n in each["by_priority"].items() if p != "0"),
            each["unacked"],
            each["consumers"],
            ", ".join(each["workers"]),
        )
        for each in data
    ]
    return Result(data, Table(_COLUMNS, rows, "no queues"))


def _describe(queue: SeenQueue, seen: Look) -> QueueFields:
    return {
        "queue": queue.name,
        "depth": queue.depth,
        "by_priority": {str(priority): n for priority, n in sorted(queue.by_priority.items())},
        "unacked": None if seen.unacked is None else seen.unacked.by_queue.get(queue.name, 0),
        "consumers": count_consumers(queue, seen),
        "workers": sorted(worker.node for worker in seen.consumers_of(queue.name)),
        "fault": queue.fault or None,
    }
