"""Groups of commands: the table of radar's own, and groups below it like `radar config`."""

import importlib

import click

from radar_cli.cli.answers import answer_of
from radar_cli.cli.commands import COMMANDS
from radar_cli.cli.options import Session
from radar_cli.core import exits
from radar_cli.core.errors import UsageError


class Group(click.Group):
    """A group that shows its help when called with nothing, and guesses at a wrong command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words behind the group's name."""
        if not (args or ctx.resilient_parsing or self.invoke_without_command):
            # On stderr and as a failure: nothing was asked for (`radar $COMMAND`, say).
            click.echo(ctx.get_help(), err=True)
            if ctx.ensure_object(Session).format == "json":
                raise UsageError("no command is named", f"see '{ctx.command_path} --help'")
            ctx.exit(exits.USAGE)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names, and note it for the JSON envelope."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            from radar_cli.settings.profiles import closest

            close = closest(name, self.list_commands(ctx))
            hint = f"did you mean {close!r}?" if close else f"see '{ctx.command_path} --help'"
            raise UsageError(f"no command {name!r}", hint)
        session = ctx.ensure_object(Session)
        session.command = f"{session.command} {name}".strip()
        found = super().resolve_command(ctx, args)
        session.answer = answer_of(found[1].callback) if found[1] is not None else None
        return found


class LazyGroup(Group):
    """The commands in COMMANDS; its help imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the names in the order of the table, which is that of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (as above)
        """Import the command `cmd_name`."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (as above)
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])
