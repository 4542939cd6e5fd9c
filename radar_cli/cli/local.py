"""What commands need of this machine's own store."""

import os
import time
from contextlib import contextmanager
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
from radar_cli.store.overview import Seen, look
from radar_cli.store.store import Store

_ELSEWHERE = "pings go to"


@contextmanager
def open_here(session: Session) -> Iterator[tuple[Store, list[str]]]:
    """The store with all that waited in the spool, and remarks on what it may not hold.

    StateError: it can't be used.
    """
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
        if profile is not None and profile.server:
            notes.append(f"{_ELSEWHERE} {profile.server}; this is what the store here holds")
        elif profile is not None:
            own = Destination(STORE, profile=profile.name, redact=profile.redact)
            take_in(store, Spool(directory), own, time.time_ns() // 1000)
        yield store, notes


def is_elsewhere(notes: Collection[str]) -> bool:
    """Whether the remarks say that pings go to a server, so that the store knows nothing new."""
    return any(note.startswith(_ELSEWHERE) for note in notes)


def look_here(
    session: Session, keys: Collection[str], now_us: int
) -> tuple[list[Seen], tuple[str, ...]]:
    """Judge the monitors of the store (those with these keys, if any), with all remarks."""
    with open_here(session) as (store, notes):
        seen = look(store, now_us, keys)
    found = {each.known.key for each in seen}
    notes += [f"no monitor {clean(key)!r}" for key in keys if key not in found]
    spool = Spool(state_directory(os.environ))
    if undelivered := sum(1 for name in spool.names() if _is_undelivered(spool, name)):
        what = "ping is" if undelivered == 1 else "pings are"
        notes.append(f"{undelivered} {what} not delivered yet: see 'radar outbox list'")
    return seen, tuple(notes)


def _is_undelivered(spool: Spool, name: str) -> bool:
    entry = peek(spool, name)
    return entry is not None and bool(entry.to)
