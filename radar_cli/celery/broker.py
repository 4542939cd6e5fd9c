"""Opening a broker within bounds, and telling apart why it can't be opened."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Mapping

from radar_cli.celery.addresses import (
    AMQP_SCHEMES,
    REDIS_SCHEMES,
    check_url,
    explain_bad,
    scheme_of,
    split_failover,
    without_password,
)
from radar_cli.celery.broker_causes import explain
from radar_cli.core.errors import NotInstalledError
from radar_cli.core.extras import install_command

if TYPE_CHECKING:
    from kombu import Connection

Kind = Literal["redis", "amqp", "other"]

_CONNECT_S = 1.0


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
        hosts = len(split_failover(url))
        connection.ensure_connection(max_retries=hosts - 1, interval_start=0, interval_step=0)
        _ = connection.default_channel
    except Exception as error:
        leave(connection)
        raise explain(error, shown, _address(connection), url=url) from error
    return Broker(
        connection,
        kind,
        _shown_of_reached(url, connection),
        time.monotonic() - started,
        str(connection.transport_options.get("global_keyprefix", "")),
        exchange,
    )


def _shown_of_reached(url: str, connection: "Connection") -> str:
    """Return the address that took the connection, of those of a failover URL."""
    for each in split_failover(url):
        place = each.rpartition("@")[2].rpartition("://")[2].partition("/")[0]
        if place == f"{connection.hostname}:{connection.port}":
            return without_password(each)
    return without_password(url)


def leave(connection: "Connection") -> None:
    """Drop a connection, without a word to a broker that may not listen."""
    with suppress(Exception):
        connection.collect(socket_timeout=0.1)


def _make(url: str, timeout_s: float, options: dict[str, Any], use_ssl: Any) -> "Connection":
    """The connection, which connects nowhere yet."""
    try:
        from kombu import Connection
    except ModuleNotFoundError as error:
        raise NotInstalledError(
            f"radar celery needs {error.name}", install_command("celery")
        ) from None
    check_url(url)
    bounded_s = min(timeout_s, 3.0)
    connect_s = min(timeout_s, _CONNECT_S)
    scheme = scheme_of(url)
    if scheme in REDIS_SCHEMES:
        options |= {
            "socket_timeout": bounded_s,
            "socket_connect_timeout": connect_s,
            "retry_on_timeout": False,
            "health_check_interval": 0,
        }
    elif scheme in AMQP_SCHEMES:
        options |= {"read_timeout": bounded_s, "write_timeout": bounded_s}
    try:
        connection = Connection(
            url, connect_timeout=connect_s, transport_options=options, ssl=use_ssl or False
        )
        _ = connection.transport
    except Exception as error:  # noqa: BLE001  (each transport of kombu's raises its own)
        # Not as its cause: what a library says of a URL may hold a part of its password.
        raise explain_bad(url, error) from None
    return connection


def kind_of(connection: "Connection") -> Kind:
    """Name the kind of broker."""
    driver = str(getattr(connection.transport, "driver_type", ""))
    return "redis" if driver == "redis" else "amqp" if driver == "amqp" else "other"


def _address(connection: "Connection") -> tuple[str, int] | None:
    port = connection.port or getattr(connection.transport, "default_port", None)
    return (connection.hostname or "localhost", int(port)) if port else None
