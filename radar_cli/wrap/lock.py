"""One run of a monitor at a time on this machine (`--lock`).

The lock goes with radar's process; the job's own id is written beside it, so that a job which
outlived a killed radar still counts as running.
"""

import fcntl
import os
import sys

from radar_cli.core.places import make_private_folder

SKIP, WAIT, FAIL = "skip", "wait", "fail"

# Radar 0.1 took a record lock, of which flock(1) knows nothing. Where it may still run beside this
# one, that lock is taken, too, as one of the open file (fcntl(2), Linux): over NFS, where flock(2)
# is made of record locks, one of the process would be refused because of our own flock.
_RECORD_LOCK = getattr(fcntl, "F_OFD_SETLK", None)
# struct flock: the type; then whence, start, length and pid, which are 0 for the whole file.
_WHOLE_FILE = fcntl.F_WRLCK.to_bytes(2, sys.byteorder) + bytes(30)


class RunLock:
    """A flock(2) on `locks/<monitor>` of the state directory, as flock(1) takes it."""

    def __init__(self, state_directory: str, monitor: str) -> None:
        self._path = os.path.join(state_directory, "locks", monitor)
        self._fd: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False if another run has it. OSError: there can be no lock."""
        make_private_folder(os.path.dirname(self._path))
        fd = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        if not os.fstat(fd).st_mode & 0o777:  # made under umask 0777
            os.fchmod(fd, 0o600)
        try:
            is_locked = _lock(fd)
        except OSError as error:
            os.close(fd)
            error.filename = self._path
            raise
        if is_locked and not _has_orphan(fd):
            self._fd = fd
            return True
        os.close(fd)
        return False

    def note_job(self, pid: int) -> None:
        """Remember the job that runs under the lock."""
        if self._fd is None:
            return
        try:
            os.pwrite(self._fd, f"{pid} {_start_time(pid)}\n".encode().ljust(64), 0)
        except OSError:
            return  # a full disk: the lock itself holds as long as radar lives

    def clear(self) -> None:
        """Forget the job: it ended."""
        if self._fd is not None:
            try:
                os.ftruncate(self._fd, 0)
            except OSError:
                return


def _lock(fd: int) -> bool:
    """Lock the file for as long as `fd` is open; False if somebody else has it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        if _RECORD_LOCK is not None:
            fcntl.fcntl(fd, _RECORD_LOCK, _WHOLE_FILE)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True  # a file system without record locks: then a radar 0.1 has none, either
    return True


def _has_orphan(fd: int) -> bool:
    """Whether the job of a radar that was killed is still there."""
    words = os.pread(fd, 64, 0).split()
    if len(words) != 2 or not words[0].isdigit():
        return False
    started = _start_time(int(words[0]))
    return started != "" and started == words[1].decode("ascii", "replace")


def _start_time(pid: int) -> str:
    """When a process started, in clock ticks since boot, "" if it's gone (proc(5), field 22)."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
