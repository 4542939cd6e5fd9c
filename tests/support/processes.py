"""Processes that a test started: are they alive, and are they gone afterwards?"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

_PR_SET_CHILD_SUBREAPER = 36

_started: list[subprocess.Popen[bytes]] = []
# Servers that serve more tests than the one that happened to start them.
_shared: set[int] = set()


def is_alive(pid: int) -> bool:
    """Whether a process still runs: one that has ended and waits to be reaped doesn't."""
    return state(pid) not in ("", "Z", "X")


def state(pid: int) -> str:
    """The kernel's letter for it (`R S D T t Z X`), or nothing if there is no such process."""
    fields = _stat(pid)
    return fields[0] if fields else ""


def parent(pid: int) -> int:
    """The parent's pid, 0 if there is no such process."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def children_of(pid: int) -> set[int]:
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit() and parent(int(name)) == pid:
            found.add(int(name))
    return found


def _stat(pid: int) -> list[str]:
    """What follows the program's name in /proc/PID/stat (the name may hold anything)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].decode().split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def remember(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Have the process killed, if it still runs, when the test ends."""
    _started.append(process)
    return process


def share(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Let a process outlive the test that needed it first; whoever made it ends it."""
    if process in _started:
        _started.remove(process)
    _shared.add(process.pid)
    return process


@contextlib.contextmanager
def no_strays() -> Iterator[None]:
    """Kill whatever was started inside and still runs, orphans included.

    As a subreaper this process inherits the orphans of its children, and so it
    can tell them from everybody else's by their parent alone.
    """
    if sys.platform != "linux":
        yield
        _end_started()
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = children_of(os.getpid())
    try:
        yield
    finally:
        _end_started()
        _kill_orphans(before)


def _end_started() -> None:
    while _started:
        process = _started.pop()
        if process.poll() is None:
            process.kill()
        process.wait(10)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):  # unsent input to a dead process
                    stream.close()


def _kill_orphans(spared: set[int]) -> None:
    """Until none is left: the children of a killed process become ours in turn."""
    deadline = time.monotonic() + 10
    while strays := children_of(os.getpid()) - spared - _shared:
        for pid in strays:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        if time.monotonic() > deadline:
            raise AssertionError(f"processes {strays} survive SIGKILL")
