"""When an entry is due, evaluated as Celery does it, without Celery where that is possible."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from radar_cli.celery.schedule.crontab import zone_name
from radar_cli.core.grammar import format_duration


class Timing(Protocol):
    """A schedule of Celery's. A Crontab is one, too."""

    @property
    def words(self) -> str:
        """Return when it is due, for people."""

    def due_after(self, moment: datetime) -> datetime | None:
        """When it is next due if it last ran at an aware `moment`; None: never, or unknown."""


@dataclass(frozen=True)
class Interval:
    """Every so many seconds; `relative` rounds down to the unit on the wall's clock."""

    every: timedelta
    relative: bool = False
    tz: tzinfo = UTC

    @property
    def words(self) -> str:
        """As `every 30 s`."""
        words = f"every {format_duration(max(0.0, self.every.total_seconds()))}"
        return f"{words}, by the clock of {zone_name(self.tz)}" if self.relative else words

    def due_after(self, moment: datetime) -> datetime | None:
        """The interval after `moment`, in UTC."""
        try:
            if not self.relative:
                return moment.astimezone(UTC) + self.every
            return self._rounded(moment)
        except OverflowError:
            return None

    def _rounded(self, moment: datetime) -> datetime:
        local = moment.astimezone(self.tz)
        if self.every >= timedelta(days=1):
            # Whole days are counted on the calendar, however long a clock change makes one.
            end = local + self.every
            rounded = end.replace(hour=0, minute=0, second=0, microsecond=0)
        else:
            end = (moment.astimezone(UTC) + self.every).astimezone(self.tz)
            rounded = end.replace(microsecond=0)
            if self.every >= timedelta(minutes=1):
                rounded = rounded.replace(second=0)
            if self.every >= timedelta(hours=1):
                rounded = rounded.replace(minute=0)
        return rounded.astimezone(UTC)


@dataclass(frozen=True)
class Clocked:
    """Once, at a given moment."""

    at: datetime

    @property
    def words(self) -> str:
        """As `once, at 2026-01-31 02:00 UTC`."""
        return f"once, at {self.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

    def due_after(self, moment: datetime) -> datetime | None:
        """That moment, until it ran."""
        return self.at.astimezone(UTC) if moment < self.at else None


@dataclass(frozen=True)
class Solar:
    """By the sun. Only Celery with `ephem` can evaluate it, if they are installed here."""

    event: str
    latitude: float
    longitude: float

    @property
    def words(self) -> str:
        """As `at sunset at 51.5, -0.1`."""
        event = self.event.replace("_", " ")
        return f"at {event} at {self.latitude:g}, {self.longitude:g}"

    def due_after(self, moment: datetime) -> datetime | None:
        """The event after `moment`; UnknowableError: it can't be calculated here."""
        try:
            from celery.schedules import solar

            event = solar(self.event, self.latitude, self.longitude, nowfun=lambda: moment)
            remaining: timedelta = event.remaining_estimate(moment)
            return moment.astimezone(UTC) + remaining
        except Exception as error:  # noqa: BLE001  (astronomy of another's making)
            raise UnknowableError(f"needs celery and ephem here: {error}") from None


@dataclass(frozen=True)
class Foreign:
    """A schedule of a class that radar doesn't know and never loads."""

    kind: str

    @property
    def words(self) -> str:
        """As `by shop.schedules.BusinessHours`."""
        return f"by {self.kind}"

    def due_after(self, moment: datetime) -> datetime | None:
        """UnknowableError, always."""
        raise UnknowableError(f"only Beat can evaluate {self.kind}, from {moment:%Y-%m-%d}")


class UnknowableError(Exception):
    """When it is due can't be told here, and why."""
