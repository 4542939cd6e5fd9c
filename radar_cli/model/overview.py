"""A monitor at a glance: what it says now, with its last runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from radar_cli.model.attention import Attention
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run
from radar_cli.model.state import Status, View

if TYPE_CHECKING:
    pass

# Enough to find the last run that ended behind some that go on.
RUNS_SEEN = 5


ALARMING = (Status.LATE, Status.DOWN)


@dataclass(frozen=True, slots=True)
class MonitorOverview:
    """A monitor, what it says, and its newest runs, the last one last.

    Of the outputs it has that of the last run that ended. `attention` is who sees to it.
    """

    known: MonitorRecord
    view: View
    runs: list[Run]
    attention: Attention = Attention()  # noqa: RUF009 (it can't be changed)

    @property
    def last_ended(self) -> Run | None:
        """The newest run whose end is known."""
        return next((run for run in reversed(self.runs) if not run.is_running), None)
