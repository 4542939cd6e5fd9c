"""A small HTTP proxy that records what passes: forwarding, and CONNECT tunnels."""

import base64
import socket
import threading
from urllib.parse import urlsplit

from tests.support import answers
from tests.support.answers import Answer
from tests.support.server import Server
from tests.support.wire import Broken, Connection, Request

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Proxy(Server):
    """Its `requests` are what passed: absolute URLs, and `CONNECT host:port`.

    With `credentials` (`user:password`) it demands them. `hosts` are names that only
    the proxy can resolve: name to port on loopback.
    """

    def __init__(self, credentials: str | None = None, hosts: dict[str, int] | None = None) -> None:
        self._credentials = credentials
        self._hosts = hosts or {}
        super().__init__()
        self.behave(self._pass_on)

    def _pass_on(self, request: Request) -> Answer:
        if self._credentials is not None:
            token = base64.b64encode(self._credentials.encode()).decode()
            if request.headers.get("proxy-authorization") != f"Basic {token}":
                return answers.status(407, {"Proxy-Authenticate": 'Basic realm="test"'})
        if request.method == "CONNECT":
            return Answer("tunnel", self._tunnel, code=200)
        return Answer("forward", self._forward)

    def _connect(self, host: str, port: int) -> socket.socket:
        if host in self._hosts:
            host, port = "127.0.0.1", self._hosts[host]
        try:
            return socket.create_connection((host, port), timeout=30)
        except OSError as error:
            raise Broken(f"the proxy can't reach {host}:{port}: {error}") from None

    def _forward(self, connection: Connection, request: Request) -> bool:
        """Send the request on over a connection of its own, hand back the whole answer."""
        url = urlsplit(request.target)
        path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        lines = [f"{request.method} {path} HTTP/1.1", "Connection: close"]
        lines += [
            f"{name}: {value}"
            for name, value in request.headers.items()
            if name not in ("connection", "proxy-connection", "proxy-authorization")
        ]
        message = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + request.body
        answer = b""
        with self._connect(url.hostname or "", url.port or 80) as upstream:
            upstream.sendall(message)
            while data := upstream.recv(65536):
                answer += data
        connection.send(answer)
        return b"\r\nconnection: close" not in answer.partition(b"\r\n\r\n")[0].lower()

    def _tunnel(self, connection: Connection, request: Request) -> bool:
        host, _, port = request.target.rpartition(":")
        with self._connect(host, int(port)) as upstream:
            upstream.settimeout(None)
            connection.send(_ESTABLISHED)
            back = threading.Thread(target=_pump, args=(upstream, connection.sock), daemon=True)
            back.start()
            while data := connection.read_raw():
                upstream.sendall(data)
            upstream.shutdown(socket.SHUT_RDWR)
            back.join(10)
        return False


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one side hung up, the other learns it next
