"""Storing pings as they come: many in one transaction, each answered once it is safe.

One thread writes. While it waits for the disk, the next pings gather: a disk that takes 5 ms for
a commit stores as many pings as come in 5 ms.
"""

import asyncio
import contextlib
import queue
import threading
from dataclasses import dataclass
from functools import partial
from typing import Callable

from radar_cli.core.errors import RadarError
from radar_cli.model.ping import Ping
from radar_cli.server.now import Clock
from radar_cli.server.requests import CLOCK_SLACK_US
from radar_cli.store.database import ChangedMeanwhileError
from radar_cli.store.store import Store

_BATCH_MAX = 500


class UnknownMonitorPingError(Exception):
    """A ping of a monitor that isn't there, and says nothing to make it of."""


class PoisonedPingError(Exception):
    """A ping that the database can't take."""


# Called in the event loop once a ping is safe, with whether it is new, or with why it isn't safe.
Outcome = bool | Exception
Done = Callable[[Outcome], None]


@dataclass(slots=True)
class _Arrival:
    ping: Ping
    may_create: bool
    done: "Done"


class Writer:
    """Stores pings; started and stopped with the server."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self._store = store
        self._arrivals: queue.SimpleQueue[_Arrival | None] = queue.SimpleQueue()
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
        self._arrivals.put(None)
        self._thread.join()

    async def add(self, ping: Ping, *, may_create: bool) -> bool:
        """Store a ping; return, once it is safe, whether it is new.

        UnknownMonitorPingError: its monitor isn't there and it may not make it. StateError: the
        database can't be used. PoisonedPingError: it can't take this ping.
        """
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            if stored.done():
                return  # the client has gone
            if isinstance(outcome, Exception):
                stored.set_exception(outcome)
            else:
                stored.set_result(outcome)

        self.put(ping, settle, may_create=may_create)
        return await stored

    def put(self, ping: Ping, done: Done, *, may_create: bool) -> None:
        """Store a ping, and then call `done`, in the event loop."""
        self._arrivals.put(_Arrival(ping, may_create, done))

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch: list[_Arrival] = []
            first = self._arrivals.get()
            while first is not None:
                batch.append(first)
                if len(batch) >= _BATCH_MAX or self._arrivals.empty():
                    break
                first = self._arrivals.get()
            is_open = first is not None
            if batch:
                self._store_all(batch)

    def _store_all(self, batch: list[_Arrival]) -> None:
        now_us = self._clock.now_us()
        outcomes: list[Outcome] = []
        try:
            creating = {arrival.ping.monitor for arrival in batch if arrival.may_create}
            pings = [arrival.ping for arrival in batch]
            add = partial(
                self._store.add_each, pings, now_us, creating=creating, slack_us=CLOCK_SLACK_US
            )
            try:
                added = add()
            except ChangedMeanwhileError:  # by another server: once more, as it is now
                added = add()
            for arrival in batch:
                ping = arrival.ping
                if ping.monitor in added.unknown:
                    outcomes.append(UnknownMonitorPingError(ping.monitor))
                else:
                    outcomes.append(ping.id in added.new)
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

    def _answer(self, batch: list[_Arrival], outcomes: list[Outcome]) -> None:
        """Tell the event loop, once for all of them, what became of each."""

        def settle() -> None:
            for arrival, outcome in zip(batch, outcomes, strict=True):
                arrival.done(outcome)

        assert self._loop is not None  # noqa: S101 (it was started)
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
            self._loop.call_soon_threadsafe(settle)
