"""Where a schedule is kept: `open_source` finds the reader for what a person typed."""

from datetime import datetime
from typing import Any, Protocol

from radar_cli.celery.schedule.entry import Beat, Entry
from radar_cli.errors import RadarError, UsageError

# In the words of people: each a prefix, but for the last, which stands alone.
KINDS = "PATH or file:PATH"


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


def open_source(text: str, *, connection: Any = None) -> Source:
    """The source that `text` names; `connection` is kombu's to the broker, for those that need one.

    UsageError: it names none. Nothing is read yet.
    """
    kind, colon, rest = text.partition(":")
    reader: Any = _READERS.get(kind) if colon else None
    if reader is None:
        kind, rest = "file", text
        reader = _READERS[kind]
    if not rest:
        raise UsageError(f"no schedule {text!r}", f"use {KINDS}")
    del connection
    source: Source = reader(rest)
    return source


def _open_file(path: str) -> Source:
    from radar_cli.celery.schedule.shelf import Shelf

    return Shelf(path)


_READERS = {"file": _open_file}
