"""`radar notify add`: a channel in one step, tried at once."""

import os
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.config import SECRET_KINDS, read_stdin, to_toml
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result, is_terminal
from radar_cli.core import exits
from radar_cli.core.errors import ConfigError, UsageError
from radar_cli.core.ids import new_id
from radar_cli.core.places import user_config_file
from radar_cli.core.zone import local_zone
from radar_cli.notify.channel import Channel, ChannelError
from radar_cli.notify.channels import find_channels
from radar_cli.notify.notice import rehearse
from radar_cli.settings.channels import (
    CHANNEL_KINDS,
    CHANNEL_SETTINGS,
    PRESET_NAMES,
    TOLD,
    check_channel_name,
)
from radar_cli.settings.editing import Edit, locked, save_edit, set_value, write_file
from radar_cli.settings.files import read_file
from radar_cli.settings.keys import parse_key

_TIMEOUT_S = 30.0
_KINDS = {"email": "mail", "webhook": "chat", "apprise": "apprise", "command": "command"}
_ASKED = {
    "email": "Address",
    "webhook": "URL of the webhook",
    "apprise": "URL of the service, as apprise has it",
    "command": "Program with its arguments",
}

Settings = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Added:
    """A channel as it is in the config file now; `is_new`: it wasn't so before."""

    channel: Channel
    path: str
    is_new: bool
    notes: tuple[str, ...] = ()


class AddedFields(TypedDict):
    """A channel in the config file; `answer` is to the test notice, null if none was sent."""

    channel: str
    file: str
    new: bool
    answer: str | None


@click.command(name="add")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--email", metavar="ADDRESS", multiple=True, help="Write mail; may be repeated.")
@click.option("--smtp", metavar="URL", help="Hand the mail to this server, and not to sendmail.")
@click.option("--from", "from_", metavar="ADDRESS", help="The address that the mail comes from.")
@click.option("--webhook", metavar="URL", help="Send requests to this URL; - reads it from stdin.")
@click.option("--preset", type=click.Choice(PRESET_NAMES), help="Whose webhook that is.")
@click.option("--to", metavar="TEXT", help="Telegram's chat, or PagerDuty's routing key.")
@click.option("--apprise", metavar="URL", multiple=True, help="A service that apprise knows.")
@click.option("--command", metavar="'PROGRAM ARG...'", help="Run a program, without a shell.")
@click.option(
    "--on", type=click.Choice(TOLD), multiple=True, help="Only send notices of these changes."
)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only of monitors with this tag.")
@click.option("--no-test", "is_untested", is_flag=True, help="Send no test notice.")
@click.option("--yes", is_flag=True, help="Ask nothing, also if the channel is there already.")
@common_options
@answers(AddedFields)
@pass_session
def command(
    session: Session,
    /,
    name: str | None,
    email: tuple[str, ...],
    apprise: tuple[str, ...],
    command: str | None,
    on: tuple[str, ...],
    tags: tuple[str, ...],
    is_untested: bool,
    yes: bool,
    **single: str | None,
) -> Result:
    """Add a channel to your config file, and send a test notice through it.

    What isn't given by options is asked for at a terminal. Exits with 1 if you say that the test
    notice didn't arrive, and as 'radar notify test' if it couldn't be sent.
    """
    given: dict[str, tuple[str, ...]] = {
        "email": email,
        "apprise": apprise,
        "command": tuple(_split(command)) if command else (),
        "on": on,
        "tags": tags,
        **{option.strip("_"): (text,) for option, text in single.items() if text is not None},
    }
    settings = {setting: values for setting, values in given.items() if values}
    if settings.get("webhook") == ("-",):
        settings["webhook"] = (read_stdin(CHANNEL_SETTINGS["webhook"]),)
    kind = _find_kind(settings) or ask_kind()
    if kind not in settings:
        settings[kind] = _ask_value(kind)
    added = add_channel(session, name or _KINDS[kind], settings, is_sure=yes)
    name = added.channel.table.name
    text = f"channel {name} is in {added.path}" + ("" if added.is_new else " already")
    following = "next: 'radar check --notify' in a crontab, or a server, sends notices through it"
    data: AddedFields = {
        "channel": name,
        "file": added.path,
        "new": added.is_new,
        "answer": None,
    }
    if is_untested:
        return Result(data, text=f"{text}\n{following}", notes=added.notes)
    try:
        data["answer"] = answer = try_channel(session, added.channel)
    except ChannelError as error:
        return Result(data, text=text, notes=added.notes, failure=error)
    text += f"\nthe test notice: {answer}"
    if not yes and can_ask() and not has_arrived():
        return Result(data, text=text, notes=(*added.notes, missing(name)), exit_code=exits.BAD)
    return Result(data, text=f"{text}\n{following}", notes=added.notes)


def add_channel(session: Session, name: str, settings: Settings, *, is_sure: bool) -> Added:
    """Write a channel into the user's config file: all of it at once, or nothing.

    UsageError: a setting can't be so; ConfigError: the channel wouldn't work.
    """
    try:
        check_channel_name(name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    path = user_config_file(os.environ)
    with locked(path) as real:
        file = read_file(real)
        old = text = file.text if file else ""
        table = (file.values.get("notify") or {}).get(name) if file else None
        is_rewritten = False
        wanted = {setting: _read(name, setting, values) for setting, values in settings.items()}
        before = dict(table) if isinstance(table, dict) else {}
        if all(before.get(setting) == value for setting, value in wanted.items()):
            return Added(_find_channel(session, name), path, is_new=False)
        if before and not is_sure:
            _ask_to_change(name)
        for setting, value in wanted.items():
            try:
                edit = set_value(text, parse_key(f"notify.{name}.{setting}", None).path, value)
            except ValueError as error:
                raise ConfigError(f"{path}: {error}", "edit the file by hand") from None
            text, is_rewritten = edit.text, is_rewritten or edit.is_rewritten
        notes = save_edit(real, old, Edit(text, is_rewritten), 0o600)
        channel = _find_channel(session, name)
        if channel.table.fault:
            write_file(real, old)
            raise ConfigError(
                f"channel {name} wouldn't work: {channel.table.fault}",
                "see 'radar notify add --help'",
            )
    return Added(channel, path, is_new=True, notes=tuple(notes))


def _read(name: str, setting: str, values: tuple[str, ...]) -> object:
    return to_toml(parse_key(f"notify.{name}.{setting}", None), CHANNEL_SETTINGS[setting], values)


def _find_channel(session: Session, name: str) -> Channel:
    channels = {channel.table.name: channel for channel in find_channels(session.load_config())}
    if name not in channels:
        raise ConfigError(f"channel {name} isn't read", "does RADAR_CONFIG name another file?")
    return channels[name]


def _ask_to_change(name: str) -> None:
    if not can_ask():
        raise UsageError(f"there is a channel {name} already", "--yes changes it")
    click.confirm(f"There is a channel {name} already. Change it?", abort=True, err=True)


def try_channel(session: Session, channel: Channel) -> str:
    """Send a test notice, and return what was answered. ChannelError: it can't be sent."""
    config = session.load_config()
    profile = config.resolve(session.profile, explicit=session.profile is not None)
    now_us = time.time_ns() // 1000
    host = profile.host or os.uname().nodename
    notice = rehearse(new_id(now_us), host, now_us, local_zone() or "UTC")
    receipt = channel.send(notice, timeout_s=_TIMEOUT_S)
    return f"{receipt.answer}; {receipt.remark}" if receipt.remark else receipt.answer


def can_ask() -> bool:
    """Whether a person is there to answer."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def has_arrived() -> bool:
    """Ask whether the test notice has come."""
    return click.confirm("Did it arrive?", default=True, err=True)


def missing(name: str) -> str:
    """Return what to do about a notice that has not come."""
    return (
        f"look into the spam folder, and at 'radar doctor'; 'radar notify test {name}' tries again"
    )


def _find_kind(settings: Settings) -> str:
    kinds = [kind for kind in CHANNEL_KINDS if kind in settings]
    if len(kinds) > 1:
        raise UsageError(f"one channel, one kind: {' or '.join('--' + kind for kind in kinds)}")
    return kinds[0] if kinds else ""


def ask_kind() -> str:
    """Ask what kind of channel it is to be. UsageError: there is nobody."""
    if not can_ask():
        raise UsageError("no channel is given", "--email you@example.com, or --webhook URL")
    return str(
        click.prompt("Tell you by", type=click.Choice(tuple(_KINDS)), default="email", err=True)
    )


def _ask_value(kind: str) -> tuple[str, ...]:
    if not can_ask():
        raise UsageError(f"no --{kind}")
    is_secret = CHANNEL_SETTINGS[kind].kind in SECRET_KINDS
    text = str(click.prompt(_ASKED[kind], hide_input=is_secret, err=True))
    return tuple(_split(text)) if kind == "command" else (text,)


def ask_settings() -> tuple[str, dict[str, tuple[str, ...]]]:
    """Ask for a channel; return its name and settings."""
    kind = ask_kind()
    return _KINDS[kind], {kind: _ask_value(kind)}


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"--command: {error}") from None
