"""The file of the embedded store: WAL, so that readers and writers don't wait for one another."""

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterator

from radar_cli.errors import StateError
from radar_cli.store.schema import migrate

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_BUSY_TIMEOUT_S = 30.0


class StoreFile:
    """The file `radar.db` of a state directory. StateError: it can't be used."""

    def __init__(self, state_directory: str) -> None:
        self.path = os.path.join(state_directory, "radar.db")
        try:
            os.makedirs(state_directory, 0o700, exist_ok=True)
            # It holds output, which may hold anything.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise StateError(
                f"can't use the state directory {state_directory}: {error.strerror}",
                "RADAR_STATE_DIR names another one",
            ) from error
        with self._translate():
            self._connection = sqlite3.connect(
                self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None
            )
            try:
                # FULL: a spooled ping's file goes once the ping is in here.
                self._connection.execute("PRAGMA synchronous = FULL")
                migrate(self._connection, self.path)
                self._connection.execute("PRAGMA journal_mode = WAL")
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _translate(self) -> Iterator[None]:
        """Turn SQLite's errors into one line that says what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "")
            hint = {
                "SQLITE_NOTADB": "move it away: radar makes a new one",
                "SQLITE_CORRUPT": "move it away: radar makes a new one",
                "SQLITE_FULL": "the disk is full: free some space",
                "SQLITE_BUSY": "another program holds it; pings wait in the spool meanwhile",
                "SQLITE_READONLY": "radar has to write to it",
            }.get(name, "pings wait in the spool meanwhile")
            raise StateError(f"can't use {self.path}: {error}", hint) from error
