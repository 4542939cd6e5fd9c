"""Groups of commands: the table of radar's own, and groups below it like `radar config`."""

import importlib

import click

from radar_cli.cli.answers import answer_of
from radar_cli.cli.commands import AS_OPTIONS, COMMANDS, SYNONYMS
from radar_cli.cli.options import Session
from radar_cli.core import exits
from radar_cli.core.errors import UsageError

_OF_MONITORS = "monitors"


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
        name, rest = self.translate(args[0]), args[1:]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            from radar_cli.settings.profiles import closest

            known = [*self.list_commands(ctx), *self.list_shortcuts(ctx)]
            close = closest(name, known)
            hint = f"did you mean {close!r}?" if close else f"see '{ctx.command_path} --help'"
            raise UsageError(f"no command {name!r}", hint)
        session = ctx.ensure_object(Session)
        session.command = f"{session.command} {self.full_name(name)}".strip()
        found = super().resolve_command(ctx, [name, *rest])
        session.answer = answer_of(found[1].callback) if found[1] is not None else None
        return found

    def translate(self, name: str) -> str:
        """Return the command's own name for a word that people use."""
        meant = SYNONYMS.get(name, "")
        return meant if name not in self.commands and meant in self.commands else name

    def list_shortcuts(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (as click's)
        """Return the words besides those of the commands that lead somewhere."""
        return []

    def full_name(self, name: str) -> str:
        """Return a command's name as the envelope has it."""
        return name

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, each with a whole sentence."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, describe(each)) for name, each in found if each and not each.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def describe(command: click.Command) -> str:
    """Return the first sentence of a command's help, uncut."""
    paragraph = " ".join((command.help or "").split("\n\n")[0].split())
    return paragraph.partition(". ")[0].removesuffix(".") + "." if paragraph else ""


class LazyGroup(Group):
    """The commands in COMMANDS; its help imports none of them.

    What `radar monitors` does is found without that word, too: `radar pause backup`.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse radar's own words: `help run` is `run --help`."""
        if args and (option := AS_OPTIONS.get(args[0])):
            args = [*args[1:], option] if option == "--help" else [option, *args[1:]]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the names in the order of the table, which is that of use."""
        return list(COMMANDS)

    def list_shortcuts(self, ctx: click.Context) -> list[str]:
        """Return the commands of `radar monitors`, and what people call them."""
        return [*self._monitors().list_commands(ctx), *SYNONYMS, *AS_OPTIONS]

    def translate(self, name: str) -> str:
        """See `Group`; the words are those of `radar monitors`."""
        return name if name in COMMANDS else SYNONYMS.get(name, name)

    def full_name(self, name: str) -> str:
        """See `Group`: `pause` is `monitors pause`."""
        return name if name in COMMANDS else f"{_OF_MONITORS} {name}"

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command `cmd_name`."""
        if cmd_name not in COMMANDS:
            return self._monitors().get_command(ctx, self.translate(cmd_name))
        return _load(cmd_name)

    def _monitors(self) -> click.Group:
        group = _load(_OF_MONITORS)
        if not isinstance(group, click.Group):
            raise TypeError(f"{_OF_MONITORS} is no group")
        return group

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (as above)
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (as above)
        """Write the rule of shortcuts."""
        formatter.write_paragraph()
        formatter.write_text(
            "What 'radar monitors' does needs no 'monitors': 'radar pause backup', 'radar logs"
            " backup'. 'radar help COMMAND' is 'radar COMMAND --help'."
        )


def _load(name: str) -> click.Command:
    module, attribute, _ = COMMANDS[name]
    command = getattr(importlib.import_module(module), attribute)
    if not isinstance(command, click.Command):
        raise TypeError(f"{module}.{attribute} is no click command")
    return command
