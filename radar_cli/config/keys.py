"""The keys of `radar config`: `server`, `headers.X-Team`, `profiles.work.server`."""

import tomllib
from dataclasses import dataclass
from typing import Any

from radar_cli.config.layers import closest
from radar_cli.config.settings import DEFAULT_PROFILE, PROFILE_SETTINGS, SETTINGS, Known
from radar_cli.config.toml_text import render_key
from radar_cli.errors import ConfigError


class UnknownKeyError(ConfigError):
    """A key that radar has no setting for."""

    slug = "unknown-key"


@dataclass(frozen=True, slots=True)
class Key:
    """A setting, of a profile or of the top of the file, and perhaps one header in it."""

    profile: str | None
    setting: Known | None  # None: the whole profile
    header: str | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """Where it stands in a config file."""
        parts = [] if self.profile in (None, DEFAULT_PROFILE) else ["profiles", str(self.profile)]
        parts += [self.setting.name] if self.setting else []
        return (*parts, *([self.header] if self.header is not None else []))

    @property
    def text(self) -> str:
        """The key as it is written in TOML."""
        return render_key(self.path)


def parse_key(text: str, profile: str | None) -> Key:
    """Read a key; `profile` is that of a `--profile` option. Raises UnknownKeyError."""
    parts = _split(text)
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
    if len(parts) == 1:
        return Key(profile, known)
    if len(parts) == 2 and known.kind == "headers":
        return Key(profile, known, parts[1])
    raise UnknownKeyError(f"no setting {text!r}", f"{name!r} has nothing below it")


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
