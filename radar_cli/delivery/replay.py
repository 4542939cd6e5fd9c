"""Sending what waits in the outbox, once its server answers again.

A server that takes every ping for news, as CronRadar does, is told of each monitor's newest
outcome, and that only within its grace; nothing that is older than what it already knows.
Whatever is left out instead is said.
"""

import os
import time

from radar_cli.core.credentials import secrets_in_headers, secrets_of
from radar_cli.core.grammar import format_duration
from radar_cli.core.redaction import Redactor
from radar_cli.delivery.destinations import Destination
from radar_cli.delivery.sender import (
    DELIVERED,
    DROPPED,
    REJECTED,
    UNSURE,
    WAITING,
    Outcome,
    Sender,
)
from radar_cli.model.ping import Ping
from radar_cli.outbox.claiming import (
    claim,
    claim_for,
    has_left_behind,
    lock_for_flush,
    peek,
    reject,
    unlock,
)
from radar_cli.outbox.spool import UNRESOLVED, Entry, Outbox, Spool
from radar_cli.outbox.spool import WAITING as WAITING_SUFFIX
from radar_cli.outbox.trim import trim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.delivery.dispatcher import Dispatcher

# A ping that the server chokes on must not keep the others from going out.
_FAILURES_MAX = 5
# A server that takes every ping for news must have the time to answer: a ping that it took, and
# of which that isn't known, would be news again.
_ENOUGH_S = 1.0
_ENOUGH_TRIES = 3


_OUTCOMES = ("success", "fail")
_GRACE_DEFAULT_S = 300.0


# What may hold a line of output, or the command; it was cut after its secrets were taken out.
_WORDS = ("reason", "message", "command")
_SHORTEST_HALF_BYTES = 4


# A file's name, and where it is.
File = tuple[str, Spool]


class Flushed:
    """The result of a flush: how many pings went out, and in words what became of the others.

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
    spools: list[Spool],
    sender: Sender,
    *,
    deadline: float,
    ping_timeout_s: float | None = None,
    current: "Ping | None" = None,
    suffix: str = WAITING_SUFFIX,
    is_stopped: "Callable[[], bool]" = lambda: False,
    fresh_s: float = 0.0,
) -> Flushed:
    """Send what waits in a destination's spools until `deadline` (monotonic).

    Each ping is tried once or, with `ping_timeout_s`, for that long; a server that doesn't answer
    ends the flush. `current` is what the run that flushes has just sent. Only one process flushes
    a spool; any other finds nothing to do. What is younger than `fresh_s` is news to any server.
    """
    flushed = Flushed()
    locks: list[tuple[Spool, int]] = []
    try:
        for spool in spools:
            lock = lock_for_flush(spool) if spool.names(suffix) else None
            if lock is not None:
                locks.append((spool, lock))
                for words in trim(spool, time.time()):
                    flushed.lose(words)
        files = [(name, spool) for spool, _ in locks for name in spool.names(suffix)]
        files.sort(key=lambda file: file[0])
        turn = Turn(sender, deadline, ping_timeout_s, flushed, is_stopped)
        try:
            if sender.protocol.knows_event_time:
                turn.send_all(files)
            else:
                fresh_us = int((time.time() - fresh_s) * 1e6) if fresh_s else 1 << 63
                turn.send_all([file for file in files if _time_of(file[0]) > fresh_us])
                send_news(turn, [file for file in files if _time_of(file[0]) <= fresh_us], current)
        finally:
            turn.close()
    finally:
        for spool, lock in locks:
            unlock(spool, lock)
    return flushed


def flush_beside(
    dispatcher: "Dispatcher",
    sender: Sender,
    spools: list[Spool],
    ping: "Ping",
    is_stopped: "Callable[[], bool]",
) -> bool:
    """Flush within the time that a run has, after its `ping` was taken; the run says what was.

    False if others work on all that waits.
    """
    spools = [spool for spool in spools if has_left_behind(spool)]
    if not spools:
        return False
    flushed = flush(
        spools,
        sender,
        deadline=min(dispatcher.deadline, time.monotonic() + dispatcher.timeout_s),
        current=ping,
        is_stopped=is_stopped,
    )
    dispatcher.warnings += flushed.losses
    dispatcher.details += [words for words in flushed.notes if words not in flushed.losses]
    return True


def describe_unsure(ping: "Ping", reason: str) -> str:
    """The words for a late success that may have arrived."""
    return f"{ping.monitor}: its success is not sent again: {reason}"


class Turn:
    """One flush at work."""

    def __init__(
        self,
        sender: Sender,
        deadline: float,
        ping_timeout_s: float | None,
        flushed: Flushed,
        is_stopped: "Callable[[], bool]",
    ) -> None:
        self.sender = sender
        self.flushed = flushed
        self._deadline = deadline
        self._ping_timeout_s = ping_timeout_s
        self._is_stopped = is_stopped
        self._failures = 0
        self._cleaner: Cleaner | None = None
        self._enough_s, self._enough_tries = 0.0, 1
        if not sender.protocol.knows_event_time:
            self._enough_s = min(_ENOUGH_S, (deadline - time.monotonic()) / 2)
            self._enough_tries = _ENOUGH_TRIES

    def close(self) -> None:
        """End what it has started."""
        if self._cleaner is not None:
            self._cleaner.close()

    def is_over(self) -> bool:
        """Whether there is no time left for another ping, or something better to do."""
        left_s = self._deadline - time.monotonic()
        return (
            self._failures >= _FAILURES_MAX
            or self._is_stopped()
            or left_s <= max(self._enough_s, self._enough_tries * self.sender.last_try_s)
        )

    def send_all(self, files: list[File]) -> None:
        """Send the pings in these files, oldest first."""
        for name, spool in files:
            if self.is_over():
                return
            entry = claim_for(spool, name, self.sender.destination.accepts)
            if entry is not None:
                self.send(entry)

    def send(self, entry: Entry) -> None:
        """Send one claimed ping of this destination's, and let it go."""
        destination, ping = self.sender.destination, entry.ping
        if UNRESOLVED in entry.to:
            if self._cleaner is None:
                self._cleaner = Cleaner(destination, self.flushed.notes)
            ping = self._cleaner.clean(ping)
        deadline, patience_s = self._deadline, self._ping_timeout_s
        if patience_s is not None:
            deadline = min(deadline, time.monotonic() + patience_s)
        self.sender.late = entry
        outcome = self.sender.deliver(ping, deadline, once=patience_s is None)
        self.sender.late = None
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
            flushed.lose(describe_unsure(entry.ping, outcome.reason))
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


class Late:
    """The waiting pings of one monitor: the newest outcome is kept, the rest dropped."""

    def __init__(self, entries: list[Entry]) -> None:
        self.newest: Entry | None = None
        self.dropped = 0
        for entry in reversed(entries):
            held = claim(entry.spool, os.path.basename(entry.path))
            if held is None:
                return  # somebody delivers it right now: what is older would come after it
            if self.newest is None and held.ping.kind in _OUTCOMES:
                self.newest = held
                continue
            if held.ping.kind in _OUTCOMES:
                self.dropped += 1
            held.remove()


def send_news(turn: "Turn", files: list[File], current: "Ping | None") -> None:
    """Send what is still news of each monitor, save the one that has just been heard of."""
    server = turn.sender.destination.server
    for monitor, entries in _by_monitor(files, turn.sender.destination).items():
        if current is not None and monitor == current.monitor:
            continue
        if turn.is_over():
            return
        late = Late(entries)
        if late.newest is not None:
            ping = late.newest.ping
            age_s = time.time() - ping.time_us / 1e6
            if age_s <= float(ping.fields.get("gracePeriod") or _GRACE_DEFAULT_S):
                turn.send(late.newest)
            else:
                late.newest.remove()
                turn.flushed.lose(
                    f"{monitor}: its {ping.kind} is {format_duration(age_s)} old and was not"
                    f" sent: {server} would take it for news"
                )
        if late.dropped:
            turn.flushed.lose(_describe_unsent(monitor, late.dropped, server))


def in_turn(
    dispatcher: "Dispatcher", destination: "Destination", carry: "Callable[[Sender, Ping], bool]"
) -> "Callable[[Sender, Ping], bool]":
    """As `carry`, but nothing that is older comes after the ping."""

    def carry_in_turn(sender: "Sender", ping: "Ping") -> bool:
        late = _hold_back(dispatcher.outbox, destination, ping)
        is_delivered = carry(sender, ping)
        dispatcher.warnings += _give_up(late, destination, is_delivered=is_delivered)
        return is_delivered

    return carry_in_turn


def _hold_back(outbox: Outbox, destination: "Destination", ping: "Ping") -> Late:
    """Keep others from sending what is older than this ping, which goes out now."""
    files = [
        (name, spool)
        for spool in destination.spools(outbox)
        for name in spool.names()
        if _time_of(name) < ping.time_us
    ]
    files.sort(key=lambda file: file[0])
    return Late(_by_monitor(files, destination).get(ping.monitor, []))


def _give_up(late: Late, destination: "Destination", *, is_delivered: bool) -> list[str]:
    """Drop what was held back, if the newer ping is delivered; return what was lost, in words."""
    dropped = late.dropped
    if late.newest is not None:
        if is_delivered:
            late.newest.remove()
            dropped += 1
        else:
            late.newest.release()
    return [_describe_unsent("", dropped, destination.server)] if dropped else []


def _time_of(name: str) -> int:
    """The time in a file's name, or the end of time."""
    digits = name.partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else 1 << 63


def _by_monitor(files: list[File], destination: "Destination") -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for name, spool in files:
        entry = peek(spool, name)
        if entry is None:
            entry = claim(spool, name)  # sets a broken one aside
            if entry is None:
                continue
            entry.release()
        if destination.accepts(entry.to):
            found.setdefault(entry.ping.monitor, []).append(entry)
    return found


def _describe_unsent(monitor: str, count: int, server: str) -> str:
    what = "an older outcome was" if count == 1 else f"{count} older outcomes were"
    message = f"{what} not sent: {server} would take it for news"
    return f"{monitor}: {message}" if monitor else message


class Cleaner:
    """Takes out of pings what their destination's config, which could not be read, wants redacted.

    What can't be searched for it is left out, with a note.
    """

    def __init__(self, destination: Destination, notes: list[str]) -> None:
        own = [destination.key] if destination.key else []
        self._secrets = secrets_of({}, own + secrets_in_headers(destination.headers))
        self._patterns = destination.redact
        self._notes = notes
        self._redactor = self._make_redactor()

    def clean(self, ping: Ping) -> Ping:
        """The ping without secrets."""
        fields = dict(ping.fields)
        for name in _WORDS:
            if name in fields:
                fields[name] = self._clean_text(fields[name])
        body = ping.body
        gone = int(fields.get("omitted") or "0")
        if gone and body:
            # A secret may be cut in half where the output begins: that line is left out.
            body = body[len(body.splitlines(keepends=True)[0]) :]
            gone += len(ping.body) - len(body)
        body, left_out = self._redactor.clean(body)
        if omitted := gone + left_out:
            fields["omitted"] = str(omitted)
        if self._redactor.fault:
            # What was too much for the patterns was this ping's; the next one is another. Nothing
            # is left of the process that searched for it.
            self._redactor = self._make_redactor()
        return Ping(
            ping.kind,
            ping.monitor,
            run_id=ping.run_id,
            time_us=ping.time_us,
            fields=fields,
            body=body.decode("utf-8", "replace").encode(),  # a pattern may cut a character in two
            ping_id=ping.id,
        )

    def close(self) -> None:
        """End what it has started."""
        self._redactor.close()

    def _make_redactor(self) -> Redactor:
        return Redactor(self._secrets, self._patterns, "redact", self._notes)

    def _clean_text(self, words: str) -> str:
        """Words without secrets, and without the half of one that they were cut off in."""
        raw = words.encode("utf-8", "replace")
        for secret in self._secrets:
            for size in range(len(secret) - 1, _SHORTEST_HALF_BYTES - 1, -1):
                if raw.endswith(secret[:size]):
                    raw = raw[:-size]
                    break
        return self._redactor.clean_line(raw)
