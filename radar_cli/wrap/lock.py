"""One run of a monitor at a time on this machine (`--lock`).

The lock goes with radar's process; the job's own id is written beside it, so that a job which
outlived a killed radar still counts as running.
"""

import os
import time

SKIP, WAIT, FAIL = "skip", "wait", "fail"
_POLL_S = 0.2


class RunLock:
    """A record lock on `locks/<monitor>` of the state directory."""

    def __init__(self, state_directory: str, monitor: str) -> None:
        self._path = os.path.join(state_directory, "locks", monitor)
        self._fd: int | None = None

    def acquire(self, *, wait: bool) -> bool:
        """Take the lock; False if another run has it. OSError: there can be no lock."""
        if self._fd is None:
            os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
            self._fd = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        while True:
            try:
                os.lockf(self._fd, os.F_LOCK if wait else os.F_TLOCK, 0)
            except (BlockingIOError, PermissionError):
                return False
            if not self._has_orphan():
                return True
            os.lockf(self._fd, os.F_ULOCK, 0)
            if not wait:
                return False
            time.sleep(_POLL_S)

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

    def _has_orphan(self) -> bool:
        """Whether the job of a radar that was killed is still there."""
        assert self._fd is not None  # noqa: S101 (for mypy: acquire has just opened it)
        words = os.pread(self._fd, 64, 0).split()
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
