"""The channels that notices go through: the `[notify.NAME]` tables of both config files."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from radar_cli.config.channel_settings import (
    CHANNEL_KINDS,
    CHANNEL_SETTINGS,
    KINDS_OF_SETTING,
    NEEDS_TO,
    TOLD,
    TOLD_LATER,
    check_channel_name,
    read_channel_value,
    split_smtp,
)
from radar_cli.config.files import ConfigFile, locate
from radar_cli.config.layers import closest
from radar_cli.config.load import Config
from radar_cli.config.secrets import is_literal
from radar_cli.config.settings import Problem, Setting
from radar_cli.core.grammar import format_duration
from radar_cli.core.zone import local_zone

if TYPE_CHECKING:
    from radar_cli.monitors.telling import QuietHours

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
        """How long something must be so before it tells it."""
        return float(self.values.get("after", 0.0))

    @property
    def quiet(self) -> "QuietHours | None":
        """When it tells nothing, if it ever is quiet."""
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
        """Where the file is that the setting `key` names, "" for none."""
        return locate(self.values.get(key, ""), self.file, config.environ)

    def words(self, config: Config) -> list[str]:
        """The command's words; a program's path begins at the file, a bare name is in PATH."""
        program, *arguments = self.values["command"]
        if "/" in program:
            program = locate(program, self.file, config.environ)
        return [program, *arguments]

    def secret(self, key: str, config: Config) -> str:
        """What the setting `key` means, read now if it is `file:` or `cmd:`; SecretError."""
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
    from radar_cli.monitors.telling import read_quiet

    return read_quiet(texts, tz or local_zone() or "UTC")


def find_unheard(
    tables: Sequence[ChannelTable], monitors: Iterable[tuple[str, Collection[str]]]
) -> list[str]:
    """Return the keys of the monitors (each with its tags) whose going down no channel tells."""
    hearing = [table for table in tables if "down" in table.on and not table.fault]
    if any(not table.monitors and not table.tags for table in hearing):
        return []
    return [key for key, tags in monitors if not any(table.is_for(key, tags) for table in hearing)]


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
