"""Clients that mean harm, or are merely broken: nobody else waits for them."""

import contextlib
import resource
import selectors
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.radar_server import RadarServer, serving
from tests.support.requirements import require
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

_MB = 1_000_000


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """As many as the machine allows, for as long as the test lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 12_000
    require(hard in (resource.RLIM_INFINITY,) or hard >= wanted, f"needs {wanted} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _connect(server: RadarServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=40)


def _head(server: RadarServer, path: str, *headers: str, method: str = "POST") -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {server.key}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _status(sock: socket.socket) -> int | None:
    """The status of the answer; None if the server hangs up without one."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while b"\r\n" not in answer and (part := sock.recv(4096)):
            answer += part
    return int(answer.split(b" ")[1]) if answer else None


@pytest.mark.usefixtures("many_descriptors")
def test_ten_thousand_half_open_connections_keep_nobody_out(server: RadarServer) -> None:
    before = server.descriptors()
    memory = server.memory_bytes()
    held = []
    try:
        for number in range(10_000):
            held.append(_connect(server))
            if number % 2:
                held[-1].sendall(b"POST /ping/job HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            if number % 1000 == 999:
                began = time.monotonic()
                assert server.ping("job", create="1").status_code == 200
                assert time.monotonic() - began < 10
        assert server.memory_bytes() - memory < 400 * _MB
        # They are hung up on, without anybody's doing.
        wait_until(lambda: server.descriptors() < before + 50, 60, "all are closed", every_s=0.2)
        assert server.ping("job").status_code == 200
        assert server.is_healthy()
    finally:
        for sock in held:
            sock.close()


def _send_until_answered(sock: socket.socket, total: int) -> int:
    """Send zeros until the server answers or hangs up; return how many it took."""
    sent, piece = 0, b"\0" * 65_536
    sock.setblocking(False)
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while sent < total:
            for _, events in selector.select(30):
                if events & selectors.EVENT_READ:
                    sock.setblocking(True)
                    return sent
                try:
                    sent += sock.send(piece)
                except BlockingIOError:
                    continue
                except ConnectionError:
                    sock.setblocking(True)
                    return sent
    sock.setblocking(True)
    return sent


@pytest.mark.parametrize("path", ["/ping/job?create=1&rid=x", "/api/sync"])
@pytest.mark.parametrize("form", ["said", "chunked"])
def test_a_body_of_a_gigabyte_is_refused_at_once(server: RadarServer, path: str, form: str) -> None:
    """One of a ping that is none, or of anything else."""
    memory = server.memory_bytes()
    began = time.monotonic()
    size = 1000 * _MB
    length = f"Content-Length: {size}" if form == "said" else "Transfer-Encoding: chunked"
    with _connect(server) as sock:
        sock.sendall(_head(server, path, length, "Content-Type: application/json"))
        if form == "chunked":
            sock.sendall(f"{size:x}\r\n".encode())
        sent = _send_until_answered(sock, size)
        assert _status(sock) == (413 if path == "/api/sync" else 400)
    assert sent < 60 * _MB
    assert time.monotonic() - began < 20
    assert server.memory_bytes() - memory < 60 * _MB
    assert server.ping("job", create="1").status_code == 200


def test_a_body_that_is_too_long_is_said_so(server: RadarServer) -> None:
    with _connect(server) as sock:
        sock.sendall(_head(server, "/api/sync", "Content-Length: 1000000000"))
        assert _status(sock) == 413


def test_a_ping_is_read_to_its_end_in_flat_memory(server: RadarServer) -> None:
    server.ping("job", b"x" * _MB, create="1")
    memory, total = server.memory_bytes(), 500 * _MB
    with _connect(server) as sock:
        sock.sendall(_head(server, "/ping/job/fail", f"Content-Length: {total}"))
        for _ in range(total // _MB):
            sock.sendall(b"x" * _MB)
        assert _status(sock) == 200
    assert server.memory_bytes() - memory < 60 * _MB
    with server.store() as store:
        ping = store.pings.newest("job", 9)[-1]
    assert (ping.kind, len(ping.body)) == ("fail", 100_000)
    assert ping.fields["omitted"] == str(total - 100_000)


@pytest.mark.nightly(daily="tests/server/test_bodies.py")
def test_who_sends_a_byte_a_second_is_hung_up_on(server: RadarServer) -> None:
    """A head has 10 s, however busily it dribbles, and a body of the API 30 s.

    That of a ping has a minute before its pace counts. Others don't notice.
    """
    began = time.monotonic()
    slow_head, silent, pinged, posted = (_connect(server) for _ in range(4))
    with slow_head, silent, pinged, posted:
        pinged.sendall(_head(server, "/ping/job?create=1", "Content-Length: 1000"))
        posted.sendall(
            _head(server, "/api/sync", "Content-Length: 1000", "Content-Type: application/json")
        )
        words = iter(b"GET /ping/job HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 1000)
        ended: dict[str, tuple[float, int | None]] = {}
        named = {"head": slow_head, "silent": silent, "ping": pinged, "sync": posted}
        while len(ended) < len(named) and time.monotonic() - began < 90:
            with contextlib.suppress(ConnectionError):
                slow_head.send(bytes([next(words)]))
            for name in {"ping", "sync"} - ended.keys():
                with contextlib.suppress(ConnectionError):
                    named[name].send(b" ")
            with selectors.DefaultSelector() as selector:
                for name in named.keys() - ended.keys():
                    selector.register(named[name], selectors.EVENT_READ, name)
                for chosen, _ in selector.select(0.5):
                    ended[chosen.data] = (time.monotonic() - began, _status(named[chosen.data]))
    for name in ("head", "silent"):
        assert 8 < ended[name][0] < 25, ended
        assert ended[name][1] is None
    for name, after_s in (("ping", 60), ("sync", 30)):
        assert after_s - 5 < ended[name][0] < after_s + 20, ended
        assert ended[name][1] == 408
    assert server.ping("job", create="1").status_code == 200


def test_what_isnt_http_is_hung_up_on(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        for words in (b"\x16\x03\x01\x02\0\x01\0\x01\xfc", b"\0" * 4096, b"HELO example.org\r\n"):
            with _connect(server) as sock:
                sock.sendall(words)
                assert _status(sock) in (400, None)
        # Nor does a head without an end fill the memory.
        memory = server.memory_bytes()
        with _connect(server) as sock:
            sock.sendall(b"GET /ping/job HTTP/1.1\r\n")
            with contextlib.suppress(ConnectionError):
                for number in range(2000):
                    sock.sendall(b"X-%d: " % number + b"a" * 60_000 + b"\r\n")
            with contextlib.suppress(ConnectionError):
                sock.recv(1)
        assert server.memory_bytes() - memory < 60 * _MB
        assert server.is_healthy()
