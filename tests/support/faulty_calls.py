"""System calls that fail, stop half-way or are the last one: any of a program's, by its number.

A library in C (`faulty_calls.c`) is preloaded into radar, and counts the calls by which it writes:
each (call, number) of a scenario can then be failed in a run of its own. It is that and not
strace's injection for three reasons. strace counts for each thread, so that one number is several
calls, and none of them the same from run to run; the library has one count, of all threads and
processes. It knows what a descriptor is, and fails a write to a file as a full disk does and one to
a socket as a peer does; and it can write a half of it, which no injection does. And it costs
nothing: a scenario takes the tenth of a second that it takes anyhow.

It sees what goes through the C library: Python, SQLite and uvloop do. What the C library calls
by itself it doesn't see (the clone in posix_spawn: tests/wrap/test_limits.py has that one).
"""

import errno
import mmap
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.requirements import require, require_program

_SOURCE = Path(__file__).with_suffix(".c")
# In the order of `enum call` and `enum action` in the library.
CALLS = (
    "write",  # to a file
    "output",  # a write to stdout or stderr
    "pwrite",
    "send",  # whatever writes to a socket
    "connect",
    "open",  # to write
    "close",  # of a file that was open to write
    "fsync",
    "fdatasync",
    "ftruncate",
    "fallocate",
    "rename",
    "link",
    "unlink",
    "mkdir",
    "chmod",  # of mode or owner
    "utimes",
    "lock",  # flock, lockf, fcntl
    "mmap",  # shared: the index of SQLite's log
    "thread",
    "pipe",
)
_ERROR, _KILL, _HALF, _TORN, _FULL = range(5)
_HEAD = struct.Struct("6i")
_COUNTS = struct.Struct(f"{len(CALLS)}i")
_WHAT_BYTES = 256
_SIZE = _HEAD.size + _COUNTS.size + _WHAT_BYTES

_ERRORS = {
    "write": ("ENOSPC", "EIO", "EINTR"),
    "output": ("EIO", "EINTR", "EAGAIN"),
    "pwrite": ("ENOSPC", "EIO", "EINTR"),
    "send": ("ECONNRESET", "EINTR"),
    "connect": ("ECONNREFUSED", "EADDRNOTAVAIL"),
    "open": ("ENOSPC", "EMFILE", "EROFS", "EINTR"),
    "close": ("EIO",),
    "fsync": ("EIO", "ENOSPC", "EINTR"),
    "fdatasync": ("EIO", "ENOSPC"),
    "ftruncate": ("ENOSPC", "EIO"),
    "fallocate": ("ENOSPC", "EOPNOTSUPP"),
    "rename": ("ENOSPC", "EIO"),
    "link": ("EPERM", "EMLINK"),
    "unlink": ("EIO", "EROFS"),
    "mkdir": ("ENOSPC", "EACCES"),
    "chmod": ("EPERM", "EIO"),
    "utimes": ("EACCES",),
    "lock": ("ENOLCK", "EAGAIN", "EINTR"),
    "mmap": ("ENOMEM",),
    "thread": ("EAGAIN",),
    "pipe": ("EMFILE",),
}
_IN_PARTS = ("write", "output", "pwrite", "send")
_NEED_SPACE = ("write", "pwrite", "open", "mkdir", "fallocate")


@dataclass(frozen=True)
class Fault:
    """One call of a scenario, by its name and number, and what happens instead of it.

    `way` is an errno's name, or `kill` (the program dies before the call), `half` (half of it is
    written), `torn` (half of it is written, and then it dies) or `full` (there is no space from
    here on).
    """

    call: str
    number: int
    way: str

    @property
    def kills(self) -> bool:
        return self.way in ("kill", "torn")

    def __str__(self) -> str:
        return f"{self.call} {self.number} {self.way}"


def faults(counts: dict[str, int]) -> list[Fault]:
    """All that can happen to the calls of a scenario."""
    found = []
    for call, count in counts.items():
        ways = [*_ERRORS[call], "kill"]
        ways += ["half", "torn"] if call in _IN_PARTS else []
        ways += ["full"] if call in _NEED_SPACE else []
        found += [Fault(call, number, way) for number in range(1, count + 1) for way in ways]
    return found


def compile_library(folder: Path) -> Path:
    """Make the library that is to be preloaded."""
    require(sys.platform == "linux", "LD_PRELOAD and /proc are Linux's")
    library = folder / "faulty_calls.so"
    words = [require_program("cc"), "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    done = subprocess.run(
        [*words, "-o", library, _SOURCE, "-ldl"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return library


class FaultyCalls:
    """The calls of one scenario: `env()` is for whatever radar takes part in it.

    Nothing is counted, and nothing fails, before `record` or `arm`.
    """

    def __init__(self, library: Path, folder: Path) -> None:
        self._library = library
        self._path = folder / "faulty-calls"
        self._path.write_bytes(bytes(_SIZE))
        with self._path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _SIZE)

    def close(self) -> None:
        self._shared.close()

    def env(self) -> dict[str, str]:
        """The variables that make a program of this Python's heed it; its children aren't meant."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAULTY_CALLS": str(self._path),
            "FAULTY_PROGRAM": os.path.realpath(sys.executable),
        }

    def record(self) -> None:
        """Count from here on."""
        self._write(wanted=-1, number=0, action=_ERROR, error=0)

    def arm(self, fault: Fault) -> None:
        """Count from here on, and let it happen."""
        actions = {"kill": _KILL, "half": _HALF, "torn": _TORN, "full": _FULL}
        action = actions.get(fault.way, _ERROR)
        error = getattr(errno, fault.way) if action == _ERROR else errno.ENOSPC
        self._write(wanted=CALLS.index(fault.call), number=fault.number, action=action, error=error)

    def disarm(self) -> None:
        """Let everything pass."""
        self._shared[: _HEAD.size] = _HEAD.pack(0, -1, 0, 0, 0, self.has_fired)

    @property
    def has_fired(self) -> bool:
        """Whether the call was reached."""
        return bool(_HEAD.unpack_from(self._shared)[5])

    @property
    def what(self) -> str:
        """The file or descriptor of the call that was chosen."""
        return self._shared[-_WHAT_BYTES:].split(b"\0")[0].decode(errors="replace")

    def counts(self) -> dict[str, int]:
        """How often each call was made."""
        numbers = _COUNTS.unpack_from(self._shared, _HEAD.size)
        return {call: number for call, number in zip(CALLS, numbers, strict=True) if number}

    def _write(self, *, wanted: int, number: int, action: int, error: int) -> None:
        self._shared[:] = bytes(_SIZE)
        self._shared[: _HEAD.size] = _HEAD.pack(0, wanted, number, action, error, 0)
        self._shared[: _HEAD.size] = _HEAD.pack(1, wanted, number, action, error, 0)


def spread(everything: list[Fault], count: int, offset: int) -> Iterator[Fault]:
    """So many of the faults, evenly from all of them; `offset` rotates through the rest."""
    step = max(1, len(everything) // count) if count else 1
    for at in range(min(count, len(everything))):
        yield everything[(at * step + offset) % len(everything)]
