"""A relay before a real server: a slow network, or one that says nothing more."""

import contextlib
import socket
import threading
import time

# What a packet of TCP carries over Ethernet.
PACKET_BYTES = 1_448


class Relay:
    """A context manager. It passes on `most_bytes` of all that the server says, if they are given;
    nothing after `freeze()`. Connections stay open. With a `bytes_a_second`, what clients say is
    passed on at that pace, in packets."""

    def __init__(
        self, to_port: int, most_bytes: int | None = None, bytes_a_second: int | None = None
    ) -> None:
        self._to_port = to_port
        self._left = most_bytes
        self._bytes_a_second = bytes_a_second
        self._is_frozen = threading.Event()
        self._kept: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> "Relay":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_frozen.set()
        for each in (self._listener, *self._kept):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def freeze(self) -> None:
        """Say nothing more, and accept whoever comes."""
        self._is_frozen.set()

    def hang(self) -> None:
        """Hang up on all, and say nothing to those who come again."""
        self._is_frozen.set()
        for each in self._kept:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to_port))
                self._kept += [client, server]
                for pump, pair in ((self._ask, (client, server)), (self._answer, (server, client))):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        pace = self._bytes_a_second
        due = time.monotonic()
        with contextlib.suppress(OSError):
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := client.recv(65536 if pace is None else PACKET_BYTES):
                server.sendall(data)
                if pace is not None:
                    # A packet that was late makes the next ones no faster than the pace.
                    due = max(due, time.monotonic() - 0.05) + len(data) / pace
                    time.sleep(max(0.0, due - time.monotonic()))
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if self._left is not None:
                    data = data[: self._left]
                    self._left -= len(data)
                if not self._is_frozen.is_set():
                    client.sendall(data)
        if not self._is_frozen.is_set():
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)
