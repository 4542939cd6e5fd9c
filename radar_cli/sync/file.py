"""`radar.toml`: it declares monitors and nothing else, as it may come from anybody's checkout."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import tomli_w

from radar_cli.core.errors import BadValueError, ConfigError, RadarError
from radar_cli.core.grammar import format_seconds
from radar_cli.core.ids import check_key
from radar_cli.model.declaring import FIELDS, LABELS, OPTIONS

# What the file calls the fields: as the options do, but for the list of tags.
NAMES = {("tags" if name == "tag" else name): field for name, field in OPTIONS.items()}
_SECONDS = ("every", "gracePeriod", "max_runtime")
_UNITS = ((604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m"))
_WHOLE = re.compile(r"\d+")


class BadFileError(ConfigError):
    """A file that doesn't declare monitors as it should."""

    slug = "bad-file"


def read_monitors(text: str, place: str) -> dict[str, dict[str, str]]:
    """Return what a file declares: of each monitor its fields, as pings have them; "" clears one.

    BadFileError: it can't be understood, or has something else in it.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFileError(f"{place} is no TOML: {error}") from None
    for name in content:
        if name != "monitors":
            hint = _suggest(name, ["monitors"], "it declares monitors: [monitors.KEY]")
            raise BadFileError(f"{place}: no table {name[:60]!r}", hint)
    tables = content.get("monitors", {})
    if not isinstance(tables, dict):
        raise BadFileError(f"{place}: monitors is no table", "[monitors.KEY]")
    return {key: _read_table(key, table, place) for key, table in tables.items()}


def _read_table(key: str, table: Any, place: str) -> dict[str, str]:
    where = f"{place}: monitors.{key[:60]}"
    try:
        check_key(key)
    except BadValueError as error:
        raise BadFileError(f"{where}: {error.message}", error.hint) from None
    if not isinstance(table, dict):
        raise BadFileError(f"{where} is no table", f"[monitors.{key}]")
    fields = {}
    for name, value in table.items():
        if name not in NAMES:
            hint = _suggest(name, NAMES, f"there is {', '.join(NAMES)}")
            if isinstance(value, dict):
                hint = f'a key with a dot stands in quotes: [monitors."{key}.{name}"]'
            raise BadFileError(f"{where}: no field {name[:60]!r}", hint)
        fields[NAMES[name]] = _read_value(NAMES[name], value, f"{where}: {name}")
    if fields.get("schedule") and fields.get("every"):
        raise BadFileError(f"{where}: schedule and every exclude each other")
    return fields


def _read_value(field: str, value: Any, where: str) -> str:
    if field == "tags" and isinstance(value, list) and all(isinstance(x, str) for x in value):
        if any(len(tag.split()) != 1 for tag in value):
            raise BadFileError(f"{where}: a tag is one word")
        value = " ".join(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and field in (*_SECONDS, "failure_tolerance", "hosts"):
        value = format_seconds(value) if isinstance(value, float) else str(value)
    if not isinstance(value, str):
        raise BadFileError(
            f"{where}: {value!r:.60} isn't what is meant", "see 'radar sync --export'"
        )
    if not value.strip():
        return ""
    try:
        return FIELDS[field](value)
    except RadarError as error:
        raise BadFileError(f"{where}: {error.message}", error.hint) from None


def _suggest(name: str, known: Iterable[str], otherwise: str) -> str:
    from radar_cli.settings.profiles import closest

    close = closest(name, known)
    return f"did you mean {close!r}?" if close else otherwise


def write_monitors(monitors: Mapping[str, Mapping[str, str]]) -> str:
    """Return a file that declares these monitors; a field that can't be read is left out."""
    tables = {}
    for key, declared in monitors.items():
        table: dict[str, Any] = {}
        for name, field in NAMES.items():
            text = declared.get(field, "")
            # A schedule and an interval exclude each other; the schedule holds.
            if not text or (field == "every" and table.get("schedule")):
                continue
            try:
                table[name] = _to_value(field, FIELDS[field](text))
            except RadarError:
                continue
        tables[key] = table
    return tomli_w.dumps({"monitors": tables}, multiline_strings=True) if tables else ""


def _to_value(field: str, text: str) -> Any:
    if field == "tags":
        return text.split()
    if field in _SECONDS:
        return format_period(text)
    is_number = field in ("failure_tolerance", "hosts") and _WHOLE.fullmatch(text)
    return int(text) if is_number else text


def format_period(seconds: str) -> str:
    """Return a number of seconds as people type it, exactly: `90` is `90s`, `3600` is `1h`."""
    if _WHOLE.fullmatch(seconds) and int(seconds):
        for size, unit in _UNITS:
            if int(seconds) % size == 0:
                return f"{int(seconds) // size}{unit}"
    return f"{seconds}s"


def show_value(field: str, text: str | None) -> str:
    """Return a field's value as a diff shows it."""
    if not text:
        return "nothing"
    shown = format_period(text) if field in _SECONDS else text
    return f'"{shown}"' if field not in ("failure_tolerance", "hosts") else shown


def name_of(field: str) -> str:
    """Return what the file calls a field."""
    return next((name for name, each in NAMES.items() if each == field), LABELS.get(field, field))
