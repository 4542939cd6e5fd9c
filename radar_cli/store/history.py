"""The history of monitors: their runs and their flips.

Outputs are read of those runs only that somebody wants to see.
"""

from typing import Sequence

from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.run import Run, fold_runs
from radar_cli.store.database import Database
from radar_cli.store.flips import read_flip
from radar_cli.store.pings import Pings

# More than the store keeps, unless somebody wants it to.
_MOST_PINGS = 20_000
# A run has two pings, and others may go on between them.
_PINGS_BESIDES = 100
_SEARCHED_AT_ONCE = 200


class History:
    """Runs, as pings tell of them, and flips."""

    def __init__(self, database: Database, pings: Pings) -> None:
        self._database = database
        self._pings = pings

    def runs(self, monitor: str, limit: int) -> list[Run]:
        """The newest runs of a monitor, the oldest of them first, without their outputs."""
        pings = self._pings.newest_of_runs(monitor, min(2 * limit + _PINGS_BESIDES, _MOST_PINGS))
        return fold_runs(pings)[-limit:]

    def runs_before(self, monitor: str, before: tuple[int, str], limit: int) -> list[Run]:
        """The same of those that are older than a run (`first_us` and id), which may be gone."""
        runs = fold_runs(self._pings.newest_of_runs(monitor, _MOST_PINGS))
        places = [(run.first_us, run.run_id) for run in runs]
        if before in places:
            return runs[: places.index(before)][-limit:]
        return [run for run in runs if run.first_us < before[0]][-limit:]

    def find_runs(self, monitor: str, ending: str | None = None) -> list[Run]:
        """The runs whose ids end like this; without it the newest that ended, if there is one.

        The oldest comes first, and the last one has its output.
        """
        runs = fold_runs(self._pings.newest_of_runs(monitor, _MOST_PINGS))
        if ending is None:
            found = [run for run in runs if not run.is_running][-1:]
        else:
            found = [run for run in runs if run.run_id and run.run_id.endswith(ending.lower())]
        return [*found[:-1], self.with_output(monitor, found[-1])] if found else []

    def search_runs(self, monitor: str, text: str, limit: int) -> list[Run]:
        """The newest runs whose output or message has a text in it, in any case, oldest first.

        They have their outputs.
        """
        wanted, found = text.lower(), list[Run]()
        place: tuple[int, str] | None = None
        while len(found) < limit and (
            pings := self._pings.before(monitor, place, _SEARCHED_AT_ONCE)
        ):
            for ping in reversed(pings):
                message = ping.body.decode("utf-8", "replace") + ping.fields.get("message", "")
                if ping.kind in ("success", "fail") and wanted in message.lower():
                    found += fold_runs(self._pings_until(ping))[-1:]
            place = (pings[0].time_us, pings[0].id)
        return found[:limit][::-1]

    def with_output(self, monitor: str, run: Run) -> Run:
        """The same run with its output; many may have no id."""
        times_us = [time_us for time_us in (run.started_us, run.ended_us) if time_us is not None]
        pings = self._pings.of_run(monitor, run.run_id, (min(times_us), max(times_us)))
        return next((each for each in fold_runs(pings) if each.ended_us == run.ended_us), run)

    def last_runs(self, monitors: Sequence[str], count: int) -> dict[str, list[Run]]:
        """The last runs of monitors, `count` at least if there are as many, the oldest first.

        They are without their outputs.
        """
        pings = self._pings.newest_of_each(monitors, 2 * count + 2)
        return {monitor: fold_runs(each) for monitor, each in pings.items()}

    def with_last_output(self, monitor: str, runs: list[Run]) -> list[Run]:
        """The same runs, the last one that ended with its output."""
        number = next((n for n in reversed(range(len(runs))) if not runs[n].is_running), None)
        if number is None:
            return runs
        return [*runs[:number], self.with_output(monitor, runs[number]), *runs[number + 1 :]]

    def _pings_until(self, last: Ping) -> list[Ping]:
        """The pings of the run that a ping ends, as far as its id tells them."""
        if not last.run_id:
            return [last]
        return [
            ping
            for ping in self._pings.of_run(last.monitor, last.run_id, (0, last.time_us))
            if ping.kind != "log"
        ]

    def count_pings(self, *monitors: str) -> int:
        """Count the pings of monitors that are kept."""
        query = "SELECT count(*) FROM ping WHERE monitor = ?"
        return sum(int(self._database.read(query, (each,))[0][0]) for each in monitors)

    def flips(self, monitor: str, limit: int, *, before: str = "") -> list[Flip]:
        """The newest flips of a monitor, the newest first; `before` is the id of a later one."""
        older = " AND number < (SELECT number FROM flip WHERE id = ? AND monitor = ?)"
        rows = self._database.read(
            "SELECT id, monitor, previous, status, reason, time_us, noticed_us FROM flip"  # noqa: S608 (constants)
            f" WHERE monitor = ?{older if before else ''} ORDER BY number DESC LIMIT ?",
            (monitor, *((before, monitor) if before else ()), limit),
        )
        return [read_flip(row) for row in rows]
