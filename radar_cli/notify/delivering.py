"""Delivering alerts: each at least once, in the order of a monitor's flips, and none for ever.

A channel that is dead holds up no other: each has a thread of its own. What can't be delivered
now waits in the store, longer after each try, until it is a week old.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Sequence

from radar_cli.core.errors import RadarError
from radar_cli.notify.channel import Channel, ChannelError
from radar_cli.notify.keeping import decode_notice
from radar_cli.store.alerting import DELIVERED, GIVEN_UP, Alert, Alerting

_TRY_TIMEOUT_S = 30.0
# Longer than any try, so that nobody else tries meanwhile.
_LEASE_US = 120 * 1_000_000
_FIRST_DELAY_US = 30 * 1_000_000
_LONGEST_DELAY_US = 3600 * 1_000_000
_GIVEN_UP_AFTER_US = 7 * 86_400 * 1_000_000


@dataclass(slots=True)
class Delivered:
    """What became of the alerts that were due."""

    count: int = 0
    failures: list[str] = field(default_factory=list)  # a line for each channel that failed


def deliver_alerts(store: Alerting, channels: Sequence[Channel], deadline: float) -> Delivered:
    """Send what is due through these channels until `deadline` (monotonic), and say what failed."""
    done = Delivered()
    couriers = [_Courier(store, channel, deadline, done, _now_us) for channel in channels]
    threads, waiting = [], []
    for courier in couriers:
        thread = threading.Thread(target=courier.run, daemon=True)
        try:
            thread.start()
            threads.append(thread)
        except RuntimeError:  # no more threads for this user: one after the other
            waiting.append(courier)
    for courier in waiting:
        courier.run()
    for thread in threads:
        thread.join()
    return done


def deliver_in_turn(
    store: Alerting,
    channels: Sequence[Channel],
    deadline: float,
    *,
    now_us: Callable[[], int] | None = None,
) -> Delivered:
    """The same without threads: a dead channel holds up those behind it."""
    done = Delivered()
    for channel in channels:
        _Courier(store, channel, deadline, done, now_us or _now_us).run()
    return done


class _Courier:
    """Takes the alerts of one channel to it."""

    def __init__(
        self,
        store: Alerting,
        channel: Channel,
        deadline: float,
        done: Delivered,
        now_us: Callable[[], int],
    ) -> None:
        self._now_us = now_us
        self._store = store
        self._channel = channel
        self._deadline = deadline
        self._done = done

    def run(self) -> None:
        """Send one after the other, until one fails: the next would, too."""
        try:
            while time.monotonic() < self._deadline:
                alert = self._store.claim_alert(self._now_us(), _LEASE_US, self._channel.table.name)
                if alert is None or not self._try(alert):
                    return
        except RadarError as error:  # the store itself
            self._fail(error.line())

    def _try(self, alert: Alert) -> bool:
        """Send one alert, and note in the store what became of it; True if it was delivered."""
        timeout_s = min(_TRY_TIMEOUT_S, max(1.0, self._deadline - time.monotonic()))
        try:
            notice = decode_notice(alert.notice, alert.id)
            self._channel.send(notice, timeout_s=timeout_s)
        except ChannelError as error:
            self._put_off(alert, error.line())
            return False
        except (OSError, MemoryError) as fault:
            # What this machine lacks right now says nothing of the notice.
            self._put_off(alert, f"{type(fault).__name__}: {fault}")
            return False
        except Exception as fault:  # noqa: BLE001 (one poisoned alert stops no other)
            reason = f"{type(fault).__name__}: {fault}"
            self._store.settle_alert(alert, GIVEN_UP, reason)
            self._fail(f"a notice of {alert.monitor} can't be told: {reason}")
            return True
        self._store.settle_alert(alert, DELIVERED)
        self._done.count += 1
        return True

    def _put_off(self, alert: Alert, reason: str) -> None:
        now_us = self._now_us()
        if now_us - alert.created_us > _GIVEN_UP_AFTER_US:
            self._store.settle_alert(alert, GIVEN_UP, reason)
            self._fail(f"a notice of {alert.monitor} is given up after a week: {reason}")
            return
        delay_us = min(_FIRST_DELAY_US << min(alert.tries - 1, 20), _LONGEST_DELAY_US)
        self._store.postpone_alert(alert, now_us + delay_us, reason)
        self._fail(reason)

    def _fail(self, words: str) -> None:
        self._done.failures.append(f"channel {self._channel.table.name}: {words}")


def _now_us() -> int:
    return time.time_ns() // 1000
