"""Storing pings as they come: many in one transaction, each answered once it is safe.

One thread writes. While it waits for the disk, the next pings gather: a disk that takes 5 ms for
a commit stores as many pings as come in 5 ms.
"""

import asyncio
import queue
import threading
import time
from dataclasses import dataclass

from radar_cli.errors import RadarError
from radar_cli.pings.ping import Ping
from radar_cli.store.store import Store

_BATCH_MAX = 500


class UnknownMonitorPingError(Exception):
    """A ping of a monitor that isn't there, and says nothing to make it of."""


class PoisonedPingError(Exception):
    """A ping that the database can't take."""


@dataclass(slots=True)
class _Arrival:
    ping: Ping
    may_create: bool
    loop: asyncio.AbstractEventLoop
    stored: "asyncio.Future[bool]"


class Writer:
    """Stores pings; started and stopped with the server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._arrivals: queue.SimpleQueue[_Arrival | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.is_stopping = False

    def start(self) -> None:
        """Begin to store."""
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
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[bool] = loop.create_future()
        self._arrivals.put(_Arrival(ping, may_create, loop, stored))
        return await stored

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
        now_us = time.time_ns() // 1000
        outcomes: list[bool | Exception] = []
        try:
            creating = {arrival.ping.monitor for arrival in batch if arrival.may_create}
            added = self._store.add_each([a.ping for a in batch], now_us, creating=creating)
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
        _answer(batch, outcomes)


def _answer(batch: list[_Arrival], outcomes: list[bool | Exception]) -> None:
    """Tell the event loop, once for all of them, what became of each."""

    def settle() -> None:
        for arrival, outcome in zip(batch, outcomes, strict=True):
            if arrival.stored.done():
                continue  # the client has gone
            if isinstance(outcome, Exception):
                arrival.stored.set_exception(outcome)
            else:
                arrival.stored.set_result(outcome)

    try:
        batch[0].loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop has ended: nobody waits
