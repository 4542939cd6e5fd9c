"""A small HTTP/1.1 client, straight on a socket: what a ping needs and no more.

http.client would do, at three times the cost of a whole wrapped job. `_socket` is the C half of
`socket`, whose Python half builds enums for 8 ms.
"""

import time

from radar_cli.core.urls import Url
from radar_cli.net.messages import LinkError, Reader, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket as _socket
    from collections.abc import Callable, Mapping

    from radar_cli.net.tls import Trust
else:
    import _socket

# How long one address is tried before the next one is, too: curl's, the RFC recommends 250 ms.
_HEAD_START_S = 0.2
_SHORTEST_WAIT_S = 0.001
# Who is pressed waits this long for an answer: most come sooner, and asking elsewhere is dear.
_PRESSED_S = 1.0


class Link:
    """A connection to one server, kept open between requests."""

    def __init__(
        self, url: Url, *, proxy: Url | None, ca_file: str, environ: "Mapping[str, str]"
    ) -> None:
        self.url = url
        self.proxy = proxy
        self.ca_file = ca_file
        self.environ = environ
        self.is_asking = False  # a request is sent, and it isn't known whether it arrived
        # Whether there is something better to do than to wait for an answer.
        self.is_pressed: Callable[[], bool] = lambda: False
        self._socket: _socket.socket | None = None
        self._reader = Reader(self._receive)
        self._is_sent = False  # the request of this exchange, on this connection
        # Connections whose answer is late: it counts if it comes while the server is asked again.
        self._late: list[tuple[_socket.socket, bytes]] = []
        self._trust: Trust | None = None
        self._address: object = None  # of the connection, where the server has several
        self._silent: list[object] = []  # addresses that took a connection and didn't answer

    def post(self, path: str, headers: dict[str, str], body: bytes, deadline: float) -> Response:
        """POST `body` to `path` and read the answer before `deadline` (monotonic).

        Follows 307 and 308 with the body (RFC 9110, 15.4.8). An answer that comes later counts for
        the next `post`, unless `forget` comes between them. LinkError: no answer.
        """
        path = self.url.path + path
        response = self.exchange(self.render(path, headers, body), deadline)
        if response.status in (307, 308) and response.headers.get("location"):
            from radar_cli.net.redirects import follow

            return follow(self, path, headers, body, response=response, deadline=deadline)
        return response

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._reader.unread = b""

    def forget(self) -> None:
        """Wait for no late answer any more: the next request asks for something else."""
        for connection, _ in self._late:
            connection.close()
        self._late.clear()
        self.is_asking = False

    @property
    def is_late(self) -> bool:
        """Whether a request is sent whose answer hasn't come in time."""
        return bool(self._late)

    def has_news(self, wait_s: float = 0.0) -> bool:
        """Whether bytes wait to be read, or come within that time.

        Another thread may ask, too: it gets a hint, and no promise.
        """
        import select

        poll = select.poll()
        for connection in [self._socket, *(late for late, _ in self._late)]:
            if connection is not None and (fd := connection.fileno()) >= 0:
                poll.register(fd, select.POLLIN)
        return bool(poll.poll(int(wait_s * 1000)))

    def render(
        self, path: str, headers: dict[str, str], body: bytes, method: str = "POST"
    ) -> bytes:
        """Return a request's bytes; an empty body has its length, too (some proxies answer 411)."""
        headers = {"Host": self.url.authority, **headers}
        lines = [f"Content-Length: {len(body)}"]
        if self.proxy is not None and self.url.scheme == "http":
            from radar_cli.net.proxies import proxy_headers

            path = f"http://{self.url.authority}{path}"
            lines += proxy_headers(self.proxy)
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = f"{method} {path} HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
        return head.encode("latin-1", "replace") + body

    def exchange(self, request: bytes, deadline: float) -> Response:
        """Send a request and read its answer, connecting where there's no connection."""
        reused = self._socket is not None
        while True:
            try:
                response, keeps_open = self._ask(request, deadline)
            except OSError as error:
                silent = not self._reader.unread
                self._part(error)
                # A server may close an idle connection at any time; that is no failure of its.
                if reused and silent and not isinstance(error, TimeoutError):
                    reused = False
                    continue
                from radar_cli.net.failures import explain

                self.is_asking &= isinstance(error, TimeoutError) or bool(self._late)
                raise explain(error, self) from error
            except ValueError as error:
                self.close()
                raise LinkError(f"no HTTP answer: {error}") from error
            if not keeps_open:
                self.close()
            return response

    def _ask(self, request: bytes, deadline: float) -> tuple[Response, bool]:
        self._is_sent = False
        if not (self._late and self._take_late(time.monotonic())):
            try:
                if self._socket is None:
                    self._connect(deadline)
                self._send(request, deadline)
            except OSError:
                if not self._late:
                    raise
                self.close()  # a server that takes no more may still answer what it has
            if self._late:
                self._put_by()
                if not self._take_late(deadline):
                    if not self._late:
                        raise ConnectionResetError("the server closed the connection")
                    raise TimeoutError("timed out")
        return self._reader.read_answer(deadline)

    def _part(self, error: OSError) -> None:
        """Close the connection after an error, or put it by if the answer is just late."""
        if isinstance(error, TimeoutError):
            if self._address is not None:
                self._silent.append(self._address)
            if self._is_sent:
                self._put_by()
        self.close()

    def _put_by(self) -> None:
        """Put the connection beside those whose answers are late."""
        if self._socket is not None:
            self._late.append((self._socket, self._reader.unread))
            self._socket, self._reader.unread = None, b""

    def _take_late(self, deadline: float) -> bool:
        """Go on with the late connection that is the first to answer; False if none does."""
        from radar_cli.net.racing import first_to_speak

        spoken = first_to_speak(self._late, deadline)
        if spoken is None:
            return False
        self._late.remove(spoken)
        is_asking = self.is_asking
        self.forget()
        self.close()
        self.is_asking = self._is_sent = is_asking
        self._socket, self._reader.unread = spoken
        return True

    def _connect(self, deadline: float) -> None:
        connection = self._reach(deadline)
        self._socket = connection
        if self.url.scheme != "https":
            return
        if self.proxy is not None:
            from radar_cli.net.proxies import render_connect

            connection.settimeout(_left(deadline))
            connection.sendall(render_connect(self.url, self.proxy))
            answer, _ = self._reader.read_answer(deadline, is_connect=True)
            if not 200 <= answer.status < 300:
                from radar_cli.net.failures import refuse_tunnel

                raise refuse_tunnel(self.proxy, answer.status)
            self._reader.unread = b""
        if self._trust is None:
            from radar_cli.net.tls import Trust

            self._trust = Trust(self.ca_file, self.environ)
        self._socket = None  # it belongs to TLS from here on
        self._socket = self._trust.start_tls(connection, self.url.host, _left(deadline))
        if self._socket is None:
            self._connect(deadline)  # with more to trust in

    def _reach(self, deadline: float) -> "_socket.socket":
        """Open a connection to the server, or to the proxy before it."""
        self._address = None
        place = self.proxy or self.url
        # In bytes, since a name in a str imports the IDNA codec with all its tables, 10 ms.
        name = place.host.encode()
        addresses = _socket.getaddrinfo(name, place.port, 0, _socket.SOCK_STREAM)
        # Those that were silent have their turn last.
        addresses.sort(key=lambda info: info[4] in self._silent)
        (family, kind, protocol, _, address), *others = addresses
        wait_s = left_s = _left(deadline)
        if others:  # all have their turn within the first half of the time
            wait_s = min(_HEAD_START_S, left_s / 2 / len(addresses))
        connection = None
        try:
            connection = _socket.socket(family, kind, protocol)
            connection.settimeout(wait_s)
            connection.connect(address)
        except OSError as error:
            if not others:
                if connection is not None:
                    connection.close()
                raise
            from radar_cli.net.racing import race

            connection = race(addresses, connection, error, head_start_s=wait_s, deadline=deadline)
        if others:
            self._address = connection.getpeername()
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        return connection

    def _send(self, request: bytes, deadline: float) -> None:
        connection = self._socket
        assert connection is not None  # noqa: S101 (for mypy: callers connect first)
        connection.settimeout(_left(deadline))
        try:  # noqa: SIM105 (contextlib is an import of 3 ms)
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have said why, before it hung up on a body that is too large
        self._is_sent = self.is_asking = True

    def _receive(self, wait_s: float) -> bytes:
        assert self._socket is not None  # noqa: S101 (for mypy: callers hold a connection)
        while wait_s > _PRESSED_S:
            self._socket.settimeout(_PRESSED_S)
            try:
                return self._socket.recv(65_536)
            except TimeoutError:
                if self.is_pressed():
                    raise
            wait_s -= _PRESSED_S
        self._socket.settimeout(max(wait_s, _SHORTEST_WAIT_S))
        return self._socket.recv(65_536)


def _left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("timed out")
    return left_s
