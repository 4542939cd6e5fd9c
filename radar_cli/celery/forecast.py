"""A forecast of how fast a queue drains, from a few looks at it. Pure."""

from dataclasses import dataclass
from typing import Sequence


@dataclass(frozen=True, slots=True)
class Flow:
    """Messages a second: `growth` of the depth, and how many workers finish, if that is known."""

    growth: float
    done: float | None = None


def flow(
    depths: Sequence[tuple[float, int]], totals: Sequence[tuple[float, int]] = ()
) -> Flow | None:
    """The flow between the first and the last of (time, depth), or None of less than two times.

    `totals` are (time, tasks done since some start) of the same queue's workers.
    """
    growth = _slope(depths)
    return None if growth is None else Flow(growth, _slope(totals))


def drains_in_s(depth: int, seen: Flow | None) -> float | None:
    """Return when the queue is empty if all stays as it is; None if it isn't shrinking."""
    if depth <= 0:
        return 0.0
    if seen is None or seen.growth >= 0:
        return None
    return depth / -seen.growth


def waits_s(depth: int, seen: Flow | None) -> float | None:
    """Return how long (seconds) what arrives now will wait; None if nothing is being done."""
    if depth <= 0:
        return 0.0
    if seen is None or not seen.done or seen.done <= 0:
        return None
    return depth / seen.done


def _slope(points: Sequence[tuple[float, int]]) -> float | None:
    if len(points) < 2 or points[-1][0] <= points[0][0]:
        return None
    return (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])
