"""`radar run`: the order of events. Spawn first, announce after; the job's exit is radar's exit.

1. read the arguments;  2. block signals, plan the streams, take the lock;  3. spawn;
4. relay output and send the start ping, while waiting;  5. judge, send the last ping, wait for
its delivery no longer than --ping-timeout;  6. exit as the job did.
"""

import _thread
import os
import time

from radar_cli import exits, load
from radar_cli.ids import new_id
from radar_cli.wrap import options as table
from radar_cli.wrap.child import Launch, guard_standard_descriptors
from radar_cli.wrap.signals import Signals, heed_interrupts
from radar_cli.wrap.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.pings.announcer import Announcer
    from radar_cli.wrap.held import Held
    from radar_cli.wrap.lock import RunLock
    from radar_cli.wrap.options import Options
    from radar_cli.wrap.relay import Outlet
    from radar_cli.wrap.report import Report
    from radar_cli.wrap.signals import Ended
    from radar_cli.wrap.streams import Capture
    from radar_cli.wrap.tail import Tail

# What has to be done in any case, though time is up, is given this long: a disk may hang, too.
_LAST_PATIENCE_S = 2.0
# To read a few files takes less; a ping of which it isn't known where it goes may go astray.
_RESOLVING_S = 0.25


def run(words: list[str]) -> int:
    """Carry out `radar run WORDS`. Ends the process, save for a usage error and for help."""
    heed_interrupts()
    try:
        options = table.parse(words)
    except table.usage_error() as error:  # evaluated once there is an exception
        say(error.line())
        return exits.RUN_USAGE
    if options.help:
        from radar_cli.cli.run import show_help

        return show_help()
    os._exit(Run(options).carry_out())


def say(words: str) -> None:
    """One line on stderr, whatever state it is in."""
    try:
        line = os.fsencode(words.replace("\n", " "))
    except UnicodeEncodeError:  # a server's words, in a locale without them
        line = words.replace("\n", " ").encode("ascii", "backslashreplace")
    try:
        os.write(2, b"radar: " + line + b"\n")
    except OSError:
        return  # closed, full or gone: there is nobody to tell


def elapsed_us() -> int:
    """A clock that nobody sets and that goes on while the machine sleeps."""
    try:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
    except (AttributeError, OSError):  # no Linux
        return time.monotonic_ns() // 1000


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
        self.announcer: Announcer | None = None
        self._declared: dict[str, str] | None = None

    def _begin(self) -> None:
        self.started_us = time.time_ns() // 1000
        self.clock_us = self.started_us - elapsed_us()
        self.started = time.monotonic()

    def carry_out(self) -> int:
        """Run the job; return the exit code, unless radar dies of the job's signal."""
        if self.options.lock:
            from radar_cli.wrap.unstarted import pass_by, take_lock

            if not take_lock(self):
                return pass_by(self)
            self._begin()  # it may have waited for long
        self.signals = Signals()
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
            if not self.signals.pause(self.options.retry_delay):
                break
            if report.capture is not None:
                report.capture.leave(self.signals, discard=False)
        try:
            self._finish(report, tries)
        except Exception as fault:  # noqa: BLE001 (radar's exit is the job's all the same)
            say(f"{self.options.monitor}: internal error: {type(fault).__name__}: {fault}")
            report.keep_ping(self, tries)
        return self._exit_as(report.ended)

    def _try(self, number: int) -> "Report":
        """Spawn the job once and wait for its end and its output."""
        options = self.options
        # As with timeout(1), 0 is no limit.
        own_group = bool(options.timeout) and not self.streams.at_terminal
        capture = self.streams.capture(self.warnings)
        started = time.monotonic()
        try:
            pid = self.launch.spawn(capture.spawn_actions(), own_group=own_group)
        except (OSError, ValueError) as error:
            capture.cancel()
            from radar_cli.wrap.unstarted import report_unstarted

            return report_unstarted(self, error, started, is_last=number > options.retries)
        capture.let_go()
        report = self._attend(pid, capture, started, number)
        ended = self.signals.wait_for_job(
            pid,
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
            report.judge()
        except Exception as fault:  # noqa: BLE001 (radar's exit is the job's all the same)
            self.warnings.append(f"internal error: {type(fault).__name__}: {fault}")
        return report

    def _attend(self, pid: int, capture: "Capture", started: float, number: int) -> "Report | None":
        """Do what is to be done while the job runs; nothing of ours may end it or hold it up."""
        report = None
        try:
            if number == 1:
                load("beside-the-job")
                if self.options.timeout:
                    load("for-a-timeout")
                if self.options.declares():
                    load("for-a-declaration")
                if os.environ.get("RADAR_SERVER"):
                    load("for-a-server")
            from radar_cli.wrap.report import Report

            report = Report(self.options, self.streams, started)
            if self.lock is not None:
                self.lock.note_job(pid)
            tail = self._open_tail()
            capture.start(self._open_outlet, tail, report.taps(), self.signals.nudge)
            if number == 1:
                self._announce_start()
        except Exception as fault:  # noqa: BLE001 (see above)
            say(f"{self.options.monitor}: internal error: {type(fault).__name__}: {fault}")
            try:
                capture.hand_over(self.signals)
            except Exception as again:  # noqa: BLE001 (then it waits for the job all the same)
                say(f"{self.options.monitor}: its output is lost: {again}")
        return report

    def _finish(self, report: "Report", tries: int) -> None:
        """Send the last ping, and show what was held back."""
        announcer = self.open_announcer()
        deadline = time.monotonic() + announcer.timeout_s
        # Until then it isn't known what the config wants to have redacted.
        if not self.signals.wait_until(lambda: announcer.resolved is not None, deadline):
            left_s = max(_RESOLVING_S, min(_LAST_PATIENCE_S, deadline - time.monotonic()))
            self.signals.wait_until(
                lambda: announcer.resolved is not None,
                time.monotonic() + left_s,
                in_any_case=True,
            )
            announcer.give_up()  # what is made without knowing it must not go out, either
        announcer.post(report.ping(self, tries))
        announcer.close(deadline)
        if report.capture is not None:
            self.signals.wait_until(report.capture.is_done, None)
        failed = not report.verdict.is_success
        if self.options.quiet and failed:
            self._show_held()
        if report.capture is not None:
            report.capture.leave(self.signals, discard=self.options.quiet and not failed)
            self.warnings += report.capture.faults()
        self.deliver(announcer, deadline)

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

    def deliver(self, announcer: "Announcer", deadline: float) -> None:
        """Wait for delivery, else leave it to the outbox; then say what was wrong."""
        if not self.signals.wait_until(announcer.is_done, deadline):
            # The state directory's disk may hang, too.
            saved: list[bool] = []

            def save() -> None:
                announcer.abandon()
                saved.append(True)
                self.signals.nudge()

            _thread.start_new_thread(save, ())
            self.signals.wait_until(
                lambda: bool(saved), time.monotonic() + _LAST_PATIENCE_S, in_any_case=True
            )
        for outlet in self.outlets.values():
            self.warnings += outlet.complaints()
        heard = announcer.warnings
        if self.warnings and heard:
            from radar_cli.pings.faults import without_known

            heard = without_known(heard, self.warnings)
        for words in dict.fromkeys(self.warnings + heard):
            say(f"{self.options.monitor}: {words}")
        for words in announcer.details if self.options.verbose else ():
            say(f"{self.options.monitor}: {words}")

    def _announce_start(self) -> None:
        announcer = self.open_announcer()
        if not self.options.no_start:
            from radar_cli.wrap.report import start_ping

            announcer.post(start_ping(self))

    def open_announcer(self) -> "Announcer":
        """The announcer, at work from the first call on."""
        if self.announcer is None:
            from radar_cli.pings.announcer import Announcer

            options = self.options
            nudge = self.signals.nudge
            announcer = Announcer(options.to, options.server, options.ping_timeout, nudge)
            self.announcer = announcer
            self.signals.has_children = lambda: announcer.resolved is None
            if options.send_command:
                from radar_cli.wrap.report import command_line

                self.announcer.add_command = lambda: command_line(self)
            self.announcer.start()
        return self.announcer

    def _open_tail(self) -> "Tail":
        if self.tail is None:
            from radar_cli.wrap.tail import make_tail

            self.tail = make_tail(self.options)
        return self.tail

    def _open_outlet(self, fd: int) -> "Outlet | Held":
        """Where goes on to what the job writes to this descriptor, for all tries."""
        if fd not in self.outlets:
            if self.announcer is None:  # whose thread may import some of it, too
                load("for-output")
            from radar_cli.wrap.relay import Outlet

            self.outlets[fd] = outlet = Outlet(fd)
            if self.options.quiet:
                from radar_cli.wrap.held import Held

                self.outlets[fd] = Held(outlet)
        return self.outlets[fd]

    def _show_held(self) -> None:
        from radar_cli.wrap.held import Showing

        showing = Showing([self.outlets[fd] for fd in sorted(self.outlets)], self.signals.nudge)
        self.signals.wait_until(showing.is_done, None)

    def declared(self) -> dict[str, str]:
        """What an unknown monitor is created with."""
        if self._declared is None and not self.options.declares():
            self._declared = {}
        if self._declared is None:
            from radar_cli.wrap.declaration import declare

            self._declared = declare(self.options)
        return self._declared
