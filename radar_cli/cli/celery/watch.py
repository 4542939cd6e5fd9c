"""`radar celery watch`: the standing watch over a Celery."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from radar_cli.celery.broker import load_driver
from radar_cli.celery.project import project_of
from radar_cli.celery.schedule.sources import KINDS
from radar_cli.cli.backup import database_option
from radar_cli.cli.celery.options import broker_options, read_period
from radar_cli.cli.options import AnyFunction, Session, common_options, pass_session, read_address
from radar_cli.core.errors import BadValueError, UsageError
from radar_cli.core.ids import check_key
from radar_cli.core.places import state_directory

if TYPE_CHECKING:
    from radar_cli.celery.watch.metrics import Metrics, MetricsServer
    from radar_cli.celery.watch.watch import Watch

_IMPORT_S = 60.0
_FEW = 1_000
_SWITCH_S = 0.0005
_METRICS = "127.0.0.1:9808"


def _watch_options(function: AnyFunction) -> AnyFunction:
    """Add the options that the watch and the exporter share."""
    options = (
        click.option("--beat", metavar="SOURCE", default="", help=f"Beat's schedule: {KINDS}."),
        click.option(
            "--enable-events",
            is_flag=True,
            help="Have workers send the events of tasks, as -E does.",
        ),
        click.option(
            "--interval",
            metavar="DURATION",
            default="10s",
            show_default=True,
            help="How often to look at workers, queues and the schedule.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command(name="watch")
@broker_options
@_watch_options
@database_option
@click.option(
    "--metrics", metavar="HOST:PORT", default="", help="Serve metrics for Prometheus there."
)
@click.option(
    "--monitor",
    metavar="MONITOR",
    default="celery-watch",
    show_default=True,
    help="The monitor of the whole.",
)
@click.option("--no-monitors", is_flag=True, help="Send nothing to monitors; keep the ledger.")
@click.option(
    "--max-failure-rate",
    "max_failure_rates",
    metavar="[TASK=]PERCENT",
    multiple=True,
    help="So much of a task's runs may fail in 5 minutes; TASK may be a pattern.",
)
@click.option(
    "--max-wait",
    "max_waits",
    metavar="[TASK=]DURATION",
    multiple=True,
    help="So long may a task wait in its queue.",
)
@click.option(
    "--keep-tasks",
    metavar="N",
    type=click.IntRange(1),
    default=1_000_000,
    show_default=True,
    help="How many tasks the ledger keeps.",
)
@click.option(
    "--keep-tasks-for",
    metavar="DURATION",
    default="30d",
    show_default=True,
    help="And for how long.",
)
@common_options
@pass_session
def command(session: Session, /, **given: Any) -> int:
    """Watch over a Celery until it is stopped, and keep a ledger of every task.

    It needs no change to the app's code. What it finds out, events, looks at the broker and Beat's
    schedule together, is in the ledger; entries of the schedule become monitors, and so does the
    whole: what is lost or stuck is a fail that names the stage and the cause.
    """
    return run_watch(session, given)


@click.command(name="exporter")
@broker_options
@_watch_options
@click.option(
    "--metrics",
    metavar="HOST:PORT",
    default=_METRICS,
    show_default=True,
    help="Where to serve them.",
)
@common_options
@pass_session
def exporter(session: Session, /, **given: Any) -> int:
    """Serve metrics of a Celery for Prometheus until it is stopped, and keep nothing else.

    The same as 'radar celery watch --metrics', without monitors, and with a small ledger that goes
    when it ends.
    """
    forgetful = {"monitor": "", "no_monitors": True, "keep_tasks": _FEW, "keep_tasks_for": "1h"}
    return run_watch(
        session,
        {**given, **forgetful, "database": "", "max_failure_rates": (), "max_waits": ()},
        keeps=False,
    )


def run_watch(session: Session, given: dict[str, Any], *, keeps: bool = True) -> int:
    """Watch as the options say, until SIGTERM or SIGINT; return the exit code."""
    from radar_cli.celery.watch.metrics import Metrics
    from radar_cli.celery.watch.monitors import ServerReporter, StoreReporter
    from radar_cli.celery.watch.watch import Reporter, Watch, WatchSettings
    from radar_cli.store.ledger import LedgerRetention
    from radar_cli.store.opening import open_store

    project = project_of(
        given["broker"], given["app"], key_prefix=given["key_prefix"], timeout_s=_IMPORT_S
    )
    load_driver(project.broker)
    if given["monitor"]:
        try:
            check_key(given["monitor"])
        except BadValueError as error:
            raise error.as_usage_error("--monitor") from None
    settings = WatchSettings(
        beat=given["beat"],
        interval_s=read_period("--interval", given["interval"]),
        enables_events=given["enable_events"],
        monitor=given["monitor"],
        max_failure_rates=read_thresholds(
            "--max-failure-rate", given["max_failure_rates"], read_share
        ),
        max_waits_s=read_thresholds("--max-wait", given["max_waits"], read_period),
        retention=LedgerRetention(
            tasks=given["keep_tasks"],
            tasks_for_us=round(read_period("--keep-tasks-for", given["keep_tasks_for"]) * 1e6),
        ),
    )
    profile = session.load_profile()
    place = read_address("--metrics", given["metrics"], _METRICS) if given["metrics"] else None
    with ExitStack() as stack:
        directory = state_directory(os.environ)
        if not keeps:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="radar-exporter-"))
        store = stack.enter_context(open_store(given["database"], directory))
        reporter: Reporter | None = None
        if not given["no_monitors"]:
            if profile.server and not given["database"]:
                reporter = server = ServerReporter()
                stack.callback(server.close)
            else:
                reporter = StoreReporter(store, log_line)
        metrics = Metrics() if place else None
        watch = Watch(
            *(project, store.ledger, settings), reporter=reporter, metrics=metrics, log=log_line
        )
        if metrics is not None and place is not None:
            # Whoever scrapes takes turns with the events; Python's 5 ms for each would add up.
            sys.setswitchinterval(_SWITCH_S)
            serving = _serve(place, metrics, watch)
            stack.enter_context(serving)
            log_line(f"metrics at http://{place[0]}:{serving.port}/metrics")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: watch.stop())
        watch.run()
    return 0


def _serve(place: tuple[str, int], metrics: "Metrics", watch: "Watch") -> "MetricsServer":
    from radar_cli.celery.watch.metrics import MetricsServer

    try:
        return MetricsServer(*place, metrics.page, watch.is_well)
    except OSError as error:
        raise UsageError(
            f"--metrics: can't listen on {place[0]}:{place[1]}: {error.strerror}", "another port"
        ) from None


def read_thresholds(
    name: str, texts: Iterable[str], read: Callable[[str, str], float]
) -> dict[str, float]:
    """Return thresholds by patterns of tasks' names; that for all tasks comes last."""
    thresholds: dict[str, float] = {}
    for text in texts:
        pattern, _, value = text.rpartition("=")
        if not pattern and "=" in text:
            raise UsageError(f"{name}: no task before = in {text[:60]!r}", "as in shop.pay=5")
        thresholds[pattern or "*"] = read(name, value)
    for_all = {"*": thresholds.pop("*")} if "*" in thresholds else {}
    return {**thresholds, **for_all}


def read_share(name: str, text: str) -> float:
    """Return the share that a percentage says: `20` and `20%` are 0.2."""
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{name}: no percentage {text[:60]!r}", "as in 20 or 20%")
    return share


def log_line(line: str) -> None:
    """Write a line with its time to stderr."""
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} radar: {line}", file=sys.stderr, flush=True)
