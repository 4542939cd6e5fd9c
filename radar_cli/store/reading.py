"""Reading the embedded store: monitors as they were last judged, and their pings."""

import json
from typing import Any

from radar_cli.pings.ping import Ping
from radar_cli.store.file import StoreFile
from radar_cli.store.judged import Judged, read_pauses

COLUMNS = "key, declared, created_us, judged, pauses, settled"
Row = tuple[str, str, int, str, str, str]
_PING_COLUMNS = "id, monitor, kind, run_id, time_us, fields"


class Reading(StoreFile):
    """What the store tells."""

    def monitors(self) -> list[Judged]:
        """Every monitor as it was last judged, by key."""
        with self._translate():
            rows = self._connection.execute(f"SELECT {COLUMNS} FROM monitor ORDER BY key")  # noqa: S608 (a constant)
            return [read_row(row) for row in rows]

    def find(self, key: str) -> Judged | None:
        """A monitor as it was last judged; None if there is none of that key."""
        with self._translate():
            row = self._connection.execute(
                f"SELECT {COLUMNS} FROM monitor WHERE key = ?",  # noqa: S608 (a constant)
                (key,),
            ).fetchone()
        return None if row is None else read_row(row)

    def keys(self) -> list[str]:
        """The keys of all monitors, in order."""
        with self._translate():
            rows = self._connection.execute("SELECT key FROM monitor ORDER BY key").fetchall()
        return [key for (key,) in rows]

    def newest(self, monitor: str, limit: int) -> list[Ping]:
        """The newest pings of a monitor by event time, oldest first."""
        return self._read_pings(
            f"SELECT {_PING_COLUMNS}, body FROM ping WHERE monitor = ?"  # noqa: S608 (a constant)
            " ORDER BY time_us DESC, id DESC LIMIT ?",
            (monitor, limit),
        )

    def newest_of_runs(self, monitor: str, limit: int) -> list[Ping]:
        """The newest pings of a monitor that tell of runs, oldest first, without their outputs."""
        return self._read_pings(
            f"SELECT {_PING_COLUMNS}, x'' FROM ping"  # noqa: S608 (a constant)
            " WHERE monitor = ? AND kind != 'log' ORDER BY time_us DESC, id DESC LIMIT ?",
            (monitor, limit),
        )

    def pings_of_run(self, monitor: str, run_id: str, times_us: tuple[int, int]) -> list[Ping]:
        """The pings of one run, oldest first; `times_us` are those of its first and its last."""
        return self._read_pings(
            f"SELECT {_PING_COLUMNS}, body FROM ping"  # noqa: S608 (a constant)
            " WHERE monitor = ? AND run_id = ? AND time_us BETWEEN ? AND ?"
            " ORDER BY time_us DESC, id DESC",
            (monitor, run_id, *times_us),
        )

    def count_pings(self, monitor: str) -> int:
        """How many pings of a monitor are kept."""
        with self._translate():
            row = self._connection.execute(
                "SELECT count(*) FROM ping WHERE monitor = ?", (monitor,)
            ).fetchone()
        return int(row[0])

    def _read_pings(self, query: str, values: tuple[Any, ...]) -> list[Ping]:
        """The pings that a query finds newest first, oldest first."""
        with self._translate():
            rows = self._connection.execute(query, values).fetchall()
        return [
            Ping(
                kind,
                monitor,
                ping_id=ping_id,
                run_id=run_id,
                time_us=time_us,
                fields=json.loads(fields),
                body=body,
            )
            for ping_id, monitor, kind, run_id, time_us, fields, body in reversed(rows)
        ]


def read_row(row: Row) -> Judged:
    """The monitor in a row of COLUMNS."""
    key, declared, created_us, judged, pauses, settled = row
    return Judged(
        key,
        json.loads(declared),
        created_us,
        judged,
        read_pauses(pauses),
        frozenset(json.loads(settled)),
    )
