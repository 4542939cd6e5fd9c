"""Where pings go as the config has it: the long way of `destinations.resolve`."""

import os

from radar_cli.config.load import load
from radar_cli.core.errors import ConfigError
from radar_cli.delivery.destinations import STORE, Destination, Resolved, unresolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from radar_cli.config.load import Config
    from radar_cli.config.profiles import Profile

_WAITS = "pings wait in the outbox: "


def resolve_profiles(
    resolved: Resolved, profiles: list[str], server: str | None, environ: "Mapping[str, str]"
) -> None:
    """Add to `resolved` what the config says of these profiles, or of the default one."""
    flags = {"server": server} if server else {}
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
