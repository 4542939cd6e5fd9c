"""Reminders: what is still down is told again, ever more rarely, until it isn't or is seen to."""

import sys
from dataclasses import dataclass, replace
from typing import Sequence

from radar_cli.core.errors import RadarError
from radar_cli.model.notice_timing import MINUTE, Window, remind_after_us
from radar_cli.model.state import Status
from radar_cli.store.alerts import TOLD, Composer, PendingAlert, add_alerts, is_silenced
from radar_cli.store.database import Change, Database
from radar_cli.store.flips import read_flip
from radar_cli.store.rows import COLUMNS, read_row
from radar_cli.store.windows import Windows

_AT_ONCE = 50


class Reminders:
    """Alerts made again of monitors that are still down."""

    def __init__(self, database: Database, windows: Windows) -> None:
        self._database = database
        self._windows = windows

    def begin(self, now_us: int, every_us: int) -> None:
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

    def enqueue(self, now_us: int, every_us: int, compose: Composer) -> int:
        """Make alerts again of what was told `every_us` ago and still is so; return how many.

        The next one takes longer each time. None while a monitor is paused or in a maintenance
        window, and none for a channel that has yet to get the last one. Without `every_us` only
        what was snoozed is told again, once.
        """
        made = 0
        how = _How(now_us, every_us, compose, self._windows.not_over(now_us))
        while True:
            due = self._database.read(
                "SELECT id, monitor FROM flip WHERE remind_us <= ? ORDER BY remind_us LIMIT ?",
                (now_us, _AT_ONCE),
            )
            # In the order of monitors, as all who keep several from others.
            made += self._enqueue_some(sorted(due, key=lambda row: row[1]), how)
            if len(due) < _AT_ONCE:
                return made

    def _enqueue_some(self, due: Sequence[tuple[str, str]], how: "_How") -> int:
        try:
            with self._database.change() as change:
                return sum(_remind(change, *each, how) for each in due)
        except RadarError:
            raise
        except Exception as fault:  # noqa: BLE001 (one poisoned monitor silences no other)
            if len(due) > 1:
                return sum(self._enqueue_some([each], how) for each in due)
            sys.stderr.write(f"radar: monitor {due[0][1]!r} gets no notice: {fault!r}\n")
            with self._database.change() as change:
                set_reminder(change, due[0][0], how.now_us + how.later_us)
            return 0


@dataclass(frozen=True, slots=True)
class _How:
    """A way to remind people of monitors that are still down."""

    now_us: int
    every_us: int
    compose: Composer
    windows: Sequence[Window]

    @property
    def later_us(self) -> int:
        """Return the time after which one that gets no notice now is looked at again."""
        return self.every_us or MINUTE


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
        set_reminder(change, flip_id, None)
        return 0
    if is_silenced(known, now_us, how.windows):
        set_reminder(change, flip_id, now_us + how.later_us)
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


def set_reminder(change: Change, flip_id: str, remind_us: int | None) -> None:
    """Remind of a flip at a time; None: never."""
    change.execute("UPDATE flip SET remind_us = ? WHERE id = ?", (remind_us, flip_id))
