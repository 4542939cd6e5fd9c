"""The file in which a worker or Beat gives signs of life, and how a probe reads it.

A line of four numbers and a note: when the sign was given and until when the next may stay away,
both in nanoseconds of the system's monotonic clock, which no clock change touches; the process, and
when that was started, in the kernel's ticks; and what keeps it from giving signs.
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
_FORM = b"%019d %019d %010d %019d %-150s\n"
_NOTE_BYTES = 150
_READ_BYTES = 300
_STOPPED = (b"T", b"t")


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


class Sign:
    """A sign of life: when it was given, until when the next may stay away, by whom, and why."""

    __slots__ = ("given_ns", "note", "pid", "quiet_until_ns", "started_ticks")

    def __init__(
        self,
        given_ns: int,
        quiet_until_ns: int,
        pid: int,
        started_ticks: int = 0,
        note: str = "",
    ) -> None:
        self.given_ns = given_ns
        self.quiet_until_ns = quiet_until_ns
        self.pid = pid
        self.started_ticks = started_ticks  # 0: unknown
        self.note = note

    def refuse(self) -> str:
        """Return why the excuse doesn't count; empty if its process still is, and runs."""
        state, started_ticks = process_state(self.pid)
        is_same = not (self.started_ticks and started_ticks) or started_ticks == self.started_ticks
        if not state or not is_same:
            return f"its process {self.pid} is gone"
        return f"its process {self.pid} is stopped" if state in _STOPPED else ""


def compose(sign: Sign) -> bytes:
    """The content of the file: always of one length, so that one write replaces it."""
    note = " ".join(sign.note.split()).encode("utf-8", "replace")[:_NOTE_BYTES]
    until_ns = min(sign.quiet_until_ns, NO_LIMIT_NS)
    return _FORM % (sign.given_ns, until_ns, sign.pid, sign.started_ticks, note)


def parse(content: bytes) -> "Sign | None":
    """The sign in a file's content; None: it holds none."""
    words = content.split(None, 4)
    # An older radar in the worker wrote three numbers.
    numbers = words[:4]
    if len(numbers) < 3 or not all(word.isdigit() for word in numbers):
        return None
    note = words[4].strip().decode("utf-8", "ignore") if len(words) > 4 else ""
    given_ns, quiet_until_ns, pid, started_ticks, *_ = [*map(int, numbers), 0]
    return Sign(given_ns, quiet_until_ns, pid, started_ticks, note)


def process_state(pid: int) -> "tuple[bytes, int]":
    """Return its state as /proc has it (`b""`: it is gone), and its start in ticks (0: unknown).

    A process that has ended and that nobody has waited for is gone.
    """
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            fields = os.read(fd, 1024).rpartition(b")")[2].split()
        finally:
            os.close(fd)
        return (b"" if fields[0] in (b"Z", b"X") else fields[0]), int(fields[19])
    except (OSError, IndexError, ValueError):
        pass
    try:
        os.kill(pid, 0)
    except PermissionError:
        return b"?", 0  # another user's, in a /proc that hides them
    except OSError:
        return b"", 0
    return b"?", 0


def read_silence(file: str, clock_ns: "Callable[[], int]") -> "tuple[float, str]":
    """For how many seconds a sign is overdue, or how old the last one is; and a note on it.

    Negative while a long task or Beat's sleep excuses the silence, and then the note says what, and
    for how long; else it says why no excuse counts. Only that of a process that still is does. Of a
    file that something else touches, it is the age. The clock is read after the file: a sign given
    in between would come from the future, as one of an earlier boot does. Raises OSError.
    """
    check_folder(file)
    fd = open_regular(file, os.O_RDONLY)
    try:
        sign = parse(os.read(fd, _READ_BYTES))
        if sign is None:
            return time.time() - os.fstat(fd).st_mtime, ""
    finally:
        os.close(fd)
    now_ns = clock_ns()
    if sign.given_ns > now_ns:
        return float("inf"), ""  # of an earlier boot: that clock began anew
    age_s = (now_ns - sign.given_ns) / 1e9
    if sign.quiet_until_ns <= sign.given_ns:
        return age_s, ""
    refusal = sign.refuse()
    if refusal:
        return age_s, refusal
    overdue_s = (now_ns - sign.quiet_until_ns) / 1e9
    if sign.note and overdue_s < 0:
        from radar_cli.core.grammar import format_duration

        return overdue_s, f"{sign.note} for {format_duration(age_s)}"
    return overdue_s, ""
