"""The database of a simulated world: SQLite in memory, with crashes and with other servers between.

All servers of a world have one connection, since none of them is ever in the middle of a
transaction when another's turn comes. It is as PostgreSQL is, not as SQLite: a transaction keeps
from others what it has read `FOR UPDATE` or written, and until then anybody may change anything.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from radar_cli.store.database import Rows, Values
from radar_cli.store.schema import migrate
from radar_cli.store.sqlite import DIALECT, SqliteDatabase

_READS = re.compile(r"\s*SELECT", re.IGNORECASE)
_LOCKS = re.compile(r" FOR UPDATE( SKIP LOCKED)?$")


class CrashError(BaseException):
    """A process is killed. No `except Exception` of its own stops that."""


@dataclass
class Written:
    """What transactions that were committed have inserted, in order: rows by table."""

    pings: list[tuple[Any, ...]] = field(default_factory=list)
    flips: list[tuple[Any, ...]] = field(default_factory=list)
    alerts: list[tuple[Any, ...]] = field(default_factory=list)

    def take(self) -> "Written":
        """Return it, and begin anew."""
        taken = Written(self.pings, self.flips, self.alerts)
        self.pings, self.flips, self.alerts = [], [], []
        return taken

    def add(self, other: "Written") -> None:
        """Add what another transaction has inserted."""
        self.pings += other.pings
        self.flips += other.flips
        self.alerts += other.alerts


class Disk:
    """What stays when all processes are gone."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        version = [0]
        migrate(DIALECT, 0, "simulated", self.connection.execute, version.append)
        self.written = Written()

    def read(self, query: str, values: Values = ()) -> Rows:
        """The rows that a query finds, for those who look at the world from outside."""
        return self.connection.execute(query, values).fetchall()


class SimulatedDatabase(SqliteDatabase):
    """One process's access to the database.

    `interrupt` is called wherever another process may get its turn.
    """

    def __init__(self, disk: Disk, interrupt: Callable[[], None]) -> None:  # no file is made
        self.place = "simulated"
        self._disk = disk
        self._interrupt = interrupt
        self._crash_in = 0  # statements; 0: not at all
        self.is_dead = False

    def arm(self, statements: int) -> None:
        """Crash after so many statements and commits from now on, unless there are fewer; 0: no."""
        self._crash_in = statements

    def read(self, query: str, values: Values = ()) -> Rows:
        """See `Database`."""
        if not self._disk.connection.in_transaction:
            self._interrupt()
        self.step()
        with self._errors():
            return self._disk.connection.execute(_translate(query), values).fetchall()

    @contextmanager
    def change(self) -> Iterator["SimulatedChange"]:  # type: ignore[override]  # not SQLite's own
        """See `Database`."""
        change = SimulatedChange(self, self._disk, self._interrupt)
        try:
            with self._errors():
                yield change
                self.step()
                change.commit()
                self.step()
        except BaseException:
            change.roll_back()
            raise

    def compact(self) -> None:
        """See `Database`."""

    def close(self) -> None:
        """See `Database`."""

    def step(self) -> None:
        """Do one thing, unless the process dies here."""
        if self.is_dead:
            raise CrashError
        if self._crash_in:
            self._crash_in -= 1
            if not self._crash_in:
                self.is_dead = True
                raise CrashError


class SimulatedChange:
    """A transaction, which begins with what it first keeps from others."""

    def __init__(
        self, database: SimulatedDatabase, disk: Disk, interrupt: Callable[[], None]
    ) -> None:
        self._database = database
        self._disk = disk
        self._interrupt = interrupt
        self._written = Written()
        self._is_open = False

    def execute(self, query: str, values: Values = ()) -> int:
        """See `Change`."""
        self._begin()
        return self._disk.connection.execute(query, values).rowcount

    def execute_many(self, query: str, rows: Iterable[Values]) -> int:
        """See `Change`."""
        self._begin()
        written = [tuple(row) for row in rows]
        if query.startswith("INSERT INTO flip"):
            self._written.flips += written
        elif query.startswith("INSERT INTO alert"):
            self._written.alerts += written
        return self._disk.connection.executemany(query, written).rowcount

    def read(self, query: str, values: Values = ()) -> Rows:
        """See `Change`."""
        if not _READS.match(query) or _LOCKS.search(query):
            self._begin()
        elif not self._is_open:
            self._interrupt()
            self._database.step()
        found = self._disk.connection.execute(_translate(query), values).fetchall()
        if query.startswith("INSERT INTO ping"):
            new = {ping_id for (ping_id,) in found}
            # One ping in two rows of a statement is one.
            rows = {row[0]: row for row in zip(*[iter(values)] * 8, strict=True) if row[0] in new}
            self._written.pings += rows.values()
        return found

    def commit(self) -> None:
        """Make it so, for all to see."""
        if self._is_open:
            self._disk.connection.execute("COMMIT")
            self._is_open = False
            self._disk.written.add(self._written)

    def roll_back(self) -> None:
        """Make it as if it had never been."""
        if self._is_open:
            self._disk.connection.execute("ROLLBACK")
            self._is_open = False

    def _begin(self) -> None:
        if not self._is_open:
            self._interrupt()
            self._database.step()
            self._disk.connection.execute("BEGIN IMMEDIATE")
            self._is_open = True
        else:
            self._database.step()


def _translate(query: str) -> str:
    return _LOCKS.sub("", query)
