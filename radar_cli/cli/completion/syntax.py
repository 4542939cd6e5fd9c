"""The syntax of a command (options, arguments, subcommands), from option tables or from click.

Imported each time that a person presses Tab, so it imports nothing heavier than the tables.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterable

    from radar_cli.wrap.options import Row

# Literal words as they are; a name in capitals is a source of words (see `sources`).
Values = tuple[str, ...]
# A word, and what it means ("" if it speaks for itself).
Offer = tuple[str, str]

_REPEATABLE_KINDS = ("words", "regexes")


class Option:
    """One option in all its spellings; a switch has no values."""

    __slots__ = ("flags", "help", "is_repeatable", "is_switch", "values")

    def __init__(
        self,
        flags: tuple[str, ...],
        help: str,  # noqa: A002  (its natural name)
        *,
        is_switch: bool = False,
        is_repeatable: bool = False,
        values: Values = (),
    ) -> None:
        self.flags = flags
        self.help = help
        self.is_switch = is_switch
        self.is_repeatable = is_repeatable
        self.values = values


class Syntax:
    """One command. `arguments` are in order, and the last one repeats if `repeats_last`.

    A group has `commands` and `find`, which returns the syntax of one of them. A command that
    `wraps` another takes one argument, and what follows is a command line of its own.
    """

    __slots__ = ("arguments", "commands", "find", "options", "repeats_last", "wraps")

    def __init__(
        self,
        options: "Iterable[Option]",
        arguments: "Iterable[Values]" = (),
        *,
        repeats_last: bool = False,
        wraps: bool = False,
        commands: "tuple[Offer, ...]" = (),
        find: "Callable[[str], Syntax | None] | None" = None,
    ) -> None:
        self.options = {flag: option for option in options for flag in option.flags}
        self.arguments = tuple(arguments)
        self.repeats_last = repeats_last
        self.wraps = wraps
        self.commands = commands
        self.find = find

    def values_at(self, position: int) -> Values:
        """The values of the argument at `position`, counted from 0; none if there is none."""
        if self.repeats_last:
            position = min(position, len(self.arguments) - 1)
        return self.arguments[position] if position < len(self.arguments) else ()


def read_metavar(metavar: str) -> Values:
    """The values that a metavar like `PROFILE`, `[MONITOR]...` or `skip|wait|fail` stands for."""
    return tuple(metavar.strip("[].").split("|")) if metavar else ()


def read_row(row: "Row") -> Option:
    """The option in one row of the table of `radar run` or `radar ping`."""
    flag, kind, metavar, text = row
    return Option(
        (flag,),
        text,
        is_switch=kind == "switch",
        is_repeatable=kind in _REPEATABLE_KINDS,
        values=read_metavar(metavar),
    )


_HELP = Option(("-h", "--help"), "Show the help and exit.", is_switch=True)


def run_syntax() -> Syntax:
    """Return the syntax of `radar run`."""
    from radar_cli.wrap.options import TABLE

    return Syntax([*map(read_row, TABLE), _HELP], [("MONITOR",)], wraps=True)


def ping_syntax() -> Syntax:
    """Return the syntax of `radar ping`."""
    from radar_cli.model.ping import KINDS
    from radar_cli.wrap.ping_command import TABLE

    return Syntax([*map(read_row, TABLE), _HELP], [("MONITOR",), KINDS])


# The commands with parsers of their own.
RAW = {"run": run_syntax, "ping": ping_syntax}
