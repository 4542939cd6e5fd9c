"""Links in what people write: the notes of a monitor."""

import re
from dataclasses import dataclass

# What ends a sentence, or closes a bracket, behind a link isn't part of it.
_LINK = re.compile(r"https?://[!-~]*[A-Za-z0-9/#=&_~+%$*@-]")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line: a link, or what stands between two."""

    text: str
    is_link: bool = False


def find_links(text: str) -> list[list[Part]]:
    """Return the lines of a text, each in pieces: `https://` and `http://` begin a link."""
    return [_split(line) for line in text.splitlines()]


def _split(line: str) -> list[Part]:
    parts, at = [], 0
    for match in _LINK.finditer(line):
        parts += [Part(line[at : match.start()]), Part(match[0], is_link=True)]
        at = match.end()
    return [part for part in (*parts, Part(line[at:])) if part.text]
