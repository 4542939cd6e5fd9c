"""What every monitor of the store says now."""

from dataclasses import dataclass
from typing import Collection

from radar_cli.monitors.runs import Run, fold_runs
from radar_cli.monitors.state import View
from radar_cli.store.judged import Judged
from radar_cli.store.store import Store

# Enough to find the last run that ended behind some that go on.
_PINGS_SHOWN = 12


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


def look(store: Store, now_us: int, keys: Collection[str] = ()) -> list[Seen]:
    """Judge all monitors, or show those with these keys, at `now_us` (Unix time in microseconds).

    Only those are judged whose time has come.
    """
    store.judge(now_us)
    return [
        Seen(known, known.view_at(now_us), fold_runs(store.newest(known.key, _PINGS_SHOWN)))
        for known in store.monitors()
        if not keys or known.key in keys
    ]
