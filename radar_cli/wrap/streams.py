"""The job's stdout and stderr: which of them radar reads, and what becomes of what it reads.

A terminal is inherited untouched: colour, size, job control and editors work. Any other stream
has its pipe, and where both are one file, as under cron, they share one so that their order holds.
A pipe that no thread of ours reads has a plain `cat`, or radar reads it by hand.
"""

import os
import time

from radar_cli.wrap.child import LARGEST_PIPE_BYTES, STDERR, STDOUT
from radar_cli.wrap.options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
    from typing import Any

    from radar_cli.wrap.child import Actions
    from radar_cli.wrap.output import Held, Relay, Tail, Tap
    from radar_cli.wrap.signals import Signals
else:
    import _signal

_SENT = {"stdout": (STDOUT,), "stderr": (STDERR,), "both": (STDOUT, STDERR)}
_FIRST_BYTES = 8192

_PIECE_BYTES = 4_096  # PIPE_BUF: a pipe that takes anything takes as much (pipe(7))
_RETRY_S = 0.01


class Outlet:
    """Writes to a descriptor that radar inherited, as the job itself would have.

    O_NONBLOCK is never set on it (others share it), and respected where somebody else did.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.lost_bytes = 0
        self.error: OSError | None = None

    def write(self, data: memoryview) -> bool:
        """Write all of `data`; False once the reader is gone.

        What can't be written for another reason (a full disk) is counted and let go.
        """
        while data:
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:
                time.sleep(_RETRY_S)
            except (BrokenPipeError, ConnectionResetError):
                return False
            except OSError as error:
                self.lose(len(data), error)
                return True
        return True

    def lose(self, count_bytes: int, error: OSError) -> None:
        """Note that so much can't be written, and why."""
        self.error = error
        self.lost_bytes += count_bytes

    def complaints(self) -> list[str]:
        """Return what of the output could not be written, and why."""
        if self.error is None:
            return []
        name = "stdout" if self.fd == 1 else "stderr"
        return [f"{self.lost_bytes} bytes of output are not on {name}: {self.error.strerror}"]


class Pipe:
    """A pipe that stands for one or both of the job's output streams."""

    def __init__(self, stands_for: tuple[int, ...]) -> None:
        self.stands_for = stands_for
        self.read, self.write = os.pipe()
        self.first: bytes | None = None  # what was in it when radar began to read

    def look(self) -> None:
        """Read what is in it by now, into `first`: nothing if it is at its end, else None."""
        os.set_blocking(self.read, False)
        try:
            self.first = os.read(self.read, _FIRST_BYTES)
        except BlockingIOError:
            self.first = None
        finally:
            os.set_blocking(self.read, True)


class Streams:
    """The arrangement of this run's output streams."""

    def __init__(self, options: Options) -> None:
        self.at_terminal = False
        self.has_closed = False
        identities: dict[int, tuple[int, int]] = {}
        # What isn't sent is left to the job: a dump goes into its file as fast as without us.
        self._sent = _SENT[options.tail_of]
        reads_all = options.quiet or bool(options.fail_on)
        for fd in (0, STDOUT, STDERR):
            try:
                status = os.fstat(fd)
            except OSError:
                self.has_closed = True
                continue
            is_terminal = os.isatty(fd)
            self.at_terminal |= is_terminal
            is_sent = fd in self._sent and not (options.no_output or is_terminal)
            wanted = (
                reads_all
                or is_sent
                or (fd in self._sent and options.capture)
                or (fd == STDOUT and options.fail_if_empty)
                or (fd == STDERR and options.fail_on_stderr)
            )
            if fd and wanted:
                identities[fd] = (status.st_dev, status.st_ino)
        # Which stream a byte came from can't be told once both are in one pipe.
        must_differ = options.fail_if_empty or options.fail_on_stderr or len(self._sent) == 1
        self.groups: list[tuple[int, ...]] = [(fd,) for fd in identities]
        if len(identities) == 2 and len(set(identities.values())) == 1 and not must_differ:
            self.groups = [(STDOUT, STDERR)]

    def capture(self, warnings: list[str]) -> "Capture":
        """Pipes for the streams that radar reads; none, with a warning, where it can't."""
        try:
            return Capture(self.groups, self._sent)
        except OSError as error:
            warnings.append(f"the output is not read: {error.strerror}")
            self.groups = []
            return Capture([], self._sent)


class Capture:
    """Radar's side of the pipes: a relay each, for one try of the job."""

    def __init__(self, groups: list[tuple[int, ...]], sent: tuple[int, ...]) -> None:
        self._sent = sent
        self._pipes: list[Pipe] = []
        self._unread: list[Pipe] = []  # by now
        self._relays: list[Relay | HandCopy] = []
        self._wake_read = self._wake_write = -1
        try:
            for group in groups:
                self._pipes.append(Pipe(group))
            if groups:
                self._wake_read, self._wake_write = os.pipe()
        except OSError:
            self.cancel()
            raise

    def spawn_actions(self) -> "Actions":
        """Return the spawn actions that give the job its ends of the pipes."""
        return [
            (os.POSIX_SPAWN_DUP2, pipe.write, fd) for pipe in self._pipes for fd in pipe.stands_for
        ]

    def start(
        self,
        open_outlet: "Callable[[int], Outlet | Held]",
        open_tail: "Callable[[], Tail]",
        taps: "dict[int, list[Callable[[memoryview], None]]]",
        signals: "Signals",
    ) -> None:
        """Begin to read, in a thread for each pipe or, where none can be had, by hand.

        A job that has ended in silence by now leaves nothing to relay.
        """
        while self._unread:
            pipe = self._unread[0]
            pipe.look()
            if pipe.first == b"":
                os.close(pipe.read)
            else:
                fd = pipe.stands_for[0]
                outlet = open_outlet(fd)
                from radar_cli.wrap.output import Relay

                each = list(taps.get(fd, []))
                if fd in self._sent:
                    each.insert(0, open_tail().add)
                relay = Relay(pipe.read, fd, outlet, each, self._wake_read, signals.nudge)
                try:
                    relay.start(pipe.first or b"")
                except RuntimeError:  # no more threads for this user
                    by_hand = HandCopy(pipe.read, outlet, each, pipe.first or b"")
                    signals.meanwhile = self.step
                    self._relays.append(by_hand)
                else:
                    self._relays.append(relay)
            del self._unread[0]

    def let_go(self) -> None:
        """Close the job's ends of the pipes: it has its own."""
        for pipe in self._pipes:
            os.close(pipe.write)
        self._unread = list(self._pipes)

    def cancel(self) -> None:
        """Close everything: the job could not be started."""
        for pipe in self._pipes:
            os.close(pipe.read)
            os.close(pipe.write)
        if self._wake_read >= 0:
            os.close(self._wake_read)
            os.close(self._wake_write)

    def hand_over(self, signals: "Signals") -> None:
        """Leave to a `cat` what nothing of ours reads, after a fault of ours.

        What was read already may have to wait here for its reader.
        """
        for pipe in self._unread:
            outlet = Outlet(pipe.stands_for[0])
            if not outlet.write(memoryview(pipe.first or b"")):
                os.close(pipe.read)  # the reader is gone: the job learns it as without us
            elif leave_cat(pipe.read, outlet.fd, signals.mask):
                os.close(pipe.read)
            else:
                self._relays.append(HandCopy(pipe.read, outlet, [], b""))
                signals.meanwhile = self.step

    def step(self) -> None:
        """Copy by hand what no thread copies."""
        for relay in self._relays:
            if isinstance(relay, HandCopy) and not relay.is_done:
                relay.step()

    def finish(self) -> None:
        """Look at all that the job wrote, and let the relays end as soon as it has passed."""
        try:
            for relay in self._relays:
                relay.drain()
        finally:
            if self._pipes:
                os.close(self._wake_write)

    def is_done(self) -> bool:
        """Whether all that the job wrote has passed."""
        return all(relay.is_done for relay in self._relays)

    def leave(self, signals: "Signals", *, discard: bool) -> None:
        """Leave the pipes that a process of the job's still holds to a `cat`."""
        for relay in self._relays:
            if relay.is_done and relay.shared and relay.source is not None:
                target = os.open(os.devnull, os.O_WRONLY) if discard else relay.target
                leave_cat(relay.source, target, signals.mask)
                os.close(relay.source)
                relay.source = None
                if discard:
                    os.close(target)
        if self._pipes:
            os.close(self._wake_read)

    def faults(self) -> list[str]:
        """Return what went wrong in our own code while relaying."""
        return [f"{type(r.fault).__name__}: {r.fault}" for r in self._relays if r.fault]


def leave_cat(source: int, target: int, mask: "set[int]") -> bool:
    """Leave a `cat` on a pipe that outlives radar; False if none can be started.

    It holds nothing but the two streams: no folder, no other descriptor that radar inherited. A
    group of its own keeps ^C, which the daemon that writes doesn't hear either, off it.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    actions: list[Any] = [
        (os.POSIX_SPAWN_DUP2, source, 0),
        (os.POSIX_SPAWN_DUP2, target, 1),
        (os.POSIX_SPAWN_DUP2, null, 2),
    ]
    actions += [
        (os.POSIX_SPAWN_CLOSE, int(name)) for name in os.listdir("/dev/fd") if int(name) > 2
    ]
    try:
        os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", "cd / && exec cat"],
            os.environb,
            file_actions=actions,
            setpgroup=0,
            setsigmask=mask,
            setsigdef=(_signal.SIGPIPE,),
        )
    except OSError:
        return False  # who writes learns by SIGPIPE that nobody reads, unless radar still does
    finally:
        os.close(null)
    return True


class HandCopy:
    """Copies one pipe, a piece whenever `step` is called: there may be no more threads.

    It never waits for a reader that has stopped reading, so that signals are heard; the job waits,
    as it would without us. It has the attributes that `Capture` reads of a relay.
    """

    def __init__(
        self, source: int, outlet: "Outlet | Held", taps: "list[Tap]", first: bytes
    ) -> None:
        self.source: int | None = source
        self.target = outlet.fd
        self.shared = False
        self.fault: BaseException | None = None
        self.is_done = False
        self._outlet = outlet
        self._taps = taps
        self._pending = first
        self._has_ended = False
        os.set_blocking(source, False)  # nobody else reads it

    def step(self) -> None:
        """Copy what the pipe holds by now, as far as its reader takes it."""
        for _ in range(LARGEST_PIPE_BYTES // _PIECE_BYTES):  # then signals are heard
            if self._pending:
                if not _takes_more(self.target):
                    return
                piece, self._pending = self._pending[:_PIECE_BYTES], self._pending[_PIECE_BYTES:]
                if not self._outlet.write(memoryview(piece)):
                    self._pending = b""
                    self._close()
            elif self._has_ended or self.source is None:
                self.is_done = True
                return
            elif not self._read(self.source, _PIECE_BYTES):
                return

    def drain(self) -> None:
        """Show the taps what the job left in the pipe at its end; `step` passes it on."""
        while self.source is not None and len(self._pending) < LARGEST_PIPE_BYTES:
            if not self._read(self.source, LARGEST_PIPE_BYTES):
                break
        self.shared = self.source is not None
        self._has_ended = True

    def _read(self, source: int, at_most_bytes: int) -> bool:
        """Read some more; False if there is nothing now, or no more at all."""
        try:
            data = os.read(source, at_most_bytes)
        except BlockingIOError:
            return False
        if not data:
            self._close()
            return False
        self._pending += data
        try:
            for tap in self._taps:
                tap(memoryview(data))
        except Exception as fault:  # noqa: BLE001 (the job's output comes before our mistakes)
            self.fault, self._taps = fault, []
        return True

    def _close(self) -> None:
        if self.source is not None:
            os.close(self.source)
            self.source = None


def _takes_more(fd: int) -> bool:
    """Whether a piece can be written without waiting."""
    try:
        import select
    except ImportError:  # radar's Python has been removed meanwhile
        return True
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(0))


def log_line(words: str) -> None:
    """Write a line of radar's own to stderr, whatever state that is in."""
    try:
        line = os.fsencode(words.replace("\n", " "))
    except UnicodeEncodeError:  # a server's words, in a locale without them
        line = words.replace("\n", " ").encode("ascii", "backslashreplace")
    try:
        os.write(2, b"radar: " + line + b"\n")
    except OSError:
        return  # closed, full or gone: there is nobody to tell
