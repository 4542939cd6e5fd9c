"""The store: it takes pings in, and judges the monitors that they tell of."""

import json
import sys
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence

from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord, in_order
from radar_cli.store.aliases import note_use, resolve
from radar_cli.store.database import Change, Database, chunks, marks
from radar_cli.store.declaring import Declaring, find_foreign
from radar_cli.store.identity import Identity, LostStoreError
from radar_cli.store.monitors import count_made, find_for_update, replayed, save, save_many
from radar_cli.store.outages import Watching
from radar_cli.store.overview import Overview
from radar_cli.store.reading import COLUMNS, read_row, write_origin
from radar_cli.store.reminders import Reminding
from radar_cli.store.renaming import Renaming
from radar_cli.store.retention import Sweeping
from radar_cli.store.tokens import Tokens

# What a ping's fields say of its monitor, rather than of its run.
DECLARING = (
    *("name", "schedule", "every", "tz", "gracePeriod", "max_runtime", "tags", "hosts", "task"),
    *("zone", "cron_tz"),  # by which its host runs it, and what its crontab says in vain
)
# What says something of both: a monitor may be told of several tasks' runs.
_OF_MONITORS_ALONE = frozenset(DECLARING) - {"task"}
_PUSHED_AWAY_S = 300.0
# Monitors judged in one transaction: others want to write in between.
_JUDGED_AT_ONCE = 500
_REMEMBERED_MAX = 20_000


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


class Store(Declaring, Renaming, Reminding, Sweeping, Tokens, Watching, Overview):
    """Monitors and their pings in a database. StateError: it can't be used.

    A context manager, which closes the database.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.identity: Identity | None = None  # of one that was opened where stores are known
        self.loss: LostStoreError | None = None  # it isn't the one that was known there
        # What was read out of rows: most pings find their monitor as the last one left it.
        self._remembered: dict[tuple[Any, ...], MonitorRecord] = {}

    def __exit__(self, *given: Any) -> None:
        # Not in `close`: a server ends without waiting for its database.
        if self.identity is not None and self.loss is None:
            self.identity.leave()
        super().__exit__(*given)

    def find_loss(self) -> str:
        """Return what is wrong if it isn't the store that was known there, "" if it is."""
        return "" if self.loss is None else self.loss.line()

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
                there[key].note_outages(self._outages_since(change, min(p.time_us for p in some)))
            judged = []
            for key, some in news.items():
                declaring = _Declaring(change, senders or {}, self.default_zone, foreign)
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
