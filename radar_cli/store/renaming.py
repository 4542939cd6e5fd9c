"""Renaming monitors: all that is kept of one stays with it, and its old key goes on counting.

Jobs on many machines know a monitor by its key, and their crontabs are changed one after the other.
So the old key is kept as an alias: a ping to it, or a declaration, is one of the monitor that had
it, until somebody removes the alias. What waits in outboxes under the old key arrives as well.
"""

from radar_cli.model.alias import Alias
from radar_cli.model.port import MonitorExistsError
from radar_cli.model.record import MonitorRecord
from radar_cli.store.database import Database
from radar_cli.store.monitors import Monitors, check_free, expect

# Where the key of a monitor stands beside its own row.
_OF_MONITOR = ("ping", "flip", "alert", "token", "alias")


class Aliases:
    """Keys that monitors had before they were renamed."""

    def __init__(self, database: Database, monitors: Monitors) -> None:
        self._database = database
        self._monitors = monitors

    def rename(self, key: str, new: str, now_us: int, *, keeps_alias: bool = True) -> None:
        """Give a monitor another key, with all that is kept of it.

        UnknownMonitorError: there is none of that key. MonitorExistsError, KeyTakenError: the new
        one is taken.
        """
        with self._database.change() as change:
            expect(change, key)
            if change.read("SELECT key FROM monitor WHERE key = ?", (new,)):
                raise MonitorExistsError(f"monitor {new!r} is there already")
            check_free(change, new, of=key)
            change.execute("DELETE FROM alias WHERE key = ?", (new,))
            for table in _OF_MONITOR:
                change.execute(f"UPDATE {table} SET monitor = ? WHERE monitor = ?", (new, key))  # noqa: S608 (a constant)
            # A window of one monitor, as a snooze is, has its key as its pattern.
            change.execute("UPDATE quiet SET monitors = ? WHERE monitors = ?", (new, key))
            change.execute(
                "UPDATE monitor SET key = ?, version = version + 1 WHERE key = ?", (new, key)
            )
            if keeps_alias:
                change.execute(
                    "INSERT INTO alias (key, monitor, made_us) VALUES (?, ?, ?)", (key, new, now_us)
                )

    def of(self, monitor: str) -> list[Alias]:
        """Return the keys that a monitor had before, the newest first."""
        rows = self._database.read(
            "SELECT key, monitor, made_us, used_us FROM alias WHERE monitor = ?"
            " ORDER BY made_us DESC, key",
            (monitor,),
        )
        return [Alias(*row) for row in rows]

    def find(self, key: str) -> Alias | None:
        """Return what is known of an old key; None if no monitor had it."""
        rows = self._database.read(
            "SELECT key, monitor, made_us, used_us FROM alias WHERE key = ?", (key,)
        )
        return Alias(*rows[0]) if rows else None

    def find_monitor(self, key: str) -> MonitorRecord | None:
        """Return the monitor that has a key, or had it; None if none has."""
        known = self._monitors.find(key)
        if known is None and (alias := self.find(key)) is not None:
            known = self._monitors.find(alias.monitor)
        return known

    def drop(self, key: str) -> bool:
        """Remove an alias: what comes under this key is no longer the monitor's; False: no alias.

        With a schedule it makes a new monitor, as any ping does.
        """
        with self._database.change() as change:
            return change.execute("DELETE FROM alias WHERE key = ?", (key,)) == 1
