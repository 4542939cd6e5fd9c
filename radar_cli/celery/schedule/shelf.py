"""The file of Celery's own PersistentScheduler: a shelf, of any kind of dbm."""

import sqlite3
import struct
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from radar_cli.celery.schedule.crontab import Crontab
from radar_cli.celery.schedule.due import Stored, judge_stored
from radar_cli.celery.schedule.entry import Beat, Entry, UnreadableScheduleError
from radar_cli.celery.schedule.files import berkeley, dumb, gdbm, sqlite
from radar_cli.celery.schedule.pickles import Inert, load
from radar_cli.celery.schedule.snapshot import Snapshot, take
from radar_cli.celery.schedule.timing import Clocked, Foreign, Interval, Solar, Timing
from radar_cli.core.errors import RadarError
from radar_cli.model.schedule import load_timezone

# Beat writes every 180 s, but only when it is awake, and it sleeps for up to 300 s.
LAG_S = 480.0
_HOW = "the schedule file's last change"
_KEYS = ("entries", "tz", "utc_enabled")
_OWN_SUFFIXES = (".db", ".dat", ".dir", ".bak")


class Shelf:
    """The schedule file at a path, with or without the suffix that dbm gave it."""

    def __init__(self, path: str) -> None:
        self.text = path
        self._path = path
        for suffix in _OWN_SUFFIXES:
            self._path = self._path.removesuffix(suffix)

    def entries(self, now: datetime) -> list[Entry]:
        """All entries in the file, by name. UnreadableScheduleError."""
        snapshot = take(self._path)
        shelf = self._read(snapshot)
        zone = _zone(shelf.get("tz"), is_utc=bool(shelf.get("utc_enabled", True)))
        stored = shelf.get("entries")
        if not isinstance(stored, dict):
            raise self._broken("it has no entries of Beat's")
        found = [self._stored(str(name), each, zone) for name, each in stored.items()]
        return [
            judge_stored(each, now, as_of=snapshot.changed_at, lag_s=LAG_S, source=self.text)
            for each in sorted(found, key=lambda each: each.name)
        ]

    def beats(self, now: datetime) -> list[Beat]:
        """The one Beat that writes the file. UnreadableScheduleError: there is no file."""
        del now
        return [Beat(f"the Beat of {self.text}", take(self._path).changed_at, LAG_S, _HOW)]

    def _read(self, snapshot: Snapshot) -> dict[str, Any]:
        try:
            pickled = _items(snapshot.contents)
            wanted = {name: pickled.get(name.encode()) for name in _KEYS}
            return {name: load(value) for name, value in wanted.items() if value is not None}
        except (ValueError, IndexError, OverflowError, struct.error, sqlite3.Error) as error:
            raise self._broken(str(error)) from None

    def _broken(self, reason: str) -> RadarError:
        return UnreadableScheduleError(
            f"the schedule {self.text!r} is truncated, corrupt or none: {reason}",
            "Beat makes a new one if it can't read it either",
        )

    def _stored(self, name: str, entry: Any, zone: tzinfo) -> Stored:
        arguments = entry.arguments if isinstance(entry, Inert) else ()
        if not isinstance(entry, Inert) or len(arguments) < 8:
            return Stored(name, fault="it is no entry of a class that radar knows")
        _, task, last_run_at, count, schedule, *_, options = arguments[:8]
        if isinstance(last_run_at, datetime) and last_run_at.tzinfo is None:
            last_run_at = last_run_at.replace(tzinfo=UTC)  # as Celery reads it
        queue = options.get("queue") if isinstance(options, dict) else None
        try:
            timing, fault = _timing(schedule, zone), ""
        except (ValueError, TypeError, IndexError, RadarError) as error:
            timing, fault = None, f"a schedule that can't be understood: {error}"
        return Stored(
            name,
            task if isinstance(task, str) else "",
            timing,
            last_run_at if isinstance(last_run_at, datetime) else None,
            count if isinstance(count, int) else 0,
            queue=queue if isinstance(queue, str) else getattr(queue, "name", ""),
            fault=fault,
        )


def _items(contents: dict[str, bytes]) -> dict[bytes, bytes]:
    for suffix in ("", ".db"):
        data = contents.get(suffix)
        if data is None:
            continue
        if data.startswith(sqlite.MAGIC):
            return sqlite.items(data, contents.get("-wal", b""))
        if data.startswith(gdbm.MAGICS):
            return gdbm.items(data)
        if berkeley.is_one(data):
            return berkeley.items(data)
        raise ValueError("an empty file" if not data else "no kind of dbm file")
    if ".dir" in contents and ".dat" in contents:
        return dumb.items(contents[".dir"], contents[".dat"])
    raise ValueError("one of its files is missing")


def _zone(stored: Any, *, is_utc: bool) -> tzinfo:
    """The app's timezone, as Celery makes it of the two settings."""
    if isinstance(stored, tzinfo):
        return stored
    if isinstance(stored, str) and stored:
        try:
            return load_timezone(stored)
        except RadarError:
            return UTC
    return UTC if is_utc else datetime.now(UTC).astimezone().tzinfo or UTC


def _timing(schedule: Any, zone: tzinfo) -> Timing:
    if isinstance(schedule, timedelta):
        return Interval(schedule)
    if isinstance(schedule, (int, float)):
        return Interval(timedelta(seconds=schedule))
    if not isinstance(schedule, Inert):
        raise ValueError(f"a {type(schedule).__name__}")
    arguments = schedule.arguments
    if schedule.kind == "interval":
        every = arguments[0]
        if not isinstance(every, timedelta):
            every = timedelta(seconds=every)
        return Interval(every, bool(arguments[1:] and arguments[1]), zone)
    if schedule.kind == "crontab":
        own = arguments[5] if len(arguments) > 5 else None
        minute, hour, weekday, day, month = arguments[:5]
        own_zone = own if isinstance(own, tzinfo) else zone
        return Crontab.read(minute, hour, weekday, day, month, own_zone)
    if schedule.kind == "solar":
        event, latitude, longitude = arguments[:3]
        return Solar(str(event), float(latitude), float(longitude))
    if schedule.kind == "clocked" and isinstance(arguments[0], datetime):
        return Clocked(arguments[0].astimezone(UTC))
    return Foreign(schedule.kind)
