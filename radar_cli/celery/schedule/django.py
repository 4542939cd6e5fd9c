"""The tables of django-celery-beat, in SQLite or PostgreSQL, read without Django."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from radar_cli.celery.addresses import without_password
from radar_cli.celery.schedule.crontab import Crontab
from radar_cli.celery.schedule.due import Stored, judge_stored
from radar_cli.celery.schedule.entry import Beat, Entry, UnreadableScheduleError
from radar_cli.celery.schedule.timing import Clocked, Interval, Solar, Timing
from radar_cli.core.errors import NotInstalledError, RadarError
from radar_cli.model.schedule import load_timezone

# The scheduler saves what it did every 180 s, or when it wakes, after 300 s at the most.
LAG_S = 480.0
_KINDS = ("interval", "crontab", "solar", "clocked")
_HOW = "the newest attempt in its tables"
_TIMEOUT_S = 3

Row = Mapping[str, Any]


class DjangoTables:
    """The tables in the database at a path or at a URL of PostgreSQL."""

    def __init__(self, place: str) -> None:
        self._place = place
        self.text = f"django:{without_password(place) if '://' in place else place}"
        self._kept: list[Stored] | None = None

    def entries(self, now: datetime) -> list[Entry]:
        """All entries, disabled ones included, by name. UnreadableScheduleError."""
        found = self._read(now)
        as_of = _newest(found) or now
        return [
            judge_stored(each, now, as_of=as_of, lag_s=LAG_S, source=self.text) for each in found
        ]

    def beats(self, now: datetime) -> list[Beat]:
        """The scheduler, by what it did last: the next is not expected before an entry is due."""
        found = self._read(now)
        name, seen_at = f"the Beat of {self.text}", _newest(found)
        if seen_at is None:
            return [Beat(name, None, LAG_S, _HOW, "no entry ever ran")]
        judged = [
            judge_stored(each, now, as_of=now, lag_s=LAG_S, source=self.text) for each in found
        ]
        due = [each.next_due for each in judged if each.enabled and each.next_due is not None]
        if not due:
            return [Beat(name, seen_at, float("inf"), _HOW)]
        pause_s = max(0.0, (min(due) - seen_at).total_seconds())
        return [Beat(name, seen_at, LAG_S + pause_s, _HOW)]

    def _read(self, now: datetime) -> list[Stored]:
        if self._kept is None:
            with self._open() as query:
                tasks = query("periodictask")
                schedules = {
                    kind: {row["id"]: row for row in query(f"{kind}schedule")} for kind in _KINDS
                }
            found = [_stored(task, schedules, now) for task in tasks]
            self._kept = sorted(found, key=lambda each: each.name)
        return self._kept

    @contextlib.contextmanager
    def _open(self) -> Iterator[Any]:
        """A function that returns all rows of one of the tables."""
        try:
            if self._place.startswith(("postgres://", "postgresql://")):
                with _open_postgresql(self._place) as cursor:
                    yield lambda table: _rows(cursor, table)
            else:
                uri = f"{Path(self._place).absolute().as_uri()}?mode=ro"
                opened = sqlite3.connect(uri, uri=True, timeout=_TIMEOUT_S)
                with contextlib.closing(opened) as database:
                    yield lambda table: _rows(database.cursor(), table)
        except RadarError:
            raise
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise UnreadableScheduleError(
                f"can't read the schedule {self.text!r}: {reason}",
                "the database that has django_celery_beat_periodictask",
            ) from error


@contextlib.contextmanager
def _open_postgresql(url: str) -> Iterator[Any]:
    try:
        import psycopg
    except ModuleNotFoundError:
        raise NotInstalledError("that schedule needs psycopg", "pip install psycopg") from None
    options = f"-c default_transaction_read_only=on -c statement_timeout={_TIMEOUT_S}s"
    with (
        psycopg.connect(url, connect_timeout=_TIMEOUT_S, options=options) as database,
        database.cursor() as cursor,
    ):
        yield cursor


def _rows(cursor: Any, table: str) -> list[Row]:
    # Which columns there are depends on the version.
    cursor.execute(f"SELECT * FROM django_celery_beat_{table}")  # noqa: S608  (one of five)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _newest(found: list[Stored]) -> datetime | None:
    ran = [each.last_run_at for each in found if each.total_run_count and each.last_run_at]
    return max(ran, default=None)


def _stored(task: Row, schedules: Mapping[str, Mapping[Any, Row]], now: datetime) -> Stored:
    last, start = _moment(task.get("last_run_at")), _moment(task.get("start_time"))
    expires, count = _moment(task.get("expires")), int(task.get("total_run_count") or 0)
    # An entry that never ran counts from its last change (schedulers.py, ModelEntry).
    since = last or _moment(task.get("date_changed")) or now
    if last is None and start is not None:
        since = start - timedelta(days=365 * 30)
    timing: Timing | None = None
    fault = ""
    try:
        timing = _timing(task, schedules)
    except (ValueError, TypeError, KeyError, RadarError) as error:
        fault = f"a schedule that can't be understood: {error}"
    is_one_off = bool(task.get("one_off"))
    is_over = (is_one_off and count > 0) or (expires is not None and expires <= now)
    return Stored(
        str(task["name"]),
        str(task["task"]),
        timing,
        since,
        count,
        enabled=bool(task["enabled"]),
        queue=str(task.get("queue") or ""),
        fault=fault,
        due=timing.at if isinstance(timing, Clocked) else None,
        not_before=start,
        is_over=is_over,
    )


def _timing(task: Row, schedules: Mapping[str, Mapping[Any, Row]]) -> Timing:
    for kind in _KINDS:
        key = task.get(f"{kind}_id")
        if key is None:
            continue
        row = schedules[kind][key]
        if kind == "interval":
            return Interval(timedelta(**{str(row["period"]): int(row["every"])}))
        if kind == "crontab":
            zone = load_timezone(str(row.get("timezone") or "UTC"))
            fields = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
            minute, hour, weekday, day, month = (str(row[f]).replace(" ", "") for f in fields)
            return Crontab.read(minute, hour, weekday, day, month, zone)
        if kind == "solar":
            return Solar(str(row["event"]), float(row["latitude"]), float(row["longitude"]))
        at = _moment(row["clocked_time"])
        if at is not None:
            return Clocked(at)
    raise ValueError("it has none")


def _moment(value: Any) -> datetime | None:
    """A moment as the database has it: SQLite keeps UTC as text."""
    if isinstance(value, str) and value:
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
