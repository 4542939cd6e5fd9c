"""HTTP/1.1 as it comes in: requests, and the connections that bring them."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit


class Broken(Exception):  # noqa: N818 (it is an event, not an error of ours)
    """The peer went away in the middle, or sent what isn't HTTP."""


@dataclass(frozen=True)
class Request:
    """One request as it arrived. Names of headers are in lower case."""

    method: str
    target: str  # as it was sent, undecoded
    headers: dict[str, str]
    body: bytes
    at: float  # time.time() when it was there in full
    at_monotonic: float
    connection: int  # the number of its connection: equal ones shared it
    head: bytes  # request line and headers, the very bytes

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        pairs = parse_qsl(
            urlsplit(self.target).query, keep_blank_values=True, errors="surrogateescape"
        )
        return dict(pairs)


class Connection:
    """One accepted connection, used by its own thread."""

    def __init__(self, sock: socket.socket, number: int, stopping: threading.Event) -> None:
        self.sock = sock
        self.number = number
        self._stopping = stopping
        self._unread = b""

    def start_tls(self, context: ssl.SSLContext) -> None:
        # In two steps: `interrupt` has to find the socket that the handshake waits on.
        self.sock = tls = context.wrap_socket(
            self.sock, server_side=True, do_handshake_on_connect=False
        )
        tls.do_handshake()

    def read_head(self) -> Request | None:
        """The next request without its body, or None if the peer has hung up."""
        while b"\r\n\r\n" not in self._unread:
            if not self._read_more():
                if self._unread:
                    raise Broken(f"hung up after {self._unread!r}")
                return None
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        try:
            method, target, _ = first.split(" ")
        except ValueError:
            raise Broken(f"no request line: {first!r}") from None
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Request(
            method, target, headers, b"", time.time(), time.monotonic(), self.number, head
        )

    def read_body(self, request: Request) -> Request:
        """The same request with its body, and with the time at which it was complete."""
        if request.headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in request.headers.get("transfer-encoding", "").lower():
            body = self._read_chunks()
        else:
            body = self._read_exactly(int(request.headers.get("content-length", "0")))
        return Request(
            request.method,
            request.target,
            request.headers,
            body,
            time.time(),
            time.monotonic(),
            self.number,
            request.head,
        )

    def _read_chunks(self) -> bytes:
        body = b""
        while size := int(self._read_line().split(b";")[0], 16):
            body += self._read_exactly(size)
            self._read_line()
        while self._read_line():
            pass
        return body

    def _read_line(self) -> bytes:
        while b"\r\n" not in self._unread:
            if not self._read_more():
                raise Broken("hung up within a chunked body")
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line

    def _read_exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            if not self._read_more():
                raise Broken(f"hung up {size - len(self._unread)} bytes before the body's end")
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _read_more(self) -> bool:
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        self._unread += data
        return bool(data)

    def read_raw(self) -> bytes:
        """What has come and isn't part of a request yet, or else what comes next."""
        if self._unread or self._read_more():
            data, self._unread = self._unread, b""
            return data
        return b""

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Broken(f"hung up before the answer's end: {error}") from None

    def pause(self, seconds: float | None = None) -> None:
        """Do nothing for that long (None: for good), but stop when the server does."""
        if self._stopping.wait(seconds):
            raise Broken("the server stops")

    def reset(self) -> None:
        """Close with RST: the peer's next read fails with ECONNRESET."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    def interrupt(self) -> None:
        """From another thread: wake the connection's own one out of a read or write."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
