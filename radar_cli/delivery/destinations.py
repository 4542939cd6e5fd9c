"""Destinations of pings: the embedded store, or one or more servers."""

import os

from radar_cli.core.places import system_config_file, user_config_file
from radar_cli.core.urls import Url
from radar_cli.model.ping import fingerprint
from radar_cli.outbox.spool import (
    STORE_FOLDER,
    UNRESOLVED,
    Outbox,
    Spool,
    folder_name,
    server_folder_name,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from radar_cli.model.ping import Ping
    from radar_cli.net.client import Link
    from radar_cli.settings.profiles import Config, Profile

_PLAIN_VARIABLES = frozenset(("RADAR_SERVER", "RADAR_API_KEY"))
_VARIABLES = _PLAIN_VARIABLES | frozenset(
    (
        "CRONRADAR_API_KEY",
        "CRONRADAR_BASE_URL",
        "RADAR_CA_FILE",
        "RADAR_HEADERS",
        "RADAR_HOST",
        "RADAR_PING_TIMEOUT",
        "RADAR_PROFILE",
        "RADAR_PROTOCOL",
        "RADAR_REDACT",
        "RADAR_TAIL",
        "RADAR_TZ",
    )
)

STORE = "store"
_WAITS = "pings wait in the outbox: "


class Destination:
    """One place for pings. `protocol` is radar, cronradar, store, or unresolved."""

    def __init__(
        self,
        protocol: str,
        *,
        server: str = "",
        profile: str = "",
        key: str = "",
        is_from_environment: bool = False,
        headers: dict[str, str] | None = None,
        ca_file: str = "",
        redact: "list[str] | None" = None,
        is_default: bool = True,
    ) -> None:
        self.protocol = protocol
        self.server = server
        self.profile = profile
        self.key = key
        self.headers = headers or {}
        self.redact = redact or []
        self._is_default = is_default  # no profile was named, this is the one for such pings
        self._is_from_environment = is_from_environment
        self._ca_file = ca_file

    @property
    def is_server(self) -> bool:
        """Whether pings leave this machine's store."""
        return self.protocol not in (STORE, UNRESOLVED)

    def address(self) -> dict[str, str]:
        """Return the address that a spooled ping carries; it never holds a key.

        Where no profile names the key, its fingerprint keeps pings of two accounts apart: 32 bits
        tell two keys apart and give neither away.
        """
        if self.protocol == STORE:
            return {}
        if self.protocol == UNRESOLVED:
            return {"unresolved": self.profile or "default"}
        if not self._is_from_environment:
            return {"server": self.server, "profile": self.profile}
        return {"server": self.server, "key": self.key and fingerprint(self.key.encode())}

    def accepts(self, address: dict[str, str]) -> bool:
        """Whether a spooled ping with this address goes here.

        A profile's pings follow it to another server, as a person who mends its URL wants.
        """
        if self.protocol == UNRESOLVED:
            return False
        if waits_for := address.get(UNRESOLVED):
            return waits_for == self.profile or (self._is_default and waits_for == "default")
        server, profile, key = (address.get(name) for name in ("server", "profile", "key"))
        if not self.is_server or not server:
            return not self.is_server and not server
        if profile and not self._is_from_environment:
            return profile == self.profile
        return server == self.server and key in (None, "", fingerprint(self.key.encode()))

    def may_hold(self, folder: str) -> bool:
        """Whether a folder of the outbox may have pings that this destination accepts."""
        if self.protocol == UNRESOLVED:
            return False
        if folder.startswith(UNRESOLVED):
            return folder == folder_name({UNRESOLVED: self.profile}) or (
                self._is_default and folder == folder_name({UNRESOLVED: "default"})
            )
        if not self.is_server:
            return folder == STORE_FOLDER
        own_profile = f"-p{fingerprint(self.profile.encode())}"
        if not self._is_from_environment and folder.endswith(own_profile):
            return True
        name = server_folder_name(self.server)
        whose = folder.removeprefix(name)
        if whose == folder:
            return False
        own_key = f"-k{fingerprint(self.key.encode())}"
        return whose in ("", own_key) or (self._is_from_environment and whose.startswith("-p"))

    def spools(self, outbox: Outbox) -> list[Spool]:
        """The folders in which pings for this destination may wait, its own first."""
        own = folder_name(self.address())
        names = [name for name in outbox.folder_names() if self.may_hold(name)]
        return [outbox.spool(name) for name in sorted(names, key=lambda name: name != own)]

    def link(self) -> "Link":
        """A new connection, not yet open. ValueError: the URL or its proxy is none."""
        from radar_cli.net.client import Link

        url, proxy = Url(self.server), None
        if any(name.lower().endswith("_proxy") for name in os.environ):
            from radar_cli.net.proxies import proxy_for

            proxy = proxy_for(url, os.environ)
        return Link(url, proxy=proxy, ca_file=self._ca_file, environ=os.environ)


class Resolved:
    """The destinations of pings, what the config says about them, and what was wrong with it."""

    def __init__(self) -> None:
        self.destinations: list[Destination] = []
        self.warnings: list[str] = []
        self.host = ""
        self.tz = ""
        self.clock: dict[str, str] | None = None  # of the scheduler here, once it is known
        self.redact: list[str] = []
        self.tail_bytes: int | None = None
        self.ping_timeout_s: float | None = None
        self.secrets: list[str] = []
        self.waits_for = ""  # what may take long and has begun, in words

    def complete(self, ping: "Ping") -> None:
        """Add to a ping what only the config and this machine say."""
        if "schedule" in ping.fields and "tz" not in ping.fields:
            from radar_cli.core.zone import local_zone

            ping.fields["tz"] = self.tz or local_zone()
        if "schedule" in ping.fields:
            if self.clock is None:
                from radar_cli.core.zone import describe_clock

                self.clock = describe_clock(os.environ)
            # It is judged by what is declared, and its scheduler may go by another clock.
            ping.fields.update(self.clock)
        if "host" not in ping.fields:
            ping.fields["host"] = self.host or os.uname().nodename


def resolve(
    profiles: list[str],
    server: str | None,
    environ: "Mapping[str, str]",
    resolved: Resolved | None = None,
) -> Resolved:
    """Find the destinations for these profiles (none: the default one), or for this server.

    Never fails: what can't be known is an unresolved destination and a warning. Who gives
    `resolved`, which is then filled, sees from another thread what it waits for.
    """
    resolved = resolved or Resolved()
    simple = None if profiles or server else _from_variables_alone(environ)
    if simple is not None:
        resolved.destinations.append(simple)
        if simple.key:
            resolved.secrets.append(simple.key)
        return resolved

    try:
        _resolve_profiles(resolved, profiles, server, environ)
    except Exception as fault:  # noqa: BLE001 (whatever it is, the job goes on)
        resolved.warnings.append(f"pings are kept: {type(fault).__name__}: {fault}")
        resolved.destinations = unresolved(profiles, environ)
    return resolved


def plain_destination(profile: str, environ: "Mapping[str, str]") -> Destination | None:
    """The destination if plain variables alone name it, or nothing does; None: the config says."""
    return None if profile else _from_variables_alone(environ)


def _is_there(path: str) -> bool:
    """Whether there is something at `path`, or something that hides it."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _from_variables_alone(environ: "Mapping[str, str]") -> Destination | None:
    """The destination where there is no config file, and plain variables or none; else None.

    The same as the way through `radar_cli.settings.profiles` (a test holds them together),
    without its 2 ms: this is how most machines run most of their jobs.
    """
    named = [name for name in environ if name in _VARIABLES]
    if not _PLAIN_VARIABLES.issuperset(named):
        return None
    if _is_there(user_config_file(environ)) or _is_there(system_config_file(environ)):
        return None
    server, key = environ.get("RADAR_SERVER", ""), environ.get("RADAR_API_KEY", "")
    if not server and not named:
        return Destination(STORE, profile="default")
    # Anything but the plainest URL is read with more care.
    try:
        url = Url(server)
    except ValueError:
        return None
    if url.text != server or url.userinfo or url.path:
        return None
    if not key or ":" in key or " " in key or not (key.isascii() and key.isprintable()):
        return None
    if url.host in ("cron.life", "cronradar.io"):
        return None
    return Destination("radar", server=server, profile="default", key=key, is_from_environment=True)


def _resolve_profiles(
    resolved: Resolved, profiles: list[str], server: str | None, environ: "Mapping[str, str]"
) -> None:
    """Add to `resolved` what the config says of these profiles, or of the default one."""
    flags = {"server": server} if server else {}
    from radar_cli.core.errors import ConfigError
    from radar_cli.settings.profiles import load

    try:
        config = load(environ)
    except ConfigError as error:
        resolved.warnings.append(_WAITS + error.line())
        if profiles or not (flags or _names_server(environ)):
            resolved.destinations = unresolved(profiles, environ)
            return
        # The environment alone says it all.
        config = load({**environ, "RADAR_CONFIG": os.devnull, "RADAR_SYSTEM_CONFIG": os.devnull})
    for name in dict.fromkeys(profiles) if profiles else (None,):
        _add(resolved, config, name, flags, environ)
    # The one that stands in the way has been named.
    named = tuple(words.removeprefix(_WAITS).partition(" (see ")[0] for words in resolved.warnings)
    resolved.warnings += [words for words in config.warnings if not words.startswith(named)]


def _add(
    resolved: Resolved,
    config: "Config",
    name: str | None,
    flags: dict[str, str],
    environ: "Mapping[str, str]",
) -> None:
    from radar_cli.core.errors import ConfigError

    try:
        profile = config.profile(name, explicit=name is not None, flags=flags)
        destination = _destination(profile, resolved, is_default=name is None)
    except ConfigError as error:
        resolved.warnings.append(_WAITS + error.line())
        resolved.destinations += unresolved([name] if name else [], environ)
        return
    resolved.destinations.append(destination)
    resolved.host = resolved.host or profile.host
    resolved.tz = resolved.tz or profile.tz
    resolved.redact += profile.redact
    if resolved.tail_bytes is None:
        resolved.tail_bytes = profile.tail_bytes
    if resolved.ping_timeout_s is None:
        resolved.ping_timeout_s = profile.ping_timeout_s


def _destination(profile: "Profile", resolved: Resolved, *, is_default: bool) -> Destination:
    if not profile.server:
        return Destination(
            STORE, profile=profile.name, redact=profile.redact, is_default=is_default
        )
    from radar_cli.core.errors import ConfigError

    key = ""
    setting = profile.setting("api_key")
    if str(setting.value).startswith(("cmd:", "file:")):
        resolved.waits_for = f"api_key from {setting.value!r} (set in {setting.origin})"
    try:
        key = profile.api_key()
    except ConfigError as error:
        resolved.warnings.append(error.line())
    resolved.waits_for = ""
    if profile.headers:
        from radar_cli.core.credentials import secrets_in_headers

        resolved.secrets += secrets_in_headers(profile.headers)
    if key:
        resolved.secrets.append(key)
    else:
        resolved.warnings += profile.notes
    return Destination(
        profile.protocol,
        server=profile.server.rstrip("/"),
        profile=profile.name,
        key=key,
        is_from_environment=profile.setting("server").origin.startswith(("environment", "option")),
        headers=profile.headers,
        ca_file=profile.ca_file,
        redact=profile.redact,
        is_default=is_default,
    )


def _names_server(environ: "Mapping[str, str]") -> bool:
    return bool(environ.get("RADAR_SERVER") or environ.get("CRONRADAR_API_KEY"))


def unresolved(profiles: list[str], environ: "Mapping[str, str]") -> list[Destination]:
    """Return stand-ins for the destinations of these profiles while those aren't known."""
    names = profiles or [environ.get("RADAR_PROFILE", "")]
    return [Destination(UNRESOLVED, profile=name) for name in dict.fromkeys(names)]
