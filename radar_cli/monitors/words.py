"""A cron schedule in words."""

from typing import Sequence

from radar_cli.core.cron import ALIASES
from radar_cli.core.grammar import format_duration
from radar_cli.monitors.monitor import Monitor
from radar_cli.monitors.schedule import CronSchedule

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
# More times of day than that are told as minutes and hours.
_TIMES_LISTED = 6


def in_words(monitor: Monitor) -> str:
    """When it is expected: `at 02:05 every day, by the clock of UTC`, or `every 6 h`."""
    if monitor.schedule is not None:
        return f"{explain(monitor.schedule)}, by the clock of {monitor.schedule.tz.key}"
    if monitor.every_s is not None:
        return f"every {format_duration(monitor.every_s)}"
    return "no schedule: its failures are noticed, its silence isn't"


def explain(schedule: CronSchedule) -> str:
    """When the schedule runs, as `at 02:05 on Monday to Friday`."""
    expression = ALIASES.get(schedule.expression.lower(), schedule.expression)
    minute, hour, day, month, weekday = expression.split()
    parts = [_explain_times(schedule, minute, hour), _explain_days(schedule, day, weekday)]
    if month != "*":
        parts.append("in " + _list([_MONTHS[number - 1] for number in schedule.months]))
    return " ".join(part for part in parts if part)


def _explain_times(schedule: CronSchedule, minute: str, hour: str) -> str:
    minutes, hours = schedule.minutes, schedule.hours
    if hour == "*":
        if minute == "*":
            return "every minute"
        if minute.startswith("*/") and 60 % int(minute[2:]) == 0:
            return f"every {int(minute[2:])} minutes"
        if minutes == [0]:
            return "every hour, on the hour"
        return f"at {_minutes(minutes)} past every hour"
    if len(minutes) * len(hours) <= _TIMES_LISTED:
        return "at " + _list([f"{h:02d}:{m:02d}" for h in hours for m in minutes])
    if hour.startswith("*/") and 24 % int(hour[2:]) == 0 and len(minutes) == 1:
        return f"every {int(hour[2:])} hours, at {_minutes(minutes)} past,"
    return f"{_minute_words(minute, minutes)} in the hours {_ranges(hours, '{:02d}')}"


def _minute_words(field: str, minutes: Sequence[int]) -> str:
    if field == "*":
        return "every minute"
    if field.startswith("*/") and 60 % int(field[2:]) == 0:
        return f"every {int(field[2:])} minutes"
    return f"at {_minutes(minutes)} past"


def _explain_days(schedule: CronSchedule, day: str, weekday: str) -> str:
    days = "on day " + _ranges(schedule.days, "{}") + " of the month"
    names = "on " + _name_ranges(schedule.weekdays)
    if day == "*" and weekday == "*":
        # "every hour" says it already, "at 02:05" doesn't.
        return "every day" if _has_times_of_day(schedule) and len(schedule.months) == 12 else ""
    if weekday == "*":
        return days
    if day == "*":
        return names
    # crontab(5): with a star at the beginning of either, both have to match.
    return f"{days}, if that is {names}" if schedule.needs_both else f"{days}, and {names}"


def _has_times_of_day(schedule: CronSchedule) -> bool:
    return len(schedule.hours) < 24


def _minutes(minutes: Sequence[int]) -> str:
    return f"{_ranges(minutes, '{}')} minute{'' if minutes == [1] else 's'}"


def _name_ranges(weekdays: Sequence[int]) -> str:
    """`Monday to Friday`, `Sunday and Saturday`."""
    if len(weekdays) > 2 and weekdays[-1] - weekdays[0] == len(weekdays) - 1:
        return f"{_WEEKDAYS[weekdays[0]]} to {_WEEKDAYS[weekdays[-1]]}"
    return _list([_WEEKDAYS[number] for number in weekdays])


def _ranges(numbers: Sequence[int], form: str) -> str:
    """`1, 5 and 10 to 14`."""
    words = []
    start = 0
    for index, number in enumerate(numbers):
        if index + 1 < len(numbers) and numbers[index + 1] == number + 1:
            continue
        if index - start >= 2:
            words.append(f"{form.format(numbers[start])} to {form.format(number)}")
        else:
            words += [form.format(each) for each in numbers[start : index + 1]]
        start = index + 1
    return _list(words)


def _list(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]
