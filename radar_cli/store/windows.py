"""Maintenance windows: times in which monitors send no notices, once or again and again."""

from dataclasses import astuple

from radar_cli.core.errors import UsageError
from radar_cli.model.notice_timing import Window
from radar_cli.store.database import Change, Database


class UnknownWindowError(UsageError):
    """A maintenance window that isn't there, or is over."""

    slug = "unknown-window"


class Windows:
    """Maintenance windows. What was snoozed is one, too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def not_over(self, now_us: int) -> list[Window]:
        """The maintenance windows that aren't over."""
        rows = self._database.read(
            "SELECT id, name, monitors, tag, begin_us, end_us, schedule, tz, length_us FROM quiet"
            " WHERE end_us IS NULL OR end_us > ? ORDER BY begin_us, id",
            (now_us,),
        )
        return [Window(*row) for row in rows]

    def add(self, window: Window) -> Window:
        """Keep a maintenance window; return it."""
        with self._database.change() as change:
            add_window(change, window)
        return window

    def end(self, window_id: str, now_us: int) -> bool:
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


def add_window(change: Change, window: Window) -> None:
    """Keep a maintenance window."""
    change.execute(
        "INSERT INTO quiet (id, name, monitors, tag, begin_us, end_us, schedule, tz, length_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        astuple(window),
    )
