"""`radar login`: check a key at its server, and keep both in the config file."""

import os
import stat
import sys
from typing import TYPE_CHECKING, Annotated, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result
from radar_cli.core.errors import ConfigError, UsageError
from radar_cli.core.places import user_config_file
from radar_cli.core.shapes import one_of
from radar_cli.settings.editing import Edit, locked, save_edit, set_value
from radar_cli.settings.files import read_file
from radar_cli.settings.keys import parse_key
from radar_cli.settings.profiles import load
from radar_cli.settings.table import DEFAULT_PROFILE
from radar_cli.settings.values import check_server, default_protocol

if TYPE_CHECKING:
    from radar_cli.settings.profiles import Profile

_KEY_MAX = 1000


class LoginFields(TypedDict):
    """A key that was kept; `scope` is null where the server has no way to ask for it."""

    server: str
    profile: str
    scope: Annotated[str, one_of(["ping", "read", "admin"])] | None
    monitors: str | None
    version: str | None
    file: str


@click.command(name="login")
@click.argument("url", metavar="[URL]", required=False)
@click.option("--key", "source", metavar="-", help="Read the key from stdin, and don't ask.")
@common_options
@answers(LoginFields)
@pass_session
def command(session: Session, url: str | None, source: str | None) -> Result:
    """Check a key at a server, and use both from now on.

    The key is asked for, if RADAR_API_KEY doesn't have it. Server and key go into your config
    file, which only you can read then: as the default, or as the profile that --profile names.
    """
    config = session.load_config()
    name = session.profile
    known = name if name in config.profile_names() else None
    current = config.resolve(known, explicit=known is not None, flags=session.flags())
    server = _read_server(url or current.server)
    profile = config.resolve(known, explicit=known is not None, flags={"server": server})
    key = _read_key(source)
    path = user_config_file(os.environ)
    data: LoginFields = {
        "server": server,
        "profile": name or DEFAULT_PROFILE,
        "scope": None,
        "monitors": None,
        "version": None,
        "file": path,
    }
    if default_protocol(server) == "cronradar":
        state = "not checked: CronRadar has no way to ask"
    else:
        state = _check(server, key, profile, data)
    notes = _save(path, name, {"server": server, "api_key": key})
    text = f"{server}: {state}\nkept in {path}" + (f" as profile {name}" if name else "")
    return Result(data, text=text, notes=tuple(notes))


def _read_server(url: str) -> str:
    try:
        server = check_server(url)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not server:
        raise UsageError("no server is named", "as in 'radar login https://radar.example.com'")
    return server


def _read_key(source: str | None) -> str:
    """The key from stdin, from the environment, or from the person."""
    if source not in (None, "-"):
        raise UsageError("--key: others can see what stands here", "'--key -' reads it from stdin")
    key = os.environ.get("RADAR_API_KEY", "")
    if source == "-":
        key = "" if sys.stdin is None else sys.stdin.read(_KEY_MAX + 1)
    elif not key:
        if sys.stdin is None or not sys.stdin.isatty():
            raise UsageError(
                "nobody can be asked for the key", "'--key -' or RADAR_API_KEY gives it"
            )
        key = str(click.prompt("API key", hide_input=True, err=True))
    key = key.strip()
    is_word = key.isascii() and key.isprintable() and " " not in key
    if not key or not is_word or len(key) > _KEY_MAX:
        raise UsageError("that is no key", "one word of printable ASCII, as in ck_app_...")
    return key


def _check(server: str, key: str, profile: "Profile", data: LoginFields) -> str:
    """Return in words what the key may do, and note it in `data`. RefusedError: nothing."""
    from radar_cli.client.connection import Address, Connection, RefusedError

    connection = Connection(Address(server, key, profile.ca_file, profile.headers))
    try:
        status = connection.get("/api/v1/status")
    except RefusedError as refused:
        if refused.word != "ACCESS_DENIED":
            raise
        # Enough for a machine whose jobs are watched, and for nothing else.
        data["scope"] = "ping"
        return "the key is for pings ('radar status' and the like want one of the scope read)"
    finally:
        connection.close()
    monitors, scope = status["key_monitors"], status["scope"]
    which = "all monitors" if monitors == "*" else f"monitors like {monitors}"
    data["scope"], data["monitors"], data["version"] = scope, monitors, status["version"]
    return f"the key may {_MAY[scope]} {which} (radar {status['version']})"


_MAY = {"read": "read", "admin": "ping, read and change"}


def _save(path: str, profile: str | None, values: dict[str, str]) -> list[str]:
    """Write the settings into the file, and say what keeps them from having an effect."""
    with locked(path) as real:
        file = read_file(real)
        old = text = file.text if file else ""
        is_rewritten = False
        for name, value in values.items():
            try:
                edit = set_value(text, parse_key(name, profile).path, value)
            except ValueError as error:
                raise ConfigError(f"{path}: {error}", "edit the file by hand") from None
            text, is_rewritten = edit.text, is_rewritten or edit.is_rewritten
        notes = save_edit(real, old, Edit(text, is_rewritten), 0o600)
        if stat.S_IMODE(os.stat(real).st_mode) & 0o077:
            os.chmod(real, 0o600)
            notes.append(f"{path} holds a key: only you can read it now")
    found = load(os.environ).resolve(profile, explicit=profile is not None)
    for name, value in values.items():
        setting = found.setting(name)
        if setting.value != value:
            notes.append(f"{name} from {setting.origin} overrides it")
    return notes
