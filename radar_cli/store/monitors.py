"""Managing the monitors of the store: what a person creates, changes, pauses, deletes."""

import json
from dataclasses import replace
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
from radar_cli.store.database import Change, ChangedMeanwhileError, chunks, marks
from radar_cli.store.flips import add_flips
from radar_cli.store.reading import (
    COLUMNS,
    FAULT_KINDS,
    PING_COLUMNS,
    Reading,
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


class Managing(Reading):
    """The part of the store that changes monitors for people: all of several, or none."""

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
