"""`radar monitors show`: everything about one monitor."""

from dataclasses import dataclass
from typing import Annotated, Any

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.choosing import Choice, monitors_argument
from radar_cli.cli.monitors.described import find_monitors
from radar_cli.cli.monitors.pictures import draw_durations, draw_strip
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, clean
from radar_cli.cli.status import STYLES, ago, list_attention
from radar_cli.client.wire import (
    AliasFields,
    AttentionFields,
    MonitorFields,
    RunFields,
    describe_attention,
    describe_monitor,
    encode_alias,
    encode_run,
    iso,
)
from radar_cli.core.grammar import format_duration
from radar_cli.core.shapes import Seconds, one_of
from radar_cli.core.text import lines
from radar_cli.model.alias import Alias
from radar_cli.model.fault import BAD
from radar_cli.model.overview import MonitorOverview
from radar_cli.model.pitfalls import warn_of
from radar_cli.model.port import MonitorStore
from radar_cli.model.record import MonitorRecord
from radar_cli.model.sentences import (
    UNREAD,
    describe_next,
    describe_schedule,
    describe_status,
    how_it_went,
    local_time,
    what_happened,
)
from radar_cli.model.state import Status
from radar_cli.model.strip import Mark, find_marks
from radar_cli.service.look import look

# As many runs as fit on a line behind their label.
_RUNS_SHOWN = 40
_TAIL_LINES = 10
_LONGEST_LINE = 160


class WarnedFields(MonitorFields):
    """A monitor, and what may not be meant in how it is declared, in sentences."""

    warnings: list[str]


class ShownFields(WarnedFields, AttentionFields):
    """A monitor with its last runs, the last one last; `words` is its schedule for people."""

    words: str
    strip: list[Annotated[str, one_of(Mark)]]
    durations_s: list[Seconds]
    aliases: list[AliasFields]
    last_run: RunFields | None


@click.command(name="show")
@monitors_argument()
@common_options
@answers(ShownFields | list[ShownFields])
@pass_session
def show_monitors(session: Session, choice: Choice) -> Result:
    """Show what is expected of monitors, how they are, their last runs and their last output."""
    with open_monitors(session) as opened:
        store, notes, now_us = opened.store, opened.notes, opened.now_us()
        keys = [known.key for known in find_monitors(store, choice)]
        found = {seen.known.key: seen for seen in look(store, now_us, keys)}
        shown = [_look_at(store, found[key], now_us) for key in keys]
    data: list[ShownFields] = []
    rows: list[tuple[Any, ...]] = []
    for each in shown:
        if rows:
            key = clean(each.seen.known.key)
            rows += [("", ""), (Cell("monitor", "bold"), Cell(key, "bold"))]
        entry, more = _show(each, now_us)
        data.append(entry)
        rows += more
    table = Table(("monitor", clean(keys[0])), rows, wrapped=(clean(keys[0]),))
    return Result(data[0] if choice.is_one else data, table, notes=tuple(notes))


def describe_one(store: MonitorStore, seen: MonitorOverview, now_us: int) -> list[tuple[Any, ...]]:
    """Return all about one monitor, as rows for people."""
    return _show(_look_at(store, seen, now_us), now_us)[1]


def _show(looked: "_Looked", now_us: int) -> tuple[ShownFields, list[tuple[Any, ...]]]:
    """A monitor for programs, and as rows for people."""
    seen, marks, durations_s = looked.seen, looked.marks, looked.durations_s
    aliases = looked.aliases
    known = seen.known
    entry = describe_monitor(known, seen.view, now_us)
    last = seen.last_ended
    data: ShownFields = {
        **entry,
        **describe_attention(seen.attention),
        "words": describe_schedule(known.monitor),
        "strip": [str(mark) for mark in marks],
        "durations_s": durations_s,
        "aliases": [encode_alias(each) for each in aliases],
        "last_run": None if last is None else encode_run(last),
        "warnings": warn_of(known.monitor, known.active_faults, now_us),
    }
    rows = [*_show_status(seen, now_us), *_show_declared(seen.known)]
    rows += [("alias", f"{each.key}, {_when_used(each, now_us)}") for each in aliases]
    if marks:
        rows.append(("runs", draw_strip(marks)))
    if durations_s:
        rows.append(("took", draw_durations(durations_s)))
    rows += _show_last_run(seen, now_us)
    bad = [fault.message for fault in known.active_faults if fault.kind == BAD]
    rows += [("declared", Cell(f"wrongly: {line}", "bold red")) for line in bad]
    others = (line for line in data["warnings"] if line not in bad)
    rows += [("beware", Cell(line, "yellow")) for line in others]
    return data, rows


@dataclass(frozen=True, slots=True)
class _Looked:
    """A monitor with its last runs, as marks and in seconds, and its old keys."""

    seen: MonitorOverview
    marks: list[Mark]
    durations_s: list[float]
    aliases: list[Alias]


def _look_at(store: MonitorStore, seen: MonitorOverview, now_us: int) -> _Looked:
    known = seen.known
    runs = store.history.runs(known.key, _RUNS_SHOWN)
    marks = find_marks(known.monitor, runs, now_us, running=known.state.running, limit=_RUNS_SHOWN)
    durations_s = [run.duration_s for run in runs if run.duration_s is not None]
    return _Looked(seen, marks, durations_s, store.aliases.of(known.key))


def _show_status(seen: MonitorOverview, now_us: int) -> list[tuple[Any, ...]]:
    known, view = seen.known, seen.view
    words = describe_status(known.monitor, view, now_us)
    since = iso(view.since_us)
    rows: list[tuple[Any, ...]] = [("status", Cell(words, STYLES[str(view.status)]))]
    if since is not None:
        rows.append(("since", f"{local_time(view.since_us)}, {ago(since, now_us)}"))
    if view.status in (Status.LATE, Status.DOWN):
        rows.append(("why", what_happened(view, seen.last_ended)))
    rows += [(label, Cell(text, "yellow")) for label, text in list_attention(seen.attention)]
    if following := describe_next(known.monitor, view.expected_us):
        due = "due" if view.expected_us is not None and view.expected_us < now_us else "next"
        rows.append((due, following))
    return rows


def _show_declared(known: MonitorRecord) -> list[tuple[Any, ...]]:
    """Show what is declared; what is left at its default and says nothing isn't shown."""
    monitor = known.monitor
    rows: list[tuple[Any, ...]] = [("name", monitor.name)] if monitor.name else []
    expression = known.declared.get("schedule", "")
    rows.append(("schedule", f"{expression}  {describe_schedule(monitor)}".strip()))
    rows.append(("grace", format_duration(monitor.grace_s)))
    if monitor.max_runtime_s is not None:
        rows.append(("max runtime", format_duration(monitor.max_runtime_s)))
    if monitor.hosts:
        rows.append(("hosts", str(monitor.hosts)))
    if monitor.failure_tolerance:
        rows.append(("tolerance", f"{monitor.failure_tolerance} failures in a row"))
    if monitor.tags:
        rows.append(("tags", ", ".join(monitor.tags)))
    noted = monitor.notes.splitlines()
    rows += zip(("notes", *[""] * len(noted)), noted, strict=False)
    return rows


def _when_used(alias: Alias, now_us: int) -> str:
    """Whether something still comes under an old key."""
    used = iso(alias.used_us)
    return "not used since it was renamed" if used is None else f"last used {ago(used, now_us)}"


def _show_last_run(seen: MonitorOverview, now_us: int) -> list[tuple[Any, ...]]:
    run = seen.last_ended
    if run is None or run.ended_us is None:
        return [("last run", "none yet")]
    ended = iso(run.ended_us) or ""
    message = f"{how_it_went(run)}, {local_time(run.ended_us)}, {ago(ended, now_us)}"
    rows: list[tuple[Any, ...]] = [("last run", message)]
    if run.url:
        rows.append(("link", run.url))
    if run.message:
        rows.append(("message", run.message))
    if run.is_unread:
        rows.append(("output", UNREAD))
    output = lines(run.output.decode("utf-8", "replace"))
    shown = output[-_TAIL_LINES:]
    is_cut = any(len(line) > _LONGEST_LINE for line in shown)
    shown = [line[:_LONGEST_LINE] for line in shown]
    if is_cut or len(output) > len(shown) or run.omitted_bytes:
        shown = [f"... ('radar monitors output {seen.known.key}' prints all)", *shown]
    # Tabs would be escapes in a table.
    labels = ["output", *[""] * len(shown)]
    rows += [(label, line.expandtabs()) for label, line in zip(labels, shown, strict=False)]
    return rows
