"""Values as they are typed at `radar config set`."""

import os
import sys
from typing import Any

import click

from radar_cli.config.channel_settings import LIST_KINDS, read_channel_value
from radar_cli.config.keys import Key
from radar_cli.config.load import load
from radar_cli.config.settings import Known
from radar_cli.config.strict import check_readable, check_value
from radar_cli.core.errors import UsageError

# Ordinary settings of the system are for all of its users; these never are.
SECRET_KINDS = ("secret", "phrase", "services", "webhook", "headers")


def read_stdin(known: Known) -> str:
    """Return the value on stdin, or ask a person for it without showing it."""
    if sys.stdin is None:
        raise UsageError("stdin is closed", "pipe the value into it")
    if sys.stdin.isatty():
        return str(click.prompt(known.name, hide_input=known.kind in SECRET_KINDS, err=True))
    return sys.stdin.read(65536).rstrip("\r\n")


def to_toml(key: Key, known: Known, values: tuple[str, ...]) -> Any:
    """Return what to write into the file. Raises UsageError for a value that won't work."""
    value = values[0]
    raw: Any = value
    takes_several = known.kind == "regexes" or known.kind in LIST_KINDS
    if len(values) > 1 and not takes_several:
        raise UsageError(f"{key.text!r} takes one value, not {len(values)}", "quote it")
    if takes_several:
        raw = list(values)
    elif known.kind == "size" and value.isascii() and value.isdigit():
        raw = int(value)
    elif known.kind == "path" and value and not value.startswith("~/"):
        # In the file a relative path would begin at the file.
        raw = os.path.abspath(value)
    elif known.kind == "headers" and key.header is None:
        raise UsageError("headers are set one by one", f"radar config set {key.text}.NAME VALUE")
    if known.kind == "words" and "/" in value and not value.startswith("~/"):
        raw[0] = os.path.abspath(value)
    try:
        _check(key, known, raw if key.header is None else {key.header: value})
    except ValueError as error:
        raise UsageError(str(error)) from None
    if known.name == "profile":
        load(os.environ).resolve(value, explicit=True)
    return raw


def _check(key: Key, known: Known, raw: Any) -> None:
    """Raise ValueError if a value wouldn't work."""
    checked = os.path.expanduser(raw) if known.kind == "path" else raw
    if key.channel is None:
        check_value(known, checked)
        return
    read_channel_value(known, raw)
    if known.kind == "path":
        check_readable(known, checked)
