"""What commands need of this machine's own store."""

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Collection, Iterator

from radar_cli.cli.options import Session
from radar_cli.cli.render import clean
from radar_cli.errors import ConfigError
from radar_cli.pings.destinations import STORE, Destination
from radar_cli.pings.outbox import peek
from radar_cli.pings.spool import Spool
from radar_cli.places import state_directory
from radar_cli.store.intake import take_in
from radar_cli.store.opening import open_embedded
from radar_cli.store.retention import Retention
from radar_cli.store.store import Store

_LONGEST_KEY = 200
_SWEPT_EVERY_US = 600 * 1_000_000


@dataclass(slots=True)
class Here:
    """The store of this machine, and remarks on what it may not hold."""

    store: Store
    notes: list[str] = field(default_factory=list)
    is_elsewhere: bool = False  # pings go to a server, so that the store knows nothing new

    def missing(self, keys: Collection[str]) -> list[str]:
        """Those of the keys that belong to no monitor."""
        return [key for key in dict.fromkeys(keys) if self.store.find(key) is None]

    def notes_about(self, keys: Collection[str]) -> tuple[str, ...]:
        """All remarks, also on keys that belong to no monitor and on what isn't delivered."""
        notes = [*self.notes, *(f"no monitor {shorten(key)!r}" for key in self.missing(keys))]
        spool = Spool(state_directory(os.environ))
        if undelivered := sum(1 for name in spool.names() if _is_undelivered(spool, name)):
            what = "ping is" if undelivered == 1 else "pings are"
            notes.append(f"{undelivered} {what} not delivered yet: see 'radar outbox list'")
        return tuple(notes)


def shorten(key: str) -> str:
    """What was given as a key, which may be anything, as it fits into a line."""
    shown = clean(key)
    return shown if len(shown) <= _LONGEST_KEY else shown[:60] + "..."


@contextmanager
def open_here(session: Session) -> Iterator[Here]:
    """The store with all that waited in the spool. StateError: it can't be used."""
    directory = state_directory(os.environ)
    profile, notes = None, []
    try:
        profile = session.load_profile()
    except ConfigError as error:
        if session.profile is not None or session.server is not None:
            raise
        # Whoever looks at 3 AM wants to see what there is.
        notes.append(f"new pings wait in the spool: {error.line()}")
    with open_embedded(directory) as store:
        here = Here(store, notes)
        if profile is not None and profile.server:
            here.is_elsewhere = True
            notes.append(f"pings go to {profile.server}; this is what the store here holds")
        elif profile is not None:
            own = Destination(STORE, profile=profile.name, redact=profile.redact)
            now_us = time.time_ns() // 1000
            take_in(store, Spool(directory), own, now_us)
            store.sweep(now_us, Retention(), every_us=_SWEPT_EVERY_US)
        yield here


def _is_undelivered(spool: Spool, name: str) -> bool:
    entry = peek(spool, name)
    return entry is not None and bool(entry.to)
