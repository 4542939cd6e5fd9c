"""`radar status`: every monitor at a glance."""

from datetime import datetime
from math import isfinite
from typing import Any

import click

from radar_cli.api.wire import describe_fault, describe_run, iso
from radar_cli.cli.everybody import all_users_option, find_places
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, shorten
from radar_cli.core import exits
from radar_cli.core.grammar import format_duration
from radar_cli.core.text import lines
from radar_cli.model.fault import BAD
from radar_cli.monitors.sentences import last_line_of
from radar_cli.store.overview import Seen, look

_TAIL_LINES = 20
STYLES = {"up": "green", "late": "yellow", "down": "bold red", "new": "dim", "paused": "dim"}


@click.command(name="status")
@click.argument("keys", metavar="[MONITOR]...", nargs=-1)
@all_users_option
@list_options
@pass_session
def command(session: Session, keys: tuple[str, ...], all_users: bool) -> Result:
    """Show every monitor at a glance, or just those named.

    With -v, the end of each last run's output follows.
    """
    data: list[dict[str, Any]] = []
    notes: list[str] = []
    for place in find_places(all_users=all_users):
        with open_monitors(session, place) as opened:
            now_us = opened.now_us()
            found_here = [describe(each, opened.user) for each in look(opened.store, now_us, keys)]
            data += found_here
            notes += _fault_notes(found_here)
            notes += [*opened.remarks(), *opened.find_neglect(now_us)]
            notes += opened.find_failing_channels()
    found = {entry["key"] for entry in data}
    notes += [f"no monitor {shorten(key)!r}" for key in dict.fromkeys(keys) if key not in found]
    code = exits.OK if found >= set(keys) else exits.BAD
    rows = [_row(entry, now_us) for entry in data]
    columns: tuple[str, ...] = (
        "monitor",
        "status",
        "last run",
        "took",
        "exit",
        "schedule",
        "last output",
    )
    empty = "" if notes else "no monitors yet: try 'radar run hello -- echo hello'"
    if session.verbose and session.format == "table":
        text = _with_tails(columns, rows, data)
        return Result(data, text=text, notes=tuple(notes), exit_code=code)
    if all_users:
        columns = ("user", *columns)
        rows = [(entry["user"], *row) for entry, row in zip(data, rows, strict=True)]
    return Result(data, Table(columns, rows, empty), notes=tuple(notes), exit_code=code)


def _fault_notes(data: list[dict[str, Any]]) -> list[str]:
    """What is wrong with declarations, a line for each."""
    notes = []
    for entry in data:
        owner = f"{entry['user']}: " if entry["user"] else ""
        for fault in entry["faults"]:
            word = "declared wrongly" if fault["kind"] == BAD else "beware"
            notes.append(f"{owner}{entry['key']}: {word}: {fault['message']}")
    return notes


def describe(seen: Seen, user: str = "") -> dict[str, Any]:
    """One monitor for programs: times in ISO 8601, durations in seconds, memory in bytes."""
    declared, view, last = seen.known.declared, seen.view, seen.last_ended
    running = [run for run in seen.runs if run.is_running]
    return {
        "key": seen.known.key,
        "user": user or None,
        "name": declared.get("name", ""),
        "status": str(view.status),
        "reason": None if view.reason is None else str(view.reason),
        "since": iso(view.since_us),
        "running": view.is_running,
        "expected_at": iso(view.expected_us),
        "schedule": declared.get("schedule"),
        "every_s": _seconds(declared.get("every")),
        "tz": declared.get("tz"),
        # Without a schedule nothing tells that a run is missing.
        "watched": seen.known.is_watched,
        "tags": declared.get("tags", "").split(),
        "faults": [describe_fault(fault) for fault in seen.known.active_faults],
        "started_at": iso(running[-1].started_us) if view.is_running and running else None,
        "last_run": None if last is None else describe_run(last),
    }


def _row(entry: dict[str, Any], now_us: int) -> tuple[Any, ...]:
    status = entry["status"] + (f" ({entry['reason']})" if entry["reason"] else "")
    status += ", running" if entry["running"] else ""
    style = STYLES[entry["status"]]
    if entry["faults"]:
        is_bad = entry["faults"][0]["kind"] == BAD  # the worst is the first
        status += ", declared wrongly" if is_bad else ", beware"
        style = style if entry["status"] == "down" else "bold red" if is_bad else "yellow"
    schedule = entry["schedule"] or ""
    if entry["every_s"]:
        schedule = f"every {format_duration(entry['every_s'])}"
    last = entry["last_run"]
    return (
        entry["key"],
        Cell(status, style),
        "" if last is None else ago(last["ended_at"], now_us),
        "" if last is None or last["duration_s"] is None else format_duration(last["duration_s"]),
        "" if last is None else how_it_ended(last),
        schedule if entry["watched"] else Cell("unwatched", "yellow"),
        "" if last is None else last_line(last),
    )


def how_it_ended(run: dict[str, Any]) -> str:
    """The exit code, or the signal by its name."""
    if run["signal"] is None:
        return "" if run["exit_code"] is None else str(run["exit_code"])
    import signal

    try:
        return signal.Signals(run["signal"]).name
    except ValueError:
        return f"signal {run['signal']}"


def last_line(run: dict[str, Any]) -> str:
    """What the run said last; why it counts as failed, if its exit code doesn't tell."""
    if run["reason"]:
        return str(run["reason"])[:80]
    return last_line_of(run["output"]) or last_line_of(run["message"] or "")


def _with_tails(columns: tuple[str, ...], rows: list[tuple[Any, ...]], data: list[Any]) -> str:
    """Monitor by monitor: its row, spelled out, and the end of its last output."""
    shown = []
    for row, entry in zip(rows, data, strict=True):
        cells = [cell.value if isinstance(cell, Cell) else cell for cell in row]
        pairs = zip(columns[1:-1], cells[1:-1], strict=True)
        shown.append(f"{cells[0]}: " + ", ".join(f"{name} {v}" for name, v in pairs if v))
        run = entry["last_run"]
        if run is None:
            continue
        said = lines(run["output"].expandtabs())
        hidden = len(said) > _TAIL_LINES or run["omitted_bytes"]
        shown += ["    ..."] if hidden else []
        shown += [f"    {line}" for line in said[-_TAIL_LINES:]]
    return "\n".join(shown)


def _seconds(text: str | None) -> float | None:
    """The number that a ping declared, which may be anything."""
    try:
        seconds = float(text or "nan")
    except ValueError:
        return None
    return seconds if isfinite(seconds) else None


def ago(moment: str, now_us: int) -> str:
    """How long ago a moment in ISO 8601 was."""
    seconds = now_us / 1e6 - datetime.fromisoformat(moment).timestamp()
    return "just now" if seconds < 1 else f"{format_duration(round(seconds))} ago"
