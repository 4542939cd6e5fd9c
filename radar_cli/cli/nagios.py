"""A verdict as Nagios's plugins give it: a line and an exit code (their guidelines)."""

from typing import Mapping, Sequence

from radar_cli.cli.render import Result, clean
from radar_cli.model.fault import BAD, Fault
from radar_cli.model.state import Status

# What plugins exit with; they have no other codes.
_OK, _WARNING, _CRITICAL, _UNKNOWN = range(4)
# Nagios shows a line of some 4 kB at most.
NAMED = 20
_FAULTS_NAMED = 5


def format_verdict(
    alarming: Sequence[tuple[str, Status, str]],
    counts: Mapping[Status, int],
    bad: set[Status],
    faults: Sequence[tuple[str, Fault]] = (),
    unknown: str = "",
) -> Result:
    """`RADAR STATE - text | performance data`.

    `alarming` are monitors that are late or down with what they say, at least NAMED of either if
    there are as many; `faults` are what is wrong with declarations; `unknown` names the stores
    that can't be judged: all is well of none of them.
    """
    total = sum(counts.values())
    wrong = sum(counts.get(status, 0) for status in bad)
    late = counts.get(Status.LATE, 0)
    bad_faults = [(key, fault) for key, fault in faults if fault.kind == BAD]
    if wrong:
        words, code = f"CRITICAL - {wrong} of {total}: {_name(alarming, bad, wrong)}", _CRITICAL
        words += f"; declared wrongly: {_name_faults(bad_faults)}" if bad_faults else ""
    elif bad_faults:
        words, code = f"CRITICAL - declared wrongly: {_name_faults(bad_faults)}", _CRITICAL
    elif late:
        words, code = f"WARNING - late: {_name(alarming, {Status.LATE}, late)}", _WARNING
        words += f"; beware: {_name_faults(faults)}" if faults else ""
    elif faults:
        words, code = f"WARNING - beware: {_name_faults(faults)}", _WARNING
    elif unknown:
        words, code = "UNKNOWN", _UNKNOWN
    else:
        words, code = f"OK - {total} monitor{'' if total == 1 else 's'}", _OK
    words += f"{';' if code != _UNKNOWN else ' -'} {unknown}".replace("|", "/") if unknown else ""
    data = " ".join(f"{status}={counts.get(status, 0)}" for status in Status)
    return Result(None, text=f"RADAR {words} | {data}", exit_code=code)


def format_unknown(words: str) -> Result:
    """That nothing is known, and why."""
    line = f"RADAR UNKNOWN - {words}".replace("|", "/")
    return Result(None, text=line, exit_code=_UNKNOWN)


def _name_faults(faults: Sequence[tuple[str, Fault]]) -> str:
    named = ", ".join(f"{key}: {clean(fault.message)}" for key, fault in faults[:_FAULTS_NAMED])
    more = len(faults) - _FAULTS_NAMED
    return (named + (f" and {more} more" if more > 0 else "")).replace("|", "/")


def _name(alarming: Sequence[tuple[str, Status, str]], statuses: set[Status], count: int) -> str:
    chosen = [(key, words) for key, status, words in alarming if status in statuses][:NAMED]
    named = ", ".join(f"{key} {words}" for key, words in chosen)
    more = count - len(chosen)
    return (named + (f" and {more} more" if more > 0 else "")).replace("|", "/")
