"""Servers that don't do as servers should: they hang, drop, drip, dawdle, or don't even accept."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket], None]


def nothing(client: socket.socket) -> None:
    """Accept, and never answer."""


def half(client: socket.socket) -> None:
    """Half of what Redis might say."""
    client.recv(100)
    client.sendall(b"$1000\r\nhalf of it")


def drop(client: socket.socket) -> None:
    """Hang up on what is asked."""
    client.recv(100)
    client.close()


def drip(client: socket.socket) -> None:
    """Answer byte by byte, so that no timeout of a single read ever ends it."""
    client.sendall(b"$100000\r\n")
    for _ in range(150):
        time.sleep(0.1)
        client.sendall(b"x")


def answering(client: socket.socket, *, pause_s: float = 0.0) -> None:
    """Take each ping, after a pause."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nOK"
    kept = b""
    while more := client.recv(65_536):
        kept += more
        while b"\r\n\r\n" in kept:
            head, _, rest = kept.partition(b"\r\n\r\n")
            length = next(
                (
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            while len(rest) < length:
                rest += client.recv(65_536)
            kept = rest[length:]
            time.sleep(pause_s)
            client.sendall(answer)


@contextlib.contextmanager
def listening(behave: Behaviour) -> Iterator[int]:
    """A server that treats each client so; its port."""
    kept = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    kept.append(client)
                    threading.Thread(target=_quietly, args=(behave, client), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for client in kept:
        client.close()


@contextlib.contextmanager
def dropping_packets() -> Iterator[int]:
    """A port whose backlog is full: who wants to connect gets no answer at all (Linux)."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listener.getsockname()[1]
        while True:
            client = stack.enter_context(socket.socket())
            client.settimeout(0.2)
            try:
                client.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        yield port


def _quietly(behave: Behaviour, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        behave(client)
