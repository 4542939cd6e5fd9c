"""Taking the pings of a run to one destination, each in its turn."""

import _thread
import time

from radar_cli.pings.destinations import STORE, Destination
from radar_cli.pings.spool import Entry, state_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.pings.announcer import Announcer
    from radar_cli.pings.delivery import Carrier
    from radar_cli.pings.ping import Ping

# While a job runs its connection stays open this long, for the jobs that are done at once.
_KEEP_ALIVE_S = 15.0
_LONGEST_WAIT_S = 86_400.0
# Where no ping is left behind, none is looked for again so soon: most jobs start and end within it.
_LOOK_AGAIN_S = 1.0


class Courier:
    """Takes the pings of a run to one destination, in a thread of its own."""

    def __init__(self, announcer: "Announcer", destination: Destination) -> None:
        self.is_done = False
        self._announcer = announcer
        self._destination = destination
        self._next = 0
        self._found_none_at = float("-inf")
        self._is_carrying = False  # the ping at _next is on its way; else what waited may be
        self._carrier: Carrier | None = None
        self._entry: Entry | None = None  # of the ping that is on its way now
        self._is_abandoned = False  # what isn't delivered is left to a later run
        # Whoever decides what becomes of that ping, the run's end or its answer, does so alone.
        self._deciding = _thread.allocate_lock()
        self._news = _thread.allocate_lock()
        self._news.acquire()

    def wake(self) -> None:
        """Tell it that there is another ping, or that there will be none."""
        try:
            self._news.release()
        except RuntimeError:
            return  # it is awake already

    def run(self) -> None:
        """Take each ping to its place, until there will be no more."""
        announcer = self._announcer
        try:
            if self._destination.is_server:
                self._carry_all()
            else:
                self._keep_all()
                self._care_for_spool()
        except Exception as fault:  # noqa: BLE001 (whatever it is, the job goes on)
            announcer.warnings.append(f"pings are kept: {type(fault).__name__}: {fault}")
            self._keep_rest()
        self.is_done = True

    def abandon(self) -> int:
        """Leave what isn't delivered in the spool, safe from a power failure.

        Return how many of the run's pings are dealt with then.
        """
        from radar_cli.pings.abandoned import keep_undelivered

        with self._deciding:
            self._is_abandoned = True
            rest = self._announcer.pings[self._next :]
            keep_undelivered(self._announcer, self._destination, self._carrier, self._entry, rest)
            return self._next + len(rest)

    def _wait_for_ping(self, timeout_s: float = _LONGEST_WAIT_S) -> "Ping | None":
        """The next ping; None at the end, or when there is none in time."""
        announcer = self._announcer
        while self._next >= len(announcer.pings):
            if announcer.is_closed or not self._news.acquire(timeout=timeout_s):
                # A ping may have been posted just before the end was.
                if self._next < len(announcer.pings):
                    break
                if announcer.is_closed or timeout_s != _LONGEST_WAIT_S:
                    return None
        ping = announcer.pings[self._next]
        announcer.complete(ping)
        return ping

    def _keep_rest(self) -> None:
        """Leave in the spool what isn't delivered, and whatever is still to come."""
        try:
            self._next = self.abandon()
        except Exception as fault:  # noqa: BLE001 (as above; then they are kept one by one)
            self._announcer.warnings.append(f"pings are kept: {type(fault).__name__}: {fault}")
        self._keep_all()

    def _keep_all(self) -> None:
        while (ping := self._wait_for_ping()) is not None:
            self._announcer.keep(ping, self._destination.address())
            self._next += 1

    def _care_for_spool(self) -> None:
        spool, destination = self._announcer.spool, self._destination
        if destination.protocol == STORE and spool.needs_care():
            from radar_cli.pings.trim import care_for

            care_for(spool, destination)

    def _carry_all(self) -> None:
        from radar_cli.pings.delivery import Carrier

        announcer, destination = self._announcer, self._destination
        carrier = self._carrier = Carrier(destination, self._pause)
        while True:
            ping = self._wait_for_ping(_KEEP_ALIVE_S)
            if ping is None and not announcer.is_closed:
                carrier.close()
                ping = self._wait_for_ping()
            if ping is None or self._is_abandoned:
                break
            carry: Callable[[Carrier, Ping], bool] = self._carry
            if not carrier.protocol.KNOWS_EVENT_TIME:
                from radar_cli.pings.lateness import in_turn

                carry = in_turn(announcer, destination, carry)
            if carry(carrier, ping):
                self._flush(carrier, ping)
        carrier.close()

    def _carry(self, carrier: "Carrier", ping: "Ping") -> bool:
        """Deliver one ping, or leave it in the spool; True if it is, or may be, delivered."""
        announcer = self._announcer
        unkept = ""
        with self._deciding:
            if self._is_abandoned:
                return False
            to = self._destination.address()
            try:
                self._entry = announcer.spool.put(ping, to, durable=False, hold=True)
            except state_error() as error:
                unkept = error.line()
        deadline = min(announcer.deadline, time.monotonic() + announcer.timeout_s)
        self._is_carrying = True
        outcome = carrier.deliver(ping, deadline)
        self._is_carrying = False
        with self._deciding:
            entry, self._entry = self._entry, None
            if outcome.result != "delivered":
                from radar_cli.pings.undelivered import settle

                settle(announcer, self._destination, ping, entry, outcome, unkept)
            elif entry is not None:
                entry.remove()
            self._next += 1
        return outcome.result in ("delivered", "unsure")

    def _flush(self, carrier: "Carrier", ping: "Ping") -> None:
        """Send what waited for this server, as long as the run has nothing newer to say."""
        announcer = self._announcer
        now = time.monotonic()
        if now < self._found_none_at + _LOOK_AGAIN_S:
            return
        if not announcer.spool.has_left_behind():
            self._found_none_at = now
            return
        from radar_cli.pings.flush import flush_beside

        flush_beside(announcer, carrier, ping, lambda: self._next < len(announcer.pings))

    def _pause(self, seconds: float) -> bool:
        """Wait before another try; True once there is something newer to send."""
        until = time.monotonic() + seconds
        while len(self._announcer.pings) <= self._next + self._is_carrying:
            # The news that wakes it may be of the ping that is on its way already.
            left_s = until - time.monotonic()
            if left_s <= 0:
                return False
            self._news.acquire(timeout=left_s)
        return True
