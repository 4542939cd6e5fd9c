"""The commands that click knows, as `Syntax`. Importing it costs click's import."""

from typing import Iterator

import click

from radar_cli.cli.commands import COMMANDS
from radar_cli.cli.completion.syntax import RAW, Option, Syntax, Values, read_metavar


def root_syntax() -> Syntax:
    """Return the syntax of `radar` itself, options before the command included."""
    from radar_cli.cli.app import root

    return _read_command(root, click.Context(root, info_name="radar"))


def _read_command(command: click.Command, context: click.Context) -> Syntax:
    params = command.get_params(context)
    arguments = [param for param in params if isinstance(param, click.Argument)]
    if not isinstance(command, click.Group):
        return Syntax(
            _read_options(params),
            [_read_values(argument) for argument in arguments],
            repeats_last=bool(arguments) and arguments[-1].nargs != 1,
        )
    group = command

    def find(name: str) -> Syntax | None:
        if context.parent is None and name in RAW:
            return RAW[name]()
        found = group.get_command(context, name)
        if found is None:
            return None
        return _read_command(found, click.Context(found, context, info_name=name))

    return Syntax(_read_options(params), commands=tuple(_list_commands(group, context)), find=find)


def _list_commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, str]]:
    if context.parent is None:
        # From the table: nothing is imported to describe it.
        yield from ((name, line) for name, (_, _, line) in COMMANDS.items())
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            yield name, command.get_short_help_str(limit=100)


def _read_options(params: list[click.Parameter]) -> Iterator[Option]:
    for param in params:
        if isinstance(param, click.Option) and not param.hidden:
            yield Option(
                (*param.opts, *param.secondary_opts),
                param.help or "",
                is_switch=param.is_flag or param.count,
                is_repeatable=param.multiple or param.count,
                values=_read_values(param),
            )


def _read_values(param: click.Parameter) -> Values:
    """The choices, else what its metavar stands for, else its type's, else its name's."""
    if isinstance(param.type, click.Choice):
        return tuple(str(choice) for choice in param.type.choices)
    if not param.metavar and isinstance(param.type, (click.Path, click.File)):
        return ("FILE",)
    return read_metavar(param.metavar or (param.name or "").upper())
