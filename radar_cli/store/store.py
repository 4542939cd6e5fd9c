"""The store: it takes pings in, and judges the monitors that they tell of."""

import json
import sys
from typing import Iterable, Sequence

from radar_cli.pings.ping import Ping
from radar_cli.store.alerting import Alerting
from radar_cli.store.blindness import Blinking
from radar_cli.store.database import Change, chunks, marks
from radar_cli.store.declaring import Declaring
from radar_cli.store.judged import Judged, in_order
from radar_cli.store.managing import find_for_update, retold, save
from radar_cli.store.overview import Overview
from radar_cli.store.reading import COLUMNS, read_row
from radar_cli.store.retention import Sweeping
from radar_cli.store.tokens import Tokens

# What a ping's fields say of its monitor, rather than of its run.
DECLARING = ("name", "schedule", "every", "tz", "gracePeriod", "max_runtime", "tags")
_PUSHED_AWAY_S = 300.0
# Monitors judged in one transaction: others want to write in between.
_JUDGED_AT_ONCE = 500


class Store(Declaring, Alerting, Sweeping, Tokens, Blinking, Overview):
    """Monitors and their pings in a database. StateError: it can't be used.

    A context manager, which closes the database.
    """

    def add(self, pings: Iterable[Ping], now_us: int) -> int:
        """Add pings in one transaction, each by its id once; return how many were new."""
        return len(self.add_each(pings, now_us))

    def add_each(self, pings: Iterable[Ping], now_us: int) -> set[str]:
        """The same; return the ids of those that were new."""
        given = {ping.id: ping for ping in pings}
        with self._database.change() as change:
            added: dict[str, list[Ping]] = {}
            for ping_id in _insert(change, list(given.values())):
                added.setdefault(given[ping_id].monitor, []).append(given[ping_id])
            for known in find_for_update(change, sorted(added)):
                save(change, _apply(change, known, added[known.key], now_us), now_us)
        return {ping.id for news in added.values() for ping in news}

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
                    passed = read_row(row).pass_time(now_us)
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


def _insert(change: Change, pings: Sequence[Ping]) -> list[str]:
    """Insert pings, and the monitors that are unknown; return the ids of those that are new."""
    first: dict[str, Ping] = {}
    for ping in sorted(pings, key=in_order):
        first.setdefault(ping.monitor, ping)
    change.execute_many(
        "INSERT INTO monitor (key, declared, created_us, judged) VALUES (?, ?, ?, '')"
        " ON CONFLICT (key) DO NOTHING",
        [(key, json.dumps(declared_by(first[key])), first[key].time_us) for key in sorted(first)],
    )
    new: list[str] = []
    for some in chunks(pings):
        values: list[object] = []
        for ping in some:
            said = {name: text for name, text in ping.fields.items() if name not in DECLARING}
            values += (ping.id, ping.monitor, ping.kind, ping.run_id, ping.time_us)
            values += (json.dumps(said), ping.body)
        rows = ", ".join([f"({marks(7)})"] * len(some))
        query = (
            "INSERT INTO ping (id, monitor, kind, run_id, time_us, fields, body)"  # noqa: S608 (marks)
            f" VALUES {rows} ON CONFLICT (id) DO NOTHING RETURNING id"
        )
        new += [ping_id for (ping_id,) in change.read(query, values)]
    return new


def _apply(change: Change, known: Judged, news: list[Ping], now_us: int) -> Judged:
    """A monitor judged anew, as there are new pings of it."""
    news.sort(key=in_order)
    # It is as old as the first event, which need not be the first that came.
    known.created_us = min(known.created_us, news[0].time_us)
    is_news, newest = known.is_before(news[0]), known.newest
    declared = known
    for ping in news:
        # Batches are chance: what one of several pings declares counts as if it had come alone.
        if newest < in_order(ping):
            declared = declared.redeclare(declared_by(ping))
    if declared is known and is_news:
        return known.take(news)
    # One that comes late may tell the story otherwise, and so may another schedule.
    return retold(change, declared, now_us)


def declared_by(ping: Ping) -> dict[str, str]:
    """What a ping says of its monitor."""
    return {name: ping.fields[name] for name in DECLARING if name in ping.fields}
