"""A small HTTP/1.1 client, straight on a socket: what a ping needs and no more.

http.client would do, at three times the cost of a whole wrapped job. `_socket` is the C half of
`socket`, whose Python half builds enums for 8 ms.
"""

import time

from radar_cli.core.urls import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket as _socket
    from collections.abc import Callable, Mapping
else:
    import _socket

_HEAD_MAX_BYTES = 65_536
_BODY_MAX_BYTES = 1_000_000


class LinkError(Exception):
    """The server could not be reached, or what answered doesn't speak HTTP.

    `needs_person`: not before somebody has mended a setting.
    """

    def __init__(self, message: str, *, needs_person: bool = False) -> None:
        super().__init__(message)
        self.needs_person = needs_person


class Response:
    """What the server answered; header names are lowercase."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Link:
    """A connection to one server, kept open between requests."""

    def __init__(
        self, url: Url, *, proxy: Url | None, ca_file: str, environ: "Mapping[str, str]"
    ) -> None:
        self.url = url
        self.proxy = proxy
        self.ca_file = ca_file
        self.environ = environ
        self._socket: _socket.socket | None = None
        self._unread = b""
        self.is_asking = False  # a request is sent, and it isn't known whether it arrived

    def post(self, path: str, headers: dict[str, str], body: bytes, deadline: float) -> Response:
        """POST `body` to `path` and read the answer before `deadline` (monotonic).

        Follows 307 and 308 with the body (RFC 9110, 15.4.8). LinkError: no answer.
        """
        path = self.url.path + path
        response = self.exchange(render(self, path, headers, body), deadline)
        if response.status in (307, 308) and response.headers.get("location"):
            from radar_cli.net.redirects import follow

            return follow(self, path, headers, body, response=response, deadline=deadline)
        return response

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._unread = b""

    def exchange(self, request: bytes, deadline: float) -> Response:
        """Send a request and read its answer, connecting where there's no connection."""
        reused = self._socket is not None
        while True:
            try:
                if self._socket is None:
                    self._connect(deadline)
                return self._send_and_read(request, deadline)
            except OSError as error:
                silent = not self._unread
                self.close()
                # A server may close an idle connection at any time; that is no failure of its.
                if reused and silent and not isinstance(error, TimeoutError):
                    reused = False
                    continue
                from radar_cli.net.failures import explain

                self.is_asking &= isinstance(error, TimeoutError)
                raise explain(error, self) from error
            except ValueError as error:
                self.close()
                raise LinkError(f"no HTTP answer: {error}") from error

    def _connect(self, deadline: float) -> None:
        place = self.proxy or self.url
        failure: OSError | None = None
        # In bytes, since a name in a str imports the IDNA codec with all its tables, 10 ms.
        name = place.host.encode()
        addresses = _socket.getaddrinfo(name, place.port, 0, _socket.SOCK_STREAM)
        for tries_left, (family, kind, protocol, _, address) in zip(
            range(len(addresses), 0, -1), addresses, strict=True
        ):
            connection = _socket.socket(family, kind, protocol)
            try:
                # A dead address must leave time for the others.
                connection.settimeout(_left(deadline) / tries_left)
                connection.connect(address)
                connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            except OSError as error:
                connection.close()
                failure = error
                continue
            self._socket = connection
            if self.proxy is not None and self.url.scheme == "https":
                from radar_cli.net.proxies import render_connect

                request = render_connect(self.url, self.proxy)
                answer = self._send_and_read(request, deadline, is_connect=True)
                if not 200 <= answer.status < 300:
                    from radar_cli.net.failures import refuse_tunnel

                    raise refuse_tunnel(self.proxy, answer.status)
            if self.url.scheme == "https":
                from radar_cli.net.tls import start_tls

                host, self._socket = self.url.host, None
                self._socket = start_tls(
                    connection, host, self.ca_file, self.environ, _left(deadline)
                )
            return
        raise failure or OSError(f"no address for {place.host}")

    def _send_and_read(
        self, request: bytes, deadline: float, *, is_connect: bool = False
    ) -> Response:
        connection = self._socket
        assert connection is not None  # noqa: S101 (for mypy: callers connect first)
        connection.settimeout(_left(deadline))
        try:  # noqa: SIM105 (contextlib is an import of 3 ms)
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have said why, before it hung up on a body that is too large
        self.is_asking = not is_connect
        while True:
            head = self._read_until(b"\r\n\r\n", deadline)
            status, headers, keeps_open = _parse_head(head)
            if status >= 200 or status == 101:
                break
        if is_connect or status == 204:
            return Response(status, headers, b"")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body = _read_chunks(self._read_until, self._read_exactly, deadline)
        elif "content-length" in headers:
            body = self._read_exactly(_parse_length(headers["content-length"], 10), deadline)
        else:
            while data := self._receive(deadline):
                self._unread += data
                if len(self._unread) > _BODY_MAX_BYTES:
                    raise ValueError("its body has no end")
            body, self._unread, keeps_open = self._unread, b"", False
        if not keeps_open or self._unread:  # what follows an answer is none that we asked for
            self.close()
        return Response(status, headers, body)

    def _receive(self, deadline: float) -> bytes:
        assert self._socket is not None  # noqa: S101 (for mypy: callers hold a connection)
        self._socket.settimeout(_left(deadline))
        return self._socket.recv(65_536)

    def _read_until(self, mark: bytes, deadline: float) -> bytes:
        while mark not in self._unread:
            if len(self._unread) > _HEAD_MAX_BYTES:
                raise ValueError("its head has no end")
            data = self._receive(deadline)
            if not data:
                raise ConnectionResetError("the server closed the connection")
            self._unread += data
            if not b"HTTP/".startswith(self._unread[:5]) and mark == b"\r\n\r\n":
                raise ValueError(f"it starts with {self._unread[:20]!r}")
        part, _, self._unread = self._unread.partition(mark)
        return part

    def _read_exactly(self, length: int, deadline: float) -> bytes:
        while len(self._unread) < length:
            data = self._receive(deadline)
            if not data:
                raise ConnectionResetError("the server closed the connection in its answer")
            self._unread += data
        body, self._unread = self._unread[:length], self._unread[length:]
        return body


def render(
    link: Link, path: str, headers: dict[str, str], body: bytes, method: str = "POST"
) -> bytes:
    """A request's bytes; an empty body has its length, too (some proxies answer 411)."""
    headers = {"Host": link.url.authority, **headers}
    lines = [f"Content-Length: {len(body)}"]
    if link.proxy is not None and link.url.scheme == "http":
        from radar_cli.net.proxies import proxy_headers

        path = f"http://{link.url.authority}{path}"
        lines += proxy_headers(link.proxy)
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = f"{method} {path} HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    return head.encode("latin-1", "replace") + body


def _parse_head(head: bytes) -> tuple[int, dict[str, str], bool]:
    """Status, headers, and whether the connection stays open; ValueError if it isn't HTTP/1."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not (code.isdigit() and len(code) == 3):
        raise ValueError(f"it starts with {first[:40]!r}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    connection = headers.get("connection", "").lower()
    keeps_open = "close" not in connection and (version != "HTTP/1.0" or "keep-alive" in connection)
    return int(code), headers, keeps_open


def _parse_length(text: str, base: int) -> int:
    """A length on the wire; ValueError if it is none, or more than a ping's answer may have."""
    length = int(text, base)
    if not 0 <= length <= _BODY_MAX_BYTES:
        raise ValueError(f"its length is {text[:40]!r}")
    return length


def _left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("timed out")
    return left_s


def _read_chunks(
    read_until: "Callable[[bytes, float], bytes]",
    read_exactly: "Callable[[int, float], bytes]",
    deadline: float,
) -> bytes:
    """The body, read by a connection's two ways of reading; ValueError if it isn't in chunks."""
    body = b""
    while True:
        size_line = read_until(b"\r\n", deadline).partition(b";")[0]
        length = _parse_length(size_line.decode("latin-1").strip(), 16)
        if length == 0:
            while read_until(b"\r\n", deadline):
                pass  # trailers
            return body
        body += read_exactly(length + 2, deadline)[:-2]
        if len(body) > _BODY_MAX_BYTES:
            raise ValueError("its body has no end")
