"""HTTP/1.1 as servers really write it: the reading of an answer (RFC 9112), from a socket or not.

Lenient where the RFC allows it and where clients such as curl are: lines may end in a bare LF.
Strict about where an answer ends, since what follows would be taken for the next one.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD_MAX_BYTES = 65_536
_BODY_MAX_BYTES = 1_000_000
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
# Where a server repeats one of these, all its values count; of any other, the last.
_LISTS = ("connection", "content-length", "transfer-encoding")
# After the deadline, what has arrived is read all the same: a busy machine may have kept this
# thread waiting. So many pieces may be an answer's; a server that drips gets no more time.
_LATE_PIECES_MAX = 4


class LinkError(Exception):
    """The server could not be reached, or what answered doesn't speak HTTP.

    `needs_person`: not before somebody has mended a setting; `is_setting`: it is one of this
    machine's, the same for all servers.
    """

    def __init__(
        self, message: str, *, needs_person: bool = False, is_setting: bool = False
    ) -> None:
        super().__init__(message)
        self.needs_person = needs_person or is_setting
        self.is_setting = is_setting


class Response:
    """What the server answered; header names are lowercase."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Reader:
    """Reads answers from what `receive` gives, at most so many seconds later; b"" is the end."""

    def __init__(self, receive: "Callable[[float], bytes]") -> None:
        self._receive = receive
        self.unread = b""
        self._late_pieces = 0

    def read_answer(self, deadline: float, *, is_connect: bool = False) -> tuple[Response, bool]:
        """The next answer, and whether another may follow it on this connection.

        TimeoutError: it isn't there by `deadline` (monotonic). ConnectionResetError: the
        connection ended in it. ValueError: it isn't HTTP/1.
        """
        self._late_pieces = 0
        left_bytes = _HEAD_MAX_BYTES
        while True:
            head = self._read_head(left_bytes, deadline)
            status, headers, keeps_open = _parse_head(head)
            if status >= 200 or status == 101:
                break
            left_bytes -= len(head)  # a server can't say `100 Continue` for ever
        body = b""
        codings = _words(headers.get("transfer-encoding", ""))
        if is_connect or status in (204, 304):
            pass
        elif codings[-1:] == ["chunked"]:
            body = self._read_chunks(deadline)
        elif "content-length" in headers and not codings:
            body = self._read_exactly(_parse_length(headers["content-length"]), deadline)
        else:
            while data := self.receive(deadline):
                self.unread += data
                if len(self.unread) > _BODY_MAX_BYTES:
                    raise ValueError("its body has no end")
            body, self.unread, keeps_open = self.unread, b"", False
        # What follows an answer is none that we asked for.
        return Response(status, headers, body), keeps_open and not self.unread

    def receive(self, deadline: float) -> bytes:
        """The next bytes. What has arrived by now is read even if the deadline has passed."""
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            self._late_pieces += 1
            if self._late_pieces > _LATE_PIECES_MAX:
                raise TimeoutError("timed out")
        return self._receive(max(left_s, 0.0))

    def _receive_more(self, deadline: float) -> None:
        data = self.receive(deadline)
        if not data:
            raise ConnectionResetError(
                "the server closed the connection" + (" in its answer" if self.unread else "")
            )
        self.unread += data

    def _read_head(self, most_bytes: int, deadline: float) -> bytes:
        """The lines of a head, without the empty one behind it."""
        looked_at = 0
        while True:
            if looked_at == 0:
                # Some servers send one line end too many after a body.
                self.unread = self.unread.lstrip(b"\r\n")
                if not b"HTTP/".startswith(self.unread[:5]):
                    raise ValueError(f"it starts with {self.unread[:20]!r}")
            ends = [
                (at, at + len(mark))
                for mark in (b"\n\r\n", b"\n\n")
                if (at := self.unread.find(mark, looked_at)) >= 0
            ]
            if ends:
                at, end = min(ends)
                head, self.unread = self.unread[:at], self.unread[end:]
                return head
            if len(self.unread) > most_bytes:
                raise ValueError("its head has no end")
            # The mark may be there in part. Before the fifth byte it isn't clear that it is HTTP.
            looked_at = max(0, len(self.unread) - 2) if len(self.unread) >= 5 else 0
            self._receive_more(deadline)

    def _read_line(self, deadline: float) -> bytes:
        while b"\n" not in self.unread:
            if len(self.unread) > _HEAD_MAX_BYTES:
                raise ValueError("its line has no end")
            self._receive_more(deadline)
        line, _, self.unread = self.unread.partition(b"\n")
        return line.removesuffix(b"\r")

    def _read_exactly(self, length: int, deadline: float) -> bytes:
        while len(self.unread) < length:
            self._receive_more(deadline)
        data, self.unread = self.unread[:length], self.unread[length:]
        return data

    def _read_chunks(self, deadline: float) -> bytes:
        """A body in chunks (RFC 9112, 7.1), without their extensions and the trailers."""
        body = bytearray()
        while True:
            size = self._read_line(deadline).partition(b";")[0].strip().decode("latin-1")
            if not size or not _HEX_DIGITS.issuperset(size) or len(size) > 16:
                raise ValueError(f"its chunk's length is {size[:40]!r}")
            length = int(size, 16)
            if length + len(body) > _BODY_MAX_BYTES:
                raise ValueError("its body has no end")
            if length == 0:
                break
            body += self._read_exactly(length, deadline)
            if self._read_line(deadline):
                raise ValueError("its chunk is longer than it says")
        left_bytes = _HEAD_MAX_BYTES
        while trailer := self._read_line(deadline):
            left_bytes -= len(trailer) + 1
            if left_bytes < 0:
                raise ValueError("its trailers have no end")
        return bytes(body)


def _parse_head(head: bytes) -> tuple[int, dict[str, str], bool]:
    """Status, headers, and whether the connection stays open; ValueError if it isn't HTTP/1."""
    first, *lines = (line.removesuffix("\r") for line in head.decode("latin-1").split("\n"))
    version, _, rest = first.partition(" ")
    code = rest.lstrip(" ")[:3]
    if not version.startswith("HTTP/1.") or not (
        len(code) == 3 and code.isascii() and code.isdigit()
    ):
        raise ValueError(f"it starts with {first[:40]!r}")
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        if line[:1] in (" ", "\t"):  # goes on with the line before (RFC 9112, 5.2)
            if name:
                headers[name] = f"{headers[name]} {line.strip()}".strip()
            continue
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name in _LISTS and name in headers:
            value = f"{headers[name]}, {value}"
        headers[name] = value
    connection = _words(headers.get("connection", ""))
    keeps_open = "close" not in connection and (version != "HTTP/1.0" or "keep-alive" in connection)
    return int(code), headers, keeps_open


def _words(value: str) -> list[str]:
    """The members of a list in a header (RFC 9110, 5.6.1)."""
    return [word.strip().lower() for word in value.split(",") if word.strip()]


def _parse_length(text: str) -> int:
    """The length of a body; ValueError if it is none, or more than a ping's answer may have.

    One that is repeated, by a proxy in the middle perhaps, is one (RFC 9112, 6.3).
    """
    length, *others = set(_words(text)) or ("",)
    if others or not (length.isascii() and length.isdigit() and len(length) <= 16):
        raise ValueError(f"its length is {text[:40]!r}")
    if int(length) > _BODY_MAX_BYTES:
        raise ValueError("its body has no end")
    return int(length)
