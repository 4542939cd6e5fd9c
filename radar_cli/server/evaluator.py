"""Noticing silence in time: monitors are judged when they are due, and people told at once."""

import sys
import threading
import time
from typing import Callable, Sequence

from radar_cli.errors import RadarError
from radar_cli.notify.channel import Channel
from radar_cli.notify.composing import Composer
from radar_cli.notify.delivering import deliver_alerts
from radar_cli.store.store import Store

_TICK_S = 0.2
_DELIVERY_S = 60.0
# After a fault of the database, not every tick complains.
_AFTER_FAULT_S = 5.0
# A server that was away for less has missed nothing that a grace doesn't forgive.
BLIND_FROM_S = 30.0
_ALIVE_EVERY_S = 5.0


class Evaluator:
    """Two threads: one judges what is due, the other one delivers alerts."""

    def __init__(
        self,
        store: Store,
        channels: Sequence[Channel],
        compose: Composer,
        *,
        take_in: Callable[[], None],
        note_fault: Callable[[RadarError], None],
    ) -> None:
        self._store = store
        self._channels = channels
        self._compose = compose
        self._take_in = take_in
        self._note_fault = note_fault
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(step,), name=name, daemon=True)
            for step, name in ((self._judge, "evaluator"), (self._deliver, "alerts"))
        ]
        self._alive_at = float("-inf")
        self.last_tick = time.monotonic()  # of the evaluator, to tell whether it lives

    def start(self) -> None:
        """Begin to judge and to deliver."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is at hand, and end."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_DELIVERY_S)

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self._stopping.wait(_TICK_S):
            try:
                step()
            except RadarError as error:
                self._note_fault(error)
                self._stopping.wait(_AFTER_FAULT_S)
            except Exception as fault:  # noqa: BLE001 (nobody else would notice silence)
                sys.stderr.write(f"radar: evaluator: {type(fault).__name__}: {fault}\n")
                self._stopping.wait(_AFTER_FAULT_S)

    def _judge(self) -> None:
        self._take_in()
        now_us = time.time_ns() // 1000
        self._store.judge(now_us)
        self._store.enqueue_alerts(now_us, self._compose)
        self.last_tick = time.monotonic()
        if self.last_tick - self._alive_at >= _ALIVE_EVERY_S:
            self._alive_at = self.last_tick
            self._store.note_alive(now_us)

    def _deliver(self) -> None:
        if self._channels:
            deliver_alerts(self._store, self._channels, time.monotonic() + _DELIVERY_S)
