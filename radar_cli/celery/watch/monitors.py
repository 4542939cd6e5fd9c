"""The ways to monitors: the store that holds the ledger, or a server by the outbox."""

import os
import time
from collections.abc import Callable, Iterable, Mapping

from radar_cli.celery.integration.beat import ServerDeclarer
from radar_cli.core.errors import RadarError
from radar_cli.delivery.courier import Courier
from radar_cli.model.ping import Ping
from radar_cli.store.declaring import Declarer
from radar_cli.store.store import Store

_SOURCE = "celery:watch"
_KEPT_MAX = 10_000


class StoreReporter:
    """Writes to a store; what it can't take now is kept for the next time."""

    def __init__(self, store: Store, log: Callable[[str], None]) -> None:
        self._store = store
        self._log = log
        self._pings: list[Ping] = []
        self._declared: Mapping[str, Mapping[str, str]] | None = None

    def declare(self, monitors: Mapping[str, Mapping[str, str]]) -> None:
        """Have these be the monitors of the schedule; others that were are watched no more."""
        self._declared = monitors
        self.post(())

    def post(self, pings: Iterable[Ping]) -> None:
        """Take pings to their monitors."""
        self._pings += pings
        now_us = time.time_ns() // 1000
        host = os.uname().nodename
        for ping in self._pings:
            ping.fields.setdefault("host", host)
        try:
            if (declared := self._declared) is not None:
                done = self._store.declarations.declare(
                    Declarer(_SOURCE), declared, now_us, kept=declared
                )
                self._declared = None
                for key in done.retired:
                    self._log(f"{key} is no entry any more, and watched no more")
            if self._pings:
                self._store.pings.add(self._pings, now_us)
                self._pings = []
        except RadarError as error:
            self._log(f"monitors can't be told: {error.line()}")
            del self._pings[:-_KEPT_MAX]


class ServerReporter:
    """Sends to the server that the profile names, by the outbox."""

    def __init__(self) -> None:
        self._courier = Courier()
        self._courier.start()
        self._declarer = ServerDeclarer(self._courier, _SOURCE)

    def declare(self, monitors: Mapping[str, Mapping[str, str]]) -> None:
        """Have these be the monitors of the schedule."""
        self._declarer.declare({key: dict(fields) for key, fields in monitors.items()})

    def post(self, pings: Iterable[Ping]) -> None:
        """Put pings into the outbox, from where a thread delivers them."""
        for ping in pings:
            self._courier.post(ping)

    def close(self) -> None:
        """Deliver what may still be delivered shortly."""
        self._courier.close()
