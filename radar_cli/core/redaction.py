"""Taking secrets out of text before it leaves the machine."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re


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


def compile_patterns(
    texts: list[str], option: str, warnings: list[str]
) -> "list[re.Pattern[bytes]]":
    """The regexes of an option, over bytes; a bad one is left out, with a warning."""
    if not texts:
        return []
    import re

    patterns = []
    for text in texts:
        try:
            patterns.append(re.compile(os.fsencode(text)))
        except (re.error, OverflowError, RecursionError) as error:
            warnings.append(f"{option} {text[:60]!r} is ignored: {error}")
    return patterns


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
    raw: bytes,
    secrets: list[bytes],
    patterns: "list[re.Pattern[bytes]]",
    *,
    margin_bytes: int = 0,
) -> tuple[bytes, int]:
    """Return `raw` without secrets, and how many bytes at its beginning had to go.

    Where output is missing before `raw`, a secret may be cut in half there: the margin is left out,
    and everything beyond it that such a half could reach.
    """
    spans = _spans(raw, secrets, patterns)
    start = 0
    if margin_bytes:
        start = min(margin_bytes, len(raw))
        start = max([start, *(end for begin, end in spans if begin < start < end)])
        start = max([start, *(_half_at_start(raw, each, margin_bytes) for each in secrets)])
    parts, at = [], start
    for begin, end in spans:
        if begin < at:
            at = max(at, end)
            continue
        parts += [raw[at:begin], _MARK]
        at = end
    parts.append(raw[at:])
    return b"".join(parts), start


def _half_at_start(raw: bytes, secret: bytes, margin_bytes: int) -> int:
    """How much of a secret that is longer than the margin stands, cut, at the beginning."""
    for size in range(len(secret) - 1, margin_bytes, -1):
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
