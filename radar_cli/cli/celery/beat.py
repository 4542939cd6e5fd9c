"""`radar celery beat`: every entry of the schedule, and whether Beat does its work."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

import click

from radar_cli.celery.addresses import without_password
from radar_cli.celery.broker import Broker
from radar_cli.celery.calling import within
from radar_cli.celery.findings import EXIT_CODES, Finding, FindingFields, State, verdict
from radar_cli.celery.processes import BeatProcess, find_beats
from radar_cli.celery.schedule.entry import Beat, Entry
from radar_cli.celery.schedule.judging import (
    GRACE_S,
    EntryFields,
    judge_processes,
    judge_schedule,
)
from radar_cli.celery.schedule.restart import excuse_restart, started_at
from radar_cli.celery.schedule.sources import KINDS, open_source
from radar_cli.celery.schedule.workers import Known, ask_workers
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.opening import with_broker
from radar_cli.cli.celery.options import (
    broker_options,
    read_duration,
    read_period,
    timeout_option,
)
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table
from radar_cli.cli.status import ago
from radar_cli.core.errors import RadarError, UsageError
from radar_cli.core.grammar import format_duration

# Where Beat keeps its schedule without -s.
DEFAULT_SOURCE = "celerybeat-schedule"
_STYLES = {"ok": "green", "bad": "bold red", "unknown": "yellow"}
_COLUMNS = ("entry", "task", "schedule", "last attempt", "next due", "state", "remark")


class JudgedEntryFields(EntryFields):
    """An entry of Beat's schedule, and what is wrong with it; message and cause are for people."""

    state: State
    message: str
    cause: str | None


class BeatFields(TypedDict):
    """Beat's schedule; `beats` are findings on Beat itself."""

    verdict: State
    source: str
    beats: list[FindingFields]
    entries: list[JudgedEntryFields]


@click.command(name="beat")
@click.argument("source", metavar="[SOURCE]", required=False)
@broker_options
@click.option("--grace", metavar="DURATION", help="How late an entry may be (60s).")
@timeout_option("5s")
@list_options
@answers(BeatFields, rows="entries")
@pass_session
def command(session: Session, /, source: str | None, grace: str | None, **options: str) -> Result:
    """Show when Beat last tried each entry of its schedule, and what is overdue.

    SOURCE is where Beat keeps the schedule; ./celerybeat-schedule, if not given. With -b or -A,
    also what drifted apart: tasks that no worker knows, queues that nobody takes from.
    """
    given_s = read_duration("--grace", grace)
    grace_s = GRACE_S if given_s is None else given_s
    text = source or DEFAULT_SOURCE

    def look(broker: Broker | None, _: object, timeout_s: float) -> Result:
        return _look(session, text, broker, grace_s, timeout_s)

    if options["broker"] or options["app"]:
        return with_broker(options, look)
    timeout_s = read_period("--timeout", options["timeout"])
    shown = without_password(text) if "://" in text else text
    return within(timeout_s, shown, lambda _: look(None, None, 0.0))


def _look(
    session: Session, text: str, broker: Broker | None, grace_s: float, timeout_s: float
) -> Result:
    try:
        read = read_schedule(text, broker, grace_s)
    except RadarError as error:
        if text == DEFAULT_SOURCE and not os.path.exists(text):
            raise UsageError("no celerybeat-schedule here", f"name its SOURCE: {KINDS}") from error
        raise
    entries, now = read.entries, read.now
    # Without entries nothing can have drifted.
    known = ask_workers(broker, timeout_s=timeout_s) if broker and entries else None
    is_asked = known is not None and known.workers
    findings = judge_schedule(
        entries,
        read.beats,
        now,
        registered=known.tasks if known and is_asked else None,
        consumed=known.queues if known and is_asked else None,
        grace_s=grace_s,
    )
    findings += judge_processes(read.processes, text)
    by_name = {finding.subject: finding for finding in findings if "task" in finding.data}
    others = [finding for finding in findings if "task" not in finding.data]
    state = verdict(findings)
    data = {
        "verdict": state,
        "source": read.source,
        "beats": [finding.describe() for finding in others],
        "entries": [
            {
                **by_name[each.name].data,
                "state": by_name[each.name].state,
                "message": by_name[each.name].message,
                "cause": by_name[each.name].cause or None,
            }
            for each in entries
        ],
    }
    rows = [_row(each, by_name[each.name], now) for each in entries]
    notes = tuple(_notes(session, others, known))
    empty = "" if notes else f"no entries in {read.source}"
    return Result(data, Table(_COLUMNS, rows, empty), notes=notes, exit_code=EXIT_CODES[state])


@dataclass(frozen=True, slots=True)
class ReadSchedule:
    """A schedule as its source has it at `now`, and the Beats of this machine."""

    source: str
    now: datetime
    entries: list[Entry]
    beats: list[Beat]
    processes: list[BeatProcess]


def read_schedule(text: str, broker: Broker | None, grace_s: float = GRACE_S) -> ReadSchedule:
    """Read the schedule of the source that `text` names. Raises RadarError."""
    source = open_source(text, connection=broker and broker.connection)
    now = datetime.fromtimestamp(time.time(), UTC)
    entries, beats = source.entries(now), source.beats(now)
    processes = [] if text.startswith(("redbeat", "remote")) else find_beats()
    started = started_at(text, processes)
    entries = excuse_restart(entries, beats, now, started_at=started, grace_s=grace_s)
    return ReadSchedule(source.text, now, entries, beats, processes)


def _row(entry: Entry, finding: Finding, now: datetime) -> tuple[Any, ...]:
    now_us = int(now.timestamp() * 1e6)
    last = "never" if not entry.has_run else ""
    if entry.has_run and entry.last_run_at is not None:
        last = ago(entry.last_run_at.isoformat(), now_us)
    due = ""
    if entry.next_due is not None and entry.enabled:
        away_s = (entry.next_due - now).total_seconds()
        due = f"in {format_duration(away_s)}" if away_s > 0 else f"{entry.next_due:%H:%M:%S} UTC"
    return (
        entry.name,
        entry.task,
        entry.schedule_words,
        last,
        due,
        Cell(finding.state, _STYLES[finding.state]),
        _remark(finding),
    )


def _remark(finding: Finding) -> str:
    if finding.state == "ok" and finding.data["next_due_at"] and finding.data["enabled"]:
        return ""  # the columns say it
    return finding.message + (f" ({finding.cause})" if finding.cause else "")


def _notes(session: Session, others: Sequence[Finding], known: Known | None) -> list[str]:
    """On Beat itself: what is well only with -v."""
    notes = []
    for finding in others:
        if finding.state != "ok" or session.verbose:
            more = "; ".join(each for each in (finding.cause, finding.hint) if each)
            notes.append(f"{finding.subject}: {finding.message}" + (f" ({more})" if more else ""))
    if known is not None and not known.workers:
        notes.append("no worker answers: whether they know the tasks isn't known")
    return notes
