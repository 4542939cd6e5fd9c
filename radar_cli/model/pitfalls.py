"""Pitfalls: surprises that a schedule holds for its owner in the coming year."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Iterator, Mapping, Sequence

from radar_cli.core.grammar import format_duration
from radar_cli.model.fault import BAD, Fault, doubt
from radar_cli.model.monitor import Monitor
from radar_cli.model.schedule import (
    BadScheduleError,
    CronSchedule,
    after_gap,
    is_repeated,
    is_skipped,
    load_timezone,
)

_DAYS_AHEAD = 366
NEVER = "it never matches any date"
_HIDING = (
    "some of its runs are {} apart, within its grace of {}: a single missed run goes unnoticed"
)


def find_faults(
    monitor: Monitor, declared: Mapping[str, str], rivals: str, now_us: int
) -> list[Fault]:
    """Return what of a declaration can't be used, or is likely not what is meant.

    `rivals` are the hosts that serve the same slots, apart by spaces.
    """
    found = [replace(fault, is_refused=False) for fault in monitor.faults]
    schedule = monitor.schedule
    if schedule is not None and schedule.next_us(now_us) is None:
        found.append(doubt("schedule", schedule.expression, NEVER, kind=BAD))
    elif hiding := _find_hiding_grace(monitor):
        found.append(doubt("gracePeriod", f"{monitor.grace_s:g}", hiding))
    zone = declared.get("zone", "")
    if schedule is not None and zone and _differ(schedule.tz.key, zone, now_us):
        message = (
            f"it is declared by the clock of {schedule.tz.key}, and its host runs it by {zone}"
        )
        found.append(doubt("tz", zone, message))
    cron_tz = declared.get("cron_tz", "")
    if schedule is not None and cron_tz and _differ(zone or schedule.tz.key, cron_tz, now_us):
        message = (
            f"its crontab says CRON_TZ={cron_tz}, which that cron doesn't know: it runs by"
            f" {zone or schedule.tz.key}"
        )
        found.append(doubt("tz", f"CRON_TZ={cron_tz}", message))
    if rivals and not monitor.hosts:
        names = rivals.split()
        message = (
            f"{', '.join(names[:-1])} and {names[-1]} both run it: one that stops or fails hides"
            " behind the other (--hosts says what is meant)"
        )
        found.append(doubt("hosts", rivals, message))
    return found


def _find_hiding_grace(monitor: Monitor) -> str:
    gap_s = monitor.every_s if monitor.schedule is None else monitor.schedule.shortest_gap_s
    if gap_s is None or monitor.grace_s < gap_s:
        return ""
    return _HIDING.format(format_duration(gap_s), format_duration(monitor.grace_s))


def _differ(one: str, other: str, now_us: int) -> bool:
    """Whether the clocks of two timezones show another time in one of the next months."""
    if one == other:
        return False
    try:
        zones = load_timezone(one), load_timezone(other)
    except BadScheduleError:
        return False  # a host's zone that nobody knows tells nothing
    now = datetime.fromtimestamp(now_us / 1e6, UTC)
    moments = [now + timedelta(days=30 * month) for month in range(13)]
    return any(
        moment.astimezone(zones[0]).utcoffset() != moment.astimezone(zones[1]).utcoffset()
        for moment in moments
    )


def warn_of(monitor: Monitor, faults: Sequence[Fault], now_us: int) -> list[str]:
    """Return what is wrong with a monitor, and what its schedule may surprise with."""
    warnings = [fault.message for fault in faults]
    if monitor.schedule is not None:
        now = datetime.fromtimestamp(now_us / 1e6, UTC)
        warnings += find_pitfalls(monitor.schedule, now, grace_s=monitor.grace_s)
    return list(dict.fromkeys(warnings))


def find_pitfalls(schedule: CronSchedule, now: datetime, *, grace_s: float) -> Iterator[str]:
    """Yield a line for each surprise after the aware `now`."""
    if schedule.next_after(now) is None:
        yield NEVER
        return
    gap_s = schedule.shortest_gap_s
    if gap_s <= grace_s:
        yield _HIDING.format(format_duration(gap_s), format_duration(grace_s))
    today = now.astimezone(schedule.tz).date()
    for day in (today + timedelta(days=number) for number in range(_DAYS_AHEAD)):
        if schedule.is_day(day) and _offset(schedule, day) != _offset(
            schedule, day + timedelta(days=1)
        ):
            yield from _find_at_change(schedule, day)


def _find_at_change(schedule: CronSchedule, day: date) -> Iterator[str]:
    """Find what happens on a day on which the clocks change."""
    zone = schedule.tz.key
    skipped, repeated = [], []
    for hour in schedule.hours:
        for minute in schedule.minutes:
            local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=schedule.tz)
            if is_skipped(local):
                skipped.append(local)
            elif is_repeated(local):
                repeated.append(local)
    if skipped and not schedule.runs_by_real_clock:
        moved = after_gap(skipped[0]).astimezone(schedule.tz)
        yield (
            f"on {day} the clocks of {zone} skip {skipped[0]:%H:%M}:"
            f" it runs once at {moved:%H:%M} instead"
        )
    # By the real clock nothing is skipped or doubled, save for a job of a few hours' times.
    few_hours = len(schedule.hours) < 24
    if skipped and schedule.runs_by_real_clock and few_hours:
        yield f"on {day} the clocks of {zone} skip {skipped[0]:%H:%M}: it doesn't run then"
    if repeated and not schedule.runs_by_real_clock:
        yield (
            f"on {day} the clocks of {zone} show {repeated[0]:%H:%M} twice: it runs the first time"
        )
    if repeated and schedule.runs_by_real_clock and few_hours:
        yield f"on {day} the clocks of {zone} show {repeated[0]:%H:%M} twice: it runs both times"


def _offset(schedule: CronSchedule, day: date) -> timedelta | None:
    return datetime(day.year, day.month, day.day, tzinfo=schedule.tz).utcoffset()
