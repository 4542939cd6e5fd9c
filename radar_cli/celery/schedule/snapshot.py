"""The files of a schedule, as they were at one moment, read without a trace."""

import os
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from radar_cli.celery.schedule.entry import UnreadableScheduleError

# dbm puts its own suffix behind the name that Beat was given.
_SUFFIXES = ("", ".db", ".dat", ".dir", "-wal")
_LARGEST_BYTES = 64 << 20
# Beat writes for milliseconds, every few minutes.
_TRIES = 20
_PAUSE_S = 0.05


@dataclass(frozen=True)
class Snapshot:
    """The content of each file that is there, by its suffix, and when the last one changed."""

    contents: dict[str, bytes]
    changed_at: datetime


def take(path: str) -> Snapshot:
    """Read the files of the schedule at `path`: opened for reading only, and never locked.

    Beat may be writing: what changed meanwhile is read again. UnreadableScheduleError.
    """
    for _ in range(_TRIES):
        try:
            before = _looks(path)
            contents = {suffix: _read(path + suffix) for suffix in before}
            after = _looks(path)
        except FileNotFoundError:
            continue  # dbm.dumb puts a new file in the place of the old one
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UnreadableScheduleError(f"can't read the schedule {path!r}: {reason}") from None
        if not before:
            raise UnreadableScheduleError(
                f"no schedule at {path!r}", "it is what 'celery beat' was given as -s"
            )
        if before == after:
            newest_ns = max(changed_ns for _, _, changed_ns in before.values())
            return Snapshot(contents, datetime.fromtimestamp(newest_ns / 1e9, UTC))
        time.sleep(_PAUSE_S)
    raise UnreadableScheduleError(f"the schedule {path!r} never stays as it is")


def _looks(path: str) -> dict[str, tuple[int, int, int]]:
    """Return what changes with a file: by suffix its inode, size and time."""
    looks = {}
    for suffix in _SUFFIXES:
        try:
            found = os.stat(path + suffix)
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(found.st_mode):
            if not suffix and not stat.S_ISDIR(found.st_mode):
                raise UnreadableScheduleError(f"the schedule {path!r} is no file")
            continue
        if found.st_size > _LARGEST_BYTES:
            raise UnreadableScheduleError(f"the schedule {path!r} is too large to be one")
        looks[suffix] = (found.st_ino, found.st_size, found.st_mtime_ns)
    return looks


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(_LARGEST_BYTES)
