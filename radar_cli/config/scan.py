"""The statements of a TOML text, with their places, so that one can be edited by itself."""

import re
import tomllib
from dataclasses import dataclass
from typing import Iterator

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# The closing quotes of a multi-line string may have one or two of its own before them.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_IN_VALUE = re.compile(r"[^\"'\[\]{}#\n]+")


@dataclass(frozen=True, slots=True)
class Statement:
    """A `key = value` (or a header, whose `value` is None), and where it stands in the text."""

    path: tuple[str, ...]  # from the top of the document
    table: tuple[str, ...]  # the header that it stands under
    start: int  # of its first line
    end: int  # behind the newline of its last line
    value: tuple[int, int] | None  # the value alone, without a comment behind it
    is_in_array: bool  # in an array of tables, where a path means more than one place


def scan(text: str) -> list[Statement]:
    """Return the statements of `text`, which must be valid TOML, in order."""
    return list(_Scanner(text).statements())


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def statements(self) -> Iterator[Statement]:
        table: tuple[str, ...] = ()
        arrays: set[tuple[str, ...]] = set()
        is_in_array = False
        while self._skip(_BLANK) < len(self.text):
            start = self.text.rfind("\n", 0, self.position) + 1
            if self.text[self.position] == "[":
                is_array = self.text.startswith("[[", self.position)
                self.position += 2 if is_array else 1
                table = self._key()
                if is_array:
                    arrays.add(table)
                is_in_array = any(table[: len(array)] == array for array in arrays)
                path, value = table, None
            else:
                key = self._key()
                self.position = self.text.index("=", self.position) + 1
                path, value = table + key, self._value()
            end = self.text.find("\n", self.position) + 1 or len(self.text)
            self.position = end
            yield Statement(path, table, start, end, value, is_in_array)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        """Go behind what `pattern` matches here; return that position."""
        match = pattern.match(self.text, self.position)
        if match is None:
            # Only if the text is not TOML after all: going on would never end.
            raise ValueError(f"unexpected text at {self.position}")
        self.position = match.end()
        return self.position

    def _key(self) -> tuple[str, ...]:
        """Read a dotted key."""
        parts = []
        while True:
            self._skip(_SPACE)
            if self.text[self.position] in "\"'":
                begin = self.position
                token = self.text[begin : self._skip(_STRING)]
                parts.append(str(tomllib.loads(f"key = {token}")["key"]))
            else:
                begin = self.position
                parts.append(self.text[begin : self._skip(_BARE_KEY)])
            self._skip(_SPACE)
            if self.text[self.position : self.position + 1] != ".":
                return tuple(parts)
            self.position += 1

    def _value(self) -> tuple[int, int]:
        """Skip a value, over as many lines as its brackets and strings take."""
        start = end = self._skip(_SPACE)
        depth = 0
        while self.position < len(self.text):
            character = self.text[self.position]
            if character in "\"'":
                self._skip(_STRING)
            elif character in "[{":
                depth += 1
                self.position += 1
            elif character in "]}":
                depth -= 1
                self.position += 1
            elif character in "#\n":
                if depth == 0:
                    break
                # Inside an array: a line's end, or a comment up to it.
                self.position = self.text.find("\n", self.position) + 1 or len(self.text)
                continue
            else:
                self._skip(_IN_VALUE)
            end = self.position
        return start, start + len(self.text[start:end].rstrip())
