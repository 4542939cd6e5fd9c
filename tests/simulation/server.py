"""A simulated process: radar's own store, evaluator and writer, without threads and sockets."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from radar_cli.core.errors import RadarError
from radar_cli.model.run import Origin
from radar_cli.server.pings.paths import parse_path
from radar_cli.server.pings.requests import PingRequest
from radar_cli.server.pings.writer import Writer, _Arrival
from radar_cli.server.runtime.evaluator import Evaluator
from radar_cli.server.runtime.now import Clock
from radar_cli.service.composing import Composer
from radar_cli.store.outages import NotedOutage
from radar_cli.store.pings import Creation
from radar_cli.store.retention import Retention
from radar_cli.store.store import Store
from tests.simulation.channels import SimulatedChannel
from tests.simulation.database import Disk, SimulatedDatabase

_ORIGIN = Origin("192.0.2.1", "POST", "simulation")
_SWEPT_EVERY_US = 20 * 86_400 * 1_000_000


class _Stored:
    """In place of a future: it is done at once."""

    def __init__(self) -> None:
        self.outcome: bool | Exception | None = None

    def done(self) -> bool:
        return self.outcome is not None

    def set_result(self, is_new: bool) -> None:
        self.outcome = is_new

    def set_exception(self, error: Exception) -> None:
        self.outcome = error


class _Loop:
    """In place of an event loop: it calls at once."""

    @staticmethod
    def call_soon_threadsafe(call: Callable[[], None]) -> None:
        call()


class SimulatedServer:
    """One of the servers of a world, from its start until it ends or is killed."""

    def __init__(
        self,
        number: int,
        disk: Disk,
        channels: Sequence[SimulatedChannel],
        read_clock_ns: Callable[[], int],
        interrupt: Callable[["SimulatedServer"], None],
        remind_every_us: int,
    ) -> None:
        self.number = number
        self.database = SimulatedDatabase(disk, functools.partial(interrupt, self))
        self.store = Store(self.database)
        self.store.zone.name = "UTC"
        self.clock = Clock(read_clock_ns)
        self.outages: list[NotedOutage] = []
        self.faults: list[RadarError] = []
        self.hangs: set[str] = set()  # channels whose threads wait
        self._remind_every_us = remind_every_us
        self.evaluator = Evaluator(
            self.store,
            channels,
            Composer(self.store, channels, "simulated"),
            clock=self.clock,
            ingest=self._sweep,
            note_fault=self.faults.append,
            note_outage=self.outages.append,
            remind_every_s=remind_every_us / 1e6,
        )
        self._writer = Writer(self.store, self.clock, self.outages.append)
        self._writer._loop = _Loop()  # type: ignore[assignment]  # all that it needs of one

    @property
    def has_reminded(self) -> bool:
        """Whether the last look was for reminders, too."""
        return self.evaluator._reminded_at == self.evaluator.last_tick

    def start(self) -> None:
        """As `Service.start` and `Evaluator.start`, without their threads."""
        if (outage := self.store.outages.keep_watch(self.clock.now_us())) is not None:
            self.outages.append(outage)
        self.store.reminders.begin(self.clock.now_us(), self._remind_every_us)

    def stop(self) -> None:
        """As `Service.stop`."""
        self.store.outages.leave(self.clock.now_us())

    def look(self) -> None:
        """One tick of the evaluator."""
        self.evaluator._judge()

    def deliver(self, channel: SimulatedChannel) -> None:
        """One tick of a channel's thread."""
        self.hangs.add(channel.table.name)
        try:
            self.evaluator._deliver(channel)
        finally:
            self.hangs.discard(channel.table.name)

    def receive(self, requests: Sequence[tuple[str, str]]) -> list[bool | Exception | None]:
        """Store the pings of some requests (path and query) in one batch; what became of each.

        None: nobody answered.
        """
        batch = []
        for path, query in requests:
            request = PingRequest(parse_path(path), query)
            ping = request.ping(request.path.monitor, b"", 0, self.clock.now_us(), _ORIGIN)
            creation = Creation(request.defaults) if request.may_create else None
            stored: Any = _Stored()
            batch.append(_Arrival(ping, creation, stored))
        self._writer._store_all(batch)
        answers: list[Any] = [arrival.stored for arrival in batch]
        return [answer.outcome for answer in answers]

    def _sweep(self) -> None:
        self.store.sweep(self.clock.now_us(), Retention(), every_us=_SWEPT_EVERY_US)
