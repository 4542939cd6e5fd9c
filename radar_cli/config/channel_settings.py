"""The settings of a `[notify.NAME]` table: what there is, and how each value is read."""

import re
from typing import Any, Callable
from urllib.parse import SplitResult, unquote, urlsplit

from radar_cli.config.layers import closest
from radar_cli.config.secrets import is_literal
from radar_cli.config.settings import Known
from radar_cli.config.values import read_value

CHANNEL_SETTINGS = {
    known.name: known
    for known in (
        Known("command", "words", "program to run, with its arguments, as a list"),
        Known("webhook", "webhook", "URL to send JSON to"),
        Known("email", "addresses", "addresses to write to"),
        Known("apprise", "services", "URLs of services that apprise knows"),
        Known("secret", "phrase", "key that a webhook's requests are signed with"),
        Known("headers", "headers", "headers to add to a webhook's requests"),
        Known("preset", "preset", "service that a webhook leads to: slack, ntfy, ..."),
        Known("to", "phrase", "Telegram's chat, or PagerDuty's routing key"),
        Known("subject", "template", "template of the subject or title"),
        Known("body", "template", "template of the text"),
        Known("together", "flag", "whether one notice may tell of several monitors", "true"),
        Known("from", "address", "address that the mail comes from"),
        Known("smtp", "smtp", "URL of the server to hand mail to, instead of sendmail"),
        Known("password", "phrase", "password for the user in the smtp URL"),
        Known("sendmail", "path", "program to hand mail to", "/usr/sbin/sendmail"),
        Known("ca_file", "path", "certificates to trust instead of the system's"),
        Known("on", "kinds", "what it tells: down, up, late, fault", "down, up, fault"),
        Known("tags", "tags", "only monitors with one of these tags"),
        Known("monitors", "globs", "only monitors with such keys: web-*"),
        Known("after", "duration", "tell only what is still so after this long"),
        Known("quiet", "quiet", "when it is quiet: 22:00-07:00, sat-sun"),
        Known("tz", "timezone", "the timezone of quiet", "this machine's"),
    )
}
# Exactly one of these stands in each table: it says what kind of channel this is.
CHANNEL_KINDS = ("command", "webhook", "email", "apprise")
# What else means something to which kind; who hears what, and when, does to all.
KINDS_OF_SETTING = {
    "secret": ("webhook",),
    "headers": ("webhook",),
    "preset": ("webhook",),
    "to": ("webhook",),
    "from": ("email",),
    "smtp": ("email",),
    "password": ("email",),
    "sendmail": ("email",),
    "ca_file": ("webhook", "email"),
}
# `radar config set` takes several values for these.
LIST_KINDS = frozenset(("words", "addresses", "services", "kinds", "tags", "globs", "quiet"))
KINDS_TOLD = ("down", "up", "late", "fault")
# What a channel tells unless it says so, and one that tells only after a while.
TOLD, TOLD_LATER = ("down", "up", "fault"), ("down", "up")
# Those services that want a body of their own (notify/presets.py), and which need `to`.
PRESET_NAMES = ("slack", "discord", "teams", "telegram", "ntfy", "pagerduty")
NEEDS_TO = ("telegram", "pagerduty")
SMTP_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
# A local user's name alone is fine for sendmail, which knows it.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]*(@[^@\s]+)?")
_GLOB = re.compile(r"[a-z0-9._*?!\[\]-]+")
_DOMAIN = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f.:IPv]+\]")


def check_channel_name(name: str) -> str:
    """Return the channel's name; ValueError if no channel can be called that."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"bad channel name {name[:60]!r}: letters, digits, '-' and '_' make one, at most 60"
        )
    return name


def read_channel_value(known: Known, raw: object) -> Any:
    """Return the value of a channel's setting: a str, a dict or a list of str.

    Raises ValueError that names the setting, and shows no secret.
    """
    reader = _READERS.get(known.kind)
    return read_value(known, raw) if reader is None else reader(known, raw)


def split_smtp(url: str) -> tuple[str, str, str, int]:
    """The scheme, user, host and port of an smtp URL; ValueError says what is wrong with it."""
    parts = urlsplit(url)
    if parts.scheme not in SMTP_PORTS or not parts.hostname:
        schemes = ", ".join(f"{scheme}://" for scheme in SMTP_PORTS)
        raise ValueError(f"smtp is no URL that begins with one of {schemes}")
    if parts.password is not None:
        raise ValueError("smtp holds a password: put it into password")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("smtp has something behind the host and port")
    port = _read_port(parts, "smtp") or SMTP_PORTS[parts.scheme]
    return parts.scheme, unquote(parts.username or ""), parts.hostname, port


def _text(known: Known, raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError(f"{known.name} must be a string")
    if not raw.isprintable():
        raise ValueError(f"{known.name} holds a control character")
    text = raw.strip()
    if not text:
        raise ValueError(f"{known.name} is empty")
    return text


def _texts(known: Known, raw: object) -> list[str]:
    """A list of strings; a single string is a list of one."""
    items = [raw] if isinstance(raw, str) else raw
    if not isinstance(items, list) or not items or not all(isinstance(i, str) for i in items):
        raise ValueError(f"{known.name} must be a list of strings")
    return [_text(known, item) for item in items]


def _read_words(known: Known, raw: object) -> list[str]:
    # One string could be a shell line, and there is no shell.
    if not isinstance(raw, list) or not raw or not all(isinstance(word, str) for word in raw):
        raise ValueError(
            f"{known.name} must be a list of words, like ['/usr/local/bin/tell', '-v']"
        )
    if not raw[0].strip() or any("\0" in word for word in raw):
        raise ValueError(f"{known.name} names no program")
    return list(raw)


def _read_webhook(known: Known, raw: object) -> str:
    text = _text(known, raw)
    if is_literal(text):
        check_webhook(text, known.name)
    return text


def check_webhook(url: str, name: str = "webhook") -> str:
    """Return the URL; ValueError says what is wrong with it, without its path."""
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError(f"{name} holds a space or more than ASCII")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{name} is no URL: it begins with https:// or http://")
    if parts.username is not None:
        raise ValueError(f"{name} holds a user or password: send them in headers")
    _read_port(parts, name)
    return url


def _read_port(parts: SplitResult, name: str) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ValueError(f"{name} has a bad port") from None


def _read_services(known: Known, raw: object) -> list[str]:
    for text in (texts := _texts(known, raw)):
        if is_literal(text) and "://" not in text:
            raise ValueError(f"{known.name} holds what is no URL")  # it may be a secret
    return texts


def _read_address(known: Known, raw: object) -> str:
    text = _text(known, raw)
    match = _ADDRESS.fullmatch(text)
    if not match or (match[1] and not _DOMAIN.fullmatch(match[1][1:])):
        raise ValueError(f"{known.name}: {text[:60]!r} is no mail address like ops@example.com")
    return text


def _read_addresses(known: Known, raw: object) -> list[str]:
    return [_read_address(known, text) for text in _texts(known, raw)]


def _read_smtp(known: Known, raw: object) -> str:
    text = _text(known, raw)
    split_smtp(text)
    return text


def _read_preset(known: Known, raw: object) -> str:
    name = _text(known, raw)
    if name not in PRESET_NAMES:
        names = ", ".join(PRESET_NAMES)
        raise ValueError(f"{known.name}: {name[:60]!r} is not one of {names}")
    return name


def _read_template(known: Known, raw: object) -> str:
    """Text of several lines; what of jinja2 it is shows when it is used, or checked."""
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError(f"{known.name} must be a text")
    return raw


def _read_flag(known: Known, raw: object) -> bool:
    # `radar config set` has texts.
    flag = {"true": True, "false": False}.get(str(raw).lower()) if not isinstance(raw, int) else raw
    if not isinstance(flag, bool):
        raise ValueError(f"{known.name} must be true or false")
    return flag


def _read_kinds(known: Known, raw: object) -> list[str]:
    kinds = _texts(known, raw)
    if strange := next((kind for kind in kinds if kind not in KINDS_TOLD), None):
        close = closest(strange, KINDS_TOLD)
        meant = f", did you mean {close!r}?" if close else ""
        names = ", ".join(KINDS_TOLD)
        raise ValueError(f"{known.name}: {strange[:60]!r} is not one of {names}{meant}")
    return kinds


def _read_globs(known: Known, raw: object) -> list[str]:
    globs = _texts(known, raw)
    if strange := next((glob for glob in globs if not _GLOB.fullmatch(glob)), None):
        raise ValueError(f"{known.name}: {strange[:60]!r} is no pattern of keys, like 'web-*'")
    return globs


def _read_quiet(known: Known, raw: object) -> list[str]:
    # What reads schedules takes longer to import than all the rest.
    from radar_cli.monitors.telling import read_quiet

    texts = _texts(known, raw)
    try:
        read_quiet(texts, "")
    except ValueError as error:
        raise ValueError(f"{known.name}: {error}") from None
    return texts


def _read_zone(known: Known, raw: object) -> str:
    from radar_cli.core.errors import UsageError
    from radar_cli.monitors.schedule import load_timezone

    try:
        return load_timezone(_text(known, raw)).key
    except UsageError as error:
        raise ValueError(f"{known.name}: {error.line()}") from None


_READERS: dict[str, Callable[[Known, object], Any]] = {
    "words": _read_words,
    "webhook": _read_webhook,
    "services": _read_services,
    "address": _read_address,
    "addresses": _read_addresses,
    "smtp": _read_smtp,
    "phrase": _text,
    "kinds": _read_kinds,
    "preset": _read_preset,
    "template": _read_template,
    "flag": _read_flag,
    "tags": _texts,
    "globs": _read_globs,
    "quiet": _read_quiet,
    "timezone": _read_zone,
}
