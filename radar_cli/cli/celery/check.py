"""`radar celery check`: one verdict over broker, workers, queues and schedule."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from radar_cli.celery.check.expected import Expected
from radar_cli.celery.check.verdict import check
from radar_cli.celery.failures import Ended
from radar_cli.celery.findings import Finding, verdict
from radar_cli.celery.project import project_of
from radar_cli.celery.schedule.sources import KINDS
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.formatting import (
    VerdictFields,
    for_nagios,
    for_prometheus,
    in_a_line,
    show_findings,
)
from radar_cli.cli.celery.opening import open_ledger
from radar_cli.cli.celery.options import broker_options, read_duration, read_period, timeout_option
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result, emit, is_terminal, print_result, wants_color
from radar_cli.core import exits
from radar_cli.core.errors import BadValueError, UsageError
from radar_cli.core.ids import check_key
from radar_cli.core.places import state_directory

FORMATS = ("table", "json", "nagios", "prometheus")
_CLEAR = "\x1b[H\x1b[2J"
# What a verdict is to a monitor. Nothing known is neither: if it lasts, the monitor is missed.
_PINGS = {"ok": "success", "bad": "fail", "unknown": "log"}


@click.command(name="check")
@broker_options
@click.option("--queue", "queues", metavar="QUEUE", multiple=True, help="It has to be consumed.")
@click.option(
    "--expect-workers", "count", metavar="N", type=click.IntRange(0), help="So many have to answer."
)
@click.option("--worker", "workers", metavar="NODE", multiple=True, help="It has to answer.")
@click.option(
    "--max-depth", metavar="N", type=click.IntRange(0), help="So many messages may wait in a queue."
)
@click.option("--max-wait", metavar="DURATION", help="So long may messages wait.")
@click.option("--max-runtime", metavar="DURATION", help="So long may a task run.")
@click.option("--beat", metavar="SOURCE", default="", help=f"Beat's schedule: {KINDS}.")
@click.option(
    "--forget", "forgets", is_flag=True, help="Miss nothing that was there at earlier checks."
)
@timeout_option("10s")
@click.option("--watch", is_flag=True, help="Look again and again, until interrupted.")
@click.option(
    "--interval",
    metavar="DURATION",
    default="5s",
    show_default=True,
    help="How often, with --watch.",
)
@click.option("--monitor", metavar="MONITOR", default="", help="Send the verdict as its ping.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    help="How to say it; nagios has Nagios's exit codes.",
)
@common_options
@answers(VerdictFields)
@pass_session
def command(
    session: Session,
    /,
    broker: str,
    app: str,
    key_prefix: str,
    queues: tuple[str, ...],
    count: int | None,
    workers: tuple[str, ...],
    max_depth: int | None,
    max_wait: str | None,
    max_runtime: str | None,
    beat: str,
    forgets: bool,
    timeout: str,
    watch: bool,
    interval: str,
    monitor: str,
    form: str,
) -> Result | int:
    """Judge a Celery installation now: broker, workers, queues, tasks and, with --beat, schedule.

    Exits with 0 if all is well, 1 if something is bad, and 3 if something can't be known. Into a
    pipe it prints just what isn't well; -v prints all.
    """
    timeout_s = read_period("--timeout", timeout)
    interval_s = read_period("--interval", interval)
    if monitor:
        try:
            check_key(monitor)
        except BadValueError as error:
            raise error.as_usage_error("--monitor") from None
    if form == "table":
        form = session.format
    elif form == "json":
        session.format = "json"
    project = project_of(broker, app, key_prefix=key_prefix, timeout_s=timeout_s)
    expected = Expected(
        queues=queues,
        workers=workers,
        worker_count=count,
        max_depth=max_depth,
        max_wait_s=read_duration("--max-wait", max_wait),
        max_runtime_s=read_duration("--max-runtime", max_runtime),
        visibility_timeout_s=project.visibility_timeout_s,
    )
    memory = Path(state_directory(os.environ)) / "celery"

    def look() -> tuple[Result, list[Finding]]:
        findings = check(
            project,
            expected,
            beat=beat,
            timeout_s=timeout_s,
            memory=memory,
            forgets=forgets,
            reported=lambda since_us: _read_ended(session, since_us),
        )
        result = _report(session, findings, form)
        if monitor and (lost := _ping(session, monitor, findings)) and not result.exit_code:
            result = replace(result, exit_code=lost)
        return result, findings

    if watch:
        _watch(session, look, interval_s)
    return look()[0]


def _read_ended(session: Session, since_us: int) -> list[Ended] | None:
    """Return the ends of runs that workers reported or a watch recorded; None: of neither kind."""
    from radar_cli.celery.recorded import read_recorded

    reported = _read_reported(session, since_us)
    with open_ledger() as ledger:
        recorded = None if ledger is None else read_recorded(ledger, since_us)[0]
    if reported is None and recorded is None:
        return None
    return (reported or []) + (recorded or [])


def _read_reported(session: Session, since_us: int) -> list[Ended] | None:
    """Return what monitors were told of tasks' runs; None where there are none at all."""
    from radar_cli.celery.reported import read_reported
    from radar_cli.cli.opening import open_monitors
    from radar_cli.store.opening import embedded_path

    profile = session.load_profile()
    state = state_directory(os.environ)
    places = (embedded_path(state), os.path.join(state, "outbox"))
    if not profile.server and not any(map(os.path.exists, places)):
        return None  # nothing is made where nothing was
    with open_monitors(session) as opened:
        if opened.is_elsewhere:
            return None
        return read_reported(opened.store, opened.now_us(), since_us)[0]


def _report(session: Session, findings: list[Finding], form: str) -> Result:
    if form == "nagios":
        return for_nagios(findings)
    if form == "prometheus":
        return for_prometheus(findings)
    return show_findings(findings, with_ok=session.verbose or is_terminal(sys.stdout))


def _ping(session: Session, monitor: str, findings: list[Finding]) -> int:
    """Send the verdict; the exit code of a ping that was lost, else 0."""
    from radar_cli.wrap.ping_command import parse, send
    from radar_cli.wrap.streams import log_line

    kind = _PINGS[verdict(findings)]
    line = in_a_line(findings)[:1000]
    try:
        options = parse([monitor, kind, "--message", line, *session.forwarded()])
    except UsageError as error:
        log_line(error.line())
        return exits.USAGE
    code = send(options)
    return 0 if code == exits.OK else code


def _watch(
    session: Session, look: Callable[[], tuple[Result, list[Finding]]], interval_s: float
) -> None:
    """Look until interrupted; at a terminal each look takes the place of the one before."""
    is_color_wanted = wants_color(session.color, sys.stdout)
    while True:
        result, findings = look()
        if is_terminal(sys.stdout):
            emit(_CLEAR)
        if session.format == "table":
            emit(f"{time.strftime('%H:%M:%S')} {verdict(findings)}\n")
        print_result(result, session.command, session.format, is_color_wanted=is_color_wanted)
        sys.stdout.flush()
        time.sleep(interval_s)
