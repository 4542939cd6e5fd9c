"""Reading the spool: whoever takes pings out of it, to a server or into the embedded store."""

import errno
import os
import stat
import time

from radar_cli.pings.codec import fingerprint
from radar_cli.pings.ping import Ping
from radar_cli.pings.reading import decode, decode_fields
from radar_cli.pings.spool import MAGIC, WAITING, Entry, Spool, checksum, try_lock, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.pings.destinations import Destination

REJECTED = ".rejected"  # the server said no for good; only a person tries it again
_LARGEST_BYTES = 16_000_000
# What `open` says of a symlink, a directory, a socket, a device without a driver.
_NO_FILE = (errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENODEV)


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
