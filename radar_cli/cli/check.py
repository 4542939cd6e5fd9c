"""`radar check`: judge the monitors now, for people, cron, Nagios and Prometheus."""

import sys
import time
from collections import Counter
from typing import Callable

import click

from radar_cli import exits
from radar_cli.cli.local import is_elsewhere, look_here
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, clean, is_terminal
from radar_cli.cli.status import ago, describe, iso, last_words
from radar_cli.errors import RadarError
from radar_cli.monitors.state import Reason, Status
from radar_cli.store.overview import Seen

FORMATS = ("table", "json", "nagios", "prometheus")
_STYLES = {Status.LATE: "yellow", Status.DOWN: "bold red"}
# What Nagios's plugins exit with; a plugin has no other codes.
_NAGIOS_OK, _NAGIOS_WARNING, _NAGIOS_CRITICAL, _NAGIOS_UNKNOWN = range(4)


@click.command(name="check")
@click.argument("keys", metavar="[MONITOR]...", nargs=-1)
@click.option("--strict", is_flag=True, help="A monitor that is late is bad, too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    help="How to say it; nagios has Nagios's exit codes.",
)
@common_options
@pass_session
def command(session: Session, keys: tuple[str, ...], strict: bool, form: str) -> Result:
    """Judge all monitors now, or just those named.

    Exits with 0 if all is well, and with 1 if a monitor is down (with --strict, or late).
    """
    now_us = time.time_ns() // 1000
    bad = {Status.DOWN, Status.LATE} if strict else {Status.DOWN}
    try:
        seen, notes = look_here(session, keys, now_us)
    except RadarError as error:
        if form != "nagios":
            raise
        return _unknown(error.line())
    data = [describe(each) for each in seen]
    is_bad = any(each.view.status in bad for each in seen)
    code = exits.BAD if is_bad or len({each.known.key for each in seen}) < len(set(keys)) else 0
    if form == "nagios":
        return _for_nagios(seen, bad, keys, notes)
    if form == "prometheus":
        return Result(data, text=_for_prometheus(seen), exit_code=code)
    if form == "json":
        session.format = "json"
    shown = [each for each in seen if each.view.status in (Status.DOWN, Status.LATE)]
    rows = [_row(each, now_us) for each in shown]
    # Cron would mail it every time.
    if not rows and not notes and (session.verbose or is_terminal(sys.stderr)):
        notes = (_all_well(seen),)
    columns = ("monitor", "status", "since", "what happened", "look at")
    return Result(data, Table(columns, rows), notes=notes, exit_code=code)


def _all_well(seen: list[Seen]) -> str:
    unwatched = sum(1 for each in seen if not each.known.is_watched)
    words = f"all well: {len(seen)} monitor{'' if len(seen) == 1 else 's'}"
    return words + (f", {unwatched} without a schedule to watch" if unwatched else "")


def _row(seen: Seen, now_us: int) -> tuple[object, ...]:
    view = seen.view
    words = str(view.status) + (f" ({view.reason})" if view.reason else "")
    return (
        seen.known.key,
        Cell(words, _STYLES[view.status]),
        ago(iso(view.since_us) or "", now_us),
        what_happened(seen),
        f"radar status -v {seen.known.key}",
    )


def what_happened(seen: Seen) -> str:
    """In a line: what was expected, and what came instead."""
    view, last = seen.view, seen.last_ended
    if view.status == Status.LATE or view.reason == Reason.MISSED:
        return "no run since it was due"
    if view.reason == Reason.HUNG:
        return "a run began and didn't end"
    return "" if last is None else last_words(last)


def _for_nagios(
    seen: list[Seen], bad: set[Status], keys: tuple[str, ...], notes: tuple[str, ...]
) -> Result:
    """One line, `RADAR STATE - text | performance data` (Monitoring Plugins, guidelines)."""
    counts = Counter(each.view.status for each in seen)
    data = " ".join(f"{status}={counts[status]}" for status in Status)
    if missing := set(keys) - {each.known.key for each in seen}:
        return _unknown(f"no monitor {', '.join(sorted(missing))}")
    # Another user's state directory, or a server that knows instead: all well is what it isn't.
    if is_elsewhere(notes) or not seen:
        return _unknown("; ".join(notes) or "no monitors here")
    wrong = [each for each in seen if each.view.status in bad]
    late = [each for each in seen if each.view.status == Status.LATE]
    named = ", ".join(
        f"{each.known.key} {each.view.reason or each.view.status}" for each in (wrong or late)
    ).replace("|", "/")
    if wrong:
        words, code = f"CRITICAL - {len(wrong)} of {len(seen)}: {named}", _NAGIOS_CRITICAL
    elif late:
        words, code = f"WARNING - late: {named}", _NAGIOS_WARNING
    else:
        words, code = f"OK - {len(seen)} monitor{'' if len(seen) == 1 else 's'}", _NAGIOS_OK
    return Result(None, text=f"RADAR {words} | {data}", exit_code=code)


def _unknown(words: str) -> Result:
    line = f"RADAR UNKNOWN - {words}".replace("|", "/")
    return Result(None, text=line, exit_code=_NAGIOS_UNKNOWN)


def _for_prometheus(seen: list[Seen]) -> str:
    """For node_exporter's textfile collector (Prometheus's text format 0.0.4)."""
    metrics: list[tuple[str, str, Callable[[Seen], float | None]]] = [
        ("up", "1 unless the monitor is down", lambda s: float(s.view.status != Status.DOWN)),
        ("late", "1 if a run is late", lambda s: float(s.view.status == Status.LATE)),
        ("running", "1 if a run is in progress", lambda s: float(s.view.is_running)),
        (
            "expected_timestamp_seconds",
            "when the next run is due",
            lambda s: _seconds(s.view.expected_us),
        ),
        (
            "last_run_timestamp_seconds",
            "when the last run ended",
            lambda s: None if s.last_ended is None else _seconds(s.last_ended.ended_us),
        ),
        (
            "last_run_duration_seconds",
            "how long the last run took",
            lambda s: None if s.last_ended is None else s.last_ended.duration_s,
        ),
        (
            "last_run_exit_code",
            "exit code of the last run",
            lambda s: None if s.last_ended is None else s.last_ended.exit_code,
        ),
    ]
    lines = []
    for name, help_text, value_of in metrics:
        full = f"radar_monitor_{name}"
        lines += [f"# HELP {full} {help_text}", f"# TYPE {full} gauge"]
        for each in seen:
            if (value := value_of(each)) is not None:
                label = clean(each.known.key)
                lines.append(f'{full}{{monitor="{label}"}} {value:.15g}')
    return "\n".join(lines)


def _seconds(time_us: int | None) -> float | None:
    return None if time_us is None else time_us / 1e6
