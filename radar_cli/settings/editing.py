"""Changing one value in a TOML text, with the person's comments and order left as they are."""

import copy
import tomllib
from dataclasses import dataclass
from typing import Any, Callable

from radar_cli.config.scan import Statement, scan
from radar_cli.config.toml_text import render_key, render_value

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """A text with the change made; `is_rewritten` if its comments and order are lost."""

    text: str
    is_rewritten: bool = False


class NotFoundError(LookupError):
    """Nothing stands at the path that should be removed."""


def set_value(text: str, path: Path, value: Any) -> Edit:
    """Return `text` with `value` at `path`. ValueError if something there is no table."""
    expected = tomllib.loads(text)
    table = expected
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ValueError(f"{name} is not a table")
    table[path[-1]] = value
    candidate = _try(_set_in_text, text, path, value)
    return _verified(candidate, expected, is_same)


def unset_value(text: str, path: Path) -> Edit:
    """Return `text` without what stands at `path`. NotFoundError if nothing does."""
    expected = tomllib.loads(text)
    table: Any = expected
    for name in path[:-1]:
        table = table.get(name) if isinstance(table, dict) else None
    if not isinstance(table, dict) or path[-1] not in table:
        raise NotFoundError(".".join(path))
    del table[path[-1]]
    candidate = _try(_unset_in_text, text, path)
    return _verified(candidate, expected, lambda one, other: is_same(prune(one), prune(other)))


def _try(edit: Any, *arguments: Any) -> str | None:
    """Call an editor of text; what it can't do is left to the rewrite."""
    try:
        result = edit(*arguments)
    except (ValueError, LookupError):
        return None
    return result if isinstance(result, str) else None


def _verified(
    candidate: str | None, expected: dict[str, Any], is_right: Callable[[Any, Any], bool]
) -> Edit:
    """Return the edited text if it means what it should, else a rewrite of the whole file."""
    if candidate is not None:
        try:
            if is_right(tomllib.loads(candidate), expected):
                return Edit(candidate)
        except tomllib.TOMLDecodeError:
            pass
    import tomli_w

    return Edit(tomli_w.dumps(expected), is_rewritten=True)


def prune(value: Any) -> Any:
    """Return `value` without empty tables: whether a header without keys stays is no matter."""
    if not isinstance(value, dict):
        return value
    pruned = {key: prune(item) for key, item in value.items()}
    return {key: item for key, item in pruned.items() if item != {}}


def is_same(one: Any, other: Any) -> bool:
    """Whether two TOML values are the same, types included; NaN is the same as NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124  (NaN)


def _set_in_text(text: str, path: Path, value: Any) -> str:
    statements = [statement for statement in scan(text) if not statement.is_in_array]
    for statement in statements:
        if statement.value is None:
            continue
        start, end = statement.value
        if statement.path == path:
            return text[:start] + render_value(value) + text[end:]
        if statement.path == path[: len(statement.path)]:
            # Inside an inline table, which is one line and is written anew.
            inline = copy.deepcopy(tomllib.loads(f"value = {text[start:end]}")["value"])
            table = inline
            rest = path[len(statement.path) :]
            for name in rest[:-1]:
                table = table.setdefault(name, {})
            table[rest[-1]] = value
            return text[:start] + render_value(inline) + text[end:]
    return _insert(text, statements, path, value)


def _insert(text: str, statements: list[Statement], path: Path, value: Any) -> str:
    """Add a new line to the table that it belongs to, or a new table at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    parent = path[:-1]
    # Beside its siblings: below the same header, or with the same dotted key before them.
    siblings = [
        statement
        for statement in statements
        if statement.value is not None
        and statement.path[: len(parent)] == parent
        and len(statement.table) <= len(parent)
    ]
    headers = [
        statement
        for statement in statements
        if statement.value is None and statement.path == parent
    ]
    if siblings or headers:
        last = (siblings or headers)[-1]
        line = _line(text, last, path[len(last.table) :], value)
        return _add_line(text, last.end, line, newline)
    if parent:
        gap = newline if text.strip() else ""
        header = f"[{render_key(parent)}]{newline}{render_key(path[-1:])} = {render_value(value)}"
        return _add_line(text, len(text), gap + header, newline)
    place = _top(text)
    line = f"{render_key(path)} = {render_value(value)}"
    is_followed = bool(text[place:].strip())
    return _add_line(text, place, line + (newline if is_followed else ""), newline)


def _top(text: str) -> int:
    """Return where the first key of the file goes: above the first table and its comment."""
    headers = [statement for statement in scan(text) if statement.value is None]
    if not headers:
        return len(text)
    place = headers[0].start
    while place:
        start = text.rfind("\n", 0, place - 1) + 1
        if not text[start:place].lstrip().startswith("#"):
            break
        place = start
    return place


def _add_line(text: str, place: int, line: str, newline: str) -> str:
    before = text[:place]
    if before and not before.endswith("\n"):
        before += newline
    return before + line + newline + text[place:]


def _line(text: str, neighbour: Statement, key: Path, value: Any) -> str:
    """Write `key = value` as deep as its neighbour is indented."""
    first = text[neighbour.start : neighbour.end]
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    return f"{indent}{render_key(key)} = {render_value(value)}"


def _unset_in_text(text: str, path: Path) -> str:
    result, position = "", 0
    for statement in scan(text):
        if statement.path[: len(path)] == path:
            # It, or something below it. Comments on lines of their own stay.
            result += text[position : statement.start]
            position = statement.end
        elif statement.value and statement.path == path[: len(statement.path)]:
            start, end = statement.value
            inline = tomllib.loads(f"value = {text[start:end]}")["value"]
            table = inline
            rest = path[len(statement.path) :]
            for name in rest[:-1]:
                table = table[name]
            del table[rest[-1]]
            result += text[position:start] + render_value(inline)
            position = end
    return result + text[position:]
