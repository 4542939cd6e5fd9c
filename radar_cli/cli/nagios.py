"""A verdict as Nagios's plugins give it: a line and an exit code (their guidelines)."""

from typing import Mapping, Sequence

from radar_cli.cli.render import Result
from radar_cli.monitors.state import Status
from radar_cli.store.overview import Seen

# What plugins exit with; they have no other codes.
_OK, _WARNING, _CRITICAL, _UNKNOWN = range(4)
# Nagios shows a line of some 4 kB at most.
_NAMED = 20


def say_verdict(alarming: Sequence[Seen], counts: Mapping[str, int], bad: set[Status]) -> Result:
    """`RADAR STATE - text | performance data`, of the monitors that are late or down."""
    total = sum(counts.values())
    wrong = [each for each in alarming if each.view.status in bad]
    late = [each for each in alarming if each.view.status == Status.LATE]
    if wrong:
        words, code = f"CRITICAL - {len(wrong)} of {total}: {_name(wrong)}", _CRITICAL
    elif late:
        words, code = f"WARNING - late: {_name(late)}", _WARNING
    else:
        words, code = f"OK - {total} monitor{'' if total == 1 else 's'}", _OK
    data = " ".join(f"{status}={counts.get(status, 0)}" for status in Status)
    return Result(None, text=f"RADAR {words} | {data}", exit_code=code)


def say_unknown(words: str) -> Result:
    """That nothing is known, and why."""
    line = f"RADAR UNKNOWN - {words}".replace("|", "/")
    return Result(None, text=line, exit_code=_UNKNOWN)


def _name(seen: Sequence[Seen]) -> str:
    named = ", ".join(
        f"{each.known.key} {each.view.reason or each.view.status}" for each in seen[:_NAMED]
    )
    more = len(seen) - _NAMED
    return (named + (f" and {more} more" if more > 0 else "")).replace("|", "/")
