"""Regexes on what a job printed, in a process of their own.

Python's `re` lets no other thread run while it searches, and `(a+)+$` takes minutes for 36
letters: radar would hear neither a signal nor its own timeout. So a child of radar's, started with
pipes for stdin and stdout and nothing else of radar's, does all searching. A search may take so
much of its CPU time before the kernel ends it; who waits for it waits for a bounded time.

On the pipes everything is a frame, 4 bytes of length and the bytes, save for the output itself:
the patterns, an empty frame; from the child the patterns that are none. Then either the output,
and from the child the line that matched (WATCH), or any number of texts, and from the child the
places in each (FIND).
"""

import os
import sys
import time

from radar_cli.core.text import split_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    import signal as _signal
    from collections.abc import Callable
else:
    import _signal

WATCH, FIND = "watch", "find"
# How long radar waits for a child that takes or gives nothing: it may have to be swapped in.
PATIENCE_S = 5.0
# What the search of one piece of output, or of one text, may take.
_SEARCH_CPU_S = 2.0
_LOOK_AGAIN_MS = 50
_READ_BYTES = 4096
# A long line is looked at in pieces that overlap by half: `.*ERROR` takes time that grows with the
# square of a piece.
_PIECE_BYTES = 8192
_LONG_LINE = b"(a line of more than 8 kB)"
_START = (
    "import sys; sys.path.append(sys.argv[2]);"
    " from radar_cli.core.matching import serve; serve(sys.argv[1])"
)
_FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_TOO_LONG = "a pattern took too long"

Span = tuple[int, int]


class Matcher:
    """Looks for regexes in a stream, line by line, in flat memory (`--fail-on`)."""

    def __init__(self, patterns: "list[re.Pattern[bytes]]") -> None:
        self.found = b""
        self._patterns = patterns
        self._line = b""
        self._is_begun = False  # the row has had a line already: see split_lines
        self._seen = 0  # how many bytes of the line are there just for what is before a match

    def feed(self, data: "bytes | memoryview") -> None:
        """Look at a chunk of output."""
        if self.found:
            return
        lines, self._line, self._is_begun = split_lines(self._line + data, is_begun=self._is_begun)
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
                    # A secret may be cut in half where the line is, and wouldn't be recognised.
                    self.found = (line or b" ") if is_whole and not self._seen else _LONG_LINE
                    return


def compile_patterns(texts: list[str]) -> "tuple[list[re.Pattern[bytes]], list[str]]":
    """The regexes over bytes that can be compiled, and in words the others."""
    import re

    patterns, faults = [], []
    for text in texts:
        try:
            patterns.append(re.compile(os.fsencode(text)))
        except (re.error, OverflowError, RecursionError) as error:
            faults.append(f"{text[:60]!r} is ignored: {error}")
    return patterns, faults


def find_spans(raw: bytes, patterns: "list[re.Pattern[bytes]]") -> list[Span]:
    """Return the spans in `raw` that the patterns match."""
    found = (match.span() for pattern in patterns for match in pattern.finditer(raw))
    return [(start, end) for start, end in found if end > start]


class LineWatch:
    """Watches one stream of a job's output for lines that match, without ever searching itself.

    A pattern that is slow slows the job, as any slow reader does; one over which the child dies,
    or takes nothing for PATIENCE_S, is given up, and the job's output goes on without it.
    """

    def __init__(self, texts: list[str], option: str, warnings: list[str]) -> None:
        self.found = b""
        self.fault = ""  # why it isn't known whether a line matches
        self.is_done = False
        self._option = option
        self._warnings = warnings
        self._unsent = b""
        self._is_sealed = False
        self._child: _Child | None = None
        self._inline: Matcher | None = None
        try:
            self._child = _Child(WATCH)
            self._unsent = _frames(texts)
        except OSError as error:
            warnings.append(
                f"no process can be started for {option} ({error.strerror}):"
                " no signal is heard while radar itself searches the output"
            )
            patterns, faults = compile_patterns(texts)
            _warn(warnings, option, faults)
            self._inline = Matcher(patterns)

    def feed(self, data: memoryview) -> None:
        """Take a chunk of output; may wait for the child, as long as that takes something."""
        if self._inline is not None:
            self._inline.feed(data)
        elif self._child is not None and not self._child.is_gone:
            if self._is_sealed:
                self._unsent += data
            elif self._unsent:
                self._unsent = self._send(self._child, memoryview(self._unsent + data))
            else:
                self._unsent = self._send(self._child, data)

    def seal(self) -> None:
        """Wait for the child no more: what is fed from now on is kept for `settle`."""
        self._is_sealed = True

    def settle(self, nudge: "Callable[[], None]", *, is_verdict_wanted: bool) -> None:
        """Find out in a thread whether a line matched, or just which of the patterns are none.

        `nudge` is called when it `is_done`.
        """
        import _thread

        try:
            _thread.start_new_thread(self._settle, (nudge, is_verdict_wanted))
        except RuntimeError:  # no more threads for this user
            self._settle(nudge, is_verdict_wanted)

    def stop(self) -> None:
        """Wait no longer for what `settle` finds out."""
        if not self.is_done:
            self.fault = _TOO_LONG
            if self._child is not None:
                self._child.stop()

    def _send(self, child: "_Child", data: memoryview) -> bytes:
        """Send data to the child; return what it hasn't taken when the stream is sealed."""
        try:
            return child.send(data, lambda: self._is_sealed)
        except BrokenPipeError:
            child.is_gone = True  # it has found a line, or died: see _hear
        except _SilentError:
            self.fault = child.bury()
        return b""

    def _settle(self, nudge: "Callable[[], None]", is_verdict_wanted: bool) -> None:
        try:
            if self._inline is not None:
                self.found = self._inline.finish()
            elif self._child is not None and not self.fault:
                self._hear(self._child, is_verdict_wanted=is_verdict_wanted)
        except Exception as fault:  # noqa: BLE001 (then nothing is known, and that is said)
            self.fault = self.fault or f"{type(fault).__name__}: {fault}"
        finally:
            self.is_done = True
            nudge()

    def _hear(self, child: "_Child", *, is_verdict_wanted: bool) -> None:
        verdict = b""
        try:
            if self._unsent and not child.is_gone:
                child.send(memoryview(self._unsent))
        except (BrokenPipeError, _SilentError):
            pass  # it has found a line already, or what it says below is nothing
        child.close_input()
        try:
            _warn(self._warnings, self._option, child.receive().decode("utf-8", "replace"))
            if is_verdict_wanted:
                verdict = child.receive()
        except _SilentError:
            self.fault = self.fault or child.bury()
        child.bury()
        self.found = verdict[1:]


class SpanFinder:
    """Finds what matches in texts; one child for them all, started when it is first needed."""

    def __init__(self, texts: list[str], option: str, warnings: list[str]) -> None:
        self.fault = ""  # why a text could not be searched
        self._texts = list(dict.fromkeys(texts))
        self._option = option
        self._warnings = warnings
        self._child: _Child | None = None

    def stop(self) -> None:
        """End the search that another thread waits for."""
        self.fault = "there was no time to search it"
        if self._child is not None:
            self._child.stop()

    def find(self, raw: bytes) -> list[Span] | None:
        """Find what the patterns match in `raw`; None if that can't be told: `fault` says why.

        Takes PATIENCE_S at the most, and blocks no other thread. After a failure there is no
        other attempt.
        """
        if self.fault:
            return None
        deadline = time.monotonic() + PATIENCE_S
        request, is_new = _frame(raw), self._child is None
        try:
            if self._child is None:
                self._child = _Child(FIND)
                request = _frames(self._texts) + request
            self._child.send(memoryview(request), deadline=deadline)
            if is_new:
                faults = self._child.receive(deadline).decode("utf-8", "replace")
                _warn(self._warnings, self._option, faults)
            numbers = [int(word) for word in self._child.receive(deadline).split()]
        except (OSError, _SilentError) as error:
            if self._child is not None:
                self.fault = self.fault or self._child.bury()
            else:
                self.fault = f"no process can be started for it: {error}"
            return None
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    def close(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.bury()


def _warn(warnings: list[str], option: str, faults: "list[str] | str") -> None:
    for words in faults.split("\n") if isinstance(faults, str) else faults:
        warning = f"{option} {words}"
        if words and warning not in warnings:
            warnings.append(warning)


class _SilentError(Exception):
    """The child takes nothing, or says nothing, or has ended."""


class _Child:
    """The process that searches, and radar's ends of its pipes."""

    def __init__(self, task: str) -> None:
        import _thread

        self.is_gone = False  # it reads no more
        self._has_ended = False
        self._deciding = _thread.allocate_lock()  # who ends it, and who buries it
        ends: list[int] = []
        try:
            ends += os.pipe()
            ends += os.pipe()
            self._pid = _spawn(task, ends[0], ends[3])
        except OSError:
            for fd in ends:
                os.close(fd)
            raise
        os.close(ends[0])
        os.close(ends[3])
        self._to: int | None = ends[1]
        self._from = ends[2]
        os.set_blocking(ends[1], False)

    def send(
        self,
        data: memoryview,
        is_enough: "Callable[[], bool]" = lambda: False,
        deadline: float | None = None,
    ) -> bytes:
        """Write to the child; return what is left once it `is_enough`.

        BrokenPipeError: it reads no more. _SilentError: it takes nothing until the deadline or,
        without one, for PATIENCE_S.
        """
        import select

        if self._to is None:
            raise BrokenPipeError
        until = time.monotonic() + PATIENCE_S if deadline is None else deadline
        poll = select.poll()
        poll.register(self._to, select.POLLOUT)
        while data:
            try:
                data = data[os.write(self._to, data) :]
                if deadline is None:
                    until = time.monotonic() + PATIENCE_S
            except BlockingIOError:
                if is_enough():
                    return bytes(data)
                if time.monotonic() > until:
                    raise _SilentError from None
                poll.poll(_LOOK_AGAIN_MS)
        return b""

    def receive(self, deadline: float | None = None) -> bytes:
        """The next frame from the child. _SilentError: there will be none in time."""
        until = time.monotonic() + PATIENCE_S if deadline is None else deadline
        return self._receive(int.from_bytes(self._receive(4, until), "big"), until)

    def _receive(self, size: int, until: float) -> bytes:
        import select

        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        data = bytearray()
        while len(data) < size:
            if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
                raise _SilentError
            piece = os.read(self._from, size - len(data))
            if not piece:
                self._has_ended = True
                raise _SilentError
            data += piece
        return bytes(data)

    def close_input(self) -> None:
        """Tell the child that there is no more to come."""
        if self._to is not None:
            os.close(self._to)
            self._to = None

    def stop(self) -> None:
        """End the child; whoever talks to it notices, and buries it."""
        with self._deciding:
            # PID 1 may have buried it, and its number be another's: not while it has its stdout.
            if self._pid and not self._has_ended:
                try:
                    os.kill(self._pid, _signal.SIGKILL)
                except ProcessLookupError:
                    return

    def bury(self) -> str:
        """End the child if it hasn't ended, and say in words why it has no answer."""
        has_ended = self._has_ended
        self.stop()
        self.is_gone = True
        with self._deciding:
            if not self._pid:
                return _TOO_LONG
            try:
                status = os.waitpid(self._pid, 0)[1]
            except ChildProcessError:
                status = 0  # radar is PID 1, and has buried it as it does strays
            self._pid = 0
        self.close_input()
        os.close(self._from)
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        if number == _signal.SIGPROF or (number == _signal.SIGKILL and not has_ended):
            return _TOO_LONG
        how = f"was ended by signal {number}" if number else "has ended"
        return f"the process that searches the output {how}"


def _spawn(task: str, stdin: int, stdout: int) -> int:
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", "-c", _START, task, _FOLDER],
            os.environb,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, stdin, 0),
                (os.POSIX_SPAWN_DUP2, stdout, 1),
                (os.POSIX_SPAWN_DUP2, null, 2),
            ],
            setpgroup=0,  # ^C at a terminal is none of its business
            setsigmask=(),
            setsigdef=_signal.valid_signals() - {_signal.SIGKILL, _signal.SIGSTOP},
        )
    finally:
        os.close(null)


def _frame(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _frames(texts: list[str]) -> bytes:
    # An empty pattern is an empty frame, too, and matches everything: `(?:)` does the same.
    return b"".join(_frame(os.fsencode(text) or b"(?:)") for text in texts) + _frame(b"")


def serve(task: str) -> None:
    """Search what comes on stdin until it ends; the whole life of the child."""
    _leave_radar()
    texts = []
    while text := _read_frame():
        texts.append(os.fsdecode(text))
    _limit_search()
    patterns, faults = compile_patterns(texts)
    _write(_frame("\n".join(faults).encode("utf-8", "replace")[:32_768]))
    if task == WATCH:
        _write(_frame(_watch(patterns)))
        return
    while (raw := _read_frame()) is not None:
        _limit_search()
        spans = find_spans(raw, patterns)
        _write(_frame(b" ".join(b"%d %d" % span for span in spans)))


def _watch(patterns: "list[re.Pattern[bytes]]") -> bytes:
    matcher = Matcher(patterns)
    while not matcher.found and (data := os.read(0, _READ_BYTES)):
        _limit_search()
        matcher.feed(data)
    _limit_search()
    found = matcher.finish()
    return b"+" + found if found else b"-"


def _leave_radar() -> None:
    """Keep no folder busy, and none of the descriptors that radar inherited open."""
    os.chdir("/")
    for name in os.listdir("/dev/fd"):
        if int(name) > 2:
            try:
                os.close(int(name))
            except OSError:
                continue  # that of the listing itself


def _limit_search() -> None:
    """Have the kernel end this process once the search that follows has taken too much CPU time.

    So it doesn't outlive by much a radar that was killed, either.
    """
    _signal.setitimer(_signal.ITIMER_PROF, _SEARCH_CPU_S)


def _read_frame() -> bytes | None:
    """The next frame from radar; None if it has no more, or is gone."""
    head = _read(4)
    return _read(int.from_bytes(head, "big")) if head is not None else None


def _read(size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            return None
        data += piece
    return bytes(data)


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]
