"""The job's output, from its pipe to where it would have gone, byte for byte.

On the way it is shown to the taps: the tail that a ping carries, the counters, the search for lines
that mean failure. Memory stays flat, however much the job prints.
"""

import _thread
import os
import select

from radar_cli.wrap.child import LARGEST_PIPE_BYTES, STDERR, STDOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.core.matching import LineWatch
    from radar_cli.wrap.options import Options
    from radar_cli.wrap.streams import Outlet, Streams

    Tap = Callable[[memoryview], None]

# Redaction needs to see a secret whole even where it is cut off at the tail's beginning.
MARGIN_BYTES = 16_384
# Kept where nobody says how much: what the embedded store takes, and the most that a server may
# turn out to take by its Ping-Body-Limit.
STORE_BYTES = 10_000
SERVER_BYTES = 100_000
_FIRST_BUFFER_BYTES = 8192  # a larger one takes 16 page faults, and most jobs print little
_PIPE_BYTES = 65_536  # what a pipe holds before anybody asks for more
_LARGE_BUFFER_BYTES = 262_144


class Relay:
    """A thread that copies one pipe to its outlet and shows each chunk to the taps first.

    It may block in a write for as long as the reader behind the outlet likes: the job waits then
    as it would without us, and nothing else in radar does. So it is the main thread that reads
    what the job has left in the pipe at its end, for the taps, and leaves it here to be written.
    """

    def __init__(
        self,
        source: int,
        target: int,
        outlet: "Outlet | Held",
        taps: "list[Tap]",
        wake: int,
        nudge: "Callable[[], None]",
    ) -> None:
        self.source: int | None = source
        self.target = target
        self.outlet = outlet
        self.fault: BaseException | None = None
        self.shared = False  # somebody other than the job holds the pipe's other end
        self._taps = taps
        self._wake = wake
        self._nudge = nudge
        self._reading = _thread.allocate_lock()  # whoever reads shows it before anybody reads on
        self._first = memoryview(b"")  # what was in the pipe when radar began to read
        self._rest: list[bytes] | None = None  # what was in the pipe when the job had ended
        self.is_done = False  # all that the job wrote has passed

    def start(self, first: bytes) -> None:
        """Begin to copy, with what is read already. RuntimeError: no thread can be started."""
        self._first = memoryview(first)
        self._show(self._first)
        _thread.start_new_thread(self._run, ())

    def drain(self) -> None:
        """Show the taps, now, what the job left in the pipe; the thread passes it on.

        What the pipe can hold is as much as that may be; a daemon that the job left behind may go
        on writing for ever.
        """
        with self._reading:
            self._rest = []
            if self.source is None:
                return
            try:
                self._read_rest(self.source, self._rest)
            except Exception as fault:  # noqa: BLE001 (the run goes on to its end)
                self.fault = fault

    def _read_rest(self, source: int, rest: list[bytes]) -> None:
        poll = select.poll()
        poll.register(source, select.POLLIN)
        to_drain = LARGEST_PIPE_BYTES
        while to_drain > 0 and poll.poll(0):
            data = os.read(source, _LARGE_BUFFER_BYTES)
            if not data:
                self._close()
                return
            rest.append(data)
            self._show(memoryview(data))
            to_drain -= len(data)
        self.shared = True

    def _run(self) -> None:
        try:
            self._pump()
        except OSError as fault:
            self.fault = fault
            with self._reading:
                self._close()
        finally:
            self.is_done = True
            self._nudge()

    def _pump(self) -> None:
        if not self._pass_on(self._first):
            return
        if self.source is not None and not self._copy(self.source):
            return
        for data in self._rest or ():
            if not self._pass_on(memoryview(data)):
                return

    def _copy(self, source: int) -> bool:
        """Copy until the job has ended; False if there is nothing more to come."""
        poll = select.poll()
        poll.register(source, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        buffer = memoryview(bytearray(_FIRST_BUFFER_BYTES))
        while True:
            poll.poll()
            with self._reading:
                if self._rest is not None:
                    return True
                count = os.readv(source, [buffer])
                if count == 0:
                    self._close()
                    return False
                self._show(buffer[:count])
            if not self._pass_on(buffer[:count]):
                return False
            if count == len(buffer) == _FIRST_BUFFER_BYTES:
                buffer = memoryview(bytearray(_PIPE_BYTES))
            elif count == len(buffer) == _PIPE_BYTES:
                buffer = memoryview(bytearray(_LARGE_BUFFER_BYTES))
                _enlarge(source)

    def _show(self, data: memoryview) -> None:
        try:
            for tap in self._taps:
                tap(data)
        except Exception as fault:  # noqa: BLE001 (the job's output comes before our mistakes)
            self.fault = fault
            self._taps = []

    def _pass_on(self, data: memoryview) -> bool:
        if self.outlet.write(data):
            return True
        with self._reading:
            # Closing our end tells the job what it would have heard itself: SIGPIPE.
            self._close()
        return False

    def _close(self) -> None:
        if self.source is not None:
            os.close(self.source)
            self.source = None


def _enlarge(pipe: int) -> None:
    """Let a busy pipe hold more, which saves most of the switches between job and relay."""
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, LARGEST_PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return  # not Linux, or the user's limit of pipe memory is reached: it works as it is


class Held:
    """Keeps a stream in an unlinked file until it is known whether to show it (`--quiet`)."""

    def __init__(self, outlet: "Outlet") -> None:
        self.fd = outlet.fd
        self._outlet = outlet
        self._file: int | None = None
        self._spilled = False

    def write(self, data: memoryview) -> bool:
        """Keep all of `data`; where no file can hold it, show what there is and go on openly."""
        if self._spilled:
            return self._outlet.write(data)
        try:
            if self._file is None:
                self._file = open_unlinked()
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            return self.show() and self._outlet.write(data)
        return True

    def complaints(self) -> list[str]:
        """Return what of the output could not be written, and why."""
        return self._outlet.complaints()

    def show(self) -> bool:
        """Write all that is kept to where it belongs, and keep nothing from now on."""
        self._spilled = True
        if self._file is None:
            return True
        file, self._file = self._file, None
        alive, shown = True, 0
        try:
            os.lseek(file, 0, os.SEEK_SET)
            while alive and (data := os.read(file, _LARGE_BUFFER_BYTES)):
                alive = self._outlet.write(memoryview(data))
                shown += len(data)
        except OSError as error:  # the disk: what is behind that can't be had any more
            self._outlet.lose(os.fstat(file).st_size - shown, error)
        try:
            os.close(file)
        except OSError:
            return alive  # a disk that writes late has failed, after all of it was read
        return alive


class Showing:
    """Shows what is held, in a thread: signals are heard though a reader has stopped reading."""

    def __init__(self, outlets: "list[Outlet | Held]", nudge: "Callable[[], None]") -> None:
        self._outlets = outlets
        self._nudge = nudge
        self._is_done = False
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # no more threads for this user
            self._run()

    def is_done(self) -> bool:
        """Whether all of it is shown; `nudge` is called then."""
        return self._is_done

    def _run(self) -> None:
        try:
            for outlet in self._outlets:
                if isinstance(outlet, Held):
                    outlet.show()
        finally:  # the run's end waits for it
            self._is_done = True
            self._nudge()


def open_unlinked() -> int:
    """A new file without a name, on disk rather than in a memory file system where possible."""
    folders = [os.environ.get("TMPDIR") or "/var/tmp", "/var/tmp", "/tmp"]  # noqa: S108 (never named)
    last: OSError | None = None
    for folder in folders:
        try:
            if hasattr(os, "O_TMPFILE"):
                return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
        except OSError as error:
            last = error  # a file system without O_TMPFILE, or no such folder
        name = os.path.join(folder, f"radar-{os.getpid()}-{os.urandom(8).hex()}")
        try:
            fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            last = error
            continue
        os.unlink(name)
        return fd
    raise last or OSError("no folder for temporary files")


class Tail:
    """Keeps the newest `keep_bytes` of what is added, and counts all of it.

    Two relays may add to one tail; each chunk stays whole.
    """

    def __init__(self, keep_bytes: int) -> None:
        self.total_bytes = 0
        self._keep = keep_bytes
        self._kept = bytearray()
        self._lock = _thread.allocate_lock()

    def add(self, data: "bytes | memoryview") -> None:
        """Add a chunk of output."""
        with self._lock:
            self.total_bytes += len(data)
            if len(data) >= self._keep:
                self._kept = bytearray(data[len(data) - self._keep :])
                return
            self._kept += data
            if len(self._kept) > 2 * self._keep:
                del self._kept[: -self._keep]

    def snapshot(self) -> "tuple[bytes, int]":
        """The newest bytes, and how many older ones are gone."""
        with self._lock:
            kept = bytes(self._kept[-self._keep :]) if self._keep else b""
            return kept, self.total_bytes - len(kept)


def make_tail(options: "Options") -> Tail:
    """Room for as much output as may be sent, and for what redaction needs to see before it."""
    if options.no_output:
        return Tail(0)
    return Tail((SERVER_BYTES if options.tail is None else options.tail) + MARGIN_BYTES)


class Counter:
    """Counts a stream's bytes (`--fail-on-stderr`, `--fail-if-empty`)."""

    def __init__(self) -> None:
        self.total_bytes = 0

    def feed(self, data: "bytes | memoryview") -> None:
        """Count a chunk of output."""
        self.total_bytes += len(data)


def make_watches(streams: "Streams", options: "Options") -> "dict[int, LineWatch]":
    """A watch over each group's output, where `--fail-on` asks for one."""
    if not options.fail_on:
        return {}
    from radar_cli.core.matching import LineWatch

    return {
        group[0]: LineWatch(options.fail_on, "--fail-on", options.warnings)
        for group in streams.groups
    }


def make_counters(streams: "Streams", options: "Options") -> dict[int, Counter]:
    """A counter for each stream whose mere amount of output matters."""
    wanted = {STDOUT: options.fail_if_empty, STDERR: options.fail_on_stderr}
    return {fd: Counter() for fd in wanted if wanted[fd] and (fd,) in streams.groups}
