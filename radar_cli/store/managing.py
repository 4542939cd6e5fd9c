"""Managing the monitors of the embedded store: what a person creates, changes, pauses, deletes."""

import json
import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from typing import Iterator, Mapping, Sequence

from radar_cli.errors import StateError, UsageError
from radar_cli.monitors.monitor import Pause
from radar_cli.store.judged import Judged, write_pauses
from radar_cli.store.reading import Reading

# Today's state doesn't depend on what was before that many pings.
RETOLD_PINGS = 200
# Nor on older pauses.
_KEPT_PAUSES = 50


class UnknownMonitorError(UsageError):
    """A monitor that the store doesn't hold."""

    slug = "unknown-monitor"


class Managing(Reading):
    """What a person does to monitors. A change of several monitors is one of all or of none."""

    def create(self, key: str, declared: Mapping[str, str], now_us: int) -> bool:
        """Create a monitor that is watched from now on; False if there is one of that key."""
        known = Judged(key, dict(declared), now_us, "")
        with self._translate(), self._transaction():
            cursor = self._connection.execute(
                "INSERT INTO monitor (key, declared, settled, created_us, judged, next_look_us)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                (
                    *(key, json.dumps(known.declared), json.dumps(sorted(known.declared))),
                    *(now_us, known.encode(), known.view.next_look_us),
                ),
            )
        return cursor.rowcount == 1

    def update(self, key: str, changes: Mapping[str, str | None], now_us: int) -> Judged:
        """Change what a monitor is declared as (None takes a field out), and judge it anew.

        UnknownMonitorError: there is none of that key.
        """
        with self._change() as connection:
            known = self._expect(key)
            before = json.dumps(known.declared)
            merged = {**known.declared, **changes}
            declared = {name: value for name, value in merged.items() if value is not None}
            settled = known.settled | changes.keys()
            cursor = connection.execute(
                "UPDATE monitor SET declared = ?, settled = ? WHERE key = ? AND declared = ?",
                (json.dumps(declared), json.dumps(sorted(settled)), key, before),
            )
            _expect_one(cursor, key)
            changed = Judged(key, declared, known.created_us, "", known.pauses, settled)
            self._save(self._retell(changed).pass_time(now_us))
        return changed

    def delete(self, keys: Sequence[str]) -> int:
        """Delete monitors with their pings; return how many pings went.

        UnknownMonitorError: there is none of one of these keys, and nothing was deleted.
        """
        pings = 0
        with self._change() as connection:
            for key in keys:
                pings += connection.execute("DELETE FROM ping WHERE monitor = ?", (key,)).rowcount
                _expect_one(connection.execute("DELETE FROM monitor WHERE key = ?", (key,)), key)
        return pings

    def pause(self, keys: Sequence[str], now_us: int, until_us: int | None) -> None:
        """Pause monitors; one that is paused already gets this end.

        UnknownMonitorError: there is none of one of these keys, and nothing was paused.
        """
        with self._change():
            for key in keys:
                known = self._expect(key).pass_time(now_us)
                current = known.monitor.pause_at(now_us) or Pause(now_us)
                past = [pause for pause in known.pauses if pause.begin_us < current.begin_us]
                self._set_pauses(known, [*past, replace(current, end_us=until_us)], now_us)

    def resume(self, keys: Sequence[str], now_us: int) -> list[str]:
        """End the pauses of monitors; return the keys of those that were paused.

        UnknownMonitorError: there is none of one of these keys, and nothing was resumed.
        """
        resumed = []
        with self._change():
            for key in keys:
                known = self._expect(key)
                # Clocks jump: a pause may have begun later than now. It never was, then.
                pauses = [pause for pause in known.pauses if pause.begin_us < now_us]
                if pauses and not pauses[-1].is_over(now_us):
                    # An end is included, and now it goes on.
                    pauses[-1] = replace(pauses[-1], end_us=now_us - 1)
                if tuple(pauses) != known.pauses:
                    resumed.append(key)
                    self._set_pauses(known, pauses, now_us)
        return resumed

    def _set_pauses(self, known: Judged, pauses: list[Pause], now_us: int) -> None:
        cursor = self._connection.execute(
            "UPDATE monitor SET pauses = ? WHERE key = ? AND pauses = ?",
            (write_pauses(pauses[-_KEPT_PAUSES:]), known.key, write_pauses(known.pauses)),
        )
        _expect_one(cursor, known.key)
        self._save(known.with_pauses(pauses[-_KEPT_PAUSES:]).pass_time(now_us))

    def _expect(self, key: str) -> Judged:
        known = self.find(key)
        if known is None:
            raise UnknownMonitorError(f"no monitor {key[:60]!r}")
        return known

    def _retell(self, known: Judged) -> Judged:
        """Judge a monitor anew from its pings."""
        pings = self.newest(known.key, RETOLD_PINGS)
        is_cut = len(pings) == RETOLD_PINGS
        return known.retell(pings, from_us=pings[0].time_us if is_cut else None)

    def _save(self, known: Judged) -> None:
        self._connection.execute(
            "UPDATE monitor SET created_us = ?, judged = ?, next_look_us = ? WHERE key = ?",
            (known.created_us, known.encode(), known.view.next_look_us, known.key),
        )

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._translate(), self._transaction():
            yield self._connection


def _expect_one(cursor: sqlite3.Cursor, key: str) -> None:
    """Count the rows of a change: between its look and itself somebody may have been there."""
    if cursor.rowcount == 0:
        raise UnknownMonitorError(f"no monitor {key[:60]!r}")
    if cursor.rowcount != 1:
        raise StateError(f"monitor {key[:60]!r} is there {cursor.rowcount} times")
