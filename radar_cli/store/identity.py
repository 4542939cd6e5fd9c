"""A store's identity, remembered beside it: a missing or emptied one isn't taken for new.

A store has an id of its own (a mark in its tables), and beside its database lies a small file that
says which store was there, and with how many monitors. Where that store isn't there any more,
nothing is begun in its stead: a person puts a backup back, or takes the file away.
"""

import json
import os
import shlex
import time
from contextlib import suppress
from dataclasses import dataclass

from radar_cli.core.errors import StateError
from radar_cli.core.ids import new_id
from radar_cli.model.ping import fingerprint
from radar_cli.store.database import Database

_ID = "store id"
_WRITTEN_EVERY_S = 3600.0


class LostStoreError(StateError):
    """The store that was known here is gone."""

    slug = "lost-store"


@dataclass(frozen=True, slots=True)
class Known:
    """The store that was there, and how many monitors it had."""

    id: str
    monitors: int


def file_beside(place: str) -> str:
    """Return the file that remembers which store was in this one."""
    return f"{place}.known"


def file_for(place: str, state_directory: str) -> str:
    """The same for a database that is no file here."""
    return os.path.join(state_directory, f"known-{fingerprint(place.encode())}")


def check_file(place: str) -> None:
    """LostStoreError: a store in this file was known, and the file is missing or empty."""
    known = read_known(file_beside(place))
    if known is None:
        return
    try:
        is_empty = os.path.getsize(place) == 0
    except FileNotFoundError:
        raise _loss(place, "is missing", known, file_beside(place)) from None
    except OSError:
        return  # whoever opens it says what is wrong
    if is_empty:
        raise _loss(place, "is empty", known, file_beside(place))


def read_known(path: str) -> Known | None:
    """The store that was known, if one was."""
    try:
        with open(path, encoding="utf-8") as file:
            said = json.load(file)
        return Known(str(said["store"]), int(said["monitors"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(path: str, known: Known) -> None:
    """Keep which store is there, as far as it can be: the store itself is worth more.

    Of one without monitors nothing has to be known.
    """
    if not known.monitors:
        with suppress(OSError):
            os.unlink(path)
        return
    temporary = f"{path}.{os.getpid()}.tmp"
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            with open(fd, "w", encoding="utf-8") as file:
                status = os.stat(os.path.dirname(path))
                if os.geteuid() == 0:  # whose service has to write it, too
                    os.fchown(fd, status.st_uid, status.st_gid)
                json.dump({"radar": 1, "store": known.id, "monitors": known.monitors}, file)
            os.rename(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise


class Identity:
    """The identity that tells a store from another one in its place."""

    def __init__(self, database: Database, path: str) -> None:
        self._database = database
        self._path = path

    def find_loss(self, *, goes_on: bool = False) -> LostStoreError | None:
        """Return what is wrong if this isn't the store that was known; else remember it.

        With `goes_on` it is begun anew all the same, and told from that one as long as nobody has
        decided which counts.
        """
        known = read_known(self._path)
        place = self._database.place
        if not self._database.is_in_place():
            return _loss(place, "was taken away", known or Known("", 0), self._path)
        own = self._read_id()
        has_monitors = bool(self._database.read("SELECT 1 FROM monitor LIMIT 1"))
        if known is None or own == known.id:
            if has_monitors:
                self._remember(own, known)
            return None
        if not own and has_monitors:
            # A backup that was made before stores had ids, put back by hand.
            self._make_id(known.id)
            return None
        if not own and goes_on:
            self._make_id()
        return _loss(place, "isn't the store that was here", known, self._path)

    def leave(self) -> None:
        """Remember a store that was new when it was opened."""
        with suppress(StateError):
            if read_known(self._path) is None and self._database.is_in_place() and self._count():
                self._remember(self._read_id(), None)

    def give(self) -> str:
        """Return the store's id, after giving it one if it has none."""
        return self._read_id() or self._make_id()

    def _remember(self, own: str, known: Known | None) -> None:
        with suppress(OSError):
            age_s = time.time() - os.stat(self._path).st_mtime
            if known is not None and abs(age_s) < _WRITTEN_EVERY_S:
                return
        with suppress(StateError):  # on a full disk, say, there are greater worries
            own = own or self.give()
            remember(self._path, Known(own, self._count()))

    def _count(self) -> int:
        return int(self._database.read("SELECT count(*) FROM monitor")[0][0])

    def _read_id(self) -> str:
        rows = self._database.read("SELECT value FROM mark WHERE name = ?", (_ID,))
        return str(rows[0][0]) if rows else ""

    def _make_id(self, wanted: str = "") -> str:
        """Give the store an id; return that which it has, from whoever was first."""
        wanted = wanted or new_id(time.time_ns() // 1000)
        with self._database.change() as change:
            change.execute(
                "INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (_ID, wanted),
            )
        return self._read_id()


def _loss(place: str, what: str, known: Known, path: str) -> LostStoreError:
    monitors = "1 monitor was" if known.monitors == 1 else f"{known.monitors} monitors were"
    return LostStoreError(
        f"{place} {what}" + (f": {monitors} known" if known.monitors else ""),
        f"'radar restore FILE' puts a backup back; to begin anew: rm {shlex.quote(path)}",
    )
