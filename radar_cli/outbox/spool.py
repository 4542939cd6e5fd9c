"""The outbox: pings that are not (yet) where they belong, one file each, as a Maildir keeps mail.

Each destination has a folder, a `Spool`, so that what waits for one costs a run for another
nothing. A file appears whole or not at all (write, fsync, rename). Whoever works on one holds a
record lock on it, which the kernel takes back when the process dies; so a hundred jobs share a
spool without waiting for one another.

    spool/store/                       what is the embedded store's
    spool/unresolved-<profile>/        where it isn't known yet where pings go
    spool/<host>-<server>[-<whose>]/   what is a server's; `whose` is p<profile> or k<key>
        00001764499800000000-start-<id>.ping        a ping that waits
        00001764499800000000-fail-<id>.rejected     one that the server has refused for good
        .down                                       the server didn't answer, at the file's time
        .dropped                                    how many pings the bound has cost, of which kind

What stands in <> in a folder's name is a fingerprint. A ping's file:

    radar-ping/1 <bytes of body> <checksum of all that follows>
    <where to, as a query string>
    <the ping, as a query string>
    <body>
"""

import _thread
import os

from radar_cli.core.places import make_private_folder
from radar_cli.model.ping import Ping, encode_fields, fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.core.errors import StateError

WAITING = ".ping"  # to be delivered
REJECTED = ".rejected"  # the server said no for good; only a person tries it again
MAGIC = b"radar-ping/1 "
STORE_FOLDER = "store"
ASIDE_FOLDER = "aside"
UNRESOLVED = "unresolved"  # the field of an address that names the profile to be resolved
_DOWN = ".down"
_HOST_MAX = 60  # characters of a folder's name
_NO_SPACE = (28, 122)  # ENOSPC, EDQUOT
_LOOKED_AT = 3
# Readers of the store take its spool in; where there are none, the wrapper does it now and then.
MANY_WAIT = 1000


def folder_name(to: dict[str, str]) -> str:
    """The name of the folder in which pings with this address wait."""
    if not to:
        return STORE_FOLDER
    if UNRESOLVED in to:
        return f"{UNRESOLVED}-{fingerprint(to[UNRESOLVED].encode())}"
    name = server_folder_name(to.get("server", ""))
    if to.get("profile"):
        return f"{name}-p{fingerprint(to['profile'].encode())}"
    return f"{name}-k{to['key']}" if to.get("key") else name


def server_folder_name(server: str) -> str:
    """Return how the names of all folders for a server begin."""
    host = server.partition("://")[2].partition("/")[0].rpartition("@")[2] or "server"
    shown = "".join(c for c in host if c.isascii() and (c.isalnum() or c in ".-"))[:_HOST_MAX]
    return f"{shown}-{fingerprint(server.encode())}"


def place_of(to: dict[str, str]) -> str:
    """Name where pings with this address go, for people: a server, or the profile that names it."""
    if UNRESOLVED in to:
        return f"profile {to[UNRESOLVED]}"
    return to.get("server", "")


class Outbox:
    """The folders of pings in a state directory."""

    def __init__(self, state_directory: str) -> None:
        self.state_directory = state_directory
        self.folder = os.path.join(state_directory, "spool")
        self._spools: dict[str, Spool] = {}
        self.has_old = False  # pings of radar 0.1, as far as `folder_names` has looked

    def put(self, ping: Ping, to: dict[str, str], *, durable: bool, hold: bool = False) -> "Entry":
        """Keep a ping where those with its address wait: see `Spool.put`."""
        return self.spool(folder_name(to)).put(ping, to, durable=durable, hold=hold)

    def spool(self, name: str) -> "Spool":
        """The folder of this name, the same object for all threads; it need not exist."""
        return self._spools.setdefault(name, Spool(os.path.join(self.folder, name)))

    def spools(self) -> "list[Spool]":
        """All folders that there are."""
        return [self.spool(name) for name in self.folder_names()]

    def folder_names(self) -> list[str]:
        """The names of the folders; none if the outbox can't be read."""
        try:
            with os.scandir(self.folder) as found:
                entries = list(found)
        except OSError:
            return []
        self.has_old = any(each.name.endswith((WAITING, REJECTED)) for each in entries)
        return sorted(
            each.name
            for each in entries
            if each.name != ASIDE_FOLDER
            and not each.name.endswith((WAITING, REJECTED))
            and each.is_dir(follow_symlinks=False)
        )


class Entry:
    """One spooled ping. `to` says where it belongs (see destinations.Destination.address)."""

    def __init__(
        self,
        path: str,
        ping: Ping,
        to: dict[str, str],
        lock: int | None = None,
        *,
        spool: "Spool",
    ) -> None:
        self.path = path
        self.ping = ping
        self.to = to
        self._lock = lock
        self.spool = spool
        self._is_removed = False

    def remove(self) -> bool:
        """Delete the file: the ping is where it belongs. False if the disk doesn't let it go.

        Then it comes again, and is known by its id.
        """
        self._is_removed = True
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass  # somebody else delivered it
        except OSError:
            self._is_removed = False
        self.release()
        return self._is_removed

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
        sync_folder(os.path.dirname(self.path))

    def release(self) -> None:
        """Let others work on the ping."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        close_lock(lock)
        self.spool.let_go(os.path.basename(self.path))


class Spool:
    """The folder of the pings for one destination."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
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
        name = f"{ping.time_us:017d}-{ping.kind}-{ping.id}{WAITING}"
        path = os.path.join(self.folder, name)
        if hold:
            self.hold(name)
        try:
            try:
                lock = write(path, ping, to, durable=durable, hold=hold)
            except FileNotFoundError:
                self._make_folder()
                lock = write(path, ping, to, durable=durable, hold=hold)
        except OSError as error:
            self.let_go(name)
            raise state_error()(
                f"can't keep a ping in {self.folder}: {error.strerror}",
                "free some space"
                if error.errno in _NO_SPACE
                else "RADAR_STATE_DIR names another state directory",
            ) from error
        return Entry(path, ping, to, lock, spool=self)

    def _make_folder(self) -> None:
        make_private_folder(self.folder)
        sync_folder(os.path.dirname(self.folder))

    def names(self, suffix: str = WAITING) -> list[str]:
        """The names of the waiting files, oldest event first; empty if there is no spool."""
        try:
            return sorted(name for name in os.listdir(self.folder) if name.endswith(suffix))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []

    def oldest(self) -> list[str]:
        """The names of a few files that have waited longest."""
        return self.names()[:_LOOKED_AT]

    def mark_down(self) -> None:
        """Note that the server doesn't answer, for the runs of the next minute."""
        try:
            fd = os.open(
                os.path.join(self.folder, _DOWN), os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600
            )
            try:
                os.utime(fd)
            finally:
                os.close(fd)
        except OSError:
            return  # a full disk: then each run finds out by itself

    def mark_up(self) -> None:
        """Note that the server answers."""
        try:
            os.unlink(os.path.join(self.folder, _DOWN))
        except OSError:
            return  # nobody has called it down

    def down_since(self) -> float:
        """When the server last didn't answer, Unix time; 0.0 if it does or isn't known not to."""
        try:
            return os.lstat(os.path.join(self.folder, _DOWN)).st_mtime
        except OSError:
            return 0.0


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
    is_open = True
    try:
        os.fchmod(fd, 0o600)  # under umask 0777, not even radar itself could read it again
        while data:
            data = data[os.write(fd, data) :]
        if hold:
            try_lock(fd)
        if durable:
            os.fsync(fd)
        if not hold:
            is_open = False
            os.close(fd)  # a file system that writes late, as NFS, may say here that it can't
        os.rename(unfinished, path)
    except OSError:
        if is_open:
            os.close(fd)
        os.unlink(unfinished)
        raise
    if durable:
        sync_folder(folder)
    return fd if hold else None


def is_unfinished(name: str) -> bool:
    """Whether a file's name is that of one which `write` hasn't finished."""
    return name.startswith(".") and WAITING + "." in name


def checksum(data: bytes) -> bytes:
    """Return a checksum, which tells a file that a disk or a crash has damaged."""
    return fingerprint(data).encode()


def sync_folder(folder: str) -> None:
    """Make sure, where the file system can, that a power failure doesn't take a folder's names.

    The files are there all the same: who called them lost would be wrong.
    """
    try:
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError:
        return  # no permission to read it, too many open files, a disk that fails


def close_lock(fd: int) -> None:
    """Close the descriptor of a locked file: it and its lock are gone, whatever the disk says."""
    try:  # noqa: SIM105 (contextlib is an import of 3 ms)
        os.close(fd)
    except OSError:
        pass


def try_lock(fd: int) -> bool:
    """Lock an open file for this process; False if another one has it."""
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        os.lockf(fd, os.F_TLOCK, 0)
    except OSError:
        return False
    return True
