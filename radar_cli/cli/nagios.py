"""A verdict as Nagios's plugins give it: a line and an exit code (their guidelines)."""

from typing import Mapping, Sequence

from radar_cli.cli.render import Result
from radar_cli.monitors.state import Status, View

# What plugins exit with; they have no other codes.
_OK, _WARNING, _CRITICAL, _UNKNOWN = range(4)
# Nagios shows a line of some 4 kB at most.
NAMED = 20


def say_verdict(
    alarming: Sequence[tuple[str, View]], counts: Mapping[Status, int], bad: set[Status]
) -> Result:
    """`RADAR STATE - text | performance data`.

    `alarming` are monitors that are late or down, at least NAMED of either if there are as many.
    """
    total = sum(counts.values())
    wrong = sum(counts.get(status, 0) for status in bad)
    late = counts.get(Status.LATE, 0)
    if wrong:
        words, code = f"CRITICAL - {wrong} of {total}: {_name(alarming, bad, wrong)}", _CRITICAL
    elif late:
        words, code = f"WARNING - late: {_name(alarming, {Status.LATE}, late)}", _WARNING
    else:
        words, code = f"OK - {total} monitor{'' if total == 1 else 's'}", _OK
    data = " ".join(f"{status}={counts.get(status, 0)}" for status in Status)
    return Result(None, text=f"RADAR {words} | {data}", exit_code=code)


def say_unknown(words: str) -> Result:
    """That nothing is known, and why."""
    line = f"RADAR UNKNOWN - {words}".replace("|", "/")
    return Result(None, text=line, exit_code=_UNKNOWN)


def _name(alarming: Sequence[tuple[str, View]], statuses: set[Status], count: int) -> str:
    chosen = [(key, view) for key, view in alarming if view.status in statuses][:NAMED]
    named = ", ".join(f"{key} {view.reason or view.status}" for key, view in chosen)
    more = count - len(chosen)
    return (named + (f" and {more} more" if more > 0 else "")).replace("|", "/")
