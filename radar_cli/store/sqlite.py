"""The store's database in SQLite: one file, in WAL, so that readers and writers don't wait.

A thread has a connection of its own, and the threads of a process take turns at writing: SQLite's
own waiting is a poll.
"""

import fcntl
import os
import re
import shlex
import sqlite3
import threading
from contextlib import contextmanager
from functools import cache
from typing import Iterable, Iterator

from radar_cli.core.errors import StateError
from radar_cli.store.database import Rows, Values
from radar_cli.store.schema import Dialect, is_current, migrate

_BUSY_TIMEOUT_S = 30.0
_PAGES_GIVEN_BACK = 256
_CACHE_KB = 32_768
_CHECKPOINT_PAGES = 8_000  # 32 MB
_HINTS = {
    "SQLITE_NOTADB": "'radar restore FILE' puts a backup back; else move it away",
    "SQLITE_ERROR": "if another program made it, move it away: radar makes a new one",
    "SQLITE_FULL": "the disk is full: free some space",
    # No room for the index of the write-ahead log, without which nobody can even read.
    "SQLITE_IOERR_SHMSIZE": "the disk is full: free some space",
    "SQLITE_BUSY": "another program holds it; pings wait in the spool meanwhile",
    "SQLITE_READONLY": "radar has to write to it",
}
DIALECT = Dialect(integer="INTEGER", blob="BLOB", text="TEXT", options="STRICT, WITHOUT ROWID")


class SqliteChange:
    """A transaction on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, query: str, values: Values = ()) -> int:
        """See `Change`."""
        return self._connection.execute(_translate(query), values).rowcount

    def execute_many(self, query: str, rows: Iterable[Values]) -> int:
        """See `Change`."""
        return self._connection.executemany(_translate(query), rows).rowcount

    def read(self, query: str, values: Values = ()) -> Rows:
        """See `Change`."""
        return self._connection.execute(_translate(query), values).fetchall()


class SqliteDatabase:
    """A file, made with its folder if it isn't there. StateError: it can't be used."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._threads = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        try:
            os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
            # It holds output, which may hold anything.
            fd = os.open(place, os.O_CREAT | os.O_RDWR, 0o600)
            status = os.fstat(fd)
            os.close(fd)
        except OSError as error:
            raise StateError(
                f"can't use the state directory {os.path.dirname(place)}: {error.strerror}",
                "RADAR_STATE_DIR names another one, or --database a file elsewhere",
            ) from error
        self._file = (status.st_dev, status.st_ino)
        try:
            with self._errors():
                connection = self._connect()
                _migrate(connection, self.place)
                connection.execute("PRAGMA journal_mode = WAL")
        except BaseException:
            self.close()
            raise

    def read(self, query: str, values: Values = ()) -> Rows:
        """See `Database`."""
        with self._errors():
            return self._connect().execute(_translate(query), values).fetchall()

    @contextmanager
    def change(self) -> Iterator[SqliteChange]:
        """See `Database`."""
        with self._errors(), self._writing:
            connection = self._connect()
            if not self.is_in_place():  # else it would go on in a file that nobody finds again
                raise StateError(f"{self.place} was taken away", "put it back, or a backup")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteChange(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def is_in_place(self) -> bool:
        """See `Database`."""
        try:
            status = os.stat(self.place)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._file

    def compact(self) -> None:
        """See `Database`."""
        with self._errors(), self._writing:
            # Not `execute`: as it has rows without columns, that stops after the first page.
            self._connect().executescript(f"PRAGMA incremental_vacuum({_PAGES_GIVEN_BACK})")

    def close(self) -> None:
        """See `Database`."""
        while self._connections:
            self._connections.pop().close()
        self._threads = threading.local()

    def _connect(self) -> sqlite3.Connection:
        """The connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                file_uri(self.place, "rw"),  # one that was taken away isn't made again
                uri=True,
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connections.append(connection)
            self._threads.connection = connection
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            # The same pages are written over and over: once into the file is enough for many.
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            # FULL: a spooled ping's file goes once the ping is in here.
            connection.execute("PRAGMA synchronous = FULL")
        return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn SQLite's errors into one line that says what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "")
            # Some say more closely what it is: SQLITE_READONLY_DIRECTORY.
            kind = "_".join(name.split("_")[:2])
            hint = _HINTS.get(name) or _HINTS.get(kind) or "pings wait in the spool meanwhile"
            if kind == "SQLITE_CORRUPT":
                hint = rescue_hint(self.place)
            raise StateError(f"can't use {self.place}: {error}", hint) from error


def file_uri(place: str, mode: str) -> str:
    """Return the URI of a database's file, for `sqlite3.connect`."""
    quoted = place.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file:{quoted}?mode={mode}"


def rescue_hint(place: str) -> str:
    """Return what saves of a damaged file what can still be read."""
    return f"'sqlite3 {shlex.quote(place)} .recover | sqlite3 NEW', then 'radar restore NEW'"


def give_to_owner(fd: int, folder: str) -> None:
    """Give a file that root has made to whoever owns its folder: a service has to use it, too."""
    if os.geteuid() == 0:
        status = os.stat(folder)
        os.fchown(fd, status.st_uid, status.st_gid)


@contextmanager
def occupied(place: str, *, alone: bool = False) -> Iterator[None]:
    """Hold a store as a server does, beside other servers; or `alone`, to put another one there.

    StateError: somebody else holds it. It ends with the process, however that ends.
    """
    try:
        os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
        fd = os.open(f"{place}-server", os.O_CREAT | os.O_RDWR, 0o600)
        give_to_owner(fd, os.path.dirname(place))
    except OSError as error:
        raise StateError(f"can't write beside {place}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(fd, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            if alone:
                raise StateError(f"a server runs on {place}", "stop it first") from None
            raise StateError(f"{place} is being restored", "try again") from None
        yield
    finally:
        os.close(fd)


def _migrate(connection: sqlite3.Connection, place: str) -> None:
    """Bring the file up to date; `PRAGMA user_version` counts what it has seen."""

    def version() -> int:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def note(number: int) -> None:
        connection.execute(f"PRAGMA user_version = {number}")

    if is_current(version(), place):
        return
    # Before there is any table: space can then be given back little by little.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done the same meanwhile.
        migrate(DIALECT, version(), place, connection.execute, note)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


@cache
def _translate(query: str) -> str:
    return re.sub(r" FOR UPDATE( SKIP LOCKED)?$", "", query)
