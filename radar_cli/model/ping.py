"""A ping: one fact about one run, and its form as a query string.

That form is in a ping's URL and in its spool file. `urllib.parse` would read and write it, at 5 ms
of import for a wrapped job.
"""

from radar_cli.core.ids import check_key, new_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.model.run import Origin

KINDS = ("start", "success", "fail", "log")


# The largest prime of 32 bits: modulo a prime, no flipped bit goes unnoticed.
_PRIME = 4_294_967_291
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


_HEX = frozenset(b"0123456789abcdefABCDEF")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_SECONDS_DIGITS = 11  # until the year 5138, and what every database takes


class Ping:
    """One fact: at `time_us` (Unix time in microseconds), a run of `monitor` did `kind`.

    `fields` holds the rest under the names that it has on the wire (docs/reference/http.md):
    duration and cpu in seconds, rss in bytes, exit, signal, reason, host, and what the monitor is
    declared as. `body` is the tail of the output, valid UTF-8. `origin` is what a server saw of
    whoever sent it; None if it came by no server.
    """

    def __init__(
        self,
        kind: str,
        monitor: str,
        *,
        run_id: str = "",
        time_us: int,
        fields: dict[str, str] | None = None,
        body: bytes = b"",
        ping_id: str = "",
        origin: "Origin | None" = None,
    ) -> None:
        self.kind = kind
        self.monitor = monitor
        self.run_id = run_id
        self.time_us = time_us
        self.fields = fields or {}
        self.body = body
        self.id = ping_id or new_id(time_us)
        self.origin = origin

    def encode(self) -> str:
        """All but the body, as a line without its end."""
        return encode_fields(
            {
                "id": self.id,
                "kind": self.kind,
                "monitor": self.monitor,
                "rid": self.run_id,
                "ts": format_time(self.time_us),
                **self.fields,
            }
        )


def format_time(time_us: int) -> str:
    """Unix time in seconds with microseconds, exactly."""
    return f"{time_us // 1_000_000}.{time_us % 1_000_000:06d}"


def decode(line: str, body: bytes) -> Ping:
    """The ping that `Ping.encode` encoded; ValueError if it did not."""
    fields = decode_fields(line)
    try:
        kind = fields.pop("kind")
        if kind not in KINDS:
            raise ValueError(f"no kind of ping: {kind[:60]!r}")
        return Ping(
            kind,
            check_key(fields.pop("monitor")),
            ping_id=fields.pop("id"),
            time_us=parse_time(fields.pop("ts")),
            run_id=fields.pop("rid", ""),
            fields=fields,
            body=body,
        )
    except KeyError as missing:
        raise ValueError(f"no field {missing}") from None


def parse_time(text: str) -> int:
    """Microseconds of a Unix time in seconds; ValueError if it isn't one."""
    seconds, _, fraction = text.partition(".")
    if len(seconds) > _SECONDS_DIGITS:
        raise ValueError(f"no time of ours: {text[:60]!r}")
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def decode_fields(text: str) -> dict[str, str]:
    """The fields that `encode_fields` encoded; ValueError if it did not."""
    fields = {}
    for pair in text.split("&") if text else ():
        name, equals, value = pair.partition("=")
        if not equals or not name or not _NAME.issuperset(name):
            raise ValueError(f"no field: {pair[:60]!r}")
        fields[name] = unquote(value)
    return fields


def unquote(text: str) -> str:
    """The text that `quote` encoded; ValueError if it isn't percent-encoded UTF-8."""
    if "%" not in text:
        return text
    first, *rest = text.encode().split(b"%")
    raw = bytearray(first)
    for part in rest:
        if len(part) < 2 or not _HEX.issuperset(part[:2]):
            raise ValueError(f"bad percent-encoding: {text[:60]!r}")
        raw.append(int(part[:2], 16))
        raw += part[2:]
    return raw.decode()


def quote(text: str) -> str:
    """Percent-encode `text` as UTF-8 (RFC 3986); what is no UTF-8 becomes U+FFFD."""
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "replace")
    if _PLAIN.issuperset(raw):
        return text
    raw = raw.decode("utf-8", "replace").encode()
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)


def encode_fields(fields: "dict[str, str]") -> str:
    """`a=1&b=x%20y`, leaving out what is empty."""
    return "&".join(f"{name}={quote(value)}" for name, value in fields.items() if value != "")


def fingerprint(data: bytes) -> str:
    """Eight hexadecimal digits that tell two texts apart, and give neither away."""
    return f"{int.from_bytes(data, 'big') % _PRIME:08x}"
