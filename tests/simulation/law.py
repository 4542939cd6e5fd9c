"""The law of flips, as the design has it and apart from how radar does it.

A `Story` holds all that is known of one monitor, in no order, and tells slot by slot what the
monitor should have said at any moment. It is told from its beginning whenever something new is
known: what radar keeps between two looks has no counterpart here. The slots are cronsim's.

Times are whole microseconds of the servers' clock.
"""

import math
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim

from radar_cli.model.monitor import Pause

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLY = MINUTE
_LONGEST_GRACE_BY_DEFAULT = 5 * MINUTE
# Without a clock change: each gap of these schedules is seen within two years, or so many slots.
_A_YEAR, _GAPS_SEEN = datetime(2023, 1, 1, tzinfo=UTC), timedelta(days=740)


_SLOTS_SEEN = 1500
# It is quicker to begin anew than to find so many slots.
_FAR = 500
_MEANING = {"@daily": "0 0 * * *", "@hourly": "0 * * * *"}


class Slots:
    """The slots of a cron expression after any moment, found as far as they are needed."""

    def __init__(self, expression: str, zone: str) -> None:
        self._expression = _MEANING.get(expression, expression)
        self._zone = ZoneInfo(zone)
        self._far = _FAR * shortest_gap(expression)
        self._begins: list[int] = []
        self._stretches: list[tuple[CronSim, list[int]]] = []

    def next(self, after: int) -> int:
        """The first one after a moment."""
        number = bisect_right(self._begins, after) - 1
        if number < 0 or after > (self._stretches[number][1] or [after])[-1] + self._far:
            begin = (_EPOCH + timedelta(microseconds=after)).astimezone(self._zone)
            number += 1
            self._begins.insert(number, after)
            self._stretches.insert(number, (CronSim(self._expression, begin), []))
        coming, known = self._stretches[number]
        while not known or known[-1] <= after:
            slot = (next(coming).astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
            # Slots that a clock change moves together are one.
            if slot > (known[-1] if known else self._begins[number]):
                known.append(slot)
        return known[bisect_right(known, after)]


@lru_cache(200)
def shortest_gap(expression: str) -> int:
    """The shortest time from one slot to the next, by a clock that never changes."""
    slots, found = CronSim(_MEANING.get(expression, expression), _A_YEAR), math.inf
    for one, other in islice(pairwise(slots), _SLOTS_SEEN):
        found = min(found, (other - one).total_seconds())
        if other > _A_YEAR + _GAPS_SEEN:
            break
    return round(found * SECOND)


class Known(NamedTuple):
    """A ping, as far as the law goes."""

    time: int
    id: str
    kind: str  # start, success, fail or log
    run: str
    extend: int = 0
    host: str = ""


class Run(NamedTuple):
    """A run; an end whose start isn't known began with it."""

    start: int | None
    end: int | None
    outcome: str
    hangs: float  # when it is overdue, if it is still on then
    gone: float  # when nobody waits for its end any more

    @property
    def began(self) -> int:
        """When it began, as far as anybody knows."""
        began = self.end if self.start is None else self.start
        assert began is not None
        return began


class Change(NamedTuple):
    """From a moment on the monitor is so: after it, or at it already if a ping did that."""

    at: float
    by_time: bool
    status: str
    reason: str
    since: int


class Said(NamedTuple):
    """What a monitor says at a moment."""

    status: str
    reason: str = ""
    since: int = 0


@dataclass
class Story:
    """What is expected of a job, and all that is known of it."""

    created: int
    cron: tuple[str, str] | None = None  # expression and zone
    every: int | None = None
    grace: int | None = None  # None: nobody has set it
    max_runtime: int | None = None
    tolerance: int = 0
    pings: list[Known] = field(default_factory=list)
    pauses: list[tuple[int, float]] = field(default_factory=list)
    outages: list[tuple[int, int]] = field(default_factory=list)  # of servers, of all times
    at_first: Said | None = None  # what it says before anything has changed, if that isn't new
    _changes: list[Change] | None = None
    _slots: Slots | None = None
    _runs: list[Run] = field(default_factory=list)

    # What becomes known

    def learn(self, ping: Known) -> None:
        """A ping has come."""
        insort(self.pings, ping)
        self.created = min(self.created, ping.time)
        self._changes = None

    def copy_pauses(self, pauses: Iterable[Pause]) -> None:
        """People have paused it at these times, which is not the law's to say."""
        copied = [
            (pause.begin_us, math.inf if pause.end_us is None else pause.end_us) for pause in pauses
        ]
        if copied != self.pauses:
            self.pauses = copied
            self.look_again()

    def look_again(self) -> None:
        """Something else is known: a pause, an outage, another declaration."""
        self._changes = None

    # What it should say

    def says(self, now: int) -> Said:
        """Return what people see at a moment."""
        for begin, end in self.pauses:
            if begin <= now <= end:
                return Said("paused", "", begin)
        said = self.verdict(now)
        if said.status == "down":
            return said
        due = self._overdue(now)
        return said if due is None else Said("late", "", due)

    def verdict(self, now: int) -> Said:
        """Return what runs and silence add up to: new, up or down, since when and why."""
        said = self.at_first or Said("new", "", self.created)
        for change in self.changes:
            if change.at > now or (change.by_time and change.at >= now):
                break
            said = Said(change.status, change.reason, change.since)
        return said

    def next_change(self, now: int) -> float:
        """Return the next moment at which silence makes it down; infinity if that never is."""
        return min(
            (change.at for change in self.changes if change.at >= now and change.by_time),
            default=math.inf,
        )

    @property
    def changes(self) -> list[Change]:
        """All changes that follow from what is known, the next one by silence included."""
        if self._changes is None:
            self._runs = list(self._tell_runs())
            self._changes = list(self._tell_changes())
        return self._changes

    @property
    def grace_us(self) -> int:
        """The grace: 5 minutes or half the shortest gap, unless somebody has set it."""
        if self.grace is not None:
            return self.grace
        gap = self.every if self.cron is None else shortest_gap(self.cron[0])
        return _LONGEST_GRACE_BY_DEFAULT if gap is None else min(300 * SECOND, gap // 2)

    def judged(self, deadline: int) -> int:
        """Return when a deadline is judged: one that fell into an outage moves, once."""
        for begin, end in self.outages:
            if begin <= deadline < end:
                return end + max(MINUTE, min(self.grace_us, 15 * MINUTE))
        return deadline

    def describe(self) -> str:
        """What is known, for whoever wants to know why."""
        return "\n".join(
            (
                f"{self.cron or self.every} grace {self.grace_us} max runtime {self.max_runtime}"
                f" tolerance {self.tolerance} created {self.created}",
                f"pauses {self.pauses} outages {self.outages[-5:]}",
                *(str(tuple(ping)) for ping in self.pings),
                *map(str, self.changes),
            )
        )

    # Runs

    def _tell_runs(self) -> Iterator[Run]:
        """Make runs of pings: an end belongs to the start of its run, while anybody waits."""
        open_: dict[str, tuple[int, float]] = {}
        for ping in self.pings:
            if ping.kind == "log":
                if ping.extend and ping.run in open_:
                    start, extended = open_[ping.run]
                    if ping.time <= self._gone(start, extended):
                        open_[ping.run] = start, max(extended, ping.time + ping.extend)
                continue
            known = open_.pop(ping.run, None)
            hangs = gone = math.inf
            if known is not None:
                hangs, gone = self._hangs(*known), self._gone(*known)
            if ping.kind == "start":
                if known is not None:
                    # One without an id has begun anew: of the older one nobody waits for an end.
                    again = "" if gone < ping.time else "again"
                    yield Run(known[0], None, again, hangs, min(gone, ping.time))
                open_[ping.run] = ping.time, 0
            elif known is not None and ping.time <= gone:
                yield Run(known[0], ping.time, ping.kind, hangs, gone)
            else:
                if known is not None:
                    yield Run(known[0], None, "", hangs, gone)
                yield Run(None, ping.time, ping.kind, math.inf, math.inf)
        for start, extended in open_.values():
            yield Run(start, None, "", self._hangs(start, extended), self._gone(start, extended))

    def _hangs(self, start: int, extended: float) -> float:
        """When a run that hasn't ended is overdue."""
        if self.max_runtime is not None:
            return max(start + self.max_runtime, extended)
        if (following := self._slot_behind(start)) is None:
            return math.inf
        return max(following + self.grace_us, extended)

    def _gone(self, start: int, extended: float) -> float:
        """When nobody waits for the end of a run any more: if in a pause, then at its end."""
        hangs = self._hangs(start, extended)
        if hangs == math.inf:
            return hangs
        judged = self.judged(int(hangs))
        return next((end for begin, end in self.pauses if begin <= judged < end), judged)

    def _is_hung_in_pause(self, run: Run) -> bool:
        judged = self.judged(int(run.hangs))
        return any(begin <= judged < end for begin, end in self.pauses)

    def _slot_behind(self, start: int) -> int | None:
        """The slot after that of a run, by which it has to be over where no other limit is set."""
        if self.every is not None:
            return start + self.every
        if self.cron is None:
            return None
        first = self._first_slot(start)
        return self._first_slot(first) if self._is_early(start, first) else first

    @property
    def runs(self) -> list[Run]:
        """The runs that are known, in no order."""
        self.changes  # noqa: B018 (it makes them)
        return self._runs

    def slot_of(self, began: int) -> int:
        """A number for the slot of a run, which is higher the later that is."""
        if self.every is not None:
            return began // self.every
        return self._slot_behind(began) or 0

    # Slots

    def _first_slot(self, after: int) -> int:
        assert self.cron is not None
        if self._slots is None:
            self._slots = Slots(*self.cron)
        return self._slots.next(after)

    def _is_early(self, start: int, slot: int) -> bool:
        """Whether a run that begins before a slot is that slot's: a minute, or half a period."""
        period = self._first_slot(slot) - slot
        return slot - start <= min(_EARLY, period / 2)

    def _is_covered(self, slot: int, at: float) -> bool:
        """Whether somebody who looks at that moment, at or after the slot, misses no run of it."""
        if any(begin <= at and slot <= end for begin, end in self.pauses):
            return True
        for run in self._runs:
            if run.began > at:
                continue
            if run.began >= slot or (
                run.began >= slot - _EARLY and self._is_early(run.began, slot)
            ):
                return True
            if run.start is None:
                continue
            if run.end is not None and run.end <= at:
                if slot <= run.end:
                    return True
            elif at <= run.gone and not self._is_outlived(run, at):
                return True
        return False

    def _is_outlived(self, run: Run, at: float) -> bool:
        """Whether a run that began later has gone well by then."""
        return any(
            other.outcome == "success"
            and other.end is not None
            and other.end <= at
            and other.began > run.began
            for other in self._runs
        )

    def _has_beyond(self, at: float) -> bool:
        """Whether a run is on at that moment, whose end somebody waits for."""
        return any(
            run.start is not None
            and run.start <= at
            and (run.end is None or run.end > at)
            and at <= run.gone
            and not self._is_outlived(run, at)
            for run in self._runs
        )

    def _misses(self) -> Iterator[tuple[int, int]]:
        """Yield when each run that didn't come was missed, and when that is judged."""
        if self.cron is not None:
            yield from self._misses_of_slots()
        elif self.every is not None:
            yield from self._misses_of_intervals()

    def _misses_of_slots(self) -> Iterator[tuple[int, int]]:
        slot = self.created
        successes = [run.end for run in self._runs if run.outcome == "success" and run.end]
        successes.sort()
        while True:
            slot = self._first_slot(slot)
            pause = next((end for begin, end in self.pauses if begin <= slot <= end), None)
            if pause is not None:
                if pause == math.inf:
                    return
                slot = int(pause)
                continue
            deadline = slot + self.grace_us
            judged = self.judged(deadline)
            if self._is_covered(slot, judged):
                continue
            yield judged, deadline
            outage = next((end for begin, end in self.outages if begin <= deadline < end), None)
            if outage is not None:
                # What lies after the outage stays, and may come before what has been moved.
                slot = max(slot, outage - self.grace_us - 1)
                continue
            # It is down until a run has gone well: what is missed till then changes nothing.
            number = bisect_right(successes, judged)
            if number == len(successes):
                return
            slot = max(slot, self._judged_from(successes[number]))

    def _judged_from(self, moment: int) -> int:
        """A moment before all slots that are judged at or after another moment."""
        early = moment
        for begin, end in self.outages:
            if begin < moment <= end + 15 * MINUTE:
                early = min(early, begin)
        return early - self.grace_us - 1

    def _covered_by_interval(self) -> list[tuple[float, float]]:
        """From when on which time is known to be covered, in order."""
        assert self.every is not None
        known: list[tuple[float, float]] = [(self.created, self.created)]
        for run in self._runs:
            known.append((run.began, run.began))
            if run.start is not None and run.end is not None:
                periods = (run.end - run.start) // self.every
                known.append((run.end, run.start + periods * self.every))
        known += [(end + 1, end) for _, end in self.pauses]
        return sorted(known)

    def _misses_of_intervals(self) -> Iterator[tuple[int, int]]:
        assert self.every is not None
        covered: float = -math.inf
        known = self._covered_by_interval()
        for number, (_, until) in enumerate(known):
            if until <= covered:
                continue
            covered = until
            if covered == math.inf:
                return
            deadline = int(covered) + self.every + self.grace_us
            judged = self.judged(deadline)
            if any(at <= judged and more > covered for at, more in known[number + 1 :]):
                continue
            if any(begin <= judged <= end for begin, end in self.pauses):
                continue
            if not self._has_beyond(judged):
                yield judged, deadline

    def _overdue(self, now: int) -> int | None:
        """The time of a run that is due, and isn't there."""
        self.changes  # noqa: B018 (it makes the runs)
        if self._has_beyond(now):
            return None
        if self.every is not None:
            covered = max(until for at, until in self._covered_by_interval() if at <= now)
            due = covered + self.every
            return int(due) if due < now else None
        if self.cron is None:
            return None
        # Most slots of old were judged: of those that are not, the oldest counts.
        slot = max(self.created, now - self.grace_us - 40 * DAY)
        while (slot := self._first_slot(slot)) < now:
            if self.judged(slot + self.grace_us) >= now and not self._is_covered(slot, now):
                return slot
        return None

    # All of it

    def _tell_changes(self) -> Iterator[Change]:
        moments: list[tuple[float, int, int, str, int]] = []
        for run in self._runs:
            if run.end is not None:
                moments.append((run.end, 0, run.end, run.outcome, run.began))
            elif run.outcome != "again" and run.gone < math.inf and not self._is_hung_in_pause(run):
                since = int(run.hangs)
                moments.append((self.judged(since), 1, since, "hung", run.began))
        moments += [(judged, 1, since, "missed", since) for judged, since in self._misses()]
        status = "new" if self.at_first is None else self.at_first.status
        failures, failed, succeeded = 0, -1, -1
        for at, by_time, since, what, began in sorted(moments):
            if what == "success":
                succeeded = max(succeeded, began)
                if began < failed:
                    continue
                failures = 0
                if status != "up":
                    status = "up"
                    yield Change(at, False, status, "", since)
                continue
            if what == "fail":
                failures, failed = failures + 1, max(failed, began)
                if failures <= self.tolerance:
                    continue
            if what == "hung" and began < succeeded:
                continue
            if status != "down":
                status = "down"
                reason = "failed" if what == "fail" else what
                yield Change(at, bool(by_time), status, reason, since)
