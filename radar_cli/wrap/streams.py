"""The job's stdout and stderr: which of them radar reads, and what becomes of what it reads.

A terminal is inherited untouched: colour, size, job control and editors work. Any other stream
has its pipe, and where both are one file, as under cron, they share one so that their order holds.
"""

import os

from radar_cli.wrap.options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.wrap.child import Actions
    from radar_cli.wrap.held import Held
    from radar_cli.wrap.relay import Outlet, Relay
    from radar_cli.wrap.signals import Signals
    from radar_cli.wrap.tail import Tail

STDOUT, STDERR = 1, 2
_FIRST_BYTES = 8192


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
    """How this run's output streams are arranged."""

    def __init__(self, options: Options) -> None:
        self.at_terminal = False
        self.has_closed = False
        identities: dict[int, tuple[int, int]] = {}
        reads_all = options.capture or options.quiet or bool(options.fail_on)
        for fd in (0, STDOUT, STDERR):
            try:
                status = os.fstat(fd)
            except OSError:
                self.has_closed = True
                continue
            is_terminal = os.isatty(fd)
            self.at_terminal |= is_terminal
            wanted = (
                reads_all
                or (fd == STDOUT and options.fail_if_empty)
                or (fd == STDERR and options.fail_on_stderr)
                or not (options.no_output or is_terminal)
            )
            if fd and wanted:
                identities[fd] = (status.st_dev, status.st_ino)
        # Which stream a byte came from can't be told once both are in one pipe.
        must_differ = options.fail_if_empty or options.fail_on_stderr
        self.groups: list[tuple[int, ...]] = [(fd,) for fd in identities]
        if len(identities) == 2 and len(set(identities.values())) == 1 and not must_differ:
            self.groups = [(STDOUT, STDERR)]

    def capture(self, warnings: list[str]) -> "Capture":
        """Pipes for the streams that radar reads; none, with a warning, where it can't."""
        try:
            return Capture(self.groups)
        except OSError as error:
            warnings.append(f"the output is not read: {error.strerror}")
            self.groups = []
            return Capture([])


class Capture:
    """Radar's side of the pipes: a relay each, for one try of the job."""

    def __init__(self, groups: list[tuple[int, ...]]) -> None:
        self._pipes: list[Pipe] = []
        self._unread: list[Pipe] = []  # by now
        self._relays: list[Relay] = []
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
        """What gives the job its ends of the pipes."""
        return [
            (os.POSIX_SPAWN_DUP2, pipe.write, fd) for pipe in self._pipes for fd in pipe.stands_for
        ]

    def start(
        self,
        open_outlet: "Callable[[int], Outlet | Held]",
        tail: "Tail",
        taps: "dict[int, list[Callable[[memoryview], None]]]",
        nudge: "Callable[[], None]",
    ) -> None:
        """Begin to read; `nudge` is called when a pipe is done.

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
                from radar_cli.wrap.relay import Relay

                each = [tail.add, *taps.get(fd, [])]
                relay = Relay(pipe.read, fd, outlet, each, self._wake_read, nudge)
                relay.start(pipe.first or b"")
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
        """Leave to a `cat` what no relay reads: no thread could be started, say.

        What was read already may have to wait here for its reader.
        """
        from radar_cli.wrap.cat import ByHand, leave_cat, write

        by_hand = ByHand()
        for pipe in self._unread:
            try:
                write(pipe.stands_for[0], pipe.first or b"")
            except OSError:  # the reader is gone: the job learns it as it would without us
                os.close(pipe.read)
                continue
            if leave_cat(pipe.read, pipe.stands_for[0], signals.mask):
                os.close(pipe.read)
            else:
                by_hand.add(pipe.read, pipe.stands_for[0])
                signals.meanwhile = by_hand

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
                from radar_cli.wrap.cat import leave_cat

                target = os.open(os.devnull, os.O_WRONLY) if discard else relay.target
                leave_cat(relay.source, target, signals.mask)
                os.close(relay.source)
                relay.source = None
                if discard:
                    os.close(target)
        if self._pipes:
            os.close(self._wake_read)

    def faults(self) -> list[str]:
        """What went wrong in our own code while relaying."""
        return [f"{type(r.fault).__name__}: {r.fault}" for r in self._relays if r.fault]
