"""Opening a broker within bounds, and telling apart why it can't be opened."""

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Mapping

from radar_cli.core import exits
from radar_cli.core.errors import NotInstalledError, RadarError, UsageError
from radar_cli.core.extras import install_command

if TYPE_CHECKING:
    from kombu import Connection

Kind = Literal["redis", "amqp", "other"]

_CONNECT_S = 1.0


class BrokerError(RadarError):
    """A broker that can't be used; `cause` is a word for why."""

    slug = "broker"
    exit_code = exits.UNREACHABLE

    def __init__(self, cause: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.cause = cause


# What servers answer, as it stands somewhere in the text of the library's exception.
_ANSWERS: tuple[tuple[str, str, str, str], ...] = (
    ("WRONGPASS", "password", "it refuses the password", "check user and password in the URL"),
    ("invalid password", "password", "it refuses the password", "check the password in the URL"),
    ("invalid username", "password", "it refuses the password", "check user and password"),
    ("without any password configured", "password", "it knows no password", "leave it out"),
    ("NOAUTH", "password", "it wants a password", "put it into the URL: redis://:PASSWORD@HOST"),
    ("Authentication required", "password", "it wants a password", "put it into the URL"),
    ("already authenticated", "password", "it wants a password", "put it into the URL"),
    ("ACCESS_REFUSED", "password", "it refuses user or password", "check them in the URL"),
    ("Login was refused", "password", "it refuses user or password", "check them in the URL"),
    ("NOPERM", "permission", "its user may not do that", "see Redis's ACLs of that user"),
    ("refused for user", "vhost", "its user may not use that vhost", "rabbitmqctl set_permissions"),
    ("NOT_ALLOWED", "vhost", "it has no such vhost", "see 'rabbitmqctl list_vhosts'"),
    ("out of range", "vhost", "it has no database of that number", "check the end of the URL"),
    ("LOADING", "loading", "it loads its data and serves nobody yet", "wait for it"),
    ("MISCONF", "disk", "it takes no writes, as it can't save", "see the disk that Redis saves to"),
    ("maxmemory", "memory", "it takes no writes: its memory is full", "see its maxmemory"),
    ("READONLY", "replica", "it is a replica, which takes no writes", "use the primary's address"),
    ("max number of clients", "clients", "it has too many clients", "see its maxclients"),
    ("Protocol Error", "protocol", "what answers there is no Redis", "check host and port"),
    ("wrong version number", "tls", "it doesn't speak TLS there", "use the scheme without s"),
)
_HANG_HINT = "it may be stopped or overloaded, or something else listens there"


@dataclass(frozen=True, slots=True)
class Broker:
    """An open connection and what is known of it; `shown` is its URL without the password."""

    connection: "Connection"
    kind: Kind
    shown: str
    connect_s: float
    key_prefix: str = ""  # of all keys in Redis
    exchange: str = "celery"  # of remote control


def load_driver(url: str) -> None:
    """Import what a broker needs, before anybody's time runs. Raises UsageError.

    That a machine is slow to start Python isn't its broker's fault.
    """
    _make(url, _CONNECT_S, {}, None)


def open_broker(
    url: str,
    *,
    timeout_s: float = 5.0,
    options: Mapping[str, Any] | None = None,
    use_ssl: Any = None,
    exchange: str = "celery",
) -> Broker:
    """Connect, log in and open a channel; nothing is retried.

    `options` are Celery's broker_transport_options. Raises BrokerError, or UsageError for a URL
    that can't be one.
    """
    connection = _make(url, timeout_s, dict(options or {}), use_ssl)
    kind = kind_of(connection)
    shown = without_password(url)
    started = time.monotonic()
    try:
        # Each host of a failover URL once. connect() would try each twice, 2 s apart.
        hosts = url.count(";") + 1
        connection.ensure_connection(max_retries=hosts - 1, interval_start=0, interval_step=0)
        _ = connection.default_channel
    except Exception as error:
        raise explain(error, shown, _address(connection)) from error
    return Broker(
        connection,
        kind,
        shown,
        time.monotonic() - started,
        str(connection.transport_options.get("global_keyprefix", "")),
        exchange,
    )


def _make(url: str, timeout_s: float, options: dict[str, Any], use_ssl: Any) -> "Connection":
    """The connection, which connects nowhere yet."""
    try:
        from kombu import Connection
    except ModuleNotFoundError as error:
        raise NotInstalledError(
            f"radar celery needs {error.name}", install_command("celery")
        ) from None
    bounded_s = min(timeout_s, 3.0)
    connect_s = min(timeout_s, _CONNECT_S)
    scheme = url.partition("://")[0].partition("+")[0].lower()
    if scheme in ("redis", "rediss", "sentinel"):
        options |= {
            "socket_timeout": bounded_s,
            "socket_connect_timeout": connect_s,
            "retry_on_timeout": False,
            "health_check_interval": 0,
        }
    elif scheme in ("amqp", "amqps", "pyamqp"):
        options |= {"read_timeout": bounded_s, "write_timeout": bounded_s}
    if "://" not in url:
        raise UsageError(f"bad broker {url[:60]!r}", "a URL, as in redis://localhost:6379/0")
    try:
        connection = Connection(
            url, connect_timeout=connect_s, transport_options=options, ssl=use_ssl or False
        )
        _ = connection.transport
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"bad broker with scheme {scheme[:20]!r}: {str(error)[:100]}",
            "a URL, as in redis://localhost:6379/0 or amqp://user:password@host/vhost",
        ) from None
    except ImportError as error:
        missing = error.name or scheme
        raise NotInstalledError(f"that broker needs {missing}", f"pip install {missing}") from None
    return connection


def without_password(url: str) -> str:
    """The URL as it may be shown; of several, as for failover, the first."""
    scheme, _, rest = url.partition(";")[0].partition("://")
    # The last @, whatever an unquoted password holds.
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{scheme}://{user}{colon and ':***'}{at}{place.partition('?')[0]}"


def kind_of(connection: "Connection") -> Kind:
    """Name the kind of broker."""
    driver = str(getattr(connection.transport, "driver_type", ""))
    return "redis" if driver == "redis" else "amqp" if driver == "amqp" else "other"


def explain(error: BaseException, shown: str, address: tuple[str, int] | None) -> BrokerError:
    """Explain why a broker can't be used, from the exception of whatever library it came from."""
    chain = list(_chain(error))
    texts = " / ".join(str(each) for each in chain)
    for needle, cause, said, hint in _ANSWERS:
        if needle.lower() in texts.lower():
            return BrokerError(cause, f"{shown}: {said}", hint)
    for each in chain:
        if isinstance(each, socket.gaierror):
            host = address[0] if address else "the host"
            return BrokerError("dns", f"{shown}: no address for {host}", "check the name, and DNS")
        if isinstance(each, ssl.SSLError):
            return BrokerError("tls", f"{shown}: TLS fails: {each.reason or each}")
        if isinstance(each, ConnectionRefusedError):
            hint = "start the broker, or check host and port"
            return BrokerError("refused", f"{shown}: connection refused", hint)
        if isinstance(each, FileNotFoundError):
            return BrokerError("refused", f"{shown}: no such socket", "start the broker")
    if any(isinstance(each, TimeoutError) or "Timeout" in type(each).__name__ for each in chain):
        return _explain_timeout(shown, address)
    for each in chain:
        if isinstance(each, (ConnectionError, EOFError)) or "closed by server" in str(each):
            hint = "something between here and there ends connections, or the broker is going down"
            return BrokerError("dropped", f"{shown}: the connection was dropped", hint)
    root = chain[-1]
    words = str(root).splitlines()[0][:200] if str(root) else type(root).__name__
    return BrokerError("error", f"{shown}: {words}")


def _explain_timeout(shown: str, address: tuple[str, int] | None) -> BrokerError:
    """Whether nobody is there or somebody hangs: both look alike to the libraries."""
    if address is not None:
        try:
            socket.create_connection(address, timeout=0.5).close()
        except OSError:
            hint = "a firewall drops packets, or the host is down"
            return BrokerError("unreachable", f"{shown}: no connection in time", hint)
    return BrokerError("hang", f"{shown}: accepts connections and doesn't answer", _HANG_HINT)


def _address(connection: "Connection") -> tuple[str, int] | None:
    port = connection.port or getattr(connection.transport, "default_port", None)
    return (connection.hostname or "localhost", int(port)) if port else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it came from, outermost first."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__
