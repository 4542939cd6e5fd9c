"""Reading what `Ping.encode` and `codec.encode_fields` wrote, or others who write the same."""

from radar_cli.ids import check_key
from radar_cli.pings.ping import KINDS, Ping

_HEX = frozenset(b"0123456789abcdefABCDEF")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_SECONDS_DIGITS = 11  # until the year 5138, and what every database takes


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
