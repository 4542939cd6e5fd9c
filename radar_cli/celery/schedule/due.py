"""From what a source keeps of an entry to what is to be said about it."""

from dataclasses import dataclass
from datetime import datetime

from radar_cli.celery.schedule.entry import Entry
from radar_cli.celery.schedule.timing import Timing, UnknowableError


@dataclass(frozen=True)
class Stored:
    """An entry as its source keeps it."""

    name: str
    task: str = ""
    timing: Timing | None = None
    last_run_at: datetime | None = None
    total_run_count: int = 0
    enabled: bool = True
    queue: str = ""
    fault: str = ""
    due: datetime | None = None  # where the source itself says it
    not_before: datetime | None = None  # it is due no earlier than that
    is_over: bool = False  # it has run for the last time
    words: str = ""  # where those of `timing` would say too much


def judge_stored(
    stored: Stored, now: datetime, *, as_of: datetime, lag_s: float, source: str
) -> Entry:
    """The entry with what is due.

    A source lags behind Beat: one that is `as_of` a moment not long ago says what was overdue
    then, and nothing about what fell due since. Only the silence of a source that has been
    quiet for longer than a living Beat lets it be counts up to now.
    """
    due, fault = None, stored.fault
    try:
        due = _due(stored)
    except UnknowableError as error:
        fault = str(error)
    judged_at = now if (now - as_of).total_seconds() > lag_s else min(as_of, now)
    overdue_s = 0.0
    if due is not None and stored.enabled:
        overdue_s = max(0.0, (judged_at - due).total_seconds())
    return Entry(
        stored.name,
        stored.task,
        stored.words or (stored.timing.words if stored.timing is not None else ""),
        stored.last_run_at,
        stored.total_run_count,
        stored.enabled,
        due,
        overdue_s,
        stored.queue,
        source,
        fault,
        None if stored.is_over else stored.timing,
    )


def _due(stored: Stored) -> datetime | None:
    if stored.is_over:
        return None
    if stored.due is not None or stored.timing is None or stored.last_run_at is None:
        return stored.due
    due = stored.timing.due_after(stored.last_run_at)
    if due is not None and stored.not_before is not None:
        due = max(due, stored.not_before)
    return due
