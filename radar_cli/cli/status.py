"""`radar status`: every monitor at a glance."""

import time
from datetime import datetime
from math import isfinite
from typing import Any, Iterable, Sequence

import click

from radar_cli.cli.apart import Ask, look_apart, read_limit
from radar_cli.cli.everybody import Place, all_users_option, find_places
from radar_cli.cli.opening import Opened, open_monitors
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, shorten
from radar_cli.client.wire import describe_attention, describe_fault, describe_run, from_iso, iso
from radar_cli.core import exits
from radar_cli.core.errors import StateError
from radar_cli.core.grammar import format_duration
from radar_cli.core.text import lines
from radar_cli.model.attention import Attention
from radar_cli.model.fault import BAD
from radar_cli.model.overview import MonitorOverview
from radar_cli.model.sentences import last_line_of, local_time
from radar_cli.service.look import look

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
    is_lost = False
    unknown: list[tuple[str, str]] = []
    now_us = time.time_ns() // 1000
    own, others = find_places() if all_users else (None, [])
    try:
        with open_monitors(session, own) as opened:
            now_us = opened.now_us()
            data, notes, is_lost = _look_in(opened, now_us, keys)
    except StateError as error:
        if own is None:
            raise
        unknown.append(("", error.line()))

    def look_in(place: Place, _: Ask) -> Any:
        with open_monitors(session, place) as opened:
            return _look_in(opened, opened.now_us(), keys)

    for looked in look_apart(others, look_in, limit_s=read_limit()) if others else ():
        if looked.fault:
            unknown.append((looked.place.user, looked.fault))
        elif looked.found is not None:
            data += looked.found[0]
            notes += looked.found[1]
            is_lost |= bool(looked.found[2])
    notes += name_unknown(unknown)
    found = {entry["key"] for entry in data}
    notes += [f"no monitor {shorten(key)!r}" for key in dict.fromkeys(keys) if key not in found]
    code = exits.OK if found >= set(keys) and not is_lost else exits.BAD
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
    failure = describe_unknown(unknown, code) if unknown else None
    empty = "" if notes else "no monitors yet: try 'radar run hello -- echo hello'"
    if session.verbose and session.format == "table":
        text = _with_tails(columns, rows, data)
        return Result(data, text=text, notes=tuple(notes), exit_code=code, failure=failure)
    if all_users:
        columns = ("user", *columns)
        rows = [(entry["user"], *row) for entry, row in zip(data, rows, strict=True)]
    table = Table(columns, rows, empty)
    return Result(data, table, notes=tuple(notes), exit_code=code, failure=failure)


def _look_in(
    opened: Opened, now_us: int, keys: Sequence[str]
) -> tuple[list[dict[str, Any]], list[str], bool]:
    """The monitors of one store, for programs, remarks, and whether it isn't the one it was."""
    loss = opened.store.find_loss()
    lost = [f"{opened.store.place}: {loss}"] if loss else []
    data = [describe(each, opened.user) for each in look(opened.store, now_us, keys)]
    remarks = [*_fault_notes(data), *_attention_notes(data)]
    remarks += [*opened.remarks(), *opened.find_neglect(now_us)]
    remarks += [*opened.find_failing_channels(), *opened.find_unheard(keys)]
    return data, lost + remarks, bool(loss)


def name_unknown(unknown: Iterable[tuple[str, str]]) -> list[str]:
    """A line for each user, "" for oneself, whose store can't be judged, with the reason."""
    return [f"{user}: can't be judged: {reason}" if user else reason for user, reason in unknown]


def describe_unknown(unknown: Sequence[tuple[str, str]], code: int) -> StateError:
    """Say that some stores can't be judged, with the exit code of what is bad in the others."""
    names = ", ".join(user or "one's own" for user, _ in unknown)
    one = len(unknown) == 1
    error = StateError(
        f"{len(unknown)} store{'' if one else 's'} can't be judged: {names}",
        "nothing is known of the monitors there",
    )
    error.exit_code = code or error.exit_code
    return error


def attention_in_words(attention: Attention) -> list[tuple[str, str]]:
    """Say who sees to a monitor, and until when nobody is told of it, each with a label."""
    found = []
    if attention.acked_us is not None:
        found.append(("seen to", f"by {attention.acked_by}, {local_time(attention.acked_us)}"))
    if attention.is_silenced:
        until = "it is ended" if attention.until_us is None else local_time(attention.until_us)
        why = f": {attention.why}" if attention.why else ""
        found.append(("silenced", f"until {until}{why}"))
    return found


def _attention_notes(data: list[dict[str, Any]]) -> list[str]:
    """Say what is silenced, in a line: it is not to be forgotten."""
    silenced = [entry for entry in data if entry["silenced"]]
    if not silenced:
        return []
    ends_us = [from_iso(entry["silenced"]["until"]) for entry in silenced]
    last_us = None if None in ends_us else max(filter(None, ends_us))
    names = shorten(", ".join(entry["key"] for entry in silenced))
    until = "until that is ended" if last_us is None else f"until {local_time(last_us)} at most"
    return [f"nobody is told of {names}, {until}: see 'radar monitors maintenance list'"]


def _fault_notes(data: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with declarations, a line for each."""
    notes = []
    for entry in data:
        owner = f"{entry['user']}: " if entry["user"] else ""
        for fault in entry["faults"]:
            word = "declared wrongly" if fault["kind"] == BAD else "beware"
            notes.append(f"{owner}{entry['key']}: {word}: {fault['message']}")
    return notes


def describe(seen: MonitorOverview, user: str = "") -> dict[str, Any]:
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
        **describe_attention(seen.attention),
        "started_at": iso(running[-1].started_us) if view.is_running and running else None,
        "last_run": None if last is None else describe_run(last),
    }


def _row(entry: dict[str, Any], now_us: int) -> tuple[Any, ...]:
    status = entry["status"] + (f" ({entry['reason']})" if entry["reason"] else "")
    status += ", running" if entry["running"] else ""
    status += ", seen to" if entry["acknowledged"] else ""
    status += ", silenced" if entry["silenced"] else ""
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
    """Return the last line of a run; why it counts as failed, if its exit code doesn't tell."""
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
    """Format how long ago a moment in ISO 8601 was."""
    seconds = now_us / 1e6 - datetime.fromisoformat(moment).timestamp()
    return "just now" if seconds < 1 else f"{format_duration(round(seconds))} ago"
