"""`radar monitors show`: everything about one monitor."""

from typing import Any

import click

from radar_cli.cli.monitors.described import find_monitors
from radar_cli.cli.monitors.pictures import draw_durations, draw_strip
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, clean
from radar_cli.cli.status import STYLES, ago, attention_in_words
from radar_cli.client.wire import (
    describe_attention,
    describe_monitor,
    describe_run,
    encode_alias,
    iso,
)
from radar_cli.core.grammar import format_duration
from radar_cli.core.text import lines
from radar_cli.model.alias import Alias
from radar_cli.model.fault import BAD
from radar_cli.model.overview import MonitorOverview
from radar_cli.model.pitfalls import warn_of
from radar_cli.model.port import MonitorStore
from radar_cli.model.record import MonitorRecord
from radar_cli.model.sentences import (
    how_it_went,
    in_words,
    local_time,
    next_in_words,
    status_in_words,
    what_happened,
)
from radar_cli.model.state import Status
from radar_cli.model.strip import Mark, find_marks
from radar_cli.service.look import look

# As many runs as fit on a line behind their label.
_RUNS_SHOWN = 40
_TAIL_LINES = 10
_LONGEST_LINE = 160


@click.command(name="show")
@click.argument("key", metavar="MONITOR")
@common_options
@pass_session
def show_monitor(session: Session, key: str) -> Result:
    """Show what is expected of a monitor, how it is, its last runs and its last output."""
    with open_monitors(session) as opened:
        store, notes, now_us = opened.store, opened.notes, opened.now_us()
        find_monitors(store, [key])
        (seen,) = look(store, now_us, [key])
        aliases = store.aliases(key)
        marks, durations_s = _look_back(store, seen.known, now_us)
    known = seen.known
    entry = describe_monitor(known, seen.view, now_us)
    last = seen.last_ended
    data = {
        **entry,
        **describe_attention(seen.attention),
        "words": in_words(known.monitor),
        "strip": [str(mark) for mark in marks],
        "durations_s": durations_s,
        "aliases": [encode_alias(each) for each in aliases],
        "last_run": None if last is None else describe_run(last),
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
    return Result(data, Table(("monitor", clean(key)), rows), notes=tuple(notes))


def _look_back(
    store: MonitorStore, known: MonitorRecord, now_us: int
) -> tuple[list[Mark], list[float]]:
    """Its last runs as marks, and how long they took."""
    runs = store.runs(known.key, _RUNS_SHOWN)
    marks = find_marks(known.monitor, runs, now_us, running=known.state.running, limit=_RUNS_SHOWN)
    return marks, [run.duration_s for run in runs if run.duration_s is not None]


def _show_status(seen: MonitorOverview, now_us: int) -> list[tuple[Any, ...]]:
    known, view = seen.known, seen.view
    words = status_in_words(known.monitor, view, now_us)
    since = iso(view.since_us)
    rows: list[tuple[Any, ...]] = [("status", Cell(words, STYLES[str(view.status)]))]
    if since is not None:
        rows.append(("since", f"{local_time(view.since_us)}, {ago(since, now_us)}"))
    if view.status in (Status.LATE, Status.DOWN):
        rows.append(("why", what_happened(view, seen.last_ended)))
    rows += [(label, Cell(said, "yellow")) for label, said in attention_in_words(seen.attention)]
    if following := next_in_words(known.monitor, view.expected_us):
        due = "due" if view.expected_us is not None and view.expected_us < now_us else "next"
        rows.append((due, following))
    return rows


def _show_declared(known: MonitorRecord) -> list[tuple[Any, ...]]:
    """Show what is declared; what is left at its default and says nothing isn't shown."""
    monitor = known.monitor
    rows: list[tuple[Any, ...]] = [("name", monitor.name)] if monitor.name else []
    expression = known.declared.get("schedule", "")
    rows.append(("schedule", f"{expression}  {in_words(monitor)}".strip()))
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
    words = f"{how_it_went(run)}, {local_time(run.ended_us)}, {ago(ended, now_us)}"
    rows: list[tuple[Any, ...]] = [("last run", words)]
    if run.url:
        rows.append(("link", run.url))
    if run.message:
        rows.append(("message", run.message))
    said = lines(run.output.decode("utf-8", "replace"))
    shown = said[-_TAIL_LINES:]
    is_cut = any(len(line) > _LONGEST_LINE for line in shown)
    shown = [line[:_LONGEST_LINE] for line in shown]
    if is_cut or len(said) > len(shown) or run.omitted_bytes:
        shown = [f"... ('radar monitors output {seen.known.key}' prints all)", *shown]
    # Tabs would be escapes in a table.
    labels = ["output", *[""] * len(shown)]
    rows += [(label, line.expandtabs()) for label, line in zip(labels, shown, strict=False)]
    return rows
