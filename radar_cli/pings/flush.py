"""Sending what waits in the spool, once its server answers again."""

import time

from radar_cli.pings.delivery import DELIVERED, DROPPED, REJECTED, UNSURE, WAITING, Carrier, Outcome
from radar_cli.pings.destinations import UNRESOLVED
from radar_cli.pings.outbox import claim_for, lock_for_flush, reject, unlock
from radar_cli.pings.spool import WAITING as WAITING_SUFFIX
from radar_cli.pings.spool import Entry, Spool
from radar_cli.pings.trim import trim_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.pings.announcer import Announcer
    from radar_cli.pings.ping import Ping

# A ping that the server chokes on must not keep the others from going out.
_FAILURES_MAX = 5
# A server that takes every ping for news must have the time to answer: a ping that it took, and
# of which that isn't known, would be news again.
_ENOUGH_S = 1.0
_ENOUGH_TRIES = 3


class Flushed:
    """What a flush did: how many pings went out, and in words what it did with the others.

    `losses` are those of the notes that tell of a ping which will never arrive.
    """

    def __init__(self) -> None:
        self.delivered = 0
        self.notes: list[str] = []
        self.losses: list[str] = []

    def lose(self, words: str) -> None:
        """Note that something is lost."""
        self.notes.append(words)
        self.losses.append(words)


def flush(
    spool: Spool,
    carrier: Carrier,
    *,
    deadline: float,
    ping_timeout_s: float | None = None,
    current: "Ping | None" = None,
    suffix: str = WAITING_SUFFIX,
    is_stopped: "Callable[[], bool]" = lambda: False,
) -> Flushed:
    """Send the waiting pings of a carrier's destination until `deadline` (monotonic).

    Each is tried once or, with `ping_timeout_s`, for that long; a server that doesn't answer ends
    the flush. `current` is what the run that flushes has just sent. Only one process flushes to a
    destination; any other finds nothing to do.
    """
    flushed = Flushed()
    names = spool.outbound(suffix)
    server = carrier.destination.server
    lock = lock_for_flush(spool, server) if names else None
    if lock is None:
        return flushed
    try:
        for words in trim_now(spool):
            flushed.lose(words)
        turn = Turn(spool, carrier, deadline, ping_timeout_s, flushed, is_stopped)
        if carrier.protocol.KNOWS_EVENT_TIME:
            turn.send_all(names)
        else:
            from radar_cli.pings.lateness import send_news

            send_news(turn, names, current)
    finally:
        unlock(spool, lock, server)
    return flushed


def flush_beside(
    announcer: "Announcer", carrier: Carrier, ping: "Ping", is_stopped: "Callable[[], bool]"
) -> None:
    """Flush within the time that a run has, after its `ping` was taken; the run says what was."""
    flushed = flush(
        announcer.spool,
        carrier,
        deadline=min(announcer.deadline, time.monotonic() + announcer.timeout_s),
        current=ping,
        is_stopped=is_stopped,
    )
    announcer.warnings += flushed.losses
    announcer.details += [words for words in flushed.notes if words not in flushed.losses]


def say_unsure(ping: "Ping", reason: str) -> str:
    """The words for a late success that may have arrived."""
    return f"{ping.monitor}: its success is not sent again: {reason}"


class Turn:
    """One flush at work."""

    def __init__(
        self,
        spool: Spool,
        carrier: Carrier,
        deadline: float,
        ping_timeout_s: float | None,
        flushed: Flushed,
        is_stopped: "Callable[[], bool]",
    ) -> None:
        self.spool = spool
        self.carrier = carrier
        self.flushed = flushed
        self._deadline = deadline
        self._ping_timeout_s = ping_timeout_s
        self._is_stopped = is_stopped
        self._failures = 0
        self._enough_s, self._enough_tries = 0.0, 1
        if not carrier.protocol.KNOWS_EVENT_TIME:
            self._enough_s = min(_ENOUGH_S, (deadline - time.monotonic()) / 2)
            self._enough_tries = _ENOUGH_TRIES

    def is_over(self) -> bool:
        """Whether there is no time left for another ping, or something better to do."""
        left_s = self._deadline - time.monotonic()
        return (
            self._failures >= _FAILURES_MAX
            or self._is_stopped()
            or left_s <= max(self._enough_s, self._enough_tries * self.carrier.last_try_s)
        )

    def send_all(self, names: list[str]) -> None:
        """Send the pings in these files, oldest first."""
        for name in names:
            if self.is_over():
                return
            entry = claim_for(self.spool, name, self.carrier.destination)
            if entry is not None:
                self.send(entry)

    def send(self, entry: Entry) -> None:
        """Send one claimed ping of this destination's, and let it go."""
        destination, ping = self.carrier.destination, entry.ping
        if UNRESOLVED in entry.to:
            from radar_cli.pings.unresolved import clean

            ping = clean(ping, destination)
        deadline, patience_s = self._deadline, self._ping_timeout_s
        if patience_s is not None:
            deadline = min(deadline, time.monotonic() + patience_s)
        self.carrier.late = entry
        outcome = self.carrier.deliver(ping, deadline, once=patience_s is None)
        self.carrier.late = None
        self._settle(entry, outcome)

    def _settle(self, entry: Entry, outcome: Outcome) -> None:
        flushed = self.flushed
        if outcome.result == DELIVERED:
            entry.remove()
            flushed.delivered += 1
            self._failures = 0
            return
        if outcome.result == UNSURE:
            entry.remove()
            flushed.lose(say_unsure(entry.ping, outcome.reason))
            self._failures = _FAILURES_MAX
            return
        flushed.notes.append(f"{entry.ping.monitor}: {outcome.reason}")
        if outcome.result == REJECTED:
            reject(entry, outcome.reason)
        elif outcome.result == DROPPED:
            entry.remove()
        else:
            entry.release()
            assert outcome.result == WAITING  # noqa: S101 (there is no other)
            # An answer may be about this one ping; anything else would befall the next one, too.
            self._failures += 1 if outcome.is_answer else _FAILURES_MAX
