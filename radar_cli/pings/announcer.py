"""Sending a run's pings while the job runs, so that no server, disk or name can hold it up.

The main thread posts pings; one thread for each destination takes them there. Each ping for a
server is first a file in the spool (without fsync: that outlives radar, if not a power failure),
and stays one if it isn't delivered.
"""

import _thread
import os
import time

from radar_cli.pings.destinations import STORE, Destination, Resolved, resolve, unresolved
from radar_cli.pings.spool import Entry, Spool, state_error
from radar_cli.places import state_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.pings.delivery import Carrier
    from radar_cli.pings.ping import Ping

PING_TIMEOUT_S = 10.0
# While a job runs its connection stays open this long, for the jobs that are done at once.
_KEEP_ALIVE_S = 15.0
_LONGEST_WAIT_S = 86_400.0
# Readers of the store take the spool in; where there are none, the wrapper does it now and then.
_MANY_WAIT = 1000
# Waiting pings that a run looks at to see whether any of them are left behind.
_LOOKED_AT = 3
# Where none is, none is looked for again so soon: most jobs start and end within it.
_LOOK_AGAIN_S = 1.0


class Announcer:
    """The pings of one run, on their way. `nudge` is called whenever one of its steps is done."""

    def __init__(
        self,
        profiles: list[str],
        server: str | None,
        timeout_s: float | None,
        nudge: "Callable[[], None]",
    ) -> None:
        self.resolved: Resolved | None = None
        self.warnings: list[str] = []
        self.details: list[str] = []  # for --verbose
        self.timeout_s = PING_TIMEOUT_S if timeout_s is None else timeout_s
        self.pings: list[Ping] = []
        self.is_closed = False
        self.deadline = float("inf")
        self.has_kept = False  # so the outbox has grown
        self.fates: set[str] = set()  # of the pings that aren't delivered
        self.spool = Spool(state_directory(os.environ))
        self._profiles = profiles
        self._server = server
        self._has_own_timeout = timeout_s is not None
        self.nudge = nudge
        self._couriers: list[Courier] = []
        self._is_done = False
        self._trimming = _thread.allocate_lock()

    def start(self) -> None:
        """Begin to find out where pings go, and to take them there."""
        _thread.start_new_thread(self._run, ())

    def post(self, ping: "Ping") -> None:
        """Send a ping, in the order of posting."""
        self.pings.append(ping)
        self._wake()

    def close(self, deadline: float) -> None:
        """Say that no ping follows, and that nothing may go on after `deadline` (monotonic)."""
        self.deadline = deadline
        self.is_closed = True
        self._wake()

    def is_done(self) -> bool:
        """Whether every ping is delivered or safely kept."""
        return self._is_done and all(courier.is_done for courier in self._couriers)

    def abandon(self) -> None:
        """Keep what is still on its way for a later run, as there is no more time for it."""
        if not self._couriers:
            for destination in unresolved(self._profiles, os.environ):
                for ping in self.pings:
                    self.keep(ping, destination.address())
        for courier in self._couriers:
            courier.abandon()
        self.has_kept = True  # or a courier is about to say so
        self._trim()

    def keep(self, ping: "Ping", address: dict[str, str]) -> None:
        """Put a ping into the spool, safe from a power failure."""
        try:
            self.spool.put(ping, address, durable=True)
            self.has_kept |= bool(address)
        except state_error() as error:
            self.tell(ping, "lost", error.line(), aloud=True)

    def tell(self, ping: "Ping", fate: str, reason: str, *, aloud: bool) -> None:
        """Say what became of a ping: to everybody, or to who asks with --verbose."""
        from radar_cli.pings.undelivered import tell

        self.fates.add(fate)
        tell(self.warnings if aloud else self.details, ping.kind, fate, reason)

    def complete(self, ping: "Ping") -> None:
        """Add what only the config and this machine say."""
        resolved = self.resolved
        if "schedule" in ping.fields and "tz" not in ping.fields:
            from radar_cli.zone import local_zone

            ping.fields["tz"] = (resolved.tz if resolved else "") or local_zone()
        if resolved is not None and "host" not in ping.fields:
            ping.fields["host"] = resolved.host or os.uname().nodename

    def _wake(self) -> None:
        for courier in self._couriers:
            courier.wake()

    def _run(self) -> None:
        try:
            resolved = resolve(self._profiles, self._server, os.environ)
            if resolved.ping_timeout_s is not None and not self._has_own_timeout:
                self.timeout_s = resolved.ping_timeout_s
            self._couriers = [Courier(self, each) for each in resolved.destinations]
            self.warnings += resolved.warnings
            self.resolved = resolved
            self.nudge()
            first, *others = self._couriers
            for courier in others:
                _thread.start_new_thread(courier.run, ())
            first.run()
        except Exception as fault:  # noqa: BLE001 (whatever it is, the job goes on)
            self.warnings.append(f"pings are kept: {type(fault).__name__}: {fault}")
            without = unresolved(self._profiles, os.environ)
            self._couriers = [Courier(self, each) for each in without]
            for courier in self._couriers:
                courier.run()
        finally:
            self._trim()
            self._is_done = True
            self.nudge()

    def _trim(self) -> None:
        """Keep the outbox bounded, also where no server ever answers."""
        with self._trimming:  # who comes second waits for what the first one has to say
            if self.has_kept:
                from radar_cli.pings.trim import trim_now

                self.has_kept = False
                self.warnings += trim_now(self.spool)


class Courier:
    """Takes the pings of a run to one destination, in a thread of its own."""

    def __init__(self, announcer: Announcer, destination: Destination) -> None:
        self.is_done = False
        self._announcer = announcer
        self._destination = destination
        self._next = 0
        self._found_none_at = float("-inf")
        self._is_carrying = False  # the ping at _next is on its way; else what waited may be
        self._entry: Entry | None = None  # of the ping that is on its way now
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
                address = self._destination.address()
                while (ping := self._wait_for_ping()) is not None:
                    announcer.keep(ping, address)
                    self._next += 1
                spool = announcer.spool
                if self._destination.protocol == STORE and len(spool.names()) >= _MANY_WAIT:
                    from radar_cli.store.intake import empty

                    empty(spool, self._destination)
            self.is_done = True
        except Exception as fault:  # noqa: BLE001 (whatever it is, the job goes on)
            announcer.warnings.append(f"pings are kept: {type(fault).__name__}: {fault}")
            self.abandon()
            self.is_done = True
        finally:
            announcer.nudge()

    def abandon(self) -> None:
        """Leave what isn't delivered in the spool, safe from a power failure."""
        with self._deciding:
            entry, rest = self._entry, self._announcer.pings[self._next :]
            if entry is not None:
                try:
                    entry.sync()
                    rest = rest[1:]
                except OSError:
                    pass  # it is kept below
        for ping in rest:
            self._announcer.complete(ping)
            self._announcer.keep(ping, self._destination.address())

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

    def _carry_all(self) -> None:
        from radar_cli.pings.delivery import Carrier

        announcer = self._announcer
        carrier = Carrier(self._destination, self._pause)
        while True:
            ping = self._wait_for_ping(_KEEP_ALIVE_S)
            if ping is None and not announcer.is_closed:
                carrier.close()
                ping = self._wait_for_ping()
            if ping is None:
                break
            carry: Callable[[Carrier, Ping], bool] = self._carry
            if not carrier.protocol.KNOWS_EVENT_TIME:
                from radar_cli.pings.lateness import in_turn

                carry = in_turn(announcer, self._destination, carry)
            if carry(carrier, ping):
                self._flush(carrier, ping)
        carrier.close()

    def _carry(self, carrier: "Carrier", ping: "Ping") -> bool:
        """Deliver one ping, or leave it in the spool; True if it is delivered."""
        announcer = self._announcer
        unkept = ""
        try:
            self._entry = announcer.spool.put(
                ping, self._destination.address(), durable=False, hold=True
            )
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
        return outcome.result == "delivered"

    def _flush(self, carrier: "Carrier", ping: "Ping") -> None:
        """Send what waited for this server, as long as the run has nothing newer to say."""
        announcer = self._announcer
        now = time.monotonic()
        if now < self._found_none_at + _LOOK_AGAIN_S:
            return
        # With a hundred jobs at once, what is there is on its way already; the oldest tell.
        if not any(map(announcer.spool.is_free, announcer.spool.names()[:_LOOKED_AT])):
            self._found_none_at = now
            return
        from radar_cli.pings.flush import flush

        flushed = flush(
            announcer.spool,
            carrier,
            deadline=min(announcer.deadline, time.monotonic() + announcer.timeout_s),
            current=ping,
            is_stopped=lambda: self._next < len(announcer.pings),
        )
        announcer.warnings += flushed.losses
        announcer.details += [words for words in flushed.notes if words not in flushed.losses]

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
