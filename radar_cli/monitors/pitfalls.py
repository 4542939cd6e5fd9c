"""What a schedule may surprise its owner with in the coming year."""

from datetime import UTC, date, datetime, timedelta
from typing import Iterator

from radar_cli.core.grammar import format_duration
from radar_cli.monitors.monitor import Monitor
from radar_cli.monitors.schedule import CronSchedule, after_gap, is_repeated, is_skipped

_DAYS_AHEAD = 366
_SLOTS_LOOKED_AT = 200


def warn_of(monitor: Monitor, now_us: int) -> list[str]:
    """What can't be used of what is declared, and what its schedule may surprise with."""
    warnings = list(monitor.faults)
    if monitor.schedule is not None:
        now = datetime.fromtimestamp(now_us / 1e6, UTC)
        warnings += find_pitfalls(monitor.schedule, now, grace_s=monitor.grace_s)
    return warnings


def find_pitfalls(schedule: CronSchedule, now: datetime, *, grace_s: float) -> Iterator[str]:
    """Yield a line for each surprise after the aware `now`."""
    slots = schedule.slots_after(now)
    first = next(slots, None)
    if first is None:
        yield "it never matches any date"
        return
    last, gap_s = first, float("inf")
    for _ in range(_SLOTS_LOOKED_AT):
        slot = next(slots, None)
        if slot is None:
            break
        gap_s = min(gap_s, (slot - last).total_seconds())
        last = slot
    if gap_s <= grace_s:
        yield (
            f"some of its runs are {format_duration(gap_s)} apart, within its grace of"
            f" {format_duration(grace_s)}: a single missed run goes unnoticed"
        )
    today = now.astimezone(schedule.tz).date()
    for day in (today + timedelta(days=number) for number in range(_DAYS_AHEAD)):
        if schedule.is_day(day) and _offset(schedule, day) != _offset(
            schedule, day + timedelta(days=1)
        ):
            yield from _find_at_change(schedule, day)


def _find_at_change(schedule: CronSchedule, day: date) -> Iterator[str]:
    """What happens on a day on which the clocks change."""
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
