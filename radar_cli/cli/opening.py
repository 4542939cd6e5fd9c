"""Opening the monitors that a command is about: those of the store here, or of a server."""

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Callable, Collection, Iterator, Sequence

from radar_cli.cli.everybody import Place
from radar_cli.cli.options import Session
from radar_cli.core.places import state_directory
from radar_cli.delivery.destinations import STORE, Destination
from radar_cli.model.port import MonitorStore
from radar_cli.model.sentences import local_time
from radar_cli.outbox.claiming import sort_in_old
from radar_cli.outbox.spool import STORE_FOLDER, Outbox
from radar_cli.outbox.trim import read_dropped
from radar_cli.service.intake import ingest
from radar_cli.settings.channels import find_unheard, read_channels
from radar_cli.store.opening import open_embedded
from radar_cli.store.retention import Retention
from radar_cli.store.store import Store

if TYPE_CHECKING:
    from radar_cli.delivery.destinations import Destination
    from radar_cli.settings.profiles import Profile


_UNHEARD = 5  # are named


def _here_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Recipients:
    """The channels that tell people of monitors."""

    names: Callable[[], set[str] | None] = lambda: None  # of the channels; None: all that are told
    unheard: Callable[[], list[str]] = list  # some monitors that none of them tells of


@dataclass(slots=True)
class Opened:
    """Monitors, and remarks on what they may not tell. `now_us` is the clock that judges them."""

    store: MonitorStore
    notes: list[str] = field(default_factory=list)
    is_elsewhere: bool = False  # pings go where nobody can list them: the store knows nothing new
    user: str = ""  # whose it is, if not one's own
    now_us: Callable[[], int] = _here_us
    local: Store | None = None  # the same store, if it is on this machine
    recipients: Recipients = field(default_factory=Recipients)

    def note_check(self, now_us: int) -> None:
        """Note in the store here that a checker looks, and remark for how long nobody did."""
        if self.local is None or self.is_elsewhere:
            return
        outage = self.local.outages.note_check(now_us)
        if outage is not None:
            self.notes.append(outage.words())

    def find_neglect(self, now_us: int) -> list[str]:
        """Return a remark if nobody looks for what is missing."""
        if self.is_elsewhere:
            return []
        since_us = self.store.outages.find_neglect(now_us)
        if since_us is None:
            return []
        message = f"nobody has looked since {local_time(since_us)}: {self.neglect_hint()}"
        return [f"{self.user}: {message}" if self.user else message]

    def find_failing_channels(self) -> list[str]:
        """Return a remark for each channel that delivers nothing."""
        names = None if self.user else self.recipients.names()
        return [
            f"channel {health.name} delivers nothing since {local_time(health.failing_us)}:"
            f" {health.error}"
            for health in self.store.channels.failing()
            if health.failing_us is not None and (names is None or health.name in names)
        ]

    def find_unheard(self, keys: Collection[str] = ()) -> list[str]:
        """Return a remark if there are channels, and none tells of some monitors.

        With `keys`, only of these. Of another user's store none: who is told of it is that user's.
        """
        if self.user:
            return []
        unheard = [key for key in self.recipients.unheard() if not keys or key in keys]
        return [describe_unheard(unheard)] if unheard else []

    def neglect_hint(self) -> str:
        """Return who should look for what is missing."""
        if self.local is None:
            return "see the server's log"
        return "a crontab's 'radar check --notify' does it, or a server"

    def find_server_database(self) -> list[str]:
        """Return a remark if no monitor is here, and the server's database is another one."""
        if self.local is None or self.user or not os.environ.get("RADAR_DATABASE"):
            return []
        return [
            "RADAR_DATABASE is where a server keeps its monitors: 'radar login URL', and they are"
            " asked of the server"
        ]

    def remarks(self) -> list[str]:
        """All remarks, also on what isn't delivered."""
        if self.user:
            return [f"{self.user}: {note}" for note in self.notes]
        lines = list(self.notes)
        outbox = Outbox(state_directory(os.environ))
        names = outbox.folder_names()
        if outbox.has_old and sort_in_old(outbox):
            names = outbox.folder_names()
        spools = [outbox.spool(name) for name in names if name != STORE_FOLDER]
        if undelivered := sum(len(spool.names()) for spool in spools):
            what = "ping is" if undelivered == 1 else "pings are"
            lines.append(f"{undelivered} {what} not delivered yet: see 'radar outbox list'")
        lines += [dropped.describe() for spool in spools if (dropped := read_dropped(spool))]
        return lines


def _find_recipients(session: Session, store: Store) -> Recipients:
    """The channels of the config files, for a store here."""

    def names() -> set[str]:
        return {table.name for table in read_channels(session.load_config())}

    def unheard() -> list[str]:
        tables = read_channels(session.load_config())
        # Without any channel nobody asked to be told.
        return (
            list(islice(find_unheard(tables, store.monitors.tags_of_each()), _UNHEARD))
            if tables
            else []
        )

    return Recipients(names, unheard)


def describe_unheard(keys: Sequence[str]) -> str:
    """Return a remark on monitors that no channel is for."""
    more = ", ..." if len(keys) >= _UNHEARD else ""
    names = ", ".join(keys) + more
    return f"no channel is for {names}: no notices of them are sent (radar notify list)"


@contextmanager
def open_monitors(session: Session, place: Place | None = None) -> Iterator[Opened]:
    """The monitors of the session's server or, without one, of the store here.

    That has all that waited in the spool. A `place` is a store on this machine, in any case: with
    everybody's, one's own is among them; another user's is to be opened as that user.
    StateError, UnreachableError: they can't be had; ConfigError: it can't be known where they are.
    """
    if place is not None and place.user:
        with open_embedded(place.directory) as store:
            # What waits for that user's config to be mended is nobody else's to take.
            own = Destination(STORE, is_default=False)
            bring_up_to_date(store, place.directory, own, Retention())
            recipients = _find_recipients(session, store)
            yield Opened(store, user=place.user, local=store, recipients=recipients)
        return
    # Which monitors are meant can't be known without it: those here may be nobody's any more.
    profile, notes = session.load_profile(), list[str]()
    if profile.server and profile.protocol == "radar" and place is None:
        with _open_server(profile, notes) as opened:
            yield opened
        return
    directory = state_directory(os.environ)
    with open_embedded(directory) as store:
        opened = Opened(store, notes, local=store, recipients=_find_recipients(session, store))
        if profile.server:
            opened.is_elsewhere = True
            lists = "" if place is not None else ", which can't list monitors"
            notes.append(f"pings go to {profile.server}{lists}; this is what the store here holds")
        else:
            own = Destination(STORE, profile=profile.name, redact=profile.redact)
            bring_up_to_date(store, directory, own, retention_of(profile))
        yield opened


@contextmanager
def _open_server(profile: "Profile", notes: list[str]) -> Iterator[Opened]:
    # httpx takes as long to import as all the rest.
    from radar_cli.client.connection import Connection, find_address
    from radar_cli.client.server_store import ServerStore

    with ServerStore(Connection(find_address(profile))) as store:
        recipients = Recipients(unheard=store.channels.unheard)
        yield Opened(store, notes, now_us=store.now_us, recipients=recipients)


_SWEPT_EVERY_US = 600 * 1_000_000


def bring_up_to_date(
    store: Store, directory: str, destination: "Destination", retention: Retention
) -> None:
    """Take in what waits, and forget a little of what is too old."""
    now_us = time.time_ns() // 1000
    ingest(store, Outbox(directory), destination, now_us)
    store.sweep(now_us, retention, every_us=_SWEPT_EVERY_US)


def retention_of(profile: "Profile") -> Retention:
    """Return how much the store keeps, as the settings say."""
    chosen: dict[str, int] = {}
    for name in ("pings", "outputs"):
        count = profile.setting(f"keep_{name}").value
        time_s = profile.setting(f"keep_{name}_for").value
        if isinstance(count, int):
            chosen[name] = count
        if isinstance(time_s, float):
            chosen[f"{name}_for_us"] = round(time_s * 1e6)
    return Retention(**chosen)
