"""What a person may declare a monitor as, and what may be wrong with it.

Options, forms and JSON all come to this as texts, by the names that fields have in pings.
"""

from dataclasses import dataclass, field
from typing import Callable, Mapping

from radar_cli.core.errors import RadarError, UsageError
from radar_cli.core.grammar import parse_count, parse_duration
from radar_cli.core.zone import local_zone
from radar_cli.monitors.schedule import BadScheduleError, CronSchedule, load_timezone

LONGEST_TEXT = 200
LONGEST_TAGS = 500
HIGHEST_TOLERANCE = 1000


class FieldError(UsageError):
    """What a field can't be."""


@dataclass
class Reading:
    """What is changed in what is declared (None takes a field out), and what can't be."""

    changes: dict[str, str | None] = field(default_factory=dict)
    errors: dict[str, RadarError] = field(default_factory=dict)


def read(
    given: Mapping[str, str | None], declared: Mapping[str, str], default_tz: str = ""
) -> Reading:
    """What is given and isn't so already; what is empty, or None, clears.

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
        words = "a schedule and an interval exclude each other"
        errors["every"] = FieldError(words, "give the one that is meant")
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
    except ValueError as error:
        message, _, hint = str(error).partition(": ")
        raise FieldError(message, hint) from None
    if seconds < at_least_s:
        raise FieldError(f"{text[:60]!r} is too short", f"at least {at_least_s:g}s")
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _read_period(text: str) -> str:
    return _read_duration(text, at_least_s=1)


def _read_name(text: str) -> str:
    return _check_text(text.strip(), LONGEST_TEXT)


def _read_tags(text: str) -> str:
    tags = dict.fromkeys(text.replace(",", " ").split())
    return _check_text(" ".join(tags), LONGEST_TAGS)


def _check_text(text: str, longest: int) -> str:
    if len(text) > longest:
        raise FieldError(f"{len(text)} characters are too many", f"at most {longest} fit")
    if not text.isprintable():
        raise FieldError(f"{text[:60]!r} can't be printed", "leave control characters out")
    return text


def _read_tolerance(text: str) -> str:
    try:
        number = parse_count(text.strip())
    except ValueError:
        number = -1
    if not 0 <= number <= HIGHEST_TOLERANCE:
        raise FieldError(f"bad number {text[:60]!r}", f"a whole number up to {HIGHEST_TOLERANCE}")
    return str(number)


FIELDS: dict[str, Callable[[str], str]] = {
    "schedule": _read_schedule,
    "every": _read_period,
    "tz": _read_zone,
    "gracePeriod": _read_duration,
    "max_runtime": _read_period,
    "name": _read_name,
    "tags": _read_tags,
    "failure_tolerance": _read_tolerance,
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
}
