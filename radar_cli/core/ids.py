"""Names of things: a monitor's key, the ids of a run and of a ping.

Imported before the job is spawned, so it imports nothing but os.
"""

import os

KEY_MAX = 200
_CONTAINER_ID_LENGTH = 12  # what Docker and Podman name a container by
_HEX_DIGITS = frozenset("0123456789abcdef")
_KEY_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
# In a ping's path these words and 0 to 255 say what kind of ping it is.
_KINDS_IN_PATHS = frozenset(("start", "success", "complete", "fail", "log"))


def new_id(time_us: int) -> str:
    """A UUID of version 7 (RFC 9562): unique, and in the order of time (Unix, microseconds)."""
    raw = bytearray((time_us // 1000).to_bytes(8, "big")[2:] + os.urandom(10))
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def check_key(text: str) -> str:
    """Return the monitor key `text`; BadValueError says what is wrong with it."""
    if fault := _find_fault(text):
        from radar_cli.core.errors import BadValueError

        raise BadValueError(*fault)
    return text


def _find_fault(text: str) -> "tuple[str, str] | None":
    """Return what is wrong with a key, and what would be better."""
    if not text:
        return "a monitor key is needed", ""
    shown = text if len(text) <= 60 else text[:57] + "..."
    if len(text) > KEY_MAX:
        return f"monitor key {shown!r} has {len(text)} characters, at most {KEY_MAX} fit", ""
    if not _KEY_CHARACTERS.issuperset(text):
        hint = "lowercase letters, digits, '-', '_' and '.' make a key"
        if _KEY_CHARACTERS.issuperset(text.lower()):
            hint = f"keys are lowercase, try {text.lower()!r}"
        return f"bad monitor key {shown!r}", hint
    if text in _KINDS_IN_PATHS or not text.strip("."):
        return f"{shown!r} can't be a monitor key", "it has a meaning of its own in a path"
    if text.isdigit() and len(text) <= 3 and int(text) <= 255:
        return f"{shown!r} can't be a monitor key", "in a path it is an exit code"
    return None


def expand_host(text: str) -> str:
    """Return a key with `{host}` in it replaced by this machine's name, as a key spells it.

    RADAR_HOST names the machine, else its node name does, up to the first dot. ValueError: that is
    a container's, which is another one each time.
    """
    if "{host}" not in text:
        return text
    named = os.environ.get("RADAR_HOST", "")
    host = (named or os.uname().nodename).partition(".")[0].lower()
    is_random = len(host) == _CONTAINER_ID_LENGTH and _HEX_DIGITS.issuperset(host)
    if not named and (is_random or "KUBERNETES_SERVICE_HOST" in os.environ):
        raise ValueError(
            f"{text[:60]!r}: {host!r} is a container's name, another one each time: set RADAR_HOST,"
            " or name the monitor without {host}"
        )
    return text.replace("{host}", "".join(c if c in _KEY_CHARACTERS else "-" for c in host))


def is_key(text: str) -> bool:
    """Whether it can be a monitor's key."""
    return _find_fault(text) is None
