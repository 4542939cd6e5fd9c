"""Runs that did not start: another one holds the lock, or the program isn't there."""

import os
import time

from radar_cli.core import exits
from radar_cli.wrap import lock
from radar_cli.wrap.signals import Ended
from radar_cli.wrap.streams import log_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.model.ping import Ping
    from radar_cli.wrap.run import Run
    from radar_cli.wrap.verdict import Report

_MISSING = (2, 20)  # ENOENT, ENOTDIR
_POLL_S = 0.2
_LAST_PATIENCE_S = 2.0
# What no program's name has, and a shell understands.
_OF_A_SHELL = frozenset(" |&;<>()$`\"'\n\t*?")


def report_unstarted(
    run: "Run", error: OSError | ValueError, started: float, *, is_last: bool
) -> "Report":
    """The job could not be started: say so as env(1) does, and what the monitor is to hear."""
    from radar_cli.wrap.verdict import Report

    program = run.options.command[0]
    message = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if is_last:
        is_line = len(run.options.command) == 1 and not _OF_A_SHELL.isdisjoint(program)
        hint = f" (a shell line? radar run {run.options.monitor} -c {program!r})"
        log_line(f"{program}: {message}" + (hint if is_line else ""))
    is_missing = isinstance(error, OSError) and error.errno in _MISSING
    report = Report(run.options, run.streams, started)
    code = exits.NOT_FOUND if is_missing else exits.NOT_EXECUTABLE
    report.close(Ended(code << 8, 0.0, 0))
    report.judge(run.signals)
    report.fault = os.fsencode(f"{program}: {message}")
    return report


def acquire_lock(run: "Run") -> bool:
    """Take the lock; False if another run has it and this one need not be, or has waited enough."""
    from radar_cli.core.places import state_directory

    run.lock = lock.RunLock(state_directory(os.environ), run.options.monitor)
    deadline = time.monotonic() + run.options.lock_timeout
    try:
        while not run.lock.acquire():
            if run.options.lock != lock.WAIT or time.monotonic() >= deadline:
                return False
            if not run.signals.pause(_POLL_S):
                return False
    except OSError as error:
        run.warnings.append(f"runs without a lock: {error.filename}: {error.strerror}")
        run.lock = None
    return True


def skip_run(run: "Run") -> int:
    """Do not run, as another run holds the lock, and tell the monitor; return the exit code."""
    is_failure = run.options.lock != lock.SKIP
    reason = "another run holds the lock"
    if run.options.lock == lock.WAIT:
        from radar_cli.core.grammar import format_duration

        reason = f"another run has held the lock for {format_duration(run.options.lock_timeout)}"
    if run.signals.is_interrupted:
        reason = f"ended by signal {run.signals.ending} while it waited for another run's lock"
    dispatcher = run.open_dispatcher()
    dispatcher.post(_skipped_ping(run, reason, is_failure=is_failure))
    deadline = time.monotonic() + dispatcher.timeout_s
    if run.signals.is_interrupted:
        deadline = time.monotonic() + _LAST_PATIENCE_S
        run.signals.is_hurried = False  # it is known, and what is left to do is short
    dispatcher.close(deadline)
    if is_failure:
        run.warnings.append(f"not run: {reason}")
    run.deliver(dispatcher, deadline)
    if run.signals.is_interrupted:
        run.signals.die(run.signals.ending)
        return 128 + run.signals.ending
    return exits.TEMPFAIL if is_failure else exits.OK


def _skipped_ping(run: "Run", reason: str, *, is_failure: bool) -> "Ping":
    from radar_cli.model.ping import Ping

    return Ping(
        "fail" if is_failure else "log",
        run.options.monitor,
        run_id=run.run_id,
        time_us=run.started_us,
        fields={"reason": reason if is_failure else f"skipped: {reason}", **run.declared()},
    )
