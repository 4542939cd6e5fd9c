"""Tables that fit into a width: a row is a line, cut with `…`, the least important column first.

What a person copies (a monitor's key, a run's id) is never cut, and a hint never broken: where it
doesn't fit beside the others it has a line of its own.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Sequence
from unicodedata import category, east_asian_width

if TYPE_CHECKING:
    from radar_cli.cli.render import Table

# A text, and its style: words such as `bold red`.
Segment = tuple[str, str]
Cell = Sequence[Segment]

MARK = "…"  # where something is cut
_GAP = "  "
_HINT_INDENT = "    "
# A column narrower than that says nothing; it goes instead.
_NARROWEST = 8
_NARROWEST_WRAPPED = 20
_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
}
_WORD = re.compile(r"\(?'[^']*'\S*|\S+")
# Medial vowels and finals of Korean stand in the place of the syllable before them.
_JOINING_HANGUL = range(0x1160, 0x1200)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The width of each column, 0 for one that has gone; `hint` has lines of its own."""

    widths: tuple[int, ...]
    hint: int | None = None


def lay_out(
    table: "Table",
    rows: Sequence[Sequence[Cell]],
    width: int | None,
    *,
    is_bound: bool = False,
    mark: str = MARK,
) -> list[list[Segment]]:
    """Return the lines of a table, its header the first; without a width, nothing is cut.

    With `is_bound` long keys are cut, too, so that each line fits.
    """
    header = [[(column, "bold")] for column in table.columns]
    fitted = fit(table, [header, *rows], width)
    lines: list[list[Segment]] = []
    for cells in (header, *rows):
        lines += _lay_out_row(table, cells, fitted, width, mark, is_bound=is_bound)
        if fitted.hint is not None and cells is not header and width_of_cell(cells[fitted.hint]):
            text = "".join(part for part, _ in cells[fitted.hint])
            room = (width or 0) - len(_HINT_INDENT)
            lines += [[(_HINT_INDENT + line, "")] for line in break_text(text, room)]
    return lines


def fit(table: "Table", rows: Sequence[Sequence[Cell]], width: int | None) -> Fitted:
    """Return widths of columns with which the rows fit, as far as they can."""
    names = table.columns
    widths = [max(width_of_cell(cells[at]) for cells in rows) for at in range(len(names))]
    if width is None or _total(widths) <= width:
        return Fitted(tuple(widths))
    hint = names.index(table.hint) if table.hint else None
    if hint is not None:
        widths[hint] = 0
    for name in table.whole or names[:1]:
        at = names.index(name)
        # One long key mustn't push away what all the others say: it reaches out of its column.
        sizes = [width_of_cell(cells[at]) for cells in rows]
        widths[at] = max(size for size in sizes if size <= max(width // 2, width_of(name)))
    wrapped = [names.index(name) for name in table.wrapped]
    while (excess := _total(widths) - width) > 0 and wrapped:
        widest = max(wrapped, key=lambda at: widths[at])
        others = [widths[at] for at in wrapped if at != widest]
        least = max(_NARROWEST_WRAPPED, *others) if others else _NARROWEST_WRAPPED
        if widths[widest] <= _NARROWEST_WRAPPED:
            break
        # The widest gives first, down to the next one, and then all of them by turns.
        widths[widest] = max(widths[widest] - excess, min(least, widths[widest] - 1))
    for name in _in_order(table):
        at, excess = names.index(name), _total(widths) - width
        if excess <= 0:
            break
        if at == hint or at in wrapped:
            continue
        left = widths[at] - excess
        widths[at] = left if left >= _NARROWEST else 0
    return Fitted(tuple(widths), hint)


def _in_order(table: "Table") -> list[str]:
    """The columns that may be cut or go, the least important one first."""
    whole = table.whole or table.columns[:1]
    others = [name for name in reversed(table.columns) if name not in (*whole, *table.least)]
    return [*table.least, *(() if table.least else others)]


def _total(widths: Sequence[int]) -> int:
    shown = [width for width in widths if width]
    return sum(shown) + len(_GAP) * max(0, len(shown) - 1)


def _lay_out_row(
    table: "Table",
    cells: Sequence[Cell],
    fitted: Fitted,
    width: int | None,
    mark: str,
    *,
    is_bound: bool,
) -> list[list[Segment]]:
    whole = () if is_bound else table.whole or table.columns[:1]
    columns: list[tuple[int, list[list[Segment]]]] = []
    place = 0
    for name, cell, room in zip(table.columns, cells, fitted.widths, strict=True):
        if not room:
            continue
        if name in table.wrapped:
            columns.append((place, wrap(cell, room)))
        else:
            columns.append((place, [[*cell] if name in whole else cut(cell, room, mark)]))
        place += room + len(_GAP)
    height = max(len(lines) for _, lines in columns)
    drawn = [
        _join([(place, lines[number]) for place, lines in columns if number < len(lines)])
        for number in range(height)
    ]
    if width is not None and width_of_cell(drawn[0]) > width:
        first = drawn[0]
        drawn[0] = (
            cut(first, width, mark) if is_bound else _shorten_end(table, cells, first, width, mark)
        )
    return drawn


def _join(parts: Sequence[tuple[int, list[Segment]]]) -> list[Segment]:
    """Put parts of a line at their places; one that reaches too far pushes on what follows."""
    line: list[Segment] = []
    used = 0
    for place, part in parts:
        if size := width_of_cell(part):
            gap = max(place - used, len(_GAP)) if used else place
            line += [(" " * gap, ""), *part]
            used += gap + size
    return line


def _shorten_end(
    table: "Table", cells: Sequence[Cell], line: list[Segment], width: int, mark: str
) -> list[Segment]:
    """Cut a line whose long key has pushed its other cells to the right, but not in the key."""
    whole = table.whole or table.columns[:1]
    parts = [cells[table.columns.index(name)] for name in whole]
    kept = [segment for part in parts for segment in (*part, (_GAP, ""))][:-1]
    return cut(line, width, mark) if width_of_cell(kept) + _NARROWEST < width else kept


def width_of(text: str) -> int:
    """Return how many columns `text` takes: an East Asian character two, an accent none."""
    return len(text) if text.isascii() else sum(map(_width_of_character, text))


def _width_of_character(character: str) -> int:
    if category(character) in ("Mn", "Me", "Cf") or ord(character) in _JOINING_HANGUL:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def width_of_cell(cell: Cell) -> int:
    """Return how many columns a cell takes."""
    return sum(width_of(text) for text, _ in cell)


def cut(cell: Cell, width: int, mark: str = MARK) -> list[Segment]:
    """Return as much of a cell as fits into `width` columns, and a mark if something is gone."""
    if width_of_cell(cell) <= width:
        return [*cell]
    left, kept = width - 1, list[Segment]()
    for text, style in cell:
        taken = ""
        for character in text:
            if (size := _width_of_character(character)) > left:
                return [*kept, (taken + mark, style)]
            taken += character
            left -= size
        kept.append((taken, style))
    return kept


def wrap(cell: Cell, width: int) -> list[list[Segment]]:
    """Return the lines of a cell that is broken between words; a longer word stays whole."""
    lines: list[list[Segment]] = [[]]
    used = 0
    for text, style in cell:
        for number, word in enumerate(text.split(" ")):
            space = " " if number else ""
            size = width_of(space + word)
            if used and used + size > width and space:
                lines.append([])
                space, size, used = "", width_of(word), 0
            lines[-1].append((space + word, style))
            used += size
    return lines


def break_text(text: str, width: int) -> list[str]:
    """Return the lines of a text that is broken between words, but in no `'quoted command'`."""
    if width_of(text) <= width:
        return [text]
    lines = [""]
    for word in _WORD.findall(text):
        if lines[-1] and width_of(lines[-1]) + 1 + width_of(word) > width:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines


def paint(line: Sequence[Segment], *, is_colored: bool) -> str:
    """Return a line as a terminal takes it, with nothing behind its last visible character."""
    if not is_colored:
        return "".join(text for text, _ in line).rstrip()
    painted = ""
    for text, style in line:
        codes = ";".join(_CODES[word] for word in style.split())
        painted += f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text
    return painted.rstrip()
