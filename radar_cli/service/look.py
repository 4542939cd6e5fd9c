"""Looking at monitors: those whose time has come are judged first."""

from typing import TYPE_CHECKING, Collection, Iterator

from radar_cli.model.overview import ALARMING, MonitorOverview
from radar_cli.model.state import Status

if TYPE_CHECKING:
    from radar_cli.model.port import MonitorStore


def look(
    store: "MonitorStore",
    now_us: int,
    keys: Collection[str] = (),
    *,
    output_of: Collection[Status] = tuple(Status),
) -> Iterator[MonitorOverview]:
    """Judge all monitors, or show those with these keys, at `now_us` (Unix time in microseconds).

    Only those are judged whose time has come, and only some are in memory at a time. `output_of`
    are the statuses in which the last run has its output.
    """
    store.monitors.judge(now_us)
    return store.overviews(now_us, keys, output_of=output_of)


def look_at_alarming(store: "MonitorStore", now_us: int) -> Iterator[MonitorOverview]:
    """The same of those monitors only that are late or down: their number is all that counts."""
    store.monitors.judge(now_us)
    return store.overviews(now_us, statuses=ALARMING, output_of=ALARMING)
