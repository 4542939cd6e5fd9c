"""One setting's value: read from TOML or from a variable."""

from radar_cli.core.grammar import parse_count, parse_duration, parse_size
from radar_cli.core.urls import Url
from radar_cli.settings.table import PROTOCOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from radar_cli.settings.table import Known


_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
# radar frames its requests itself; a second value would desynchronise the connection.
_FRAMING = frozenset(("connection", "content-length", "transfer-encoding"))

_EXPECTED = {
    "headers": "a table of strings",
    "regexes": "a list of strings",
    "duration": "a duration like '10s'",
    "size": "a number of bytes like 10000 or '10k'",
    "count": "a whole number like 1000",
}


def from_text(known: "Known", text: str) -> object:
    """Return the TOML value that `text`, from an environment variable, stands for.

    Headers are lines of `Name: value`, regexes one a line. Raises ValueError.
    """
    if known.kind == "regexes":
        return [line for line in text.splitlines() if line.strip()]
    if known.kind == "headers":
        headers = {}
        for line in text.splitlines():
            if line.strip():
                name, colon, value = line.partition(":")
                if not colon:
                    raise ValueError("a header is written 'Name: value'")
                headers[name.strip()] = value.strip()
        return headers
    return text


def read_value(known: "Known", raw: object) -> "Any":
    """Return the value of a setting: str, float seconds, int bytes, a dict or a list of strings.

    Raises ValueError that names the setting.
    """
    reader = _READERS.get(known.kind, _read_text)
    return reader(known, raw)


def _wrong_type(known: "Known") -> ValueError:
    return ValueError(f"{known.name} must be {_EXPECTED.get(known.kind, 'a string')}")


def _read_text(known: "Known", raw: object) -> str:
    if not isinstance(raw, str):
        raise _wrong_type(known)
    # A file name may hold any byte; everything else is sent somewhere and must be clean text.
    if known.kind != "path" and not raw.isprintable():
        raise ValueError(f"{known.name} holds a control character or bytes that are not UTF-8")
    return raw


def _read_server(known: "Known", raw: object) -> str:
    if not isinstance(raw, str):
        raise _wrong_type(known)
    return check_server(raw)


def _read_protocol(known: "Known", raw: object) -> str:
    if not isinstance(raw, str) or raw not in PROTOCOLS:
        raise ValueError(f"{known.name} must be one of {', '.join(PROTOCOLS)}")
    return raw


def _read_secret(known: "Known", raw: object) -> str:
    # The value is not quoted in the message: it is a key.
    text = _read_text(known, raw).strip()
    if " " in text and not text.startswith(("file:", "cmd:")):
        raise ValueError(f"{known.name} holds a space")
    return text


def _read_duration(known: "Known", raw: object) -> float:
    return parse_duration(_number_text(known, raw))


def _read_size(known: "Known", raw: object) -> int:
    return parse_size(_number_text(known, raw))


def _read_count(known: "Known", raw: object) -> int:
    count = parse_count(_number_text(known, raw))
    if not count:
        raise ValueError(f"{known.name} must be at least 1")
    return count


def _number_text(known: "Known", raw: object) -> str:
    """Return a number or text as the grammar takes it; `true` is an int to Python, not here."""
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise _wrong_type(known)
    return str(raw)


def _read_headers(known: "Known", raw: object) -> "dict[str, str]":
    if not isinstance(raw, dict):
        raise _wrong_type(known)
    for name, value in raw.items():
        if not isinstance(value, str):
            raise _wrong_type(known)
        if not name or not _TOKEN.issuperset(name) or name.lower() in _FRAMING:
            raise ValueError(f"headers: {name[:60]!r} can't be the name of a header here")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"headers: the value of {name[:60]} holds more than printable ASCII")
    return dict(raw)


def _read_regexes(known: "Known", raw: object) -> "list[str]":
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise _wrong_type(known)
    return list(raw)


_READERS = {
    "server": _read_server,
    "protocol": _read_protocol,
    "secret": _read_secret,
    "duration": _read_duration,
    "size": _read_size,
    "count": _read_count,
    "headers": _read_headers,
    "regexes": _read_regexes,
}


CRONRADAR_URL = "https://cron.life"
CRONRADAR_HOSTS = frozenset(("cron.life", "cronradar.io"))


def check_server(text: str) -> str:
    """Return the URL `text` without a trailing slash; ValueError says what is wrong with it.

    The empty text is no server: the store on this machine.
    """
    if not text.strip():
        return ""
    try:
        url = Url(text)
    except ValueError as error:
        raise ValueError(f"server {error}") from None
    if url.userinfo:
        # Not shown: it holds a password.
        raise ValueError("server holds a user or password: put the key into api_key")
    return text.strip().rstrip("/")


def is_same_server(one: str, other: str) -> bool:
    """Whether two URLs mean one server: case, the usual port and a last slash don't matter."""
    if not one or not other:
        return one == other
    return Url(one).text == Url(other).text


def default_protocol(url: str) -> str:
    """Return the protocol of a server whose settings name none."""
    return "cronradar" if url and Url(url).host in CRONRADAR_HOSTS else "radar"
