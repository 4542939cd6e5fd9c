"""The last bytes of a job's output, in flat memory, however much it prints."""

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.wrap.options import Options

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
