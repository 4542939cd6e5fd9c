"""Beat's schedule objects as radar declares them: cron where that is the same, else an interval."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Iterable

from radar_cli.celery.schedule.crontab import Crontab, zone_name
from radar_cli.celery.schedule.timing import Clocked, Interval, Solar, Timing
from radar_cli.core.grammar import format_duration, format_seconds
from radar_cli.core.zone import is_zone

_DUE_TIMES = 60  # whose longest gap stands for that of all
_SHORTEST_S = 1.0


@dataclass(frozen=True)
class Declared:
    """An entry's monitor: the fields that declare it, and the longest time between two runs.

    `note` says what it is watched by instead of its schedule, or why it isn't watched.
    """

    fields: dict[str, str]
    gap_s: float = 0.0
    note: str = ""

    @property
    def is_watched(self) -> bool:
        """Whether anything is expected of it."""
        return bool(self.fields)


_BY_THE_SUN = Declared(
    {"every": "86400", "gracePeriod": "7200"},
    86_400.0 + 7200.0,
    "by the sun, so it is watched as once a day, with 2 hours of grace",
)
_ONCE = Declared({}, note="due once, so it isn't watched")


def declare_entry(entry: Any) -> Declared:
    """Return what declares an entry of Beat's: its schedule, unless that holds but once."""
    if getattr(getattr(entry, "model", None), "one_off", False):
        return _ONCE
    return declare_schedule(entry.schedule)


def declare_schedule(schedule: Any) -> Declared:
    """Return what declares a schedule of Celery's."""
    kind = type(schedule).__name__
    if all(hasattr(schedule, name) for name in ("day_of_week", "day_of_month", "month_of_year")):
        return _declare_crontab(schedule)
    if hasattr(schedule, "lat") and hasattr(schedule, "event"):
        return _BY_THE_SUN
    if hasattr(schedule, "clocked_time"):
        return _ONCE
    every = getattr(schedule, "run_every", schedule)
    seconds = every.total_seconds() if hasattr(every, "total_seconds") else every
    if isinstance(seconds, (int, float)) and seconds > 0:
        seconds = max(float(seconds), _SHORTEST_S)
        return Declared({"every": format_seconds(seconds)}, seconds)
    return Declared({}, note=f"of a kind that radar doesn't know ({kind}), so it isn't watched")


def _declare_crontab(schedule: Any) -> Declared:
    crontab = Crontab.read(
        schedule.minute,
        schedule.hour,
        schedule.day_of_week,
        schedule.day_of_month,
        schedule.month_of_year,
        schedule.tz,
    )
    return declare_timing(crontab)


def declare_timing(timing: Timing | None) -> Declared:
    """Return what declares a schedule that radar itself has read."""
    if isinstance(timing, Interval):
        return declare_schedule(timing.every)
    if isinstance(timing, Solar):
        return _BY_THE_SUN
    if isinstance(timing, Clocked):
        return _ONCE
    if not isinstance(timing, Crontab):
        return Declared({}, note="of a kind that radar doesn't know, so it isn't watched")
    crontab = timing
    gap_s = _longest_gap_s(crontab)
    if gap_s is None:
        return Declared({}, note="never due, so it isn't watched")
    zone = zone_name(crontab.tz)
    if not is_zone(zone):
        why = f"by a clock that has no name ({zone})"
    elif len(crontab.days) < 31 and len(crontab.weekdays) < 7:
        why = "on days that match both the month's and the week's, which cron can't say"
    else:
        return Declared({"schedule": crontab.expression, "tz": zone}, gap_s)
    note = f"{why}, so it is watched by its longest gap, {format_duration(gap_s)}"
    return Declared({"every": format_seconds(gap_s)}, gap_s, note)


def _longest_gap_s(crontab: Crontab) -> float | None:
    """The longest time between its next runs; None: there are none."""
    moments = list(_next_runs(crontab, datetime.now(UTC)))
    if not moments:
        return None
    if len(moments) == 1:
        return 366 * 86_400.0
    pairs = itertools.pairwise(moments)
    return max((after - before).total_seconds() for before, after in pairs)


def _next_runs(crontab: Crontab, moment: datetime) -> Iterable[datetime]:
    for _ in range(_DUE_TIMES):
        due = crontab.due_after(moment)
        if due is None:
            return
        yield due
        moment = due
