"""JSON Schemas (draft 2020-12) made from the declarations of what commands print."""

from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, is_typeddict

from radar_cli.cli.answers import Answer, fields_of, is_union
from radar_cli.cli.render import ENVELOPE_VERSION
from radar_cli.core.shapes import ErrorFields, Keyword

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", NoneType: "null"}


def make_schema(answer: Answer, command: str) -> dict[str, Any]:
    """Return the schema of the line that a command prints with --json, errors included.

    Further fields may come: none of its objects is closed.
    """
    defs: dict[str, Any] = {}
    properties = {
        "version": {"const": ENVELOPE_VERSION},
        "command": {"const": command},
        "ok": {"type": "boolean"},
        "exit_code": {"type": "integer"},
        "error": convert(ErrorFields | None, defs),
        "data": convert(answer.shape | None, defs),
    }
    return {
        "$schema": _DIALECT,
        "title": f"radar {command} --json",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "$defs": defs,
    }


def make_line_schema(answer: Answer | None, command: str) -> dict[str, Any] | None:
    """Return the schema of a line that a command prints with --format ndjson."""
    if answer is None or answer.rows is None:
        return None
    defs: dict[str, Any] = {}
    lines = [convert(shape, defs) for shape in answer.row_shapes()]
    return {
        "$schema": _DIALECT,
        "title": f"radar {command} --format ndjson",
        **(lines[0] if len(lines) == 1 else {"anyOf": lines}),
        "$defs": defs,
    }


def convert(shape: Any, defs: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; those of its TypedDicts are put into `defs`."""
    origin, parts = get_origin(shape), get_args(shape)
    if shape is Any:
        return {}
    if origin is Annotated:
        described = convert(parts[0], defs)
        for each in parts[1:]:
            if isinstance(each, Keyword):
                is_list = isinstance(each.value, tuple)
                described[each.name] = list(each.value) if is_list else each.value
        return described
    if is_union(shape):
        return {"anyOf": [convert(part, defs) for part in parts]}
    if origin is Literal:
        return {"enum": list(parts)}
    if origin is list:
        return {"type": "array", "items": convert(parts[0], defs)}
    if origin is dict:
        return {"type": "object", "additionalProperties": convert(parts[1], defs)}
    if is_typeddict(shape):
        return _refer(shape, defs)
    return {"type": _TYPES[shape]}


def _refer(shape: Any, defs: dict[str, Any]) -> dict[str, Any]:
    """Return a reference to the schema of a TypedDict, which goes into `defs`."""
    name = shape.__name__.removesuffix("Fields")
    if name not in defs:
        described: dict[str, Any] = {"type": "object"}
        defs[name] = described  # before what it holds, which may be of the same shape
        if shape.__doc__:
            described["description"] = " ".join(shape.__doc__.split())
        fields = fields_of(shape)
        described["properties"] = {each: convert(kind, defs) for each, kind in fields.items()}
        described["required"] = list(fields)
    return {"$ref": f"#/$defs/{name}"}
