"""What a monitor should say, told slot by slot and apart from how radar does it.

A job is due each `period` hours, counted from midnight UTC. Its runs never last from one slot to
the next: a run without end hangs long before. Times are whole numbers of microseconds.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

SECOND = 1_000_000
HOUR = 3600 * SECOND
GRACE = HOUR // 2
MAX_RUNTIME = 2 * HOUR
EARLY = 60 * SECOND


class Run(NamedTuple):
    """What is known of a run: one of its pings may not have come."""

    start: int | None
    end: int | None
    outcome: str


@dataclass
class Story:
    """All that is known of a monitor, in no order."""

    created: int
    period: int  # hours
    tolerance: int
    runs: dict[str, Run] = field(default_factory=dict)
    pauses: list[tuple[int, float]] = field(default_factory=list)

    def says(self, now: int) -> tuple[str, str | None]:
        """The status at `now`, and the reason of a down."""
        if any(begin <= now <= end for begin, end in self.pauses):
            return "paused", None
        status, reason = self.verdict(now)
        if status != "down" and self._is_late(now):
            return "late", None
        return status, reason

    def verdict(self, now: int) -> tuple[str, str | None]:
        """What the runs and the misses so far add up to: new, up, or down and why."""
        status, reason = "new", None
        failures, failed, succeeded = 0, -1, -1
        for _, _, what, start in sorted(self._moments(now)):
            if what == "success":
                succeeded = max(succeeded, start)
                if start >= failed:
                    status, reason, failures = "up", None, 0
                continue
            if what == "failed":
                failures, failed = failures + 1, max(failed, start)
                if failures <= self.tolerance:
                    continue
            if what == "hung" and start < succeeded:
                continue
            if status != "down":
                status, reason = "down", what
        return status, reason

    def _moments(self, now: int) -> list[tuple[int, int, str, int]]:
        """When something happened, of what is known; at the same moment pings count first."""
        moments = []
        for start, end, outcome in self.runs.values():
            began = self._began(start, end)
            if end is not None:
                what = "success" if outcome == "success" else "failed"
                moments.append((end, 0, what, end if began is None else began))
            if start is not None and self._hangs(start) < now and not self._ended(start, end):
                moments.append((int(self._hangs(start)), 1, "hung", start))
        moments += [
            (slot + GRACE, 1, "missed", slot)
            for slot in self._slots(now)
            if slot + GRACE < now and not self._is_covered(slot, slot + GRACE)
        ]
        return moments

    def _slots(self, now: int) -> range:
        period = self.period * HOUR
        return range((self.created // period + 1) * period, now, period)

    def _is_late(self, now: int) -> bool:
        slots = self._slots(now)
        if not slots or slots[-1] + GRACE < now:
            return False
        return not self._is_covered(slots[-1], now)

    def _is_covered(self, slot: int, at: int) -> bool:
        """Whether somebody who looks at that moment, after the slot, misses no run."""
        if any(begin <= at and slot <= end for begin, end in self.pauses):
            return True
        for start, end, _ in self.runs.values():
            began = self._began(start, end)
            if any(b is not None and slot - EARLY <= b <= at for b in (start, began)):
                return True
            if start is not None and start <= at:
                stops = end if self._ended(start, end) else self._gone(start)
                goes_on = stops is not None and at < stops and not self._is_outlived(start, at)
                if goes_on or (stops is not None and stops == end and slot <= stops <= at):
                    return True
            if began is None and end is not None and slot - EARLY <= end <= at:
                return True
        return False

    def _is_outlived(self, start: int, at: int) -> bool:
        """Whether a run that began later has gone well by then."""
        return any(
            outcome == "success" and end is not None and end <= at and start < began
            for begin, end, outcome in self.runs.values()
            if (began := begin if begin is not None and self._ended(begin, end) else end)
            is not None
        )

    def _began(self, start: int | None, end: int | None) -> int | None:
        """The beginning by which an end goes: None if it is on its own."""
        return start if start is not None and self._ended(start, end) else None

    def _ended(self, start: int, end: int | None) -> bool:
        """Whether a run ended before it was taken for hung, or gone."""
        return end is not None and end <= self._gone(start)

    def _hangs(self, start: int) -> float:
        """When a run hangs; never, if that would be in a pause."""
        deadline = start + MAX_RUNTIME
        in_pause = any(begin <= deadline < end for begin, end in self.pauses)
        return math.inf if in_pause else deadline

    def _gone(self, start: int) -> float:
        """When nobody waits for the end of a run any more."""
        deadline = start + MAX_RUNTIME
        return next((end for begin, end in self.pauses if begin <= deadline < end), deadline)
