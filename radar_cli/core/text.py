"""Output as text that a server and a terminal can take, and what a line of it is."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr

_ENDS: "dict[type, Any]" = {str: ("\n", "\r"), bytes: (b"\n", b"\r")}


def lines(text: str, *, overwritten: bool = True) -> list[str]:
    """Return the lines of `text`, a last one without an end included.

    With `overwritten=False` only the last state of each row, as a terminal shows a progress bar
    when it is done.
    """
    if overwritten:
        found, rest, _ = split_lines(text, is_begun=False)
        return [*found, rest] if rest else found
    rows = text.split("\n")
    if not rows[-1]:
        rows.pop()
    return ["".join(lines(row)[-1:]) for row in rows]


def last_line(text: str) -> str:
    """The last line of a text that isn't blank, without the space around it."""
    return next((line.strip() for line in reversed(lines(text)) if line.strip()), "")


def split_lines(data: "AnyStr", *, is_begun: bool) -> "tuple[list[AnyStr], AnyStr, bool]":
    r"""Return the lines that end in `data`, the unfinished rest, and whether its row is begun.

    A newline ends a line, and so does a carriage return, after which a terminal writes over what
    stands there. With nothing there, it writes over nothing: `\r\n` and `\n\r` make no empty
    line. `is_begun` is for output that comes in pieces: the row has had a line already.
    """
    newline, back = _ENDS[type(data)]
    rows: list[AnyStr] = data.split(newline)
    rest = rows.pop()
    if back not in data and not (is_begun and rows):
        return rows, rest, is_begun
    found: list[AnyStr] = []
    for row in rows:
        states = [state for state in row.split(back) if state]
        found += states if states or is_begun else [row[:0]]
        is_begun = False
    states = rest.split(back)
    rest = states.pop()
    states = [state for state in states if state]
    return found + states, rest, is_begun or bool(states)


def cut(body: bytes, limit_bytes: int) -> tuple[bytes, int]:
    """The last bytes of UTF-8 that fit, from a character's start, and how many are gone."""
    if len(body) <= limit_bytes:
        return body, 0
    start = len(body) - limit_bytes
    while start < len(body) and body[start] & 0xC0 == 0x80:
        start += 1
    return body[start:], start


def valid(raw: bytes) -> bytes:
    """`raw` as valid UTF-8: what is none becomes U+FFFD."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace").encode()
    return raw


def printable(words: str) -> str:
    """`words` without what a terminal would obey: control characters become U+FFFD."""
    return "".join(c if c.isprintable() else "\ufffd" for c in words)
