"""Everything that a server may do to a client, as values for `Server.behave`."""

import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tests.support.wire import Broken, Connection, Request

Headers = Mapping[str, str]
# Given to an answer that is made before there is a request.
NO_REQUEST = Request("", "", {}, b"", 0, 0, 0, b"")


@dataclass(frozen=True)
class Answer:
    """What to do, and when: at the accept, after the head, or after the whole request.

    `act` returns whether the connection stays open for another request. `code` is
    the status that a client gets to see in full, None if it doesn't get one.
    """

    name: str
    act: Callable[[Connection, Request], bool]
    stage: Literal["accept", "head", "request"] = "request"
    code: int | None = None


def ok(body: bytes = b"OK", headers: Headers | None = None, *, will_close: bool = False) -> Answer:
    """200; with `will_close` it says `Connection: close`, and closes."""
    return status(200, headers, body, will_close=will_close)


def status(
    code: int, headers: Headers | None = None, body: bytes = b"", *, will_close: bool = False
) -> Answer:
    given = {"Content-Length": str(len(body)), "Ping-Body-Limit": "10000", **(headers or {})}
    if will_close:
        given["Connection"] = "close"

    def act(connection: Connection, request: Request) -> bool:
        connection.send(head(code, given) + (b"" if request.method == "HEAD" else body))
        return not will_close and request.headers.get("connection", "").lower() != "close"

    return Answer(f"status {code}", act, code=code)


def redirect(code: int, url: str) -> Answer:
    return status(code, {"Location": url})


def chunked(body: bytes, pieces: int = 3) -> Answer:
    """200 in chunks, with an extension and a trailer, as the RFC allows."""

    def act(connection: Connection, _request: Request) -> bool:
        connection.send(head(200, {"Transfer-Encoding": "chunked", "Ping-Body-Limit": "10000"}))
        size = max(1, -(-len(body) // pieces))
        for start in range(0, len(body), size):
            piece = body[start : start + size]
            connection.send(b"%x;n=v\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\nX-Trailer: yes\r\n\r\n")
        return True

    return Answer("chunked", act, code=200)


def continue_first(answer: Answer | None = None) -> Answer:
    """`100 Continue`, asked for or not, before the answer proper."""
    proper = answer or ok()

    def act(connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return proper.act(connection, request)

    return Answer("continue first", act, code=proper.code)


def close_after_response(answer: Answer | None = None) -> Answer:
    """Answer as if the connection stayed open, then close it: it goes stale at the client."""
    proper = answer or ok()

    def act(connection: Connection, request: Request) -> bool:
        proper.act(connection, request)
        return False

    return Answer("close after response", act, code=proper.code)


def until_close(body: bytes = b"OK") -> Answer:
    """An answer without a length, ended by the close, as HTTP/1.0 has it."""

    def act(connection: Connection, _request: Request) -> bool:
        connection.send(b"HTTP/1.0 200 OK\r\nPing-Body-Limit: 10000\r\n\r\n" + body)
        return False

    return Answer("until close", act, code=200)


def delayed(seconds: float, answer: Answer | None = None) -> Answer:
    proper = answer or ok()

    def act(connection: Connection, request: Request) -> bool:
        connection.pause(seconds)
        return proper.act(connection, request)

    return Answer(f"delayed {seconds} s", act, code=proper.code)


def slow(seconds_per_byte: float, body: bytes = b"OK") -> Answer:
    """The whole answer byte by byte: no single read of the client times out."""

    def act(connection: Connection, _request: Request) -> bool:
        for byte in head(200, {"Content-Length": str(len(body))}) + body:
            connection.send(bytes((byte,)))
            connection.pause(seconds_per_byte)
        return True

    return Answer("slow", act, code=200)


def endless() -> Answer:
    """A body that never ends, as fast as the client takes it."""

    def act(connection: Connection, _request: Request) -> bool:
        connection.send(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            connection.send(b"x" * 65536)
            connection.pause(0)

    return Answer("endless", act)


def early(code: int) -> Answer:
    """Answer on the head alone, without waiting for the body, and close (as for a 413).

    What the client still sends is thrown away until it hangs up, as good servers do: a close
    with unread data would be a RST, which may destroy the answer on its way.
    """
    proper = status(code, will_close=True)

    def act(connection: Connection, request: Request) -> bool:
        proper.act(connection, request)
        connection.sock.shutdown(socket.SHUT_WR)
        while connection.read_raw():
            pass
        return False

    return Answer(f"early {code}", act, "head", code)


def half() -> Answer:
    """Status line, headers and half of the body, then close."""

    def act(connection: Connection, _request: Request) -> bool:
        connection.send(head(200, {"Content-Length": "10"}) + b"12345")
        return False

    return Answer("half", act)


def garbage(data: bytes = b"\x00\xff\r\n\r\nSMTP ready\r\n\r\n") -> Answer:
    def act(connection: Connection, _request: Request) -> bool:
        connection.send(data)
        return False

    return Answer("garbage", act)


def raw(data: bytes, code: int = 200) -> Answer:
    """These very bytes, which mean `code`; the connection stays open."""

    def act(connection: Connection, _request: Request) -> bool:
        connection.send(data)
        return True

    return Answer("raw", act, code=code)


def hang() -> Answer:
    """Take the request in and never answer."""

    def act(connection: Connection, _request: Request) -> bool:
        connection.pause()
        return False

    return Answer("hang", act)


def accept_only() -> Answer:
    """Accept and never read: what doesn't fit the kernel's buffers blocks the client."""
    return Answer("accept only", hang().act, "accept")


def reset(at: Literal["accept", "head", "request"] = "request") -> Answer:
    """RST at once, or after the head, or after the whole request."""

    def act(connection: Connection, _request: Request) -> bool:
        connection.reset()
        return False

    return Answer("reset", act, at)


def close(at: Literal["accept", "head", "request"] = "request") -> Answer:
    """Hang up without an answer.

    At the accept the kernel sends RST instead of FIN if the request is already there,
    so the request is read and thrown away first.
    """

    def act(connection: Connection, request: Request) -> bool:
        if request is NO_REQUEST:
            with contextlib.suppress(Broken):
                connection.read_raw()
        return False

    return Answer("close", act, at)


def head(code: int, headers: Headers) -> bytes:
    """A status line and headers, with the empty line."""
    lines = [f"HTTP/1.1 {code} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
