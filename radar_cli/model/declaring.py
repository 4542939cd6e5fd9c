"""Reading declarations of monitors by people and programs, and what may be wrong with them.

Options, forms and JSON all come to this as texts, by the names that fields have in pings.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Callable, Mapping

from radar_cli.core.errors import BadValueError, RadarError, UsageError
from radar_cli.core.grammar import format_seconds, parse_count, parse_duration, parse_hosts
from radar_cli.core.zone import local_zone
from radar_cli.model.fault import Fault, refuse
from radar_cli.model.ping import Ping
from radar_cli.model.schedule import BadScheduleError, CronSchedule, load_timezone

LONGEST_TEXT = 200
_EXCLUSIVE = "a schedule and an interval exclude each other"
_READINGS_KEPT = 10_000
LONGEST_TAGS = 500
LONGEST_NOTES = 2000
LONGEST_APPLIED = 10_000
HIGHEST_TOLERANCE = 1000


class FieldError(UsageError):
    """A value that a field can't have."""


@dataclass
class Reading:
    """The changes of a declaration (None takes a field out), and what was refused."""

    changes: dict[str, str | None] = field(default_factory=dict)
    errors: dict[str, RadarError] = field(default_factory=dict)


def read(
    given: Mapping[str, str | None], declared: Mapping[str, str], default_tz: str = ""
) -> Reading:
    """Read the fields that are given and aren't so already; what is empty, or None, clears.

    A schedule takes the place of an interval and the other way round. One without a timezone
    goes by the default or, if there is none, by this machine's clock, whoever reads it later.
    """
    changes: dict[str, str | None] = {}
    errors: dict[str, RadarError] = {}
    for name, text in given.items():
        try:
            changes[name] = FIELDS[name](text) if text and text.strip() else None
        except RadarError as error:
            errors[name] = error
    if changes.get("schedule") and changes.get("every"):
        errors["every"] = FieldError(_EXCLUSIVE, "give the one that is meant")
    elif changes.get("schedule"):
        changes["every"] = None
    elif changes.get("every"):
        changes["schedule"] = None
    merged = {**declared, **changes}
    if not errors and (schedule := merged.get("schedule")):
        tz = merged.get("tz") or default_tz or local_zone() or "UTC"
        try:
            changes["tz"] = CronSchedule(schedule, tz).tz.key
        except RadarError as error:
            errors["schedule" if "schedule" in changes else "tz"] = error
    changed = {name: text for name, text in changes.items() if declared.get(name) != text}
    return Reading(changed, errors)


def read_changes(
    given: Mapping[str, str | None],
    declared: Mapping[str, str],
    names: Mapping[str, str],
    default_tz: str = "",
) -> dict[str, str | None]:
    """The same, if nothing is wrong; `names` has what the giver calls the fields.

    FieldError, BadScheduleError: something is.
    """
    found = read(given, declared, default_tz)
    for name, error in found.errors.items():
        if isinstance(error, FieldError):
            raise FieldError(f"{names[name]}: {error.message}", error.hint)
        raise error
    return found.changes


@lru_cache(_READINGS_KEPT)
def read_field(name: str, text: str) -> tuple[str | None, str]:
    """Return what a field is declared as, in one form whoever wrote it, or why it can't be read."""
    try:
        return FIELDS[name](text), ""
    except RadarError as error:
        message = error.message + (f" ({error.hint})" if error.hint else "")
        if not isinstance(error, BadScheduleError):
            message = f"{LABELS[name]}: {message}"
        return None, message


def read_declared(said: Mapping[str, str]) -> tuple[dict[str, str], list[Fault]]:
    """Return what a ping or a row declares, as far as it can be read, and a fault for the rest.

    Its name, its tags and what isn't declared are left as they are.
    """
    declared: dict[str, str] = {}
    faults = []
    for name, text in said.items():
        if name not in JUDGED:
            declared[name] = text
            continue
        value, message = read_field(name, text)
        if value is None:
            faults.append(refuse(name, text, message))
        else:
            declared[name] = value
    if "schedule" in declared and "every" in declared:
        message = f"every: {_EXCLUSIVE} (give the one that is meant; the schedule holds)"
        faults.append(refuse("every", said["every"], message))
        del declared["every"]
    return declared, faults


def warnings_of(ping: Ping) -> list[str]:
    """Return what can't be read in what a ping says of its monitor or its run."""
    if JUDGED.isdisjoint(ping.fields) and "extend" not in ping.fields:
        return []
    _, faults = read_declared(ping.fields)
    warnings = [fault.message for fault in faults]
    if (extend := ping.fields.get("extend")) and ping.kind == "log":
        try:
            parse_duration(extend)
        except ValueError as error:
            warnings.append(f"extend: {error}")
    return warnings


def warn_of_unknown(name: str, value: str, said: dict[str, str]) -> str:
    """Return a warning of a field that nobody knows, as it came with others that are `said`.

    If it is likely meant to declare one that isn't said, it is added to them as that: since it
    can't be read so, it becomes a fault.
    """
    warning = f"unknown field {name[:40]!r}"
    letters = "".join(filter(str.isalnum, name[:40].lower()))
    close = get_close_matches(letters, _MEANT, n=1, cutoff=_SIMILAR)
    if not close:
        return warning
    meant = _MEANT[close[0]]
    said.setdefault(meant, f"{name}={value}")
    return f"{warning}: is {meant} meant?"


def _read_schedule(text: str) -> str:
    expression = " ".join(text.split())
    if len(expression) > LONGEST_TEXT:
        raise BadScheduleError(
            f"bad schedule {expression[:40]!r}...: it has {len(expression)} characters",
            f"at most {LONGEST_TEXT} fit",
        )
    return CronSchedule(expression).expression


def _read_zone(text: str) -> str:
    return load_timezone(text.strip()).key


def _read_duration(text: str, *, at_least_s: float = 0.0) -> str:
    try:
        seconds = parse_duration(text)
    except BadValueError as error:
        raise FieldError(error.message, error.hint) from None
    if seconds < at_least_s:
        raise FieldError(f"{text[:60]!r} is too short", f"at least {at_least_s:g}s")
    return format_seconds(seconds)


def _read_period(text: str) -> str:
    return _read_duration(text, at_least_s=1)


def _read_name(text: str) -> str:
    return _check_text(text.strip(), LONGEST_TEXT)


def _read_notes(text: str) -> str:
    """Some lines for whoever is told that the monitor is down: what to do, and where to look."""
    kept = "\n".join(line.rstrip() for line in text.expandtabs(4).splitlines()).strip("\n")
    for line in kept.split("\n"):
        _check_text(line, LONGEST_NOTES)
    if len(kept) > LONGEST_NOTES:
        raise FieldError(f"{len(kept)} characters are too many", f"at most {LONGEST_NOTES} fit")
    return kept


def _read_applied(text: str) -> str:
    """Read what `radar sync` has declared it as: JSON, for nobody but that (see sync/plan.py)."""
    return _check_text(text, LONGEST_APPLIED)


def _read_tags(text: str) -> str:
    tags = dict.fromkeys(text.replace(",", " ").split())
    return _check_text(" ".join(tags), LONGEST_TAGS)


def _check_text(text: str, longest: int) -> str:
    if len(text) > longest:
        raise FieldError(f"{len(text)} characters are too many", f"at most {longest} fit")
    if not text.isprintable():
        raise FieldError(f"{text[:60]!r} can't be printed", "leave control characters out")
    return text


def _read_hosts(text: str) -> str:
    try:
        return parse_hosts(text)
    except BadValueError as error:
        raise FieldError(error.message, error.hint) from None


def _read_tolerance(text: str) -> str:
    try:
        number = parse_count(text.strip())
    except ValueError:
        number = -1
    if not 0 <= number <= HIGHEST_TOLERANCE:
        raise FieldError(f"bad number {text[:60]!r}", f"a whole number up to {HIGHEST_TOLERANCE}")
    return str(number)


def _read_task(text: str) -> str:
    """Whether the task whose runs are told is there: a worker that has none of that name says so.

    Several tasks may tell one monitor, so it isn't declared as the name of one.
    """
    name, space, _ = text.strip().partition(" ")
    if space:
        raise FieldError(f"no task is called {name[:100]!r}", "correct cronradar_monitors")
    return "known"


FIELDS: dict[str, Callable[[str], str]] = {
    "schedule": _read_schedule,
    "every": _read_period,
    "tz": _read_zone,
    "gracePeriod": _read_duration,
    "max_runtime": _read_period,
    "name": _read_name,
    "tags": _read_tags,
    "failure_tolerance": _read_tolerance,
    "hosts": _read_hosts,
    "notes": _read_notes,
    "task": _read_task,
    "applied": _read_applied,
}
# What is judged by; a name, a tag or notes can be anything.
JUDGED = frozenset(FIELDS) - {"name", "tags", "notes", "applied"}
# What other tools call these fields, and what they are without case and punctuation.
_MEANT = {
    "cron": "schedule",
    "interval": "every",
    "period": "every",
    "timezone": "tz",
    "grace": "gracePeriod",
    "timeout": "max_runtime",
    **{name.replace("_", "").lower(): name for name in JUDGED},
}
_SIMILAR = 0.8  # difflib's ratio: one letter of five is missing or wrong
LABELS = {
    **{name: name for name in FIELDS},
    "gracePeriod": "grace",
    "max_runtime": "max runtime",
    "failure_tolerance": "failure tolerance",
}
# What options and forms call these.
OPTIONS = {
    "schedule": "schedule",
    "every": "every",
    "tz": "tz",
    "grace": "gracePeriod",
    "max_runtime": "max_runtime",
    "name": "name",
    "tag": "tags",
    "failure_tolerance": "failure_tolerance",
    "hosts": "hosts",
    "notes": "notes",
}
