"""Holding what `radar --json` and `--format ndjson` print to what `radar schema` says of it."""

import functools
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from radar_cli.cli.schema import describe_commands

_formats = FormatChecker(formats=())


def _is_moment(text: object) -> bool:
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


_formats.checks("date-time", raises=ValueError)(_is_moment)


def close(schema: Any) -> Any:
    """Return a schema in which no object has a field that isn't declared."""
    if isinstance(schema, list):
        return [close(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: close(each) for name, each in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


def check_answer(envelope: dict[str, Any]) -> None:
    """Fail unless an envelope is as its command's schema says, with no field besides."""
    if validator := _validator(envelope["command"], "answer"):
        validator.validate(envelope)


def check_lines(command: str, text: str) -> None:
    """Fail unless each line of --format ndjson is as its command's schema says."""
    validator = _validator(command, "line")
    assert validator is not None, command
    for line in text.splitlines():
        validator.validate(json.loads(line))


def check_output(words: Sequence[object], stdout: bytes) -> None:
    """Check what radar has printed, if it was asked for JSON."""
    asked = [str(word) for word in words]
    asked = asked[: asked.index("--")] if "--" in asked else asked
    if asked[:1] in (["run"], ["ping"]) or not stdout.startswith(b"{"):
        return
    pairs = list(zip(asked, [*asked[1:], ""], strict=True))
    forms = {words[1] for words in pairs if words[0] in ("--format", "-o")}
    if "--json" in asked or "--format=json" in asked or "json" in forms:
        for line in stdout.decode("ascii").splitlines():
            check_answer(json.loads(line))
    elif "--format=ndjson" in asked or "ndjson" in forms:
        known = [each for each in known_commands() if asked[: len(each)] == each]
        longest = max(known, key=len)
        check_lines(" ".join(longest), stdout.decode("ascii"))


@functools.cache
def known_commands() -> list[list[str]]:
    """The words of every command."""
    return [each["command"].split() for each in describe_commands()]


@functools.cache
def _validator(command: str, kind: str) -> Draft202012Validator | None:
    described = [each for each in describe_commands(tuple(command.split())) if command]
    found: Any = next((each for each in described if each["command"] == command), None)
    if found is None or found[kind] is None:
        return None  # the words name no command
    return Draft202012Validator(close(found[kind]), format_checker=_formats)
