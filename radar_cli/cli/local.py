"""What commands need of this machine's own store."""

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Iterator

from radar_cli.cli.everybody import Place, as_owner
from radar_cli.cli.options import Session
from radar_cli.errors import ConfigError
from radar_cli.pings.destinations import STORE, Destination
from radar_cli.pings.outbox import peek
from radar_cli.pings.spool import Spool
from radar_cli.places import state_directory
from radar_cli.store.intake import take_in
from radar_cli.store.opening import open_embedded
from radar_cli.store.retention import Retention
from radar_cli.store.store import Store

if TYPE_CHECKING:
    from radar_cli.config.profiles import Profile

_SWEPT_EVERY_US = 600 * 1_000_000


@dataclass(slots=True)
class Here:
    """The store of this machine, and remarks on what it may not hold."""

    store: Store
    notes: list[str] = field(default_factory=list)
    is_elsewhere: bool = False  # pings go to a server, so that the store knows nothing new
    user: str = ""  # whose it is, if not one's own

    def remarks(self) -> list[str]:
        """All remarks, also on what isn't delivered."""
        if self.user:
            return [f"{self.user}: {note}" for note in self.notes]
        spool = Spool(state_directory(os.environ))
        undelivered = sum(1 for name in spool.names() if _is_undelivered(spool, name))
        if not undelivered:
            return self.notes
        what = "ping is" if undelivered == 1 else "pings are"
        return [*self.notes, f"{undelivered} {what} not delivered yet: see 'radar outbox list'"]


@contextmanager
def open_here(session: Session, place: Place | None = None) -> Iterator[Here]:
    """The store, one's own or that of a place, with all that waited in the spool.

    StateError: it can't be used.
    """
    if place is not None and place.user:
        with as_owner(place), open_embedded(place.directory) as store:
            # What waits for that user's config to be mended is nobody else's to take.
            own = Destination(STORE, is_default=False)
            _bring_up_to_date(store, place.directory, own, Retention())
            yield Here(store, user=place.user)
        return
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
            _bring_up_to_date(store, directory, own, retention_of(profile))
        yield here


def _bring_up_to_date(
    store: Store, directory: str, destination: Destination, retention: Retention
) -> None:
    """Take in what waits, and forget a little of what is too old."""
    now_us = time.time_ns() // 1000
    take_in(store, Spool(directory), destination, now_us)
    store.sweep(now_us, retention, every_us=_SWEPT_EVERY_US)


def retention_of(profile: "Profile") -> Retention:
    """How much the store keeps, as the settings say."""
    chosen: dict[str, int] = {}
    for name in ("pings", "outputs"):
        count = profile.setting(f"keep_{name}").value
        time_s = profile.setting(f"keep_{name}_for").value
        if isinstance(count, int):
            chosen[name] = count
        if isinstance(time_s, float):
            chosen[f"{name}_for_us"] = round(time_s * 1e6)
    return Retention(**chosen)


def _is_undelivered(spool: Spool, name: str) -> bool:
    entry = peek(spool, name)
    return entry is not None and bool(entry.to)
