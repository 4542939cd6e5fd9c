"""An entry of Beat's schedule, and a sign of life of Beat."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from radar_cli.celery.schedule.timing import Timing
from radar_cli.core.errors import RadarError
from radar_cli.core.ids import KEY_MAX, is_key
from radar_cli.model.ping import fingerprint

_KEY_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


@dataclass(frozen=True, slots=True)
class Entry:
    """One periodic task, as its source has it. All moments are aware.

    `last_run_at` is when Beat last tried to send it; that of an entry which never ran
    (`total_run_count` is 0) is when it was made, or None. `overdue_s` counts from `next_due`,
    and only what the source's own lag can't explain.
    """

    name: str
    task: str
    schedule_words: str
    last_run_at: datetime | None
    total_run_count: int
    enabled: bool
    next_due: datetime | None
    overdue_s: float
    queue: str  # "": wherever the app's routes lead
    source: str
    fault: str = ""  # why `next_due` can't be told, or what is wrong with the entry itself
    timing: Timing | None = None  # what the source keeps of when it is due

    @property
    def has_run(self) -> bool:
        """Whether Beat ever tried to send it."""
        return self.total_run_count > 0


@dataclass(frozen=True, slots=True)
class Beat:
    """A Beat, and when it last gave a sign of life.

    A living one gives the next within `lag_s` seconds, at the worst. `seen_at` is None if
    it gave none, and then `fault` says why.
    """

    name: str
    seen_at: datetime | None
    lag_s: float
    how: str  # how it is known, as `the schedule file's last change`
    fault: str = ""

    def silent_s(self, now: datetime) -> float:
        """For how long it has been silent; infinite if it was never seen."""
        if self.seen_at is None:
            return float("inf")
        return max(0.0, (now - self.seen_at).total_seconds())

    def is_alive(self, now: datetime) -> bool:
        """Whether its silence is no longer than a living Beat's can be."""
        return self.silent_s(now) <= self.lag_s


class UnreadableScheduleError(RadarError):
    """A source of a schedule that isn't there, or that isn't one."""

    slug = "unreadable-schedule"


class Source(Protocol):
    """A schedule that can be read, without changing anything about it."""

    text: str  # as it was typed, without a password

    def entries(self, now: datetime) -> list[Entry]:
        """All entries, as they are now. UnreadableScheduleError: they can't be read."""

    def beats(self, now: datetime) -> list[Beat]:
        """The Beats that this source knows of. UnreadableScheduleError: it can't be read."""


def entry_key(name: str, prefix: str = "") -> str:
    """Return the key of an entry's monitor; that of `Send Mail` is `send-mail`.

    Names that differ in what a key can't hold stay apart by a fingerprint.
    """
    plain = (prefix + name).lower().replace(" ", "-")
    key = "".join(c if c in _KEY_CHARACTERS else "-" for c in plain)
    if key == plain and is_key(key):
        return key
    mark = fingerprint(name.encode("utf-8", "replace"))
    return f"{key[: KEY_MAX - 10].strip('-.') or 'entry'}-{mark}"
