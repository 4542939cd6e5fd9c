"""A relay before a real server: slow, or falling silent in the middle of what the server says."""

import contextlib
import socket
import struct
import threading
import time

# A segment of a usual network, and a line of 8 Mbit/s.
PACKET_BYTES = 1448
_SLOW_BYTES_PER_S = 1_000_000


class Relay:
    """A context manager. It passes on `most_bytes` of all that the server says, if they are given;
    nothing after `freeze()`. Connections stay open. One that `is_slow` takes 1,448 bytes at a time
    at 1 MB/s, both ways, as a network does and loopback doesn't."""

    def __init__(
        self,
        to_port: int,
        most_bytes: int | None = None,
        *,
        is_slow: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        listener: socket.socket | None = None,
    ) -> None:
        self._to = (host if listener else "127.0.0.1", to_port)
        self._piece_bytes = PACKET_BYTES if is_slow else 65536
        self._pause_s = PACKET_BYTES / _SLOW_BYTES_PER_S if is_slow else 0.0
        self._left = most_bytes
        self._is_frozen = threading.Event()
        self._kept: list[socket.socket] = []
        self._listener = listener or socket.create_server((host, port))
        self._listener.listen(128)
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

    def stop_listening(self) -> None:
        """Refuse whoever comes, and go on with those who are there."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

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
                server = socket.create_connection(self._to)
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._kept += [client, server]
                for pump, pair in ((self._ask, (client, server)), (self._answer, (server, client))):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(self._piece_bytes):
                server.sendall(data)
                time.sleep(self._pause_s)
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(self._piece_bytes):
                time.sleep(self._pause_s)
                if self._left is not None:
                    data = data[: self._left]
                    self._left -= len(data)
                if not self._is_frozen.is_set():
                    client.sendall(data)
        except ConnectionResetError:
            _reset(client)
            return
        except OSError:
            pass  # as if it had hung up
        if not self._is_frozen.is_set():
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)


def _reset(client: socket.socket) -> None:
    """Hang up as a host does that knows nothing of the connection."""
    with contextlib.suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it
    client.close()
