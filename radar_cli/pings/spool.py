"""Pings that are not (yet) where they belong: one file each, as a Maildir keeps mail.

A file appears whole or not at all (write, fsync, rename). Whoever works on one holds a record
lock on it, which the kernel takes back when the process dies; so a hundred jobs share a spool
without waiting for one another.

    radar-ping/1 <bytes of body> <checksum of all that follows>
    <where to, as a query string>
    <the ping, as a query string>
    <body>
"""

import _thread
import os

from radar_cli.pings import codec
from radar_cli.pings.ping import Ping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.errors import StateError

WAITING = ".ping"  # to be delivered
MAGIC = b"radar-ping/1 "
_NO_SPACE = (28, 122)  # ENOSPC, EDQUOT
_LOOKED_AT = 3
_LAST_OF_UUID = 12  # digits; those of a destination are eight
# Readers of the store take the spool in; where there are none, the wrapper does it now and then.
MANY_WAIT = 1000


class Entry:
    """One spooled ping. `to` says where it belongs (see destinations.Destination.address)."""

    def __init__(
        self,
        path: str,
        ping: Ping,
        to: dict[str, str],
        lock: int | None = None,
        spool: "Spool | None" = None,
    ) -> None:
        self.path = path
        self.ping = ping
        self.to = to
        self._lock = lock
        self._spool = spool
        self._is_removed = False

    def remove(self) -> None:
        """Delete the file: the ping is where it belongs."""
        self._is_removed = True
        try:  # noqa: SIM105 (contextlib is an import of 3 ms)
            os.unlink(self.path)
        except FileNotFoundError:
            pass  # somebody else delivered it
        self.release()

    def sync(self) -> None:
        """Make sure that a power failure doesn't take the file.

        By the thread that holds it, or with no thread at it: a descriptor that is closed meanwhile
        may be another file's by now.
        """
        if self._is_removed:
            return
        if self._lock is not None:
            # Closing another descriptor of the file would end this process's record lock on it.
            os.fsync(self._lock)
        else:
            fd = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        _sync_folder(os.path.dirname(self.path))

    def release(self) -> None:
        """Let others work on the ping."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        os.close(lock)
        if self._spool is not None:
            self._spool.let_go(os.path.basename(self.path))


class Spool:
    """The folder `spool` of a state directory."""

    def __init__(self, state_directory: str) -> None:
        self.folder = os.path.join(state_directory, "spool")
        # Record locks are a process's: they don't keep a thread off what another thread holds, and
        # whoever closes any descriptor of a file ends the lock of them all.
        self._held: dict[str, object] = {}
        # Held while a thread finds out whose a file is: another one must not take it for busy.
        self.looking = _thread.allocate_lock()

    def hold(self, name: str) -> bool:
        """Keep this process's other threads off a file; False if one of them has it."""
        mark = object()
        return self._held.setdefault(name, mark) is mark  # one step, so no two threads win

    def let_go(self, name: str) -> None:
        """Let this process's other threads at a file."""
        self._held.pop(name, None)

    def is_held(self, name: str) -> bool:
        """Whether a thread of this process works on a file: then opening it is harmful."""
        return name in self._held

    def has_left_behind(self) -> bool:
        """Whether any pings wait that nobody works on.

        With a hundred jobs at once, what is there is on its way already; the oldest tell.
        """
        names = self.outbound()[:_LOOKED_AT]
        if not names:
            return False
        from radar_cli.pings.outbox import is_free

        return any(is_free(self, name) for name in names)

    def needs_care(self) -> bool:
        """Whether many pings wait for the store, or a killed writer may have left a file."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return False
        return len(names) >= MANY_WAIT or any(map(is_unfinished, names))

    def put(self, ping: Ping, to: dict[str, str], *, durable: bool, hold: bool = False) -> Entry:
        """Keep a ping; `durable` survives a power failure, `hold` keeps others off it.

        StateError: the file can't be written.
        """
        # One ping may wait for two servers. What waits for none is the store's.
        mark = "-" + codec.fingerprint(codec.encode_fields(to).encode()) if to else ""
        name = f"{ping.time_us:017d}-{ping.kind}-{ping.id}{mark}{WAITING}"
        path = os.path.join(self.folder, name)
        if hold:
            self.hold(name)
        try:
            try:
                lock = write(path, ping, to, durable=durable, hold=hold)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(self.folder), 0o700, exist_ok=True)
                os.makedirs(self.folder, 0o700, exist_ok=True)
                lock = write(path, ping, to, durable=durable, hold=hold)
        except OSError as error:
            self.let_go(name)
            raise state_error()(
                f"can't keep a ping in {self.folder}: {error.strerror}",
                "free some space"
                if error.errno in _NO_SPACE
                else "RADAR_STATE_DIR names another state directory",
            ) from error
        return Entry(path, ping, to, lock, self)

    def names(self, suffix: str = WAITING) -> list[str]:
        """The names of the waiting files, oldest event first; empty if there is no spool."""
        try:
            return sorted(name for name in os.listdir(self.folder) if name.endswith(suffix))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []

    def outbound(self, suffix: str = WAITING) -> list[str]:
        """Those of `names` that may wait for a server: the store's may be many, for long."""
        end = -len(suffix)
        return [name for name in self.names(suffix) if not _ends_with_id(name[:end])]


def state_error() -> "type[StateError]":
    """`StateError`: just a spool with a fault pays for loading errors.py."""
    from radar_cli.errors import StateError

    return StateError


def write(
    path: str, ping: Ping, to: dict[str, str], *, durable: bool = True, hold: bool = False
) -> int | None:
    """Write a ping's file, whole or not at all; with `hold`, return its locked descriptor."""
    rest = f"{codec.encode_fields(to)}\n{ping.encode()}\n".encode() + ping.body
    data = memoryview(b"%s%d %s\n%s" % (MAGIC, len(ping.body), checksum(rest), rest))
    folder, name = os.path.split(path)
    unfinished = os.path.join(folder, f".{name}.{os.getpid()}.{_thread.get_ident()}")
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        while data:
            data = data[os.write(fd, data) :]
        if hold:
            try_lock(fd)
        if durable:
            os.fsync(fd)
        os.rename(unfinished, path)
    except OSError:
        os.close(fd)
        os.unlink(unfinished)
        raise
    if durable:
        _sync_folder(folder)
    if hold:
        return fd
    os.close(fd)
    return None


def _ends_with_id(stem: str) -> bool:
    """Whether a file's name ends with its ping's id, a UUID, and so names no destination."""
    return len(stem.rpartition("-")[2]) == _LAST_OF_UUID


def is_unfinished(name: str) -> bool:
    """Whether a file's name is that of one which `write` hasn't finished."""
    return name.startswith(".") and WAITING + "." in name


def checksum(data: bytes) -> bytes:
    """What tells a file that a disk or a crash has damaged."""
    return codec.fingerprint(data).encode()


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Lock an open file for this process; False if another one has it."""
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        os.lockf(fd, os.F_TLOCK, 0)
    except OSError:
        return False
    return True
