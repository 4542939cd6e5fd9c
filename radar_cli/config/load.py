"""Loading the settings: `load(environ).profile(None, explicit=False)`."""

import os

from radar_cli.config.files import ConfigFile, UnreadableFileError, read_file
from radar_cli.config.layers import closest, read_environment, read_profiles, read_table
from radar_cli.config.profiles import Profile, resolve
from radar_cli.config.secrets import read_secret
from radar_cli.config.servers import check_server
from radar_cli.config.settings import DEFAULT_PROFILE, Problem, Setting
from radar_cli.core.errors import ConfigError
from radar_cli.core.places import system_config_file, user_config_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from radar_cli.config.layers import Layer


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
        """What a person should edit, a line each; nothing in it stops a ping."""
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
