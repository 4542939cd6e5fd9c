"""The settings of a profile: `load(environ).profile(None, explicit=False)`.

Options override the environment, that the person's config file, that the machine's, and that the
defaults. Each value knows its origin.
"""

import os

from radar_cli.core.errors import ConfigError
from radar_cli.core.places import system_config_file, user_config_file
from radar_cli.settings.files import ConfigFile, UnreadableFileError, locate, read_file
from radar_cli.settings.secrets import is_literal, read_secret
from radar_cli.settings.table import (
    CONNECTION,
    CREDENTIALS,
    DEFAULT_PROFILE,
    PROFILE_SETTINGS,
    SETTINGS,
    TABLES,
    Problem,
    Setting,
)
from radar_cli.settings.values import (
    CRONRADAR_URL,
    check_server,
    default_protocol,
    from_text,
    is_same_server,
    read_value,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Layer = dict[str, Setting]


_EMPTY: "dict[str, Any]" = {
    "server": "",
    "api_key": "",
    "ca_file": "",
    "headers": {},
    "host": "",
    "redact": [],
    "tz": "",
}


class Profile:
    """The settings in force for one profile; an empty `server` is the embedded store."""

    __slots__ = (
        "_config",
        "_settings",
        "ca_file",
        "headers",
        "host",
        "name",
        "notes",
        "ping_timeout_s",
        "protocol",
        "redact",
        "server",
        "tail_bytes",
        "tz",
    )

    def __init__(
        self, name: str, settings: "dict[str, Setting]", notes: "list[str]", config: "Config"
    ) -> None:
        value: dict[str, Any] = {key: setting.value for key, setting in settings.items()}
        self.name = name
        self.server: str = value["server"]
        self.protocol: str = value["protocol"]
        self.ca_file = locate(value["ca_file"], settings["ca_file"].source, config.environ)
        self.headers: dict[str, str] = dict(value["headers"])
        self.host: str = value["host"]
        self.ping_timeout_s: float | None = value["ping_timeout"]
        self.tail_bytes: int | None = value["tail"]
        self.redact: list[str] = list(value["redact"])
        self.tz: str = value["tz"]
        # Why a key that exists is not used: the hint to show when a server refuses a ping.
        self.notes = notes
        self._settings = settings
        self._config = config

    def api_key(self) -> str:
        """Return the key for the server, or "": read now, if it is `file:` or `cmd:`.

        Raises SecretError; may take 10 s.
        """
        return self._config.secret(self._settings["api_key"])

    def setting(self, name: str) -> Setting:
        """One setting with its origin; the value of `api_key` is as it was written."""
        return self._settings[name]

    def check(self) -> None:
        """Raise ConfigError if it can't be known where or how this profile's pings go."""
        for name in ("server", "protocol"):
            setting = self._settings[name]
            if setting.error:
                raise ConfigError(f"{setting.origin}: {setting.error}", "see 'radar config check'")


class Sources:
    """The layers that one profile is made of: its own tables, and the tops of the files."""

    __slots__ = ("base", "environment", "flags", "own", "pinned")

    def __init__(
        self, config: "Config", name: str, flags: "Layer", *, explicit: bool, from_variable: bool
    ) -> None:
        self.flags = flags
        self.environment = config.environment
        self.own, self.base = config.tables(name)
        # Rule 1. Variables meant for CronRadar's SDK don't outweigh RADAR_PROFILE either.
        named = explicit or (from_variable and is_cronradar(config.environment))
        self.pinned = named and any("server" in layer or "api_key" in layer for layer in self.own)

    def order(self, name: str) -> "list[Layer]":
        """Return the layers to look for a setting in, the strongest first."""
        if not (self.pinned and name in CONNECTION):
            return [self.flags, self.environment, *self.own, *self.base]
        if name == "server":
            return [self.flags, *self.own, *self.base, self.environment]
        return [self.flags, *self.own, self.environment, *self.base]

    def owner(self, layer: "Layer") -> Setting | None:
        """Return the server that the connection settings of `layer` were set for (rule 2)."""
        files = [*self.own, *self.base]
        for position, other in enumerate(files):
            if other is layer:
                return _first(files[position:], "server")
        return layer.get("server")

    def may_use(self, name: str, layer: "Layer", server: Setting) -> bool:
        """Whether the connection setting `name` of `layer` is meant for `server`."""
        owner = self.owner(layer)
        if owner is None and (layer is self.environment or name not in CREDENTIALS):
            return True
        # A file's key without a server beside it was set for the store of this machine.
        return is_same_server("" if owner is None else str(owner.value), str(server.value))


def resolve(
    config: "Config", name: str, flags: "Layer", *, explicit: bool, from_variable: bool
) -> Profile:
    """Return the profile `name`, which exists; nothing is checked."""
    sources = Sources(config, name, flags, explicit=explicit, from_variable=from_variable)
    server = _first(sources.order("server"), "server") or Setting("")
    settings = {"server": server}
    notes = []
    for key in SETTINGS:
        if key in ("server", "profile"):
            continue
        for layer in sources.order(key):
            if key not in layer:
                continue
            if key not in CONNECTION or sources.may_use(key, layer, server):
                settings[key] = layer[key]
                break
            if key in CREDENTIALS and server.value:
                notes.append(
                    f"{key} from {layer[key].origin}, set for another server, "
                    f"not sent to {server.value}"
                )
        else:
            settings[key] = Setting(
                default_protocol(str(server.value)) if key == "protocol" else _EMPTY.get(key)
            )
    return Profile(name, settings, notes, config)


def _first(layers: "list[Layer]", name: str) -> Setting | None:
    for layer in layers:
        if name in layer:
            return layer[name]
    return None


# A server or protocol that can't be read is kept, with its error: a ping must not go to the
# store of this machine, or in another protocol, because of a typo. The rest has good defaults.
_KEPT_WHEN_BAD = ("server", "protocol", "api_key")


def read_environment(environ: "Mapping[str, str]", problems: "list[Problem]") -> "Layer":
    """Return the settings in the environment; an empty variable is one that isn't set."""
    layer: Layer = {}
    for known in SETTINGS.values():
        if text := environ.get(known.variable):
            origin = f"environment {known.variable}"
            _add(layer, known.name, text, problems, origin=origin)
    if environ.get("CRONRADAR_API_KEY") and "server" not in layer and "api_key" not in layer:
        _add_cronradar(layer, environ, problems)
    return layer


def _add_cronradar(layer: "Layer", environ: "Mapping[str, str]", problems: "list[Problem]") -> None:
    """CronRadar's own variables: with nothing else they mean its own service."""
    key_origin = "environment CRONRADAR_API_KEY"
    base = environ.get("CRONRADAR_BASE_URL")
    origin = "environment CRONRADAR_BASE_URL" if base else key_origin
    _add(layer, "server", base or CRONRADAR_URL, problems, origin=origin)
    _add(layer, "api_key", environ["CRONRADAR_API_KEY"], problems, origin=key_origin)
    layer["protocol"] = Setting("cronradar", key_origin)


def is_cronradar(environment: "Layer") -> bool:
    """Whether the server comes from CronRadar's variables rather than from radar's."""
    server = environment.get("server")
    return server is not None and server.origin.startswith("environment CRONRADAR_")


def read_table(
    file: ConfigFile,
    table: "dict[str, object]",
    where: "tuple[str, ...]",
    problems: "list[Problem]",
) -> "Layer":
    """Return the settings in one table of a file: the top of it, or `[profiles.NAME]`."""
    layer: Layer = {}
    names = PROFILE_SETTINGS if where else (*SETTINGS, *TABLES)
    for name, raw in table.items():
        if name not in names:
            hint = _suggestion(name, names, where)
            key = (*where, name)
            problems.append(Problem(file.path, key, f"unknown key {'.'.join(key)!r}", hint))
        elif name in SETTINGS:
            _add(layer, name, raw, problems, origin=file.path, source=file, where=where)
    key_setting = layer.get("api_key")
    if key_setting and is_literal(key_setting.value) and not file.is_private():
        problems.append(
            Problem(
                file.path,
                (*where, "api_key"),
                "holds a key and others can read it",
                f"chmod 600 {file.path}",
            )
        )
    return layer


def read_profiles(file: ConfigFile, problems: "list[Problem]") -> "dict[str, Layer]":
    """Return the `[profiles.NAME]` tables of a file."""
    tables = file.values.get("profiles", {})
    if not isinstance(tables, dict):
        problems.append(
            Problem(file.path, ("profiles",), "profiles must be tables", "write [profiles.NAME]")
        )
        return {}
    profiles = {}
    for name, table in tables.items():
        if isinstance(table, dict):
            profiles[name] = read_table(file, table, ("profiles", name), problems)
        else:
            hint = f"write [profiles.{name}], or move {name!r} above the first table"
            message = f"profiles.{name} must be a table"
            problems.append(Problem(file.path, ("profiles", name), message, hint))
    return profiles


def _add(
    layer: "Layer",
    name: str,
    raw: object,
    problems: "list[Problem]",
    *,
    origin: str,
    source: ConfigFile | None = None,
    where: "tuple[str, ...]" = (),
) -> None:
    """Read one value into `layer`, or say why it can't be used."""
    known = SETTINGS[name]
    try:
        if source is None and isinstance(raw, str):
            raw = from_text(known, raw)
        layer[name] = Setting(read_value(known, raw), origin, source=source)
    except ValueError as error:
        reason = str(error)
        if not reason.startswith(name):
            reason = f"{name}: {reason}"
        hint = "" if name in _KEPT_WHEN_BAD else "ignored until it is edited"
        if name == "profile" and isinstance(raw, dict):
            hint = "tables of settings are written [profiles.NAME]"
        problems.append(Problem(origin, (*where, name), reason, hint))
        if name in _KEPT_WHEN_BAD:
            layer[name] = Setting("", origin, error=reason, source=source)


def _suggestion(name: str, names: "Iterable[str]", where: "tuple[str, ...]") -> str:
    """Return what an unknown key was probably meant to be."""
    if where and name == "profile":
        return "'profile' belongs at the top of the file"
    if close := closest(name, names):
        return f"did you mean {close!r}?"
    return "'radar config list' shows the settings"


def closest(word: str, words: "Iterable[str]") -> str:
    """Return the word most like `word`, or "" if none is."""
    # Imports `re`: only a mistake pays for it.
    import difflib

    return next(iter(difflib.get_close_matches(word, list(words), 1)), "")


class UnknownProfileError(ConfigError):
    """A profile that no config file has."""

    slug = "unknown-profile"


class Config:
    """The settings of every source; `problems` grows as more of them is used."""

    __slots__ = ("_secrets", "_tables", "blocked", "environ", "environment", "files", "problems")

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self.environ = environ
        self.problems: list[Problem] = []
        self.environment: Layer = read_environment(environ, self.problems)
        self.files: list[ConfigFile] = []
        # Why the system's file could not be read, if this person may not read it.
        self.blocked: UnreadableFileError | None = None
        # For each file its top and its profiles, the person's file first.
        self._tables: list[tuple[Layer, dict[str, Layer]]] = []
        self._secrets: dict[tuple[str, object], str] = {}

    @property
    def warnings(self) -> list[str]:
        """Things that a person should edit, a line each; nothing in it stops a ping."""
        return [problem.line() for problem in self.problems]

    def add(self, file: ConfigFile) -> None:
        """Take a file in, below those that were added before."""
        self.files.append(file)
        top = read_table(file, file.values, (), self.problems)
        self._tables.append((top, read_profiles(file, self.problems)))

    def profile_names(self) -> list[str]:
        """Every profile, `default` first."""
        names = {name for _, profiles in self._tables for name in profiles}
        return [DEFAULT_PROFILE, *sorted(names - {DEFAULT_PROFILE})]

    def default_profile(self) -> Setting:
        """Return the name of the profile to use when none is named, with its origin."""
        for layer in (self.environment, *(top for top, _ in self._tables)):
            if "profile" in layer:
                return layer["profile"]
        return Setting(DEFAULT_PROFILE)

    def profile(
        self, name: str | None, *, explicit: bool, flags: "Mapping[str, str] | None" = None
    ) -> Profile:
        """Return the profile `name`, or the default one; `explicit` if a flag named it.

        `flags` may hold the `server` of a `--server` flag. Raises UnknownProfileError, and
        ConfigError when it can't be known where the profile's pings go.
        """
        profile = self.resolve(name, explicit=explicit, flags=flags)
        if self.blocked and profile.setting("server").origin == "default":
            raise self.blocked
        profile.check()
        return profile

    def resolve(
        self, name: str | None, *, explicit: bool, flags: "Mapping[str, str] | None" = None
    ) -> Profile:
        """As `profile`, but a server or protocol that makes no sense raises nothing."""
        chosen = self.default_profile() if name is None else Setting(name, "option --profile")
        known = self.profile_names()
        wanted = str(chosen.value)
        if wanted not in known:
            if self.blocked:
                raise self.blocked
            close = closest(wanted, known)
            hint = f"did you mean {close!r}?" if close else f"there is {', '.join(known)}"
            where = "" if name is not None else f", named by {chosen.origin}"
            raise UnknownProfileError(f"no profile {wanted!r}{where}", hint)
        return resolve(
            self,
            wanted,
            _flag_layer(flags or {}),
            explicit=explicit and name is not None,
            from_variable=name is None and chosen.origin.startswith("environment "),
        )

    def tables(self, name: str) -> "tuple[list[Layer], list[Layer]]":
        """Return the tables that are the profile's own, and those that it falls back to."""
        own = [profiles[name] for _, profiles in self._tables if name in profiles]
        tops = [top for top, _ in self._tables]
        # The tops of the files are the profile called `default`.
        return ([*own, *tops], []) if name == DEFAULT_PROFILE else (own, tops)

    def secret(self, setting: Setting, name: str = "api_key", *, is_word: bool = True) -> str:
        """Return the key that a setting means, read once however many pings need it."""
        identity = (setting.origin, setting.value)
        if identity not in self._secrets:
            self._secrets[identity] = read_secret(
                setting, self.environ, self.problems, name, is_word=is_word
            )
        return self._secrets[identity]


def load(environ: "Mapping[str, str]") -> Config:
    """Read the environment and both config files.

    Raises BrokenFileError or UnreadableFileError. That this person may not read the system's
    file is an error only for a profile whose server nothing else names: a file with root's
    keys in it must not stop others from using radar.
    """
    config = Config(environ)
    user_path = user_config_file(environ)
    system_path = system_config_file(environ)
    if file := read_file(user_path):
        config.add(file)
    if not _is_same_file(user_path, system_path):
        try:
            if file := read_file(system_path):
                config.add(file)
        except UnreadableFileError as error:
            config.blocked = error
            config.problems.append(Problem(system_path, (), "can't be read", error.hint))
    return config


def _is_same_file(one: str, other: str) -> bool:
    """Whether RADAR_CONFIG names the system's own file, which would have its problems twice."""
    return os.path.normpath(one) == os.path.normpath(other)


def _flag_layer(flags: "Mapping[str, str]") -> "Layer":
    layer: Layer = {}
    for name, value in flags.items():
        origin = f"option --{name}"
        try:
            layer[name] = Setting(check_server(value) if name == "server" else value, origin)
        except ValueError as error:
            layer[name] = Setting("", origin, error=str(error))
    return layer
