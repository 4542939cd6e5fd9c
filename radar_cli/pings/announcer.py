"""Sending a run's pings while the job runs, so that no server, disk or name can hold it up.

The main thread posts pings; one thread for each destination takes them there. Each ping for a
server is first a file in the spool (without fsync: that outlives radar, if not a power failure),
and stays one if it isn't delivered.
"""

import _thread
import os

from radar_cli.pings.courier import Courier
from radar_cli.pings.destinations import Resolved, resolve
from radar_cli.pings.spool import Spool, state_error
from radar_cli.places import state_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.pings.ping import Ping

PING_TIMEOUT_S = 10.0


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
        # Makes the field `command`, once it is known what to redact in it.
        self.add_command: Callable[[], str] | None = None
        self._couriers: list[Courier] = []
        self._resolving = Resolved()
        # Whoever is first, the run's end or who finds out where pings go, decides where they are.
        self._deciding = _thread.allocate_lock()
        self._is_given_up = False
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

    def give_up(self) -> bool:
        """Wait no longer to know where pings go; False if it is known by now.

        If not, they are kept unresolved, and nobody sends them in this run.
        """
        with self._deciding:
            self._is_given_up |= not self._couriers
            return self._is_given_up

    def abandon(self) -> None:
        """Keep what is still on its way for a later run, as there is no more time for it."""
        if self.give_up():
            from radar_cli.pings.abandoned import keep_unresolved

            keep_unresolved(self, self._profiles, self._resolving.waits_for or "the config")
        for courier in self._couriers:
            courier.abandon()
        self.has_kept = True  # or a courier is about to say so
        self._trim()

    def keep(self, ping: "Ping", address: dict[str, str]) -> bool:
        """Put a ping into the spool, safe from a power failure; False if it is lost."""
        try:
            self.spool.put(ping, address, durable=True)
            self.has_kept |= bool(address)
        except state_error() as error:
            self.tell(ping, "lost", error.line(), aloud=True)
            return False
        return True

    def tell(self, ping: "Ping", fate: str, reason: str, *, aloud: bool) -> None:
        """Say what became of a ping: to everybody, or to who asks with --verbose."""
        from radar_cli.pings.undelivered import tell

        self.fates.add(fate)
        tell(self.warnings if aloud else self.details, ping.kind, fate, reason)

    def complete(self, ping: "Ping") -> None:
        """Add what only the config and this machine say."""
        (self.resolved or self._resolving).complete(ping)
        if self.add_command is not None and "command" not in ping.fields:
            ping.fields["command"] = self.add_command()

    def _wake(self) -> None:
        for courier in self._couriers:
            courier.wake()

    def _run(self) -> None:
        try:
            resolved = resolve(self._profiles, self._server, os.environ, self._resolving)
            with self._deciding:
                if self._is_given_up:
                    return
                if resolved.ping_timeout_s is not None and not self._has_own_timeout:
                    self.timeout_s = resolved.ping_timeout_s
                self._couriers = [Courier(self, each) for each in resolved.destinations]
                self.warnings += resolved.warnings
                self.resolved = resolved
            self.nudge()
            first, *others = self._couriers
            for courier in others:
                _thread.start_new_thread(self._run_another, (courier,))
            first.run()
        finally:
            try:
                self._trim()
            except Exception as fault:  # noqa: BLE001 (the pings are where they have to be)
                self.warnings.append(f"the outbox is not trimmed: {type(fault).__name__}: {fault}")
            self._is_done = True
            self.nudge()

    def _run_another(self, courier: "Courier") -> None:
        courier.run()
        self.nudge()

    def _trim(self) -> None:
        """Keep the outbox bounded, also where no server ever answers."""
        with self._trimming:  # who comes second waits for what the first one has to say
            if self.has_kept:
                from radar_cli.pings.trim import trim_now

                self.has_kept = False
                self.warnings += trim_now(self.spool)
