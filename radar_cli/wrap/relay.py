"""Moving the job's output from its pipe to where it would have gone, byte for byte."""

import _thread
import os
import select

from radar_cli.wrap import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
    from typing import Any

    from radar_cli.wrap.held import Held

    Tap = Callable[[memoryview], None]
else:
    import _signal

_FIRST_BUFFER_BYTES = 8192  # a larger one takes 16 page faults, and most jobs print little
_PIPE_BYTES = 65_536  # what a pipe holds before anybody asks for more
_LARGE_BUFFER_BYTES = 262_144
_LARGEST_PIPE_BYTES = 1_048_576  # Linux: /proc/sys/fs/pipe-max-size without privileges


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
                poll = select.poll()
                poll.register(self.fd, select.POLLOUT)
                poll.poll()
            except (BrokenPipeError, ConnectionResetError):
                return False
            except OSError as error:
                self.error = error
                self.lost_bytes += len(data)
                return True
        return True

    def complaints(self) -> list[str]:
        """What of the output could not be written, and why."""
        if self.error is None:
            return []
        name = "stdout" if self.fd == 1 else "stderr"
        return [f"{self.lost_bytes} bytes of output are not on {name}: {self.error.strerror}"]


class Relay:
    """A thread that copies one pipe to its outlet and shows each chunk to the taps first.

    It may block in a write for as long as the reader behind the outlet likes: the job waits then
    as it would without us, and nothing else in radar does.
    """

    def __init__(
        self, source: int, target: int, outlet: "Outlet | Held", taps: "list[Tap]", wake: int
    ) -> None:
        self.source: int | None = source
        self.target = target
        self.outlet = outlet
        self.fault: BaseException | None = None
        self.shared = False  # somebody other than the job holds the pipe's other end
        self._taps = taps
        self._wake = wake
        self.is_done = False  # at the pipe's end, or after `wake` once it's empty

    def start(self) -> None:
        """Begin to copy."""
        _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        try:
            self._pump()
        except OSError as fault:
            self.fault = fault
            self._close()
        finally:
            self.is_done = True
            signals.nudge()

    def _pump(self) -> None:
        source = self.source
        if source is None:
            return
        poll = select.poll()
        poll.register(source, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        buffer = memoryview(bytearray(_FIRST_BUFFER_BYTES))
        # What the pipe can hold is what the job can have left in it; a daemon that it left
        # behind may go on writing for ever.
        to_drain: int | None = None
        while True:
            ready = poll.poll(None if to_drain is None else 0)
            if to_drain is None and any(fd == self._wake for fd, _ in ready):
                poll.unregister(self._wake)
                to_drain = _LARGEST_PIPE_BYTES
                continue
            if not ready or (to_drain is not None and to_drain <= 0):
                self.shared = True
                return
            count = os.readv(source, [buffer])
            if count == 0:
                self._close()
                return
            if to_drain is not None:
                to_drain -= count
            if not self._pass_on(buffer[:count]):
                # Closing our end tells the job what it would have heard itself: SIGPIPE.
                self._close()
                return
            if count == len(buffer) == _FIRST_BUFFER_BYTES:
                buffer = memoryview(bytearray(_PIPE_BYTES))
            elif count == len(buffer) == _PIPE_BYTES:
                buffer = memoryview(bytearray(_LARGE_BUFFER_BYTES))
                _enlarge(source)

    def _pass_on(self, data: memoryview) -> bool:
        try:
            for tap in self._taps:
                tap(data)
        except Exception as fault:  # noqa: BLE001 (the job's output comes before our mistakes)
            self.fault = fault
            self._taps = []
        return self.outlet.write(data)

    def _close(self) -> None:
        if self.source is not None:
            os.close(self.source)
            self.source = None


def _enlarge(pipe: int) -> None:
    """Let a busy pipe hold more, which saves most of the switches between job and relay."""
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _LARGEST_PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return  # not Linux, or the user's limit of pipe memory is reached: it works as it is


def leave_cat(source: int, target: int, mask: "set[int]") -> None:
    """Leave a `cat` on a pipe that outlives radar, as no one else would read it from now on.

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
        return  # it learns, by SIGPIPE, that nobody reads: there is no other way
    finally:
        os.close(null)
