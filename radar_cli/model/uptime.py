"""Uptime: how long a monitor was up and down in each month, as its flips tell it."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Iterable, Iterator, Protocol, Sequence

from radar_cli.model.state import Status


class Change(Protocol):
    """A change of a monitor's status. Unix time in microseconds."""

    @property
    def status(self) -> str:
        """Its status from then on."""

    @property
    def time_us(self) -> int:
        """Return when that began."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month, or what there was of it so far.

    `unknown_s` is the time of which nothing is known: before the first change that is kept, while
    nobody looked, and while the monitor was paused. `downs` is how often it went down.
    """

    begin_us: int
    end_us: int
    up_s: float
    down_s: float
    unknown_s: float
    downs: int

    @property
    def share(self) -> float | None:
        """The share of the known time that it was up, 0 to 1; None: nothing is known."""
        known_s = self.up_s + self.down_s
        return self.up_s / known_s if known_s else None


def sum_months(
    changes: Sequence[Change],
    now_us: int,
    months: int,
    *,
    zone: tzinfo | None = None,
    blind_us: Iterable[tuple[int, int]] = (),
) -> list[Month]:
    """Return the last `months` months up to now, the newest first, back to the first change.

    `changes` are in the order of time. `blind_us` are times in which nobody looked or nothing was
    expected, as begins and ends: a monitor that was up is not known to have been so then; one that
    was down before and after was down. Months are those of `zone`, or of this machine.
    """
    if not changes:
        return []
    spans = list(_cut(_spans(changes, now_us), _join(blind_us)))
    found = []
    for begin_us, end_us in _months_before(now_us, months, zone):
        if end_us <= changes[0].time_us:
            break
        up_us = down_us = 0
        for from_us, to_us, status in spans:
            inside_us = max(0, min(to_us, end_us) - max(from_us, begin_us))
            up_us += inside_us if status == Status.UP else 0
            down_us += inside_us if status == Status.DOWN else 0
        downs = sum(
            change.status == Status.DOWN and begin_us <= change.time_us < end_us
            for change in changes
        )
        last_us = min(end_us, now_us)
        unknown_us = last_us - begin_us - up_us - down_us
        found.append(Month(begin_us, last_us, up_us / 1e6, down_us / 1e6, unknown_us / 1e6, downs))
    return found


def _spans(changes: Sequence[Change], now_us: int) -> Iterator[tuple[int, int, str]]:
    """Return from when to when it was what."""
    ends_us = [*(change.time_us for change in changes[1:]), now_us]
    for change, end_us in zip(changes, ends_us, strict=True):
        if change.time_us < end_us:
            yield change.time_us, end_us, change.status


def _cut(
    spans: Iterable[tuple[int, int, str]], blind_us: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, str]]:
    """Take the blind times out of those in which it was up."""
    for begin_us, end_us, status in spans:
        from_us = begin_us
        for blind_begin_us, blind_end_us in blind_us if status == Status.UP else ():
            if blind_end_us <= from_us or blind_begin_us >= end_us:
                continue
            if blind_begin_us > from_us:
                yield from_us, blind_begin_us, status
            from_us = min(end_us, blind_end_us)
        if from_us < end_us:
            yield from_us, end_us, status


def _join(times_us: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the same times, those that touch as one."""
    joined: list[tuple[int, int]] = []
    for begin_us, end_us in sorted(times_us):
        if joined and begin_us <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_us))
        else:
            joined.append((begin_us, end_us))
    return joined


def _months_before(now_us: int, count: int, zone: tzinfo | None) -> Iterator[tuple[int, int]]:
    """Return the begins and ends of months, the one that goes on first."""
    now = datetime.fromtimestamp(now_us / 1e6).astimezone(zone)
    year, month = now.year, now.month
    end_us = _begin_us(year + month // 12, month % 12 + 1, zone)
    for _ in range(count):
        begin_us = _begin_us(year, month, zone)
        yield begin_us, end_us
        end_us = begin_us
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)


def _begin_us(year: int, month: int, zone: tzinfo | None) -> int:
    # Without a zone it is this machine's.
    return round(datetime(year, month, 1, tzinfo=zone).timestamp() * 1e6)
