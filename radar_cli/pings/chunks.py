"""Answers in chunks, which some proxies make of any (RFC 9112, 7.1)."""

from radar_cli.pings.http import BODY_MAX_BYTES, parse_length

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def read_chunks(
    read_until: "Callable[[bytes, float], bytes]",
    read_exactly: "Callable[[int, float], bytes]",
    deadline: float,
) -> bytes:
    """The body, read by a connection's two ways of reading; ValueError if it isn't in chunks."""
    body = b""
    while True:
        size_line = read_until(b"\r\n", deadline).partition(b";")[0]
        length = parse_length(size_line.decode("latin-1").strip(), 16)
        if length == 0:
            while read_until(b"\r\n", deadline):
                pass  # trailers
            return body
        body += read_exactly(length + 2, deadline)[:-2]
        if len(body) > BODY_MAX_BYTES:
            raise ValueError("its body has no end")
