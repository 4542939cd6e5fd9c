"""Alerts: what people are to be told of flips, by each channel, at least once.

An alert is a row from the moment it is known until it is delivered or given up, so that no crash
and no dead channel loses it. Its id is its idempotency key: the same however often it is sent.
"""

import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Callable, Sequence

from radar_cli.core.errors import RadarError
from radar_cli.core.ids import new_id
from radar_cli.monitors.state import Status
from radar_cli.store.database import Change
from radar_cli.store.flips import Flip, read_flip
from radar_cli.store.judged import Judged
from radar_cli.store.reading import COLUMNS, Reading, read_row

TOLD, SILENT = "told", "silent"
DELIVERED, GIVEN_UP = "delivered", "given up"
# A flip that nobody was told of in time is news only as long as it's so.
_NEWS_FOR_US = 24 * 3600 * 1_000_000
_LOOKED_AT_ONCE = 500
# In one transaction: others want to write in between.
_ENQUEUED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Alert:
    """One notice for one channel, kept from others for as long as a try takes."""

    id: str
    monitor: str
    channel: str
    notice: str  # JSON
    created_us: int
    tries: int  # this one included


# The channels that are to hear of a monitor's flip, each with what it is to be told.
Composer = Callable[[Judged, Flip], Sequence[tuple[str, str]]]


class Alerting(Reading):
    """What the store does so that people are told."""

    def enqueue_alerts(self, now_us: int, compose: Composer, *, remind_every_us: int = 0) -> int:
        """Make alerts of all flips that nobody was told of; return how many there are.

        While a monitor is paused its flips wait: those that are over when the pause is need not
        be told. `compose` is called with the monitor as it is now. With `remind_every_us` (see
        reminding.py) that it is down is to be told again after that time.
        """
        made = 0
        after = ""
        while True:
            rows = self._database.read(
                "SELECT DISTINCT monitor FROM flip WHERE fate = '' AND monitor > ?"
                " ORDER BY monitor LIMIT ?",
                (after, _LOOKED_AT_ONCE),
            )
            keys = [key for (key,) in rows]
            for start in range(0, len(keys), _ENQUEUED_AT_ONCE):
                some = keys[start : start + _ENQUEUED_AT_ONCE]
                made += self._enqueue_some(some, now_us, compose, remind_every_us)
            if len(rows) < _LOOKED_AT_ONCE:
                return made
            after = rows[-1][0]

    def _enqueue_some(
        self, keys: Sequence[str], now_us: int, compose: Composer, remind_every_us: int
    ) -> int:
        """Make the alerts of some monitors in one transaction, or of each in its own."""
        try:
            with self._database.change() as change:
                return sum(_enqueue(change, key, now_us, compose, remind_every_us) for key in keys)
        except RadarError:
            raise
        except Exception as fault:  # noqa: BLE001 (one poisoned monitor silences no other)
            if len(keys) > 1:
                return sum(
                    self._enqueue_some([key], now_us, compose, remind_every_us) for key in keys
                )
            sys.stderr.write(f"radar: monitor {keys[0]!r} can't be told of: {fault!r}\n")
            return 0

    def claim_alert(self, now_us: int, lease_us: int, channel: str) -> Alert | None:
        """The next alert of a channel that is due, kept from others for `lease_us`.

        None if there is none. While an older alert of a monitor waits for another try, the newer
        ones wait, too: that it is well again comes after that it wasn't.
        """
        # Most often there is none, and a look keeps nobody from writing.
        if not self._database.read(
            "SELECT 1 FROM alert WHERE channel = ? AND next_try_us <= ? LIMIT 1", (channel, now_us)
        ):
            return None
        with self._database.change() as change:
            rows = change.read(
                "SELECT id, monitor, channel, notice, created_us, tries, next_try_us FROM alert"
                " WHERE channel = ? AND next_try_us <= ? AND NOT EXISTS ("
                "SELECT 1 FROM alert AS older WHERE older.monitor = alert.monitor"
                " AND older.channel = alert.channel AND older.next_try_us IS NOT NULL"
                " AND older.created_us < alert.created_us)"
                " ORDER BY next_try_us, created_us LIMIT 1 FOR UPDATE SKIP LOCKED",
                (channel, now_us),
            )
            if not rows:
                return None
            alert_id, monitor, channel, notice, created_us, tries, next_try_us = rows[0]
            claimed = change.execute(
                "UPDATE alert SET tries = tries + 1, next_try_us = ?"
                " WHERE id = ? AND next_try_us = ?",
                (now_us + lease_us, alert_id, next_try_us),
            )
        if claimed != 1:
            return None
        return Alert(alert_id, monitor, channel, notice, created_us, tries + 1)

    def settle_alert(self, alert: Alert, fate: str, error: str = "") -> None:
        """Note that a claimed alert was delivered, or is given up, and why."""
        with self._database.change() as change:
            change.execute(
                "UPDATE alert SET fate = ?, error = ?, next_try_us = NULL WHERE id = ?",
                (fate, error, alert.id),
            )

    def postpone_alert(self, alert: Alert, next_try_us: int, error: str) -> None:
        """Note that a claimed alert could not be delivered, and when to try again."""
        with self._database.change() as change:
            change.execute(
                "UPDATE alert SET next_try_us = ?, error = ? WHERE id = ? AND fate = ''",
                (next_try_us, error, alert.id),
            )

    def count_waiting_alerts(self, pattern: str = "*") -> int:
        """How many alerts wait for delivery, of monitors with such keys."""
        rows = self._database.read(
            "SELECT monitor, count(*) FROM alert WHERE next_try_us IS NOT NULL GROUP BY monitor"
        )
        return sum(count for monitor, count in rows if fnmatchcase(monitor, pattern))

    def waiting_alerts(self) -> list[tuple[str, str, str, int]]:
        """Alerts that wait for another try: monitor, channel, last error, tries."""
        rows = self._database.read(
            "SELECT monitor, channel, error, tries FROM alert WHERE next_try_us IS NOT NULL"
            " ORDER BY created_us, id"
        )
        return [(monitor, channel, error, tries) for monitor, channel, error, tries in rows]


def _enqueue(change: Change, key: str, now_us: int, compose: Composer, remind_every_us: int) -> int:
    """Decide for each untold flip of one monitor whether it is told, and to whom."""
    rows = change.read(f"SELECT {COLUMNS} FROM monitor WHERE key = ? FOR UPDATE", (key,))  # noqa: S608 (a constant)
    if not rows:
        change.execute("UPDATE flip SET fate = ? WHERE monitor = ? AND fate = ''", (SILENT, key))
        return 0
    known = read_row(rows[0])
    if known.view_at(now_us).status == Status.PAUSED:
        return 0
    flips = [
        read_flip(row)
        for row in change.read(
            "SELECT id, monitor, previous, status, reason, time_us, noticed_us FROM flip"
            " WHERE monitor = ? AND fate = '' ORDER BY number",
            (key,),
        )
    ]
    told = change.read(
        "SELECT status FROM flip WHERE monitor = ? AND fate = ? ORDER BY number DESC LIMIT 1",
        (key, TOLD),
    )
    last_told = told[0][0] if told else ""
    notices: list[tuple[str, str, str]] = []
    for flip in flips:
        fate, remind_us = SILENT, None
        if _is_news(flip, known, now_us, is_last=flip is flips[-1], last_told=last_told):
            fate, last_told = TOLD, flip.status
            # What was told before is over.
            change.execute(
                "UPDATE flip SET remind_us = NULL WHERE monitor = ? AND remind_us IS NOT NULL",
                (key,),
            )
            if remind_every_us and flip.status == Status.DOWN:
                remind_us = now_us + remind_every_us
            notices += [(flip.id, *notice) for notice in compose(known, flip)]
        marked = change.execute(
            "UPDATE flip SET fate = ?, remind_us = ? WHERE id = ? AND fate = ''",
            (fate, remind_us, flip.id),
        )
        assert marked == 1  # noqa: S101 (the monitor's row is ours, and with it its flips)
    return add_alerts(change, key, notices, now_us)


def _is_news(flip: Flip, known: Judged, now_us: int, *, is_last: bool, last_told: str) -> bool:
    """Whether people should hear of a flip."""
    if not is_last:
        if flip.noticed_us < now_us - _NEWS_FOR_US:
            return False
        if any(p.begin_us <= flip.time_us and not p.is_over(flip.time_us) for p in known.pauses):
            return False
    if flip.status == Status.DOWN:
        return last_told != Status.DOWN
    # That it is well again is news for who heard that it wasn't.
    return last_told == Status.DOWN


def add_alerts(
    change: Change, key: str, notices: Sequence[tuple[str, str, str]], now_us: int
) -> int:
    """Make alerts of notices: flip, channel and what it says, in the order of their telling."""
    return change.execute_many(
        "INSERT INTO alert (id, flip, monitor, channel, notice, created_us, next_try_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            # Each a little later, since they are told in this order.
            (new_id(now_us), flip_id, key, channel, notice, now_us + number, now_us)
            for number, (flip_id, channel, notice) in enumerate(notices)
        ],
    )
