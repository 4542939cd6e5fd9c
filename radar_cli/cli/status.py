"""`radar status`: every monitor at a glance."""

import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, Callable, Iterable, Sequence

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.apart import Ask, look_apart, read_limit
from radar_cli.cli.choosing import (
    Choice,
    find_hints,
    find_mistake,
    monitors_argument,
    natural_order,
)
from radar_cli.cli.everybody import Place, all_users_option, find_places
from radar_cli.cli.opening import Opened, open_monitors
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, shorten, wants_color
from radar_cli.cli.watching import watch
from radar_cli.client.wire import (
    AttentionFields,
    FaultFields,
    ReasonWord,
    RunFields,
    StatusWord,
    describe_attention,
    describe_fault,
    encode_run,
    from_iso,
    iso,
)
from radar_cli.core import exits
from radar_cli.core.errors import RadarError, StateError, UsageError
from radar_cli.core.grammar import format_duration
from radar_cli.core.shapes import Moment, Seconds
from radar_cli.core.text import lines
from radar_cli.model.attention import Attention
from radar_cli.model.fault import BAD
from radar_cli.model.overview import MonitorOverview
from radar_cli.model.sentences import UNREAD, last_line_of, local_time
from radar_cli.service.look import look
from radar_cli.store.opening import embedded_path

_TAIL_LINES = 20
# A home that hangs mustn't hold up root's own monitors.
_MENTION_LIMIT_S = 1.0
COLUMNS: tuple[str, ...] = (
    "monitor",
    "status",
    "last run",
    "took",
    "exit",
    "schedule",
    "last output",
)
_MOST_URGENT = ("down", "late", "new", "up", "paused")
STYLES = {"up": "green", "late": "yellow", "down": "bold red", "new": "dim", "paused": "dim"}


class GlanceFields(AttentionFields):
    """A monitor at a glance; `user` is whose it is, with --all-users, and null for one's own."""

    key: str
    user: str | None
    name: str
    status: StatusWord
    reason: ReasonWord | None
    since: Moment | None
    running: bool
    expected_at: Moment | None
    schedule: str | None
    every_s: Seconds | None
    tz: str | None
    watched: bool
    tags: list[str]
    faults: list[FaultFields]
    started_at: Moment | None


class StatusFields(GlanceFields):
    """A monitor at a glance, with the last run that ended."""

    last_run: RunFields | None


def _by_key(entry: StatusFields) -> Any:
    return natural_order(entry["key"]), entry["user"] or ""


def by_status(entry: StatusFields) -> Any:
    """Return what sorts monitors: down first."""
    # All that is well stands in one order, so that it doesn't jump about.
    rank = {"down": 0, "late": 1}.get(entry["status"], 2)
    return rank, _by_key(entry)


def _by_last_run(entry: StatusFields) -> Any:
    last = entry["last_run"]
    return -(from_iso(last["ended_at"]) or 0) if last else 0, _by_key(entry)


def _by_next_run(entry: StatusFields) -> Any:
    return entry["expected_at"] is None, entry["expected_at"] or "", _by_key(entry)


def _by_duration(entry: StatusFields) -> Any:
    last = entry["last_run"]
    took_s = last["duration_s"] if last else None
    return -(took_s or 0.0), _by_key(entry)


# How --sort calls them: the newest run, the next one due and the longest come first.
_ORDERS: dict[str, Callable[[StatusFields], Any]] = {
    "status": by_status,
    "monitor": _by_key,
    "last-run": _by_last_run,
    "next-run": _by_next_run,
    "took": _by_duration,
}


@click.command(name="status")
@monitors_argument(required=False)
@click.option("--down", "is_down_only", is_flag=True, help="Only monitors that are down.")
@click.option(
    "--sort",
    "order",
    type=click.Choice(tuple(_ORDERS)),
    default="status",
    show_default=True,
    help="By what to sort; down comes first by status.",
)
@click.option("-w", "--watch", "watches", is_flag=True, help="Look again and again, until q or ^C.")
@all_users_option
@list_options
@answers(list[StatusFields])
@pass_session
def command(
    session: Session,
    choice: Choice,
    is_down_only: bool,
    order: str,
    watches: bool,
    all_users: bool,
) -> Result:
    """Show every monitor at a glance, or just those named by keys, globs or tags.

    With -v, the end of each last run's output follows; -o wide shows more of each.
    """
    wanted = Wanted(choice, order, is_down_only=is_down_only, all_users=all_users)
    if not watches:
        return _show(session, wanted)
    if session.format != "table" or session.verbose or session.fields:
        raise UsageError("--watch is a table for people", "leave --watch out for programs")

    def look_again() -> Result:
        try:
            return _show(session, wanted)
        except RadarError as error:  # it may be reached again in a moment
            return Result(None, notes=(error.line(),))

    watch(look_again, "radar status", wants_color(session.color, sys.stdout))
    return Result(None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The monitors that are to be shown, and how."""

    choice: Choice
    order: str
    is_down_only: bool = False
    all_users: bool = False


@dataclass(slots=True)
class Glance:
    """The monitors of all stores."""

    now_us: int
    data: list[StatusFields] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    hints: dict[str, str] = field(default_factory=dict)  # on what was named in vain
    is_lost: bool = False


def _show(session: Session, wanted: Wanted) -> Result:
    glance = take_look(session, wanted)
    found = [entry["key"] for entry in glance.data]
    mistake = find_mistake(wanted.choice, found, lambda key: glance.hints.get(key, ""))
    data = sorted(glance.data, key=_ORDERS[wanted.order])
    if wanted.is_down_only:
        data = [entry for entry in data if entry["status"] == "down"]
    notes = [*glance.notes, *name_unknown(glance.unknown)]
    code = exits.BAD if glance.is_lost else exits.OK
    failure: RadarError | None = mistake
    if glance.unknown:
        failure = describe_unknown(glance.unknown, code)
        notes += [mistake.line()] if mistake is not None else []
    if session.verbose and session.format == "table":
        rows = [make_row(entry, glance.now_us) for entry in data]
        text = _with_tails(COLUMNS, rows, data)
        return Result(data, text=text, notes=tuple(notes), exit_code=code, failure=failure)
    table = _make_table(session, wanted, data, glance, is_quiet=bool(notes or failure))
    return Result(data, table, notes=tuple(notes), exit_code=code, failure=failure)


def take_look(session: Session, wanted: Wanted) -> Glance:
    """Look at the monitors that are wanted, in all the stores that are."""
    glance = Glance(time.time_ns() // 1000)
    own, others = find_places() if wanted.all_users else (None, [])
    try:
        with open_monitors(session, own) as opened:
            glance.now_us = opened.now_us()
            found = _look_in(opened, glance.now_us, wanted.choice)
            glance.data, glance.notes, glance.is_lost = found
            missing = wanted.choice.find_missing([entry["key"] for entry in glance.data])
            glance.hints = find_hints(opened.store, missing)
            if not glance.data and wanted.choice.is_everything:
                glance.notes += opened.find_server_database()
            if opened.local is not None and own is None:
                glance.notes += _mention_others()
    except StateError as error:
        if own is None:
            raise
        glance.unknown.append(("", error.line()))

    def look_in(place: Place, _: Ask) -> Any:
        with open_monitors(session, place) as opened:
            return _look_in(opened, opened.now_us(), wanted.choice)

    for looked in look_apart(others, look_in, limit_s=read_limit()) if others else ():
        if looked.fault:
            glance.unknown.append((looked.place.user, looked.fault))
        elif looked.found is not None:
            glance.data += looked.found[0]
            glance.notes += looked.found[1]
            glance.is_lost |= bool(looked.found[2])
    return glance


def _mention_others() -> list[str]:
    """Tell root that others have monitors, which these aren't."""
    if os.geteuid() != 0:
        return []
    _, others = find_places()
    looked = look_apart(others, _has_store, limit_s=_MENTION_LIMIT_S)
    users = sorted({each.place.user for each in looked if each.found})
    if not users:
        return []
    names = ", ".join(users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
    has = "has" if len(users) == 1 else "have"
    return [f"{names} {has} monitors, too: 'radar status --all-users' shows them"]


def _has_store(place: Place, _: Ask) -> bool:
    return os.path.exists(embedded_path(place.directory))


def _make_table(
    session: Session, wanted: Wanted, data: list[StatusFields], glance: Glance, *, is_quiet: bool
) -> Table:
    columns, rows = COLUMNS, [make_row(entry, glance.now_us) for entry in data]
    if session.is_wide:
        columns = (
            *columns[:1],
            "name",
            "status",
            "since",
            *columns[2:6],
            "next",
            "tags",
            "last output",
        )
        rows = [_widen(row, entry, glance.now_us) for row, entry in zip(rows, data, strict=True)]
    if wanted.all_users:
        columns = ("user", *columns)
        rows = [(entry["user"], *row) for entry, row in zip(data, rows, strict=True)]
    empty = "" if is_quiet else "no monitors yet: try 'radar run hello -- echo hello'"
    if glance.data:
        empty = "no monitor is down"
    return Table(
        columns,
        rows,
        empty,
        least=("last output", "took", "exit", "schedule", "last run"),
        whole=("monitor", "status"),
        summary=_summarise(data, len(glance.data)),
    )


def _widen(row: tuple[Any, ...], entry: StatusFields, now_us: int) -> tuple[Any, ...]:
    """Return the row with what only `-o wide` shows."""
    key, status, *middle, last = row
    since, expected = entry["since"], entry["expected_at"]
    return (
        *(key, entry["name"], status, "" if since is None else ago(since, now_us), *middle),
        "" if expected is None else local_time(from_iso(expected) or 0),
        *(", ".join(entry["tags"]), last),
    )


def _summarise(data: list[StatusFields], total: int) -> str:
    """`12 monitors: 2 down, 1 late, 9 up`."""
    if not data:
        return ""
    counts = Counter(entry["status"] for entry in data)
    parts = [f"{counts[status]} {status}" for status in _MOST_URGENT if counts[status]]
    count = f"{len(data)} of {total}" if len(data) < total else str(total)
    return f"{count} monitor{'' if total == 1 else 's'}: {', '.join(parts)}"


def _look_in(
    opened: Opened, now_us: int, choice: Choice
) -> tuple[list[StatusFields], list[str], bool]:
    """The monitors of one store, for programs, remarks, and whether it isn't the one it was."""
    loss = opened.store.find_loss()
    lost = [f"{opened.store.place}: {loss}"] if loss else []
    keys = [known.key for known in choice.find(opened.store)] if not choice.is_everything else []
    is_some = bool(keys) or choice.is_everything
    seen = look(opened.store, now_us, keys) if is_some else ()
    data = [describe(each, opened.user) for each in seen]
    remarks = [*_fault_notes(data), *_attention_notes(data)]
    remarks += [*opened.remarks(), *opened.find_neglect(now_us), *opened.find_failing_channels()]
    remarks += opened.find_unheard(keys) if is_some else []
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


def list_attention(attention: Attention) -> list[tuple[str, str]]:
    """Say who sees to a monitor, and until when no notices of it are sent, each with a label."""
    found = []
    if attention.acked_us is not None:
        found.append(("seen to", f"by {attention.acked_by}, {local_time(attention.acked_us)}"))
    if attention.is_silenced:
        until = "it is ended" if attention.until_us is None else local_time(attention.until_us)
        why = f": {attention.why}" if attention.why else ""
        found.append(("silenced", f"until {until}{why}"))
    return found


def _attention_notes(data: Sequence[StatusFields]) -> list[str]:
    """Say what is silenced, in a line: it is not to be forgotten."""
    silenced = [(entry["key"], entry["silenced"]) for entry in data if entry["silenced"]]
    if not silenced:
        return []
    ends_us = [from_iso(window["until"]) for _, window in silenced]
    last_us = None if None in ends_us else max(filter(None, ends_us))
    names = shorten(", ".join(key for key, _ in silenced))
    until = "until that is ended" if last_us is None else f"until {local_time(last_us)} at most"
    return [f"no notices of {names}, {until}: see 'radar monitors maintenance list'"]


def _fault_notes(data: Sequence[StatusFields]) -> list[str]:
    """Return what is wrong with declarations, a line for each."""
    notes = []
    for entry in data:
        owner = f"{entry['user']}: " if entry["user"] else ""
        for fault in entry["faults"]:
            message = "declared wrongly" if fault["kind"] == BAD else "beware"
            notes.append(f"{owner}{entry['key']}: {message}: {fault['message']}")
    return notes


def describe(seen: MonitorOverview, user: str = "") -> StatusFields:
    """One monitor for programs: times in ISO 8601, durations in seconds, memory in bytes."""
    last = seen.last_ended
    return {**describe_glance(seen, user), "last_run": None if last is None else encode_run(last)}


def describe_glance(seen: MonitorOverview, user: str = "") -> GlanceFields:
    """Describe the same without its last run."""
    declared, view = seen.known.declared, seen.view
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
    }


def make_row(entry: StatusFields, now_us: int) -> tuple[Any, ...]:
    """Return a monitor as the table has it."""
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
    last: Any = entry["last_run"]
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
    output = last_line_of(run["output"]) or last_line_of(run["message"] or "")
    return output or (UNREAD if run["output_unread"] else "")


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
        output = lines(run["output"].expandtabs())
        hidden = len(output) > _TAIL_LINES or run["omitted_bytes"]
        shown += ["    ..."] if hidden else []
        shown += [f"    {line}" for line in output[-_TAIL_LINES:]]
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
