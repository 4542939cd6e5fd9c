"""A pane: a list, what a row opens, and what can be done with it. Nothing here draws.

A command of the kind of `radar top` is made of panes and feeds; `board.py` shows them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from radar_cli.cli.render import Cell, Line, Table

T = TypeVar("T")
# Of longer lists the first ones are shown, after filtering.
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its cells, by what each column is sorted, and `item`, of which it tells.

    `key` finds it again in the next list.
    """

    key: str
    cells: tuple[Any, ...]
    order: tuple[Any, ...]
    item: Any = None


class Desk(Protocol):
    """The screen, as actions see it."""

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        """Ask, and go on if a person says yes."""

    def ask(self, question: str, then: Callable[[str], None], text: str = "") -> None:
        """Have a person type something, and go on with it; not with nothing."""

    def work(self, what: str, function: Callable[[], str]) -> None:
        """Do something that may take its time, aside; show the line that it returns."""

    def fetch(self, what: str, function: Callable[[], T], then: Callable[[T], None]) -> None:
        """Find something out aside, and go on with it."""

    def remark(self, line: str) -> None:
        """Show a line."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do at a key; `label` is for the footer, `help` for the page of help."""

    key: str
    label: str
    help: str
    run: Callable[[Desk, Row | None], None]
    needs_row: bool = True

    def about(self, row: Row) -> "Action":
        """Return the same action for a page, which is about one row."""
        return replace(self, run=lambda desk, _: self.run(desk, row), needs_row=False)


@dataclass(frozen=True, slots=True)
class Pane:
    """A list. `rows` is called for each drawing, and asks nobody; `empty` says why there is none.

    `open` makes what a row opens. `look`, which may take its time, is called now and then aside
    while the pane is shown: for a list that no feed has.
    """

    name: str
    columns: tuple[str, ...]
    rows: Callable[[], Sequence[Row]]
    empty: Callable[[], str]
    least: tuple[str, ...] = ()
    open: Callable[[Row], "Page | Pane | None"] | None = None
    actions: tuple[Action, ...] = ()
    look: Callable[[], Sequence[Row]] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Lines about one thing; `look` finds them, aside, and may take its time.

    A line is a text, or a label and what it is of.
    """

    title: str
    look: Callable[[], Sequence[Any]]
    actions: tuple[Action, ...] = ()


@dataclass(slots=True)
class Order:
    """The order and the filter that a person has chosen; without a column, the pane's own order."""

    column: int | None = None
    is_reversed: bool = False
    words: str = ""

    def next_column(self, count: int) -> None:
        """Sort by the next column; behind the last one, in the pane's own order."""
        following = 0 if self.column is None else self.column + 1
        self.column = following if following < count else None

    def arrange(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that have all words of the filter, in order."""
        wanted = self.words.casefold().split()
        kept = [row for row in rows if _has(row, wanted)] if wanted else [*rows]
        if (at := self.column) is not None:
            known = [row for row in kept if row.order[at] not in (None, "")]
            unknown = [row for row in kept if row.order[at] in (None, "")]
            known.sort(key=lambda row: _comparable(row.order[at]), reverse=self.is_reversed)
            kept = known + unknown
        elif self.is_reversed:
            kept.reverse()
        return kept[:MOST_ROWS]

    def mark(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the columns, with a sign at that which they are sorted by."""
        sign = "-" if self.is_reversed else "+"
        return tuple(
            f"{name} {sign}" if at == self.column else name for at, name in enumerate(columns)
        )


def make_table(pane: Pane, order: Order, rows: Sequence[Row]) -> Table:
    """Return a pane's rows as a table."""
    columns = order.mark(pane.columns)
    marked = dict(zip(pane.columns, columns, strict=True))
    return Table(
        columns, [row.cells for row in rows], least=tuple(marked[name] for name in pane.least)
    )


def text_of(cell: Any) -> str:
    """Return a cell as text."""
    if isinstance(cell, Line):
        return "".join(text_of(part) for part in cell.parts)
    value = cell.value if isinstance(cell, Cell) else cell
    return "" if value is None else str(value)


def _has(row: Row, words: Sequence[str]) -> bool:
    text = " ".join(text_of(cell) for cell in row.cells).casefold()
    return all(word in text for word in words)


def _comparable(value: Any) -> tuple[int, Any]:
    return (1, value.casefold()) if isinstance(value, str) else (0, value)
