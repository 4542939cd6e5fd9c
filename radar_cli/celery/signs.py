"""The file in which a worker or Beat gives signs of life, and how a probe reads it.

A line of three numbers: when the sign was given and until when the next may stay away, both in
nanoseconds of the system's monotonic clock, which no clock change touches; and the process.
Imported by `radar celery alive`: the standard library's lightest alone.
"""

import errno
import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE = "RADAR_ALIVE_FILE"
_FOLDER = "radar-celery-"
# Behind the file's name: it is there once the worker takes tasks.
STARTED_SUFFIX = ".started"
NO_LIMIT_NS = 10**18
_FORM = b"%019d %019d %010d\n"


def default_file(environ: "Mapping[str, str]", role: str) -> str:
    """The file of a `worker` or a `beat`: `RADAR_ALIVE_FILE`, else one in a folder of the user's.

    The variable is for more than one worker on a machine.
    """
    named = environ.get(VARIABLE)
    if named:
        return named
    folder = environ.get("TMPDIR") or "/tmp"  # noqa: S108  (see check_folder)
    return f"{folder.rstrip('/')}/{_FOLDER}{os.geteuid()}/{role}"


def check_folder(file: str) -> None:
    """Raise OSError if the file is in a folder like `default_file`'s that somebody else has made.

    Anybody may make one in /tmp, and would decide then which worker seems to be alive.
    """
    folder = os.path.dirname(file)
    if os.path.basename(folder) == f"{_FOLDER}{os.geteuid()}":
        status = os.lstat(folder)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, f"{folder} belongs to somebody else", file)


def open_regular(file: str, flags: int) -> int:
    """Open the file, which has to be a plain one: a FIFO in its place would hang us.

    Raises OSError.
    """
    fd = os.open(file, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, "it is no plain file", file)


def compose(now_ns: int, quiet_until_ns: int, pid: int) -> bytes:
    """The content of the file: always of one length, so that one write replaces it."""
    return _FORM % (now_ns, min(quiet_until_ns, NO_LIMIT_NS), pid)


def parse(content: bytes) -> "tuple[int, int, int] | None":
    """When the sign was given, until when the next may stay away, and the pid; None: no sign."""
    words = content.split()
    if len(words) != 3 or not all(word.isdigit() for word in words):
        return None
    return int(words[0]), int(words[1]), int(words[2])


def silent_s(file: str, clock_ns: "Callable[[], int]") -> float:
    """For how many seconds a sign is overdue, or how old the last one is. Raises OSError.

    Negative while a long task or Beat's sleep excuses the silence. Of a file that something else
    touches, it is the age. The clock is read after the file: a sign given in between would come
    from the future, as one of an earlier boot does.
    """
    check_folder(file)
    fd = open_regular(file, os.O_RDONLY)
    try:
        found = parse(os.read(fd, 100))
        if found is None:
            return time.time() - os.fstat(fd).st_mtime
    finally:
        os.close(fd)
    now_ns = clock_ns()
    given_ns, quiet_until_ns, _ = found
    if given_ns > now_ns:
        return float("inf")  # of an earlier boot: that clock began anew
    return (now_ns - max(given_ns, quiet_until_ns)) / 1e9
