"""Explain why a broker can't be used, from the exception of whatever library it came from.

An exception is told by its class, the outermost first: what the libraries raise while they handle
an error (`pop from empty list`) is no cause. Redis's client takes the code from the text of what
it has a class for, so the text comes second.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

from radar_cli.celery.addresses import AMQP_SCHEMES, REDIS_SCHEMES, hide_password, scheme_of
from radar_cli.core import exits
from radar_cli.core.errors import RadarError

_GREETING_S = 0.5
_HANG_HINT = "it may be stopped or overloaded, or something else listens there"
_PERMISSION_HINT = "give its user the rights that the docs list under 'A user for monitoring'"
_CLUSTER_HINT = "Celery speaks to one Redis: use one without cluster-enabled, or sentinel://"


class BrokerError(RadarError):
    """A broker that can't be used; `cause` is a word for why, `reason` the same in a sentence."""

    slug = "broker"
    exit_code = exits.UNREACHABLE

    def __init__(self, cause: str, broker: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{broker}: {reason}", hint)
        self.cause = cause
        self.broker = broker
        self.reason = reason


_Known = tuple[str, str, str]  # the cause in a word, what it is, a hint
# By the module's first name and the class, of which a subclass may be raised.
_CLASSES: dict[tuple[str, str], _Known] = {
    ("redis", "ReadOnlyError"): (
        *("replica", "it is a replica, which takes no writes"),
        "use the primary's address",
    ),
    ("redis", "BusyLoadingError"): (
        *("loading", "it loads its data and serves nobody yet"),
        "wait for it",
    ),
    ("redis", "NoPermissionError"): ("permission", "its user may not do that", _PERMISSION_HINT),
    ("redis", "ClusterDownError"): ("cluster", "its cluster is down", "see CLUSTER INFO"),
    ("redis", "MovedError"): ("cluster", "it is a node of a Redis Cluster", _CLUSTER_HINT),
    ("redis", "AskError"): ("cluster", "it is a node of a Redis Cluster", _CLUSTER_HINT),
    ("redis", "TryAgainError"): ("cluster", "it is a node of a Redis Cluster", _CLUSTER_HINT),
    ("redis", "ClusterCrossSlotError"): (
        *("cluster", "it is a node of a Redis Cluster"),
        _CLUSTER_HINT,
    ),
    ("redis", "MasterDownError"): (
        *("stale-replica", "it is a replica that has lost its primary"),
        "use the primary's address; see INFO replication there",
    ),
    ("redis", "MasterNotFoundError"): (
        *("no-primary", "its sentinels know no primary of that name, or it is down"),
        "compare master_name in broker_transport_options with SENTINEL MASTERS",
    ),
    ("redis", "SlaveNotFoundError"): ("no-primary", "its sentinels know no replica", ""),
    ("redis", "OutOfMemoryError"): (
        *("memory", "it takes no writes: its memory is full"),
        "see its maxmemory",
    ),
    ("redis", "MaxConnectionsError"): ("clients", "radar's own pool is used up", "ask again"),
    ("redis", "InvalidResponse"): (
        *("protocol", "what answers there is no Redis"),
        "check host and port",
    ),
    ("kombu", "VersionMismatch"): (
        "version",
        "its client is too old",
        "pip install -U kombu redis",
    ),
    ("amqp", "ConnectionForced"): (
        *("dropped", "it ended the connection: it is going down, or an operator did so"),
        "see RabbitMQ's log",
    ),
    ("amqp", "FrameSyntaxError"): ("protocol", "what answers there is no AMQP", "check the port"),
    ("amqp", "ResourceError"): ("memory", "it has no resources left", "see 'rabbitmqctl status'"),
}
# What servers answer, as it stands somewhere in the text of one exception.
_ANSWERS: tuple[tuple[str, str, str, str], ...] = (
    ("WRONGPASS", "password", "it refuses the password", "check user and password in the URL"),
    ("invalid password", "password", "it refuses the password", "check the password in the URL"),
    ("invalid username", "password", "it refuses the password", "check user and password"),
    ("without any password configured", "password", "it knows no password", "leave it out"),
    ("NOAUTH", "password", "it wants a password", "put it into the URL: redis://:PASSWORD@HOST"),
    ("Authentication required", "password", "it wants a password", "put it into the URL"),
    ("already authenticated", "password", "it wants a password", "put it into the URL"),
    ("operation not permitted", "password", "it wants a password", "put it into the URL"),
    ("Login was refused", "password", "it refuses user or password", "check them in the URL"),
    ("NOPERM", "permission", "its user may not do that", _PERMISSION_HINT),
    ("can't run this command", "permission", "its user may not do that", _PERMISSION_HINT),
    ("no permissions", "permission", "its user may not do that", _PERMISSION_HINT),
    ("limit (", "clients", "it takes no more connections of that user or vhost", "see its limits"),
    ("' is down", "vhost", "that vhost is down", "rabbitmqctl restart_vhost"),
    ("access to vhost", "vhost", "its user may not use that vhost", "rabbitmqctl set_permissions"),
    ("refused for user", "permission", "its user may not do that", _PERMISSION_HINT),
    ("NOT_ALLOWED", "vhost", "it has no such vhost", "see 'rabbitmqctl list_vhosts'"),
    ("ACCESS_REFUSED", "password", "it refuses user or password", "check them in the URL"),
    ("out of range", "vhost", "it has no database of that number", "check the end of the URL"),
    ("SELECT is not allowed", "cluster", "it is a node of a Redis Cluster", _CLUSTER_HINT),
    ("CLUSTERDOWN", "cluster", "its cluster is down", "see CLUSTER INFO"),
    ("Hash slot not served", "cluster", "its cluster is down", "see CLUSTER INFO"),
    ("MOVED ", "cluster", "it is a node of a Redis Cluster", _CLUSTER_HINT),
    ("CROSSSLOT", "cluster", "it is a node of a Redis Cluster", _CLUSTER_HINT),
    ("MASTERDOWN", "stale-replica", "it is a replica that has lost its primary", "use the primary"),
    ("Link with MASTER", "stale-replica", "it is a replica that has lost its primary", "use that"),
    ("LOADING", "loading", "it loads its data and serves nobody yet", "wait for it"),
    ("BUSY Redis is busy", "script", "it is busy with a script", "SCRIPT KILL, there"),
    ("busy running a script", "script", "it is busy with a script", "SCRIPT KILL, there"),
    ("MISCONF", "disk", "it takes no writes, as it can't save", "see the disk that Redis saves to"),
    ("NOREPLICAS", "replica", "it takes no writes without replicas", "see min-replicas-to-write"),
    ("Not enough good replicas", "replica", "it takes no writes without replicas", "see them"),
    ("maxmemory", "memory", "it takes no writes: its memory is full", "see its maxmemory"),
    ("READONLY", "replica", "it is a replica, which takes no writes", "use the primary's address"),
    ("read only replica", "replica", "it is a replica, which takes no writes", "use the primary"),
    ("max number of clients", "clients", "it has too many clients", "see its maxclients"),
    ("DENIED Redis", "protected", "it is in protected mode", "set a password or bind it"),
    ("Protocol Error", "protocol", "what answers there is no Redis", "check host and port"),
    ("Invalid frame", "protocol", "what answers there is no AMQP", "check host and port"),
    ("wrong version number", "tls", "it doesn't speak TLS there", "use the scheme without s"),
    ("CERTIFICATE_VERIFY_FAILED", "tls", "its certificate isn't trusted", "see ssl_ca_certs"),
    (
        *("master_name", "no-primary", "a sentinel needs master_name"),
        "broker_transport_options = {'master_name': ...}, with -A; -b can't say it",
    ),
)


def explain(
    error: BaseException, shown: str, address: tuple[str, int] | None, *, url: str = ""
) -> BrokerError:
    """Return why a broker can't be used. No part of the password of `url` is in it."""
    if isinstance(error, BrokerError):
        return error
    chain = list(_chain(error))
    for each in chain:
        if (known := _by_class(each) or _by_text(each)) is not None:
            cause, what, hint = known
            return BrokerError(cause, shown, what, hint)
    for each in chain:
        if isinstance(each, socket.gaierror):
            host = address[0] if address else "the host"
            return BrokerError("dns", shown, f"no address for {host}", "check the name, and DNS")
        if isinstance(each, ssl.SSLError):
            return BrokerError("tls", shown, f"TLS fails: {each.reason or each}")
        if isinstance(each, ConnectionRefusedError):
            hint = "start the broker, or check host and port"
            return BrokerError("refused", shown, "connection refused", hint)
        if isinstance(each, FileNotFoundError):
            return BrokerError("refused", shown, "no such socket", "start the broker")
    if any(isinstance(each, TimeoutError) or "Timeout" in type(each).__name__ for each in chain):
        # Whether nobody is there or somebody hangs: both look alike to the libraries.
        greeting = _greet(address)
        if greeting is None:
            hint = "a firewall drops packets, or the host is down"
            return BrokerError("unreachable", shown, "no connection in time", hint)
        hang = "accepts connections and doesn't answer"
        return _explain_other(greeting, shown, url) or BrokerError("hang", shown, hang, _HANG_HINT)
    for each in chain:
        if isinstance(each, (ConnectionError, EOFError)) or "closed by server" in str(each):
            other = _explain_other(_greet(address) or b"", shown, url)
            if other is not None:
                return other
            hint = "something between here and there ends connections, or the broker is going down"
            return BrokerError("dropped", shown, "the connection was dropped", hint)
        if isinstance(each, OSError) and each.strerror:
            return BrokerError("unreachable", shown, each.strerror.lower(), "see the network")
    # Its own message, not that of what it came from.
    words = (str(error).splitlines() or [""])[0] or type(error).__name__
    return BrokerError("error", shown, hide_password(url, words)[:200])


def _by_class(error: BaseException) -> _Known | None:
    for each in type(error).__mro__:
        known = _CLASSES.get((each.__module__.partition(".")[0], each.__name__))
        if known is not None:
            return known
    return None


def _by_text(error: BaseException) -> _Known | None:
    text = str(error).lower()
    for needle, cause, what, hint in _ANSWERS:
        if needle.lower() in text:
            return cause, what, hint
    return None


def _greet(address: tuple[str, int] | None) -> bytes | None:
    """Return how what listens there answers a PING of Redis's; None: nobody takes a connection."""
    if address is None:
        return b""
    try:
        with socket.create_connection(address, timeout=0.5) as client, suppress(OSError):
            client.settimeout(_GREETING_S)
            client.sendall(b"PING\r\nPING\r\n")  # as long as the greeting of AMQP
            return client.recv(16)
    except OSError:
        return None
    return b""


def _explain_other(greeting: bytes, shown: str, url: str) -> BrokerError | None:
    """Whether something else than that broker answers there."""
    scheme = scheme_of(url)
    if greeting.startswith(b"AMQP") and scheme in REDIS_SCHEMES:
        what = "what answers there is no Redis, but an AMQP broker"
        return BrokerError("protocol", shown, what, "check scheme and port")
    if not greeting.startswith((b"+PONG", b"-NOAUTH", b"-ERR")):
        return None
    if scheme in AMQP_SCHEMES:
        what = "what answers there is no AMQP broker, but a Redis"
        return BrokerError("protocol", shown, what, "check scheme and port")
    if scheme.endswith("s"):
        hint = "use the scheme without s"
        return BrokerError("tls", shown, "it doesn't speak TLS there", hint)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it came from, outermost first."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
