"""The one renderer: tables for people, a versioned JSON envelope or CSV for programs."""

import json
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Sequence, TextIO

from radar_cli.core import exits

if TYPE_CHECKING:
    from radar_cli.core.errors import RadarError

ENVELOPE_VERSION = 1
_LONGEST_KEY = 200
# What a person is shown of a cell: a program may have given a monitor a name of a megabyte.
_LONGEST_CELL = 1000


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a style of rich's, like `red`, for those who see colours."""

    value: Any
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A cell of parts that stand side by side, each with its own style."""

    parts: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for people and for CSV.

    A cell is a Cell, a Line or anything that `str` makes readable.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    empty: str = ""  # what to say on stderr when there are no rows


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a command: `data` for programs, and a table or a text for people."""

    data: Any
    table: Table | None = None
    text: str = ""
    notes: tuple[str, ...] = field(default=())  # remarks, for stderr
    exit_code: int = exits.OK
    failure: "RadarError | None" = None  # with a result all the same, as `config check` has

    def but(self, **changes: Any) -> "Result":
        """The same result with some changes."""
        return replace(self, **changes)


def print_result(result: Result, command: str, output: str, *, is_color_wanted: bool) -> int:
    """Print a command's result on stdout, and return the exit code.

    `output` is table, json or csv. Raises OSError if stdout can't take it.
    """
    for note in result.notes:
        complain(note)
    failure = result.failure
    if output == "json":
        emit(envelope(command, data=result.data, error=failure))
    elif result.table is not None:
        if output == "csv":
            emit(_csv(result.table))
        elif result.table.rows:
            emit_table(result.table, is_color_wanted=is_color_wanted)
        elif result.table.empty:
            complain(result.table.empty)
    elif result.text:
        emit("".join(clean(line) + "\n" for line in result.text.split("\n")))
    if failure is None:
        return result.exit_code
    complain(failure.line())
    return failure.exit_code


def envelope(command: str, *, data: Any = None, error: "RadarError | None" = None) -> str:
    """Return the JSON of a result or a failure, as one line."""
    content: dict[str, Any] = {"radar": ENVELOPE_VERSION, "command": command, "ok": error is None}
    if error is None or data is not None:
        content["data"] = data
    if error is not None:
        content["error"] = {"slug": error.slug, "message": error.message, "hint": error.hint}
    # ASCII: safe on every terminal and in every encoding, bytes that aren't UTF-8 included.
    return json.dumps(content, ensure_ascii=True) + "\n"


def clean(text: str) -> str:
    """Return `text` with everything that isn't printable written as an escape.

    A monitor's name or a job's output must not move the cursor, set the title or turn the
    direction of writing; surrogates, which stand for bytes that are no UTF-8, can't be printed.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character == "\u00a0"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def shorten(key: str) -> str:
    """Shorten what was given as a key, which may be anything, so that it fits into a line."""
    shown = clean(key)
    return shown if len(shown) <= _LONGEST_KEY else shown[:60] + "..."


def emit(text: str) -> None:
    """Write to stdout, which may be closed; `text` is clean already."""
    if sys.stdout is not None:
        sys.stdout.write(text)


def complain(text: str) -> None:
    """Write `radar: TEXT`, one clean line, to stderr."""
    if sys.stderr is not None:
        sys.stderr.write(f"radar: {clean(text)}\n")


def warn(text: str) -> None:
    """Write a warning to stderr."""
    complain(f"warning: {text}")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at `stream`."""
    return stream is not None and stream.isatty()


def emit_table(table: Table, *, is_color_wanted: bool) -> None:
    """Print a table: by rich on a terminal, as aligned plain text into a pipe or file."""
    if not is_terminal(sys.stdout):
        emit(_plain(table))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    # No colour means no escape sequences at all, bold included.
    console = Console(color_system="auto" if is_color_wanted else None, highlight=False)
    shown = RichTable(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in table.columns:
        shown.add_column(column, overflow="fold")
    for row in table.rows:
        # Text, not str: rich would read [brackets] in a str as markup.
        shown.add_row(*(Text.assemble(*_parts(cell)) for cell in row))
    console.print(shown)


def _parts(cell: Any) -> list[tuple[str, str]]:
    """The texts of a cell, each with its style."""
    if isinstance(cell, Line):
        return [(_cut(_text(part)), part.style) for part in cell.parts]
    return [(_cut(_text(cell)), cell.style if isinstance(cell, Cell) else "")]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 3] + "..."


def _text(cell: Any) -> str:
    if isinstance(cell, Line):
        return "".join(_text(part) for part in cell.parts)
    value = cell.value if isinstance(cell, Cell) else cell
    return "" if value is None else clean(str(value))


def _plain(table: Table) -> str:
    lines = [table.columns, *(tuple(_cut(_text(cell)) for cell in row) for row in table.rows)]
    widths = [max(_width(line[index]) for line in lines) for index in range(len(table.columns))]
    text = ""
    for line in lines:
        padded = (
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        )
        text += "  ".join(padded).rstrip() + "\n"
    return text


def _width(text: str) -> int:
    """Return how many columns `text` takes: an East Asian character two, an accent none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )


def _csv(table: Table) -> str:
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_text(cell) for cell in row] for row in table.rows)
    return buffer.getvalue()
