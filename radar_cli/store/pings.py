"""The pings of the store: each is kept once, and its monitor judged with it."""

import json
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence

from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord, in_order
from radar_cli.store.aliases import note_use, resolve
from radar_cli.store.database import Change, Database, chunks, marks
from radar_cli.store.declaring import Zone, find_foreign
from radar_cli.store.monitors import count_made, find_for_update, replayed, save_many
from radar_cli.store.outages import Outages
from radar_cli.store.rows import PING_COLUMNS, read_pings, read_row, write_origin

# What a ping's fields say of its monitor, rather than of its run.
DECLARING = (
    *("name", "schedule", "every", "tz", "gracePeriod", "max_runtime", "tags", "hosts", "task"),
    *("zone", "cron_tz"),  # by which its host runs it, and what its crontab says in vain
)
# What says something of both: a monitor may be told of several tasks' runs.
_OF_MONITORS_ALONE = frozenset(DECLARING) - {"task"}
_REMEMBERED_MAX = 20_000
_LOG_BYTES = 500
_ASKED_TOGETHER = 25
_NEWEST_OF_EACH = " UNION ALL ".join(
    f"SELECT * FROM (SELECT {PING_COLUMNS} FROM ping WHERE monitor = ? AND kind != 'log'"  # noqa: S608 (constants)
    f" ORDER BY time_us DESC, id DESC LIMIT ?) AS of_{number}"
    for number in range(_ASKED_TOGETHER)
)


@dataclass(frozen=True, slots=True)
class Creation:
    """The making of a monitor by its first ping, where there is none.

    `declared` is what it is declared as where the ping says nothing; `maker` is the id of the API
    key that makes it, and `most` how many monitors that one may have made (0: any number).
    """

    declared: Mapping[str, str] = field(default_factory=dict)
    maker: str = ""
    most: int = 0


@dataclass(frozen=True, slots=True)
class Added:
    """The result of adding pings: the ids of new ones, and monitors that aren't there.

    Those of them that would have been one too many of their maker are `beyond`, each with a
    sentence that says so. `taken` are pings, by id, monitor and kind, whose ids are those of other
    pings: they were not added. `foreign` are ids of pings that declare a monitor of the set of
    another API key otherwise, which changes nothing of it.
    """

    new: set[str]
    unknown: set[str]
    beyond: Mapping[str, str]
    taken: set[tuple[str, str, str]]
    foreign: set[str]


class Pings:
    """Pings. Those that wait in files aren't here yet (see `radar_cli.service.intake`)."""

    def __init__(self, database: Database, outages: Outages, zone: Zone) -> None:
        self._database = database
        self._outages = outages
        self._zone = zone
        # What was read out of rows: most pings find their monitor as the last one left it.
        self._remembered: dict[tuple[Any, ...], MonitorRecord] = {}

    def add(self, pings: Iterable[Ping], now_us: int) -> int:
        """Add pings in one transaction, each by its id once; return how many were new."""
        return len(self.add_each(pings, now_us).new)

    def add_each(
        self,
        pings: Iterable[Ping],
        now_us: int,
        *,
        creating: Mapping[str, Creation] | None = None,
        senders: Mapping[str, str] | None = None,
        slack_us: int = 0,
    ) -> Added:
        """The same; say what became of them.

        With `creating`, only these monitors are made if they aren't there: others' pings are not
        kept, even if the monitor is deleted at this very moment. `senders` are the ids of the API
        keys with which pings came, by the ids of these. `slack_us` is by how much times
        may be wrong: a run that seems to have ended that much before it began ends right after.
        """
        some = [*pings]
        while (added := self._add_known(some, now_us, creating, senders, slack_us)) is None:
            pass
        return added

    def _add_known(
        self,
        pings: Sequence[Ping],
        now_us: int,
        creating: Mapping[str, Creation] | None,
        senders: Mapping[str, str] | None,
        slack_us: int,
    ) -> Added | None:
        """The same; None if some had come by aliases, and have the monitors' keys now."""
        by_monitor: dict[str, list[Ping]] = {}
        ids: dict[str, tuple[str, str]] = {}
        taken: set[tuple[str, str, str]] = set()
        foreign: set[str] = set()
        for ping in pings:
            if ping.id not in ids:
                ids[ping.id] = ping.monitor, ping.kind
                by_monitor.setdefault(ping.monitor, []).append(ping)
            elif ids[ping.id] != (ping.monitor, ping.kind):
                taken.add((ping.id, ping.monitor, ping.kind))
        with self._database.change() as change:
            keys = sorted(by_monitor)
            there = {known.key: known for known in find_for_update(change, keys, self._recall)}
            missing = by_monitor.keys() - there.keys()
            # Another transaction takes them in: each keeps its monitors in the order of keys.
            if missing and (renamed := resolve(change, missing)):
                note_use(change, renamed, now_us)
                for alias, key in renamed.items():
                    for ping in by_monitor[alias]:
                        ping.monitor = key
                return None
            beyond: dict[str, str] = {}
            if made := sorted(missing if creating is None else missing.intersection(creating)):
                firsts = [min(by_monitor[key], key=in_order) for key in made]
                beyond = _make(change, firsts, creating or {})
                there |= {known.key: known for known in find_for_update(change, made)}
            for key, known in there.items() if slack_us else ():
                _keep_order(known, by_monitor[key], slack_us)
            given = [ping for key in there for ping in by_monitor[key]]
            new = _insert(change, given)
            if len(new) < len(given):
                taken |= _find_taken(change, [ping for ping in given if ping.id not in new])
            news: dict[str, list[Ping]] = {}
            for ping in given:
                if ping.id in new:
                    news.setdefault(ping.monitor, []).append(ping)
            for key, some in news.items():
                there[key].note_outages(
                    self._outages.find_since(change, min(p.time_us for p in some))
                )
            judged = []
            for key, some in news.items():
                declaring = _Declaring(change, senders or {}, self._zone.name, foreign)
                judged.append(_apply(change, there[key], some, now_us, declaring))
            rows = save_many(change, judged, now_us)
        self._remember(rows, judged)
        return Added(new, by_monitor.keys() - there.keys(), beyond, taken, foreign)

    def _recall(self, row: tuple[Any, ...]) -> MonitorRecord:
        # Taken out, since it is about to change: if the transaction fails it was another story.
        known = self._remembered.pop(row, None)
        return read_row(row) if known is None else known

    def _remember(self, rows: Sequence[tuple[Any, ...]], judged: Sequence[MonitorRecord]) -> None:
        if len(self._remembered) > _REMEMBERED_MAX:
            self._remembered.clear()
        for row, known in zip(rows, judged, strict=True):
            known.mark_saved()
            self._remembered[row] = known

    def before(self, monitor: str, before: tuple[int, str] | None, limit: int) -> list[Ping]:
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

    def find(self, monitor: str, ping_id: str) -> Ping | None:
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

    def of_run(self, monitor: str, run_id: str, times_us: tuple[int, int]) -> list[Ping]:
        """The pings of one run, oldest first; `times_us` are those of its first and its last."""
        return read_pings(
            self._database.read(
                f"SELECT {PING_COLUMNS}, body FROM ping"  # noqa: S608 (a constant)
                " WHERE monitor = ? AND run_id = ? AND time_us BETWEEN ? AND ?"
                " ORDER BY time_us DESC, id DESC",
                (monitor, run_id, *times_us),
            )
        )


def _keep_order(known: MonitorRecord, pings: Sequence[Ping], slack_us: int) -> None:
    """See to it that no run ends before it began: then it would go on for ever."""
    begun = dict(known.state.running)
    for ping in pings:
        if ping.kind == "start":
            begun[ping.run_id] = ping.time_us
        elif (
            ping.kind != "log"
            and ping.run_id in begun
            and 0 <= begun[ping.run_id] - ping.time_us <= slack_us
        ):
            ping.time_us = begun[ping.run_id] + 1


def _make(
    change: Change, firsts: Sequence[Ping], creating: Mapping[str, Creation]
) -> dict[str, str]:
    """Make the monitors of these pings; return those beyond a limit.

    What each of the pings declares is read as that of any other, afterwards.
    """
    left: dict[str, int] = {}
    beyond: dict[str, str] = {}
    rows: list[tuple[str, str, int, str]] = []
    for ping in firsts:
        how = creating.get(ping.monitor) or Creation()
        if how.most:
            if how.maker not in left:
                left[how.maker] = how.most - count_made(change, how.maker)
            left[how.maker] -= 1
            if left[how.maker] < 0:
                beyond[ping.monitor] = f"this key has made {how.most} monitors, and may not more"
                continue
        rows.append((ping.monitor, json.dumps({**how.declared}), ping.time_us, how.maker))
    change.execute_many(
        "INSERT INTO monitor (key, declared, created_us, judged, made_by) VALUES (?, ?, ?, '', ?)"
        " ON CONFLICT (key) DO NOTHING",
        rows,
    )
    return beyond


_PING_PLACES = f"({marks(8)})"
_INSERT = (
    "INSERT INTO ping (id, monitor, kind, run_id, time_us, fields, body, origin) VALUES {}"
    " ON CONFLICT (id) DO NOTHING RETURNING id"
)


def _insert(change: Change, pings: Sequence[Ping]) -> set[str]:
    """Insert pings; return the ids of those that are new."""
    new: set[str] = set()
    for some in chunks(pings):
        values: list[object] = []
        for ping in some:
            said = {
                name: text for name, text in ping.fields.items() if name not in _OF_MONITORS_ALONE
            }
            values += (ping.id, ping.monitor, ping.kind, ping.run_id, ping.time_us)
            values += (json.dumps(said) if said else "{}", ping.body, write_origin(ping.origin))
        inserted = change.read(_INSERT.format(", ".join([_PING_PLACES] * len(some))), values)
        new.update(ping_id for (ping_id,) in inserted)
    return new


def _find_taken(change: Change, pings: Sequence[Ping]) -> set[tuple[str, str, str]]:
    """Those of the pings whose ids belong to pings of other monitors or kinds.

    The same ping once more is of the same monitor and kind.
    """
    wanted = {ping.id: (ping.monitor, ping.kind) for ping in pings}
    taken: set[tuple[str, str, str]] = set()
    for some in chunks([*wanted]):
        rows = change.read(
            f"SELECT id, monitor, kind FROM ping WHERE id IN ({marks(len(some))})",  # noqa: S608 (constants)
            some,
        )
        taken.update((each, *wanted[each]) for each, *known in rows if (*known,) != wanted[each])
    return taken


@dataclass(frozen=True, slots=True)
class _Declaring:
    """Declarations by pings: `senders` as in `add_each`, and for whom it was in vain."""

    change: Change
    senders: Mapping[str, str]
    zone: str
    foreign: set[str]

    def declare(self, known: MonitorRecord, ping: Ping) -> MonitorRecord:
        """Return a monitor as a ping declares it, unless it is in the set of another API key."""
        if not (said := declared_by(ping)):
            return known
        declared = known.redeclare(said, ping.time_us, self.zone)
        if declared is known or not (sender := self.senders.get(ping.id)):
            return declared
        if find_foreign(self.change, sender, [known.key]):
            self.foreign.add(ping.id)
            return known
        return declared


def _apply(
    change: Change, known: MonitorRecord, news: list[Ping], now_us: int, declaring: _Declaring
) -> MonitorRecord:
    """A monitor judged anew, as there are new pings of it."""
    news.sort(key=in_order)
    known.extend_back_to(news[0].time_us)
    if known.version == 0:
        # It is made as its first ping declares it: there is no other story of it.
        known = known.redeclare(declared_by(news[0]), news[0].time_us, declaring.zone)
    is_news, newest = known.is_before(news[0]), known.newest
    declared = known
    for ping in news:
        # Batches are chance: what one of several pings declares counts as if it had come alone.
        if newest < in_order(ping):
            declared = declaring.declare(declared, ping)
    if declared is known and is_news:
        return known.apply_pings(news)
    # One that comes late may tell the story otherwise, and so may another schedule.
    told = replayed(change, declared, now_us)
    # A story has no logs in it, but what is older than one is no news.
    told.newest = max(told.newest, newest, in_order(news[-1]))
    return told


def declared_by(ping: Ping) -> dict[str, str]:
    """Return what a ping declares of its monitor."""
    return {name: ping.fields[name] for name in DECLARING if name in ping.fields}
