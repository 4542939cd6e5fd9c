"""`radar schema`: commands, options, exit codes, errors and answers, for programs."""

import importlib
import json
import pkgutil
from typing import Any, Iterator, TypedDict

import click

import radar_cli
from radar_cli.cli.answers import answer_of, answers
from radar_cli.cli.groups import LazyGroup
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import ENVELOPE_VERSION, Result
from radar_cli.cli.shape_schema import make_line_schema, make_schema
from radar_cli.core import exits
from radar_cli.core.errors import RadarError, UsageError
from radar_cli.wrap import options as run_options
from radar_cli.wrap import ping_command

EXIT_MEANINGS = {
    exits.OK: "fine",
    exits.BAD: "the answer is bad: something is late, down, missing or not as it should be",
    exits.USAGE: "something has to be edited: an argument, a setting, a file",
    exits.UNREACHABLE: "a server or broker could not be reached, or a ping is lost",
    exits.BUG: "a bug in radar",
    exits.TEMPFAIL: "--lock fail, and another run holds the lock",
    exits.TIMEOUT: "the job took longer than --timeout",
    exits.RUN_USAGE: "wrong arguments: the job did not run",
    exits.NOT_EXECUTABLE: "the command can't be executed",
    exits.NOT_FOUND: "the command isn't there",
    exits.INTERRUPTED: "interrupted, or a question was answered with no",
}
_OF_COMMANDS = (
    *(exits.OK, exits.BAD, exits.USAGE, exits.UNREACHABLE),
    *(exits.BUG, exits.INTERRUPTED),
)
# Any other code of `radar run` is the job's own.
_OF_RUN = (
    *(exits.TEMPFAIL, exits.TIMEOUT, exits.RUN_USAGE),
    *(exits.NOT_EXECUTABLE, exits.NOT_FOUND),
)
_OF_PING = (exits.OK, exits.BAD, exits.USAGE, exits.UNREACHABLE)
# These have an option table of their own, before click.
_TABLES = {
    "run": (run_options.TABLE, _OF_RUN, "RADAR_"),
    "ping": (ping_command.TABLE, _OF_PING, ""),
}
_KINDS = {"period": "duration", "count": "integer"}
_NEVER_A_VARIABLE = ("-c",)
_VARIABLES = {
    "--broker": "RADAR_CELERY_BROKER",
    "--database": "RADAR_DATABASE",
    "--no-color": "NO_COLOR",
    "--ping": "RADAR_SERVER_PING",
    "--celery-broker": "RADAR_SERVER_CELERY_BROKER",
    "--profile": "RADAR_PROFILE",
    "--remind": "RADAR_REMIND",
    "--results": "RADAR_CELERY_RESULTS",
    "--server": "RADAR_SERVER",
}
# What ends the process when it is imported, or runs in it.
_NEVER_IMPORTED = ("__main__", "launch.isolated", "launch.script")


class ArgumentFields(TypedDict):
    """An argument of a command."""

    name: str
    required: bool
    repeatable: bool
    choices: list[str] | None


class OptionFields(TypedDict):
    """An option; `variable` is that of the environment which stands for it."""

    flags: list[str]
    type: str
    metavar: str | None
    choices: list[str] | None
    default: Any
    repeatable: bool
    variable: str | None
    help: str


class CommandFields(TypedDict):
    """A command; `answer` is the JSON Schema of what it prints with --json.

    `line` is that of each line with --format ndjson; both are null where there is no such output.
    """

    command: str
    help: str
    arguments: list[ArgumentFields]
    options: list[OptionFields]
    formats: list[str]
    exit_codes: list[int]
    answer: dict[str, Any] | None
    line: dict[str, Any] | None


class ExitCodeFields(TypedDict):
    """An exit code of radar's own."""

    code: int
    meaning: str


class SlugFields(TypedDict):
    """A kind of error, and what radar exits with when it ends a command."""

    slug: str
    exit_code: int
    meaning: str


class SchemaFields(TypedDict):
    """Everything a program has to know of radar; `envelope` is the version of --json."""

    radar: str
    envelope: int
    commands: list[CommandFields]
    exit_codes: list[ExitCodeFields]
    errors: list[SlugFields]


@click.command(name="schema")
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@common_options
@answers(SchemaFields)
@pass_session
def command(session: Session, words: tuple[str, ...]) -> Result:
    """Print commands, options, exit codes, errors and the JSON Schema of each answer, as JSON.

    All of them, or those of one command or group, as in 'radar schema monitors list'.
    """
    del session
    commands = list(describe_commands(words))
    if not commands:
        raise UsageError(f"no command {' '.join(words)[:60]!r}", "see 'radar --help'")
    data: SchemaFields = {
        "radar": radar_cli.__version__,
        "envelope": ENVELOPE_VERSION,
        "commands": commands,
        "exit_codes": [{"code": c, "meaning": text} for c, text in sorted(EXIT_MEANINGS.items())],
        "errors": list(_describe_errors()),
    }
    return Result(data, text=json.dumps(data, indent=2))


def describe_commands(words: tuple[str, ...] = ()) -> Iterator[CommandFields]:
    """Yield all commands whose name begins with these words."""
    root = LazyGroup("radar")
    context = click.Context(root, info_name="radar")
    for name in root.list_commands(context):
        if words[:1] in ((), (name,)):
            yield from _describe(root, context, name, words[1:])


def _describe(
    group: click.Group, context: click.Context, name: str, words: tuple[str, ...], above: str = ""
) -> Iterator[CommandFields]:
    found = group.get_command(context, name)
    if found is None or found.hidden:
        return
    full = f"{above} {name}".strip()
    below = click.Context(found, context, info_name=name)
    if not words and (not isinstance(found, click.Group) or found.invoke_without_command):
        yield _describe_command(found, full)
    if isinstance(found, click.Group):
        for each in found.list_commands(below):
            if words[:1] in ((), (each,)):
                yield from _describe(found, below, each, words[1:], full)


def _describe_command(found: click.Command, name: str) -> CommandFields:
    answer = answer_of(found.callback)
    about = (found.help or "").split("\n\n", maxsplit=1)[0]
    if name in _TABLES:
        table, codes, prefix = _TABLES[name]
        described = [_describe_row(row, prefix) for row in table]
    else:
        codes = _OF_COMMANDS
        params = [each for each in found.params if isinstance(each, click.Option)]
        described = [_describe_option(each) for each in params if not each.hidden]
    formats = next((each["choices"] for each in described if "--format" in each["flags"]), None)
    return {
        "command": name,
        "help": " ".join(about.split()),
        "arguments": [
            {
                "name": each.human_readable_name,
                "required": each.required,
                "repeatable": each.nargs == -1,
                "choices": _choices(each),
            }
            for each in found.params
            if isinstance(each, click.Argument)
        ],
        "options": described,
        "formats": formats or ([] if answer is None else ["table", "json"]),
        "exit_codes": list(codes),
        "answer": None if answer is None else make_schema(answer, name),
        "line": None if "ndjson" not in (formats or ()) else make_line_schema(answer, name),
    }


def _describe_row(row: run_options.Row, prefix: str) -> OptionFields:
    flag, kind, metavar, text = row
    choices = metavar.split("|") if kind == "choice" else None
    name = flag.lstrip("-").replace("-", "_").upper()
    is_set_by_variable = prefix and flag not in _NEVER_A_VARIABLE
    return {
        "flags": [flag],
        "type": _KINDS.get(kind, kind),
        "metavar": metavar or None,
        "choices": choices,
        "default": None,
        "repeatable": kind in ("words", "regexes"),
        "variable": f"{prefix}{name}" if is_set_by_variable else None,
        "help": text,
    }


def _describe_option(option: click.Option) -> OptionFields:
    flags = [*option.opts, *option.secondary_opts]
    # A default that is computed is often the environment's: nothing of that is printed.
    default = option.default if isinstance(option.default, (str, int, float)) else None
    metavar = option.metavar or ""
    kind = option.type.name.removesuffix(" range")
    if option.is_flag:
        kind, default = "switch", False
    elif metavar == "DURATION":
        kind = "duration"
    return {
        "flags": flags,
        "type": kind,
        "metavar": option.metavar,
        "choices": _choices(option),
        "default": default,
        "repeatable": option.multiple,
        "variable": next((_VARIABLES[flag] for flag in flags if flag in _VARIABLES), None),
        "help": option.help or "",
    }


def _choices(param: click.Parameter) -> list[str] | None:
    return list(map(str, param.type.choices)) if isinstance(param.type, click.Choice) else None


def _describe_errors() -> Iterator[SlugFields]:
    for module in pkgutil.walk_packages(radar_cli.__path__, "radar_cli."):
        if not module.name.endswith(_NEVER_IMPORTED):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError:
                continue  # of a part that isn't installed
    found, todo = dict[str, SlugFields](), RadarError.__subclasses__()
    for kind in todo:
        todo += kind.__subclasses__()
        meaning = (kind.__doc__ or "").split("\n", maxsplit=1)[0]
        found.setdefault(
            kind.slug, {"slug": kind.slug, "exit_code": kind.exit_code, "meaning": meaning}
        )
    yield from (found[slug] for slug in sorted(found))
