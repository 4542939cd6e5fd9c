"""Telling from inside somebody's program: a file in the outbox, delivered beside it.

Whoever has something to tell writes one file and goes on. A thread of the process that runs the
courier takes it, and what others have left for the same destinations, to its server; what can't be
delivered stays for later. No config is read and no pattern searched for where the program works:
unless plain variables say where pings go, their files wait unresolved, and it is the thread that
reads the config and redacts what it asks for.
"""

import logging
import os
import threading
import time
from typing import Callable, NamedTuple

from radar_cli.core.credentials import secrets_of
from radar_cli.core.places import state_directory
from radar_cli.core.redaction import Redactor
from radar_cli.core.text import cut, valid
from radar_cli.delivery.destinations import (
    STORE,
    Destination,
    Resolved,
    plain_destination,
    resolve,
    unresolved,
)
from radar_cli.delivery.dispatcher import PING_TIMEOUT_S
from radar_cli.delivery.replay import flush
from radar_cli.delivery.sender import Sender
from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import MANY_WAIT, UNRESOLVED, Outbox, Spool, folder_name

OUTPUT_BYTES = 10_000
_SEARCHED_BYTES = 65_536
_MARGIN_BYTES = 4096  # in which a secret may begin that is cut in half
# Pings that are no older go to a server that takes everything for news, starts included.
_FRESH_S = 60.0
_LOOK_S = 0.5  # for what other processes have left
_PAUSE_MAX_S = 60.0  # between tries, while a server doesn't answer
_RESOLVE_AGAIN_S = 60.0
_SAME_PLACE_S = 1.0  # for so long a ping goes where the last one of its profile went
_AT_EXIT_S = 3.0
_POSTED_MAX = 1000
_POLL_S = 0.01
_logger = logging.getLogger("radar")


class _Place(NamedTuple):
    """A destination, and where pings wait for it."""

    destination: Destination
    address: dict[str, str]
    spool: Spool


class Courier:
    """The outbox of one program. Everything but `post` and `clean` is the delivering side's.

    `ingest` empties the embedded store's folder, where many pings wait that nobody reads.
    """

    outbox: Outbox

    def __init__(self, ingest: Callable[[Outbox, Destination], None] | None = None) -> None:
        self._ingest = ingest
        self._profiles: dict[str, None] = {}
        self._extra: dict[tuple[str, str], Destination] = {}
        self._complained: set[str] = set()
        self._pid = 0  # of the process in which it has begun
        self._thread: threading.Thread | None = None

    def _begin(self) -> None:
        """Start afresh: also in a forked child, where no thread and no lock of ours goes on."""
        self._pid = os.getpid()
        self.outbox = Outbox(state_directory(os.environ))
        self._thread = None
        self._news = threading.Event()
        self._is_closing = False
        self._posted: dict[str, None] = {}
        self._places: dict[str | Destination, tuple[float, _Place]] = {}
        self._redactor: Redactor | None = None
        self._resolved = Resolved()
        self._resolved.host = os.environ.get("RADAR_HOST", "")

    def own(self) -> None:
        """Make sure that nothing of a parent process's is used."""
        if self._pid != os.getpid():
            self._begin()

    def post(self, ping: Ping, *, to: str = "", extra: Destination | None = None) -> None:
        """Put a ping into the outbox: for a profile, or for a server that no profile names.

        It never raises; what goes wrong is logged, once.
        """
        try:
            self.own()
            self._resolved.complete(ping)
            if extra is not None:
                self.serve(extra)
            else:
                self._profiles.setdefault(to)
            place = self._find_place(extra or to)
            entry = place.spool.put(ping, place.address, durable=False)
            if place.destination.protocol != STORE and self._thread is not None:
                self._posted[entry.path] = None
            self._news.set()
        except Exception as fault:  # noqa: BLE001 (whatever it is, the program goes on)
            self.complain(f"a {ping.kind} ping of {ping.monitor} is lost: {_describe(fault)}")

    def _find_place(self, which: str | Destination) -> "_Place":
        """Where pings go, of a profile or for a server; variables and files are read now and then.

        Reading them for each ping would cost as much as writing it.
        """
        now = time.monotonic()
        found_at, found = self._places.get(which, (float("-inf"), None))
        if found is None or now - found_at >= _SAME_PLACE_S:
            if isinstance(which, str):
                destination = plain_destination(which, os.environ)
                if destination is None:
                    destination = unresolved([which] if which else [], os.environ)[0]
            else:
                destination = which
            address = destination.address()
            found = _Place(destination, address, self.outbox.spool(folder_name(address)))
            self._places[which] = now, found
        return found

    def clean(self, raw: bytes) -> bytes:
        """Return the end of a text, as much as is sent, without secrets."""
        margin_bytes = _MARGIN_BYTES if len(raw) > _SEARCHED_BYTES else 0
        clean, _ = self._find_redactor().clean(raw[-_SEARCHED_BYTES:], margin_bytes=margin_bytes)
        return cut(valid(clean), OUTPUT_BYTES)[0]

    def clean_line(self, text: str, longest: int) -> str:
        """Return a line without secrets."""
        line = self._find_redactor().clean_line(text.encode("utf-8", "replace"))
        return " ".join(line.split())[:longest]

    def _find_redactor(self) -> Redactor:
        self.own()
        if self._redactor is None:
            keys = [each.key for each in self._extra.values()]
            keys += [os.environ.get(name, "") for name in ("RADAR_API_KEY", "CRONRADAR_API_KEY")]
            secrets = secrets_of(dict(os.environb), [key for key in keys if key])
            self._redactor = Redactor(secrets, [], "redact", [])
        return self._redactor

    def serve(self, destination: Destination) -> None:
        """Deliver what waits for a server that no profile names, too."""
        self._extra.setdefault((destination.server, destination.key), destination)

    def start(self) -> None:
        """Deliver from now on, from a thread of this process's; once, however often it is said."""
        self.own()
        if self._thread is not None or self._is_closing:
            return
        self._profiles.setdefault("")
        thread = threading.Thread(target=self._run, name="radar", daemon=True)
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:  # no more threads for this user, or the interpreter ends
            self._thread = None

    def close(self, patience_s: float = _AT_EXIT_S) -> None:
        """Wait until what this process has posted is delivered, but not for long."""
        if self._pid != os.getpid() or self._thread is None:
            return
        self._is_closing = True
        self._news.set()
        until = time.monotonic() + patience_s
        while self._thread.is_alive() and time.monotonic() < until:
            time.sleep(_POLL_S)

    def complain(self, words: str) -> None:
        """Log a line, once."""
        if words not in self._complained and len(self._complained) < 1000:
            self._complained.add(words)
            _logger.warning("radar: %s", words)

    def _run(self) -> None:
        pause_s, again_at = _LOOK_S, 0.0
        destinations: list[Destination] = []
        is_settled = False
        known = -1
        while True:
            self._news.clear()
            is_last = self._is_closing
            try:
                asked = len(self._profiles) + len(self._extra)
                if asked != known or (not is_settled and time.monotonic() >= again_at):
                    destinations, is_settled = self._resolve()
                    known, again_at = asked, time.monotonic() + _RESOLVE_AGAIN_S
                if len(self._posted) > _POSTED_MAX:
                    self._has_own_left()
                is_stuck = [not self._deliver(each) for each in destinations]
                pause_s = min(pause_s * 2, _PAUSE_MAX_S) if any(is_stuck) else _LOOK_S
            except Exception as fault:  # noqa: BLE001 (the next look may go better)
                self.complain(f"pings are kept: {_describe(fault)}")
                pause_s = min(pause_s * 2, _PAUSE_MAX_S)
            if is_last and (pause_s != _LOOK_S or not self._has_own_left()):
                return
            if self._is_closing:
                time.sleep(_POLL_S)  # another process is taking them
            elif pause_s == _LOOK_S:
                self._news.wait(_LOOK_S)
            else:
                self._wait(pause_s)

    def _has_own_left(self) -> bool:
        """Whether anything waits for a server that this process has posted."""
        for path in list(self._posted):
            if not os.path.lexists(path):
                self._posted.pop(path, None)
        return bool(self._posted)

    def _wait(self, pause_s: float) -> None:
        """Leave a server alone that doesn't answer, unless this is the end."""
        until = time.monotonic() + pause_s
        while not self._is_closing and (left_s := until - time.monotonic()) > 0:
            time.sleep(min(left_s, _LOOK_S))

    def _resolve(self) -> tuple[list[Destination], bool]:
        """All destinations, and whether each of them is known."""
        found = dict.fromkeys(self._extra.values())
        is_settled = True
        for profile in list(self._profiles):
            resolved = resolve([profile] if profile else [], None, os.environ)
            for words in resolved.warnings:
                self.complain(words)
            for destination in resolved.destinations:
                is_settled &= destination.protocol != UNRESOLVED
                found.setdefault(destination)
            if resolved.ping_timeout_s is not None:
                self._resolved.ping_timeout_s = resolved.ping_timeout_s
        return list(found), is_settled

    def _deliver(self, destination: Destination) -> bool:
        """Take what waits to its server; False if that doesn't take it now."""
        if not destination.is_server:
            self._care_for_store(destination)
            return True
        spools = destination.spools(self.outbox)
        if not any(spool.names() for spool in spools):
            return True
        sender = Sender(destination, self._pause)
        timeout_s = self._resolved.ping_timeout_s or PING_TIMEOUT_S
        is_down = any(0 <= time.time() - spool.down_since() < _FRESH_S for spool in spools)
        if is_down and self._is_closing:
            timeout_s = min(timeout_s, 1.0)
        try:
            flushed = flush(
                spools,
                sender,
                deadline=time.monotonic() + max(timeout_s, 1.0),
                fresh_s=_FRESH_S,
            )
        finally:
            sender.close()
        for words in flushed.notes:
            self.complain(words)
        is_through = not any(spool.names() for spool in spools)
        if is_through or flushed.delivered:
            for spool in spools:
                spool.mark_up()
        return is_through or bool(flushed.delivered)

    def _pause(self, seconds: float) -> bool:
        time.sleep(min(seconds, 1.0))
        return self._is_closing

    def _care_for_store(self, destination: Destination) -> None:
        if destination.protocol == STORE and self._ingest is not None:
            waiting = sum(len(spool.names()) for spool in destination.spools(self.outbox))
            if waiting >= MANY_WAIT:
                self._ingest(self.outbox, destination)


def _describe(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}"
