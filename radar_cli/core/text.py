"""Output as text that a server and a terminal can take."""


def cut(body: bytes, limit_bytes: int) -> tuple[bytes, int]:
    """The last bytes of UTF-8 that fit, from a character's start, and how many are gone."""
    if len(body) <= limit_bytes:
        return body, 0
    start = len(body) - limit_bytes
    while start < len(body) and body[start] & 0xC0 == 0x80:
        start += 1
    return body[start:], start


def valid(raw: bytes) -> bytes:
    """`raw` as valid UTF-8: what is none becomes U+FFFD."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace").encode()
    return raw


def printable(words: str) -> str:
    """`words` without what a terminal would obey: control characters become U+FFFD."""
    return "".join(c if c.isprintable() else "\ufffd" for c in words)
