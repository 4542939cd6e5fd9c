"""Which value wins: the settings of one profile, each with its origin.

A flag wins over the environment, that over the person's file, that over the system's, that
over the default; a profile's own table wins over the top of the files. Two rules go beyond it:

1. A profile that was named on the command line and has a server or a key of its own is one
   connection: RADAR_SERVER doesn't take its place, or naming it would have no effect.
2. A key (and headers, which may hold one) goes to the server that it was set for and to no
   other: the server that the same source, or a weaker one, names. A key that stands in the
   environment with no server beside it goes to whichever is chosen.
"""

from radar_cli.config.files import locate
from radar_cli.config.layers import is_cronradar
from radar_cli.config.servers import default_protocol, is_same_server
from radar_cli.config.settings import CONNECTION, CREDENTIALS, SETTINGS, Setting
from radar_cli.core.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from radar_cli.config.layers import Layer
    from radar_cli.config.load import Config

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
