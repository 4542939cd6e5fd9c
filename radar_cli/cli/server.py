"""`radar server`: the embedded server, and `radar server keys`."""

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Callable

import click

from radar_cli.api.wire import iso
from radar_cli.cli.groups import Group
from radar_cli.cli.local import retention_of
from radar_cli.cli.notify import load_channels
from radar_cli.cli.options import AnyFunction, Session, common_options, list_options, pass_session
from radar_cli.cli.render import Result, Table, complain
from radar_cli.core.errors import NotInstalledError, UsageError
from radar_cli.core.extras import install_command
from radar_cli.core.grammar import parse_duration, parse_size
from radar_cli.core.places import state_directory

if TYPE_CHECKING:
    from radar_cli.server.settings import ServerSettings
    from radar_cli.store.store import Store


def _database_option(function: AnyFunction) -> AnyFunction:
    option: Callable[[AnyFunction], AnyFunction] = click.option(
        "--database",
        metavar="URL",
        default=lambda: os.environ.get("RADAR_DATABASE", ""),
        help="postgresql://..., instead of the store on this machine.",
    )
    return option(function)


@click.group(cls=Group, name="server", invoke_without_command=True)
@click.option(
    "--bind",
    metavar="HOST:PORT",
    default="127.0.0.1:8321",
    show_default=True,
    help="Where to listen.",
)
@_database_option
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
@common_options
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
    settings = _read_settings(given, profile.tz)
    channels = load_channels(config)
    store = serving.open_store(settings)
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
    type=click.Choice(("ping", "read", "admin")),
    default="ping",
    show_default=True,
    help="What it may do.",
)
@click.option("--monitor", metavar="GLOB", default="*", show_default=True, help="Only for these.")
@click.option("--name", metavar="NAME", default="", help="What it is for.")
@_database_option
@common_options
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
    from radar_cli.server.keys import Keys

    if len(name) > 200 or not name.isprintable() or len(monitor) > 200:
        raise UsageError("a key's name and pattern have at most 200 printable characters")
    with _open(context, database) as store:
        key = Keys(store.database).create(_now_us(), scope=scope, monitors=monitor, name=name)
    return Result({"key": key, "scope": scope, "monitors": monitor, "name": name}, text=key)


@keys.command(name="list")
@_database_option
@list_options
@pass_session
@click.pass_context
def list_keys(context: click.Context, session: Session, database: str) -> Result:
    """Print every key, without its secret."""
    del session
    from radar_cli.server.keys import Keys

    with _open(context, database) as store:
        known = Keys(store.database).list()
    data = [
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
@_database_option
@common_options
@pass_session
@click.pass_context
def revoke_key(context: click.Context, session: Session, key_id: str, database: str) -> Result:
    """Take a key out of use for good; servers notice within 5 s."""
    del session
    from radar_cli.server.keys import Keys

    with _open(context, database) as store:
        if not Keys(store.database).revoke(key_id, _now_us()):
            raise UsageError(f"no key {key_id[:60]!r} is in use", "see 'radar server keys list'")
    return Result({"revoked": key_id}, text=f"{key_id} revoked")


def _open(context: click.Context, database: str) -> "Store":
    from radar_cli.store.opening import open_database, open_embedded

    url = database or context.meta.get("database", "")
    return open_database(url) if url else open_embedded(state_directory(os.environ))


def _import_server() -> Any:
    try:
        from radar_cli.server import serving
    except ModuleNotFoundError as error:
        raise NotInstalledError(
            f"the server needs {error.name}", install_command("server")
        ) from None
    return serving


def _read_settings(given: dict[str, Any], tz: str) -> "ServerSettings":
    from radar_cli.server.settings import ServerSettings

    host, port = _read_bind(given["bind"])
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
    except ValueError as error:
        message, _, hint = str(error).partition(": ")
        raise UsageError(message, hint) from None
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
        rate_limit=given["rate_limit"],
        limits_loopback=given["limit_loopback"],
        body_limit_bytes=body_limit,
        monitors_per_key=given["monitor_limit"],
        remind_every_s=remind_s,
        tz=tz,
    )


def _read_bind(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (host and port.isdigit() and 0 <= int(port) < 65536):
        raise UsageError(f"--bind: bad address {text[:60]!r}", "HOST:PORT, as in 127.0.0.1:8321")
    return host, int(port)


def _welcome(store: "Store", settings: "ServerSettings", channels: int) -> None:
    """Say where it serves and, at the first start, what to do next."""
    from radar_cli.server.keys import Keys
    from radar_cli.server.limits import is_loopback
    from radar_cli.server.serving import show_first_key

    known = Keys(store.database)
    lines = [f"serving {store.place} at {settings.url}"]
    # Of several servers that are first started on one database, one shows it.
    if words := known.create_first(
        _now_us(), lambda key: show_first_key(key, settings.state_directory)
    ):
        lines.append(words)
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
    if not channels:
        lines.append("nobody is told of anything yet: see 'radar notify'")
    for line in lines:
        complain(line)
    sys.stderr.flush()


def _now_us() -> int:
    return time.time_ns() // 1000
