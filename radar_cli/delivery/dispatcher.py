"""Sending a run's pings while the job runs, so that no server, disk or name can hold it up.

The main thread posts pings to the dispatcher; one worker, a thread, for each destination takes
them there. Each ping for a server is first a file in the spool (without fsync: that outlives
radar, if not a power failure), and stays one if it isn't delivered.
"""

import _thread
import os
import time

from radar_cli.core.places import state_directory
from radar_cli.delivery.destinations import STORE, Destination, Resolved, resolve, unresolved
from radar_cli.model.ping import KINDS
from radar_cli.outbox.spool import MANY_WAIT, Entry, Outbox, folder_name, state_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.delivery.sender import Outcome, Sender
    from radar_cli.model.ping import Ping
    from radar_cli.net.client import Link

PING_TIMEOUT_S = 10.0


# While a job runs its connection stays open this long, for the jobs that are done at once.
_KEEP_ALIVE_S = 15.0
_LONGEST_WAIT_S = 86_400.0
# A server that didn't answer in the last minute is asked once, and for so long.
_DOWN_S = 60.0
_BRIEFLY_S = 1.0
_OLD_AT_ONCE = 500
_SHOWS_OUTAGE_S = 2.0  # so long without an answer
# An answer that has come in time is read within this, however busy the machine is.
_HEARING_S = 1.0
_HEARING_LOOK_S = 0.01
# Where no ping is left behind, none is looked for again so soon: most jobs start and end within it.
_LOOK_AGAIN_S = 1.0


_KEPT = "kept in the outbox"


class Dispatcher:
    """The pings of one run, on their way. `nudge` is called whenever one of its steps is done."""

    def __init__(
        self,
        profiles: list[str],
        server: str | None,
        timeout_s: float | None,
        nudge: "Callable[[], None]",
        ingest: "Callable[[Outbox, Destination], None]",
    ) -> None:
        self.resolved: Resolved | None = None
        self.warnings: list[str] = []
        self.details: list[str] = []  # for --verbose
        self.timeout_s = PING_TIMEOUT_S if timeout_s is None else timeout_s
        self.pings: list[Ping] = []
        self.is_closed = False
        self.deadline = float("inf")
        self._grown: set[str] = set()  # folders of the outbox in which pings were kept
        self.fates: set[str] = set()  # of the pings that aren't delivered
        self.outbox = Outbox(state_directory(os.environ))
        self._profiles = profiles
        self._server = server
        self._has_own_timeout = timeout_s is not None
        self.nudge = nudge
        self.ingest = ingest  # what many pings wait for where nobody reads the store
        # Makes the fields `command`, `message` and `url`, once it is known what to redact in them.
        self.typed_fields: Callable[[], dict[str, str]] | None = None
        self._workers: list[DestinationWorker] = []
        self._resolving = Resolved()
        # Whoever is first, the run's end or who finds out where pings go, decides where they are.
        self._deciding = _thread.allocate_lock()
        self._is_given_up = False
        self._is_done = False
        # Then the caller has to `resolve` and, after `close`, to `work`; both take their time.
        self.has_no_thread = False
        self._trimming = _thread.allocate_lock()

    def start(self) -> None:
        """Begin to find out where pings go, and to take them there."""
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # no more threads for this user
            self.has_no_thread = True

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
        return self._is_done and all(worker.is_done for worker in self._workers)

    def give_up(self) -> bool:
        """Wait no longer to know where pings go; False if it is known by now.

        If not, they are kept unresolved, and nobody sends them in this run.
        """
        with self._deciding:
            self._is_given_up |= not self._workers
            return self._is_given_up

    def abandon(self) -> None:
        """Keep what is still on its way for a later run, as there is no more time for it."""
        if self.give_up():
            keep_unresolved(self, self._profiles, self._resolving.waits_for or "the config")
        for worker in self._workers:
            worker.drain()
            worker.abandon()
        self._trim()

    def keep(self, ping: "Ping", address: dict[str, str]) -> bool:
        """Put a ping into the spool, safe from a power failure; False if it is lost."""
        try:
            self.outbox.put(ping, address, durable=True)
            self.note_kept(address)
        except state_error() as error:
            self.report(ping, "lost", error.line(), aloud=True)
            return False
        return True

    def note_kept(self, address: dict[str, str]) -> None:
        """Note that more pings wait for a destination: there is a bound to that."""
        if address:  # what waits for the embedded store is nowhere else
            self._grown.add(folder_name(address))

    def report(self, ping: "Ping", fate: str, reason: str, *, aloud: bool) -> None:
        """Say what became of a ping: to everybody, or to who asks with --verbose."""
        self.fates.add(fate)
        report(self.warnings if aloud else self.details, ping.kind, fate, reason)

    def complete(self, ping: "Ping") -> None:
        """Add what only the config and this machine say."""
        (self.resolved or self._resolving).complete(ping)
        if self.typed_fields is not None:
            for name, text in self.typed_fields().items():
                ping.fields.setdefault(name, text)

    def _wake(self) -> None:
        for worker in self._workers:
            worker.wake()

    def _run(self) -> None:
        if self.resolve():
            self.work()
        else:
            self._is_done = True
            self.nudge()

    def resolve(self) -> bool:
        """Find out where pings go; False if nobody waits for that any more."""
        resolved = resolve(self._profiles, self._server, os.environ, self._resolving)
        with self._deciding:
            if self._is_given_up:
                return False
            if resolved.ping_timeout_s is not None and not self._has_own_timeout:
                self.timeout_s = resolved.ping_timeout_s
            self._workers = [DestinationWorker(self, each) for each in resolved.destinations]
            self.warnings += resolved.warnings
            self.resolved = resolved
        self.nudge()
        return True

    def work(self) -> None:
        """Take the pings to all destinations, at once where there are threads for it."""
        try:
            first, *others = self._workers
            waiting = [worker for worker in others if not self._start(worker)]
            for worker in [first, *waiting]:
                worker.run()
        finally:
            try:
                self._trim()
            except Exception as fault:  # noqa: BLE001 (the pings are where they have to be)
                self.warnings.append(f"the outbox is not trimmed: {type(fault).__name__}: {fault}")
            self._is_done = True
            self.nudge()

    def _start(self, worker: "DestinationWorker") -> bool:
        """Start a thread for a worker; False if there are no more for this user."""
        try:
            _thread.start_new_thread(self._run_another, (worker,))
        except RuntimeError:
            return False
        return True

    def _run_another(self, worker: "DestinationWorker") -> None:
        worker.run()
        self.nudge()

    def _trim(self) -> None:
        """Keep the outbox bounded, also where no server ever answers."""
        with self._trimming:  # who comes second waits for what the first one has to say
            while self._grown:
                from radar_cli.outbox.trim import trim

                self.warnings += trim(self.outbox.spool(self._grown.pop()), time.time())


class DestinationWorker:
    """Takes the pings of a run to one destination, in a thread of its own."""

    def __init__(self, dispatcher: "Dispatcher", destination: Destination) -> None:
        self.is_done = False
        self._dispatcher = dispatcher
        self._destination = destination
        self._next = 0
        self._found_none_at = float("-inf")
        # Since when (monotonic) the ping at _next is on its way; else what waited may be.
        self._carrying_since: float | None = None
        self._sender: Sender | None = None
        # Pings that are sent and not yet answered, while newer ones have gone before them.
        self._overtaken: list[tuple[Ping, Entry | None, str, Link]] = []
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
        dispatcher = self._dispatcher
        try:
            if self._destination.is_server:
                self._carry_all()
            else:
                self._keep_all()
                self._care_for_spool()
        except Exception as fault:  # noqa: BLE001 (whatever it is, the job goes on)
            dispatcher.warnings.append(f"pings are kept: {type(fault).__name__}: {fault}")
            self._keep_rest()
        self.is_done = True

    def drain(self) -> None:
        """Let an answer be read that has come already: this thread may just not have had its turn.

        With a hundred jobs at once it may be a second late.
        """
        until = time.monotonic() + _HEARING_S
        links = [self._sender, *(link for _, _, _, link in self._overtaken)]
        if any(link is not None and link.has_news() for link in links):
            while not self.is_done and time.monotonic() < until:
                time.sleep(_HEARING_LOOK_S)

    def abandon(self) -> int:
        """Leave what isn't delivered in the spool, safe from a power failure.

        Return how many of the run's pings are dealt with then.
        """
        with self._deciding:
            self._is_abandoned = True
            since = self._carrying_since
            if since is not None and time.monotonic() - since >= _SHOWS_OUTAGE_S:
                self._dispatcher.outbox.spool(folder_name(self._destination.address())).mark_down()
            for ping, entry, _, _ in self._overtaken:
                keep_undelivered(self._dispatcher, self._destination, None, entry, [ping])
            rest = self._dispatcher.pings[self._next :]
            keep_undelivered(self._dispatcher, self._destination, self._sender, self._entry, rest)
            return self._next + len(rest)

    def _wait_for_ping(self, timeout_s: float = _LONGEST_WAIT_S) -> "Ping | None":
        """The next ping; None at the end, or when there is none in time."""
        dispatcher = self._dispatcher
        while self._next >= len(dispatcher.pings):
            if dispatcher.is_closed or not self._news.acquire(timeout=timeout_s):
                # A ping may have been posted just before the end was.
                if self._next < len(dispatcher.pings):
                    break
                if dispatcher.is_closed or timeout_s != _LONGEST_WAIT_S:
                    return None
        ping = dispatcher.pings[self._next]
        dispatcher.complete(ping)
        return ping

    def _keep_rest(self) -> None:
        """Leave in the spool what isn't delivered, and whatever is still to come."""
        try:
            self._next = self.abandon()
        except Exception as fault:  # noqa: BLE001 (as above; then they are kept one by one)
            self._dispatcher.warnings.append(f"pings are kept: {type(fault).__name__}: {fault}")
        self._keep_all()

    def _keep_all(self) -> None:
        while (ping := self._wait_for_ping()) is not None:
            self._dispatcher.keep(ping, self._destination.address())
            self._next += 1

    def _care_for_spool(self) -> None:
        outbox, destination = self._dispatcher.outbox, self._destination
        spool = outbox.spool(folder_name({}))
        if destination.protocol == STORE and spool.needs_care():
            from radar_cli.outbox.trim import clear_unfinished

            clear_unfinished(spool, time.time())
            if len(spool.names()) >= MANY_WAIT:
                self._dispatcher.ingest(outbox, destination)

    def _carry_all(self) -> None:
        from radar_cli.delivery.sender import Sender

        dispatcher, destination = self._dispatcher, self._destination
        sender = self._sender = Sender(destination, self._pause)
        while True:
            ping = self._wait_for_ping(_KEEP_ALIVE_S)
            if ping is None and not dispatcher.is_closed:
                sender.close()
                ping = self._wait_for_ping()
            if ping is None or self._is_abandoned:
                break
            carry: Callable[[Sender, Ping], bool] = self._carry
            if not sender.protocol.knows_event_time:
                from radar_cli.delivery.replay import in_turn

                carry = in_turn(dispatcher, destination, carry)
            is_heard = carry(sender, ping)
            is_heard |= self._hear_overtaken(sender)
            if is_heard:
                self._flush(sender, ping)
        sender.close()

    def _carry(self, sender: "Sender", ping: "Ping") -> bool:
        """Deliver one ping, or leave it in the spool; True if it is, or may be, delivered."""
        dispatcher = self._dispatcher
        unkept = ""
        with self._deciding:
            if self._is_abandoned:
                return False
            to = self._destination.address()
            try:
                self._entry = dispatcher.outbox.put(ping, to, durable=False, hold=True)
            except state_error() as error:
                unkept = error.line()
        spool = dispatcher.outbox.spool(folder_name(to))
        down_since = spool.down_since()
        is_down = 0 <= time.time() - down_since < _DOWN_S
        patience_s = _BRIEFLY_S if is_down else dispatcher.timeout_s
        self._carrying_since = time.monotonic()
        outcome = sender.deliver(
            ping, min(dispatcher.deadline, self._carrying_since + patience_s), once=is_down
        )
        self._carrying_since = None
        with self._deciding:
            entry, self._entry = self._entry, None
            self._next += 1
            is_pressed = outcome.result == "waiting" and self._next < len(dispatcher.pings)
            is_patient = is_pressed and not is_down and not self._is_abandoned
            if is_patient and (link := sender.put_by()) is not None:
                self._overtaken.append((ping, entry, unkept, link))
                return False
            settle(dispatcher, self._destination, ping, entry, outcome, unkept)
        if outcome.shows_outage and not is_down:
            spool.mark_down()
        elif outcome.result == "delivered" and down_since:
            spool.mark_up()
        return outcome.result in ("delivered", "unsure")

    def _hear_overtaken(self, sender: "Sender") -> bool:
        """Wait for the answers to pings that newer ones went before; True if one is delivered."""
        dispatcher, is_heard = self._dispatcher, False
        while self._overtaken and self._next >= len(dispatcher.pings) and not self._is_abandoned:
            ping, entry, unkept, link = self._overtaken[-1]
            deadline = min(dispatcher.deadline, time.monotonic() + dispatcher.timeout_s)
            outcome = sender.resume(ping, link, deadline)
            with self._deciding:
                del self._overtaken[-1]
                settle(dispatcher, self._destination, ping, entry, outcome, unkept)
            is_heard |= outcome.result == "delivered"
        return is_heard

    def _flush(self, sender: "Sender", ping: "Ping") -> None:
        """Send what waited for this server, as long as the run has nothing newer to say."""
        dispatcher = self._dispatcher
        now = time.monotonic()
        if now < self._found_none_at + _LOOK_AGAIN_S:
            return
        spools = [each for each in self._destination.spools(dispatcher.outbox) if each.oldest()]
        if dispatcher.outbox.has_old:
            from radar_cli.outbox.claiming import sort_in_old

            sort_in_old(dispatcher.outbox, _OLD_AT_ONCE)
            spools = [each for each in self._destination.spools(dispatcher.outbox) if each.oldest()]
        if not spools:
            self._found_none_at = now
            return
        from radar_cli.delivery.replay import flush_beside

        if not flush_beside(
            dispatcher, sender, spools, ping, lambda: self._next < len(dispatcher.pings)
        ):
            self._found_none_at = now

    def _pause(self, seconds: float) -> bool:
        """Wait before another try; True once there is something newer to send."""
        until = time.monotonic() + seconds
        while len(self._dispatcher.pings) <= self._next + (self._carrying_since is not None):
            # The news that wakes it may be of the ping that is on its way already.
            left_s = until - time.monotonic()
            if left_s <= 0:
                return False
            self._news.acquire(timeout=left_s)
        return True


def settle(
    dispatcher: "Dispatcher",
    destination: "Destination",
    ping: "Ping",
    entry: "Entry | None",
    outcome: "Outcome",
    unkept: str,
) -> None:
    """Keep a ping, let it go or set it aside; `unkept` says why there is no entry of it."""
    if outcome.result == "delivered":
        if entry is not None:
            entry.remove()
    elif outcome.result == "dropped":
        if entry is not None:
            entry.remove()
        dispatcher.report(ping, "not sent", outcome.reason, aloud=False)
    elif outcome.result == "unsure":
        if entry is not None:
            entry.remove()
        dispatcher.report(ping, "not sent again", outcome.reason, aloud=True)
    elif entry is None:
        if outcome.needs_person:
            unkept = f"{outcome.reason}; {unkept}"
        else:
            dispatcher.report(ping, "not delivered", outcome.reason, aloud=False)
        dispatcher.report(ping, "lost", unkept, aloud=True)
    elif outcome.result == "rejected":
        from radar_cli.outbox.claiming import reject

        reject(entry, outcome.reason)
        dispatcher.report(ping, "refused", outcome.reason, aloud=True)
    else:
        entry.sync()
        if outcome.status == 401 and "key" in entry.to:
            # The key is no account's: the right one may differ in its fingerprint.
            from radar_cli.outbox.claiming import readdress

            readdress(dispatcher.outbox, entry, {"server": destination.server})
        entry.release()
        dispatcher.note_kept(entry.to)
        dispatcher.report(ping, "kept in the outbox", outcome.reason, aloud=outcome.needs_person)


def keep_unresolved(dispatcher: "Dispatcher", profiles: list[str], waited_for: str) -> None:
    """Keep a run's pings though it isn't known where they go.

    A person has to mend that, so it is said to everybody.
    """
    for destination in unresolved(profiles, os.environ):
        for ping in list(dispatcher.pings):
            dispatcher.complete(ping)
            if dispatcher.keep(ping, destination.address()):
                dispatcher.report(ping, _KEPT, f"no time left to wait for {waited_for}", aloud=True)


def keep_undelivered(
    dispatcher: "Dispatcher",
    destination: "Destination",
    sender: "Sender | None",
    entry: "Entry | None",
    rest: "list[Ping]",
) -> None:
    """Keep the pings that one destination hasn't got; the first one's file may be `entry`.

    One that the server is being asked to take, and would take for news again, is let go.
    """
    reason = f"{destination.server}: no answer in time"
    unsure = f"{reason}, and it may have arrived"
    is_asked = sender is not None and sender.may_have_arrived
    if is_asked and sender is not None and sender.late is not None:
        from radar_cli.delivery.replay import describe_unsure

        late = sender.late
        late.remove()
        dispatcher.warnings.append(describe_unsure(late.ping, unsure))
        is_asked = False
    for at, ping in enumerate(rest):
        is_kept = False
        if at == 0 and entry is not None:
            if is_asked:
                entry.remove()
                dispatcher.report(ping, "not sent again", unsure, aloud=True)
                continue
            try:
                entry.sync()
                dispatcher.note_kept(entry.to)
                is_kept = True
            except OSError:
                pass  # it is kept below
        if not is_kept:
            dispatcher.complete(ping)
            is_kept = dispatcher.keep(ping, destination.address())
        if is_kept and destination.is_server:
            dispatcher.report(ping, _KEPT, reason, aloud=False)


def without_known(warnings: list[str], known: list[str]) -> list[str]:
    """Warnings but for those of variables that others have named: one fault is told once."""
    named = {words.partition(" ")[0] for words in known if words.startswith("RADAR_")}
    return [words for words in warnings if (words + " ").split(" ")[1].rstrip(":") not in named]


def report(lines: list[str], kind: str, fate: str, reason: str) -> None:
    """Add `the KIND ping is FATE: REASON` to the lines, or to the line that says it already."""
    for at, line in enumerate(lines):
        kinds = line.removeprefix("the ").removesuffix(f": {reason}")
        for mark in (f" ping is {fate}", f" pings are {fate}"):
            if kinds.endswith(mark) and line.endswith(f"{mark}: {reason}"):
                known = {kind, *kinds.removesuffix(mark).split(" and ")}
                if len(known) > 1:
                    kinds = " and ".join(sorted(known, key=KINDS.index))
                    lines[at] = f"the {kinds} pings are {fate}: {reason}"
                return
    lines.append(f"the {kind} ping is {fate}: {reason}")
