"""Attention: who sees to monitors that are down, and which of them are silenced for a while."""

from typing import Sequence

from radar_cli.model.attention import Attention
from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.model.timing import Window
from radar_cli.store.alerts import Alerting
from radar_cli.store.database import chunks, marks


class Attending(Alerting):
    """The part of the store that knows who sees to monitors."""

    def attention(self, several: Sequence[MonitorRecord], now_us: int) -> dict[str, Attention]:
        """Return who sees to each of some monitors, by their keys."""
        acked = self._acked([each.key for each in several if each.state.status == Status.DOWN])
        windows = self.windows(now_us)
        found = {}
        for known in several:
            acked_us, acked_by = acked.get(known.key, (None, ""))
            found[known.key] = Attention(acked_us, acked_by, *_silence(known, windows, now_us))
        return found

    def _acked(self, keys: Sequence[str]) -> dict[str, tuple[int, str]]:
        """When somebody said that they see to monitors that are down, and who."""
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
    window, end_us = max(on, key=lambda each: (each[1] is None, each[1] or 0))
    return window.id, window.name, end_us
