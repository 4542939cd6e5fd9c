"""`radar server`: the embedded server, and `radar server keys`."""

import os
import pwd
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import click
from click.core import ParameterSource

from radar_cli.cli.answers import answers
from radar_cli.cli.backup import database_option
from radar_cli.cli.groups import Group
from radar_cli.cli.notify import load_channels
from radar_cli.cli.opening import retention_of
from radar_cli.cli.options import (
    Session,
    common_options,
    list_options,
    pass_session,
    read_address,
)
from radar_cli.cli.render import Result, Table
from radar_cli.client.wire import iso
from radar_cli.core.errors import BadValueError, NotInstalledError, UsageError
from radar_cli.core.extras import install_command
from radar_cli.core.grammar import parse_duration, parse_size
from radar_cli.core.places import state_directory, user_config_file
from radar_cli.core.shapes import Moment, one_of
from radar_cli.settings.channels import read_channels
from radar_cli.settings.secrets import read_secret
from radar_cli.settings.table import Setting

if TYPE_CHECKING:
    from radar_cli.server.runtime.beacon import Watcher
    from radar_cli.server.runtime.settings import ServerSettings
    from radar_cli.settings.channels import ChannelTable
    from radar_cli.settings.profiles import Config, Profile
    from radar_cli.store.store import Store

_SCOPES = ("ping", "read", "admin")


class UnitFields(TypedDict):
    """A systemd unit."""

    unit: str


class NewKeyFields(TypedDict):
    """A key that was made; nobody can read it again."""

    key: str
    scope: Annotated[str, one_of(_SCOPES)]
    monitors: str
    name: str


class KeyFields(TypedDict):
    """A key without its secret."""

    id: str
    name: str
    scope: Annotated[str, one_of(_SCOPES)]
    monitors: str
    created_at: Moment | None
    revoked_at: Moment | None


class RevokedFields(TypedDict):
    """The id of a key that is out of use."""

    revoked: str


@click.group(cls=Group, name="server", invoke_without_command=True)
@click.option(
    "--bind",
    metavar="HOST:PORT",
    default="127.0.0.1:8321",
    show_default=True,
    help="Where to listen.",
)
@database_option
@click.option("--tls-cert", metavar="FILE", default="", help="Serve https with this certificate.")
@click.option("--tls-key", metavar="FILE", default="", help="Its private key.")
@click.option("--root-path", metavar="PATH", default="", help="What a proxy puts before paths.")
@click.option("--public-url", metavar="URL", default="", help="The server as people reach it.")
@click.option(
    "--allowed-host", "allowed_hosts", metavar="NAME", multiple=True, help="A Host to answer to."
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    metavar="ADDRESS",
    multiple=True,
    help="A proxy whose forwarded headers count.",
)
@click.option(
    "--access-log", metavar="FILE", default="", help="A line of JSON a request; - stdout."
)
@click.option(
    "--log-level",
    type=click.Choice(("debug", "info", "warning", "error")),
    default="info",
    show_default=True,
    help="The least important messages that stderr gets.",
)
@click.option(
    "--log-format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How.",
)
@click.option(
    "--rate-limit", metavar="N", default=1000, show_default=True, help="Requests a minute; 0: any."
)
@click.option("--limit-loopback", is_flag=True, help="Limit clients on this machine, too.")
@click.option(
    "--body-limit",
    metavar="BYTES",
    default="100k",
    show_default=True,
    help="How much of an output to keep.",
)
@click.option(
    "--monitor-limit",
    metavar="N",
    default=10_000,
    show_default=True,
    help="Monitors that a ping key may make; 0: any.",
)
@click.option("--remind", metavar="DURATION", default="", help="Tell again of what is still down.")
@click.option(
    "--ping",
    "pings",
    metavar="URL",
    multiple=True,
    default=lambda: tuple(os.environ.get("RADAR_SERVER_PING", "").split()),
    help="A ping URL of another server, which watches over this one; or file:PATH.",
)
@click.option(
    "--ping-every", metavar="DURATION", default="1m", show_default=True, help="How often."
)
@click.option(
    "--celery-broker",
    metavar="URL",
    default=lambda: os.environ.get("RADAR_SERVER_CELERY_BROKER", ""),
    help="Let admin keys control the workers and tasks of this broker; or file:PATH.",
)
@click.option("--print-unit", is_flag=True, help="Print a systemd unit that serves so, and exit.")
@common_options
@answers(UnitFields)
@pass_session
@click.pass_context
def command(context: click.Context, session: Session, /, **given: Any) -> Result | int | None:
    """Serve this machine's store, or a PostgreSQL, to other machines and to browsers.

    Without a subcommand it serves until it is stopped. At its first start it shows an admin key,
    once.
    """
    context.obj = session
    if context.invoked_subcommand is not None:
        context.meta["database"] = given["database"]
        return None
    serving = _import_server()
    config = session.load_config()
    profile = config.resolve(session.profile, explicit=session.profile is not None)
    settings = _read_settings(given, profile)
    if given["print_unit"]:
        unit = _make_unit(context, session, settings, config)
        return Result(UnitFields(unit=unit), text=unit.rstrip("\n"))
    channels = load_channels(config)
    with serving.held(settings), serving.logged(settings):
        store = serving.open_for(settings)
        _welcome(store, settings, len(channels))
        code: int = serving.serve(store, settings, channels, retention_of(profile))
    return code


@command.group(cls=Group, name="keys")
@common_options
def keys() -> None:
    """Create, list and revoke the server's API keys."""


@keys.command(name="create")
@click.option(
    "--scope",
    type=click.Choice(_SCOPES),
    default="ping",
    show_default=True,
    help="What it may do.",
)
@click.option("--monitor", metavar="GLOB", default="*", show_default=True, help="Only for these.")
@click.option("--name", metavar="NAME", default="", help="What it is for.")
@database_option
@common_options
@answers(NewKeyFields)
@pass_session
@click.pass_context
def create_key(
    context: click.Context,
    session: Session,
    scope: str,
    monitor: str,
    name: str,
    database: str,
) -> Result:
    """Create a key and print it, once: nobody can read it again."""
    del session
    from radar_cli.server.runtime.keys import Keys, check_new

    try:
        check_new(scope, monitor, name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    with _open(context, database) as store:
        key = Keys(store.database).create(_now_us(), scope=scope, monitors=monitor, name=name)
    data: NewKeyFields = {"key": key, "scope": scope, "monitors": monitor, "name": name}
    return Result(data, text=key)


@keys.command(name="list")
@database_option
@list_options
@answers(list[KeyFields])
@pass_session
@click.pass_context
def list_keys(context: click.Context, session: Session, database: str) -> Result:
    """Print every key, without its secret."""
    del session
    from radar_cli.server.runtime.keys import Keys

    with _open(context, database) as store:
        known = Keys(store.database).list()
    data: list[KeyFields] = [
        {
            "id": key.id,
            "name": key.name,
            "scope": key.scope,
            "monitors": key.monitors,
            "created_at": iso(key.created_us),
            "revoked_at": iso(key.revoked_us),
        }
        for key in known
    ]
    rows = [tuple(entry.values()) for entry in data]
    columns = ("id", "name", "scope", "monitors", "created", "revoked")
    return Result(data, Table(columns, rows, "no keys yet: try 'radar server keys create'"))


@keys.command(name="revoke")
@click.argument("key_id", metavar="ID")
@database_option
@common_options
@answers(RevokedFields)
@pass_session
@click.pass_context
def revoke_key(context: click.Context, session: Session, key_id: str, database: str) -> Result:
    """Take a key out of use for good, and at once: in every server, and on every page."""
    del session
    from radar_cli.server.runtime.keys import Keys

    with _open(context, database) as store:
        if not Keys(store.database).revoke(key_id, _now_us()):
            raise UsageError(f"no key {key_id[:60]!r} is in use", "see 'radar server keys list'")
    return Result(RevokedFields(revoked=key_id), text=f"{key_id} revoked")


def _open(context: click.Context, database: str) -> "Store":
    from radar_cli.store.opening import open_store

    return open_store(database or context.meta.get("database", ""), state_directory(os.environ))


# What matters to a server of what the environment may say.
_VARIABLES = (
    *("RADAR_TZ", "RADAR_PROFILE", "RADAR_KEEP_PINGS", "RADAR_KEEP_PINGS_FOR"),
    *("RADAR_KEEP_OUTPUTS", "RADAR_KEEP_OUTPUTS_FOR"),
)
_FILES = ("--tls-cert", "--tls-key", "--access-log")


def _make_unit(
    context: click.Context, session: Session, settings: "ServerSettings", config: "Config"
) -> str:
    from radar_cli.server.runtime.unit import Unit
    from radar_cli.store.database import without_password
    from radar_cli.store.opening import store_file

    url, directory = settings.database, os.path.abspath(settings.state_directory)
    environment = {name: os.environ[name] for name in _VARIABLES if os.environ.get(name)}
    if directory != state_directory({}):
        environment["RADAR_STATE_DIR"] = directory
    if user_config_file(os.environ) != user_config_file({}):
        environment["RADAR_CONFIG"] = os.path.abspath(user_config_file(os.environ))
    file = store_file(url, directory)
    secrets = [] if file or without_password(url) == url else ["RADAR_DATABASE"]
    words = _find_command_line(context)
    if any(not each.startswith("file:") for each in context.params["pings"]):
        secrets.append("RADAR_SERVER_PING")
    elif "--ping" not in words:
        words += [each for ping in context.params["pings"] for each in ("--ping", ping)]
    broker = context.params["celery_broker"]
    if broker.startswith("file:"):
        words += ["--celery-broker", broker]
    elif broker:
        secrets.append("RADAR_SERVER_CELERY_BROKER")
    if url and "RADAR_DATABASE" not in secrets:
        words += ["--database", url]
    if session.profile:
        words += ["--profile", session.profile]
    folders = [os.path.dirname(file)] if url and file else []
    if settings.access_log not in ("", "-"):
        folders.append(os.path.dirname(os.path.abspath(settings.access_log)))
    name = os.path.abspath(sys.argv[0])
    is_module = name.endswith(".py")
    return Unit(
        program=(sys.executable, "-m", "radar_cli") if is_module else (name,),
        words=["server", *words],
        state_directory=directory,
        user="" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name,
        port=settings.port,
        written=folders,
        read=[
            sys.prefix,
            *filter(os.path.exists, (os.path.abspath(user_config_file(os.environ)),)),
            *(os.path.abspath(path) for path in (settings.tls_cert, settings.tls_key) if path),
        ],
        environment=environment,
        secrets=secrets,
        is_on_postgresql=not file,
        starts_programs=any(_starts_programs(table) for table in read_channels(config)),
    ).text()


def _find_command_line(context: click.Context) -> list[str]:
    """The options of the command line, but for those of which the unit has a form of its own."""
    words: list[str] = []
    for param in context.command.params:
        source = context.get_parameter_source(str(param.name))
        if source is not ParameterSource.COMMANDLINE or not param.expose_value:
            continue
        flag, value = param.opts[-1], context.params[str(param.name)]
        if flag in ("--print-unit", "--database", "--celery-broker"):
            continue
        if isinstance(param, click.Option) and param.is_flag:
            words.append(flag)
        elif isinstance(value, tuple):
            for each in value:
                if flag != "--ping" or each.startswith("file:"):
                    words += [flag, each]
        elif flag in _FILES and value != "-":
            words += [flag, os.path.abspath(value)]
        else:
            words += [flag, str(value)]
    return words


def _starts_programs(table: "ChannelTable") -> bool:
    values = table.values
    return (
        table.kind == "command"
        or (table.kind == "email" and "smtp" not in values)
        or any(str(value).startswith("cmd:") for value in values.values())
    )


def _import_server() -> Any:
    try:
        from radar_cli.server import serving
    except ModuleNotFoundError as error:
        raise NotInstalledError(
            f"the server needs {error.name}", install_command("server")
        ) from None
    return serving


def _read_settings(given: dict[str, Any], profile: "Profile") -> "ServerSettings":
    from radar_cli.server.runtime.settings import ServerSettings

    host, port = read_address("--bind", given["bind"], "127.0.0.1:8321")
    if bool(given["tls_cert"]) != bool(given["tls_key"]):
        raise UsageError("--tls-cert and --tls-key go together", "give both")
    root_path = given["root_path"].rstrip("/")
    if root_path and not root_path.startswith("/"):
        raise UsageError(f"--root-path: bad path {root_path[:60]!r}", "as in /radar")
    if given["rate_limit"] < 0:
        raise UsageError("--rate-limit: requests a minute", "0 for no limit")
    if given["monitor_limit"] < 0:
        raise UsageError("--monitor-limit: monitors for each ping key", "0 for no limit")
    try:
        body_limit = parse_size(given["body_limit"])
        remind_s = parse_duration(given["remind"]) if given["remind"] else 0.0
        ping_every_s = parse_duration(given["ping_every"])
    except BadValueError as error:
        raise error.as_usage_error() from None
    return ServerSettings(
        host=host,
        port=port,
        database=given["database"],
        state_directory=state_directory(os.environ),
        tls_cert=given["tls_cert"],
        tls_key=given["tls_key"],
        root_path=root_path,
        public_url=given["public_url"],
        allowed_hosts=given["allowed_hosts"],
        trusted_proxies=given["trusted_proxies"],
        access_log=given["access_log"],
        log_level=given["log_level"],
        log_format=given["log_format"],
        rate_limit=given["rate_limit"],
        limits_loopback=given["limit_loopback"],
        body_limit_bytes=body_limit,
        monitors_per_key=given["monitor_limit"],
        remind_every_s=remind_s,
        tz=profile.tz,
        watchers=tuple(map(_read_watcher, given["pings"])),
        celery_broker=_read_broker(given["celery_broker"]),
        ping_every_s=ping_every_s,
        ca_file=profile.ca_file,
    )


def _read_broker(given: str) -> str:
    """Return a broker's URL, which may hold a password and so may stand in a file."""
    if not given:
        return ""
    setting = Setting(given, "--celery-broker")
    return read_secret(setting, os.environ, [], "the broker's URL")


def _read_watcher(given: str) -> "Watcher":
    """A server that is to watch over this one. Errors never show the URL: it holds a secret."""
    from radar_cli.server.runtime.beacon import Watcher

    url = read_secret(Setting(given, "--ping"), os.environ, [], "the ping URL")
    try:
        return Watcher.parse(url)
    except ValueError as error:
        raise UsageError(f"--ping: {error}", "the monitor's page at the other server has it") from (
            None
        )


def _welcome(store: "Store", settings: "ServerSettings", channels: int) -> None:
    """Say where it serves and, at the first start, what to do next."""
    from radar_cli.server.runtime.keys import Keys
    from radar_cli.server.runtime.limits import is_loopback
    from radar_cli.server.runtime.log import log
    from radar_cli.server.serving import show_first_key

    known = Keys(store.database)
    log.info("serving %s at %s", store.place, settings.url)
    lines: list[str] = []
    if store.loss is not None:
        # Its keys are gone with it: who makes new ones decides that it is to begin anew.
        log.warning("%s", store.loss.line())
    # Of several servers that are first started on one database, one shows it.
    elif known.create_first(_now_us(), lambda key: show_first_key(key, settings.state_directory)):
        lines += [
            f"1. where jobs run:     radar login {settings.url}",
            "2. in front of a job:  radar run backup --schedule '5 2 * * *' -- backup.sh",
            f"3. in a browser:       {settings.url}/",
        ]
        if is_loopback(settings.host) or settings.host == "localhost":
            lines.append(
                "only this machine, and a proxy on it, reach it: "
                f"'--bind 0.0.0.0:{settings.port}' lets others in"
            )
    for line in lines:
        log.info("%s", line)
    if not channels:
        log.warning("no channel is set up, so no notices are sent: see 'radar notify'")


def _now_us() -> int:
    return time.time_ns() // 1000
