"""The one renderer: tables for people, a versioned JSON envelope, NDJSON or CSV for programs."""

import json
import sys
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, Sequence, TextIO

from radar_cli.cli.answers import Answer, Rows, find_rows
from radar_cli.core import exits

if TYPE_CHECKING:
    from radar_cli.core.errors import RadarError

# What is promised of it stands in the README; another number would break that promise.
ENVELOPE_VERSION = 2
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
    """Rows for people.

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
    shape: Any = None  # of a row, where the command declares more than one

    @property
    def final_code(self) -> int:
        """The exit code, that of the failure if there is one."""
        return self.exit_code if self.failure is None else self.failure.exit_code

    def but(self, **changes: Any) -> "Result":
        """The same result with some changes."""
        return replace(self, **changes)


def print_result(
    result: Result,
    command: str,
    output: str,
    *,
    is_color_wanted: bool,
    answer: Answer | None = None,
    fields: Sequence[str] = (),
) -> int:
    """Print a command's result on stdout, and return the exit code.

    `output` is table, json, ndjson or csv; `answer` is what the command declares, and `fields` are
    those that are asked for. Raises OSError if stdout can't take it, and UsageError for a field
    that this answer doesn't have.
    """
    rows = None if answer is None else find_rows(answer, result.data, result.shape, fields)
    for note in result.notes:
        complain(note)
    if output == "json":
        data = result.data if rows is None else rows.data
        emit(envelope(command, result.final_code, data=data, error=result.failure))
    elif output == "ndjson":
        for row in [result.data] if rows is None else rows.rows:
            emit(encode(row))
    elif output == "csv" and rows is not None:
        _emit_csv(rows)
    elif fields and rows is not None:
        empty = "" if result.table is None else result.table.empty
        chosen = Table(rows.columns(), [tuple(cells) for cells in rows.cells()], empty)
        _print_table(chosen, is_color_wanted=is_color_wanted)
    elif result.table is not None:
        _print_table(result.table, is_color_wanted=is_color_wanted)
    elif result.text:
        emit("".join(clean(line) + "\n" for line in result.text.split("\n")))
    if result.failure is not None:
        complain(result.failure.line())
    return result.final_code


def envelope(
    command: str, exit_code: int, *, data: Any = None, error: "RadarError | None" = None
) -> str:
    """Return the JSON of a result or a failure, as one line."""
    content = {
        "version": ENVELOPE_VERSION,
        "command": command,
        "ok": exit_code == exits.OK,
        "exit_code": exit_code,
        "error": None if error is None else error.describe(),
        "data": data,
    }
    return encode(content)


def encode(value: Any) -> str:
    """Return a value as a line of JSON: ASCII, as some bytes that a job prints are no UTF-8."""
    try:
        return json.dumps(value, ensure_ascii=True, allow_nan=False) + "\n"
    except ValueError:
        # A number that isn't finite: JSON has none.
        return json.dumps(_finite(value), ensure_ascii=True) + "\n"


def _finite(value: Any) -> Any:
    """Return the value with null in place of numbers that JSON doesn't have."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _print_table(table: Table, *, is_color_wanted: bool) -> None:
    if table.rows:
        emit_table(table, is_color_wanted=is_color_wanted)
    elif table.empty:
        complain(table.empty)


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


def _emit_csv(rows: Rows) -> None:
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(rows.columns())
    writer.writerows([clean(cell) for cell in cells] for cells in rows.cells())
    emit(buffer.getvalue())
