"""The channels that notices go through: the `[notify.NAME]` tables of both config files."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import SplitResult, unquote, urlsplit

from radar_cli.core.grammar import format_duration
from radar_cli.core.zone import local_zone
from radar_cli.settings.files import ConfigFile, locate
from radar_cli.settings.profiles import Config, closest
from radar_cli.settings.secrets import is_literal
from radar_cli.settings.table import Known, Problem, Setting
from radar_cli.settings.values import read_value

if TYPE_CHECKING:
    from radar_cli.model.notice_timing import QuietHours


# Without these a channel works all the same, and tells more than it was asked to.
_NEEDLESS = ("on", "tags", "monitors", "after", "quiet", "tz")
_SECRETS = ("secret", "password", "apprise", "to")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ChannelTable:
    """One `[notify.NAME]` table: its kind, and its values as `read_channel_value` has them.

    With a `fault` nothing can be sent through it until a person has edited the file.
    """

    name: str
    file: ConfigFile
    kind: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    @property
    def on(self) -> tuple[str, ...]:
        """The kinds of notices that it tells."""
        return tuple(self.values.get("on", TOLD_LATER if self.after_s else TOLD))

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the monitors that it is for; none: it is for all."""
        return tuple(self.values.get("tags", ()))

    @property
    def monitors(self) -> tuple[str, ...]:
        """Patterns of the keys that it is for; none: it is for all."""
        return tuple(self.values.get("monitors", ()))

    @property
    def after_s(self) -> float:
        """The seconds for which something must be so before the channel tells it."""
        return float(self.values.get("after", 0.0))

    @property
    def quiet(self) -> "QuietHours | None":
        """Return when it tells nothing, if it ever is quiet."""
        if "quiet" not in self.values:
            return None
        return _read_quiet(tuple(self.values["quiet"]), self.values.get("tz", ""))

    @property
    def is_alone(self) -> bool:
        """Whether each of its notices is of one change of one monitor."""
        return not self.values.get("together", True)

    def hears(self, kind: str, tags: Collection[str], key: str = "") -> bool:
        """Whether it is to tell of a notice of this kind about a monitor with these tags."""
        return kind == "test" or (kind in self.on and self.is_for(key, tags))

    def is_for(self, key: str, tags: Collection[str]) -> bool:
        """Whether it is for a monitor."""
        if self.monitors and not any(fnmatchcase(key, pattern) for pattern in self.monitors):
            return False
        return not self.tags or not set(self.tags).isdisjoint(tags)

    def describe_rules(self) -> list[str]:
        """Return what it leaves out or holds back, in words."""
        rules = []
        if self.monitors:
            rules.append(f"monitors {' '.join(self.monitors)}")
        if self.tags:
            rules.append(f"tags {' '.join(self.tags)}")
        if self.after_s:
            rules.append(f"after {format_duration(self.after_s)}")
        if (quiet := self.quiet) is not None:
            rules.append(f"quiet {', '.join(self.values['quiet'])} ({quiet.tz})")
        if self.is_alone:
            rules.append("one by one")
        return rules

    def path(self, key: str, config: Config) -> str:
        """Return the path of the file that the setting `key` names, "" for none."""
        return locate(self.values.get(key, ""), self.file, config.environ)

    def words(self, config: Config) -> list[str]:
        """The command's words; a program's path begins at the file, a bare name is in PATH."""
        program, *arguments = self.values["command"]
        if "/" in program:
            program = locate(program, self.file, config.environ)
        return [program, *arguments]

    def secret(self, key: str, config: Config) -> str:
        """Read the secret behind the setting `key`, now if it is `file:` or `cmd:`; SecretError."""
        return "\n".join(self.secrets(key, config))

    def secrets(self, key: str, config: Config) -> list[str]:
        """The same for a list. SecretError; may take 10 s for each."""
        value = self.values.get(key, [])
        name = f"notify.{self.name}.{key}"
        return [
            config.secret(Setting(text, self.file.path, source=self.file), name, is_word=False)
            for text in ([value] if isinstance(value, str) else value)
        ]


def read_channels(config: Config) -> list[ChannelTable]:
    """Return the channels of both files, the person's own first and over the system's.

    What a person should edit is added to the config's problems.
    """
    channels: dict[str, ChannelTable] = {}
    for file in config.files:
        tables = file.values.get("notify", {})
        if not isinstance(tables, dict):
            problem = Problem(
                file.path, ("notify",), "notify must be tables", "write [notify.NAME]"
            )
            config.problems.append(problem)
            continue
        for name, raw in tables.items():
            table = _Reader(file, name, config).read(raw)
            channels.setdefault(name, table)
    return list(channels.values())


@lru_cache(256)  # it is asked for with each notice
def _read_quiet(texts: tuple[str, ...], tz: str) -> "QuietHours":
    from radar_cli.model.notice_timing import read_quiet

    return read_quiet(texts, tz or local_zone() or "UTC")


def find_unheard(
    tables: Sequence[ChannelTable], monitors: Iterable[tuple[str, Collection[str]]]
) -> Iterator[str]:
    """Find the keys of the monitors (each with its tags) whose going down no channel tells."""
    hearing = [table for table in tables if "down" in table.on and not table.fault]
    # Where one hears of all of them, none needs to be looked at.
    if not any(not table.monitors and not table.tags for table in hearing):
        for key, tags in monitors:
            if not any(table.is_for(key, tags) for table in hearing):
                yield key


class _Reader:
    """Reads one table, and keeps what is wrong with it."""

    def __init__(self, file: ConfigFile, name: str, config: Config) -> None:
        self.file = file
        self.name = name
        self.problems = config.problems
        self.fault = ""

    def read(self, raw: object) -> ChannelTable:
        if not isinstance(raw, dict):
            self._fail("must be a table", hint="write [notify.NAME]")
            return self._result("", {})
        try:
            check_channel_name(self.name)
        except ValueError as error:
            self._fail(str(error))
        values = self._read_values(raw)
        kinds = [kind for kind in CHANNEL_KINDS if kind in raw]
        kind = kinds[0] if len(kinds) == 1 else ""
        if not kinds:
            hint = "did you mean 'webhook'?" if "url" in raw else ""
            self._fail(f"needs one of {', '.join(CHANNEL_KINDS)}", hint=hint)
        elif not kind:
            self._fail(f"has {' and '.join(kinds)}", hint="a channel has one of them: make two")
        else:
            self._look_at(kind, values)
        return self._result(kind, values)

    def _read_values(self, raw: dict[str, object]) -> dict[str, Any]:
        values = {}
        for key, item in raw.items():
            known = CHANNEL_SETTINGS.get(key)
            if known is None:
                close = closest(key, CHANNEL_SETTINGS)
                hint = f"did you mean {close!r}?" if close else f"there is {_list_settings()}"
                message = f"unknown key 'notify.{self.name}.{key}'"
                self.problems.append(Problem(self.file.path, self._key(key), message, hint))
                continue
            try:
                values[key] = read_channel_value(known, item)
            except ValueError as error:
                if key in _NEEDLESS:
                    self._warn(key, str(error), "ignored until it is edited")
                else:
                    self._fail(str(error), key)
        return values

    def _look_at(self, kind: str, values: dict[str, Any]) -> None:
        """Find what makes no sense together."""
        for key in values:
            if kind not in KINDS_OF_SETTING.get(key, (kind,)):
                self._warn(key, f"{key} means nothing to a channel of kind {kind}", "remove it")
        if not self.file.is_private() and any(_holds_secret(values, key) for key in _SECRETS):
            self._warn("", "holds a key and others can read it", f"chmod 600 {self.file.path}")
        runs = "command" if kind == "command" else "sendmail"
        if runs in values and (distrust := self.file.distrust()):
            why, hint = distrust
            self._fail(f"{runs} is not run: {why}", runs, hint)
        if kind == "email":
            self._look_at_email(values)
        preset = values.get("preset", "")
        if preset in NEEDS_TO and "to" not in values:
            what = "the chat's id" if preset == "telegram" else "the service's routing key"
            self._fail(f"{preset} needs to", hint=f"add to = '...', {what}")
        if "tz" in values and "quiet" not in values:
            self._warn("tz", "tz means nothing without quiet", "add quiet = ['22:00-07:00']")

    def _look_at_email(self, values: dict[str, Any]) -> None:
        if "smtp" not in values:
            if "password" in values:
                self._warn("password", "password has no user", "add smtp = 'smtps://USER@HOST'")
            return
        scheme, user, host, _ = split_smtp(values["smtp"])
        if "sendmail" in values:
            self._fail("has smtp and sendmail", hint="remove one of them")
        if "from" not in values and "@" not in user:
            self._fail("smtp needs from", hint="add from = 'radar@example.com'")
        if bool(user) != ("password" in values):
            self._fail("a user in smtp and a password need one another", "smtp")
        if user and scheme == "smtp" and host not in _LOOPBACK:
            hint = "use smtp+starttls:// or smtps://"
            self._fail("smtp would send the password for all to read", "smtp", hint)

    def _result(self, kind: str, values: dict[str, Any]) -> ChannelTable:
        return ChannelTable(self.name, self.file, kind, values, self.fault)

    def _key(self, key: str) -> tuple[str, ...]:
        return ("notify", self.name, key) if key else ("notify", self.name)

    def _warn(self, key: str, message: str, hint: str = "") -> None:
        text = f"notify.{self.name}: {message}"
        self.problems.append(Problem(self.file.path, self._key(key), text, hint))

    def _fail(self, message: str, key: str = "", hint: str = "") -> None:
        self.fault = self.fault or message
        self._warn(key, message, hint or "nothing is sent through it until it is edited")


def _holds_secret(values: dict[str, Any], key: str) -> bool:
    value = values.get(key, "")
    return any(map(is_literal, [value] if isinstance(value, str) else value))


def _list_settings() -> str:
    return ", ".join(CHANNEL_SETTINGS)


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
        Known("on", "kinds", "the changes that it sends: down, up, late, fault", "down, up, fault"),
        Known("tags", "tags", "only monitors with one of these tags"),
        Known("monitors", "globs", "only monitors with such keys: web-*"),
        Known("after", "duration", "send only what is still so after this long"),
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
# Those services that want a body of their own (notify/webhook.py), and which need `to`.
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


def _check_quiet(known: Known, raw: object) -> list[str]:
    # What reads schedules takes longer to import than all the rest.
    from radar_cli.model.notice_timing import read_quiet

    texts = _texts(known, raw)
    try:
        read_quiet(texts, "")
    except ValueError as error:
        raise ValueError(f"{known.name}: {error}") from None
    return texts


def _read_zone(known: Known, raw: object) -> str:
    from radar_cli.core.errors import UsageError
    from radar_cli.model.schedule import load_timezone

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
    "quiet": _check_quiet,
    "timezone": _read_zone,
}
