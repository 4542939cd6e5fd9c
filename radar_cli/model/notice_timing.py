"""When notices are sent: all that is a matter of time, without I/O. Times are Unix time in µs.

What goes down together is told together; what goes down and up and down again once it settles;
what stays down ever more rarely; and nothing but what can't wait in somebody's quiet hours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Collection, Sequence

from radar_cli.core.errors import UsageError
from radar_cli.model.schedule import load_schedule, load_timezone

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_WEEK_MINUTES = 7 * 24 * 60

# What goes down within this time of the first is told with it.
GATHERED_US = 2 * SECOND
# Between notices that follow each other closely: 5 s, 10 s, 20 s, 40 s, and then a minute.
_FIRST_GAP_US = 5 * SECOND
_LONGEST_GAP_US = MINUTE
_CALM_US = 10 * MINUTE

# So many changes in this time before another one are flapping, which ends when none comes for a
# while. Who flaps for hours is told of now and then all the same.
FLAPS = 4
FLAPS_WITHIN_US = 30 * MINUTE
SETTLED_AFTER_US = 10 * MINUTE
_HELD_AT_MOST_US = 6 * HOUR

# After a first notice, from one to the next; the last goes on.
REMIND_AFTER_US = (HOUR, 4 * HOUR, DAY)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def may_send_us(first_us: int, sent_us: int, burst: int) -> int:
    """Return when what waits since `first_us` may be told.

    The channel's last notice was made at `sent_us`, as the last of `burst` that followed closely.
    """
    gathered_us = first_us + GATHERED_US
    if not burst or first_us - sent_us > _CALM_US:
        return gathered_us
    return max(gathered_us, sent_us + min(_FIRST_GAP_US << min(burst - 1, 20), _LONGEST_GAP_US))


def count_burst(now_us: int, sent_us: int, burst: int) -> int:
    """Return of how many notices that follow closely one that is made now is the last."""
    return 1 if now_us - sent_us > _CALM_US else burst + 1


def settles_us(now_us: int, changes_us: Sequence[int], held_since_us: int | None) -> int | None:
    """Return until when a change is held back because the monitor flaps; None: it doesn't.

    `changes_us` are the times of the changes before it, `held_since_us` since when others wait.
    """
    recent = [each for each in changes_us if now_us - each <= FLAPS_WITHIN_US]
    if held_since_us is None and len(recent) < FLAPS:
        return None
    until_us = now_us + SETTLED_AFTER_US
    return until_us if held_since_us is None else min(until_us, held_since_us + _HELD_AT_MOST_US)


def remind_after_us(reminders: int, every_us: int = 0) -> int:
    """Return how long after a notice the next one comes, if there were so many reminders.

    With `every_us` it is that at first, and grows as 1 h, 4 h, 1 day do.
    """
    step = REMIND_AFTER_US[min(reminders, len(REMIND_AFTER_US) - 1)]
    return step if not every_us else max(every_us, round(step * every_us / REMIND_AFTER_US[0]))


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours and days of the week in which a channel is quiet, by the clock of a timezone."""

    spans: tuple[tuple[int, int], ...] = ()  # of minutes of the week, Monday's first; end excluded
    tz: str = "UTC"

    def end_us(self, now_us: int) -> int | None:
        """Return when the quiet of `now_us` ends; None if it isn't quiet, or is so for ever.

        Where clocks go back or forward, it ends when the clock on the wall says so.
        """
        return _find_end(self, now_us - now_us % MINUTE) if self.spans else None

    def is_quiet(self, at_us: int) -> bool:
        """Whether it is quiet in the minute of `at_us`."""
        moment = datetime.fromtimestamp(at_us // SECOND, _zone(self.tz))
        minute = (moment.weekday() * 24 + moment.hour) * 60 + moment.minute
        return any(begin <= minute < end for begin, end in self.spans)


@lru_cache(1024)  # a thousand monitors go down within a minute
def _find_end(quiet: QuietHours, minute_us: int) -> int | None:
    if not quiet.is_quiet(minute_us):
        return None
    ends_us = (minute_us + number * MINUTE for number in range(1, 8 * 24 * 60 + 120))
    return next((at_us for at_us in ends_us if not quiet.is_quiet(at_us)), None)


def read_quiet(texts: Sequence[str], tz: str) -> QuietHours:
    """Read `22:00-07:00`, `sat`, `mon-fri 18:00-08:00`; ValueError says what is wrong.

    A span that ends earlier than it begins ends on the next day.
    """
    spans: list[tuple[int, int]] = []
    for text in texts:
        words = text.lower().split()
        if not words or len(words) > 2:
            raise ValueError(f"{text[:60]!r} is no quiet time, like '22:00-07:00' or 'sat-sun'")
        days, hours = words[0], words[1] if len(words) == 2 else ""
        if days[:1].isdigit():
            if hours:
                raise ValueError(f"{text[:60]!r}: days come first, as in 'sat 08:00-12:00'")
            days, hours = "mon-sun", days
        begin, length = _read_hours(hours, text) if hours else (0, 24 * 60)
        for day in _read_days(days, text):
            start = day * 24 * 60 + begin
            spans += _within_week(start, start + length)
    if sum(end - begin for begin, end in _merge(spans)) >= _WEEK_MINUTES:
        raise ValueError("it is quiet all the time: leave the channel out")
    return QuietHours(tuple(_merge(spans)), load_timezone(tz).key if tz else "UTC")


def _read_hours(text: str, whole: str) -> tuple[int, int]:
    begin, dash, end = text.partition("-")
    try:
        first, last = _read_minute(begin), _read_minute(end)
    except ValueError:
        dash = ""
        first = last = 0
    if not dash or first == last:
        raise ValueError(f"{whole[:60]!r} is no quiet time, like '22:00-07:00' or 'sat-sun'")
    return first, last - first if last > first else last + 24 * 60 - first


def _read_minute(text: str) -> int:
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdigit() and minute.isdigit() and len(hour) <= 2 and len(minute) == 2):
        raise ValueError(text)
    found = int(hour) * 60 + int(minute)
    if int(minute) > 59 or found > 24 * 60:
        raise ValueError(text)
    return found


def _read_days(text: str, whole: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"{whole[:60]!r}: days are {', '.join(DAYS)}, and 'mon-fri'")
        begin, end = DAYS.index(first), DAYS.index(last if dash else first)
        found += [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]
    return found


def _within_week(begin: int, end: int) -> list[tuple[int, int]]:
    if end <= _WEEK_MINUTES:
        return [(begin, end)]
    return [(begin, _WEEK_MINUTES), (0, end - _WEEK_MINUTES)]


def _merge(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which no notices of some monitors are sent: once, or again by a schedule.

    They are judged as ever; what is still so at its end is told then.
    """

    id: str
    name: str
    monitors: str  # a pattern of keys
    tag: str
    begin_us: int
    end_us: int | None = None  # None: until somebody ends it
    schedule: str = ""
    tz: str = "UTC"
    length_us: int = 0

    def concerns(self, key: str, tags: Collection[str]) -> bool:
        """Whether it is for a monitor."""
        return fnmatchcase(key, self.monitors) and (not self.tag or self.tag in tags)

    def is_over(self, now_us: int) -> bool:
        """Whether it never comes again."""
        return self.end_us is not None and self.end_us <= now_us

    def covers(self, at_us: int) -> bool:
        """Whether it is on at `at_us`."""
        return self.span_at(at_us) is not None

    def span_at(self, at_us: int) -> tuple[int, int | None] | None:
        """Return when the one that is on at `at_us` began and ends; None if none is."""
        if at_us < self.begin_us or self.is_over(at_us):
            return None
        if not self.schedule:
            return self.begin_us, self.end_us
        schedule = load_schedule(self.schedule, self.tz)
        began_us = schedule.next_us(at_us - self.length_us)
        # Of several that overlap the last one is on the longest.
        while began_us is not None and began_us <= at_us:
            following = schedule.next_us(began_us)
            if following is None or following > at_us:
                return began_us, began_us + self.length_us
            began_us = following
        return None

    def next_us(self, now_us: int) -> int | None:
        """Return when it next begins, if it is a recurring one."""
        if not self.schedule:
            return self.begin_us if now_us < self.begin_us else None
        found = load_schedule(self.schedule, self.tz).next_us(max(now_us, self.begin_us))
        return None if found is None or self.is_over(found) else found


_LONGEST_US, _LONGEST_OF_MANY_US = 366 * DAY, 31 * DAY
_LOOKED_AHEAD = 60


def check_window(window: Window, now_us: int) -> Window:
    """Return the window. UsageError: it would never begin, or hide monitors for ever."""
    if not window.schedule:
        if window.end_us is None:
            raise UsageError("a window needs an end", "--for 2h, or --until '2026-12-24 18:00'")
        if window.end_us <= max(window.begin_us, now_us):
            raise UsageError("it ends before it begins, or is over already")
        if window.end_us - window.begin_us > _LONGEST_US:
            raise UsageError("it is longer than a year", "'radar monitors pause' has no end")
        return window
    if not 0 < window.length_us <= _LONGEST_OF_MANY_US:
        raise UsageError("a window that comes again needs a length, at most 31d", "--for 2h")
    schedule = load_schedule(window.schedule, window.tz)
    began_us = schedule.next_us(max(now_us, window.begin_us))
    if began_us is None or window.is_over(began_us):
        raise UsageError("it would never begin")
    for _ in range(_LOOKED_AHEAD):
        following_us = schedule.next_us(began_us)
        if following_us is None or window.is_over(following_us):
            break
        if following_us - began_us <= window.length_us:
            raise UsageError(
                "it would never end: the next one begins before it is over",
                "a shorter --for, or a rarer schedule",
            )
        began_us = following_us
    return window


def _zone(name: str) -> tzinfo:
    return UTC if name in ("", "UTC") else load_timezone(name)
