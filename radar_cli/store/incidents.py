"""Incidents: monitors that are down, and who sees to them."""

from math import inf
from typing import Sequence

from radar_cli.core.ids import new_id
from radar_cli.model.attention import Attention
from radar_cli.model.notice_timing import Window
from radar_cli.model.port import UnknownMonitorError
from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.store.alerts import end_escalations
from radar_cli.store.database import Change, Database, chunks, marks
from radar_cli.store.reminders import set_reminder
from radar_cli.store.windows import Windows, add_window


class Incidents:
    """Monitors that are down, from the flip on by which they are."""

    def __init__(self, database: Database, windows: Windows) -> None:
        self._database = database
        self._windows = windows

    def attention(self, several: Sequence[MonitorRecord], now_us: int) -> dict[str, Attention]:
        """Return who sees to each of some monitors, by their keys."""
        acked = self._acked([each.key for each in several if each.state.status == Status.DOWN])
        windows = self._windows.not_over(now_us)
        found = {}
        for known in several:
            acked_us, acked_by = acked.get(known.key, (None, ""))
            found[known.key] = Attention(acked_us, acked_by, *_silence(known, windows, now_us))
        return found

    def _acked(self, keys: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Return when somebody said that they see to monitors that are down, and who."""
        found: dict[str, tuple[int, str]] = {}
        for some in chunks(keys):
            rows = self._database.read(
                "SELECT monitor, acked_us, acked_by FROM flip WHERE acked_us IS NOT NULL"  # noqa: S608 (constants)
                f" AND status = ? AND monitor IN ({marks(len(some))}) AND number ="
                " (SELECT max(number) FROM flip AS other WHERE other.monitor = flip.monitor)",
                (Status.DOWN, *some),
            )
            found |= {monitor: (acked_us, acked_by) for monitor, acked_us, acked_by in rows}
        return found

    def find(self, key: str) -> str | None:
        """Return the id of the flip by which a monitor is down; None if it isn't."""
        rows = self._database.read(
            "SELECT id, status FROM flip WHERE monitor = ? ORDER BY number DESC LIMIT 1", (key,)
        )
        return rows[0][0] if rows and rows[0][1] == Status.DOWN else None

    def acknowledge(self, keys: Sequence[str], now_us: int, by: str) -> list[str]:
        """Note that somebody sees to monitors that are down: no more is told until they are up.

        Return the keys of those that are down. UnknownMonitorError: there is none of one of them.
        """
        acknowledged = []
        with self._database.change() as change:
            for key in keys:
                flip_id = _find_down_flip(change, key)
                if flip_id is not None:
                    _acknowledge(change, key, flip_id, now_us, by)
                    acknowledged.append(key)
        return acknowledged

    def acknowledge_one(self, key: str, flip_id: str, now_us: int, by: str) -> bool:
        """The same of one incident that isn't over; False if it is, or somebody sees to it."""
        with self._database.change() as change:
            if _find_down_flip(change, key) != flip_id or change.read(
                "SELECT 1 FROM flip WHERE id = ? AND acked_us IS NOT NULL", (flip_id,)
            ):
                return False
            _acknowledge(change, key, flip_id, now_us, by)
        return True

    def snooze(self, keys: Sequence[str], now_us: int, until_us: int, by: str) -> None:
        """Tell nothing of monitors until then; what is still so is told at its end.

        UnknownMonitorError: there is none of one of these keys, and nothing was changed.
        """
        with self._database.change() as change:
            for key in keys:
                flip_id = _find_down_flip(change, key)
                add_window(
                    change,
                    Window(new_id(now_us), f"snoozed by {by}", key, "", now_us, until_us),
                )
                if flip_id is not None:
                    set_reminder(change, flip_id, until_us)


def _silence(
    known: MonitorRecord, windows: Sequence[Window], now_us: int
) -> tuple[str, str, int | None]:
    """The window that is on for a monitor and ends last: its id, its name and its end."""
    tags = known.declared.get("tags", "").split()
    on = [
        (window, span[1])
        for window in windows
        if window.concerns(known.key, tags) and (span := window.span_at(now_us)) is not None
    ]
    if not on:
        return "", "", None
    window, end_us = max(on, key=lambda each: inf if each[1] is None else each[1])
    return window.id, window.name, end_us


def _find_down_flip(change: Change, key: str) -> str | None:
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
