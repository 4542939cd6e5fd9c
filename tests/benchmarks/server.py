"""A server in a process of its own, quick enough not to be what is measured.

    python server.py plain|hang|tls [CERTIFICATE]

Prints its port when it listens, and ends when its stdin does. `plain` and `tls` keep connections
open and answer OK to everything, `GET /count` with how many other requests there were; `hang`
accepts and never answers.
"""

import _thread
import contextlib
import socket
import ssl
import sys

_HEAD_END = b"\r\n\r\n"
_count = 0


def main() -> None:
    kind, *certificate = sys.argv[1:]
    context = None
    if kind == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[0])
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    _thread.start_new_thread(_accept, (listener, context, kind == "hang"))
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


def _accept(listener: socket.socket, context: ssl.SSLContext | None, hangs: bool) -> None:
    held = []
    while True:
        connection, _ = listener.accept()
        if hangs:
            held.append(connection)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _thread.start_new_thread(_serve, (connection, context))


def _serve(connection: socket.socket, context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), connection:
        if context is None:
            _answer_all(connection)
        else:
            with context.wrap_socket(connection, server_side=True) as encrypted:
                _answer_all(encrypted)


def _answer_all(connection: socket.socket) -> None:
    global _count
    unread = b""
    while True:
        while _HEAD_END not in unread:
            data = connection.recv(65_536)
            if not data:
                return
            unread += data
        head, _, unread = unread.partition(_HEAD_END)
        unread = _skip_body(connection, head.lower(), unread)
        body = b"OK"
        if head.startswith(b"GET /count "):
            body = b"%d" % _count
        else:
            _count += 1
        # sentry-cli reads the answer to an envelope as JSON.
        body = b"{}" if b" /api/" in head[:10] else body
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def _skip_body(connection: socket.socket, head: bytes, unread: bytes) -> bytes:
    """What was read beyond the body, whose length the head says, or which comes in chunks."""
    if b"transfer-encoding: chunked" in head:
        while b"0\r\n\r\n" not in unread:
            unread += connection.recv(65_536)
        return unread.partition(b"0\r\n\r\n")[2]
    length = 0
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line[15:])
    while len(unread) < length:
        unread += connection.recv(65_536)
    return unread[length:]


if __name__ == "__main__":
    main()
