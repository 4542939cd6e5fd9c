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
import errno
import os
import stat
import time

from radar_cli.model.ping import Ping, decode, decode_fields, encode_fields, fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.core.errors import StateError
    from radar_cli.delivery.destinations import Destination

WAITING = ".ping"  # to be delivered
MAGIC = b"radar-ping/1 "
_NO_SPACE = (28, 122)  # ENOSPC, EDQUOT
_LOOKED_AT = 3
_LAST_OF_UUID = 12  # digits; those of a destination are eight
# Readers of the store take the spool in; where there are none, the wrapper does it now and then.
MANY_WAIT = 1000


REJECTED = ".rejected"  # the server said no for good; only a person tries it again
_LARGEST_BYTES = 16_000_000
# What `open` says of a symlink, a directory, a socket, a device without a driver.
_NO_FILE = (errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENODEV)


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
        mark = "-" + fingerprint(encode_fields(to).encode()) if to else ""
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
    from radar_cli.core.errors import StateError

    return StateError


def write(
    path: str, ping: Ping, to: dict[str, str], *, durable: bool = True, hold: bool = False
) -> int | None:
    """Write a ping's file, whole or not at all; with `hold`, return its locked descriptor."""
    rest = f"{encode_fields(to)}\n{ping.encode()}\n".encode() + ping.body
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
    return fingerprint(data).encode()


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


def claim(spool: Spool, name: str) -> Entry | None:
    """Read a file and keep others off it; None if it's gone, held by another, or set aside."""
    if not spool.hold(name):
        return None
    fd, entry = None, None
    try:
        path = os.path.join(spool.folder, name)
        # A record lock needs write access. O_NONBLOCK: a FIFO put here must not stop us.
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        _check(fd)  # since a FIFO has no locks
        if try_lock(fd) and os.fstat(fd).st_nlink:  # else it was delivered since we saw its name
            entry = Entry(path, *_read(fd), fd, spool)
    except OSError as error:
        # Anything else (no permission, too many open files) is not the file's fault.
        if error.errno in _NO_FILE:
            set_aside(spool, name)
    except ValueError:
        set_aside(spool, name)
    finally:
        if entry is None:
            if fd is not None:
                os.close(fd)
            spool.let_go(name)
    return entry


def claim_for(spool: Spool, name: str, destination: "Destination") -> Entry | None:
    """Claim a file whose ping belongs to a destination; None as well if it belongs elsewhere."""
    with spool.looking:
        entry = claim(spool, name)
        if entry is None or destination.accepts(entry.to):
            return entry
        entry.release()
        return None


def peek(spool: Spool, name: str) -> Entry | None:
    """Read a file without keeping others off it; None if it's gone or can't be read."""
    if spool.is_held(name):
        return None
    path = os.path.join(spool.folder, name)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return Entry(path, *_read(fd))
    except (OSError, ValueError):
        return None
    finally:
        os.close(fd)


def is_free(spool: Spool, name: str) -> bool:
    """Whether nobody works on a file, as far as can be told without reading it."""
    path = os.path.join(spool.folder, name)
    with spool.looking:
        if spool.is_held(name):
            return False
        try:
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return True  # whoever looks closer finds out what it is
        try:
            os.lockf(fd, os.F_TEST, 0)
        except OSError:
            return False
        finally:
            os.close(fd)
        return True


def set_aside(spool: Spool, name: str) -> None:
    """Move a file that is no ping to `aside`, where it is in nobody's way."""
    folder = os.path.join(spool.folder, "aside")
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        target = os.path.join(folder, f"{name}.{time.time_ns()}")
        os.rename(os.path.join(spool.folder, name), target)
    except OSError:
        return  # gone, or the disk is as broken as the file: it stays where it is


def reject(entry: Entry, reason: str) -> None:
    """Keep the file, but out of the way of those that can still be delivered."""
    target = entry.path.removesuffix(WAITING).removesuffix(REJECTED) + REJECTED
    try:
        write(target, entry.ping, {**entry.to, "rejected": reason})
        if target != entry.path:
            os.unlink(entry.path)
    except OSError:  # a full disk: then without the reason
        if target != entry.path:
            os.rename(entry.path, target)
    entry.release()


def readdress(entry: Entry, to: dict[str, str]) -> None:
    """Change where a kept ping belongs; the entry is let go."""
    try:
        write(entry.path, entry.ping, to)
    except OSError:
        pass  # a full disk: the old address may still become right
    finally:
        entry.release()


def lock_for_flush(spool: Spool, destination: str = "") -> int | None:
    """Become the one process that flushes to a destination; None if another one is.

    `unlock` lets go.
    """
    name = _lock_name(destination)
    if not spool.hold(name):
        return None
    try:
        path = os.path.join(spool.folder, name)
        fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError:
        spool.let_go(name)
        return None
    if try_lock(fd):
        return fd
    os.close(fd)
    spool.let_go(name)
    return None


def unlock(spool: Spool, fd: int, destination: str = "") -> None:
    """Let another process flush."""
    os.close(fd)
    spool.let_go(_lock_name(destination))


def _lock_name(destination: str) -> str:
    return ".flush" + ("-" + fingerprint(destination.encode()) if destination else "")


def _read(fd: int) -> tuple[Ping, dict[str, str]]:
    """The ping in an open file, and where it belongs; ValueError if it isn't whole."""
    size = _check(fd)
    os.lseek(fd, 0, os.SEEK_SET)
    parts = []
    while data := os.read(fd, size + 1):
        parts.append(data)
    return parse(b"".join(parts))


def _check(fd: int) -> int:
    """The size of an open file; ValueError if it can be no ping."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_BYTES:
        raise ValueError("no file, or larger than any ping")
    return status.st_size


def parse(data: bytes) -> tuple[Ping, dict[str, str]]:
    """The ping and where it belongs; ValueError if the file isn't whole."""
    head, _, rest = data.partition(b"\n")
    words = head.removeprefix(MAGIC).split(b" ")
    if not head.startswith(MAGIC) or len(words) != 2 or checksum(rest) != words[1]:
        raise ValueError("not a whole ping")
    to, _, others = rest.partition(b"\n")
    line, _, body = others.partition(b"\n")
    if words[0] != b"%d" % len(body):
        raise ValueError("not a whole ping")
    body.decode()
    return decode(line.decode(), body), decode_fields(to.decode())
