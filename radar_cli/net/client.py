"""A small HTTP/1.1 client, straight on a socket: what a ping needs and no more.

http.client would do, at three times the cost of a whole wrapped job. `_socket` is the C half of
`socket`, whose Python half builds enums for 8 ms.

Answers are read as servers really write them (RFC 9112). Lenient where the RFC allows it and where
clients such as curl are: lines may end in a bare LF. Strict about where an answer ends, since what
follows would be taken for the next one.
"""

import time

from radar_cli.core.urls import Url
from radar_cli.net import LinkError, Response

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
_HEAD_MAX_BYTES = 65_536
_BODY_MAX_BYTES = 1_000_000
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
# Where a server repeats one of these, all its values count; of any other, the last.
_LISTS = ("connection", "content-length", "transfer-encoding")
# After the deadline, what has arrived is read all the same: a busy machine may have kept this
# thread waiting. So many pieces may be an answer's; a server that drips gets no more time.
_LATE_PIECES_MAX = 4


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


class Reader:
    """Reads answers from what `receive` gives, at most so many seconds later; b"" is the end."""

    def __init__(self, receive: "Callable[[float], bytes]") -> None:
        self._receive = receive
        self.unread = b""
        self._late_pieces = 0

    def read_answer(self, deadline: float, *, is_connect: bool = False) -> tuple[Response, bool]:
        """The next answer, and whether another may follow it on this connection.

        TimeoutError: it isn't there by `deadline` (monotonic). ConnectionResetError: the
        connection ended in it. ValueError: it isn't HTTP/1.
        """
        self._late_pieces = 0
        left_bytes = _HEAD_MAX_BYTES
        while True:
            head = self._read_head(left_bytes, deadline)
            status, headers, keeps_open = _parse_head(head)
            if status >= 200 or status == 101:
                break
            left_bytes -= len(head)  # a server can't say `100 Continue` for ever
        body = b""
        codings = _split_list(headers.get("transfer-encoding", ""))
        if is_connect or status in (204, 304):
            pass
        elif codings[-1:] == ["chunked"]:
            body = self._read_chunks(deadline)
        elif "content-length" in headers and not codings:
            body = self._read_exactly(_parse_length(headers["content-length"]), deadline)
        else:
            while data := self.receive(deadline):
                self.unread += data
                if len(self.unread) > _BODY_MAX_BYTES:
                    raise ValueError("its body has no end")
            body, self.unread, keeps_open = self.unread, b"", False
        # What follows an answer is none that we asked for.
        return Response(status, headers, body), keeps_open and not self.unread

    def receive(self, deadline: float) -> bytes:
        """The next bytes. What has arrived by now is read even if the deadline has passed."""
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            self._late_pieces += 1
            if self._late_pieces > _LATE_PIECES_MAX:
                raise TimeoutError("timed out")
        return self._receive(max(left_s, 0.0))

    def _receive_more(self, deadline: float) -> None:
        data = self.receive(deadline)
        if not data:
            raise ConnectionResetError(
                "the server closed the connection" + (" in its answer" if self.unread else "")
            )
        self.unread += data

    def _read_head(self, most_bytes: int, deadline: float) -> bytes:
        """The lines of a head, without the empty one behind it."""
        looked_at = 0
        while True:
            if looked_at == 0:
                # Some servers send one line end too many after a body.
                self.unread = self.unread.lstrip(b"\r\n")
                if not b"HTTP/".startswith(self.unread[:5]):
                    raise ValueError(f"it starts with {self.unread[:20]!r}")
            ends = [
                (at, at + len(mark))
                for mark in (b"\n\r\n", b"\n\n")
                if (at := self.unread.find(mark, looked_at)) >= 0
            ]
            if ends:
                at, end = min(ends)
                head, self.unread = self.unread[:at], self.unread[end:]
                return head
            if len(self.unread) > most_bytes:
                raise ValueError("its head has no end")
            # The mark may be there in part. Before the fifth byte it isn't clear that it is HTTP.
            looked_at = max(0, len(self.unread) - 2) if len(self.unread) >= 5 else 0
            self._receive_more(deadline)

    def _read_line(self, deadline: float) -> bytes:
        while b"\n" not in self.unread:
            if len(self.unread) > _HEAD_MAX_BYTES:
                raise ValueError("its line has no end")
            self._receive_more(deadline)
        line, _, self.unread = self.unread.partition(b"\n")
        return line.removesuffix(b"\r")

    def _read_exactly(self, length: int, deadline: float) -> bytes:
        while len(self.unread) < length:
            self._receive_more(deadline)
        data, self.unread = self.unread[:length], self.unread[length:]
        return data

    def _read_chunks(self, deadline: float) -> bytes:
        """A body in chunks (RFC 9112, 7.1), without their extensions and the trailers."""
        body = bytearray()
        while True:
            size = self._read_line(deadline).partition(b";")[0].strip().decode("latin-1")
            if not size or not _HEX_DIGITS.issuperset(size) or len(size) > 16:
                raise ValueError(f"its chunk's length is {size[:40]!r}")
            length = int(size, 16)
            if length + len(body) > _BODY_MAX_BYTES:
                raise ValueError("its body has no end")
            if length == 0:
                break
            body += self._read_exactly(length, deadline)
            if self._read_line(deadline):
                raise ValueError("its chunk is longer than it says")
        left_bytes = _HEAD_MAX_BYTES
        while trailer := self._read_line(deadline):
            left_bytes -= len(trailer) + 1
            if left_bytes < 0:
                raise ValueError("its trailers have no end")
        return bytes(body)


def _parse_head(head: bytes) -> tuple[int, dict[str, str], bool]:
    """Status, headers, and whether the connection stays open; ValueError if it isn't HTTP/1."""
    first, *lines = (line.removesuffix("\r") for line in head.decode("latin-1").split("\n"))
    version, _, rest = first.partition(" ")
    code = rest.lstrip(" ")[:3]
    if not version.startswith("HTTP/1.") or not (
        len(code) == 3 and code.isascii() and code.isdigit()
    ):
        raise ValueError(f"it starts with {first[:40]!r}")
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        if line[:1] in (" ", "\t"):  # goes on with the line before (RFC 9112, 5.2)
            if name:
                headers[name] = f"{headers[name]} {line.strip()}".strip()
            continue
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name in _LISTS and name in headers:
            value = f"{headers[name]}, {value}"
        headers[name] = value
    connection = _split_list(headers.get("connection", ""))
    keeps_open = "close" not in connection and (version != "HTTP/1.0" or "keep-alive" in connection)
    return int(code), headers, keeps_open


def _split_list(value: str) -> list[str]:
    """The members of a list in a header (RFC 9110, 5.6.1)."""
    return [word.strip().lower() for word in value.split(",") if word.strip()]


def _parse_length(text: str) -> int:
    """The length of a body; ValueError if it is none, or more than a ping's answer may have.

    One that is repeated, by a proxy in the middle perhaps, is one (RFC 9112, 6.3).
    """
    length, *others = set(_split_list(text)) or ("",)
    if others or not (length.isascii() and length.isdigit() and len(length) <= 16):
        raise ValueError(f"its length is {text[:40]!r}")
    if int(length) > _BODY_MAX_BYTES:
        raise ValueError("its body has no end")
    return int(length)


def _left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("timed out")
    return left_s
