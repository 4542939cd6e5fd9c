"""Aliases: keys that monitors had before they were renamed, and under which pings still come."""

from typing import Collection, Mapping, TypeVar

from radar_cli.store.database import Change, chunks, marks

_Said = TypeVar("_Said")


def resolve(change: Change, keys: Collection[str]) -> dict[str, str]:
    """Return the keys that are aliases, each with that of its monitor."""
    found: dict[str, str] = {}
    for some in chunks(sorted(keys)):
        found |= dict(
            change.read(f"SELECT key, monitor FROM alias WHERE key IN ({marks(len(some))})", some)  # noqa: S608 (constants)
        )
    return found


def resolve_all(
    change: Change, said: Mapping[str, _Said]
) -> tuple[dict[str, _Said], dict[str, str]]:
    """Return what is said of monitors by the keys that they have now, and which had others."""
    renamed = resolve(change, said.keys())
    now = {renamed.get(key, key): each for key, each in said.items() if key in renamed}
    return {**now, **{key: each for key, each in said.items() if key not in renamed}}, renamed


def note_use(change: Change, keys: Collection[str], now_us: int) -> None:
    """Note that something came by these aliases."""
    for some in chunks(sorted(keys)):
        change.execute(
            f"UPDATE alias SET used_us = ? WHERE key IN ({marks(len(some))})",  # noqa: S608 (constants)
            (now_us, *some),
        )
