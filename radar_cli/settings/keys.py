"""The keys of `radar config`, and their values as they are shown to a person.

Keys are such as `server`, `headers.X-Team`, `profiles.work.server` and `notify.…`; what is shown
has its defaults filled in and its secrets hidden.
"""

import tomllib
from dataclasses import dataclass
from typing import Any

from radar_cli.core.errors import ConfigError
from radar_cli.settings.channels import CHANNEL_SETTINGS, check_channel_name
from radar_cli.settings.profiles import closest
from radar_cli.settings.secrets import is_literal
from radar_cli.settings.table import DEFAULT_PROFILE, PROFILE_SETTINGS, SETTINGS, Known, Setting
from radar_cli.settings.values import read_value


class UnknownKeyError(ConfigError):
    """A key that radar has no setting for."""

    slug = "unknown-key"


@dataclass(frozen=True, slots=True)
class Key:
    """A setting, of a profile, of a channel or of the top, and perhaps one header in it."""

    profile: str | None
    setting: Known | None  # None: the whole profile or channel
    header: str | None = None
    channel: str | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """Its path in a config file."""
        parts = [] if self.profile in (None, DEFAULT_PROFILE) else ["profiles", str(self.profile)]
        parts += [] if self.channel is None else ["notify", self.channel]
        parts += [self.setting.name] if self.setting else []
        return (*parts, *([self.header] if self.header is not None else []))

    @property
    def text(self) -> str:
        """The key as it is written in TOML."""
        import tomlkit

        return ".".join(tomlkit.key(name).as_string() for name in self.path)


def parse_key(text: str, profile: str | None) -> Key:
    """Read a key; `profile` is that of a `--profile` option. Raises UnknownKeyError."""
    parts = _split(text)
    if parts[0] == "notify":
        return _parse_channel_key(text, parts[1:], profile)
    if parts[0] == "profiles" and len(parts) > 1:
        if profile not in (None, parts[1]):
            raise UnknownKeyError(f"{text!r} is no key of profile {profile!r}", "leave one out")
        profile = parts[1]
        parts = parts[2:]
    if not parts:
        return Key(profile, None)
    names = tuple(SETTINGS) if profile is None else PROFILE_SETTINGS
    name = parts[0]
    if name not in names:
        close = closest(name, names)
        if name == "profile":
            hint = "'profile' belongs to no profile: leave --profile out"
        elif close:
            hint = f"did you mean {close!r}?"
        else:
            hint = f"there is {', '.join(names)}"
        raise UnknownKeyError(f"no setting {name!r}", hint)
    known = SETTINGS[name]
    return Key(profile, known, _find_header(text, known, parts[1:]))


def _parse_channel_key(text: str, parts: tuple[str, ...], profile: str | None) -> Key:
    """Read what stands behind `notify`: a channel, and one of its settings."""
    if profile is not None:
        raise UnknownKeyError(f"{text!r} belongs to no profile", "leave --profile out")
    if not parts:
        raise UnknownKeyError(f"no setting {text!r}", "name a channel, as in notify.NAME.webhook")
    try:
        name = check_channel_name(parts[0])
    except ValueError as error:
        raise UnknownKeyError(str(error)) from None
    if len(parts) == 1:
        return Key(None, None, channel=name)
    known = CHANNEL_SETTINGS.get(parts[1])
    if known is None:
        close = closest(parts[1], CHANNEL_SETTINGS)
        hint = f"did you mean {close!r}?" if close else f"there is {', '.join(CHANNEL_SETTINGS)}"
        raise UnknownKeyError(f"no setting {parts[1]!r} of a channel", hint)
    return Key(None, known, _find_header(text, known, parts[2:]), name)


def _find_header(text: str, known: Known, below: tuple[str, ...]) -> str | None:
    """Find what stands below a setting: one header, or nothing."""
    if not below:
        return None
    if len(below) == 1 and known.kind == "headers":
        return below[0]
    raise UnknownKeyError(f"no setting {text!r}", f"{known.name!r} has nothing below it")


def _split(text: str) -> tuple[str, ...]:
    """Return the parts of a dotted key, whose parts may be quoted as in TOML."""
    try:
        if "\n" in text or "=" in text or "#" in text:
            raise ValueError
        node: Any = tomllib.loads(f"{text} = 0")
    except ValueError:
        raise UnknownKeyError(
            f"bad key {text[:60]!r}", "a key is written like server or profiles.work.server"
        ) from None
    parts = []
    while isinstance(node, dict):
        ((part, node),) = node.items()
        parts.append(part)
    return tuple(parts)


MASK_SHOWS_FROM = 16  # characters: of a shorter key nothing is shown


def effective_value(known: Known, setting: Setting) -> Any:
    """Return a setting's value or, where nothing sets it, what radar does by default."""
    if setting.origin == "default" and known.default:
        return read_value(known, known.default)
    return setting.value


def masked_value(known: Known, value: Any) -> Any:
    """Return a value with its secrets hidden: enough of a key stays to recognise it."""
    if known.kind in ("secret", "phrase") and is_literal(value):
        return mask(str(value))
    if known.kind == "webhook":
        return mask_url(str(value))
    if known.kind == "services" and isinstance(value, list):
        return [mask_url(url) for url in value]
    if known.kind == "headers" and isinstance(value, dict):
        return {name: mask(text) for name, text in value.items()}
    return value


def mask(secret: str) -> str:
    """Return a key as `ck_a…3f`."""
    return f"{secret[:4]}…{secret[-2:]}" if len(secret) >= MASK_SHOWS_FROM else "…"


def mask_url(url: str) -> str:
    """Return a URL that may be a secret as `https://chat.example/…`; of a service, its name."""
    if not is_literal(url):
        return url
    scheme, _, rest = url.strip().partition("://")
    if scheme not in ("http", "https"):
        return f"{scheme}://…"
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    return f"{scheme}://{host}" + ("/…" if rest.partition("/")[2] or "?" in rest else "")


def written_value(known: Known, value: Any, separator: str = "\n") -> str:
    """Return a value as a person would write it; `separator` stands between several."""
    if value is None:
        return ""
    if known.kind == "duration" and isinstance(value, float):
        return f"{value:g}s"
    if isinstance(value, dict):
        return separator.join(f"{name}: {text}" for name, text in value.items())
    if isinstance(value, list):
        return separator.join(value)
    return str(value)


def or_null(value: Any) -> Any:
    """Return a value as JSON has it, where a setting that isn't set is null."""
    return None if value in ("", [], {}) else value
