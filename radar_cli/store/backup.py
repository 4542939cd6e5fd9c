"""Copies of a store in SQLite: made and put back while others use it, checked before they count.

Both ways go by SQLite's online backup, which copies one moment of a database page by page: into a
file of its own, which then takes the place of an older backup; or into the store itself, as one
transaction, so that nobody who has it open sees half of it. Only where the store's file can't be
read any more is it moved aside.
"""

import os
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Iterator

from radar_cli.core.errors import StateError
from radar_cli.store.identity import Identity, Known, file_beside, remember
from radar_cli.store.schema import is_current
from radar_cli.store.sqlite import SqliteDatabase, file_uri, give_to_owner, rescue_hint

_BUSY_TIMEOUT_S = 30.0
_TABLES = {"monitor", "ping", "mark"}
_SIDE_FILES = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a database of radar's."""

    monitors: int
    pings: int

    def words(self) -> str:
        """Return both numbers, for people."""
        return (
            f"{self.monitors} monitor{'' if self.monitors == 1 else 's'}"
            f" and {self.pings} ping{'' if self.pings == 1 else 's'}"
        )


class NoBackupError(StateError):
    """A file isn't what a backup of radar's is."""

    slug = "no-backup"


class DamagedError(StateError):
    """A store's file can't be read any more."""


def back_up(place: str, target: str) -> Content:
    """Copy the store in the file `place` into `target`, whole and checked, or not at all.

    StateError: it can't be; what was at `target` is as it was then.
    """
    target = os.path.abspath(target)
    _refuse_to_replace(target, place)
    if not os.path.isfile(place):
        raise StateError(f"there is no store at {place}")
    with _beside(target) as temporary:
        _copy(place, temporary)
        _settle(temporary)
        content = _read(temporary, name=place)
        _put_in_place(temporary, target)
    return content


class Restoring:
    """A backup that is about to take a store's place: staged beside it, checked, and migrated.

    A context manager, which takes away what it has staged.
    """

    def __init__(self, backup: str, place: str) -> None:
        """NoBackupError: the file is no store's copy, is damaged, or a newer radar made it."""
        self.place = place
        self._backup = backup
        self._staging = _beside(place)

    def __enter__(self) -> "Restoring":
        self._staged = self._staging.__enter__()
        try:
            self.content = self._stage()
        except BaseException:
            self._staging.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._staging.__exit__(None, None, None)

    def find_present(self) -> Content | None:
        """Find what is there now. NoBackupError: not radar's; DamagedError: unreadable."""
        if not _has_content(self.place):
            return None
        with _errors(self.place), closing(_open(self.place)) as connection:
            is_empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        return None if is_empty else _read(self.place)

    def carry_out(self, *, is_readable: bool) -> str:
        """Put the backup into the store's place; return the file that keeps what was there, or "".

        One that isn't readable is moved there, with what SQLite has put beside it.
        """
        kept = ""
        if _has_content(self.place):
            kept = _name_for_old(self.place)
            if is_readable:
                _keep(self.place, kept)
            else:
                _move(self.place, kept)
        if is_readable and os.path.exists(self.place):
            _copy(self._staged, self.place)
        else:
            _put_in_place(self._staged, self.place)
        remember(file_beside(self.place), self._known)
        return kept

    def _stage(self) -> Content:
        if not os.path.isfile(self._backup):
            raise NoBackupError(f"there is no file {self._backup}")
        with suppress(FileNotFoundError):
            if os.path.samefile(self._backup, self.place):
                raise NoBackupError(f"{self._backup} is the store itself", "name a backup of it")
        try:
            _copy(self._backup, self._staged, is_foreign=True)
            content = _read(self._staged, name=self._backup)
        except NoBackupError:
            raise
        except StateError as error:
            message = error.message.replace(self._staged, self._backup)
            raise NoBackupError(message, error.hint) from error
        # What an older radar has kept is read as today's before anything of it counts.
        database = SqliteDatabase(self._staged)
        try:
            self._known = Known(Identity(database, "").give(), content.monitors)
        finally:
            database.close()
        _settle(self._staged)
        return content


@contextmanager
def _beside(target: str) -> Iterator[str]:
    """An empty file for what is to be at `target`, which nobody else can read, taken away again."""
    temporary = f"{target}.{os.urandom(4).hex()}.tmp"
    folder = os.path.dirname(target)
    try:
        fd = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StateError(f"can't write into {folder}: {error.strerror}", "is it there?") from error
    give_to_owner(fd, folder)
    os.close(fd)
    try:
        yield temporary
    finally:
        for name in (temporary, *(temporary + suffix for suffix in _SIDE_FILES)):
            with suppress(FileNotFoundError):
                os.unlink(name)


def _refuse_to_replace(target: str, place: str) -> None:
    """StateError: something else than a backup is at `target`."""
    if not os.path.lexists(target):
        return
    if not os.path.isfile(target) or (os.path.exists(place) and os.path.samefile(target, place)):
        what = "the store itself" if os.path.isfile(target) else "no file"
        raise StateError(f"{target} is {what}", "name a file for the backup")
    if os.path.getsize(target):
        try:
            _read(target, is_whole=False)
        except StateError:
            raise StateError(f"{target} is no backup of radar's", "name another file") from None


def _has_content(place: str) -> bool:
    try:
        return os.path.getsize(place) > 0
    except FileNotFoundError:
        return False


def _copy(source: str, target: str, *, is_foreign: bool = False) -> None:
    """Copy one moment of a database into a file; one that is foreign stays as it is."""
    open_source = _open_foreign if is_foreign else _open
    with _errors(source), closing(open_source(source)) as read, closing(_open(target)) as written:
        read.backup(written)


def _settle(place: str) -> None:
    """Leave one file of a database that nobody else has open, to be read where none can write."""
    with _errors(place), closing(_open(place)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _read(place: str, *, name: str = "", is_whole: bool = True) -> Content:
    """Read a database. NoBackupError: it isn't radar's; DamagedError: it can't be read."""
    name = name or place
    with _errors(place, name), closing(_open(place)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if not tables >= _TABLES or not version:
            raise NoBackupError(
                f"{name} is no database of radar's", "'radar backup FILE' makes one"
            )
        is_current(version, name)
        if is_whole:
            (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if said != "ok":
                raise DamagedError(f"{name} is damaged: {said}", rescue_hint(name))
        (monitors,) = connection.execute("SELECT count(*) FROM monitor").fetchone()
        (pings,) = connection.execute("SELECT count(*) FROM ping").fetchone()
    return Content(monitors, pings)


def _open(place: str) -> sqlite3.Connection:
    return sqlite3.connect(place, timeout=_BUSY_TIMEOUT_S, isolation_level=None)


def _open_foreign(place: str) -> sqlite3.Connection:
    """A connection that writes nothing: neither into the file, nor beside it if that can't be."""
    # A copy of a file in WAL is read with its log, which takes a file of SQLite's beside it.
    mode = "ro" if os.path.exists(f"{place}-wal") else "ro&immutable=1"
    return sqlite3.connect(file_uri(place, mode), uri=True, isolation_level=None)


@contextmanager
def _errors(place: str, name: str = "") -> Iterator[None]:
    name = name or place
    try:
        yield
    except sqlite3.DatabaseError as error:
        kind = getattr(error, "sqlite_errorname", "")
        if kind == "SQLITE_NOTADB":
            raise DamagedError(f"{name} is no database", "'radar backup FILE' makes one") from error
        if kind.startswith("SQLITE_CORRUPT"):
            raise DamagedError(f"{name} is damaged: {error}", rescue_hint(name)) from error
        raise StateError(f"can't use {name}: {error}") from error


def _put_in_place(temporary: str, target: str) -> None:
    """Rename a file, once it is safely on the disk."""
    for path in (temporary, os.path.dirname(target)):
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        if path == temporary:
            os.rename(temporary, target)


def _name_for_old(place: str) -> str:
    """A name beside the store that nothing has yet."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    names = (f"{place}.before-{stamp}{more}" for more in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(name for name in names if not os.path.lexists(name))


def _keep(place: str, kept: str) -> None:
    """Copy what is at `place`, be it a store or a database without a table."""
    with _beside(kept) as temporary:
        _copy(place, temporary)
        _settle(temporary)
        _put_in_place(temporary, kept)


def _move(place: str, kept: str) -> None:
    for suffix in ("", *_SIDE_FILES):
        with suppress(FileNotFoundError):
            os.rename(place + suffix, kept + suffix)
