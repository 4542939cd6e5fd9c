"""A monitor and its runs in short words for people."""

import signal
from datetime import datetime, tzinfo

from radar_cli.core.grammar import format_duration
from radar_cli.core.text import last_line
from radar_cli.monitors.monitor import Monitor
from radar_cli.monitors.runs import Origin, Run
from radar_cli.monitors.state import Reason, Status, View


def status_in_words(monitor: Monitor, view: View, now_us: int) -> str:
    """`down (missed)`, `up, running`, `paused until 2026-11-23 17:00:00 UTC`."""
    words = str(view.status) + (f" ({view.reason})" if view.reason else "")
    pause = monitor.pause_at(now_us)
    if view.status == Status.PAUSED and pause is not None and pause.end_us is not None:
        words += f" until {local_time(pause.end_us)}"
    return words + (", running" if view.is_running else "")


def next_in_words(monitor: Monitor, expected_us: int | None) -> str:
    """When the next run is due: in the monitor's timezone, and here if that is another time."""
    if expected_us is None:
        return ""
    here = local_time(expected_us)
    if monitor.schedule is None:
        return here
    there = local_time(expected_us, monitor.schedule.tz)
    is_same = there.split()[:2] == here.split()[:2]
    return there if is_same else f"{there}, here {here}"


def local_time(time_us: int, zone: tzinfo | None = None) -> str:
    """A time for people, with its zone; that of this machine if none is given."""
    moment = datetime.fromtimestamp(time_us / 1e6).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def what_happened(view: View, last: Run | None, limit: int = 80) -> str:
    """In a line: what was expected, and what came instead; what was said is cut at `limit`."""
    if view.status == Status.LATE or view.reason == Reason.MISSED:
        return "no run since it was due"
    if view.reason == Reason.HUNG:
        return "a run began and didn't end"
    return "" if last is None else last_words(last, limit)


def last_words(run: Run, limit: int = 80) -> str:
    """How a run ended and what it said last, in a line."""
    how = f"signal {run.signal}" if run.signal else f"exit {run.exit_code}"
    if run.signal is None and run.exit_code is None:
        how = run.outcome  # whoever says it by curl has no exit code
    output = run.output.decode("utf-8", "replace")
    said = run.reason or last_line_of(output, limit) or last_line_of(run.message, limit)
    return how + (f": {said}" if said else "")


def last_line_of(text: str, limit: int = 80) -> str:
    """The last line of a text that isn't empty, cut."""
    return last_line(text.expandtabs())[:limit]


def how_it_went(run: Run) -> str:
    """In words: `success in 3 s`, `fail (exit 3) in 3 s`."""
    words = run.outcome
    if run.outcome == "fail" and (why := run.reason or exit_in_words(run)):
        words += f" ({why if not why.isdigit() else f'exit {why}'})"
    return words + (f" in {format_duration(run.duration_s)}" if run.duration_s is not None else "")


def exit_in_words(run: Run) -> str:
    """The exit code, or the signal by its name."""
    if run.signal is None:
        return "" if run.exit_code is None else str(run.exit_code)
    try:
        return signal.Signals(run.signal).name
    except ValueError:
        return f"signal {run.signal}"


UNREAD = "output not read (a terminal)"


def size_in_words(count: int) -> str:
    """Bytes for people, in powers of 1000."""
    for factor, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} B"


def origin_in_words(origin: Origin | None) -> str:
    """From where a ping came: the address, and the first word of the agent (`curl/8.5.0`)."""
    if origin is None:
        return ""
    return " ".join([origin.address, *origin.agent.split()[:1]]).strip()
