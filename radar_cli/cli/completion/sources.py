"""The words that only this machine knows: monitors, profiles, channels, settings, timezones.

Nothing here writes, waits for a lock or has a program tell a secret; what can't be read offers
nothing. Only a server's own monitors are asked of it, within a second.
"""

import os
import time

from radar_cli.cli.completion.syntax import Offer, Values
from radar_cli.core.errors import RadarError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterable

    from radar_cli.settings.profiles import Profile

    # Takes the word to complete, and what stands before it.
    Source = Callable[[str, "Typed"], "Iterable[Offer]"]

# More than anybody reads; a store may hold a hundred thousand.
MOST_KEYS = 1000
# An outbox may have grown for weeks; the newest pings name the monitors that matter.
_SPOOL_TIME_S = 0.05
_ZONES = "/usr/share/zoneinfo/zone.tab"


class FilesWantedError(Exception):
    """The name of a file is wanted, which shells complete best."""


class Typed:
    """The words before the one to complete: arguments, and the last value of each option."""

    __slots__ = ("chosen", "named")

    def __init__(self) -> None:
        self.named: list[str] = []
        self.chosen: dict[str, str] = {}


def offer(values: Values, current: str, typed: Typed) -> "list[Offer]":
    """The words that `values` stand for. Raises FilesWantedError."""
    offers: list[Offer] = []
    for value in values:
        if value in SOURCES:
            offers += SOURCES[value](current, typed)
        elif not value.isupper():
            offers.append((value, ""))
    return offers


def find_monitors(current: str, typed: Typed) -> "Iterable[Offer]":
    """The keys of the server's or the store's monitors, and of the pings that wait to get there."""
    from radar_cli.core.places import state_directory

    directory = state_directory(os.environ)
    keys = set(_spooled_keys(directory))
    profile = _find_profile(typed.chosen)
    if profile is not None and profile.server:
        from radar_cli.cli.completion import servers

        if not current.strip("abcdefghijklmnopqrstuvwxyz0123456789-_."):
            keys.update(servers.read_keys(profile, current, MOST_KEYS))
    else:
        from radar_cli.store.completion_keys import read_keys

        keys.update(read_keys(directory, current, MOST_KEYS))
    return [(key, "") for key in sorted(keys)]


def _find_profile(chosen: "dict[str, str]") -> "Profile | None":
    """The profile that the options choose; None if it can't be known."""
    from radar_cli.settings.profiles import load

    name = chosen.get("--profile") or chosen.get("--to")
    flags = {"server": chosen["--server"]} if "--server" in chosen else {}
    try:
        return load(os.environ).resolve(name, explicit=name is not None, flags=flags)
    except (RadarError, ValueError):
        return None


def _spooled_keys(directory: str) -> "Iterable[str]":
    """The monitors of the newest pings in the spool, as many as can be read in a moment."""
    from radar_cli.outbox.claiming import peek
    from radar_cli.outbox.spool import REJECTED, WAITING, Outbox

    deadline = time.monotonic() + _SPOOL_TIME_S
    files = [
        (name, spool)
        for spool in Outbox(directory).spools()
        for name in spool.names(WAITING) + spool.names(REJECTED)
    ]
    for name, spool in sorted(files, key=lambda file: file[0], reverse=True):
        if time.monotonic() > deadline:
            return
        entry = peek(spool, name)
        if entry is not None:
            yield entry.ping.monitor


def find_profiles(_: str, __: Typed) -> "Iterable[Offer]":
    """The profiles of both config files; those of a broken file are unknown."""
    return [(name, "") for name in _profile_names()]


def find_channels(_: str, __: Typed) -> "Iterable[Offer]":
    """The channels of both config files."""
    from radar_cli.settings.profiles import load

    try:
        files = load(os.environ).files
    except RadarError:
        return []
    tables = [file.values.get("notify") for file in files]
    names = {name for table in tables if isinstance(table, dict) for name in table}
    return [(name, "") for name in sorted(names)]


def find_keys(current: str, typed: Typed) -> "Iterable[Offer]":
    """The settings; behind `profiles` or `notify` those of each one there, which are many."""
    from radar_cli.settings.table import PROFILE_SETTINGS, SETTINGS

    if current.startswith("notify"):
        from radar_cli.settings.channels import CHANNEL_SETTINGS

        return [
            (f"notify.{channel}.{known.name}", known.help)
            for channel, _ in find_channels(current, typed)
            for known in CHANNEL_SETTINGS.values()
        ]
    if not current.startswith("profiles"):
        return [(known.name, known.help) for known in SETTINGS.values()]
    return [
        (f"profiles.{profile}.{name}", SETTINGS[name].help)
        for profile in _profile_names()
        for name in PROFILE_SETTINGS
        if "." not in profile  # it would have to be quoted, for TOML and for the shell
    ]


def find_values(current: str, typed: Typed) -> "Iterable[Offer]":
    """The values that the setting before the word can have. Raises FilesWantedError."""
    from radar_cli.settings.table import PROTOCOLS, SETTINGS

    named = typed.named
    name = named[0].rpartition(".")[2] if named else ""
    known = SETTINGS.get(name)
    if named and named[0].startswith("notify."):
        from radar_cli.settings.channels import CHANNEL_SETTINGS, KINDS_TOLD

        known = CHANNEL_SETTINGS.get(name)
        if name == "on":
            return [(kind, "") for kind in KINDS_TOLD]
    if known is None:
        return []
    if known.kind == "path":
        raise FilesWantedError
    if known.kind == "protocol":
        return [(protocol, "") for protocol in PROTOCOLS]
    if known.kind == "timezone":
        return find_zones(current, typed)
    return find_profiles(current, typed) if name == "profile" else []


def find_zones(_: str, __: Typed) -> "Iterable[Offer]":
    """The system's timezones, each with its country and what tells it from others there."""
    offers = [("UTC", "")]
    try:
        with open(_ZONES, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                fields = line.rstrip("\n").split("\t")
                if not line.startswith("#") and len(fields) > 2:
                    offers.append((fields[2], " ".join((fields[0], *fields[3:]))))
    except OSError:
        return offers
    return offers


def _want_files(_: str, __: Typed) -> "Iterable[Offer]":
    raise FilesWantedError


def _profile_names() -> "list[str]":
    from radar_cli.settings.profiles import load

    try:
        return load(os.environ).profile_names()
    except RadarError:
        return []


SOURCES: "dict[str, Source]" = {
    "MONITOR": find_monitors,
    "PROFILE": find_profiles,
    "CHANNEL": find_channels,
    "KEY": find_keys,
    "VALUE": find_values,
    "ZONE": find_zones,
    "FILE": _want_files,
}
