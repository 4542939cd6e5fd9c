"""What the monitors of the store say now, with their last runs."""

from dataclasses import dataclass
from typing import Collection, Iterator

from radar_cli.monitors.runs import Run, fold_runs
from radar_cli.monitors.state import Status, View
from radar_cli.store.judged import Judged
from radar_cli.store.store import Store

# Enough to find the last run that ended behind some that go on.
_PINGS_SHOWN = 12
ALARMING = (Status.LATE, Status.DOWN)


@dataclass(frozen=True, slots=True)
class Seen:
    """A monitor, what it says, and its newest runs, the last one last."""

    known: Judged
    view: View
    runs: list[Run]

    @property
    def last_ended(self) -> Run | None:
        """The newest run whose end is known."""
        return next((run for run in reversed(self.runs) if not run.is_running), None)


def look(
    store: Store,
    now_us: int,
    keys: Collection[str] = (),
    *,
    output_of: Collection[Status] = tuple(Status),
) -> Iterator[Seen]:
    """Judge all monitors, or show those with these keys, at `now_us` (Unix time in microseconds).

    Only those are judged whose time has come, and only some are in memory at a time. `output_of`
    are the statuses in which the runs have their output.
    """
    store.judge(now_us)
    found = (store.find(key) for key in sorted(set(keys))) if keys else store.monitors()
    for known in found:
        if known is not None:
            yield _see(store, known, now_us, output_of)


def look_at_alarming(store: Store, now_us: int) -> Iterator[Seen]:
    """The same of those monitors only that are late or down: their number is all that counts."""
    store.judge(now_us)
    for known in store.monitors(ALARMING):
        yield _see(store, known, now_us, ALARMING)


def _see(store: Store, known: Judged, now_us: int, output_of: Collection[Status]) -> Seen:
    view = known.view_at(now_us)
    read = store.newest if view.status in output_of else store.newest_of_runs
    return Seen(known, view, fold_runs(read(known.key, _PINGS_SHOWN)))
