"""Notices on their way: alerts of one channel that are told together, until they are delivered.

A notice is a row from the moment it is made, with an id that is its idempotency key: the same
however often it is sent, by whichever server. A channel has few of them open at once, so that
after a long silence of it people get one long notice, and not a hundred.
"""

import itertools
import json
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Sequence

from radar_cli.core.ids import new_id
from radar_cli.model.notice_log import Logged
from radar_cli.model.notice_timing import count_burst, may_send_us
from radar_cli.store.channels import QUIET, lock_channel, note_failure
from radar_cli.store.database import Change, Database, chunks, marks
from radar_cli.store.rows import like_pattern

DELIVERED, GIVEN_UP = "delivered", "given up"
FLAPPING, ESCALATING = "flapping", "escalating"
# What is held for these is looked at again before it is told: is it still so (see holding.py)?
LOOKED_AT = f"held IN ('{QUIET}', '{ESCALATING}')"
# Beside one that fails, others have their chance: it may be this one that can't be told.
_OPEN_MAX = 3
_TOLD_TOGETHER_MAX = 2000
# So many changes of one monitor that wait are told as one.
_ONE_FROM = 3
CHANGES = ("down", "up")


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: one change of one monitor, for one channel."""

    id: str
    monitor: str
    notice: str  # JSON
    created_us: int
    held: str = ""  # why it had to wait: flapping, quiet or escalating
    kind: str = ""
    is_reminder: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notice that is tried now, kept from others for as long as the try takes.

    `alerts` has those of each monitor together, the newest last; what it says is the newest's.
    """

    id: str
    channel: str
    created_us: int
    tries: int  # this one included
    alerts: tuple[Alert, ...]


class Notices:
    """Notices on their way, and the log of those that were."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, now_us: int, lease_us: int, channel: str, *, waits: bool = False, alone: bool = False
    ) -> Outgoing | None:
        """The next notice of a channel that is due, kept from others for `lease_us`.

        None if there is none. It is made now if alerts wait: with all of one kind that do, or
        `alone`, with one. With `waits`, others that are about to come may join it, and it doesn't
        follow the last one too closely. While an older alert of a monitor is on its way the newer
        ones wait: that it is well again comes after that it wasn't.
        """
        # Most often there is none, and a look keeps nobody from writing.
        if not self._database.read(
            "SELECT 1 FROM notice WHERE channel = ? AND next_try_us <= ? LIMIT 1", (channel, now_us)
        ) and not self._may_make(now_us, channel, waits=waits):
            return None
        with self._database.change() as change:
            lock_channel(change, channel)
            found = _claim_open(change, now_us, lease_us, channel)
            # Another server may just have made one.
            if found is None and self._may_make(now_us, channel, waits=waits, change=change):
                found = _make(change, now_us, lease_us, channel, alone=alone)
        return found

    def _may_make(
        self, now_us: int, channel: str, *, waits: bool, change: Change | None = None
    ) -> bool:
        """Whether alerts wait that may be told now."""
        read = self._database.read if change is None else change.read
        ((first_us,),) = read(
            "SELECT min(next_try_us) FROM alert"  # noqa: S608 (a constant)
            f" WHERE channel = ? AND next_try_us <= ? AND told_in = '' AND NOT {LOOKED_AT}",
            (channel, now_us),
        )
        if first_us is None:
            return False
        if not waits:
            return True
        rows = read("SELECT sent_us, burst FROM channel WHERE name = ?", (channel,))
        sent_us, burst = rows[0] if rows else (0, 0)
        return now_us >= may_send_us(first_us, sent_us, burst)

    def settle(self, notice: Outgoing, fate: str, answer: str, now_us: int) -> None:
        """Note that a claimed notice was delivered, or is given up, and with which answer."""
        with self._database.change() as change:
            lock_channel(change, notice.channel)
            change.execute(
                "UPDATE notice SET fate = ?, answer = ?, next_try_us = NULL, settled_us = ?"
                " WHERE id = ?",
                (fate, answer, now_us, notice.id),
            )
            change.execute(
                "UPDATE alert SET fate = ?, next_try_us = NULL WHERE told_in = ?",
                (fate, notice.id),
            )
            if fate == DELIVERED:
                change.execute(
                    "UPDATE channel SET delivered_us = ?, failing_us = NULL, failures = 0,"
                    " error = '' WHERE name = ?",
                    (now_us, notice.channel),
                )
            else:
                note_failure(change, notice.channel, answer, now_us)

    def postpone(self, notice: Outgoing, next_try_us: int, error: str, now_us: int) -> None:
        """Note that a claimed notice could not be delivered, and when to try again."""
        with self._database.change() as change:
            lock_channel(change, notice.channel)
            open_ = change.execute(
                "UPDATE notice SET next_try_us = ?, answer = ? WHERE id = ? AND fate = ''",
                (next_try_us, error, notice.id),
            )
            if open_:
                change.execute(
                    "UPDATE alert SET next_try_us = ?, error = ?, tries = ? WHERE told_in = ?",
                    (next_try_us, error, notice.tries, notice.id),
                )
                note_failure(change, notice.channel, error, now_us)

    def newest(
        self,
        limit: int,
        *,
        monitor: str = "",
        channel: str = "",
        since_us: int = 0,
        pattern: str = "*",
        before: str = "",
    ) -> list[Logged]:
        """The newest notices, the newest first; only those of a monitor, or through a channel.

        With a `pattern`, only those of monitors with such keys, and of others nothing: neither
        their names nor how many they are. `before` is the id of a later notice.
        """
        chosen, values = "", [since_us]
        more: list[object] = []
        if before:
            chosen += (
                " AND (created_us, id) < (SELECT created_us, id FROM notice AS other"
                " WHERE other.id = ?)"
            )
            more.append(before)
        if channel:
            chosen += " AND channel = ?"
            more.append(channel)
        if monitor:
            chosen += (
                " AND EXISTS (SELECT 1 FROM alert WHERE alert.told_in = notice.id"
                " AND alert.monitor = ?)"
            )
            more.append(monitor)
        if pattern != "*":
            chosen += (
                " AND EXISTS (SELECT 1 FROM alert WHERE alert.told_in = notice.id"
                " AND alert.monitor LIKE ? ESCAPE '!')"
            )
            more.append(like_pattern(pattern))
        rows = self._database.read(
            "SELECT id, channel, kind, monitors, created_us, settled_us, next_try_us, tries, fate,"  # noqa: S608 (constants)
            f" answer FROM notice WHERE created_us >= ?{chosen}"
            " ORDER BY created_us DESC, id DESC LIMIT ?",
            (*values, *more, limit),
        )
        keys = self._monitors_of([row[0] for row in rows])
        found = [Logged(row[0], row[1], row[2], keys.get(row[0], ()), *row[3:]) for row in rows]
        return found if pattern == "*" else [_seen_by(pattern, each) for each in found]

    def newest_of(
        self, key: str, limit: int = 10, *, pattern: str = "*", before: str = ""
    ) -> list[Logged]:
        """Return the newest notices of a monitor, the newest first; see `newest`."""
        return self.newest(limit, monitor=key, pattern=pattern, before=before)

    def _monitors_of(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The monitors that each of some notices tells of."""
        found: dict[str, dict[str, None]] = {}
        for some in chunks(ids):
            rows = self._database.read(
                f"SELECT told_in, monitor FROM alert WHERE told_in IN ({marks(len(some))})"  # noqa: S608 (constants)
                " ORDER BY monitor",
                some,
            )
            for notice_id, monitor in rows:
                if monitor:
                    found.setdefault(notice_id, {})[monitor] = None
        return {notice_id: tuple(monitors) for notice_id, monitors in found.items()}


def _seen_by(pattern: str, logged: Logged) -> Logged:
    """Return a notice as somebody may see it who sees only monitors like a pattern."""
    monitors = tuple(key for key in logged.monitors if fnmatchcase(key, pattern))
    return replace(logged, monitors=monitors, count=len(monitors))


def _claim_open(change: Change, now_us: int, lease_us: int, channel: str) -> Outgoing | None:
    """Claim the notice whose next try is due."""
    rows = change.read(
        "SELECT id, created_us, tries FROM notice WHERE channel = ? AND next_try_us <= ?"
        " ORDER BY next_try_us, created_us LIMIT 1",
        (channel, now_us),
    )
    if not rows:
        return None
    ((notice_id, created_us, tries),) = rows
    change.execute(
        "UPDATE notice SET tries = tries + 1, next_try_us = ? WHERE id = ?",
        (now_us + lease_us, notice_id),
    )
    alerts = change.read(
        "SELECT id, monitor, notice, created_us, held FROM alert WHERE told_in = ?"
        " ORDER BY monitor, created_us, id",
        (notice_id,),
    )
    return Outgoing(notice_id, channel, created_us, tries + 1, tuple(map(read_alert, alerts)))


def _make(
    change: Change, now_us: int, lease_us: int, channel: str, *, alone: bool
) -> Outgoing | None:
    """Make a notice of what waits, if not too many are open, and claim it."""
    ((open_,),) = change.read(
        "SELECT count(*) FROM notice WHERE channel = ? AND next_try_us IS NOT NULL", (channel,)
    )
    if open_ >= _OPEN_MAX and not alone:
        return None
    behind: dict[str, int] = dict(
        change.read(
            "SELECT monitor, min(created_us) FROM alert WHERE channel = ?"  # noqa: S608 (a constant)
            " AND next_try_us IS NOT NULL"
            f" AND (told_in != '' OR next_try_us > ? OR {LOOKED_AT}) GROUP BY monitor",
            (channel, now_us),
        )
    )
    rows = change.read(
        "SELECT id, monitor, notice, created_us, held FROM alert"  # noqa: S608 (a constant)
        f" WHERE channel = ? AND next_try_us <= ? AND told_in = '' AND NOT {LOOKED_AT}"
        " ORDER BY created_us, id LIMIT ?",
        (channel, now_us, _TOLD_TOGETHER_MAX + len(behind)),
    )
    due = [row for row in rows if row[1] not in behind or row[3] <= behind[row[1]]]
    chosen = choose([read_alert(row) for row in due], alone=alone)
    if not chosen:
        return None
    is_one = len(chosen) == 1
    # One alone has its own key, under which an older radar may have tried it.
    notice_id = chosen[0].id if is_one else new_id(now_us)
    monitors = len({alert.monitor for alert in chosen})
    kind = chosen[-1].kind
    change.execute(
        "INSERT INTO notice (id, channel, kind, monitors, created_us, next_try_us, tries)"
        " VALUES (?, ?, ?, ?, ?, ?, 1)",
        (notice_id, channel, kind, monitors, now_us, now_us + lease_us),
    )
    for some in chunks([alert.id for alert in chosen]):
        change.execute(
            f"UPDATE alert SET told_in = ?, tries = 1 WHERE id IN ({marks(len(some))})",  # noqa: S608 (constants)
            (notice_id, *some),
        )
    ((sent_us, burst),) = change.read(
        "SELECT sent_us, burst FROM channel WHERE name = ?", (channel,)
    )
    change.execute(
        "UPDATE channel SET sent_us = ?, burst = ? WHERE name = ?",
        (now_us, count_burst(now_us, sent_us, burst), channel),
    )
    return Outgoing(notice_id, channel, now_us, 1, tuple(chosen))


def choose(alerts: Sequence[Alert], *, alone: bool = False) -> list[Alert]:
    """Choose of what waits, oldest first, what is told in one notice.

    That is all of one kind, and of each monitor what it heard first. Several changes of a monitor
    are one, told as the newest, where they were held back or are too many.
    """
    if alone:
        return list(alerts[:1])
    by_monitor: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_monitor.setdefault(alert.monitor, []).append(alert)
    parts = [_first_part(own) for own in by_monitor.values()]
    if not parts:
        return []
    # A channel's own news has no monitor to be one of many with.
    if not parts[0][0].monitor:
        return parts[0]
    group = _group_of(parts[0][-1])
    alike = (part for part in parts if part[0].monitor and _group_of(part[-1]) == group)
    return [alert for part in sorted(alike, key=lambda part: part[0].monitor) for alert in part]


def _first_part(own: list[Alert]) -> list[Alert]:
    """Return the first of one monitor's alerts, with those that are told together with it."""
    changes = list(itertools.takewhile(lambda alert: alert.kind in CHANGES, own))
    is_one = len(changes) >= _ONE_FROM or any(alert.held for alert in changes)
    return changes if is_one else own[:1]


def _group_of(alert: Alert) -> tuple[str, bool]:
    """Return the group of an alert: what is told together is of one kind; reminders are apart."""
    return alert.kind, alert.is_reminder


def read_alert(row: tuple[Any, ...]) -> Alert:
    """The alert in a row of id, monitor, notice, created_us and held."""
    alert_id, monitor, notice, created_us, held = row
    try:
        said = json.loads(notice)
    except ValueError:
        said = {}
    if not isinstance(said, dict):
        said = {}
    kind = str(said.get("kind", ""))
    is_reminder = kind == "down" and said.get("previous") == "down"
    return Alert(alert_id, monitor, notice, created_us, held, kind, is_reminder)
