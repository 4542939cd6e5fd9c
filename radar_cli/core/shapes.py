"""Types of the values that programs read, for the declarations of what `--json` prints."""

from typing import Annotated, Iterable, NamedTuple, TypedDict


class Keyword(NamedTuple):
    """A keyword of JSON Schema, which says more of a type."""

    name: str
    value: str | tuple[str, ...]


def one_of(words: Iterable[str]) -> Keyword:
    """Return that a text is one of these words."""
    return Keyword("enum", tuple(str(word) for word in words))


Moment = Annotated[str, Keyword("format", "date-time")]  # ISO 8601 with an offset
Seconds = float


class ErrorFields(TypedDict):
    """An error: its stable name, and what it is about for people; `hint` may be empty."""

    slug: str
    message: str
    hint: str
