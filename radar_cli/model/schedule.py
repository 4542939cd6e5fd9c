"""When a job should run: cron expressions as Vixie cron reads them, in any timezone.

A job at a fixed time that falls into the hour which a clock change skips runs right after the
change, and one in the hour which is repeated runs once; a job whose minute or hour begins with
`*` runs by the real clock (cron(8), "Daylight Saving Time and other time changes").
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

from radar_cli.core.cron import find_fault
from radar_cli.core.errors import UsageError

# In these years each day of the year falls on each weekday, February 29 too.
_CALENDAR = (date(2000, 1, 1), date(2027, 12, 31))
_FIRST_DAY, _LAST_DAY = date(1971, 1, 1), date(9998, 12, 31)
_ONE_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SCHEDULES_KEPT = 4096
_KNOWN_SLOTS = 4
# Days of the week and of the month, and a February of 29 days.
_A_MONDAY, _DAYS_OF_PATTERN = date(2024, 1, 1), 400


class BadScheduleError(UsageError):
    """A cron expression or a timezone that can't be understood."""

    slug = "bad-schedule"


class CronSchedule:
    """A cron expression of 5 fields (or `@daily` and the like) in a timezone.

    BadScheduleError: one of them can't be understood.
    """

    def __init__(self, expression: str, tz: str = "UTC") -> None:
        self.expression = " ".join(expression.split())
        if fault := find_fault(self.expression):
            raise BadScheduleError(
                f"bad schedule {self.expression[:60]!r}: {fault}", "five fields, as in '5 2 * * *'"
            )
        self.tz = load_timezone(tz)
        # croniter knows the names, ranges and steps; the calendar and the clock are ours.
        minutes, hours, days, months, weekdays = croniter.expand(_plain(self.expression.lower()))[0]
        self.minutes = _numbers(minutes, range(60))
        self.hours = _numbers(hours, range(24))
        self.days = _numbers(days, range(1, 32))
        self.months = _numbers(months, range(1, 13))
        self.weekdays = _numbers(weekdays, range(7))
        # No slot is between the first of two moments and the second, which is one.
        self._known_us: tuple[tuple[int, int], ...] = ()
        # The slots of days on which the clocks change, since they take long to find.
        self._changes: dict[date, list[datetime]] = {}
        self._day_minutes = [60 * hour + minute for hour in self.hours for minute in self.minutes]
        words = self.expression.split()
        is_alias = len(words) == 1
        self.runs_by_real_clock = (
            words[0].lower() == "@hourly"
            if is_alias
            else words[0].startswith("*") or words[1].startswith("*")
        )
        # With a star in either, both must match; else one of them is enough (crontab(5)).
        self.needs_both = is_alias or words[2].startswith("*") or words[4].startswith("*")

    @cached_property
    def has_slots(self) -> bool:
        """Whether it matches at all, as February 30 never does."""
        return any(self.is_day(day) for day in _days_between(*_CALENDAR))

    @cached_property
    def shortest_gap_s(self) -> float:
        """The shortest time from one slot to the next, on days without a clock change."""
        minutes = self._day_minutes
        shortest = min((later - earlier for earlier, later in pairwise(minutes)), default=None)
        overnight = minutes[0] + 1440 - minutes[-1]
        if shortest is None or overnight < shortest:
            days = [_A_MONDAY + _ONE_DAY * number for number in range(_DAYS_OF_PATTERN)]
            if any(self.is_day(one) and self.is_day(next_) for one, next_ in pairwise(days)):
                shortest = overnight
        return 60.0 * (2 * 1440 if shortest is None else shortest)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first slot after an aware `moment`, in UTC; None if there never is one."""
        return next(self.slots_after(moment), None)

    def next_us(self, time_us: int) -> int | None:
        """The same in Unix time in microseconds, and remembered: most ask about now."""
        for begin_us, slot_us in self._known_us:
            if begin_us <= time_us < slot_us:
                return slot_us
        slot = self.next_after(_EPOCH + timedelta(microseconds=time_us))
        if slot is None:
            return None
        slot_us = (slot - _EPOCH) // _MICROSECOND
        # A new tuple, since other threads may be reading the old one.
        self._known_us = ((time_us, slot_us), *self._known_us[: _KNOWN_SLOTS - 1])
        return slot_us

    def slots_after(self, moment: datetime) -> Iterator[datetime]:
        """The slots after an aware `moment`, in UTC; none if the expression never matches."""
        last = moment.astimezone(UTC)
        begin = moment.astimezone(self.tz).date() - _ONE_DAY
        for day in _days_between(begin, _LAST_DAY) if self.has_slots else ():
            for slot in self._slots_of(day, last):
                # Slots that a clock change moves together are one.
                if slot > last:
                    last = slot
                    yield slot

    def last_before(self, moment: datetime) -> datetime | None:
        """The last slot at or before an aware `moment`, in UTC; None if there is none."""
        moment = moment.astimezone(UTC)
        day = moment.astimezone(self.tz).date() + _ONE_DAY
        while self.has_slots and day >= _FIRST_DAY:
            if slots := [slot for slot in self._slots_of(day) if slot <= moment]:
                return slots[-1]
            day -= _ONE_DAY
        return None

    def is_day(self, day: date) -> bool:
        """Whether the schedule has slots on a local day."""
        is_day = day.day in self.days
        is_weekday = day.isoweekday() % 7 in self.weekdays
        fits = is_day and is_weekday if self.needs_both else is_day or is_weekday
        return fits and day.month in self.months

    def _slots_of(self, day: date, after: datetime = _EPOCH) -> Iterator[datetime]:
        """The slots of a local day after a moment, in order, a skipped one where it is made up for.

        In UTC, and near a clock change perhaps some that are before.
        """
        if not self.is_day(day):
            return
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.tz)
        if midnight.utcoffset() != _offset(day + _ONE_DAY, self.tz):
            if day not in self._changes:
                self._changes[day] = sorted(self._slots_of_change(day))
            yield from self._changes[day]
            return
        begin = midnight.astimezone(UTC)
        first = bisect_right(self._day_minutes, (after - begin) // _MINUTE)
        for minute in self._day_minutes[first:]:
            yield begin + _MINUTE * minute

    def _slots_of_change(self, day: date) -> set[datetime]:
        slots = set()
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.tz)
                if is_skipped(local):
                    if not self.runs_by_real_clock:
                        slots.add(after_gap(local))
                    continue
                slots.add(local.astimezone(UTC))
                if self.runs_by_real_clock:
                    slots.add(local.replace(fold=1).astimezone(UTC))
        return slots


@lru_cache(_SCHEDULES_KEPT)
def load_schedule(expression: str, tz: str) -> CronSchedule:
    """The schedule of an expression, of which many monitors may have the same.

    BadScheduleError: it can't be understood.
    """
    return CronSchedule(expression, tz)


def _plain(expression: str) -> str:
    """The expression without ranges of one (`12-12`), which croniter takes for all."""

    def plain_item(item: str) -> str:
        first, dash, last = item.partition("/")[0].partition("-")
        return first if dash and first == last else item

    return " ".join(
        ",".join(plain_item(item) for item in field.split(",")) for field in expression.split()
    )


def load_timezone(name: str) -> ZoneInfo:
    """The IANA timezone `name`. BadScheduleError: there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise BadScheduleError(
            f"no timezone {name[:60]!r}", "use a name like Europe/London"
        ) from None


def is_skipped(local: datetime) -> bool:
    """Whether the clocks of its timezone never show this local time."""
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) != local.replace(tzinfo=None)


def is_repeated(local: datetime) -> bool:
    """Whether the clocks of its timezone show this local time twice."""
    other = local.replace(fold=1 - local.fold)
    return not is_skipped(local) and local.utcoffset() != other.utcoffset()


def after_gap(local: datetime) -> datetime:
    """The first moment after the gap that a skipped local time falls into, in UTC."""
    local = local.replace(second=0, microsecond=0)
    while is_skipped(local):
        local += _MINUTE
    return local.astimezone(UTC)


def _days_between(first: date, last: date) -> Iterator[date]:
    """All days from the first to the last one."""
    while first <= last:
        yield first
        first += _ONE_DAY


def _offset(day: date, tz: ZoneInfo) -> timedelta | None:
    return datetime(day.year, day.month, day.day, tzinfo=tz).utcoffset()


def _numbers(expanded: list[int | str], everything: range) -> list[int]:
    if "*" in expanded:
        return list(everything)
    return sorted({int(number) for number in expanded})
