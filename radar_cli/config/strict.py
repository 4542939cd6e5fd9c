"""What `radar config set` and `check` look at beyond what a ping needs."""

import os
import re
import zoneinfo
from typing import Any

from radar_cli.config.settings import Known
from radar_cli.config.values import read_value


def check_value(known: Known, raw: Any) -> Any:
    """Return the value of a setting that will also work in use; ValueError if it won't.

    A path is taken as it is, from the working directory.
    """
    value = read_value(known, raw)
    if known.kind == "regexes":
        for regex in value:
            _check_regex(known, regex)
    elif known.kind == "timezone" and value:
        _check_timezone(known, value)
    elif known.kind == "path" and value:
        check_readable(known, value)
    return value


def check_readable(known: Known, path: str) -> None:
    """Raise ValueError if the file at `path` can't be read."""
    if not os.path.isfile(path):
        raise ValueError(f"{known.name}: {path}: no such file")
    if not os.access(path, os.R_OK):
        raise ValueError(f"{known.name}: {path} can't be read")


def _check_regex(known: Known, regex: str) -> None:
    try:
        re.compile(regex.encode())  # output is bytes, and so are its patterns
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{known.name}: {regex!r} is no regex: {error}") from None


def _check_timezone(known: Known, name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{known.name}: no timezone {name!r}; one is written like Europe/Berlin"
        ) from None
