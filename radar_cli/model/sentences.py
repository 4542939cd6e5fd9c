"""A monitor and its runs in short words for people."""

import re
import signal
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Sequence

from radar_cli.core.cron import ALIASES
from radar_cli.core.grammar import format_duration
from radar_cli.core.text import last_line
from radar_cli.model.monitor import Monitor
from radar_cli.model.run import Origin, Run
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.state import Reason, Status, View


def describe_status(monitor: Monitor, view: View, now_us: int) -> str:
    """`down (missed)`, `up, running`, `paused until 2026-11-23 17:00:00 UTC`."""
    message = str(view.status) + (f" ({view.reason})" if view.reason else "")
    pause = monitor.pause_at(now_us)
    if view.status == Status.PAUSED and pause is not None and pause.end_us is not None:
        message += f" until {local_time(pause.end_us)}"
    return message + (", running" if view.is_running else "")


def describe_next(monitor: Monitor, expected_us: int | None) -> str:
    """When the next run is due: in the monitor's timezone, and here if that is another time."""
    if expected_us is None:
        return ""
    here = local_time(expected_us)
    if monitor.schedule is None:
        return here
    there = local_time(expected_us, monitor.schedule.tz)
    is_same = there.split()[:2] == here.split()[:2]
    return there if is_same else f"{there}, here {here}"


def local_time(time_us: int, zone: tzinfo | None = None) -> str:
    """A time for people, with its zone; that of this machine if none is given."""
    moment = datetime.fromtimestamp(time_us / 1e6).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def what_happened(view: View, last: Run | None, limit: int = 80) -> str:
    """In a line: what was expected, and what came instead; what was said is cut at `limit`."""
    if view.status == Status.LATE or view.reason == Reason.MISSED:
        return "no run since it was due"
    if view.reason == Reason.HUNG:
        return "a run began and didn't end"
    return "" if last is None else last_words(last, limit)


def last_words(run: Run, limit: int = 80) -> str:
    """Format how a run ended and its last line of output, in one line."""
    how = f"signal {run.signal}" if run.signal else f"exit {run.exit_code}"
    if run.signal is None and run.exit_code is None:
        how = run.outcome  # whoever says it by curl has no exit code
    output = run.output.decode("utf-8", "replace")
    said = run.reason or last_line_of(output, limit) or last_line_of(run.message, limit)
    return how + (f": {said}" if said else "")


def last_line_of(text: str, limit: int = 80) -> str:
    """The last line of a text that isn't empty, cut."""
    return last_line(text.expandtabs())[:limit]


def how_it_went(run: Run) -> str:
    """In words: `success in 3 s`, `fail (exit 3) in 3 s`."""
    words = run.outcome
    if run.outcome == "fail" and (why := run.reason or describe_exit(run)):
        words += f" ({why if not why.isdigit() else f'exit {why}'})"
    return words + (f" in {format_duration(run.duration_s)}" if run.duration_s is not None else "")


def describe_exit(run: Run) -> str:
    """The exit code, or the signal by its name."""
    if run.signal is None:
        return "" if run.exit_code is None else str(run.exit_code)
    try:
        return signal.Signals(run.signal).name
    except ValueError:
        return f"signal {run.signal}"


UNREAD = "output not read (a terminal)"


def format_size(count: int) -> str:
    """Bytes for people, in powers of 1000."""
    for factor, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} B"


def describe_origin(origin: Origin | None) -> str:
    """From where a ping came: the address, and the first word of the agent (`curl/8.5.0`)."""
    if origin is None:
        return ""
    return " ".join([origin.address, *origin.agent.split()[:1]]).strip()


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
# More times of day than that are told as minutes and hours.
_TIMES_LISTED = 6


def describe_schedule(monitor: Monitor) -> str:
    """Return when it is expected: `at 02:05 every day, by the clock of UTC`, or `every 6 h`."""
    if monitor.schedule is not None:
        return f"{explain(monitor.schedule)}, by the clock of {monitor.schedule.tz.key}"
    if monitor.every_s is not None:
        return f"every {format_duration(monitor.every_s)}"
    return "no schedule: its failures are noticed, its silence isn't"


def explain(schedule: CronSchedule) -> str:
    """Return when the schedule runs, as `at 02:05 on Monday to Friday`."""
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
    return f"{_describe_minutes(minute, minutes)} in the hours {_ranges(hours, '{:02d}')}"


def _describe_minutes(field: str, minutes: Sequence[int]) -> str:
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


# What ends a sentence, or closes a bracket, behind a link isn't part of it.
_LINK = re.compile(r"https?://[!-~]*[A-Za-z0-9/#=&_~+%$*@-]")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line: a link, or what stands between two."""

    text: str
    is_link: bool = False


def find_links(text: str) -> list[list[Part]]:
    """Return the lines of a text, each in pieces: `https://` and `http://` begin a link."""
    return [_split(line) for line in text.splitlines()]


def _split(line: str) -> list[Part]:
    parts, at = [], 0
    for match in _LINK.finditer(line):
        parts += [Part(line[at : match.start()]), Part(match[0], is_link=True)]
        at = match.end()
    return [part for part in (*parts, Part(line[at:])) if part.text]
