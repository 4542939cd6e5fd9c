"""Reminders: what is still down is told again, ever more rarely, until it isn't or is seen to."""

import sys
from dataclasses import astuple, dataclass, replace
from typing import Sequence

from radar_cli.core.errors import RadarError, UsageError
from radar_cli.core.ids import new_id
from radar_cli.model.port import UnknownMonitorError
from radar_cli.model.state import Status
from radar_cli.model.timing import MINUTE, Window, remind_after_us
from radar_cli.store.alerts import (
    TOLD,
    Composer,
    PendingAlert,
    add_alerts,
    end_escalations,
    is_silenced,
)
from radar_cli.store.database import Change
from radar_cli.store.flips import read_flip
from radar_cli.store.holding import Holding
from radar_cli.store.reading import COLUMNS, read_row

_AT_ONCE = 50


class UnknownWindowError(UsageError):
    """A maintenance window that isn't there, or is over."""

    slug = "unknown-window"


class Reminding(Holding):
    """The part of the store that reminds people."""

    def begin_reminding(self, now_us: int, every_us: int) -> None:
        """Remind of what was told to be down before anybody asked for reminders, too."""
        with self._database.change() as change:
            change.execute(
                "UPDATE flip SET remind_us = ? WHERE fate = ? AND status = ? AND remind_us IS NULL"
                " AND acked_us IS NULL"
                " AND monitor IN (SELECT key FROM monitor WHERE status IN (?, ?))"
                " AND number = (SELECT max(number) FROM flip AS other"
                " WHERE other.monitor = flip.monitor AND other.fate = ?)",
                (now_us + every_us, TOLD, Status.DOWN, Status.DOWN, Status.PAUSED, TOLD),
            )

    def remind(self, now_us: int, every_us: int, compose: Composer) -> int:
        """Make alerts again of what was told `every_us` ago and still is so; return how many.

        The next one takes longer each time. None while a monitor is paused or in a maintenance
        window, and none for a channel that has yet to get the last one. Without `every_us` only
        what was snoozed is told again, once.
        """
        made = 0
        how = _How(now_us, every_us, compose, self.windows(now_us))
        while True:
            due = self._database.read(
                "SELECT id, monitor FROM flip WHERE remind_us <= ? ORDER BY remind_us LIMIT ?",
                (now_us, _AT_ONCE),
            )
            # In the order of monitors, as all who keep several from others.
            made += self._remind_some(sorted(due, key=lambda row: row[1]), how)
            if len(due) < _AT_ONCE:
                return made

    def _remind_some(self, due: Sequence[tuple[str, str]], how: "_How") -> int:
        try:
            with self._database.change() as change:
                return sum(_remind(change, *each, how) for each in due)
        except RadarError:
            raise
        except Exception as fault:  # noqa: BLE001 (one poisoned monitor silences no other)
            if len(due) > 1:
                return sum(self._remind_some([each], how) for each in due)
            sys.stderr.write(f"radar: monitor {due[0][1]!r} can't be told of: {fault!r}\n")
            with self._database.change() as change:
                _set(change, due[0][0], how.now_us + how.later_us)
            return 0

    def acknowledge(self, keys: Sequence[str], now_us: int, by: str) -> list[str]:
        """Note that somebody sees to monitors that are down: no more is told until they are up.

        Return the keys of those that are down. UnknownMonitorError: there is none of one of them.
        """
        acknowledged = []
        with self._database.change() as change:
            for key in keys:
                flip_id = _find_told_down(change, key)
                if flip_id is not None:
                    _acknowledge(change, key, flip_id, now_us, by)
                    acknowledged.append(key)
        return acknowledged

    def acknowledge_incident(self, key: str, flip_id: str, now_us: int, by: str) -> bool:
        """The same of one incident that isn't over; False if it is, or somebody sees to it."""
        with self._database.change() as change:
            if _find_told_down(change, key) != flip_id or change.read(
                "SELECT 1 FROM flip WHERE id = ? AND acked_us IS NOT NULL", (flip_id,)
            ):
                return False
            _acknowledge(change, key, flip_id, now_us, by)
        return True

    def find_incident(self, key: str) -> str | None:
        """Return the id of the flip by which a monitor is down; None if it isn't."""
        rows = self._database.read(
            "SELECT id, status FROM flip WHERE monitor = ? ORDER BY number DESC LIMIT 1", (key,)
        )
        return rows[0][0] if rows and rows[0][1] == Status.DOWN else None

    def snooze(self, keys: Sequence[str], now_us: int, until_us: int, by: str) -> None:
        """Tell nothing of monitors until then; what is still so is told at its end.

        UnknownMonitorError: there is none of one of these keys, and nothing was changed.
        """
        with self._database.change() as change:
            for key in keys:
                flip_id = _find_told_down(change, key)
                add_window(
                    change,
                    Window(new_id(now_us), f"snoozed by {by}", key, "", now_us, until_us),
                )
                if flip_id is not None:
                    _set(change, flip_id, until_us)

    def add_window(self, window: Window) -> Window:
        """Keep a maintenance window; return it."""
        with self._database.change() as change:
            add_window(change, window)
        return window

    def end_window(self, window_id: str, now_us: int) -> bool:
        """End a maintenance window, and what would come of it; whether there was one.

        One that has yet to begin never was.
        """
        with self._database.change() as change:
            return bool(
                change.execute(
                    "UPDATE quiet SET end_us = ? WHERE id = ? AND (end_us IS NULL OR end_us > ?)",
                    (now_us, window_id, now_us),
                )
            )


@dataclass(frozen=True, slots=True)
class _How:
    """A way to remind people of monitors that are still down."""

    now_us: int
    every_us: int
    compose: Composer
    windows: Sequence[Window]

    @property
    def later_us(self) -> int:
        """When one that can't be told of now is looked at again."""
        return self.every_us or MINUTE


def add_window(change: Change, window: Window) -> None:
    """Keep a maintenance window."""
    change.execute(
        "INSERT INTO quiet (id, name, monitors, tag, begin_us, end_us, schedule, tz, length_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        astuple(window),
    )


def _find_told_down(change: Change, key: str) -> str | None:
    """The flip by which a monitor is down, if people were told; kept from others with the monitor.

    UnknownMonitorError: there is none of that key.
    """
    if not change.read("SELECT key FROM monitor WHERE key = ? FOR UPDATE", (key,)):
        raise UnknownMonitorError(f"no monitor {key[:60]!r}")
    rows = change.read(
        "SELECT id, status FROM flip WHERE monitor = ? ORDER BY number DESC LIMIT 1", (key,)
    )
    return rows[0][0] if rows and rows[0][1] == Status.DOWN else None


def _acknowledge(change: Change, key: str, flip_id: str, now_us: int, by: str) -> None:
    end_escalations(change, key)
    change.execute(
        "UPDATE flip SET acked_us = ?, acked_by = ?, remind_us = NULL WHERE id = ?",
        (now_us, by, flip_id),
    )


def _remind(change: Change, flip_id: str, key: str, how: _How) -> int:
    now_us = how.now_us
    monitors = change.read(f"SELECT {COLUMNS} FROM monitor WHERE key = ? FOR UPDATE", (key,))  # noqa: S608 (a constant)
    # Now that nobody else has the monitor: another server may just have done it.
    flips = change.read(
        "SELECT id, monitor, previous, status, reason, time_us, noticed_us, reminders FROM flip"
        " WHERE id = ? AND remind_us <= ?",
        (flip_id, now_us),
    )
    if not flips:
        return 0
    known = read_row(monitors[0]) if monitors else None
    if known is None or known.state.status != Status.DOWN:
        _set(change, flip_id, None)
        return 0
    if is_silenced(known, now_us, how.windows):
        _set(change, flip_id, now_us + how.later_us)
        return 0
    *row, reminders = flips[0]
    waiting = change.read(
        "SELECT channel FROM alert WHERE monitor = ? AND next_try_us IS NOT NULL", (key,)
    )
    behind = {channel for (channel,) in waiting}
    flip = replace(read_flip(tuple(row)), previous=str(Status.DOWN))
    tellings = (PendingAlert(*each) for each in how.compose(known, flip))
    news = [(flip_id, each) for each in tellings if each.channel not in behind]
    reminders += 1 if news else 0
    change.execute(
        "UPDATE flip SET remind_us = ?, reminders = ? WHERE id = ?",
        (
            now_us + remind_after_us(reminders, how.every_us) if how.every_us else None,
            *(reminders, flip_id),
        ),
    )
    return add_alerts(change, key, news, now_us)


def _set(change: Change, flip_id: str, remind_us: int | None) -> None:
    change.execute("UPDATE flip SET remind_us = ? WHERE id = ?", (remind_us, flip_id))
