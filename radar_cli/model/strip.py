"""The last runs of a monitor as a strip: a mark for each run, and for each that is missing."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Collection, Iterator, Sequence

from radar_cli.model.monitor import Monitor
from radar_cli.model.run import Run

# A long silence must not push the runs out of sight.
GAPS_IN_A_ROW = 10


class Mark(StrEnum):
    """One run's mark in a strip."""

    SUCCESS = "success"
    FAIL = "fail"
    RUNNING = "running"
    HUNG = "hung"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a strip: its run, or when one was due (Unix time in microseconds)."""

    mark: Mark
    at_us: int
    run: Run | None = None


def find_marks(
    monitor: Monitor, runs: Sequence[Run], now_us: int, *, running: Collection[str], limit: int
) -> list[Mark]:
    """The newest marks, at most `limit`, the last one last; see `find_places`."""
    places = find_places(monitor, runs, now_us, running=running, limit=limit)
    return [place.mark for place in places]


def find_places(
    monitor: Monitor, runs: Sequence[Run], now_us: int, *, running: Collection[str], limit: int
) -> list[Place]:
    """The newest places of a strip, at most `limit`, the last one last.

    `running` has the ids of the runs that go on; one of `runs` that has no end and isn't among
    them hangs. Of a long silence it tells GAPS_IN_A_ROW missed runs.
    """
    places: list[Place] = []
    covered_us = monitor.created_us
    last_well_us = max((_start_of(run) for run in runs if run.outcome == "success"), default=0)
    for number, run in enumerate(runs):
        start_us = _start_of(run)
        # What was before the first of these runs nobody knows: there may have been others.
        if number:
            places += _find_gaps(monitor, covered_us, start_us)
        if run.is_running:
            goes_on = run.run_id in running
            mark = Mark.RUNNING if goes_on else Mark.HUNG
            # One that a later run has outlived covers nothing.
            end_us = now_us if goes_on and start_us >= last_well_us else start_us
        else:
            mark = Mark.SUCCESS if run.outcome == "success" else Mark.FAIL
            end_us = run.ended_us or start_us
        places.append(Place(mark, start_us, run))
        covered_us = max(
            covered_us,
            monitor.covered_by_start(start_us),
            monitor.covered_by_run(start_us, end_us),
        )
    places += _find_gaps(monitor, covered_us, now_us)
    return places[-limit:]


def _start_of(run: Run) -> int:
    """Return when it began, or else ended."""
    return run.started_us if run.started_us is not None else run.ended_us or 0


def _find_gaps(monitor: Monitor, covered_us: int, until_us: int) -> Iterator[Place]:
    """A place for each run that was due and missed, of those behind `covered_us`."""
    grace_us = round(monitor.grace_s * 1e6)
    found = 0
    while found < GAPS_IN_A_ROW:
        slot_us = monitor.expected_after(covered_us)
        if slot_us is None or slot_us <= covered_us:
            return
        if monitor.judged_us(slot_us + grace_us) >= until_us:
            return
        pause = monitor.pause_at(slot_us + grace_us)
        if pause is None:
            found += 1
            yield Place(Mark.MISSED, slot_us)
            covered_us = slot_us
        elif pause.end_us is None:
            return
        else:
            covered_us = pause.end_us
