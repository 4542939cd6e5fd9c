"""Choosing monitors: by their keys, by globs and by tags, the same for every command."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Callable, Collection, Sequence

import click

from radar_cli.cli.options import AnyFunction
from radar_cli.core.errors import UsageError
from radar_cli.core.ids import is_key
from radar_cli.model.port import MonitorStore, UnknownMonitorError
from radar_cli.model.record import MonitorRecord

_WILD = re.compile(r"[*?\[]")
_NUMBERS = re.compile(r"(\d+)")
_LONGEST_KEY = 200
_NAMED = 10
_SEE_LIST = "see 'radar monitors list'"


@dataclass(frozen=True, slots=True)
class Choice:
    """Monitors that a person names: those with one of these keys, and with all of these tags.

    A key may be a glob, such as `db-*`. Nothing named is all of them.
    """

    keys: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is named."""
        return not self.keys and not self.tags

    @property
    def is_by_name(self) -> bool:
        """Whether each monitor is named by its key."""
        return bool(self.keys) and not self.tags and not any(map(is_glob, self.keys))

    @property
    def is_one(self) -> bool:
        """Whether a single monitor is named by its key."""
        return self.is_by_name and len(set(self.keys)) == 1

    def find(self, store: MonitorStore) -> list[MonitorRecord]:
        """Return those of a store, in natural order, or as they are named."""
        if self.is_by_name:
            there = store.monitors.find_all(self.keys)
            return [there[key] for key in dict.fromkeys(self.keys) if key in there]
        chosen = [known for known in store.monitors.all() if self._includes(known)]
        return sorted(chosen, key=lambda known: natural_order(known.key))

    def _includes(self, known: MonitorRecord) -> bool:
        is_named = not self.keys or any(fnmatchcase(known.key, key) for key in self.keys)
        return is_named and set(self.tags) <= set(known.monitor.tags)

    def find_missing(self, found: Collection[str]) -> list[str]:
        """Return which of the keys and globs none of the found keys is."""
        named = dict.fromkeys(self.keys)
        return [key for key in named if not any(_is_named(each, key) for each in found)]


def is_glob(key: str) -> bool:
    """Whether a key stands for several; no monitor's own has such characters."""
    return _WILD.search(key) is not None


def _is_named(key: str, named: str) -> bool:
    return fnmatchcase(key, named) if is_glob(named) else key == named


def monitors_argument(
    *, required: bool = True, tag: str = "--tag"
) -> Callable[[AnyFunction], AnyFunction]:
    """Add MONITOR... and `--tag`, which arrive together as `choice`.

    One of them has to be given if `required`.
    """

    def read(context: click.Context, _: click.Parameter, keys: tuple[str, ...]) -> Choice:
        tags = context.params.pop("chosen_tags", ())
        if required and not keys and not tags and not context.resilient_parsing:
            raise UsageError("no monitor is named", f"a key, a glob such as 'db-*', or {tag} TAG")
        return Choice(keys, tags)

    def add(function: AnyFunction) -> AnyFunction:
        metavar = "MONITOR..." if required else "[MONITOR]..."
        argument = click.argument("choice", metavar=metavar, nargs=-1, callback=read)
        option = click.option(
            tag,
            "chosen_tags",
            metavar="TAG",
            multiple=True,
            is_eager=True,  # so that it is read before the keys
            help="Only monitors with this tag; may be repeated.",
        )
        return argument(option(function))

    return add


def choose(store: MonitorStore, choice: Choice | Sequence[str]) -> list[MonitorRecord]:
    """Return the monitors of a choice. UnknownMonitorError: one isn't there, or none is like it."""
    if not isinstance(choice, Choice):
        if not choice:
            return []  # a choice of nothing, which would be everything
        choice = Choice(tuple(choice))
    found = choice.find(store)
    keys = [known.key for known in found]
    if error := find_mistake(choice, keys, lambda key: suggest(store, key)):
        raise error
    return found


def find_mistake(
    choice: Choice, found: Collection[str], find_hint: Callable[[str], str]
) -> UnknownMonitorError | None:
    """Return the error that something is named and isn't there; `found` are the keys that are."""
    tags = " ".join(f"--tag {tag}" for tag in choice.tags)
    if missing := choice.find_missing(found):
        message = ", ".join(f"no monitor {_like(key)}" for key in missing[:_NAMED])
        hint = _SEE_LIST if tags else find_hint(missing[0])
        return UnknownMonitorError(f"{message} has {tags}" if tags else message, hint)
    if tags and not found:
        return UnknownMonitorError(f"no monitor has {tags}", _SEE_LIST)
    return None


def find_hints(store: MonitorStore, missing: Sequence[str]) -> dict[str, str]:
    """Return a hint for each of the keys and globs that this store doesn't have."""
    return {key: suggest(store, key) for key in missing[:_NAMED]}


def suggest(store: MonitorStore, key: str) -> str:
    """Return which key was likely meant by one that isn't there, as a hint."""
    from radar_cli.settings.profiles import closest

    if is_key(key) and (alias := store.aliases.find(key)) is not None:
        return f"it is called {alias.monitor!r} now"
    # A key of 10,000 characters is nobody's slip of the finger, and takes long to compare.
    is_one = not is_glob(key) and len(key) <= _LONGEST_KEY
    close = closest(key, store.monitors.keys()) if is_one else ""
    return f"did you mean {close!r}?" if close else _SEE_LIST


def _like(key: str) -> str:
    shown = repr(key if len(key) <= 60 else key[:57] + "...")
    return f"like {shown}" if is_glob(key) else shown


def natural_order(key: str) -> list[tuple[int, str]]:
    """Return what sorts keys as people count: `db-2` before `db-10`."""
    parts = _NUMBERS.split(key)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
