"""Answers as servers really write them, in whatever pieces they come."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.net import Response
from radar_cli.net.client import Reader
from tests.support import answers
from tests.support.pings import kinds
from tests.support.radar import run_radar
from tests.support.relay import Relay
from tests.support.server import Server

_OK = b"HTTP/1.1 200 OK\r\n"

# What a server may write, and the body that it means; each is a 200 after which more may follow.
WRITTEN: dict[str, tuple[bytes, bytes]] = {
    "as it should be": (_OK + b"Content-Length: 2\r\n\r\nOK", b"OK"),
    "bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nOK", b"OK"),
    "LF after the status line": (b"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nOK", b"OK"),
    "LF after a header": (_OK + b"A: b\nContent-Length: 2\r\n\r\nOK", b"OK"),
    "LF after the last header": (_OK + b"Content-Length: 2\n\r\nOK", b"OK"),
    "LF for the empty line": (_OK + b"Content-Length: 2\r\n\nOK", b"OK"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nOK", b"OK"),
    "no reason, with its space": (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nOK", b"OK"),
    "no headers but the length": (b"HTTP/1.1 200\nContent-Length:0\n\n", b""),
    "no space after a colon": (_OK + b"Content-Length:2\r\n\r\nOK", b"OK"),
    "much space": (_OK + b"content-LENGTH \t: \t 2 \t\r\n\r\nOK", b"OK"),
    "a folded header": (_OK + b"X: a\r\n b: 9\r\nContent-Length:\r\n\t2\r\n\r\nOK", b"OK"),
    "a fold that looks like a length": (
        _OK + b"X: a\n Content-Length: 9\nContent-Length: 2\n\nOK",
        b"OK",
    ),
    "a header without a colon": (_OK + b"nonsense\r\nContent-Length: 2\r\n\r\nOK", b"OK"),
    "100 first": (b"HTTP/1.1 100 Continue\r\n\r\n" + _OK + b"Content-Length: 2\r\n\r\nOK", b"OK"),
    "102 and 103 first, in LF": (
        b"HTTP/1.1 102 \n\nHTTP/1.1 103 Early\nLink: </x>\n\n" + _OK + b"Content-Length: 2\n\nOK",
        b"OK",
    ),
    "the same length twice": (_OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nOK", b"OK"),
    "the same length in a list": (_OK + b"Content-Length: 2, 2\r\n\r\nOK", b"OK"),
    "a line end before it": (b"\r\n\n" + _OK + b"Content-Length: 2\r\n\r\nOK", b"OK"),
    "chunks": (_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n", b"OK"),
    "chunks, in odd case": (_OK + b"TRANSFER-encoding: ChunkeD\r\n\r\n2\r\nOK\r\n0\r\n\r\n", b"OK"),
    "chunks in LF": (_OK + b"Transfer-Encoding: chunked\n\n1\nO\n1\nK\n0\n\n", b"OK"),
    "chunks with extensions": (
        _OK + b'Transfer-Encoding: chunked\r\n\r\n1;a\r\nO\r\n01 ; b="c;d"\r\nK\r\n000;e\r\n\r\n',
        b"OK",
    ),
    "chunks with trailers": (
        _OK + b"Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\nZ:\r\n\r\n",
        b"0123456789",
    ),
    "chunks that hold line ends": (
        _OK + b"Transfer-Encoding: chunked\r\n\r\n6\r\n\r\n0\r\n\r\r\n0\r\n\r\n",
        b"\r\n0\r\n\r",
    ),
    "chunks that win over a length": (
        _OK + b"Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
        b"OK",
    ),
    "a list of connection options": (
        b"HTTP/1.0 200 OK\r\nConnection: foo,  Keep-Alive\r\nContent-Length: 2\r\n\r\nOK",
        b"OK",
    ),
    "options in two headers": (
        b"HTTP/1.0 200\nConnection: Keep-Alive\nConnection: foo\nContent-Length: 2\n\nOK",
        b"OK",
    ),
    "an option that looks like another": (
        _OK + b"Connection: closed, x-close\r\nContent-Length: 2\r\n\r\nOK",
        b"OK",
    ),
}
# After these, the connection is closed: by the server, to end the body, or since it says so.
ENDING: dict[str, tuple[bytes, bytes]] = {
    "no length": (_OK + b"\r\nOK", b"OK"),
    "no length, in LF": (b"HTTP/1.0 200 OK\n\nOK", b"OK"),
    "nothing but a status": (b"HTTP/1.1 200\n\n", b""),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK", b"OK"),
    "close": (_OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nOK", b"OK"),
    "close in a list": (_OK + b"Connection: Foo, CLOSE\r\nContent-Length: 2\r\n\r\nOK", b"OK"),
    "close in another header": (
        _OK + b"Connection: close\nConnection: keep-alive\nContent-Length: 2\n\nOK",
        b"OK",
    ),
    "more than it said": (_OK + b"Content-Length: 2\r\n\r\nOK and more", b"OK"),
    "an encoding without chunks": (_OK + b"Transfer-Encoding: gzip\r\n\r\n\x1f\x8b", b"\x1f\x8b"),
    "no chunks after all": (_OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n\x1f", b"\x1f"),
    "an end without lengths": (_OK + b"Transfer-Encoding: identity\r\n\r\nOK", b"OK"),
}
NONSENSE: dict[str, bytes] = {
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "a status in words": b"HTTP/1.1 fine\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20\r\n\r\n",
    "digits of another script": b"HTTP/1.1 \xb2\xb2\xb2\r\n\r\n",
    "lengths that differ": _OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nOK!",
    "lengths that differ in a list": _OK + b"Content-Length: 2, 3\r\n\r\nOK!",
    "an empty length": _OK + b"Content-Length:\r\n\r\nOK",
    "a length with a sign": _OK + b"Content-Length: +2\r\n\r\nOK",
    "a negative length": _OK + b"Content-Length: -2\r\n\r\nOK",
    "a length with a underscore": _OK + b"Content-Length: 1_0\r\n\r\n0123456789",
    "a huge length": _OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "no chunk's length": _OK + b"Transfer-Encoding: chunked\r\n\r\n\r\nOK\r\n0\r\n\r\n",
    "a chunk's length with a sign": _OK + b"Transfer-Encoding: chunked\r\n\r\n-2\r\nOK\r\n",
    "a chunk's length with a prefix": _OK + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\nOK\r\n",
    "a huge chunk": _OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\n",
    "a chunk that is too long": _OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nOK!\r\n0\r\n\r\n",
    "half a head": _OK + b"Content-Length: 2\r\n",
    "half a body": _OK + b"Content-Length: 2\r\n\r\nO",
    "half a chunk": _OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nO",
    "no last chunk": _OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n",
    "a head without an end": _OK + b"X: y\r\n" * 20_000,
    "nothing but 100": b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000,
    "trailers without an end": _OK + b"Transfer-Encoding: chunked\n\n0\n" + b"X: y\n" * 20_000,
    "a body without an end": _OK + b"\r\n" + b"x" * 1_100_000,
}


def _reader(pieces: list[bytes]) -> Reader:
    rest = iter(pieces)
    return Reader(lambda _: next(rest, b""))


def _split(data: bytes, cuts: list[int]) -> list[bytes]:
    # A client never takes more than 64 KiB at once.
    at = sorted({cut % len(data) for cut in (*cuts, *range(0, len(data), 65_536))} - {0})
    return [data[i:j] for i, j in zip([0, *at], [*at, len(data)], strict=True)]


def _read(data: bytes, cuts: list[int]) -> tuple[Response, bool]:
    return _reader(_split(data, cuts)).read_answer(time.monotonic() + 20)


_CUTS = st.lists(st.integers(0, 1 << 20), max_size=30)


@given(st.sampled_from(sorted(WRITTEN)), _CUTS)
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(name: str, cuts: list[int]) -> None:
    data, body = WRITTEN[name]
    response, keeps_open = _read(data, cuts)
    assert (response.status, response.body, keeps_open) == (200, body, True)


@pytest.mark.parametrize("name", WRITTEN)
def test_it_reads_what_servers_write(name: str) -> None:
    data, body = WRITTEN[name]
    for cuts in (list[int](), list(range(len(data)))):
        response, keeps_open = _read(data, cuts)
        assert (response.status, response.body, keeps_open) == (200, body, True)


@pytest.mark.parametrize("name", ENDING)
def test_it_knows_after_which_answers_a_connection_is_of_no_more_use(name: str) -> None:
    data, body = ENDING[name]
    response, keeps_open = _read(data, [])
    assert (response.status, response.body, keeps_open) == (200, body, False)


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("is_whole", [True, False])
def test_it_takes_nothing_else_for_an_answer(name: str, is_whole: bool) -> None:
    data = NONSENSE[name]
    cuts = [] if is_whole else list(range(0, len(data), max(1, len(data) // 500)))
    with pytest.raises((ValueError, ConnectionResetError)):
        _read(data, cuts)


def test_one_answer_ends_where_the_next_one_begins() -> None:
    first, second = WRITTEN["chunks with trailers"][0], WRITTEN["bare LF"][0]
    reader = _reader([first, b"\r\n" + second])
    assert reader.read_answer(time.monotonic() + 20)[0].body == b"0123456789"
    assert reader.read_answer(time.monotonic() + 20)[0].body == b"OK"


@given(
    st.lists(
        st.binary(max_size=20)
        | st.sampled_from(
            [_OK, b"\r\n", b"\n", b"\r", b" ", b"Content-Length: 3", b"Transfer-Encoding: chunked"]
        ),
        max_size=20,
    )
)
def test_garbage_never_hangs_nor_breaks_it(pieces: list[bytes]) -> None:
    try:
        response, _ = _reader(pieces).read_answer(time.monotonic() + 20)
    except (ValueError, ConnectionResetError):
        return
    assert 101 <= response.status <= 999


def test_what_has_come_is_read_though_time_is_up() -> None:
    data = WRITTEN["as it should be"][0]
    response, _ = _reader([data[:30], data[30:]]).read_answer(time.monotonic() - 5)
    assert response.body == b"OK"


def test_a_server_that_drips_gets_no_more_time_for_that() -> None:
    data = WRITTEN["as it should be"][0]
    with pytest.raises(TimeoutError):
        _reader([bytes((byte,)) for byte in data]).read_answer(time.monotonic() - 5)


@pytest.mark.parametrize("is_slow", [False, True], ids=["direct", "slow"])
@pytest.mark.parametrize(
    "name", ["bare LF", "LF after a header", "chunks in LF", "a folded header", "100 first"]
)
def test_pings_are_delivered_whatever_ends_the_lines(
    name: str, is_slow: bool, server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.raw(WRITTEN[name][0]))
    with Relay(server.port, is_slow=is_slow) as relay:
        env["RADAR_SERVER"] = f"http://127.0.0.1:{relay.port}"
        done = run_radar("run", "m", "-v", "--", "true", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [ping.kind for ping in server.accepted] == ["start", "complete"]
    assert server.connections == 1
    assert kinds() == []


@pytest.mark.parametrize(
    "answer",
    [lambda: answers.raw(NONSENSE["lengths that differ"]), answers.garbage, answers.half],
    ids=["lengths that differ", "garbage", "half"],
)
def test_pings_wait_where_an_answer_makes_no_sense(
    answer: Callable[[], answers.Answer], server: Server, env: dict[str, str]
) -> None:
    server.behave(answer())
    env |= {"RADAR_SERVER": server.url, "RADAR_PING_TIMEOUT": "0.5"}
    done = run_radar("run", "m", "--", "true", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert kinds() == ["start", "success"]
