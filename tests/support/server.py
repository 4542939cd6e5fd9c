"""A real HTTP server on loopback that does to each request what the test wants done."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from tests.support.answers import NO_REQUEST, Answer, ok
from tests.support.field import field
from tests.support.relay import Relay
from tests.support.wire import Broken, Connection, Request

KINDS = ("start", "success", "complete", "fail", "log")

Behaviour = Answer | Callable[[Request], Answer]


@dataclass(frozen=True)
class ServerPing:
    """A ping as a server of radar's kind understands the request."""

    monitor: str
    kind: str  # `success` if the path names none, else what it names (a number too)
    key: str | None  # an API key in the path
    query: dict[str, str]
    body: bytes
    at: float
    is_accepted: bool  # it was answered 2xx, whether or not the client still listened
    request: Request


class Server:
    """Starts listening when made; a context manager, so that nothing outlives a test."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._tls = tls
        self._lock = threading.Lock()
        self._script: list[Behaviour] = [ok()]
        self._arrivals: list[tuple[Request, Answer]] = []
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._connections: list[Connection] = []
        self.connections = 0  # accepted so far
        self.broken: list[str] = []  # requests that ended in their middle
        self._socket = _bound(host, port)
        self._relay: Relay | None = None
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self._tls else f"http://{self.host}:{self.port}"

    def behave(self, *script: Behaviour) -> None:
        """From now on: one behaviour per request, in this order, the last for all others.

        A behaviour may be a function that makes its answer from the request.
        """
        with self._lock:
            self._script = list(script)

    @property
    def requests(self) -> list[Request]:
        """Every request that arrived whole, in order, answered or not."""
        with self._lock:
            return [request for request, _ in self._arrivals]

    @property
    def pings(self) -> list[ServerPing]:
        """The requests that are pings, in order of arrival."""
        with self._lock:
            arrivals = list(self._arrivals)
        return [ping for request, answer in arrivals if (ping := _ping(request, answer))]

    @property
    def accepted(self) -> list[ServerPing]:
        """The pings that were answered 2xx."""
        return [ping for ping in self.pings if ping.is_accepted]

    def forget(self) -> None:
        """Begin a new record."""
        with self._lock:
            self._arrivals.clear()

    def start(self) -> None:
        """Listen (again): on the same port as before."""
        self._stopping.clear()
        if field.has_slow_network:
            front, self._socket = self._socket, _bound(self.host, 0)
            own_port = self._socket.getsockname()[1]
            self._relay = Relay(own_port, is_slow=True, host=self.host, listener=front)
        self._socket.listen(128)
        self._run(self._accept, self._socket)
        if self._relay is not None:
            self._relay.__enter__()

    def stop(self) -> None:
        """Refuse from now on, hang up on everybody. The port stays ours."""
        self._silence()
        self._socket = _bound(self.host, self.port)

    def close(self) -> None:
        self._silence()

    def _silence(self) -> None:
        self._stopping.set()
        if self._relay is not None:
            self._relay.__exit__()
            self._relay = None
        # shutdown wakes the thread that waits in accept, which a close wouldn't.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        # The thread that accepts comes first; until it ends, it may add to the list.
        for thread in self._threads:
            self._end(thread)
        self._threads.clear()

    def _end(self, thread: threading.Thread) -> None:
        for _ in range(50):
            for connection in list(self._connections):
                connection.interrupt()
            thread.join(0.2)
            if not thread.is_alive():
                return
        raise AssertionError(f"{thread.name} doesn't end")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, work: Callable[..., None], *values: object) -> None:
        thread = threading.Thread(target=work, args=values, daemon=True)
        with self._lock:
            self._threads.append(thread)
            thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                connection = Connection(sock, self.connections, self._stopping)
                self._connections.append(connection)
            self._run(self._serve, connection)

    def _serve(self, connection: Connection) -> None:
        try:
            self._talk(connection)
        except Broken as event:
            self.broken.append(str(event))
        except (OSError, ssl.SSLError) as error:  # the client didn't like our certificate
            self.broken.append(repr(error))
        finally:
            connection.close()
            with self._lock:
                self._connections.remove(connection)

    def _talk(self, connection: Connection) -> None:
        stays = True
        if answer := self._take_early("accept"):
            stays = answer.act(connection, NO_REQUEST)
        elif self._tls:
            connection.start_tls(self._tls)
        while stays and not self._stopping.is_set() and (request := connection.read_head()):
            if answer := self._take_early("head"):
                stays = answer.act(connection, request)
                continue
            request = connection.read_body(request)
            with self._lock:
                behaviour = self._script.pop(0) if len(self._script) > 1 else self._script[0]
                answer = behaviour if isinstance(behaviour, Answer) else behaviour(request)
                self._arrivals.append((request, answer))
            stays = answer.act(connection, request)

    def _take_early(self, stage: str) -> Answer | None:
        """The next behaviour, if it is one that doesn't wait for the whole request."""
        with self._lock:
            answer = self._script[0]
            if not isinstance(answer, Answer) or answer.stage != stage:
                return None
            if len(self._script) > 1:
                self._script.pop(0)
            return answer


@contextlib.contextmanager
def unreachable_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port where a connect neither succeeds nor fails: its backlog is full."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(_bound(host, port))
        listener.listen(0)
        for _ in range(2):  # the kernel lets one more in than the backlog says
            filler = sockets.enter_context(socket.socket(listener.family))
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextlib.contextmanager
def refused_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port where a connect is refused, for as long as this lasts."""
    with _bound(host, port) as placeholder:
        yield placeholder.getsockname()[1]


def _bound(host: str, port: int) -> socket.socket:
    """A socket that has its port and doesn't listen yet: connecting to it is refused."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    return sock


def _ping(request: Request, answer: Answer) -> ServerPing | None:
    """Read `/ping/MONITOR[/KEY][/KIND]`: a last word that is a kind is no key."""
    words = request.path.split("/")[1:]
    if words[0] != "ping" or len(words) < 2:
        return None
    monitor, *rest = words[1:]
    kind = "success"
    if rest and (rest[-1] in KINDS or (rest[-1].isdigit() and int(rest[-1]) <= 255)):
        kind = rest.pop()
    return ServerPing(
        monitor=monitor,
        kind=kind,
        key=rest[0] if rest else None,
        query=request.query,
        body=request.body,
        at=request.at,
        is_accepted=answer.code is not None and 200 <= answer.code < 300,
        request=request,
    )
