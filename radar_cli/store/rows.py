"""Reading the store: monitors as they were last judged, their pings and their flips."""

import json
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Collection, Iterator, Sequence

from radar_cli.model.fault import BAD, BEWARE
from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord, in_order, read_faults, read_outages, read_pauses
from radar_cli.model.run import Origin, Run, fold_runs
from radar_cli.store.database import Database, Rows, chunks, marks
from radar_cli.store.flips import read_flip

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


COLUMNS = "key, declared, created_us, judged, pauses, settled, version, outages, faults"
PING_COLUMNS = "id, monitor, kind, run_id, time_us, fields, origin"
_PAGE = 500
_LOG_BYTES = 500
_ASKED_TOGETHER = 25
_NEWEST_OF_EACH = " UNION ALL ".join(
    f"SELECT * FROM (SELECT {PING_COLUMNS} FROM ping WHERE monitor = ? AND kind != 'log'"  # noqa: S608 (constants)
    f" ORDER BY time_us DESC, id DESC LIMIT ?) AS of_{number}"
    for number in range(_ASKED_TOGETHER)
)
FAULT_KINDS = ("", BEWARE, BAD)  # as the column `fault` has them
_BEHIND_ALL = "~"  # no key holds it


class Reading:
    """The part of the store that reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # By whose clock a schedule goes that names none; "": that of UTC.
        self.default_zone = ""

    @property
    def database(self) -> Database:
        """The database that it is in."""
        return self._database

    @property
    def place(self) -> str:
        """Its place, for people."""
        return self._database.place

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def monitors(
        self, statuses: Sequence[str] = (), *, after: str = "", pattern: str = "*"
    ) -> Iterator[MonitorRecord]:
        """Every monitor as it was last judged, or those that said one of these, by key.

        Only a page of them is in memory at a time. `after` is a key to begin behind, `pattern` one
        of keys, as in a shell.
        """
        values: list[object] = [*map(str, statuses)]
        chosen = f" AND status IN ({marks(len(statuses))})" if statuses else ""
        if pattern != "*":
            chosen += " AND key LIKE ? ESCAPE '!'"
            values.append(like_pattern(pattern))
        query = f"SELECT {COLUMNS} FROM monitor WHERE key > ?{chosen} ORDER BY key LIMIT ?"  # noqa: S608 (constants)
        while rows := self._database.read(query, (after, *values, _PAGE)):
            yield from (read_row(row) for row in rows if fnmatchcase(row[0], pattern))
            after = rows[-1][0]

    def count_by_status(self) -> dict[tuple[str, bool], int]:
        """Count monitors by what they said when last judged, and by whether they are watched."""
        rows = self._database.read(
            "SELECT status, watched, count(*) FROM monitor GROUP BY status, watched"
        )
        return {(status, bool(watched)): count for status, watched, count in rows}

    def count_faults(self) -> dict[str, int]:
        """Return how many monitors have a fault, by the worst of each."""
        rows = self._database.read(
            "SELECT fault, count(*) FROM monitor WHERE fault > 0 GROUP BY fault"
        )
        return {FAULT_KINDS[fault]: count for fault, count in rows}

    def faulty(self, limit: int, *, pattern: str = "*") -> list[MonitorRecord]:
        """Return the monitors that have a fault, at most so many, the bad ones first.

        Only those whose keys are like a pattern.
        """
        query = (
            f"SELECT {COLUMNS} FROM monitor WHERE fault > 0 AND key LIKE ? ESCAPE '!'"  # noqa: S608 (a constant)
            " ORDER BY fault DESC, key LIMIT ?"
        )
        rows = self._database.read(query, (like_pattern(pattern), limit))
        # What LIKE lets through is at least what the pattern does.
        return [read_row(row) for row in rows if fnmatchcase(row[0], pattern)]

    def find(self, key: str) -> MonitorRecord | None:
        """A monitor as it was last judged; None if there is none of that key."""
        rows = self._database.read(
            f"SELECT {COLUMNS} FROM monitor WHERE key = ?",  # noqa: S608 (a constant)
            (key,),
        )
        return read_row(rows[0]) if rows else None

    def find_all(self, keys: Collection[str]) -> dict[str, MonitorRecord]:
        """Those of the keys that belong to a monitor, each with it."""
        found = {}
        # All keys are ASCII, and SQLite doesn't even look for bytes that are no UTF-8.
        for some in chunks(sorted({key for key in keys if key.isascii()})):
            query = f"SELECT {COLUMNS} FROM monitor WHERE key IN ({marks(len(some))})"  # noqa: S608 (constants)
            found.update({row[0]: read_row(row) for row in self._database.read(query, some)})
        return found

    def keys(self) -> list[str]:
        """The keys of all monitors, in order."""
        return [key for (key,) in self._database.read("SELECT key FROM monitor ORDER BY key")]

    def tags_of_each(self, pattern: str = "*") -> Iterator[tuple[str, list[str]]]:
        """The keys of all monitors like a pattern, in order, each with its tags."""
        after = ""
        query = (
            "SELECT key, declared FROM monitor WHERE key > ? AND key LIKE ? ESCAPE '!'"
            " ORDER BY key LIMIT ?"
        )
        while rows := self._database.read(query, (after, like_pattern(pattern), _PAGE)):
            after = rows[-1][0]
            for key, declared in rows:
                if fnmatchcase(key, pattern):
                    yield key, json.loads(declared).get("tags", "").split()

    def keys_after(
        self, after: str, limit: int, *, prefix: str = "", pattern: str = "*"
    ) -> list[str]:
        """At most so many of them, those behind a key that begin so and are like a pattern."""
        query = (
            "SELECT key FROM monitor WHERE key > ? AND key >= ? AND key < ?"
            " AND key LIKE ? ESCAPE '!' ORDER BY key LIMIT ?"
        )
        found: list[str] = []
        while len(found) < limit:
            # What LIKE lets through is at least what the pattern does.
            values = (after, prefix, f"{prefix}{_BEHIND_ALL}", like_pattern(pattern), limit)
            rows = self._database.read(query, values)
            found += [key for (key,) in rows if fnmatchcase(key, pattern)]
            if len(rows) < limit:
                break
            after = rows[-1][0]
        return found[:limit]

    def pings_before(self, monitor: str, before: tuple[int, str] | None, limit: int) -> list[Ping]:
        """The newest pings of a monitor, oldest first; `before` is a later one (time and id)."""
        time_us, ping_id = before or (2**62, "")
        return read_pings(
            self._database.read(
                f"SELECT {PING_COLUMNS}, body FROM ping WHERE monitor = ?"  # noqa: S608 (a constant)
                " AND (time_us < ? OR (time_us = ? AND id < ?))"
                " ORDER BY time_us DESC, id DESC LIMIT ?",
                (monitor, time_us, time_us, ping_id, limit),
            )
        )

    def find_ping(self, monitor: str, ping_id: str) -> Ping | None:
        """A ping of a monitor, without its body."""
        rows = self._database.read(
            f"SELECT {PING_COLUMNS} FROM ping WHERE id = ? AND monitor = ?",  # noqa: S608 (a constant)
            (ping_id, monitor),
        )
        return read_pings(rows)[0] if rows else None

    def newest(self, monitor: str, limit: int) -> list[Ping]:
        """The newest pings of a monitor by event time, oldest first."""
        return read_pings(
            self._database.read(
                f"SELECT {PING_COLUMNS}, body FROM ping WHERE monitor = ?"  # noqa: S608 (a constant)
                " ORDER BY time_us DESC, id DESC LIMIT ?",
                (monitor, limit),
            )
        )

    def newest_of_runs(self, monitor: str, limit: int) -> list[Ping]:
        """The newest pings of a monitor that tell of runs, oldest first, without their outputs."""
        return read_pings(
            self._database.read(
                f"SELECT {PING_COLUMNS} FROM ping"  # noqa: S608 (a constant)
                " WHERE monitor = ? AND kind != 'log' ORDER BY time_us DESC, id DESC LIMIT ?",
                (monitor, limit),
            )
        )

    def newest_of_each(self, monitors: Sequence[str], limit: int) -> dict[str, list[Ping]]:
        """The same of several monitors, in few queries."""
        found: dict[str, list[Ping]] = {monitor: [] for monitor in monitors}
        for start in range(0, len(monitors), _ASKED_TOGETHER):
            some = [*monitors[start : start + _ASKED_TOGETHER]]
            # The same text each time is prepared once; no monitor has an empty key.
            some += [""] * (_ASKED_TOGETHER - len(some))
            values = [value for monitor in some for value in (monitor, limit)]
            for ping in read_pings(self._database.read(_NEWEST_OF_EACH, values)):
                found[ping.monitor].append(ping)
        return {key: sorted(pings, key=in_order) for key, pings in found.items()}

    def newest_logs(self, monitor: str, limit: int) -> list[Ping]:
        """The newest log pings of a monitor, oldest first, with the beginning of what they say."""
        # SQLite has no part of what is empty.
        return read_pings(
            self._database.read(
                f"SELECT {PING_COLUMNS}, coalesce(substr(body, 1, {_LOG_BYTES}), body) FROM ping"  # noqa: S608 (constants)
                " WHERE monitor = ? AND kind = 'log' ORDER BY time_us DESC, id DESC LIMIT ?",
                (monitor, limit),
            )
        )

    def pings_of_run(self, monitor: str, run_id: str, times_us: tuple[int, int]) -> list[Ping]:
        """The pings of one run, oldest first; `times_us` are those of its first and its last."""
        return read_pings(
            self._database.read(
                f"SELECT {PING_COLUMNS}, body FROM ping"  # noqa: S608 (a constant)
                " WHERE monitor = ? AND run_id = ? AND time_us BETWEEN ? AND ?"
                " ORDER BY time_us DESC, id DESC",
                (monitor, run_id, *times_us),
            )
        )

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


def like_pattern(pattern: str) -> str:
    """LIKE's pattern for a shell's, escaped by `!`; of `[...]` it knows only: a character."""
    like, rest = "", pattern
    while rest:
        first, rest = rest[0], rest[1:]
        if first == "[":
            # Brackets that aren't closed are plain, and `]` as the first isn't the closing one.
            end = rest.find("]", 2 if rest[:1] == "!" else 1)
            like, rest = (like + "_", rest[end + 1 :]) if end >= 0 else (like + "[", rest)
        else:
            like += {"*": "%", "?": "_", "%": "!%", "_": "!_", "!": "!!"}.get(first, first)
    return like


def read_pings(rows: Rows) -> list[Ping]:
    """The pings in rows that are newest first, oldest first; those without a body have none."""
    return [
        Ping(
            kind,
            monitor,
            ping_id=ping_id,
            run_id=run_id,
            time_us=time_us,
            fields=json.loads(fields),
            body=bytes(body[0]) if body else b"",
            origin=read_origin(origin),
        )
        for ping_id, monitor, kind, run_id, time_us, fields, origin, *body in reversed(rows)
    ]


@lru_cache(4096)  # jobs come from few places, and each goes on to
def write_origin(origin: Origin | None) -> str:
    """The JSON that an origin is kept as."""
    return "" if origin is None else json.dumps(origin._asdict())


@lru_cache(4096)
def read_origin(written: str) -> Origin | None:
    """The origin that `write_origin` wrote."""
    return Origin(**json.loads(written)) if written else None


def read_row(row: tuple[Any, ...]) -> MonitorRecord:
    """The monitor in a row of COLUMNS."""
    key, declared, created_us, judged, pauses, settled, version, outages, faults = row
    return MonitorRecord(
        key,
        json.loads(declared),
        created_us,
        judged,
        read_pauses(pauses),
        frozenset(json.loads(settled)),
        version,
        read_outages(outages),
        read_faults(faults),
    )


# More than the store keeps, unless somebody wants it to.
_MOST_PINGS = 20_000
# A run has two pings, and others may go on between them.
_PINGS_BESIDES = 100

_SEARCHED_AT_ONCE = 200


class History(Reading):
    """Runs. Outputs are read of those only that somebody wants to see."""

    def runs(self, monitor: str, limit: int) -> list[Run]:
        """The newest runs of a monitor, the oldest of them first, without their outputs."""
        pings = self.newest_of_runs(monitor, min(2 * limit + _PINGS_BESIDES, _MOST_PINGS))
        return fold_runs(pings)[-limit:]

    def runs_before(self, monitor: str, before: tuple[int, str], limit: int) -> list[Run]:
        """The same of those that are older than a run (`first_us` and id), which may be gone."""
        runs = fold_runs(self.newest_of_runs(monitor, _MOST_PINGS))
        places = [(run.first_us, run.run_id) for run in runs]
        if before in places:
            return runs[: places.index(before)][-limit:]
        return [run for run in runs if run.first_us < before[0]][-limit:]

    def find_runs(self, monitor: str, ending: str | None = None) -> list[Run]:
        """The runs whose ids end like this; without it the newest that ended, if there is one.

        The oldest comes first, and the last one has its output.
        """
        runs = fold_runs(self.newest_of_runs(monitor, _MOST_PINGS))
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
            pings := self.pings_before(monitor, place, _SEARCHED_AT_ONCE)
        ):
            for ping in reversed(pings):
                said = ping.body.decode("utf-8", "replace") + ping.fields.get("message", "")
                if ping.kind in ("success", "fail") and wanted in said.lower():
                    found += fold_runs(self._pings_of(ping))[-1:]
            place = (pings[0].time_us, pings[0].id)
        return found[:limit][::-1]

    def _pings_of(self, last: Ping) -> list[Ping]:
        """The pings of the run that a ping ends, as far as its id tells them."""
        if not last.run_id:
            return [last]
        return [
            ping
            for ping in self.pings_of_run(last.monitor, last.run_id, (0, last.time_us))
            if ping.kind != "log"
        ]

    def with_output(self, monitor: str, run: Run) -> Run:
        """The same run with its output; many may have no id."""
        times_us = [time_us for time_us in (run.started_us, run.ended_us) if time_us is not None]
        pings = self.pings_of_run(monitor, run.run_id, (min(times_us), max(times_us)))
        return next((each for each in fold_runs(pings) if each.ended_us == run.ended_us), run)

    def last_runs(self, monitors: Sequence[str], count: int) -> dict[str, list[Run]]:
        """The last runs of monitors, `count` at least if there are as many, the oldest first.

        They are without their outputs.
        """
        pings = self.newest_of_each(monitors, 2 * count + 2)
        return {monitor: fold_runs(each) for monitor, each in pings.items()}

    def with_last_output(self, monitor: str, runs: list[Run]) -> list[Run]:
        """The same runs, the last one that ended with its output."""
        number = next((n for n in reversed(range(len(runs))) if not runs[n].is_running), None)
        if number is None:
            return runs
        return [*runs[:number], self.with_output(monitor, runs[number]), *runs[number + 1 :]]
