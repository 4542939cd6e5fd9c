"""The options that stand on the `radar` group and on each command alike."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, TypeVar

import click

from radar_cli.cli.answers import Answer, answer_of, check_fields, split_fields
from radar_cli.core.errors import UsageError

if TYPE_CHECKING:
    from radar_cli.settings.profiles import Config, Profile

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
FORMATS = ("table", "wide", "json", "csv", "ndjson")
COLORS = ("always", "auto", "never")


@dataclass
class Session:
    """The options of this call; a command's own override the group's."""

    format: str = "table"
    profile: str | None = None
    server: str | None = None
    verbose: bool = False
    color: str = "auto"
    is_wide: bool = False
    fields: tuple[str, ...] = ()
    command: str = ""  # what was called, like `config list`
    answer: Answer | None = None  # what that declares to print

    def load_config(self) -> "Config":
        """Read the settings; their warnings go to stderr."""
        import os

        from radar_cli.cli.render import warn
        from radar_cli.settings.profiles import load

        config = load(os.environ)
        for line in config.warnings:
            warn(line)
        return config

    def load_profile(self) -> "Profile":
        """Return the profile that this call is about. Raises ConfigError."""
        return self.load_config().profile(
            self.profile, explicit=self.profile is not None, flags=self.flags()
        )

    def flags(self) -> dict[str, str]:
        """Return the settings that the options give, for `Config.profile`."""
        return {} if self.server is None else {"server": self.server}

    def forwarded(self) -> list[str]:
        """Return the options to put before the words of `radar run` and `radar ping`."""
        words = []
        if self.profile is not None:
            words += ["--profile", self.profile]
        if self.server is not None:
            words += ["--server", self.server]
        if self.verbose:
            words.append("--verbose")
        return words


pass_session = click.make_pass_decorator(Session, ensure=True)


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        # An option that isn't given must not undo the one on the group.
        if value is not None and value is not False:
            setattr(context.ensure_object(Session), name, value)

    return callback


def _store_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Session).format = "json"


def _store_format(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        session = context.ensure_object(Session)
        session.is_wide = value == "wide"
        session.format = "table" if session.is_wide else value


def _store_no_color(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Session).color = "never"


def common_options(function: AnyFunction) -> AnyFunction:
    """Add the options that every command takes; they end up in the Session."""
    options = (
        click.option(
            "--json",
            is_flag=True,
            expose_value=False,
            is_eager=True,  # so that a bad option after it is reported in JSON, too
            callback=_store_json,
            help="Print JSON, failures included.",
        ),
        click.option(
            "--profile",
            metavar="PROFILE",
            expose_value=False,
            callback=_store("profile"),
            help="Use this profile of the config file.",
        ),
        click.option(
            "--server",
            metavar="URL",
            expose_value=False,
            callback=_store("server"),
            help="Use this server.",
        ),
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_store("verbose"),
            help="Say more on stderr.",
        ),
        click.option(
            "--color",
            type=click.Choice(COLORS),
            expose_value=False,
            callback=_store("color"),
            help="When to print colours: FORCE_COLOR=1 means always, too.",
        ),
        click.option(
            "--no-color",
            is_flag=True,
            expose_value=False,
            callback=_store_no_color,
            help="Print no colours (NO_COLOR=1 does it, too).",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _store_fields(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is None or context.resilient_parsing:
        return
    names = split_fields(value)
    answer = answer_of(context.command.callback)
    # Here, before the command does anything.
    check_fields(names, answer.row_shapes() if answer is not None else [])
    context.ensure_object(Session).fields = names


def list_options(function: AnyFunction) -> AnyFunction:
    """Add the common options, `--format` and `--fields`, for a command that prints a list."""
    options = (
        click.option(
            "-o",
            "--format",
            type=click.Choice(FORMATS),
            expose_value=False,
            callback=_store_format,
            help="How to print the list; wide cuts nothing.",
        ),
        click.option(
            "--fields",
            metavar="NAME,...",
            expose_value=False,
            callback=_store_fields,
            help="Print these fields of it alone, as in key,last_run.exit_code.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return common_options(function)


def read_address(option: str, text: str, example: str) -> tuple[str, int]:
    """Return the host and the port that an option names. UsageError: it names none."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (host and port.isdigit() and 0 <= int(port) < 65536):
        raise UsageError(f"{option}: bad address {text[:60]!r}", f"HOST:PORT, as in {example}")
    return host, int(port)
