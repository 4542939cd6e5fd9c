"""A run's verdict, and its pings."""

import _thread
import os
import time

from radar_cli.model.ping import Ping
from radar_cli.wrap.child import STDERR, STDOUT
from radar_cli.wrap.signals import elapsed_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.core.matching import LineWatch
    from radar_cli.core.redaction import Redactor
    from radar_cli.delivery.destinations import Resolved
    from radar_cli.wrap.options import Options
    from radar_cli.wrap.output import Counter, Tail
    from radar_cli.wrap.run import Run
    from radar_cli.wrap.signals import Ended, Signals
    from radar_cli.wrap.streams import Capture, Streams

# What `--fail-on` finds in the last lines is waited for so long, while signals are heard.
_SEARCH_S = 10.0
_STOPPING_S = 1.0


class Verdict:
    """A verdict on a run. `reason` is empty where the exit code or the signal says it all."""

    def __init__(self, *, is_success: bool, reason: str = "", line: bytes = b"") -> None:
        self.is_success = is_success
        self.reason = reason
        self.line = line  # of the output, and not yet redacted


def judge(
    ended: "Ended",
    ok_codes: tuple[int, ...],
    watches: "tuple[LineWatch, ...]" = (),
    stdout: "Counter | None" = None,
    stderr: "Counter | None" = None,
) -> Verdict:
    """The verdict over a job that ended; the streams that are given count, too."""
    if ended.timed_out:
        return Verdict(is_success=False, reason="timeout")
    if ended.signal or ended.code not in ok_codes:
        return Verdict(is_success=False)
    for watch in watches:
        if watch.found:
            return Verdict(is_success=False, reason="output matched", line=watch.found)
    if stderr is not None and stderr.total_bytes:
        return Verdict(is_success=False, reason="output on stderr")
    if stdout is not None and not stdout.total_bytes:
        return Verdict(is_success=False, reason="no output")
    for watch in watches:
        # Nobody knows that the run went well, and a monitor that says so is believed.
        if watch.fault:
            return Verdict(is_success=False, reason=f"--fail-on is undecided: {watch.fault}")
    return Verdict(is_success=True)


class Report:
    """One try of the job: how it ended and how that counts."""

    def __init__(self, options: "Options", streams: "Streams", started: float) -> None:
        self.capture: Capture | None = None
        self.ended: Ended
        self.ended_us = 0  # by `elapsed_us`
        self.duration_s = 0.0
        self.verdict = Verdict(is_success=False)
        self.fault = b""  # why it could not be started, and not yet redacted
        self.note = ""  # what else a person should know of its end
        self._options = options
        self._started = started
        self._own_rss_bytes = _own_rss_bytes()
        self._streams = streams
        self._watches: dict[int, LineWatch] = {}
        self._counters: dict[int, Counter] = {}

    def taps(self) -> "dict[int, list[Callable[[memoryview], None]]]":
        """Return the taps on each stream's output, by descriptor; from now on it is watched."""
        taps: dict[int, list[Callable[[memoryview], None]]] = {}
        options = self._options
        if options.fail_on or options.fail_if_empty or options.fail_on_stderr:
            from radar_cli.wrap.output import make_counters, make_watches

            self._watches = make_watches(self._streams, options)
            self._counters = make_counters(self._streams, options)
        for watchers in (self._watches, self._counters):
            for fd, watcher in watchers.items():
                taps.setdefault(fd, []).append(watcher.feed)
        return taps

    def close(self, ended: "Ended") -> None:
        """Note the job's end, now."""
        self.ended = ended
        self.ended_us = elapsed_us()
        self.duration_s = time.monotonic() - self._started
        for watch in self._watches.values():
            watch.seal()

    def judge(self, signals: "Signals") -> None:
        """Judge the try; all of its output has been shown to the taps."""
        watches = tuple(self._watches.values())
        if watches:
            is_open = judge(self.ended, self._options.ok_codes).is_success
            for watch in watches:
                watch.settle(signals.nudge, is_verdict_wanted=is_open)
            deadline = time.monotonic() + _SEARCH_S
            signals.wait_until(lambda: all(watch.is_done for watch in watches), deadline)
            for watch in watches:
                watch.stop()
        self.verdict = judge(
            self.ended,
            self._options.ok_codes,
            watches,
            self._counters.get(STDOUT),
            self._counters.get(STDERR),
        )
        if self.verdict.reason.startswith("--fail-on"):
            self._options.warnings.append(f"{self.verdict.reason}: the run counts as failed")

    def ping(self, run: "Run", tries: int) -> Ping:
        """The run's last ping."""
        ended = self.ended
        duration_s = self.duration_s
        if tries > 1:
            duration_s += self._started - run.started
        fields = {"duration": f"{duration_s:.6f}"}
        if ended.signal:
            fields["signal"] = str(ended.signal)
        else:
            fields["exit"] = str(ended.code)
        if self.verdict.reason:
            fields["reason"] = self.verdict.reason
        if ended.cpu_s or ended.max_rss_bytes:
            fields["cpu"] = f"{ended.cpu_s:.6f}"
        # What wait4 reports starts at what radar itself used when it spawned the job.
        if ended.max_rss_bytes > self._own_rss_bytes:
            fields["rss"] = str(ended.max_rss_bytes)
        if tries > 1:
            fields["tries"] = str(tries)
        body = b""
        if run.streams.at_terminal and not (run.streams.groups or self._options.no_output):
            fields["output"] = "terminal"  # a person has read it, and nobody else
        elif self.capture is not None:
            fields["output"] = "0" if run.tail is None else str(run.tail.total_bytes)
        if self.fault or (run.tail is not None and run.tail.total_bytes):
            try:
                body = self._add_output(run, fields)
            except Exception as fault:  # noqa: BLE001 (the outcome matters more than its text)
                message = f"output is left out: {type(fault).__name__}: {fault}"
                run.warnings.append(message)
                body = f"[{message}]".encode("utf-8", "replace")
        if self.note:
            reason = fields.get("reason", "")
            fields["reason"] = f"{reason}; {self.note}" if reason else self.note
        fields.update(run.declared())
        kind = "success" if self.verdict.is_success else "fail"
        return Ping(
            kind,
            run.options.monitor,
            run_id=run.run_id,
            # By the wall's clock at the start: one that was set since would make it a run that
            # ended before it began, or one that hung.
            time_us=run.clock_us + self.ended_us,
            fields=fields,
            body=body,
        )

    def _add_output(self, run: "Run", fields: dict[str, str]) -> bytes:
        """Add to a ping's fields what is known of the output, and return the tail of it."""
        options = self._options
        resolved = run.dispatcher.resolved if run.dispatcher else None
        redactor = make_redactor(options, resolved, run.signals)
        body = b""
        if self.verdict.line and not options.no_output:
            line = redactor.clean_line(self.verdict.line)
            fields["reason"] += f": {line[:200].strip()}"
        elif self.fault:
            # The program's name is a whole command line where somebody quoted one.
            fields["reason"] = redactor.clean_line(self.fault)[:300]
        is_wanted = not (options.output_on_fail and self.verdict.is_success)
        if run.tail is not None and is_wanted and not options.no_output:
            body, omitted = prepare(run.tail, options, resolved, redactor)
            if omitted:
                # What is no UTF-8 is longer as text, and the text is what was cut.
                fields["omitted"] = str(min(omitted, run.tail.total_bytes))
        redactor.close()
        return body

    def keep_ping(self, run: "Run", tries: int) -> None:
        """Put the run's pings into the outbox, if at all possible: they could not be sent."""
        dispatcher = run.dispatcher
        if dispatcher is None:
            return
        try:
            if not dispatcher.is_closed:
                dispatcher.post(self.ping(run, tries))
                dispatcher.close(time.monotonic())
            dispatcher.abandon()
        except Exception as fault:  # noqa: BLE001 (nothing is left to be tried)
            run.report_fault(fault, "the last ping is lost")


def start_ping(run: "Run") -> Ping:
    """The run's first ping."""
    return Ping(
        "start",
        run.options.monitor,
        run_id=run.run_id,
        time_us=run.started_us,
        fields=dict(run.declared()),
    )


def typed_fields(run: "Run") -> dict[str, str]:
    """Return what was typed to be sent, without secrets: the config is known by now."""
    options = run.options
    words = options.command if options.c is None else [options.c]
    typed = {
        "command": " ".join(words) if options.send_command else "",
        "message": options.message or "",
        "url": options.url or "",
    }
    redactor = make_redactor(options, run.dispatcher.resolved if run.dispatcher else None)
    clean = {name: redactor.clean_line(os.fsencode(text))[:2000] for name, text in typed.items()}
    redactor.close()
    return {name: text for name, text in clean.items() if text}


def make_redactor(
    options: "Options", resolved: "Resolved | None", signals: "Signals | None" = None
) -> "Redactor":
    """Make the redactor that takes the secrets out of all that leaves the machine.

    Without `resolved`, what the config asks to redact isn't known (yet). With `signals` they are
    heard while patterns are searched for.
    """
    from radar_cli.core.credentials import secrets_of
    from radar_cli.core.redaction import Redactor

    patterns = options.redact + (resolved.redact if resolved is not None else [])
    secrets = secrets_of(dict(os.environb), resolved.secrets if resolved is not None else [])

    def heed_signals(work: "Callable[[], None]", stop: "Callable[[], None]") -> None:
        assert signals is not None  # noqa: S101 (for mypy: see below)
        done: list[bool] = []

        def do() -> None:
            try:
                work()
            finally:
                done.append(True)
                signals.nudge()

        try:
            _thread.start_new_thread(do, ())
        except RuntimeError:  # no more threads for this user
            work()
            return
        if not signals.wait_until(lambda: bool(done), None):
            stop()
            patience = time.monotonic() + _STOPPING_S
            signals.wait_until(lambda: bool(done), patience, in_any_case=True)

    aside = heed_signals if signals is not None else None
    return Redactor(secrets, patterns, "--redact", options.warnings, aside)


def _own_rss_bytes() -> int:
    """The most memory that radar itself has used so far.

    Not ru_maxrss, which goes back to what radar's parent used before it became radar.
    """
    try:
        fd = os.open("/proc/self/status", os.O_RDONLY)  # half the time of `open`
        try:
            return int(os.read(fd, 4096).partition(b"VmHWM:")[2].split(None, 1)[0]) * 1024
        finally:
            os.close(fd)
    except (OSError, IndexError, ValueError):
        import resource  # no Linux

        unit = 1 if os.uname().sysname == "Darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def prepare(
    tail: "Tail", options: "Options", resolved: "Resolved | None", redactor: "Redactor"
) -> tuple[bytes, int]:
    """The tail as it may leave the machine, and how many bytes before it are missing."""
    if not tail.total_bytes:
        return b"", 0
    from radar_cli.core import text
    from radar_cli.wrap.output import MARGIN_BYTES, SERVER_BYTES, STORE_BYTES

    limit = options.tail
    if limit is None and resolved is not None:
        limit = resolved.tail_bytes
        if limit is None and any(each.is_server for each in resolved.destinations):
            limit = SERVER_BYTES
    raw, gone = tail.snapshot()
    clean, dropped = redactor.clean(raw, margin_bytes=MARGIN_BYTES if gone else 0)
    body, cut = text.cut(text.valid(clean), STORE_BYTES if limit is None else limit)
    return body, gone + dropped + cut
