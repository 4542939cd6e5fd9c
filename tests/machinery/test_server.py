"""The scripted server does what its script says: seen by http.client and by bare sockets."""

import errno
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support import answers
from tests.support.certificates import Authority
from tests.support.server import Server, refused_port, unreachable_port
from tests.support.waiting import wait_until


@pytest.fixture
def client(server: Server) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(server.host, server.port, timeout=5)) as connection:
        yield connection


def ask(
    client: http.client.HTTPConnection, path: str = "/ping/m", body: bytes | None = None
) -> tuple[int, bytes]:
    client.request("POST", path, body)
    response = client.getresponse()
    return response.status, response.read()


def test_it_records_requests_and_connections(
    server: Server, client: http.client.HTTPConnection
) -> None:
    before = time.time()
    client.request("POST", "/ping/a%20b?x=1&y=%FF", b"body", {"X-Twice": "1"})
    response = client.getresponse()
    assert (response.read(), response.headers["Ping-Body-Limit"]) == (b"OK", "10000")
    ask(client)

    first, second = server.requests
    assert (first.method, first.path, first.body) == ("POST", "/ping/a b", b"body")
    assert first.query == {"x": "1", "y": "\udcff"}
    assert first.headers["x-twice"] == "1"
    assert before <= first.at <= time.time()
    assert first.connection == second.connection == server.connections == 1


def test_it_reads_chunked_and_expected_bodies(server: Server) -> None:
    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        sock.sendall(b"1\r\nc\r\n0\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")
        sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hi")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")

    assert [request.body for request in server.requests] == [b"abc", b"hi"]


def test_it_follows_its_script_to_the_last_line(
    server: Server, client: http.client.HTTPConnection
) -> None:
    server.behave(
        answers.status(500), lambda request: answers.ok(request.body), answers.status(409)
    )

    assert [ask(client, body=b"x") for _ in range(4)] == [
        (500, b""),
        (200, b"x"),
        (409, b""),
        (409, b""),
    ]


def test_it_tells_accepted_pings_from_others(
    server: Server, client: http.client.HTTPConnection
) -> None:
    server.behave(answers.ok(), answers.status(503), answers.status(201))
    for path in ("/ping/m/start?rid=1", "/ping/m/ck_key/fail", "/ping/m/0", "/elsewhere"):
        ask(client, path, b"tail")

    pings = server.pings
    assert [(p.monitor, p.key, p.kind, p.is_accepted) for p in pings] == [
        ("m", None, "start", True),
        ("m", "ck_key", "fail", False),
        ("m", None, "0", True),
    ]
    assert (pings[0].query, pings[0].body) == ({"rid": "1"}, b"tail")
    assert [p.kind for p in server.accepted] == ["start", "0"]


@pytest.mark.parametrize("at", ["accept", "head", "request"])
def test_it_really_resets(server: Server, at: str) -> None:
    server.behave(answers.reset(at))  # type: ignore[arg-type]

    def talk() -> None:
        with socket.create_connection((server.host, server.port), 5) as sock:
            if at != "accept":
                sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
            sock.recv(1)

    with pytest.raises(ConnectionResetError):  # at the accept, the connect may be what says it
        talk()


@pytest.mark.parametrize("at", ["accept", "request"])
def test_it_hangs_up_politely(server: Server, at: str) -> None:
    server.behave(answers.close(at))  # type: ignore[arg-type]

    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert sock.recv(1) == b""


@pytest.mark.parametrize("answer", [answers.hang(), answers.accept_only()], ids=lambda a: a.name)
def test_it_never_answers(server: Server, answer: answers.Answer) -> None:
    server.behave(answer)

    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.settimeout(0.3)
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(TimeoutError):
            sock.recv(1)
    assert len(server.requests) == (1 if answer.name == "hang" else 0)


def test_it_does_not_read_what_it_only_accepted(server: Server) -> None:
    server.behave(answers.accept_only())

    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.sendall(b"x" * 50_000_000)


@pytest.mark.parametrize(
    ("answer", "raw"),
    [
        (answers.half(), rb"HTTP/1.1 200.*Content-Length: 10.*\r\n\r\n12345$"),
        (answers.garbage(b"\0\xff"), rb"^\x00\xff$"),
        (answers.chunked(b"abcd", 2), rb"chunked.*\r\n\r\n2;n=v\r\nab\r\n2;n=v\r\ncd\r\n0\r\n"),
        (answers.continue_first(), rb"^HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"),
        (answers.redirect(307, "/x"), rb"^HTTP/1.1 307.*Location: /x"),
        (answers.until_close(b"no"), rb"^HTTP/1.0 200(?!.*Content-Length).*no$"),
        (answers.early(413), rb"^HTTP/1.1 413.*Connection: close"),
        (answers.close_after_response(), rb"^HTTP/1.1 200(?!.*Connection: close).*OK$"),
    ],
    ids=lambda value: value.name if isinstance(value, answers.Answer) else "",
)
def test_it_answers_as_the_wire_shows(server: Server, answer: answers.Answer, raw: bytes) -> None:
    server.behave(answer)

    got = b""
    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        while data := sock.recv(65536):
            got += data
    assert re.search(raw, got, re.DOTALL), got


def test_it_answers_early_to_a_client_that_is_still_sending(server: Server) -> None:
    server.behave(answers.early(413))

    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n")
        sock.sendall(b"x" * 9_000_000)
        assert sock.recv(1000).startswith(b"HTTP/1.1 413")
    assert server.requests == []


def test_it_answers_slowly(server: Server, client: http.client.HTTPConnection) -> None:
    server.behave(answers.slow(0.005, b"x"))
    start = time.monotonic()

    assert ask(client) == (200, b"x")
    assert time.monotonic() - start > 0.2


def test_it_answers_after_a_delay(server: Server, client: http.client.HTTPConnection) -> None:
    server.behave(answers.delayed(0.2))
    start = time.monotonic()

    assert ask(client) == (200, b"OK")
    assert time.monotonic() - start > 0.2


def test_it_sends_without_end(server: Server) -> None:
    server.behave(answers.endless())

    with socket.create_connection((server.host, server.port), 5) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        taken = 0
        while taken < 5_000_000:
            taken += len(sock.recv(65536))


def test_it_lets_a_kept_connection_go_stale(
    server: Server, client: http.client.HTTPConnection
) -> None:
    server.behave(answers.close_after_response())
    assert ask(client) == (200, b"OK")
    wait_until(lambda: client.sock.recv(1, socket.MSG_PEEK) == b"")

    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(client)


def test_it_refuses_and_comes_back_on_the_same_port(server: Server) -> None:
    address = (server.host, server.port)
    with socket.create_connection(address, 5) as kept:
        wait_until(lambda: server.connections == 1)
        server.stop()
        assert kept.recv(1) == b""
    with socket.socket() as sock:
        assert sock.connect_ex(address) == errno.ECONNREFUSED

    server.start()

    with closing(http.client.HTTPConnection(*address, timeout=5)) as client:
        assert ask(client) == (200, b"OK")


def test_it_has_ports_that_refuse_and_ports_that_never_connect() -> None:
    with refused_port() as port, socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
    with unreachable_port() as port, socket.socket() as sock:
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sock.connect(("127.0.0.1", port))


def test_it_speaks_tls_that_only_its_authority_vouches_for(
    tls_server: Server, authority: Authority
) -> None:
    trusting = ssl.create_default_context(cafile=str(authority.ca_file))
    port = tls_server.port
    with closing(http.client.HTTPSConnection("localhost", port, context=trusting)) as client:
        assert ask(client) == (200, b"OK")
    with (
        Server(tls=authority.server_context("elsewhere.test")) as wrong,
        closing(http.client.HTTPSConnection("localhost", wrong.port, context=trusting)) as client,
        pytest.raises(ssl.SSLCertVerificationError, match="not valid for 'localhost'"),
    ):
        ask(client)
    strict = ssl.create_default_context()
    with (
        closing(http.client.HTTPSConnection("localhost", port, context=strict)) as client,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ask(client)


def test_it_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with Server() as server:
        server.behave(answers.hang())
        held = [socket.create_connection((server.host, server.port), 5) for _ in range(5)]
        for sock in held:
            sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        wait_until(lambda: len(server.requests) == 5)
    for sock in held:
        sock.close()

    assert threading.active_count() == before
