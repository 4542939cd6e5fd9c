"""Pages of the reference: the JSON of each command, variables, and the server's API."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from radar_cli.cli.schema import CommandFields, describe_commands
from radar_cli.settings.table import SETTINGS
from tests.support.radar_server import serving

_MADE = "<!-- Made by tests/manual.py. -->"
# Read by radar itself; options and settings have the others.
_OTHERS = {
    "RADAR_CONFIG": "the user's config file (`~/.config/radar/config.toml`)",
    "RADAR_SYSTEM_CONFIG": "the machine's config file (`/etc/radar/config.toml`)",
    "RADAR_STATE_DIR": "the state directory",
    "RADAR_STORE_TIMEOUT": "with `--all-users`, how long another user's store may take (10s)",
    "RADAR_ALIVE_FILE": "where a worker or Beat gives its signs of life",
    "RADAR_DEBUG": "`1` shows the traceback of an error",
    "RADAR_RUN_ID, RADAR_MONITOR": "set by `radar run` for its job",
    "CRONRADAR_API_KEY, CRONRADAR_BASE_URL": "send to CronRadar's own service, if no server is set",
}


def make_variables() -> str:
    """Return the page of all environment variables."""
    found: dict[str, tuple[str, set[str]]] = {}
    for each in SETTINGS.values():
        found[each.variable] = (each.help, {f"setting `{each.name}`"})
    for command in describe_commands():
        for option in command["options"]:
            if option["variable"]:
                meaning = option["help"].rstrip(".")
                _, where = found.setdefault(option["variable"], (meaning, set()))
                flag = option["flags"][-1]
                where.add(f"`{flag}`")
    rows = [
        f"| `{name}` | {text} | {', '.join(sorted(at))} |" for name, (text, at) in found.items()
    ]
    others = [f"| `{name.replace(', ', '`, `')}` | {text} | |" for name, text in _OTHERS.items()]
    head = "| variable | meaning | stands for |\n|---|---|---|"
    text = "An option counts before its variable, and that before a setting in a file."
    table = "\n".join([head, *sorted(rows), *others])
    return f"# Environment variables\n\n{_MADE}\n\n{text}\n\n{table}\n"


# The answers of commands.


def make_answers() -> str:
    """Return the page of what each command prints with --json."""
    parts = [
        "# The JSON of each command",
        _MADE,
        "`data` in the [envelope](output.md) of each command, and the objects in it. A type with"
        " `?` may be null. `radar schema COMMAND` prints the same as JSON Schema.",
    ]
    rows, shapes = ["| command | `data` |", "|---|---|"], dict[str, dict[str, Any]]()
    for command in describe_commands():
        if command["answer"]:
            rows.append(f"| `radar {command['command']}` | {_data_of(command)} |")
            shapes |= command["answer"].get("$defs", {})
    parts.append("\n".join(rows))
    for name, shape in sorted(shapes.items()):
        if "properties" in shape:
            parts += [f"## {name}", shape.get("description", ""), "\n".join(_fields(shape))]
    return "\n\n".join(filter(None, parts)) + "\n"


def _data_of(command: CommandFields) -> str:
    assert command["answer"] is not None
    options = command["answer"]["properties"]["data"].get("anyOf", [])
    return " or ".join(_type(each) for each in options if each.get("type") != "null") or "null"


def _fields(shape: dict[str, Any]) -> Iterator[str]:
    yield "| field | type |\n|---|---|"
    for name, field in shape["properties"].items():
        yield f"| `{name}` | {_type(field)} |"


def _type(shape: dict[str, Any]) -> str:
    """Describe a shape of JSON Schema in a word or two."""
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in shape:
        options = [each for each in shape["anyOf"] if each.get("type") != "null"]
        mark = "?" if len(options) < len(shape["anyOf"]) else ""
        return " or ".join(map(_type, options)) + mark
    if "enum" in shape:
        return " ".join(f"`{json.dumps(value)}`" for value in shape["enum"])
    if "const" in shape:
        return f"`{json.dumps(shape['const'])}`"
    if shape.get("type") == "array":
        return f"list of {_type(shape.get('items', {}))}"
    if shape.get("format") == "date-time":
        return "time"
    return str(shape.get("type", "any"))


# The API of the server.


def make_api() -> str:
    """Return the page of the server's calls, of its own /openapi.json."""
    with tempfile.TemporaryDirectory() as made, serving(Path(made) / "state") as server:
        described = server.request("GET", "/openapi.json").json()
    parts = [
        "# The server's HTTP API",
        _MADE,
        "Each call takes a key as `Authorization: Bearer KEY`. A running server has the whole"
        " description, with every field, at `/openapi.json`."
        " [The server](../guides/server.md#other-machines-and-programs) explains them,"
        " [Pings over HTTP](http.md) explains pings.",
        "| call | what it does | parameters | answers |\n|---|---|---|---|",
    ]
    rows = []
    for path, methods in described["paths"].items():
        for method, call in methods.items():
            if isinstance(call, dict) and "responses" in call:
                rows.append(_call(path, method, call))
    parts[-1] += "\n" + "\n".join(rows)
    return "\n\n".join(parts) + "\n"


def _call(path: str, method: str, call: dict[str, Any]) -> str:
    named = [f"`{each['name']}`" for each in call.get("parameters", []) if each["in"] == "query"]
    summary = call.get("description") or call.get("summary") or ""
    text = summary.partition("\n\n")[0].replace("\n", " ").replace("|", r"\|")
    codes = ", ".join(sorted(call["responses"]))
    return f"| `{method.upper()} {path}` | {text} | {', '.join(named)} | {codes} |"
