"""Reminders: what is still down is told again, every so often, until it isn't."""

import sys
from dataclasses import replace
from typing import Sequence

from radar_cli.core.errors import RadarError
from radar_cli.monitors.state import Status
from radar_cli.store.alerting import TOLD, Composer, add_alerts
from radar_cli.store.database import Change
from radar_cli.store.flips import read_flip
from radar_cli.store.reading import COLUMNS, Reading, read_row

_AT_ONCE = 50


class Reminding(Reading):
    """What the store does so that people are told again."""

    def begin_reminding(self, now_us: int, every_us: int) -> None:
        """Remind of what was told to be down before anybody asked for reminders, too."""
        with self._database.change() as change:
            change.execute(
                "UPDATE flip SET remind_us = ? WHERE fate = ? AND status = ? AND remind_us IS NULL"
                " AND monitor IN (SELECT key FROM monitor WHERE status IN (?, ?))"
                " AND number = (SELECT max(number) FROM flip AS other"
                " WHERE other.monitor = flip.monitor AND other.fate = ?)",
                (now_us + every_us, TOLD, Status.DOWN, Status.DOWN, Status.PAUSED, TOLD),
            )

    def remind(self, now_us: int, every_us: int, compose: Composer) -> int:
        """Make alerts again of what was told `every_us` ago and still is so; return how many.

        None while a monitor is paused, and none for a channel that has yet to get the last one.
        """
        made = 0
        while True:
            due = self._database.read(
                "SELECT id, monitor FROM flip WHERE remind_us <= ? ORDER BY remind_us LIMIT ?",
                (now_us, _AT_ONCE),
            )
            # In the order of monitors, as all who keep several from others.
            made += self._remind_some(
                sorted(due, key=lambda row: row[1]), now_us, every_us, compose
            )
            if len(due) < _AT_ONCE:
                return made

    def _remind_some(
        self, due: Sequence[tuple[str, str]], now_us: int, every_us: int, compose: Composer
    ) -> int:
        try:
            with self._database.change() as change:
                return sum(_remind(change, *each, now_us, every_us, compose) for each in due)
        except RadarError:
            raise
        except Exception as fault:  # noqa: BLE001 (one poisoned monitor silences no other)
            if len(due) > 1:
                return sum(self._remind_some([each], now_us, every_us, compose) for each in due)
            sys.stderr.write(f"radar: monitor {due[0][1]!r} can't be told of: {fault!r}\n")
            with self._database.change() as change:
                _set(change, due[0][0], now_us + every_us)
            return 0


def _remind(
    change: Change, flip_id: str, key: str, now_us: int, every_us: int, compose: Composer
) -> int:
    monitors = change.read(f"SELECT {COLUMNS} FROM monitor WHERE key = ? FOR UPDATE", (key,))  # noqa: S608 (a constant)
    # Now that nobody else has the monitor: another server may just have done it.
    flips = change.read(
        "SELECT id, monitor, previous, status, reason, time_us, noticed_us FROM flip"
        " WHERE id = ? AND remind_us <= ?",
        (flip_id, now_us),
    )
    if not flips:
        return 0
    known = read_row(monitors[0]) if monitors else None
    if known is None or known.state.status != Status.DOWN:
        _set(change, flip_id, None)
        return 0
    _set(change, flip_id, now_us + every_us)
    if known.view_at(now_us).status == Status.PAUSED:
        return 0
    waiting = change.read(
        "SELECT channel FROM alert WHERE monitor = ? AND next_try_us IS NOT NULL", (key,)
    )
    behind = {channel for (channel,) in waiting}
    flip = replace(read_flip(flips[0]), previous=str(Status.DOWN))
    notices = [
        (flip_id, channel, notice)
        for channel, notice in compose(known, flip)
        if channel not in behind
    ]
    return add_alerts(change, key, notices, now_us)


def _set(change: Change, flip_id: str, remind_us: int | None) -> None:
    change.execute("UPDATE flip SET remind_us = ? WHERE id = ?", (remind_us, flip_id))
