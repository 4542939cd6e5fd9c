"""Taking secrets out of the tail before it leaves the process."""

from radar_cli.pings import text
from radar_cli.wrap.tail import MARGIN_BYTES, SERVER_BYTES, STORE_BYTES, Tail
from radar_cli.wrap.watchers import compile_patterns

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from radar_cli.pings.destinations import Resolved
    from radar_cli.wrap.options import Options

_MARK = b"[redacted]"
_SECRET_WORDS = (
    b"SECRET",
    b"TOKEN",
    b"PASSWORD",
    b"PASSWD",
    b"PASSPHRASE",
    b"PASSCODE",
    b"APIKEY",
    b"API_KEY",
    b"ACCESS_KEY",
    b"PRIVATE_KEY",
    b"CREDENTIAL",
)
_SECRET_ENDS = (b"_KEY", b"_PASS", b"_PWD", b"_DSN", b"_PAT")
_SECRET_HEADER_WORDS = (*_SECRET_WORDS, b"AUTH", b"COOKIE", b"SESSION", b"SIGNATURE")
# A shorter value (`1`, `true`, `root`) stands in too many innocent places.
_SHORTEST_SECRET = 6
_PASSWORD_MAX_BYTES = 512


def prepare(
    tail: Tail, options: "Options", resolved: "Resolved | None", environ: dict[bytes, bytes]
) -> tuple[bytes, int]:
    """The tail as it may leave the machine, and how many bytes before it are missing.

    Without `resolved`, what the config asks to redact isn't known (yet).
    """
    limit = options.tail
    if limit is None and resolved is not None:
        limit = resolved.tail_bytes
        if limit is None and any(each.is_server for each in resolved.destinations):
            limit = SERVER_BYTES
    asked = options.redact + (resolved.redact if resolved is not None else [])
    patterns = compile_patterns(list(dict.fromkeys(asked)), "--redact", options.warnings)
    secrets = secrets_of(environ, resolved.secrets if resolved is not None else [])
    raw, gone = tail.snapshot()
    clean, dropped = redact(raw, secrets, patterns, is_cut=gone > 0)
    body, cut = text.cut(text.valid(clean), STORE_BYTES if limit is None else limit)
    return body, gone + dropped + cut


def redact_line(
    line: bytes, options: "Options", resolved: "Resolved | None", environ: dict[bytes, bytes]
) -> str:
    """A line of output, or the command, as it may leave the machine."""
    asked = options.redact + (resolved.redact if resolved is not None else [])
    patterns = compile_patterns(list(dict.fromkeys(asked)), "--redact", options.warnings)
    secrets = secrets_of(environ, resolved.secrets if resolved is not None else [])
    return redact(line, secrets, patterns, is_cut=False)[0].decode("utf-8", "replace")


def secrets_of(environ: dict[bytes, bytes], own: list[str]) -> list[bytes]:
    """The literal secrets to take out: radar's own keys and what the environment holds.

    Longest first, so that one which contains another goes as a whole.
    """
    found = set()
    for key in own:
        raw = key.encode()
        found.add(raw)
        import binascii

        found.add(binascii.b2a_base64(raw + b":", newline=False))  # as in a Basic header
    for name, value in environ.items():
        if _is_secret(name.upper(), _SECRET_WORDS):
            found.add(value)
        if b"://" in value:
            found.update(value[start:end] for start, end in _passwords_in_urls(value))
    return sorted((s for s in found if len(s) >= _SHORTEST_SECRET), key=len, reverse=True)


def secrets_in_headers(headers: dict[str, str]) -> list[str]:
    """The credentials in headers whose names look secret: `X-Auth`, `Authorization`, `Cookie`.

    With the token after `Bearer`, what `Basic` encodes, and each cookie's value alone.
    """
    found = []
    for name, value in headers.items():
        if not _is_secret(name.upper().replace("-", "_").encode(), _SECRET_HEADER_WORDS):
            continue
        scheme, _, token = value.partition(" ")
        found += [value, token.strip()]
        if scheme.lower() == "basic":
            import binascii

            try:
                pair = binascii.a2b_base64(token).decode()
            except ValueError:
                continue
            found += [pair, pair.partition(":")[2]]
        elif "=" in value:
            found += [part.partition("=")[2].strip(' "') for part in value.split(";")]
    return [secret for secret in found if secret]


def _is_secret(name: bytes, words: tuple[bytes, ...]) -> bool:
    """Whether what has this name, in capitals, is a secret."""
    return any(word in name for word in words) or name.endswith(_SECRET_ENDS)


def redact(
    raw: bytes, secrets: list[bytes], patterns: "list[re.Pattern[bytes]]", *, is_cut: bool
) -> tuple[bytes, int]:
    """`raw` without secrets, and how many bytes at its beginning had to go.

    Where output is missing before `raw` (`is_cut`), a secret may be cut in half there: everything
    that such a half could reach is left out.
    """
    spans = _spans(raw, secrets, patterns)
    start = 0
    if is_cut:
        start = min(MARGIN_BYTES, len(raw))
        start = max([start, *(end for begin, end in spans if begin < start < end)])
        start = max([start, *(_half_at_start(raw, each) for each in secrets)])
    parts, at = [], start
    for begin, end in spans:
        if begin < at:
            at = max(at, end)
            continue
        parts += [raw[at:begin], _MARK]
        at = end
    parts.append(raw[at:])
    return b"".join(parts), start


def _half_at_start(raw: bytes, secret: bytes) -> int:
    """How much of a secret that is longer than the margin stands, cut, at the beginning."""
    for size in range(len(secret) - 1, MARGIN_BYTES, -1):
        if raw.startswith(secret[-size:]):
            return size
    return 0


def _spans(
    raw: bytes, secrets: list[bytes], patterns: "list[re.Pattern[bytes]]"
) -> list[tuple[int, int]]:
    spans = _passwords_in_urls(raw)
    for secret in secrets:
        at = raw.find(secret)
        while at >= 0:
            spans.append((at, at + len(secret)))
            at = raw.find(secret, at + len(secret))
    for pattern in patterns:
        spans += [match.span() for match in pattern.finditer(raw) if match.end() > match.start()]
    return sorted(spans)


def _passwords_in_urls(raw: bytes) -> list[tuple[int, int]]:
    """Where the passwords stand in URLs like `postgres://user:password@host/`."""
    spans = []
    at = raw.find(b"://")
    while at >= 0:
        start = at + 3
        authority = raw[start : start + _PASSWORD_MAX_BYTES]
        for stop in (b"/", b" ", b"\n", b'"', b"'", b"<", b">", b"\t"):
            authority = authority.partition(stop)[0]
        userinfo, mark, _ = authority.rpartition(b"@")
        user, colon, password = userinfo.partition(b":")
        if mark and colon and password:
            begin = start + len(user) + 1
            spans.append((begin, begin + len(password)))
        at = raw.find(b"://", start)
    return spans
