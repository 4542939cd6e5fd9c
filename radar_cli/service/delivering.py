"""Delivering notices: each at least once, in the order of a monitor's flips, and none for ever.

A channel that is dead holds up no other: each has a thread of its own. What can't be delivered
now waits in the store, longer after each try, until it is a week old; what was refused for good
doesn't.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Sequence

from radar_cli.core.errors import RadarError
from radar_cli.notify.channel import Channel, ChannelError
from radar_cli.service.composing import join
from radar_cli.store.notices import DELIVERED, GIVEN_UP, Outgoing
from radar_cli.store.store import Store

_TRY_TIMEOUT_S = 30.0
# Longer than any try, so that nobody else tries meanwhile.
_LEASE_US = 120 * 1_000_000
_FIRST_DELAY_US = 30 * 1_000_000
_LONGEST_DELAY_US = 3600 * 1_000_000
_GIVEN_UP_AFTER_US = 7 * 86_400 * 1_000_000


@dataclass(slots=True)
class Delivered:
    """The result: what became of the alerts that were due."""

    count: int = 0
    failures: list[str] = field(default_factory=list)  # a line for each channel that failed
    remarks: list[str] = field(default_factory=list)  # on what wasn't told as it was meant


def deliver_alerts(store: Store, channels: Sequence[Channel], deadline: float) -> Delivered:
    """Send what is due through these channels until `deadline` (monotonic), and say what failed."""
    done = Delivered()
    couriers = [_ChannelWorker(store, channel, deadline, done, _now_us) for channel in channels]
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
    store: Store,
    channels: Sequence[Channel],
    deadline: float,
    *,
    now_us: Callable[[], int] | None = None,
    waits: bool = False,
) -> Delivered:
    """The same without threads: a dead channel holds up those behind it.

    With `waits` what comes shortly after one another goes out together: for whoever looks again
    all the time.
    """
    done = Delivered()
    for channel in channels:
        _ChannelWorker(store, channel, deadline, done, now_us or _now_us, waits=waits).run()
    return done


class _ChannelWorker:
    """Takes the alerts of one channel to it."""

    def __init__(
        self,
        store: Store,
        channel: Channel,
        deadline: float,
        done: Delivered,
        now_us: Callable[[], int],
        *,
        waits: bool = False,
    ) -> None:
        self._waits = waits
        self._now_us = now_us
        self._store = store
        self._channel = channel
        self._deadline = deadline
        self._done = done

    def run(self) -> None:
        """Send one after the other, until one fails: the next would, too."""
        try:
            while time.monotonic() < self._deadline and not self._is_quiet():
                name, is_alone = self._channel.table.name, self._channel.table.is_alone
                waits = self._waits and not is_alone
                outgoing = self._store.notices.claim(
                    self._now_us(), _LEASE_US, name, waits=waits, alone=is_alone
                )
                if outgoing is None or not self._try(outgoing):
                    return
        except RadarError as error:  # the store itself
            self._fail(error.line())

    def _is_quiet(self) -> bool:
        """Whether it is a time in which the channel tells nothing, whatever waits."""
        quiet = self._channel.table.quiet
        return quiet is not None and quiet.is_quiet(self._now_us())

    def _try(self, outgoing: Outgoing) -> bool:
        """Send a notice, and note in the store what became of it; True if it was delivered."""
        timeout_s = min(_TRY_TIMEOUT_S, max(1.0, self._deadline - time.monotonic()))
        try:
            receipt = self._channel.send(join(outgoing), timeout_s=timeout_s)
        except ChannelError as error:
            if not error.is_retriable:
                # Nobody wants it there, however often it comes (410, say): the next one may differ.
                self._store.notices.settle(outgoing, GIVEN_UP, error.line(), self._now_us())
                self._fail(f"a notice of {_monitors(outgoing)} is given up: {error.line()}")
                return True
            self._put_off(outgoing, error.line())
            return False
        except (OSError, MemoryError) as fault:
            # What this machine lacks right now says nothing of the notice.
            self._put_off(outgoing, f"{type(fault).__name__}: {fault}")
            return False
        except Exception as fault:  # noqa: BLE001 (one poisoned notice stops no other)
            reason = f"{type(fault).__name__}: {fault}"
            self._store.notices.settle(outgoing, GIVEN_UP, reason, self._now_us())
            self._fail(f"a notice of {_monitors(outgoing)} can't be sent: {reason}")
            return True
        answer = "; ".join(part for part in (receipt.answer, receipt.remark) if part)
        self._store.notices.settle(outgoing, DELIVERED, answer, self._now_us())
        if receipt.remark:
            self._done.remarks.append(f"channel {self._channel.table.name}: {receipt.remark}")
        self._done.count += 1
        return True

    def _put_off(self, outgoing: Outgoing, reason: str) -> None:
        now_us = self._now_us()
        if now_us - outgoing.created_us > _GIVEN_UP_AFTER_US:
            self._store.notices.settle(outgoing, GIVEN_UP, reason, now_us)
            self._fail(f"a notice of {_monitors(outgoing)} is given up after a week: {reason}")
            return
        delay_us = min(_FIRST_DELAY_US << min(outgoing.tries - 1, 20), _LONGEST_DELAY_US)
        self._store.notices.postpone(outgoing, now_us + delay_us, reason, now_us)
        self._fail(reason)

    def _fail(self, words: str) -> None:
        self._done.failures.append(f"channel {self._channel.table.name}: {words}")


def _monitors(outgoing: Outgoing) -> str:
    names = list(dict.fromkeys(alert.monitor for alert in outgoing.alerts if alert.monitor))
    if not names:
        return "a channel"
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _now_us() -> int:
    return time.time_ns() // 1000
