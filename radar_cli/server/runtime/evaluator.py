"""Noticing silence in time: monitors are judged when they are due, and people told at once."""

import functools
import threading
import time
from typing import Callable, Sequence

from radar_cli.core.errors import RadarError
from radar_cli.notify.channel import Channel
from radar_cli.server.runtime.log import log
from radar_cli.server.runtime.now import Clock
from radar_cli.service.composing import Composer, enqueue_news
from radar_cli.service.delivering import deliver_in_turn
from radar_cli.store.outages import NotedOutage
from radar_cli.store.store import Store

_TICK_S = 0.2
_DELIVERY_S = 60.0
# After a fault of the database, not every tick complains.
_AFTER_FAULT_S = 5.0
_REMINDED_EVERY_S = 2.0
# What is on its way when the server is told to end is sent again by the next one.
_STOP_PATIENCE_S = 5.0


class Evaluator:
    """A thread that judges what is due, and one for each channel: one that hangs holds up none."""

    def __init__(
        self,
        store: Store,
        channels: Sequence[Channel],
        compose: Composer,
        *,
        clock: Clock,
        ingest: Callable[[], None],
        note_fault: Callable[[RadarError], None],
        note_outage: Callable[[NotedOutage], None],
        remind_every_s: float = 0.0,
    ) -> None:
        self._store = store
        self._compose = compose
        self._clock = clock
        self._ingest = ingest
        self._note_fault = note_fault
        self._note_outage = note_outage
        self._remind_every_us = round(remind_every_s * 1e6)
        self._stopping = threading.Event()
        deliver = [(functools.partial(self._deliver, each), each.table.name) for each in channels]
        self._threads = [
            threading.Thread(target=self._repeat, args=(step,), name=name, daemon=True)
            for step, name in ((self._judge, "evaluator"), *deliver)
        ]
        self._reminded_at = float("-inf")
        self._failures: dict[str, list[str]] = {}  # of each channel, the last time
        self.last_tick = time.monotonic()  # of the evaluator, to tell whether it lives

    def start(self) -> None:
        """Begin to judge and to deliver."""
        if self._remind_every_us:
            self._store.reminders.begin(self._clock.now_us(), self._remind_every_us)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is at hand, and end."""
        self._stopping.set()
        deadline = time.monotonic() + _STOP_PATIENCE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self._stopping.wait(_TICK_S):
            try:
                step()
            except RadarError as error:
                if self._stopping.is_set():
                    return
                self._note_fault(error)
                self._stopping.wait(_AFTER_FAULT_S)
            except Exception as fault:  # noqa: BLE001 (nobody else would notice silence)
                log.error("evaluator: %s: %s", type(fault).__name__, fault)
                self._stopping.wait(_AFTER_FAULT_S)

    def _judge(self) -> None:
        # The one reading of the clock for all of it: an outage that ends in between (a process
        # stopped, a machine asleep, a database away) must not be judged before it is noted.
        now_us = self._clock.now_us()
        if (outage := self._store.outages.keep_watch(now_us)) is not None:
            self._note_outage(outage)
        self._ingest()
        self._store.monitors.judge(now_us)
        every_us = self._remind_every_us
        enqueue_news(self._store, self._compose, now_us, remind_every_us=every_us)
        self.last_tick = time.monotonic()
        if self.last_tick - self._reminded_at >= _REMINDED_EVERY_S:
            self._reminded_at = self.last_tick
            self._store.reminders.enqueue(now_us, every_us, self._compose.at(now_us))

    def _deliver(self, channel: Channel) -> None:
        deadline = time.monotonic() + _DELIVERY_S
        waits = not self._clock.is_still
        done = deliver_in_turn(
            self._store, [channel], deadline, now_us=self._clock.now_us, waits=waits
        )
        known = self._failures.get(channel.table.name, [])
        if done.failures or done.count:
            self._failures[channel.table.name] = done.failures
        if done.count:
            log.info(
                "%s notice%s through %s", done.count, "s"[: done.count - 1], channel.table.name
            )
        if done.failures != known and not self._stopping.is_set():
            # Once, until it is something else or gets through.
            for line in dict.fromkeys(done.failures):
                log.warning("%s", line)
