"""The service: the parts of a running server, and what they share."""

import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Sequence

from radar_cli.core.errors import RadarError
from radar_cli.core.zone import local_zone
from radar_cli.delivery.destinations import STORE, Destination
from radar_cli.model.notice_log import ChannelHealth
from radar_cli.notify.channel import Channel
from radar_cli.notify.signing import Signer
from radar_cli.outbox.spool import Outbox
from radar_cli.server.pings.writer import Writer
from radar_cli.server.runtime.access import Access
from radar_cli.server.runtime.beacon import Beacon
from radar_cli.server.runtime.evaluator import Evaluator
from radar_cli.server.runtime.keys import Keys
from radar_cli.server.runtime.limits import Limits
from radar_cli.server.runtime.log import log
from radar_cli.server.runtime.now import Clock
from radar_cli.server.runtime.settings import ServerSettings
from radar_cli.service.composing import Composer
from radar_cli.service.intake import ingest
from radar_cli.settings.channels import find_unheard
from radar_cli.store.identity import LostStoreError
from radar_cli.store.outages import NotedOutage
from radar_cli.store.retention import Retention
from radar_cli.store.store import Store

# An evaluator that hasn't looked for that long is stuck.
STUCK_AFTER_S = 15.0
_LOOKED_AT_MAX = 10_000
_TAKEN_IN_EVERY_S = 1.0
_RECOGNISED_EVERY_S = 1.0
_SWEPT_EVERY_US = 10 * 1_000_000


@dataclass
class Counters:
    """The counters of `/metrics`."""

    pings: Counter[str] = field(default_factory=Counter)
    # By method, class of route and status: see `guards.classify`.
    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)


class Service:
    """The store, who may use it, and the threads that work on it."""

    def __init__(
        self,
        store: Store,
        settings: ServerSettings,
        channels: Sequence[Channel] = (),
        retention: Retention = Retention(),  # noqa: B008 (it can't be changed)
    ) -> None:
        self.store = store
        store.zone.name = settings.tz or local_zone()
        self.settings = settings
        self.channels = channels
        self.keys = Keys(store.database)
        self.access = Access(self.keys)
        self.limits = Limits(settings.rate_limit, limits_loopback=settings.limits_loopback)
        self.clock = Clock()
        self.writer = Writer(store, self.clock, self.note_outage)
        self.counters = Counters()
        self.started = time.monotonic()
        self.outage: NotedOutage | None = None  # the last one since the start, or before it
        self.last_fault = ""
        self._retention = retention
        self._taken_in_at = float("-inf")
        self._recognised_at = time.monotonic()
        self.signer: Signer | None = None
        if settings.public_url:
            self.signer = Signer(store.tokens.link_secret(), settings.url)
        self.evaluator = Evaluator(
            store,
            channels,
            Composer(store, channels, os.uname().nodename, settings.link_url, self.signer),
            clock=self.clock,
            ingest=self._ingest,
            note_fault=self.examine_fault,
            note_outage=self.note_outage,
            remind_every_s=settings.remind_every_s,
        )
        self.beacon = Beacon(
            settings.watchers, settings.ping_every_s, self.find_trouble, ca_file=settings.ca_file
        )

    def start(self) -> None:
        """Begin to work. StateError: the database can't be used."""
        if (outage := self.store.outages.keep_watch(self.clock.now_us())) is not None:
            self.note_outage(outage)
        self.writer.start()
        self.evaluator.start()
        self.beacon.start()

    def stop(self) -> None:
        """Store what was answered, and end."""
        self.beacon.stop()
        self.writer.stop()
        self.evaluator.stop()
        self.store.outages.leave(self.clock.now_us())
        self.store.close()

    def health(self) -> dict[str, str]:
        """Return what is `ok` and what is `bad` of what a server is for."""
        try:
            self.store.database.read("SELECT count(*) FROM mark")
            database = "ok"
        except RadarError:
            database = "bad"
        idle_s = time.monotonic() - self.evaluator.last_tick
        return {
            "database": database,
            "evaluator": "ok" if idle_s < STUCK_AFTER_S else "bad",
            # How many monitors there were is for those who have a key.
            "store": "ok" if self.store.loss is None else "it isn't the one that was known here",
        }

    def failing_channels(self) -> list[ChannelHealth]:
        """Return those of its channels that deliver nothing."""
        return self.store.channels.failing([channel.table.name for channel in self.channels])

    def find_unheard(self, pattern: str, limit: int = 20) -> list[str]:
        """Return keys of monitors that no channel tells of when they go down, at most `limit`."""
        if not self.channels:
            return []  # nobody asked to be told: that is said once, and not of each monitor
        tables = [channel.table for channel in self.channels]
        monitors = islice(self.store.monitors.tags_of_each(pattern), _LOOKED_AT_MAX)
        return list(islice(find_unheard(tables, monitors), limit))

    def find_trouble(self) -> str:
        """Return what isn't well, "" if all is."""
        return ", ".join(
            f"{what}: {state}" for what, state in self.health().items() if state != "ok"
        )

    def note_outage(self, outage: NotedOutage) -> None:
        """Say that nobody looked for a while."""
        self.outage = outage
        log.warning("%s", outage.words())

    def examine_fault(self, error: RadarError) -> None:
        """Say what is wrong with the database, after asking it whether it is the one it was.

        That may take as long as the database does not answer: not for the event loop.
        """
        if not isinstance(error, LostStoreError):
            self._recognised_at = float("-inf")
            with suppress(RadarError):  # it may be away, and not lost
                self._recognise(time.monotonic())
        self.note_fault(self.store.loss or error)

    def note_fault(self, error: RadarError) -> None:
        """Say once what is wrong with the database, until it is something else."""
        line = error.line()
        if line != self.last_fault:
            self.last_fault = line
            log.error("%s", line)

    def _ingest(self) -> None:
        """Take in what this machine's own jobs have left in the spool, and forget a little."""
        now = time.monotonic()
        if now - self._taken_in_at < _TAKEN_IN_EVERY_S:
            return
        self._taken_in_at = now
        self._recognise(now)
        now_us = self.clock.now_us()
        # What waits for a store that is lost waits until it is back.
        if self.settings.state_directory and self.store.loss is None:
            outbox = Outbox(self.settings.state_directory)
            ingest(self.store, outbox, Destination(STORE, profile="default"), now_us)
        self.store.sweep(now_us, self._retention, every_us=_SWEPT_EVERY_US)

    def _recognise(self, now: float) -> None:
        """See whether it is still the store that was known, or whether that was decided."""
        identity = self.store.identity
        if identity is None or now - self._recognised_at < _RECOGNISED_EVERY_S:
            return
        self._recognised_at = now
        self.store.loss = identity.find_loss(goes_on=True)
        if self.store.loss is not None:
            self.note_fault(self.store.loss)
