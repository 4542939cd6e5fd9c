"""Looking at other users' stores, each in a process of its own that has become its user.

What somebody put there can then cost the others nothing and root a few seconds: a FIFO, an endless
view or a home on a network that hangs ends at the time limit, a link leads where its user could
have gone anyway, and what is written is the user's. Such a process is not to be trusted, so it
talks in lines of JSON, of a bounded size.
"""

import json
import os
import resource
import select
import signal
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Sequence

from radar_cli.cli.everybody import Place
from radar_cli.core.errors import ConfigError, RadarError
from radar_cli.core.grammar import parse_duration

Ask = Callable[[Any], Any]  # have root do what the user can't, and return what became of it
Answer = Callable[[Any], Any]  # do it

_LIMIT_S = 10.0
_ASKING_LIMIT_S = 90.0  # what root does for one user, in all
_AT_ONCE = 8
_LARGEST_LINE = 64_000_000
_MEMORY = 2 << 30
_TAKEN_WITHIN_S = 1.0  # an answer
_KILLED_WITHIN_S = 1.0
_ASKED_EVERY_S = 0.002
_PART_BYTES = 1 << 20
_DESCRIPTORS = 1 << 16


@dataclass(slots=True)
class Looked:
    """A look at a user's store: what was found there, or why nothing could be."""

    place: Place
    found: Any = None  # None as well if the user has no store
    fault: str = ""


def read_limit() -> float:
    """Return how long a user's store may take, in seconds. ConfigError: it can't be read."""
    text = os.environ.get("RADAR_STORE_TIMEOUT", "")
    if not text:
        return _LIMIT_S
    try:
        return max(0.1, parse_duration(text))
    except ValueError as error:
        raise ConfigError(f"RADAR_STORE_TIMEOUT: {error}") from None


def refuse(_: Any) -> Any:
    """Answer a process that has nothing to ask for."""
    raise ValueError("nothing is to be asked")


def look_apart(
    places: Sequence[Place],
    look: Callable[[Place, Ask], Any],
    answer: Answer = refuse,
    *,
    limit_s: float,
) -> list[Looked]:
    """Have each place looked at by a process of its own; return what came of them, in order.

    `look` runs there, and returns what JSON can hold. What it asks for, `answer` gives here; that
    time isn't counted. A RadarError of `look` is the place's fault.
    """
    waiting, running = deque(places), dict[int, _Process]()
    done = dict[Place, Looked]()
    try:
        while waiting or running:
            while waiting and len(running) < _AT_ONCE:
                process = _start(waiting.popleft(), look, limit_s)
                running[process.link.fileno()] = process
            patience_s = min(each.deadline for each in running.values()) - time.monotonic()
            ready, _, _ = select.select(list(running), [], [], max(0.0, patience_s))
            for process in [running[number] for number in ready]:
                process.hear(answer)
                process.pass_on_time(running.values())
            now = time.monotonic()
            for number, process in list(running.items()):
                if process.looked is None and now >= process.deadline:
                    process.give_up(f"its store took longer than {limit_s:g} s")
                if process.looked is not None:
                    done[process.place] = process.looked
                    del running[number]
                    process.end()
    finally:
        for process in running.values():
            process.end()
    return [done[place] for place in places]


@dataclass(slots=True)
class _Process:
    """A process that looks at a place, and what it has said so far."""

    place: Place
    pid: int
    link: socket.socket
    deadline: float
    looked: Looked | None = None
    _received: bytearray = field(default_factory=bytearray)
    _asked_s: float = 0.0
    _last_s: float = 0.0

    def hear(self, answer: Answer) -> None:
        """Take what it has sent, and answer what it asks for."""
        try:
            data = self.link.recv(_PART_BYTES)
        except OSError:
            data = b""
        self._received += data
        if not data:
            self.give_up("the process that looked at its store has died")
        elif len(self._received) > _LARGEST_LINE:
            self.give_up("its store has more to say than anybody reads")
        elif self._received.endswith(b"\n"):
            line, self._received = bytes(self._received), bytearray()
            try:
                self._understand(json.loads(line), answer)
            except (ValueError, KeyError, TypeError, RecursionError, OSError):
                self.give_up("the process that looked at its store makes no sense")

    def _understand(self, report: dict[str, Any], answer: Answer) -> None:
        if "ask" not in report:
            self.looked = Looked(self.place, report["found"], str(report["fault"]))
            return
        if self._asked_s > _ASKING_LIMIT_S:
            self.give_up("its store asks for too much")
            return
        begin = time.monotonic()
        self.link.sendall(json.dumps(answer(report["ask"])).encode() + b"\n")
        self._last_s = time.monotonic() - begin
        self._asked_s += self._last_s

    def pass_on_time(self, others: "Iterable[_Process]") -> None:
        """Give back to all the time that answering took."""
        for each in others:
            each.deadline += self._last_s
        self._last_s = 0.0

    def give_up(self, reason: str) -> None:
        """Note that nothing can be known."""
        self.looked = Looked(self.place, fault=reason)

    def end(self) -> None:
        """Make sure that it is gone; one that the kernel can't end now is left to it."""
        self.link.close()
        os.kill(self.pid, signal.SIGKILL)  # ours until it is waited for
        until = time.monotonic() + _KILLED_WITHIN_S
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0) and time.monotonic() < until:
            select.select([], [], [], _ASKED_EVERY_S)  # under libfaketime `sleep` is refused


def _start(place: Place, look: Callable[[Place, Ask], Any], limit_s: float) -> _Process:
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            _report(place, look, _shut_off(there, limit_s))
        finally:
            os._exit(0)
    there.close()
    here.settimeout(_TAKEN_WITHIN_S)
    return _Process(place, pid, here, time.monotonic() + limit_s)


def _shut_off(link: socket.socket, limit_s: float) -> socket.socket:
    """Keep nothing open but the link, and take no more than a store may need."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # If root's process dies: there is nobody else then to end this one.
    signal.setitimer(signal.ITIMER_REAL, limit_s + _ASKING_LIMIT_S)
    os.dup2(link.fileno(), 0)
    link.close()
    os.closerange(1, _DESCRIPTORS)
    for _ in range(2):
        os.open(os.devnull, os.O_WRONLY)
    for kind, wanted in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (most, most))
    os.chdir("/")
    return socket.socket(fileno=0)


def _become(place: Place) -> None:
    """Give up all that is root's, for good. Nobody of that user can trace us: we were root."""
    os.initgroups(place.user, place.gid)
    os.setresgid(place.gid, place.gid, place.gid)
    os.setresuid(place.uid, place.uid, place.uid)


def _report(place: Place, look: Callable[[Place, Ask], Any], link: socket.socket) -> None:
    """Look as the user, and send what is found."""
    answers = link.makefile("rb")

    def ask(what: Any) -> Any:
        link.sendall(json.dumps({"ask": what}).encode() + b"\n")
        return json.loads(answers.readline())

    found, fault = None, ""
    try:
        _become(place)
        found = look(place, ask) if place.exists() else None
    except RadarError as error:
        fault = error.line()
    except Exception as error:  # noqa: BLE001 (one poisoned store stops no other)
        fault = f"{type(error).__name__}: {error}"
    link.sendall(json.dumps({"found": found, "fault": fault}).encode() + b"\n")
