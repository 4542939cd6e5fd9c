"""Taking pings out of the outbox: claiming their files, reading them, setting them aside."""

import errno
import os
import stat
import time

from radar_cli.core.places import make_private_folder
from radar_cli.model.ping import Ping, decode, decode_fields
from radar_cli.outbox.spool import (
    ASIDE_FOLDER,
    MAGIC,
    REJECTED,
    WAITING,
    Entry,
    Outbox,
    Spool,
    checksum,
    close_lock,
    folder_name,
    state_error,
    try_lock,
    write,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_FLUSH = ".flush"
_NAME_PARTS = 7  # time, kind, and five of a UUID
_LARGEST_BYTES = 16_000_000
# What `open` says of a symlink, a directory, a socket, a device without a driver.
_NO_FILE = (errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENODEV)


def sort_in_old(outbox: Outbox, at_most: int = 1 << 30) -> int:
    """Move the pings of radar 0.1, which lie in one folder for all, to where they belong now.

    Return how many, at most as many as asked. One that somebody delivers right now stays.
    """
    old = Spool(outbox.folder)
    names = sorted(old.names(WAITING) + old.names(REJECTED))
    moved = 0
    for name in names[:at_most]:
        entry = claim(old, name)
        if entry is None:
            continue
        folder = os.path.join(outbox.folder, folder_name(entry.to))
        try:
            make_private_folder(folder)
            os.rename(entry.path, os.path.join(folder, _new_name(name)))
            moved += 1
        except OSError:
            pass  # a full disk: another run will
        finally:
            entry.release()
    return moved


def _new_name(old: str) -> str:
    """A file's name without the fingerprint of its destination, which 0.1 added."""
    stem, dot, suffix = old.rpartition(".")
    parts = stem.split("-")
    return "-".join(parts[:_NAME_PARTS]) + dot + suffix


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
            entry = Entry(path, *_read(fd), fd, spool=spool)
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


def claim_for(spool: Spool, name: str, accepts: "Callable[[dict[str, str]], bool]") -> Entry | None:
    """Claim a file whose address is accepted; None as well if it is for somebody else."""
    with spool.looking:
        entry = claim(spool, name)
        if entry is None or accepts(entry.to):
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
        return Entry(path, *_read(fd), spool=spool)
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
    folder = os.path.join(spool.folder, ASIDE_FOLDER)
    try:
        make_private_folder(folder)
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


def readdress(outbox: Outbox, entry: Entry, to: dict[str, str]) -> None:
    """Move a kept ping to where those with another address wait; the entry is let go."""
    try:
        moved = outbox.put(entry.ping, to, durable=True)
        if moved.path != entry.path:
            os.unlink(entry.path)
    except (state_error(), OSError):
        pass  # a full disk: the old address may still become right
    finally:
        entry.release()


def has_left_behind(spool: Spool) -> bool:
    """Whether any pings wait there that nobody works on.

    With a hundred jobs at once, what is there is on its way already; the oldest tell.
    """
    return any(is_free(spool, name) for name in spool.oldest())


def lock_for_flush(spool: Spool) -> int | None:
    """Become the one process that flushes this spool; None if another one is.

    `unlock` lets go.
    """
    if not spool.hold(_FLUSH):
        return None
    try:
        path = os.path.join(spool.folder, _FLUSH)
        fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError:
        spool.let_go(_FLUSH)
        return None
    if try_lock(fd):
        return fd
    os.close(fd)
    spool.let_go(_FLUSH)
    return None


def unlock(spool: Spool, fd: int) -> None:
    """Let another process flush."""
    close_lock(fd)
    spool.let_go(_FLUSH)


def _read(fd: int) -> tuple[Ping, dict[str, str]]:
    """The ping in an open file, and where it belongs; ValueError if it isn't whole."""
    size = _check(fd)
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
