"""Storing pings as they come: many in one transaction, each answered once it is safe.

One thread writes. While it waits for the disk, the next pings gather: a disk that takes 5 ms for
a commit stores as many pings as come in 5 ms.
"""

import asyncio
import contextlib
import queue
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Callable

from radar_cli.core.errors import RadarError
from radar_cli.model.ping import Ping
from radar_cli.server.pings.requests import CLOCK_SLACK_US
from radar_cli.server.runtime.now import Clock
from radar_cli.store.database import ChangedMeanwhileError
from radar_cli.store.outages import NotedOutage
from radar_cli.store.pings import Creation
from radar_cli.store.store import Store

_BATCH_MAX = 500


class UnknownMonitorPingError(Exception):
    """A ping of a monitor that isn't there, and says nothing to make it of."""


_FOREIGN = "its monitor is in the set of another API key: what this ping declares changes nothing"


class TooManyMonitorsError(Exception):
    """A ping of a monitor that isn't there, and whose key may make no more of them."""


class TakenIdError(Exception):
    """A ping with the id of another monitor's, or of one of another kind: it is no repetition."""


class PoisonedPingError(Exception):
    """A ping that the database can't take."""


@dataclass(slots=True)
class _Arrival:
    ping: Ping
    creation: Creation | None  # what its monitor is made of, if it isn't there
    stored: "asyncio.Future[bool]"  # whether it is new, once it is safe
    api_key: str = ""  # the id of that with which it came
    warnings: list[str] = field(default_factory=list)  # for its answer


class Writer:
    """Stores pings; started and stopped with the server."""

    def __init__(
        self, store: Store, clock: Clock, note_outage: Callable[[NotedOutage], None]
    ) -> None:
        self._clock = clock
        self._note_outage = note_outage
        self._store = store
        self._gathered: list[_Arrival] = []
        self._batches: queue.SimpleQueue[list[_Arrival] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_stopping = False

    def start(self) -> None:
        """Begin to store, for requests of the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Store what has come, and end."""
        self.is_stopping = True
        self._hand_over()
        self._batches.put(None)
        self._thread.join()

    async def add(
        self,
        ping: Ping,
        creation: Creation | None,
        *,
        api_key: str = "",
        warnings: list[str],
    ) -> bool:
        """Store a ping; return, once it is safe, whether it is new.

        `api_key` is the id of that with which it came; what of it counts for nothing is added to
        the `warnings`.

        UnknownMonitorPingError: its monitor isn't there, and without a `creation` it may not make
        it. TooManyMonitorsError: nor may its key. TakenIdError: its id is another ping's.
        StateError: the database can't be used. PoisonedPingError: it can't take this ping.
        """
        assert self._loop is not None  # noqa: S101 (it was started)
        stored: asyncio.Future[bool] = self._loop.create_future()
        if not self._gathered:
            # Once for all that come in this turn of the loop: a queue wakes the other thread.
            self._loop.call_soon(self._hand_over)
        self._gathered.append(_Arrival(ping, creation, stored, api_key, warnings))
        return await stored

    def _hand_over(self) -> None:
        if self._gathered:
            self._batches.put(self._gathered)
            self._gathered = []

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch: list[_Arrival] = []
            while is_open and len(batch) < _BATCH_MAX and not (batch and self._batches.empty()):
                gathered = self._batches.get()
                is_open = gathered is not None
                batch += gathered or ()
            if batch:
                self._store_all(batch)

    def _store_all(self, batch: list[_Arrival]) -> None:
        now_us = self._clock.now_us()
        outcomes: list[bool | Exception] = []
        try:
            # The first ping after an outage must not be the one that judges what fell into it.
            if (outage := self._store.outages.keep_watch(now_us)) is not None:
                self._note_outage(outage)
            creating: dict[str, Creation] = {}
            for arrival in batch:
                if arrival.creation is not None:
                    creating.setdefault(arrival.ping.monitor, arrival.creation)
            pings = [arrival.ping for arrival in batch]
            add = partial(
                self._store.pings.add_each,
                pings,
                now_us,
                creating=creating,
                senders={each.ping.id: each.api_key for each in batch if each.api_key},
                slack_us=CLOCK_SLACK_US,
            )
            try:
                added = add()
            except ChangedMeanwhileError:  # by another server: once more, as it is now
                added = add()
            for arrival in batch:
                ping = arrival.ping
                if ping.monitor in added.beyond:
                    outcomes.append(TooManyMonitorsError(added.beyond[ping.monitor]))
                elif (ping.id, ping.monitor, ping.kind) in added.taken:
                    outcomes.append(TakenIdError(ping.id))
                elif ping.monitor in added.unknown:
                    outcomes.append(UnknownMonitorPingError(ping.monitor))
                else:
                    outcomes.append(ping.id in added.new)
                    if ping.id in added.foreign:
                        arrival.warnings.append(_FOREIGN)
                    added.new.discard(ping.id)  # the same id once more in this batch isn't new
        except RadarError as error:
            outcomes = [error] * len(batch)
        except Exception as fault:  # noqa: BLE001 (one poisoned ping must not keep out the others)
            if len(batch) > 1:
                for arrival in batch:
                    self._store_all([arrival])
                return
            outcomes = [PoisonedPingError(f"{type(fault).__name__}: {fault}")]
        self._answer(batch, outcomes)

    def _answer(self, batch: list[_Arrival], outcomes: list[bool | Exception]) -> None:
        """Tell the event loop, once for all of them, what became of each."""

        def settle() -> None:
            for arrival, outcome in zip(batch, outcomes, strict=True):
                if arrival.stored.done():
                    continue  # the client has gone
                if isinstance(outcome, Exception):
                    arrival.stored.set_exception(outcome)
                else:
                    arrival.stored.set_result(outcome)

        assert self._loop is not None  # noqa: S101 (it was started)
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
            self._loop.call_soon_threadsafe(settle)
