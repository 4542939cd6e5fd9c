"""What the monitors of the store say now, with their last runs."""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Collection, Iterator

from radar_cli.monitors.runs import Run
from radar_cli.monitors.state import Status, View
from radar_cli.store.attending import Attending, Attention
from radar_cli.store.history import History
from radar_cli.store.judged import Judged

if TYPE_CHECKING:
    from radar_cli.api.monitors import MonitorStore

# Enough to find the last run that ended behind some that go on.
RUNS_SEEN = 5
_AT_ONCE = 200
ALARMING = (Status.LATE, Status.DOWN)


@dataclass(frozen=True, slots=True)
class Seen:
    """A monitor, what it says, and its newest runs, the last one last.

    Of the outputs it has that of the last run that ended. `attention` is who sees to it.
    """

    known: Judged
    view: View
    runs: list[Run]
    attention: Attention = Attention()  # noqa: RUF009 (it can't be changed)

    @property
    def last_ended(self) -> Run | None:
        """The newest run whose end is known."""
        return next((run for run in reversed(self.runs) if not run.is_running), None)


class Overview(Attending, History):
    """Monitors at a glance."""

    def see(
        self,
        now_us: int,
        keys: Collection[str] = (),
        *,
        statuses: Collection[Status] = (),
        output_of: Collection[Status] = tuple(Status),
        pattern: str = "*",
    ) -> Iterator[Seen]:
        """All monitors as they were last judged, or those with these keys or in these statuses.

        Or those whose keys are like a `pattern`. Only some are in memory at a time. `output_of` are
        the statuses in which the last run has its output.
        """
        found = self.monitors([*statuses], pattern=pattern)
        if keys:
            chosen = self.find_all(keys)
            found = (chosen[key] for key in sorted(chosen))
        found = iter(found)
        while some := list(islice(found, _AT_ONCE)):
            runs = self.last_runs([known.key for known in some], RUNS_SEEN)
            attention = self.attention(some, now_us)
            for known in some:
                view, last = known.view_at(now_us), runs[known.key]
                if view.status in output_of:
                    last = self.with_last_output(known.key, last)
                yield Seen(known, view, last, attention[known.key])


def look(
    store: "MonitorStore",
    now_us: int,
    keys: Collection[str] = (),
    *,
    output_of: Collection[Status] = tuple(Status),
) -> Iterator[Seen]:
    """Judge all monitors, or show those with these keys, at `now_us` (Unix time in microseconds).

    Only those are judged whose time has come, and only some are in memory at a time. `output_of`
    are the statuses in which the last run has its output.
    """
    store.judge(now_us)
    return store.see(now_us, keys, output_of=output_of)


def look_at_alarming(store: "MonitorStore", now_us: int) -> Iterator[Seen]:
    """The same of those monitors only that are late or down: their number is all that counts."""
    store.judge(now_us)
    return store.see(now_us, statuses=ALARMING, output_of=ALARMING)
