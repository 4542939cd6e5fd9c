"""Runs that did not start: another one holds the lock, or the program isn't there."""

import os
import time

from radar_cli.core import exits
from radar_cli.wrap import lock
from radar_cli.wrap.run import Run, say
from radar_cli.wrap.signals import Ended, Signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.model.ping import Ping
    from radar_cli.wrap.verdict import Report

_MISSING = (2, 20)  # ENOENT, ENOTDIR


def report_unstarted(
    run: Run, error: OSError | ValueError, started: float, *, is_last: bool
) -> "Report":
    """The job could not be started: say so as env(1) does, and what the monitor is to hear."""
    from radar_cli.wrap.verdict import Report

    program = run.options.command[0]
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if is_last:
        say(f"{program}: {words}")
    is_missing = isinstance(error, OSError) and error.errno in _MISSING
    report = Report(run.options, run.streams, started)
    code = exits.NOT_FOUND if is_missing else exits.NOT_EXECUTABLE
    report.close(Ended(code << 8, 0.0, 0))
    report.judge(run.signals)
    report.fault = os.fsencode(f"{program}: {words}")
    return report


def take_lock(run: Run) -> bool:
    """Take the lock; False if another run has it and this one need not be."""
    from radar_cli.core.places import state_directory

    run.lock = lock.RunLock(state_directory(os.environ), run.options.monitor)
    try:
        return run.lock.acquire(wait=run.options.lock == lock.WAIT)
    except OSError as error:
        run.warnings.append(f"runs without a lock: {error.filename}: {error.strerror}")
        run.lock = None
        return True


def pass_by(run: Run) -> int:
    """Do not run, as another run holds the lock, and tell the monitor; return the exit code."""
    run.signals = Signals()
    is_failure = run.options.lock == lock.FAIL
    dispatcher = run.open_dispatcher()
    dispatcher.post(_skipped_ping(run, is_failure=is_failure))
    deadline = time.monotonic() + dispatcher.timeout_s
    dispatcher.close(deadline)
    if is_failure:
        run.warnings.append("not run: another run holds the lock")
    run.deliver(dispatcher, deadline)
    return exits.TEMPFAIL if is_failure else exits.OK


def _skipped_ping(run: Run, *, is_failure: bool) -> "Ping":
    from radar_cli.model.ping import Ping

    fields = {"reason": "skipped: another run holds the lock"}
    if is_failure:
        fields = {"reason": "another run holds the lock"}
    return Ping(
        "fail" if is_failure else "log",
        run.options.monitor,
        run_id=run.run_id,
        time_us=run.started_us,
        fields={**fields, **run.declared()},
    )
