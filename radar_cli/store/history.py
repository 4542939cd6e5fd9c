"""The monitors of the store at a glance, with their last runs."""

from itertools import islice
from typing import TYPE_CHECKING, Collection, Iterator

from radar_cli.model.overview import RUNS_SEEN, MonitorOverview
from radar_cli.model.state import Status
from radar_cli.store.attending import Attending
from radar_cli.store.reading import History

if TYPE_CHECKING:
    pass

_AT_ONCE = 200


class Overview(Attending, History):
    """Monitors at a glance."""

    def overviews(
        self,
        now_us: int,
        keys: Collection[str] = (),
        *,
        statuses: Collection[Status] = (),
        output_of: Collection[Status] = tuple(Status),
        pattern: str = "*",
    ) -> Iterator[MonitorOverview]:
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
                yield MonitorOverview(known, view, last, attention[known.key])
