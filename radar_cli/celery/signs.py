"""The file in which a worker or Beat gives signs of life, and how a probe reads it.

A line of three numbers: when the sign was given and until when the next may stay away, both in
nanoseconds of the system's monotonic clock, which no clock change touches; and the process.
Imported by `radar celery alive`: the standard library's lightest alone.
"""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE = "RADAR_ALIVE_FILE"
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
    folder = environ.get("TMPDIR") or "/tmp"  # noqa: S108  (the folder in it is checked)
    return f"{folder.rstrip('/')}/radar-celery-{os.geteuid()}/{role}"


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
    with open(file, "rb", buffering=0) as opened:
        found = parse(opened.read(100))
        if found is None:
            return time.time() - os.fstat(opened.fileno()).st_mtime
    now_ns = clock_ns()
    given_ns, quiet_until_ns, _ = found
    if given_ns > now_ns:
        return float("inf")  # of an earlier boot: that clock began anew
    return (now_ns - max(given_ns, quiet_until_ns)) / 1e9
