"""Declarations of what commands print for programs, each beside its command.

A declaration is a TypedDict (or a list of them): the type checker holds the code to it, `--fields`
and CSV take their names from it, and `radar schema` prints it as a JSON Schema.
"""

import json
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    Callable,
    Iterator,
    Sequence,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from radar_cli.core.errors import UsageError

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
_ATTRIBUTE = "radar_answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """The shape of a command's `data`.

    `rows` names the field of it that is the list which `--format csv|ndjson` and `--fields` are
    about; "" is `data` itself, and None says that there is no list.
    """

    shape: Any
    rows: str | None = None

    def row_shapes(self) -> list[Any]:
        """Return the shapes that a row may have: more than one if an option changes the answer."""
        if self.rows is None:
            return []
        lists = [self.shape] if not is_union(self.shape) else list(get_args(self.shape))
        if self.rows:
            lists = [fields_of(each)[self.rows] for each in lists]
        return [get_args(each)[0] for each in lists if get_origin(each) is list]


def answers(shape: Any, *, rows: str | None = None) -> Callable[[AnyFunction], AnyFunction]:
    """Declare what the command that is decorated prints as `data`.

    If that is a list, or one of several lists, it is the list of `--format` and `--fields`.
    """
    if rows is None:
        parts = get_args(shape) if is_union(shape) else (shape,)
        rows = "" if any(get_origin(part) is list for part in parts) else None

    def declare(function: AnyFunction) -> AnyFunction:
        setattr(function, _ATTRIBUTE, Answer(shape, rows))
        return function

    return declare


def answer_of(callback: Callable[..., Any] | None) -> Answer | None:
    """Return what a command's function declares."""
    found = getattr(callback, _ATTRIBUTE, None)
    return found if isinstance(found, Answer) else None


@cache
def fields_of(shape: Any) -> dict[str, Any]:
    """Return the fields of a TypedDict with their types, in their order."""
    return get_type_hints(shape, include_extras=True)


def is_union(shape: Any) -> bool:
    """Return whether a type is one of several."""
    return get_origin(shape) in (Union, UnionType)


def strip(shape: Any) -> Any:
    """Return a type without `| None` and without what annotates it."""
    if get_origin(shape) is Annotated:
        return strip(get_args(shape)[0])
    if is_union(shape):
        rest = [part for part in get_args(shape) if part is not type(None)]
        return strip(rest[0]) if len(rest) == 1 else shape
    return shape


def has_field(shape: Any, name: str) -> bool:
    """Return whether a row of this shape has the field `a` or `a.b`."""
    for part in name.split("."):
        inner = strip(shape)
        if get_origin(inner) is dict:
            shape = get_args(inner)[1]
        elif is_typeddict(inner) and part in fields_of(inner):
            shape = fields_of(inner)[part]
        else:
            return False
    return True


def columns_of(shape: Any, above: str = "") -> Iterator[str]:
    """Yield the names of all values of a row: a nested object's are `object.field`."""
    for name, kind in fields_of(shape).items():
        inner = strip(kind)
        if is_typeddict(inner):
            yield from columns_of(inner, f"{above}{name}.")
        else:
            yield above + name


def names_of(shape: Any, above: str = "") -> Iterator[str]:
    """Yield what `--fields` takes: the names of values, and of the objects that hold them."""
    for name, kind in fields_of(shape).items():
        yield above + name
        inner = strip(kind)
        if is_typeddict(inner):
            yield from names_of(inner, f"{above}{name}.")


def value_at(row: Any, name: str) -> Any:
    """Return the value of a field `a.b`, None where an object above it is null."""
    for part in name.split("."):
        if not isinstance(row, dict):
            return None
        row = row.get(part)
    return row


def pick(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a row with these fields alone, nested as they were."""
    picked: dict[str, Any] = {}
    for name in names:
        inner, source = picked, row
        *above, last = name.split(".")
        if any(name.startswith(f"{other}.") for other in names):
            continue  # the whole object is asked for as well
        for part in above:
            source = source[part] if isinstance(source.get(part), dict) else {}
            inner = inner.setdefault(part, {})
        inner[last] = source.get(last)
    return picked


def cell_of(value: Any) -> str:
    """Return a value as CSV has it: nothing for null, and JSON for what is no text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class Rows:
    """The list of an answer, with the fields that are asked for; `data` is all of the answer."""

    data: Any
    rows: list[dict[str, Any]]
    shape: Any
    fields: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.fields or tuple(columns_of(self.shape))

    def cells(self) -> Iterator[list[str]]:
        """Yield the values of each row as text, for CSV."""
        columns = self.columns()
        for row in self.rows:
            yield [cell_of(value_at(row, name)) for name in columns]


def find_rows(answer: Answer, data: Any, shape: Any, fields: Sequence[str]) -> Rows | None:
    """Return the rows of what a command found; None if that is no list.

    `shape` is a row's, if the command declares more than one. UsageError: it has no such field.
    """
    if answer.rows is None:
        return None
    rows = data.get(answer.rows) if answer.rows and isinstance(data, dict) else data
    if not isinstance(rows, list):
        return None
    row_shape = shape or answer.row_shapes()[0]
    if fields:
        check_fields(fields, [row_shape])
        rows = [pick(row, fields) for row in rows]
        data = {**data, answer.rows: rows} if answer.rows else rows
    return Rows(data, rows, row_shape, tuple(fields))


def check_fields(names: Sequence[str], shapes: Sequence[Any]) -> None:
    """Raise UsageError for a name that no row of any of these shapes has."""
    for name in names:
        if not any(has_field(shape, name) for shape in shapes):
            raise _unknown_field(name, shapes)


def split_fields(text: str) -> tuple[str, ...]:
    """Return the names of `--fields a,b.c`. UsageError: there is none."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise UsageError("--fields: no field is named", "as in --fields key,status")
    return names


def _unknown_field(name: str, shapes: Sequence[Any]) -> UsageError:
    from radar_cli.settings.profiles import closest

    known = list(dict.fromkeys(each for shape in shapes for each in names_of(shape)))
    close = closest(name, known) if len(name) <= 200 else ""
    if close:
        hint = f"did you mean {close!r}?"
    else:
        top = [each for each in known if "." not in each]
        hint = f"there is {', '.join(top)}" if top else "it prints no list"
    return UsageError(f"--fields: no field {name[:60]!r}", hint)
