"""The monitors of the store: found, judged, and changed by people."""

import json
import sys
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Callable, Collection, Iterator, Mapping, Sequence

from radar_cli.model.fault import worst
from radar_cli.model.monitor import Pause
from radar_cli.model.ping import Ping
from radar_cli.model.port import (
    ChangedError,
    KeyTakenError,
    UnknownMonitorError,
)
from radar_cli.model.record import (
    MonitorRecord,
    in_order,
    write_faults,
    write_outages,
    write_pauses,
)
from radar_cli.store.aliases import resolve
from radar_cli.store.database import Change, ChangedMeanwhileError, Database, chunks, marks
from radar_cli.store.flips import add_flips
from radar_cli.store.rows import (
    COLUMNS,
    FAULT_KINDS,
    PING_COLUMNS,
    like_pattern,
    read_pings,
    read_row,
)

# Today's state doesn't depend on what was before that many pings.
_RETOLD_PINGS = 200
# But a run may go on for long, and say so each minute: all of them are the chain that holds it.
_RETOLD_LOGS = 10_000
# Nor on older pauses.
_KEPT_PAUSES = 50
# What goes with a monitor.
_BELONGINGS = ("ping", "flip", "alert", "token", "alias")
_PAGE = 500
_BEHIND_ALL = "~"  # no key holds it
# Judged in one transaction: others want to write in between.
_JUDGED_AT_ONCE = 500
_PUSHED_AWAY_S = 300.0


class Monitors:
    """Monitors as they were last judged. What changes several changes all of them, or none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(
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

    def judge(self, now_us: int) -> int:
        """Let time pass until `now_us` for those monitors that it may change; return how many."""
        judged = 0
        while batch := self._judge_some(now_us):
            judged += batch
        return judged

    def _judge_some(self, now_us: int) -> int:
        due = "FROM monitor WHERE next_look_us < ?"
        if not self._database.read(f"SELECT 1 {due} LIMIT 1", (now_us,)):
            return 0
        with self._database.change() as change:
            # Skipped is what another server is at right now.
            rows = change.read(
                f"SELECT {COLUMNS} {due} ORDER BY next_look_us LIMIT ? FOR UPDATE SKIP LOCKED",
                (now_us, _JUDGED_AT_ONCE),
            )
            for row in rows:
                try:
                    passed = read_row(row).advance_to(now_us)
                    encoded = passed.encode()
                except Exception as fault:  # noqa: BLE001 (one poisoned monitor stops no other)
                    sys.stderr.write(f"radar: monitor {row[0]!r} can't be judged: {fault!r}\n")
                    change.execute(
                        "UPDATE monitor SET next_look_us = ? WHERE key = ?",
                        (now_us + round(_PUSHED_AWAY_S * 1e6), row[0]),
                    )
                else:
                    save(change, passed, now_us, encoded)
        return len(rows)

    def create(self, key: str, declared: Mapping[str, str], now_us: int) -> bool:
        """Create a monitor that is watched from now on; False if there is one of that key.

        KeyTakenError: another one had this key, and it goes on counting for that.
        """
        known = MonitorRecord(key, dict(declared), now_us, "")
        known.settled = frozenset(declared)
        with self._database.change() as change:
            check_free(change, key)
            is_new = change.execute(
                "INSERT INTO monitor (key, declared, created_us, judged) VALUES (?, '{}', ?, '')"
                " ON CONFLICT (key) DO NOTHING",
                (key, now_us),
            )
            if is_new:
                save(change, known, now_us)
        return is_new == 1

    def update(
        self,
        key: str,
        changes: Mapping[str, str | None],
        now_us: int,
        *,
        fingerprints: Collection[str] | None = None,
        fingerprint: str | None = None,
    ) -> MonitorRecord:
        """Change what a monitor is declared as (None takes a field out), and judge it anew.

        UnknownMonitorError: there is none of that key. ChangedError: it has none of these
        fingerprints, if any are given.
        """
        if fingerprint is not None:
            fingerprints = (fingerprint,)
        with self._database.change() as change:
            known = expect(change, key, fingerprints)
            merged = {**known.declared, **changes}
            declared = {name: value for name, value in merged.items() if value is not None}
            changed = known.with_declared(declared, known.settled | changes.keys())
            changed.mend(changes.keys(), now_us)
            return save(change, replayed(change, changed, now_us), now_us)

    def delete(self, keys: Sequence[str], *, fingerprints: Collection[str] | None = None) -> int:
        """Delete monitors with their pings; return how many pings went.

        UnknownMonitorError: there is none of one of these keys, and nothing was deleted.
        ChangedError: nor was it where one has none of these fingerprints, if any are given.
        """
        pings = 0
        with self._database.change() as change:
            for key in sorted(keys):
                expect(change, key, fingerprints)
                counts = [
                    change.execute(f"DELETE FROM {table} WHERE monitor = ?", (key,))  # noqa: S608 (a constant)
                    for table in _BELONGINGS
                ]
                pings += counts[0]
                change.execute("DELETE FROM monitor WHERE key = ?", (key,))
        return pings

    def pause(self, keys: Sequence[str], now_us: int, until_us: int | None) -> None:
        """Pause monitors; one that is paused already gets this end.

        UnknownMonitorError: there is none of one of these keys, and nothing was paused.
        """
        with self._database.change() as change:
            for known in _expect_all(change, keys):
                known.advance_to(now_us)
                current = known.monitor.pause_at(now_us) or Pause(now_us)
                past = [pause for pause in known.pauses if pause.begin_us < current.begin_us]
                _set_pauses(change, known, [*past, replace(current, end_us=until_us)], now_us)

    def resume(self, keys: Sequence[str], now_us: int) -> list[str]:
        """End the pauses of monitors; return the keys of those that were paused.

        UnknownMonitorError: there is none of one of these keys, and nothing was resumed.
        """
        resumed = []
        with self._database.change() as change:
            for known in _expect_all(change, keys):
                # Clocks jump: a pause may have begun later than now. It never was, then.
                pauses = [pause for pause in known.pauses if pause.begin_us < now_us]
                if pauses and not pauses[-1].is_over(now_us):
                    # An end is included, and now it goes on.
                    pauses[-1] = replace(pauses[-1], end_us=now_us - 1)
                if tuple(pauses) != known.pauses:
                    resumed.append(known.key)
                    _set_pauses(change, known, pauses, now_us)
        return [key for key in keys if key in resumed]


def save(
    change: Change, known: MonitorRecord, now_us: int, encoded: str | None = None
) -> MonitorRecord:
    """Keep a monitor as it is judged now, and what has flipped (`encoded`: as it says itself).

    ChangedMeanwhileError: somebody else has judged it since it was read.
    """
    known.review(now_us)
    found = change.execute(
        "UPDATE monitor SET declared = ?, settled = ?, created_us = ?, judged = ?, pauses = ?,"
        " outages = ?, faults = ?, fault = ?, news = ?, status = ?, watched = ?,"
        " next_look_us = ?, version = version + 1"
        " WHERE key = ? AND version = ?",
        (
            *(known.declared_json, _settled(known), known.created_us),
            *(known.encode() if encoded is None else encoded, write_pauses(known.pauses)),
            *(write_outages(known.outages), write_faults(known.faults)),
            *(_fault_level(known), _has_news(known)),
            *(str(known.view.status), int(known.is_watched), known.view.next_look_us),
            *(known.key, known.version),
        ),
    )
    if found != 1:
        raise ChangedMeanwhileError(f"monitor {known.key!r} was changed meanwhile", "try again")
    known.version += 1
    add_flips(change, known.version, known.flips, now_us)
    return known


def save_many(
    change: Change, several: Sequence[MonitorRecord], now_us: int
) -> list[tuple[Any, ...]]:
    """The same for several, in few statements; return their rows of COLUMNS."""
    rows: list[tuple[Any, ...]] = []
    for some in chunks(several):
        found = [
            (
                *(known.key, known.declared_json, known.created_us, known.encode()),
                *(write_pauses(known.pauses), _settled(known), known.version),
                *(write_outages(known.outages), write_faults(known.faults)),
                *(_fault_level(known), _has_news(known)),
                *(str(known.view.status), int(known.is_watched), known.view.next_look_us),
            )
            for known in (each.review(now_us) for each in some)
        ]
        places = ", ".join([f"({marks(len(found[0]))})"] * len(found))
        changed = change.execute(
            _UPDATE_MANY.format(places), [value for row in found for value in row]
        )
        if changed != len(found):
            raise ChangedMeanwhileError("monitors were changed meanwhile", "try again")
        rows += [(*row[:6], row[6] + 1, row[7], row[8]) for row in found]
    for known in several:
        add_flips(change, known.version + 1, known.flips, now_us)
    return rows


def _fault_level(known: MonitorRecord) -> int:
    return FAULT_KINDS.index(worst(known.faults)) if known.faults else 0


def _has_news(known: MonitorRecord) -> int:
    return int(any(fault.is_active and not fault.is_told for fault in known.faults))


def _settled(known: MonitorRecord) -> str:
    return json.dumps(sorted(known.settled)) if known.settled else "[]"


# The columns of VALUES have the same names in both databases, and in PostgreSQL no type if all
# that is in them is NULL.
_UPDATE_MANY = (
    "UPDATE monitor SET declared = new.column2, created_us = new.column3, judged = new.column4,"
    " pauses = new.column5, settled = new.column6, version = monitor.version + 1,"
    " outages = new.column8, faults = new.column9, fault = new.column10, news = new.column11,"
    " status = new.column12, watched = new.column13,"
    " next_look_us = CAST(new.column14 AS BIGINT)"
    " FROM (VALUES {}) AS new WHERE monitor.key = new.column1 AND monitor.version = new.column7"
)


def replayed(change: Change, known: MonitorRecord, now_us: int) -> MonitorRecord:
    """A monitor judged anew from its pings."""
    rows = change.read(
        f"SELECT {PING_COLUMNS} FROM ping WHERE monitor = ? AND kind != 'log'"  # noqa: S608 (a constant)
        " ORDER BY time_us DESC, id DESC LIMIT ?",
        (known.key, _RETOLD_PINGS),
    )
    pings = read_pings(rows)
    if pings:
        pings = merge_logs(change, known.key, pings)
    from_us = None
    if known.has_no_beginning or len(rows) == _RETOLD_PINGS:
        from_us = pings[0].time_us if pings else now_us
    return known.replay(pings, now_us, from_us=from_us)


def merge_logs(change: Change, key: str, pings: list[Ping]) -> list[Ping]:
    """Return these pings and the log pings since the first of them that extend a run."""
    rows = change.read(
        f"SELECT {PING_COLUMNS} FROM ping WHERE monitor = ? AND kind = 'log'"  # noqa: S608 (a constant)
        " AND time_us >= ? AND fields LIKE '%\"extend\":%' ORDER BY time_us DESC, id DESC LIMIT ?",
        (key, pings[0].time_us, _RETOLD_LOGS),
    )
    return sorted([*pings, *read_pings(rows)], key=in_order) if rows else pings


def forget_beginning(change: Change, key: str, now_us: int) -> None:
    """Note that the oldest pings of a monitor are gone: its story no longer begins with it."""
    known = expect(change, key)
    if not known.has_no_beginning:
        known.has_no_beginning = True
        save(change, known, now_us)


def _set_pauses(change: Change, known: MonitorRecord, pauses: list[Pause], now_us: int) -> None:
    save(change, known.with_pauses(pauses[-_KEPT_PAUSES:]).advance_to(now_us), now_us)


def _expect_all(change: Change, keys: Sequence[str]) -> Iterator[MonitorRecord]:
    # In order, so that no two who keep several from others wait for one another.
    for key in sorted(keys):
        yield expect(change, key)


def expect(change: Change, key: str, fingerprints: Collection[str] | None = None) -> MonitorRecord:
    """A monitor, kept from others until the change is done.

    UnknownMonitorError: there is none. ChangedError: it has none of these fingerprints.
    """
    rows = change.read(
        f"SELECT {COLUMNS} FROM monitor WHERE key = ? FOR UPDATE",  # noqa: S608 (a constant)
        (key,),
    )
    if not rows:
        raise UnknownMonitorError(f"no monitor {key[:60]!r}")
    known = read_row(rows[0])
    if fingerprints is not None and known.fingerprint not in fingerprints:
        raise ChangedError(f"monitor {key!r} was changed meanwhile", "look at it again")
    return known


def check_free(change: Change, key: str, *, of: str = "") -> None:
    """KeyTakenError: a key is an alias of a monitor, other than this one."""
    monitor = resolve(change, [key]).get(key, of)
    if monitor != of:
        raise KeyTakenError(
            f"{key!r} is the old key of a monitor that was renamed, and counts for it",
            f"'radar monitors unalias {key}' frees it",
        )


def count_made(change: Change, api_key: str) -> int:
    """Count the monitors that an API key has made."""
    rows = change.read("SELECT count(*) FROM monitor WHERE made_by = ?", (api_key,))
    return int(rows[0][0])


def find_for_update(
    change: Change, keys: Sequence[str], read: Callable[[tuple[Any, ...]], MonitorRecord] = read_row
) -> list[MonitorRecord]:
    """These monitors, kept from others: in order, so that no two writers wait for one another."""
    found = []
    for some in chunks(keys):
        found += change.read(
            f"SELECT {COLUMNS} FROM monitor WHERE key IN ({marks(len(some))})"  # noqa: S608 (constants)
            " ORDER BY key FOR UPDATE",
            some,
        )
    return [read(row) for row in found]
