"""Requests byte by byte, on a socket: what a polite client never sends, or not like that."""

import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.support.radar_server import RadarServer


@dataclass(frozen=True)
class Answer:
    """One response as it came; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class RawConnection:
    """A context manager: a connection to a server, or to a relay on another port before it."""

    def __init__(self, server: RadarServer, port: int = 0) -> None:
        self._key = server.key
        self._socket = socket.create_connection(("127.0.0.1", port or server.port), timeout=40)
        self._unread = b""

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def head(
        self, target: str, *headers: str, method: str = "POST", key: str | None = None
    ) -> bytes:
        """The head of a request, with the server's admin key unless another one is given."""
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *headers]
        if chosen := self._key if key is None else key:
            lines.append(f"Authorization: Bearer {chosen}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def try_to_send(self, data: bytes) -> None:
        """The same to a server that may have hung up."""
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(data)

    def read(self, method: str = "POST") -> Answer:
        """The next answer; of a HEAD it has no body."""
        while b"\r\n\r\n" not in self._unread:
            self._receive()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        status = int(first.split(" ")[1])
        length = int(headers.get("content-length", "0"))
        if method == "HEAD" or status < 200:
            length = 0
        while len(self._unread) < length:
            self._receive()
        body, self._unread = self._unread[:length], self._unread[length:]
        return Answer(status, headers, body)

    def is_closed(self) -> bool:
        """Whether the server hangs up now, with nothing else to say."""
        with contextlib.suppress(ConnectionError):
            return not self._unread and self._socket.recv(1) == b""
        return True

    def _receive(self) -> None:
        data = self._socket.recv(65_536)
        assert data, f"the server hung up after {self._unread!r}"
        self._unread += data
