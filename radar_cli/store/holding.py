"""Alerts held back as a channel is quiet, or hears only of what lasts: told if still so then.

Nobody takes it to its channel before it was looked at here. What is over by then is told to
nobody; a monitor that is paused, or in a maintenance window, is looked at again a little later.
"""

import sys
from itertools import groupby
from typing import Any, Sequence

from radar_cli.core.errors import RadarError
from radar_cli.model.notice_timing import MINUTE, Window
from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.store.alerts import cancel, is_silenced
from radar_cli.store.database import Change, Database
from radar_cli.store.notices import ESCALATING, LOOKED_AT, Alert, read_alert
from radar_cli.store.rows import COLUMNS, read_row
from radar_cli.store.windows import Windows

_AT_ONCE = 500


class HeldAlerts:
    """Alerts that are held back."""

    def __init__(self, database: Database, windows: Windows) -> None:
        self._database = database
        self._windows = windows

    def release(self, now_us: int, channels: Sequence[str]) -> int:
        """Let out what has waited long enough for one of these channels, and is still so.

        Return how much that is.
        """
        return sum(self._release_through(channel, now_us) for channel in channels)

    def _release_through(self, channel: str, now_us: int) -> int:
        released = 0
        query = (
            "SELECT monitor, id FROM alert"  # noqa: S608 (a constant)
            f" WHERE channel = ? AND next_try_us <= ? AND told_in = '' AND {LOOKED_AT}"
            " ORDER BY monitor, created_us, id LIMIT ?"
        )
        windows: list[Window] | None = None
        while rows := self._database.read(query, (channel, now_us, _AT_ONCE)):
            windows = self._windows.not_over(now_us) if windows is None else windows
            for key, own in groupby(rows, key=lambda row: row[0]):
                released += self._release_some(key, [row[1] for row in own], now_us, windows)
        return released

    def _release_some(
        self, key: str, ids: Sequence[str], now_us: int, windows: Sequence[Window]
    ) -> int:
        try:
            with self._database.change() as change:
                return sum(_release(change, each, key, now_us, windows) for each in ids)
        except RadarError:
            raise
        except Exception as fault:  # noqa: BLE001 (one poisoned monitor silences no other)
            sys.stderr.write(f"radar: monitor {key!r} gets no notice: {fault!r}\n")
            with self._database.change() as change:
                for each in ids:
                    _put_off(change, each, now_us)
            return 0


def _release(
    change: Change, alert_id: str, key: str, now_us: int, windows: Sequence[Window]
) -> int:
    known = None
    if key:
        monitors = change.read(f"SELECT {COLUMNS} FROM monitor WHERE key = ? FOR UPDATE", (key,))  # noqa: S608 (a constant)
        known = read_row(monitors[0]) if monitors else None
    # Now that nobody else has the monitor: another server may just have done it.
    rows = change.read(
        "SELECT id, monitor, notice, created_us, held, flip FROM alert"  # noqa: S608 (a constant)
        f" WHERE id = ? AND next_try_us <= ? AND told_in = '' AND {LOOKED_AT}",
        (alert_id, now_us),
    )
    if not rows:
        return 0
    *row, subject = rows[0]
    alert = read_alert(tuple(row))
    if known is not None and is_silenced(known, now_us, windows):
        _put_off(change, alert_id, now_us)
        return 0
    if key and (known is None or not _is_so(change, known, alert, subject, now_us)):
        cancel(change, alert_id)
        return 0
    return change.execute(
        "UPDATE alert SET held = '' WHERE id = ? AND told_in = ''",
        (alert_id,),
    )


def _is_so(change: Change, known: MonitorRecord, alert: Alert, subject: str, now_us: int) -> bool:
    """Whether what an alert tells of a monitor is still so, and still to be told."""
    if alert.kind == "late":
        return known.view_at(now_us).status == Status.LATE
    if alert.kind == "fault":
        return any(fault.field == subject.partition(":")[2] for fault in known.active_faults)
    if alert.kind == "down":
        if known.state.status != Status.DOWN:
            return False
        if alert.held == ESCALATING or alert.is_reminder:
            acked: list[tuple[Any, ...]] = change.read(
                "SELECT 1 FROM flip WHERE id = ? AND acked_us IS NOT NULL", (subject,)
            )
            return not acked
    return True


def _put_off(change: Change, alert_id: str, now_us: int) -> None:
    change.execute("UPDATE alert SET next_try_us = ? WHERE id = ?", (now_us + MINUTE, alert_id))
