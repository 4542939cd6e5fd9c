"""Celery's crontab: its grammar, and when it is due.

It is not cron's: all fields must match (cron takes either day), ranges may wrap around
(`fri-mon`), and `*/2` of the weekdays is Sunday, Tuesday, Thursday, Saturday.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Iterable, Sequence

from radar_cli.model.schedule import CronSchedule
from radar_cli.model.sentences import explain

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = {name: number for number, name in enumerate(_WEEKDAYS)} | {
    name: number for number, name in enumerate(_MONTHS, 1)
}
# February 29 on a given weekday comes back after 28 years, or 40 around a century.
_SEARCH_DAYS = 366 * 41
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Crontab:
    """A crontab of Celery's in a timezone. `read` makes one from its fields."""

    minutes: Sequence[int]
    hours: Sequence[int]
    weekdays: Sequence[int]
    days: Sequence[int]
    months: Sequence[int]
    tz: tzinfo

    @classmethod
    def read(
        cls, minute: Any, hour: Any, weekday: Any, day: Any, month: Any, tz: tzinfo
    ) -> "Crontab":
        """In the order of Celery's arguments. ValueError: a field that Celery refuses, too."""
        return cls(
            numbers(minute, 0, 59),
            numbers(hour, 0, 23),
            numbers(weekday, 0, 6),
            numbers(day, 1, 31),
            numbers(month, 1, 12),
            tz,
        )

    @property
    def words(self) -> str:
        """As `at 02:05 on Monday to Friday, by the clock of Europe/London`."""
        schedule = CronSchedule(self.expression)
        schedule.needs_both = True
        return f"{explain(schedule)}, by the clock of {zone_name(self.tz)}"

    @property
    def expression(self) -> str:
        """The fields as cron writes them, which takes either day where Celery wants both."""
        fields = (
            _field(self.minutes, 0, 59),
            _field(self.hours, 0, 23),
            _field(self.days, 1, 31),
            _field(self.months, 1, 12),
            _field(self.weekdays, 0, 6),
        )
        return " ".join(fields)

    def due_after(self, moment: datetime) -> datetime | None:
        """The first time after an aware `moment`, in UTC; None if there never is one.

        By the clock on the wall, as Celery does it: after the minute that the clock shows. A
        time that a clock change skips comes as much later as the clock was put on.
        """
        local = moment.astimezone(self.tz)
        for day in self._days_from(local.date()):
            for hour in self.hours:
                for minute in self.minutes:
                    if day == local.date() and (hour, minute) <= (local.hour, local.minute):
                        continue
                    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.tz)
                    due = wall.astimezone(UTC)
                    # The second time that the clock shows an hour, the first is no answer.
                    return due if due > moment else wall.replace(fold=1).astimezone(UTC)
        return None

    def _days_from(self, day: date) -> Iterable[date]:
        for _ in range(_SEARCH_DAYS):
            is_day = day.month in self.months and day.day in self.days
            if is_day and day.isoweekday() % 7 in self.weekdays:
                yield day
            if day >= date.max - _ONE_DAY:
                return
            day += _ONE_DAY


def numbers(field: Any, low: int, high: int) -> tuple[int, ...]:
    """The numbers that a field stands for, in order. ValueError: Celery takes no such field."""
    if field is None:
        field = "*"
    if isinstance(field, str):
        found = {number for part in field.split(",") for number in _part(part, low, high)}
    elif isinstance(field, int):
        found = {field}
    elif isinstance(field, Iterable):
        found = set(field)
    else:
        raise ValueError(f"no crontab field: {str(field)[:60]!r}")
    if not found or not all(isinstance(n, int) and low <= n <= high for n in found):
        raise ValueError(f"crontab field {str(field)[:60]!r} is not within {low} to {high}")
    return tuple(sorted(found))


def _part(part: str, low: int, high: int) -> Sequence[int]:
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step)):
        raise ValueError(f"bad step in crontab field {part[:60]!r}")
    if span == "*":
        found: Sequence[int] = range(low, high + 1)
    else:
        first_word, dash, last_word = span.partition("-")
        first = _number(first_word, low, high)
        last = _number(last_word, low, high) if dash else first
        if slash and not dash:
            raise ValueError(f"a step without a range in crontab field {part[:60]!r}")
        found = range(first, last + 1)
        if last < first:
            found = (*range(first, high + 1), *range(low, last + 1))
    return found[:: int(step)] if slash else found


def _number(word: str, low: int, high: int) -> int:
    number = int(word) if word.isascii() and word.isdigit() else _NAMES.get(word[:3].lower(), -1)
    if not low <= number <= high:
        raise ValueError(f"{word[:60]!r} in a crontab field is not within {low} to {high}")
    return number


def _field(found: Sequence[int], low: int, high: int) -> str:
    """The shortest way to write the numbers as cron does."""
    for step in range(1, high - low + 1):
        if tuple(found) == tuple(range(low, high + 1, step)):
            return "*" if step == 1 else f"*/{step}"
    return ",".join(map(str, found))


def zone_name(tz: tzinfo) -> str:
    """The timezone's name for people."""
    return str(getattr(tz, "key", None) or tz)
