"""Starting processes, what they cost, and the ratios of that.

The machine may be busy and its clock rate may change, so nothing here is compared across runs:
the contestants take turns, and each round's costs are set against that round's baseline.
"""

import itertools
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Words = Sequence[str | Path]
Costs = Mapping[str, float]  # by what is measured: "wall" and "cpu" in seconds, "PSS" in bytes
Contestant = Callable[[], Costs]


class UnmeasurableError(Exception):
    """A row that can't be measured here, and why."""


def spawn(words: Words, env: Mapping[str, str], output: Path) -> int:
    """Start a program as cron does: a group of its own, no stdin, one file for all output."""
    argv = [os.fspath(word) for word in words]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(argv[0], argv, env, file_actions=actions, setpgroup=0)


def run(words: Words, env: Mapping[str, str], output: Path) -> Costs:
    """Run a program to its end; what it and the children that it waited for cost."""
    started = time.monotonic()
    pid = spawn(words, env, output)
    try:
        _, status, usage = os.wait4(pid, 0)
    except BaseException:  # we are told to end: what it started ends, too
        os.killpg(pid, signal.SIGKILL)
        raise
    wall_s = time.monotonic() - started
    if code := os.waitstatus_to_exitcode(status):
        said = output.read_text(errors="replace").strip().splitlines()
        raise UnmeasurableError(
            f"{words[0]} exits {code}: {said[-1] if said else 'it says nothing'}"
        )
    return {"wall": wall_s, "cpu": usage.ru_utime + usage.ru_stime}


def take_turns(
    contestants: Mapping[str, Contestant], rounds: int, warm_ups: int = 2
) -> dict[str, list[Costs]]:
    """Each contestant's costs, one for each round, in which all have their turn.

    The order is turned round every time, so that nobody always runs on what another one left.
    """
    costs: dict[str, list[Costs]] = {name: [] for name in contestants}
    order = list(contestants)
    for number in range(-warm_ups, rounds):
        for name in order:
            cost = contestants[name]()
            if number >= 0:
                costs[name].append(cost)
        order.reverse()
        show_progress(number + 1, rounds)
    show_progress(0, 0)
    return costs


@dataclass(frozen=True)
class Ratios:
    """What a contestant costs, as ratios to a baseline in the same round."""

    median: float
    quartiles: tuple[float, float]
    extremes: tuple[float, float]
    of_minima: float  # the cheapest of each: what a quiet machine would show
    rounds: int
    noise: float  # how far two neighbouring runs of the baseline are apart (median, relative)
    cost: float  # medians of what was measured, for information only
    baseline: float


def ratios(costs: Sequence[Costs], baseline: Sequence[Costs], measured: str) -> Ratios:
    ours = [cost[measured] for cost in costs]
    theirs = [cost[measured] for cost in baseline]
    pairs = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    apart = [abs(b - a) / a for a, b in itertools.pairwise(theirs)]
    low, _, high = statistics.quantiles(pairs, n=4) if len(pairs) > 1 else pairs * 3
    return Ratios(
        median=statistics.median(pairs),
        quartiles=(low, high),
        extremes=(pairs[0], pairs[-1]),
        of_minima=min(ours) / min(theirs),
        rounds=len(pairs),
        noise=statistics.median(apart) if apart else 0.0,
        cost=statistics.median(ours),
        baseline=statistics.median(theirs),
    )


def show_progress(done: int, of: int) -> None:
    """A counter on stderr, if that is a terminal; 0 of 0 takes it away."""
    if sys.stderr.isatty():
        words = f"{done}/{of}" if of else ""
        sys.stderr.write(f"\r{words:<12}\r")
        sys.stderr.flush()
