"""A verdict as Nagios's plugins give it: a line and an exit code (their guidelines)."""

from typing import Mapping, Sequence

from radar_cli.cli.render import Result, clean
from radar_cli.model.fault import BAD, Fault
from radar_cli.model.state import Status

# What plugins exit with; they have no other codes.
OK, WARNING, CRITICAL, UNKNOWN = range(4)
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
# Nagios shows a line of some 4 kB at most.
NAMED = 20
_FAULTS_NAMED = 5


def format_line(what: str, code: int, text: str, measured: Mapping[str, float]) -> Result:
    """Return `WHAT STATE - text | 'label'=value ...`, the one line that Nagios reads.

    https://nagios-plugins.org/doc/guidelines.html: a | would begin the performance data, and a
    newline the long output.
    """
    line = f"{what} {_WORDS[code]} - {_escape(text)}" if text else f"{what} {_WORDS[code]}"
    data = " ".join(f"{_quote(label)}={value:.15g}" for label, value in measured.items())
    return Result(None, text=f"{line} | {data}" if data else line, exit_code=code)


def _escape(text: str) -> str:
    return clean(text).replace("|", "/")


def _quote(label: str) -> str:
    """Return a label of performance data, which may hold anything but = and '."""
    if label.isascii() and label.isalpha():
        return label
    kept = clean(label).replace("|", "/").replace("=", "").replace("'", "")
    return f"'{kept}'"


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
        text, code = f"{wrong} of {total}: {_name(alarming, bad, wrong)}", CRITICAL
        text += f"; declared wrongly: {_name_faults(bad_faults)}" if bad_faults else ""
    elif bad_faults:
        text, code = f"declared wrongly: {_name_faults(bad_faults)}", CRITICAL
    elif late:
        text, code = f"late: {_name(alarming, {Status.LATE}, late)}", WARNING
        text += f"; beware: {_name_faults(faults)}" if faults else ""
    elif faults:
        text, code = f"beware: {_name_faults(faults)}", WARNING
    elif unknown:
        text, code = "", UNKNOWN
    else:
        text, code = f"{total} monitor{'' if total == 1 else 's'}", OK
    text = "; ".join(part for part in (text, unknown) if part)
    measured = {str(status): counts.get(status, 0) for status in Status}
    return format_line("RADAR", code, text, measured)


def format_unknown(text: str) -> Result:
    """Return that nothing is known, and why."""
    return format_line("RADAR", UNKNOWN, text, {})


def _name_faults(faults: Sequence[tuple[str, Fault]]) -> str:
    named = ", ".join(f"{key}: {fault.message}" for key, fault in faults[:_FAULTS_NAMED])
    more = len(faults) - _FAULTS_NAMED
    return named + (f" and {more} more" if more > 0 else "")


def _name(alarming: Sequence[tuple[str, Status, str]], statuses: set[Status], count: int) -> str:
    chosen = [(key, words) for key, status, words in alarming if status in statuses][:NAMED]
    named = ", ".join(f"{key} {words}" for key, words in chosen)
    more = count - len(chosen)
    return named + (f" and {more} more" if more > 0 else "")
