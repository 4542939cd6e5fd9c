"""The store's view of a database, so that SQLite and PostgreSQL are one to it.

Queries are written once, in what both understand: `?` for a value, `ON CONFLICT`, `RETURNING`.
Where they differ, the adapters translate: `FOR UPDATE` keeps other writers off a row in
PostgreSQL, and is left out in SQLite, which has one writer at a time.
"""

from typing import Any, ContextManager, Iterable, Protocol, Sequence

from radar_cli.core.errors import StateError

Values = Sequence[Any]
Rows = list[tuple[Any, ...]]
# Rows that go into one statement; SQLite takes at most 32,766 values.
CHUNK = 200


class ChangedMeanwhileError(StateError):
    """A row was changed by somebody else between a look at it and a change of it."""


class Change(Protocol):
    """A transaction: all of it or nothing, and nobody else changes what it has read for update."""

    def execute(self, query: str, values: Values = ()) -> int:
        """Carry out a statement; return how many rows it touched."""

    def execute_many(self, query: str, rows: Iterable[Values]) -> int:
        """Carry out a statement for each row of values; return how many rows it touched in all."""

    def read(self, query: str, values: Values = ()) -> Rows:
        """The rows that a query finds."""


class Database(Protocol):
    """An open database with radar's tables, for any number of threads.

    StateError from everything: it can't be used.
    """

    place: str  # for people: a path, or a URL without its password

    def read(self, query: str, values: Values = ()) -> Rows:
        """The rows that a query finds, as they are at this moment."""

    def change(self) -> ContextManager[Change]:
        """Begin a transaction, which is committed at the end of the `with` block."""

    def is_in_place(self) -> bool:
        """Whether it is still where whoever opens it next finds it."""

    def compact(self) -> None:
        """Give a little of the space that deleted rows left back, without keeping anybody."""

    def close(self) -> None:
        """Close it."""


def without_password(url: str) -> str:
    """The URL of a database as it may be shown."""
    scheme, mark, rest = url.partition("://")
    userinfo, at, place = rest.rpartition("@")
    place, question, query = place.partition("?")
    shown = "&".join(pair for pair in query.split("&") if "password=" not in pair.lower())
    place += f"{question}{shown}" if shown else ""
    return f"{scheme}{mark}{userinfo.partition(':')[0]}{at}{place}" if mark else "PostgreSQL"


def marks(count: int) -> str:
    """`?, ?, ?`, for so many values."""
    return ", ".join("?" * count)


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """`values` in pieces that go into one statement each."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
