"""What a person may declare a monitor as, and what may be wrong with it."""

from typing import Any, Callable, Mapping

from radar_cli.errors import UsageError
from radar_cli.grammar import parse_count, parse_duration
from radar_cli.monitors.schedule import BadScheduleError, CronSchedule, load_timezone
from radar_cli.zone import local_zone

_LONGEST_TEXT = 200
_LONGEST_TAGS = 500
_HIGHEST_TOLERANCE = 1000


def read_changes(
    given: Mapping[str, Any], declared: Mapping[str, str], default_tz: str
) -> dict[str, str | None]:
    """What the options change in what is declared; None takes a field out.

    An option that isn't given changes nothing, an empty one clears. A schedule takes the place of
    an interval and the other way round. UsageError, BadScheduleError: one of them is impossible.
    """
    if given["schedule"] and given["every"]:
        raise UsageError("--schedule and --every exclude each other", "give the one that is meant")
    changes: dict[str, str | None] = {}
    for name, (field, read) in FIELDS.items():
        value = given[name]
        if value is None or value == ():
            continue
        text = " ".join(value) if isinstance(value, tuple) else value
        changes[field] = read(text) if text.strip() else None
    if changes.get("schedule"):
        changes["every"] = None
    if changes.get("every"):
        changes["schedule"] = None
    merged = {**declared, **changes}
    if schedule := merged.get("schedule"):
        # A schedule without a timezone means this machine's clock, whoever reads it later.
        tz = merged.get("tz") or default_tz or local_zone() or "UTC"
        changes["tz"] = CronSchedule(schedule, tz).tz.key
    # What is so already, or isn't there anyway, is no change.
    return {field: value for field, value in changes.items() if declared.get(field) != value}


def _read_schedule(text: str) -> str:
    expression = " ".join(text.split())
    if len(expression) > _LONGEST_TEXT:
        raise BadScheduleError(
            f"bad schedule {expression[:40]!r}...: it has {len(expression)} characters",
            f"at most {_LONGEST_TEXT} fit",
        )
    return CronSchedule(expression).expression


def _read_zone(text: str) -> str:
    return load_timezone(text.strip()).key


def _read_duration(option: str, *, at_least_s: float = 0.0) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            seconds = parse_duration(text)
        except ValueError as error:
            message, _, hint = str(error).partition(": ")
            raise UsageError(f"{option}: {message}", hint) from None
        if seconds < at_least_s:
            raise UsageError(f"{option}: {text[:60]!r} is too short", f"at least {at_least_s:g}s")
        return f"{seconds:.6f}".rstrip("0").rstrip(".")

    return read


def _read_name(text: str) -> str:
    return _check_text("--name", text.strip(), _LONGEST_TEXT)


def _read_tags(text: str) -> str:
    tags = dict.fromkeys(text.replace(",", " ").split())
    return _check_text("--tag", " ".join(tags), _LONGEST_TAGS)


def _check_text(option: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise UsageError(f"{option}: {len(text)} characters are too many", f"at most {longest} fit")
    if not text.isprintable():
        raise UsageError(
            f"{option}: {text[:60]!r} can't be printed", "leave control characters out"
        )
    return text


def _read_tolerance(text: str) -> str:
    try:
        number = parse_count(text)
    except ValueError:
        number = -1
    if not 0 <= number <= _HIGHEST_TOLERANCE:
        raise UsageError(
            f"--failure-tolerance: bad number {text[:60]!r}",
            f"a whole number up to {_HIGHEST_TOLERANCE}",
        )
    return str(number)


# Option: the field that it sets, as pings have it, and how it is read.
FIELDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "schedule": ("schedule", _read_schedule),
    "every": ("every", _read_duration("--every", at_least_s=1)),
    "tz": ("tz", _read_zone),
    "grace": ("gracePeriod", _read_duration("--grace")),
    "max_runtime": ("max_runtime", _read_duration("--max-runtime", at_least_s=1)),
    "name": ("name", _read_name),
    "tag": ("tags", _read_tags),
    "failure_tolerance": ("failure_tolerance", _read_tolerance),
}
