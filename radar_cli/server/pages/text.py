"""Text of others, made fit for a page: the templates escape HTML, this all that isn't printable."""

import re

from radar_cli.core.text import lines

# Colours and cursor movements (ECMA-48, 5.4), titles, and the short ones: a page obeys none.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-Z\\^_`-~]"
)
_DELETE = 0x7F


def one_line(text: str, limit: int = 300) -> str:
    """`text` on one line: what isn't printable is shown as a sign of it."""
    line = " ".join(_show(" ".join(text.split())).split())
    return line if len(line) <= limit else line[: limit - 1] + "\u2026"


def plain(words: str) -> str:
    """`words` with a sign of what isn't printable, its spaces as they are."""
    return _show(words)


def whole(output: bytes) -> str:
    """All of an output, line by line, without colours; nothing in it moves or turns text."""
    text = _ESCAPES.sub("", output.decode("utf-8", "replace"))
    # What a progress bar has overwritten was said, too.
    return "\n".join(_show(line.expandtabs()).rstrip() for line in lines(text)).strip("\n")


def _show(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _sign(c) for c in text)


def _sign(character: str) -> str:
    """U+2400 and on show the control characters, and all others are named."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == _DELETE:
        return "\u2421"
    return character if character == "\u00a0" else f"\u27e8U+{code:04X}\u27e9"
