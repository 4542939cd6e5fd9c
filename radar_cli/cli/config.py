"""`radar config`: read, change and check the settings."""

import os
import sys
from typing import Annotated, Any, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.groups import Group
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Result, Table
from radar_cli.core import exits
from radar_cli.core.errors import ConfigError, UsageError
from radar_cli.core.places import state_directory, system_config_file, user_config_file
from radar_cli.core.shapes import one_of
from radar_cli.settings.channels import (
    CHANNEL_SETTINGS,
    LIST_KINDS,
    read_channel_value,
    read_channels,
)
from radar_cli.settings.check import check as find_problems
from radar_cli.settings.check import check_readable, check_value, find_places
from radar_cli.settings.editing import NotFoundError, locked, save_edit, set_value, unset_value
from radar_cli.settings.files import read_file
from radar_cli.settings.keys import (
    Key,
    effective_value,
    masked_value,
    or_null,
    parse_key,
    written_value,
)
from radar_cli.settings.profiles import Config, load
from radar_cli.settings.table import CONNECTION, DEFAULT_PROFILE, SETTINGS, Known, Setting


class SettingFields(TypedDict):
    """A setting that is in force; secrets are hidden, unless somebody asks for them."""

    key: str
    value: Any
    origin: str


class WrittenFields(TypedDict):
    """A change of a config file; `rewritten` is whether all of it had to be written anew."""

    key: str
    file: str
    rewritten: bool


class PathFields(TypedDict):
    """A file or folder that radar looks at; `named_by` is the variable that names it."""

    kind: Annotated[str, one_of(["user", "system", "state"])]
    path: str
    exists: bool
    used: bool
    problem: str | None
    named_by: str | None


class ProblemFields(TypedDict):
    """A mistake in a config file or the environment."""

    file: str
    line: int | None
    message: str
    hint: str


class ProblemsFields(TypedDict):
    """All mistakes in the settings."""

    problems: list[ProblemFields]


class NotSetError(ConfigError):
    """A setting that is to be removed and isn't there."""

    slug = "not-set"
    exit_code = exits.BAD


class ProblemsError(ConfigError):
    """The end of `radar config check` when there is something to edit."""

    slug = "config-problems"


@click.group(cls=Group, name="config")
@common_options
def command() -> None:
    """Read, change and check the settings.

    A flag wins over the environment, that over your config file, that over the system's.
    """


@command.command(name="list")
@click.option("--show-origin", is_flag=True, help="Say where each value comes from.")
@click.option("--show-secrets", is_flag=True, help="Print keys as they are.")
@list_options
@answers(list[SettingFields])
@pass_session
def list_settings(session: Session, show_origin: bool, show_secrets: bool) -> Result:
    """Print every setting of the profile in use, and those of the channels."""
    config = session.load_config()
    profile = config.resolve(
        session.profile, explicit=session.profile is not None, flags=session.flags()
    )
    found: list[tuple[str, Known, Setting]] = []
    for name, known in SETTINGS.items():
        if name == "profile":
            setting = Setting(profile.name, config.default_profile().origin)
            if session.profile is not None:
                setting = Setting(profile.name, "option --profile")
        else:
            setting = profile.setting(name)
        found.append((name, known, setting))
    found += [
        (f"notify.{table.name}.{name}", CHANNEL_SETTINGS[name], Setting(value, table.file.path))
        for table in read_channels(config)
        for name, value in table.values.items()
    ]
    rows, data = [], list[SettingFields]()
    for name, known, setting in found:
        value = effective_value(known, setting)
        if not show_secrets:
            value = masked_value(known, value)
        rows.append(
            (name, written_value(known, value, ", "), *([setting.origin] if show_origin else []))
        )
        data.append({"key": name, "value": or_null(value), "origin": setting.origin})
    columns = ("key", "value", *(["origin"] if show_origin else []))
    return Result(data, Table(columns, rows))


@command.command(name="get")
@click.argument("key")
@common_options
@answers(SettingFields)
@pass_session
def get_setting(session: Session, key: str) -> Result:
    """Print the value of KEY that is in force; exit 1 if it has none.

    KEY is a setting, like server, profiles.work.server or notify.chat.webhook.
    """
    parsed = parse_key(key, session.profile)
    known = _one_setting(key, parsed)
    config = session.load_config()
    if parsed.channel is not None:
        setting = _find_in_channel(parsed.channel, known, config)
    elif known.name == "profile":
        setting = config.default_profile()
    else:
        setting = config.resolve(
            parsed.profile, explicit=parsed.profile is not None, flags=session.flags()
        ).setting(known.name)
    value = effective_value(known, setting)
    if parsed.header is not None:
        value = value.get(parsed.header) if isinstance(value, dict) else None
    text = written_value(known, value)
    data: SettingFields = {"key": parsed.text, "value": or_null(value), "origin": setting.origin}
    return Result(data, text=text, exit_code=exits.OK if text else exits.BAD)


@command.command(name="set")
@click.argument("key")
@click.argument("values", metavar="VALUE...", nargs=-1, required=True)
@click.option("--system", is_flag=True, help="Write the system's config file.")
@common_options
@answers(WrittenFields)
@pass_session
def set_setting(session: Session, key: str, values: tuple[str, ...], system: bool) -> Result:
    """Write VALUE into your config file; comments and order stay.

    A VALUE of - is read from stdin, so that a key stays out of the shell's history.
    redact takes several, and so do the lists of a channel.
    """
    parsed = parse_key(key, session.profile)
    known = _one_setting(key, parsed)
    if values == ("-",):
        values = (read_stdin(known),)
    raw = to_toml(parsed, known, values)
    path = _target(system=system)
    mode = 0o644 if system and known.kind not in SECRET_KINDS else 0o600
    with locked(path) as real:
        file = read_file(real)
        text = file.text if file else ""
        try:
            edit = set_value(text, parsed.path, raw)
        except ValueError as error:
            raise ConfigError(f"{path}: {error}", "edit the file by hand") from None
        notes = save_edit(real, text, edit, mode)
    notes += _check_effect(parsed, known, path)
    data: WrittenFields = {"key": parsed.text, "file": path, "rewritten": edit.is_rewritten}
    return Result(data, text=f"{parsed.text} set in {path}", notes=tuple(notes))


@command.command(name="unset")
@click.argument("key")
@click.option("--system", is_flag=True, help="Write the system's config file.")
@common_options
@answers(WrittenFields)
@pass_session
def unset_setting(session: Session, key: str, system: bool) -> Result:
    """Remove KEY, or a whole profile or channel, from your config file."""
    parsed = parse_key(key, session.profile)
    path = _target(system=system)
    if not parsed.path:
        raise UsageError("the default profile can't be removed", f"remove {path} instead")
    with locked(path) as real:
        file = read_file(real)
        try:
            edit = unset_value(file.text if file else "", parsed.path)
        except NotFoundError:
            hint = "'radar config list --show-origin' says where values come from"
            raise NotSetError(f"{parsed.text} is not set in {path}", hint) from None
        notes = save_edit(real, file.text if file else "", edit, 0o600)
    data: WrittenFields = {"key": parsed.text, "file": path, "rewritten": edit.is_rewritten}
    return Result(data, text=f"{parsed.text} removed from {path}", notes=tuple(notes))


@command.command(name="path")
@list_options
@answers(list[PathFields])
@pass_session
def show_paths(_: Session) -> Result:
    """Print which files radar looks at, and whether it uses them."""
    data: list[PathFields] = [
        {
            "kind": place.kind,
            "path": place.path,
            "exists": place.exists,
            "used": place.is_used,
            "problem": place.error.message if place.error else None,
            "named_by": place.named_by or None,
        }
        for place in find_places(os.environ)
    ]
    directory = state_directory(os.environ)
    exists = os.path.isdir(directory)
    named_by = "RADAR_STATE_DIR" if os.environ.get("RADAR_STATE_DIR") else None
    data.append(
        {
            "kind": "state",
            "path": directory,
            "exists": exists,
            "used": exists,
            "problem": None,
            "named_by": named_by,
        }
    )
    rows = [
        (
            entry["kind"],
            entry["path"],
            entry["problem"] or ("used" if entry["used"] else "missing"),
            entry["named_by"],
        )
        for entry in data
    ]
    return Result(data, Table(("kind", "path", "state", "named by"), rows))


@command.command(name="check")
@common_options
@answers(ProblemsFields)
@pass_session
def check_settings(_: Session) -> Result:
    """Look for mistakes in both config files and the environment; exit 2 if there are any."""
    findings = find_problems(os.environ)
    data: ProblemsFields = {
        "problems": [
            {
                "file": finding.file,
                "line": finding.line or None,
                "message": finding.message,
                "hint": finding.hint,
            }
            for finding in findings
        ]
    }
    if not findings:
        used = [place.path for place in find_places(os.environ) if place.is_used]
        return Result(data, text="\n".join(f"{path}: fine" for path in used) or "fine: no file")
    count = "1 problem" if len(findings) == 1 else f"{len(findings)} problems"
    return Result(
        data,
        text="\n".join(finding.text() for finding in findings),
        failure=ProblemsError(f"{count} in the settings"),
    )


def _one_setting(text: str, key: Key) -> Known:
    """The one setting that a key means. Raises UsageError if it means more."""
    if key.setting is None:
        what = "profile" if key.channel is None else "channel"
        raise UsageError(f"{text!r} is a whole {what}", "name one setting of it")
    return key.setting


def _find_in_channel(name: str, known: Known, config: Config) -> Setting:
    """One setting of a channel, with the file that it comes from."""
    tables = {table.name: table for table in read_channels(config)}
    if name in tables and known.name in tables[name].values:
        return Setting(tables[name].values[known.name], tables[name].file.path)
    return Setting("")


def _target(*, system: bool) -> str:
    return (system_config_file if system else user_config_file)(os.environ)


def _check_effect(key: Key, known: Known, path: str) -> list[str]:
    """Return what keeps a value that was just set from having an effect, or makes it unsafe."""
    config = load(os.environ)
    notes = []
    if key.channel is not None:
        setting = _find_in_channel(key.channel, known, config)
    elif known.name == "profile":
        setting = config.default_profile()
    else:
        profile = config.resolve(key.profile or DEFAULT_PROFILE, explicit=key.profile is not None)
        if known.name in CONNECTION:
            notes = profile.notes
        setting = profile.setting(known.name)
    notes = [*(problem.line() for problem in config.problems if problem.file == path), *notes]
    if setting.origin.startswith("environment ") or (
        setting.origin not in (path, "default") and setting.value
    ):
        notes.append(f"{setting.origin} overrides it")
    return notes


# Ordinary settings of the system are for all of its users; these never are.
SECRET_KINDS = ("secret", "phrase", "services", "webhook", "headers")


def read_stdin(known: Known) -> str:
    """Return the value on stdin, or ask a person for it without showing it."""
    if sys.stdin is None:
        raise UsageError("stdin is closed", "pipe the value into it")
    if sys.stdin.isatty():
        return str(click.prompt(known.name, hide_input=known.kind in SECRET_KINDS, err=True))
    return sys.stdin.read(65536).rstrip("\r\n")


def to_toml(key: Key, known: Known, values: tuple[str, ...]) -> Any:
    """Return what to write into the file. Raises UsageError for a value that won't work."""
    value = values[0]
    raw: Any = value
    takes_several = known.kind == "regexes" or known.kind in LIST_KINDS
    if len(values) > 1 and not takes_several:
        raise UsageError(f"{key.text!r} takes one value, not {len(values)}", "quote it")
    if takes_several:
        raw = list(values)
    elif known.kind == "size" and value.isascii() and value.isdigit():
        raw = int(value)
    elif known.kind == "path" and value and not value.startswith("~/"):
        # In the file a relative path would begin at the file.
        raw = os.path.abspath(value)
    elif known.kind == "headers" and key.header is None:
        raise UsageError("headers are set one by one", f"radar config set {key.text}.NAME VALUE")
    if known.kind == "words" and "/" in value and not value.startswith("~/"):
        raw[0] = os.path.abspath(value)
    try:
        _check(key, known, raw if key.header is None else {key.header: value})
    except ValueError as error:
        raise UsageError(str(error)) from None
    if known.name == "profile":
        load(os.environ).resolve(value, explicit=True)
    return raw


def _check(key: Key, known: Known, raw: Any) -> None:
    """Raise ValueError if a value wouldn't work."""
    checked = os.path.expanduser(raw) if known.kind == "path" else raw
    if key.channel is None:
        check_value(known, checked)
        return
    read_channel_value(known, raw)
    if known.kind == "path":
        check_readable(known, checked)
