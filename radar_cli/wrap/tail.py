"""What of the job's output radar keeps or looks at, in flat memory, however much it prints."""

import _thread

from radar_cli.wrap.streams import STDERR, STDOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from radar_cli.wrap.options import Options
    from radar_cli.wrap.streams import Streams

# Redaction needs to see a secret whole even where it is cut off at the tail's beginning.
MARGIN_BYTES = 16_384
# Kept where nobody says how much: what the embedded store takes, and the most that a server may
# turn out to take by its Ping-Body-Limit.
STORE_BYTES = 10_000
SERVER_BYTES = 100_000


# A long line is looked at in pieces that overlap by half: `.*ERROR` takes time that grows with the
# square of a piece, and meanwhile no other thread of radar's runs, so that nothing is relayed and
# no signal or timeout heard.
_PIECE_BYTES = 8192


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


class Matcher:
    """Looks for regexes in a stream, line by line, in flat memory (`--fail-on`)."""

    def __init__(self, patterns: "list[re.Pattern[bytes]]") -> None:
        self.found = b""
        self._patterns = patterns
        self._line = b""
        self._seen = 0  # how many bytes of it are there just for what is before a match

    def feed(self, data: "bytes | memoryview") -> None:
        """Look at a chunk of output."""
        if self.found:
            return
        lines = (self._line + data).split(b"\n")
        self._line = lines.pop()
        for line in lines:
            self._look(line)
            self._seen = 0
        if len(self._line) > 2 * _PIECE_BYTES:
            self._look(self._line, is_whole=False)
            # What stays isn't the line's beginning: a byte before it tells `^` and `\b` so.
            self._line = self._line[-_PIECE_BYTES // 2 - 1 :]
            self._seen = 1

    def finish(self) -> bytes:
        """The first line that matched, the last and unfinished one included, or nothing."""
        if self._line:
            self._look(self._line)
            self._line, self._seen = b"", 0
        return self.found

    def _look(self, line: bytes, *, is_whole: bool = True) -> None:
        step = _PIECE_BYTES // 2
        for start in range(self._seen, max(self._seen + 1, len(line) - step), step):
            if self.found:
                return
            for pattern in self._patterns:
                piece = pattern.search(line, start, start + _PIECE_BYTES)
                # `$` matches at the end of a piece, too: the whole line has the last word.
                match = piece and pattern.match(line, piece.start())
                if match and not is_whole:
                    # What needs the line's end where it isn't known yet is no match.
                    match = pattern.match(line, match.start(), len(line) - 1)
                if match:
                    self.found = line or b" "


class Counter:
    """Counts a stream's bytes (`--fail-on-stderr`, `--fail-if-empty`)."""

    def __init__(self) -> None:
        self.total_bytes = 0

    def feed(self, data: "bytes | memoryview") -> None:
        """Count a chunk of output."""
        self.total_bytes += len(data)


def make_matchers(streams: "Streams", options: "Options") -> dict[int, Matcher]:
    """A matcher for each group's output, where `--fail-on` asks for one."""
    if not options.fail_on:
        return {}
    from radar_cli.core.redaction import compile_patterns

    patterns = compile_patterns(options.fail_on, "--fail-on", options.warnings)
    return {group[0]: Matcher(patterns) for group in streams.groups} if patterns else {}


def make_counters(streams: "Streams", options: "Options") -> dict[int, Counter]:
    """A counter for each stream whose mere amount of output matters."""
    wanted = {STDOUT: options.fail_if_empty, STDERR: options.fail_on_stderr}
    return {fd: Counter() for fd in wanted if wanted[fd] and (fd,) in streams.groups}
