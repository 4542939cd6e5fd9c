"""A broker's URL: what is wrong with one, in words that never hold a part of its password."""

from urllib.parse import unquote, urlsplit

from radar_cli.core.errors import UsageError

_EXAMPLE = "a URL, as in redis://localhost:6379/0 or amqp://user:password@host/vhost"
_ENCODE = "percent-encode it there: / is %2F, # is %23, ? is %3F, @ is %40, : is %3A"
REDIS_SCHEMES = ("redis", "rediss", "sentinel", "sentinels", "valkey", "valkeys")
AMQP_SCHEMES = ("amqp", "amqps", "pyamqp")
# What kombu's transports need, by the extra of kombu that brings it.
_EXTRAS = {
    "azureservicebus": "azureservicebus",
    "azurestoragequeues": "azurestoragequeues",
    "confluentkafka": "confluentkafka",
    "consul": "consul",
    "etcd": "etcd",
    "gcpubsub": "gcpubsub",
    "kafka": "confluentkafka",
    "librabbitmq": "librabbitmq",
    "mongodb": "mongodb",
    "qpid": "qpid",
    "redis": "redis",
    "rediss": "redis",
    "sentinel": "redis",
    "slmq": "slmq",
    "sqla": "sqlalchemy",
    "sqlalchemy": "sqlalchemy",
    "sqs": "sqs",
    "zookeeper": "zookeeper",
}
# With the port of each, where none stands in the URL.
_OTHERS_PORTS = {15672: "RabbitMQ's management", 25672: "RabbitMQ's own nodes", 26379: "a sentinel"}


def scheme_of(url: str) -> str:
    """The scheme, without the transport behind a `+`."""
    return url.partition("://")[0].partition("+")[0].lower()


def split_failover(url: str) -> list[str]:
    """The URLs of a failover URL, which stand between semicolons."""
    return [each for each in url.split(";") if each]


def check_url(url: str) -> None:
    """Raise UsageError for a URL that can't be a broker's, and say what is wrong with it."""
    for each in split_failover(url) or [url]:
        _check(each)


def _check(url: str) -> None:
    scheme, mark, rest = url.partition("://")
    if not mark:
        shown = repr(url[:60]) if "@" not in url else "that holds a password"
        raise UsageError(f"bad broker {shown}", _EXAMPLE)
    shown = without_password(url)
    login, at, place = rest.rpartition("@")
    if at and any(character in login for character in "/?#"):
        raise UsageError(
            f"bad broker {shown}: its password holds a character that ends a URL's host", _ENCODE
        )
    if at and any(character.isspace() for character in login):
        raise UsageError(f"bad broker {shown}: its user or password holds a space", _ENCODE)
    # What stands behind the login holds no secret, but in the query.
    plain = f"{scheme}://{place}"
    if plain.partition("?")[0].partition("://")[2].partition("/")[0].count(" "):
        raise UsageError(f"bad broker {shown}: its host holds a space", _EXAMPLE)
    try:
        port = urlsplit(plain).port
    except ValueError as error:
        reason = "its port is no number" if "cast" in str(error) else str(error).lower()
        raise UsageError(f"bad broker {shown}: {reason}", _EXAMPLE) from None
    kind = scheme_of(url)
    if port in _OTHERS_PORTS and (port != 26379) and kind in AMQP_SCHEMES:
        raise UsageError(
            f"bad broker {shown}: {port} is the port of {_OTHERS_PORTS[port]}", "AMQP's is 5672"
        )
    path = place.partition("?")[0].partition("/")[2]
    if kind in ("redis", "rediss") and "+" not in scheme and path and not path.isdigit():
        raise UsageError(
            f"bad broker {shown}: a database of Redis is a number", "as in redis://localhost:6379/0"
        )


def explain_bad(url: str, error: Exception) -> UsageError:
    """Explain a URL for which kombu makes no connection, from its exception."""
    scheme, shown = scheme_of(url), without_password(url.partition(";")[0])
    query = url.partition("?")[2]
    text = str(error)
    if isinstance(error, ImportError) or "is missing" in text or isinstance(error, NameError):
        if (extra := _EXTRAS.get(scheme)) is not None:
            return UsageError(
                f"the broker {shown} needs packages that aren't installed",
                f"pip install 'kombu[{extra}]'",
            )
        return UsageError(f"the broker {shown} needs a package that isn't installed")
    if isinstance(error, KeyError) and "transport" in text:
        hint = "kombu knows none of that name; " + _EXAMPLE
        return UsageError(f"bad broker with scheme {scheme[:20]!r}", hint)
    if query:
        names = [pair.partition("=")[0] for pair in query.split("&")]
        named = next((name for name in names if f"'{name}'" in text), "")
        if named:
            return UsageError(
                f"bad broker {shown}: kombu takes no parameter {named[:40]!r}",
                "the database stands behind the host: redis://HOST:6379/0"
                if named == "db"
                else "put it into broker_transport_options, if it is one of theirs",
            )
        bad = next((n for n, each in _pairs(query) if each and each in text), "")
        if bad:
            return UsageError(f"bad broker {shown}: bad value of its parameter {bad[:40]!r}")
    return UsageError(
        f"bad broker {shown} with scheme {scheme[:20]!r}: {hide_password(url, text)[:100]}",
        _EXAMPLE,
    )


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))]


def without_password(url: str) -> str:
    """The URL as it may be shown; of several, as for failover, the first."""
    scheme, mark, rest = url.partition(";")[0].partition("://")
    # The last @, whatever an unquoted password holds; without one there is no password.
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    if any(character in user for character in "/?# "):
        user = "***"  # a password before which no user and no colon stands
    return f"{scheme}{mark}{user}{colon and ':***'}{at}{place.partition('?')[0]}"


def hide_password(url: str, text: str) -> str:
    """The text without any part of the URL's passwords: whole, quoted, or cut where a URL ends."""
    for each in split_failover(url):
        login, at, _ = each.partition("://")[2].rpartition("@")
        password = login.partition(":")[2]
        if not at or not password:
            continue
        parts = {password, unquote(password)}
        for character in "/?#@:":
            parts |= {part for known in list(parts) for part in known.split(character)}
        for part in sorted(parts, key=len, reverse=True):
            if len(part) > 1 or part == password:
                text = text.replace(part, "***")
    for name, value in _pairs(url.partition("?")[2]):
        if value and (
            "pass" in name.lower() or "secret" in name.lower() or "token" in name.lower()
        ):
            text = text.replace(value, "***")
    return text


def is_unverified(url: str, use_ssl: object = None) -> bool:
    """Whether kombu speaks TLS with a Redis whose certificate it doesn't verify.

    Its default for a bare `rediss://` is none (kombu/connection.py).
    """
    if scheme_of(url) not in ("rediss", "sentinels", "valkeys"):
        return False
    if isinstance(use_ssl, dict) and use_ssl:
        given = use_ssl.get("ssl_cert_reqs", "required")
        return str(given).rpartition(".")[2].lower() in ("none", "cert_none", "0")
    pairs = dict(_pairs(url.partition("?")[2]))
    if not any(name.startswith("ssl_") for name in pairs):
        return True
    return pairs.get("ssl_cert_reqs", "required").lower() in ("none", "cert_none")
