"""A list on the screen: laid out as radar's tables are, with a cursor, and lines to scroll."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from radar_cli.cli.layout import Segment as Part
from radar_cli.cli.layout import cut
from radar_cli.cli.render import Table, clean, draw_parts

_CURSOR = Style(reverse=True)


class RowList(Widget, can_focus=True):
    """The rows of a table below its header; or lines that are scrolled, without a cursor."""

    DEFAULT_CSS = "RowList { height: 1fr; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._table = Table((), [])
        self._keys: list[str] = []
        self._said: list[Any] = []
        self._lines: list[list[Part]] = []
        self._has_cursor = True
        self._cursor = 0
        self._top = 0

    def set_rows(self, table: Table, keys: Sequence[str]) -> None:
        """Show these rows; the cursor stays on the row of its key, if that is still there."""
        before = self.key
        self._table, self._keys, self._has_cursor = table, [*keys], True
        if before in self._keys:
            self._cursor = self._keys.index(before)
        self._lay_out()

    def set_lines(self, lines: Sequence[Any]) -> None:
        """Show lines, without a header and a cursor: a text, or a label and what it is of."""
        self._said, self._keys, self._has_cursor = [*lines], [], False
        self._lay_out()

    @property
    def key(self) -> str:
        """The key of the row at the cursor, "" without rows."""
        return self._keys[self._cursor] if self._cursor < len(self._keys) else ""

    def move(self, rows: int) -> None:
        """Move the cursor, or the lines, down by so many rows."""
        if self._has_cursor:
            self._cursor += rows
        else:
            self._top += rows
        self._bound()
        self.refresh()

    def move_page(self, pages: int) -> None:
        """Move by so many heights of the screen."""
        self.move(pages * max(1, self._room - 1))

    def move_to(self, row: int) -> None:
        """Move to a row; -1 is the last one."""
        self._cursor = self._top = row if row >= 0 else len(self._lines)
        self.move(0)

    def to_top(self) -> None:
        """Forget where the cursor was: another list is shown."""
        self._cursor = self._top = 0
        self._keys = []

    def on_resize(self, _: events.Resize) -> None:
        """Lay the rows out for the new width."""
        self._lay_out()

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen."""
        at = y if self._has_cursor and y == 0 else self._top + y
        if at >= len(self._lines) or not self.size.width:
            return Strip.blank(self.size.width)
        is_here = self._has_cursor and bool(self._keys) and at == self._cursor + 1
        style = _CURSOR if is_here else Style()
        parts = cut(self._lines[at], self.size.width)
        segments = [Segment(text, Style.parse(words) + style) for text, words in parts]
        # To the right edge, so that the cursor is a bar.
        return Strip(segments).extend_cell_length(self.size.width, style)

    @property
    def _room(self) -> int:
        return max(1, self.size.height - (1 if self._has_cursor else 0))

    def _lay_out(self) -> None:
        width = self.size.width
        if width and not self._has_cursor:
            self._lines = _lay_out_lines(self._said, width)
        elif width and self._table.columns:
            self._lines = draw_parts(self._table, width, is_bound=True)
        self._bound()
        self.refresh()

    def _bound(self) -> None:
        if self._has_cursor:
            self._cursor = max(0, min(self._cursor, len(self._keys) - 1))
            self._top = min(self._top, self._cursor)
            self._top = max(self._top, self._cursor - self._room + 1)
        most = len(self._lines) - (1 if self._has_cursor else 0) - self._room
        self._top = max(0, min(self._top, most))


def _lay_out_lines(lines: Sequence[Any], width: int) -> list[list[Part]]:
    """Return labels and what they are of as a table, and a text broken wherever it has to be."""
    drawn: list[list[Part]] = []
    for is_text, some in groupby(lines, lambda line: isinstance(line, str)):
        if is_text:
            drawn += [[(part, "")] for line in some for part in _break(clean(line), width)]
        else:
            table = Table(("", " "), [*some], wrapped=(" ",))
            drawn += draw_parts(table, width, is_bound=True)[1:]
    return drawn


def _break(line: str, width: int) -> Iterator[str]:
    yield line[:width]
    for at in range(width, len(line), width):
        yield line[at : at + width]
