"""What a running server is made of, and what its parts share."""

import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Sequence

from radar_cli.core.errors import RadarError
from radar_cli.core.zone import local_zone
from radar_cli.delivery.destinations import STORE, Destination
from radar_cli.notify.channel import Channel
from radar_cli.notify.composing import Composer
from radar_cli.outbox.spool import Outbox
from radar_cli.server.access import Access
from radar_cli.server.evaluator import Evaluator
from radar_cli.server.keys import Keys
from radar_cli.server.limits import Limits
from radar_cli.server.now import Clock
from radar_cli.server.pings.writer import Writer
from radar_cli.server.settings import ServerSettings
from radar_cli.store.intake import take_in
from radar_cli.store.outages import NotedOutage
from radar_cli.store.retention import Retention
from radar_cli.store.store import Store

_TAKEN_IN_EVERY_S = 1.0
_SWEPT_EVERY_US = 10 * 1_000_000


@dataclass
class Counters:
    """What `/metrics` counts."""

    pings: Counter[str] = field(default_factory=Counter)
    requests: Counter[int] = field(default_factory=Counter)  # by status


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
        store.default_zone = settings.tz or local_zone()
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
        self.evaluator = Evaluator(
            store,
            channels,
            Composer(store, channels, os.uname().nodename, settings.link_url),
            clock=self.clock,
            take_in=self._take_in,
            note_fault=self.note_fault,
            note_outage=self.note_outage,
            remind_every_s=settings.remind_every_s,
        )

    def start(self) -> None:
        """Begin to work. StateError: the database can't be used."""
        if (outage := self.store.keep_watch(self.clock.now_us())) is not None:
            self.note_outage(outage)
        self.writer.start()
        self.evaluator.start()

    def stop(self) -> None:
        """Store what was answered, and end."""
        self.writer.stop()
        self.evaluator.stop()
        self.store.leave(self.clock.now_us())
        self.store.close()

    def note_outage(self, outage: NotedOutage) -> None:
        """Say that nobody looked for a while."""
        self.outage = outage
        sys.stderr.write(f"radar: {outage.words()}\n")

    def note_fault(self, error: RadarError) -> None:
        """Say once what is wrong with the database, until it is something else."""
        line = error.line()
        if line != self.last_fault:
            self.last_fault = line
            sys.stderr.write(f"radar: {line}\n")

    def _take_in(self) -> None:
        """Take in what this machine's own jobs have left in the spool, and forget a little."""
        now = time.monotonic()
        if now - self._taken_in_at < _TAKEN_IN_EVERY_S:
            return
        self._taken_in_at = now
        now_us = self.clock.now_us()
        if self.settings.state_directory:
            outbox = Outbox(self.settings.state_directory)
            take_in(self.store, outbox, Destination(STORE, profile="default"), now_us)
        self.store.sweep(now_us, self._retention, every_us=_SWEPT_EVERY_US)
