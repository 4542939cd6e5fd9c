"""`radar run`: the order of events. Spawn first, announce after; the job's exit is radar's exit.

1. read the arguments;  2. block signals, plan the streams, take the lock;  3. spawn;
4. relay output and send the start ping, while waiting;  5. judge, send the last ping, wait for
its delivery no longer than --ping-timeout;  6. exit as the job did.

An exception that leaves `run` means that the job has not been started: a launcher may then start
it without radar.
"""

import _thread
import os
import time

from radar_cli.core import exits
from radar_cli.core.ids import new_id
from radar_cli.wrap import options as table
from radar_cli.wrap.child import Launch, guard_standard_descriptors
from radar_cli.wrap.signals import Ended, Signals, elapsed_us, heed_interrupts
from radar_cli.wrap.streams import Outlet, Streams, log_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.delivery.destinations import Destination
    from radar_cli.delivery.dispatcher import Dispatcher
    from radar_cli.outbox.spool import Outbox
    from radar_cli.wrap.lock import RunLock
    from radar_cli.wrap.options import Options
    from radar_cli.wrap.output import Held, Tail
    from radar_cli.wrap.stdin import Input
    from radar_cli.wrap.streams import Capture
    from radar_cli.wrap.verdict import Report

# What has to be done in any case, though time is up, is given this long: a disk may hang, too.
_LAST_PATIENCE_S = 2.0
# To read a few files takes less; a ping of which it isn't known where it goes may go astray.
_RESOLVING_S = 0.25


def run(words: list[str], show_help: "Callable[[], int]") -> int:
    """Carry out `radar run WORDS`. Ends the process, save for a usage error and for help."""
    heed_interrupts()
    try:
        options = table.parse(words)
    except table.usage_error() as error:  # evaluated once there is an exception
        log_line(error.line())
        return exits.RUN_USAGE
    if options.help:
        return show_help()
    this = Run(options)
    try:
        code = this.carry_out()
    except BaseException as fault:
        if not this.pid:
            raise
        code = this.end_with_job(fault)
    os._exit(code)


def _in_foreground() -> bool:
    """Whether the job could read from the terminal behind /dev/tty, as it is in its foreground.

    In a process group of its own it would be stopped for that.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False  # there is none, as under cron
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def ingest(outbox: "Outbox", destination: "Destination") -> None:
    """Take what waits into the embedded store: nobody has read that for long."""
    from radar_cli.service.intake import drain

    drain(outbox, destination)


class Run:
    """One run of a job, with all its tries."""

    def __init__(self, options: "Options") -> None:
        self.options = options
        self.warnings = options.warnings
        self._begin()
        self.run_id = options.rid or new_id(self.started_us)
        self.streams = Streams(options)
        if self.streams.has_closed:
            guard_standard_descriptors()
        self.signals: Signals
        self.lock: RunLock | None = None
        self.tail: Tail | None = None
        self.outlets: dict[int, Outlet | Held] = {}
        self.dispatcher: Dispatcher | None = None
        self.pid = 0  # of the job, once there is one
        self.ended: Ended | None = None  # how it did
        self.input: Input | None = None  # where there may be more than one try
        self._declared: dict[str, str] | None = None
        self._reported: set[str] = set()

    def report_fault(self, fault: BaseException, what: str = "internal error") -> None:
        """Say on stderr what went wrong in radar itself; what goes wrong again is said once."""
        message = f"{type(fault).__name__}: {fault}"
        if message not in self._reported:
            log_line(f"{self.options.monitor}: {what}: {message}")
        self._reported.add(message)

    def _begin(self) -> None:
        self.started_us = time.time_ns() // 1000
        self.clock_us = self.started_us - elapsed_us()
        self.started = time.monotonic()

    def carry_out(self) -> int:
        """Run the job; return the exit code, unless radar dies of the job's signal."""
        self.signals = Signals()
        if self.options.lock:
            from radar_cli.wrap.unstarted import acquire_lock, skip_run

            if not acquire_lock(self):
                return skip_run(self)
            self._begin()  # it may have waited for long
        if self.options.retries:
            from radar_cli.wrap.stdin import Input

            self.input = Input()
        extra = {
            b"RADAR_RUN_ID": self.run_id.encode(),
            b"RADAR_MONITOR": self.options.monitor.encode(),
        }
        self.launch = Launch(self.options.command, extra, self.signals.mask)
        tries = 0
        while True:
            tries += 1
            report = self._try(tries)
            if report.verdict.is_success or tries > self.options.retries or self.signals.ending:
                break
            if report.capture is not None:
                self.signals.wait_until(report.capture.is_done, None)
            if self.input is not None and not self.input.rewind():
                report.note = "not tried again: its first try may have used up its stdin"
                self.warnings.append(report.note)
                break
            if not self.signals.pause(self.options.retry_delay):
                break
            if report.capture is not None:
                report.capture.leave(self.signals, discard=False)
        try:
            self._finish(report, tries)
        except Exception as fault:  # noqa: BLE001 (radar's exit is the job's all the same)
            self.report_fault(fault)
            report.keep_ping(self, tries)
            self._pass_output(report)
        return self._exit_as(report.ended)

    def end_with_job(self, fault: BaseException) -> int:
        """Wait for the job after a fault of ours that nothing else has handled; its exit code."""
        self.report_fault(fault)
        if self.ended is None:
            self.ended = Ended(os.waitpid(self.pid, 0)[1], 0.0, 0)
        return self._exit_as(self.ended)

    def _try(self, number: int) -> "Report":
        """Spawn the job once and wait for its end and its output."""
        options = self.options
        # As with timeout(1), 0 is no limit.
        own_group = bool(options.timeout) and not self.streams.at_terminal and not _in_foreground()
        capture = self.streams.capture(self.warnings)
        started = time.monotonic()
        try:
            self.pid = self.launch.spawn(capture.spawn_actions(), own_group=own_group)
        except (OSError, ValueError) as error:
            capture.cancel()
            from radar_cli.wrap.unstarted import report_unstarted

            return report_unstarted(self, error, started, is_last=number > options.retries)
        self.ended = None
        if self.input is not None and number == 1:
            self.input.look_again()
        capture.let_go()
        report = self._attend(capture, started, number)
        ended = self.ended = self.signals.wait_for_job(
            self.pid,
            own_group=own_group,
            at_terminal=self.streams.at_terminal,
            timeout_s=options.timeout or None,
            kill_after_s=options.kill_after,
        )
        if report is None:
            os._exit(self._exit_as(ended))
        report.close(ended)
        try:
            if self.lock is not None:
                self.lock.clear()
            capture.finish()
            report.capture = capture
            report.judge(self.signals)
        except Exception as fault:  # noqa: BLE001 (radar's exit is the job's all the same)
            self.warnings.append(f"internal error: {type(fault).__name__}: {fault}")
        return report

    def _attend(self, capture: "Capture", started: float, number: int) -> "Report | None":
        """Do what is to be done while the job runs; nothing of ours may end it or hold it up."""
        report = None
        try:
            from radar_cli.wrap.verdict import Report

            report = Report(self.options, self.streams, started)
            if self.lock is not None:
                self.lock.note_job(self.pid)
            capture.start(self._open_outlet, self._open_tail, report.taps(), self.signals)
        except Exception as fault:  # noqa: BLE001 (see above)
            self.report_fault(fault)
            try:
                capture.hand_over(self.signals)
            except Exception as again:  # noqa: BLE001 (then it waits for the job all the same)
                log_line(f"{self.options.monitor}: its output is lost: {again}")
        try:
            if number == 1:
                self._announce_start()
        except Exception as fault:  # noqa: BLE001 (as above)
            self.report_fault(fault)
        return report

    def _finish(self, report: "Report", tries: int) -> None:
        """Send the last ping, and show what was held back."""
        dispatcher = self.open_dispatcher()
        deadline = time.monotonic() + dispatcher.timeout_s
        if self.signals.ending:
            # Whoever has ended the job ends radar next: Docker kills ten seconds after TERM.
            deadline = min(deadline, time.monotonic() + _LAST_PATIENCE_S)
        if dispatcher.has_no_thread:
            # Nothing is heard meanwhile, so it is given less time.
            deadline = min(deadline, time.monotonic() + _LAST_PATIENCE_S)
            dispatcher.resolve()
        # Until then it isn't known what the config wants to have redacted.
        if not self.signals.wait_until(lambda: dispatcher.resolved is not None, deadline):
            left_s = max(_RESOLVING_S, min(_LAST_PATIENCE_S, deadline - time.monotonic()))
            self.signals.wait_until(
                lambda: dispatcher.resolved is not None,
                time.monotonic() + left_s,
                in_any_case=True,
            )
            dispatcher.give_up()  # what is made without knowing it must not go out, either
        dispatcher.post(report.ping(self, tries))
        dispatcher.close(deadline)
        if dispatcher.has_no_thread:
            dispatcher.work()
        self._pass_output(report)
        self.deliver(dispatcher, deadline)

    def _pass_output(self, report: "Report") -> None:
        """Wait until what the job wrote has passed, once, and show what was held back."""
        capture, report.capture = report.capture, None
        if capture is None:
            return
        self.signals.wait_until(capture.is_done, None)
        failed = not report.verdict.is_success
        if self.options.quiet and failed:
            self._show_held()
        capture.leave(self.signals, discard=self.options.quiet and not failed)
        self.warnings += capture.faults()

    def _exit_as(self, ended: "Ended") -> int:
        """The exit code, unless radar dies here of the signal that the job died of."""
        if self.signals.is_interrupted:
            self.signals.die(self.signals.ending)
            return 128 + self.signals.ending
        if ended.timed_out:
            return exits.TIMEOUT
        if ended.signal:
            self.signals.die(ended.signal)
        return ended.code

    def deliver(self, dispatcher: "Dispatcher", deadline: float) -> None:
        """Wait for delivery, else leave it to the outbox; then say what was wrong."""
        if not self.signals.wait_until(dispatcher.is_done, deadline):
            # The state directory's disk may hang, too.
            saved: list[bool] = []

            def save() -> None:
                dispatcher.abandon()
                saved.append(True)
                self.signals.nudge()

            try:
                _thread.start_new_thread(save, ())
            except RuntimeError:  # no more threads for this user
                save()
            self.signals.wait_until(
                lambda: bool(saved), time.monotonic() + _LAST_PATIENCE_S, in_any_case=True
            )
        for outlet in self.outlets.values():
            self.warnings += outlet.complaints()
        heard = dispatcher.warnings
        if self.warnings and heard:
            from radar_cli.delivery.dispatcher import without_known

            heard = without_known(heard, self.warnings)
        for words in dict.fromkeys(self.warnings + heard):
            log_line(f"{self.options.monitor}: {words}")
        for words in dispatcher.details if self.options.verbose else ():
            log_line(f"{self.options.monitor}: {words}")

    def _announce_start(self) -> None:
        dispatcher = self.open_dispatcher()
        if not self.options.no_start:
            from radar_cli.wrap.verdict import start_ping

            dispatcher.post(start_ping(self))

    def open_dispatcher(self) -> "Dispatcher":
        """The dispatcher, at work from the first call on."""
        if self.dispatcher is None:
            from radar_cli.delivery.dispatcher import Dispatcher

            options = self.options
            nudge = self.signals.nudge
            dispatcher = Dispatcher(options.to, options.server, options.ping_timeout, nudge, ingest)
            self.dispatcher = dispatcher
            self.signals.has_children = lambda: dispatcher.resolved is None
            if options.send_command or options.message or options.url:
                from radar_cli.wrap.verdict import typed_fields

                self.dispatcher.typed_fields = lambda: typed_fields(self)
            self.dispatcher.start()
        return self.dispatcher

    def _open_tail(self) -> "Tail":
        if self.tail is None:
            from radar_cli.wrap.output import make_tail

            self.tail = make_tail(self.options)
        return self.tail

    def _open_outlet(self, fd: int) -> "Outlet | Held":
        """Open the outlet for what the job writes to this descriptor, for all tries."""
        if fd not in self.outlets:
            # For the tail: by the time it is needed, radar may have been removed.
            from radar_cli.core import credentials, redaction, text  # noqa: F401

            self.outlets[fd] = outlet = Outlet(fd)
            if self.options.quiet:
                from radar_cli.wrap.output import Held

                self.outlets[fd] = Held(outlet)
        return self.outlets[fd]

    def _show_held(self) -> None:
        from radar_cli.wrap.output import Showing

        showing = Showing([self.outlets[fd] for fd in sorted(self.outlets)], self.signals.nudge)
        self.signals.wait_until(showing.is_done, None)

    def declared(self) -> dict[str, str]:
        """Return what an unknown monitor is created with."""
        if self._declared is None and not self.options.declares():
            self._declared = {}
        if self._declared is None:
            from radar_cli.model.declaration import declare

            self._declared = declare(self.options)
        return self._declared
