"""`radar celery canary`: a round trip through each queue."""

from typing import TypedDict

import click

from radar_cli.celery.broker import Broker
from radar_cli.celery.broker_causes import BrokerError
from radar_cli.celery.canary import Canaries, Flight
from radar_cli.celery.inspect import ask
from radar_cli.celery.project import Project
from radar_cli.celery.queues import read_queues
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.opening import with_broker
from radar_cli.cli.celery.options import broker_options, timeout_option
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table
from radar_cli.core import exits
from radar_cli.core.errors import UsageError
from radar_cli.core.grammar import format_duration
from radar_cli.core.shapes import Seconds

_ASK_S = 1.0


class FlightFields(TypedDict):
    """A round trip through a queue; `took_s` is null while it isn't back."""

    queue: str
    ok: bool
    took_s: Seconds | None
    run_by: str | None
    missing: bool


@click.command(name="canary")
@broker_options
@click.option("--queue", "queues", metavar="QUEUE", multiple=True, help="Through these, not all.")
@timeout_option("10s")
@list_options
@answers(list[FlightFields])
@pass_session
def command(session: Session, /, queues: tuple[str, ...], **options: str) -> Result:
    """Send a task of Celery's own through each queue, and tell how long it took to be run.

    That is the true time a task waits now. It needs none of your code and no result backend.
    Exits with 1 if one isn't back within --timeout; it is taken back then.
    """
    del session

    canaries, gone = Canaries(), set[str]()

    def send(broker: Broker, project: Project, left_s: float) -> bool:
        # All that workers consume, unless somebody names them.
        names = queues or project.queues or _consumed(broker)
        if not names:
            raise UsageError("no worker answers: which queues?", "name them by --queue")
        gone.update(n for n, seen in read_queues(broker, names).items() if seen.fault == "missing")
        there = [name for name in names if name not in gone]
        canaries.fly(broker, there, timeout_s=left_s)
        return True

    try:
        with_broker(options, send)
    except BrokerError as error:
        if error.cause != "hang" or not canaries.flights():
            raise
        # Else they tell what isn't back.
    flights = canaries.flights()
    flights += [Flight(name, None, is_queue_missing=True) for name in sorted(gone)]
    rows = [
        (
            flight.queue,
            _state(flight),
            "" if flight.took_s is None else format_duration(flight.took_s),
            flight.by,
        )
        for flight in flights
    ]
    is_bad = any(flight.took_s is None for flight in flights)
    return Result(
        [_describe(flight) for flight in flights],
        Table(("queue", "state", "took", "run by"), rows),
        exit_code=exits.BAD if is_bad else exits.OK,
    )


def _consumed(broker: Broker) -> tuple[str, ...]:
    replies = ask(broker.connection, "active_queues", timeout_s=_ASK_S, exchange=broker.exchange)
    lists = [reply for reply in replies.values() if isinstance(reply, list)]
    return tuple(sorted({str(queue["name"]) for some in lists for queue in some}))


def _state(flight: Flight) -> Cell:
    if flight.took_s is not None:
        return Cell("ok", "green")
    return Cell("no such queue" if flight.is_queue_missing else "not back", "bold red")


def _describe(flight: Flight) -> FlightFields:
    return {
        "queue": flight.queue,
        "ok": flight.took_s is not None,
        "took_s": flight.took_s,
        "run_by": flight.by or None,
        "missing": flight.is_queue_missing,
    }
