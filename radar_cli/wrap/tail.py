"""What of the job's output radar keeps or looks at, in flat memory, however much it prints."""

import _thread

from radar_cli.wrap.streams import STDERR, STDOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.core.matching import LineWatch
    from radar_cli.wrap.options import Options
    from radar_cli.wrap.streams import Streams

# Redaction needs to see a secret whole even where it is cut off at the tail's beginning.
MARGIN_BYTES = 16_384
# Kept where nobody says how much: what the embedded store takes, and the most that a server may
# turn out to take by its Ping-Body-Limit.
STORE_BYTES = 10_000
SERVER_BYTES = 100_000


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
