"""The embedded store in SQLite: it takes pings in, and judges the monitors that they tell of."""

import json
import sys
from typing import Iterable

from radar_cli.pings.ping import Ping
from radar_cli.store.judged import in_order
from radar_cli.store.managing import Managing
from radar_cli.store.reading import COLUMNS, Row, read_row

# What a ping's fields say of its monitor, rather than of its run.
DECLARING = ("name", "schedule", "every", "tz", "gracePeriod", "max_runtime", "tags")
# A monitor that runs every minute has three days of history then.
KEPT_PINGS = 10_000
_PUSHED_AWAY_S = 300.0


class Store(Managing):
    """The file `radar.db` of a state directory. StateError: it can't be used."""

    def add(self, pings: Iterable[Ping]) -> int:
        """Add pings in one transaction, each by its id once; return how many were new."""
        added: dict[str, list[Ping]] = {}
        with self._translate(), self._transaction():
            for ping in pings:
                if self._insert(ping):
                    added.setdefault(ping.monitor, []).append(ping)
            for key, news in added.items():
                self._apply(key, news)
                self._connection.execute(
                    "DELETE FROM ping WHERE monitor = ? AND time_us < (SELECT time_us FROM ping"
                    " WHERE monitor = ? ORDER BY time_us DESC, id DESC LIMIT 1 OFFSET ?)",
                    (key, key, KEPT_PINGS - 1),
                )
        return sum(map(len, added.values()))

    def judge(self, now_us: int) -> int:
        """Let time pass until `now_us` for those monitors that it may change; return how many."""
        due = "FROM monitor WHERE next_look_us < ?"
        with self._translate():
            if not self._connection.execute(f"SELECT 1 {due} LIMIT 1", (now_us,)).fetchone():
                return 0
            with self._transaction():
                rows = self._connection.execute(f"SELECT {COLUMNS} {due}", (now_us,)).fetchall()
                for row in rows:
                    self._let_time_pass(row, now_us)
        return len(rows)

    def _insert(self, ping: Ping) -> bool:
        """Insert a ping, and its monitor if it is unknown; False if the ping is known."""
        said = {name: value for name, value in ping.fields.items() if name not in DECLARING}
        self._connection.execute(
            "INSERT INTO monitor (key, declared, created_us, judged) VALUES (?, ?, ?, '')"
            " ON CONFLICT (key) DO NOTHING",
            (ping.monitor, json.dumps(_declared_by(ping)), ping.time_us),
        )
        cursor = self._connection.execute(
            "INSERT INTO ping (id, monitor, kind, run_id, time_us, fields, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (
                *(ping.id, ping.monitor, ping.kind, ping.run_id, ping.time_us),
                *(json.dumps(said), ping.body),
            ),
        )
        return cursor.rowcount == 1

    def _apply(self, key: str, news: list[Ping]) -> None:
        """Judge a monitor anew, as there are new pings of it."""
        known = self._expect(key)
        news.sort(key=in_order)
        # It is as old as the first event, which need not be the first that came.
        known.created_us = min(known.created_us, news[0].time_us)
        is_news = known.is_before(news[0])
        declared = known.declared
        if known.newest < in_order(news[-1]):
            known = known.redeclare(_declared_by(news[-1]))
        if known.declared != declared:
            self._connection.execute(
                "UPDATE monitor SET declared = ? WHERE key = ?", (json.dumps(known.declared), key)
            )
        elif is_news:
            self._save(known.take(news))
            return
        # One that comes late may tell the story otherwise, and so may another schedule.
        self._save(self._retell(known))

    def _let_time_pass(self, row: Row, now_us: int) -> None:
        try:
            self._save(read_row(row).pass_time(now_us))
        except Exception as fault:  # noqa: BLE001 (one poisoned monitor stops no other)
            sys.stderr.write(f"radar: monitor {row[0]!r} can't be judged: {fault!r}\n")
            later_us = now_us + round(_PUSHED_AWAY_S * 1e6)
            self._connection.execute(
                "UPDATE monitor SET next_look_us = ? WHERE key = ?", (later_us, row[0])
            )


def _declared_by(ping: Ping) -> dict[str, str]:
    return {name: ping.fields[name] for name in DECLARING if name in ping.fields}
