"""The one renderer: tables for people, a versioned JSON envelope, NDJSON or CSV for programs."""

import json
import os
import sys
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, Sequence, TextIO

from radar_cli.cli.answers import Answer, Rows, find_rows
from radar_cli.cli.layout import MARK, break_text, lay_out, paint
from radar_cli.core import exits

if TYPE_CHECKING:
    from radar_cli.core.errors import RadarError

# docs/reference/output.md has what is promised of it; another number would break that promise.
ENVELOPE_VERSION = 2
_LONGEST_KEY = 200
_CONTINUED = "  "
# What a person is shown of a cell: a program may have given a monitor a name of a megabyte.
_LONGEST_CELL = 1000


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a style, like `bold red`, for those who see colours."""

    value: Any
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A cell of parts that stand side by side, each with its own style."""

    parts: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for people.

    A cell is a Cell, a Line or anything that `str` makes readable. Where a screen is too narrow,
    the columns in `least` are cut and then go, in this order (else those on the right); those in
    `whole` (else the first) are never cut, those `wrapped` go on in the next line, and `hint` has a
    line of its own.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    empty: str = ""  # what to say on stderr when there are no rows
    least: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    wrapped: tuple[str, ...] = ()
    hint: str = ""
    summary: str = ""  # a line for stderr, below the rows

    @property
    def remark(self) -> str:
        """The remark on it, for stderr."""
        return self.summary if self.rows else self.empty


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
    is_wide: bool = False,
    answer: Answer | None = None,
    fields: Sequence[str] = (),
) -> int:
    """Print a command's result on stdout, and return the exit code.

    `output` is table, json, ndjson or csv; `answer` is what the command declares, and `fields` are
    those that are asked for. Raises OSError if stdout can't take it, and UsageError for a field
    that this answer doesn't have.
    """
    rows = None if answer is None else find_rows(answer, result.data, result.shape, fields)
    table = _choose(result.table, rows if fields else None)
    if output == "json":
        data = result.data if rows is None else rows.data
        emit(envelope(command, result.final_code, data=data, error=result.failure))
    elif output == "ndjson":
        for row in [result.data] if rows is None else rows.rows:
            emit(encode(row))
    elif output == "csv" and rows is not None:
        _emit_csv(rows)
    elif table is not None and table.rows:
        emit_table(table, is_color_wanted=is_color_wanted, is_wide=is_wide)
    elif table is None and result.text:
        emit("".join(clean(line) + "\n" for line in result.text.split("\n")))
    if sys.stdout is not None:
        sys.stdout.flush()  # what is said of it stands below it, where people look
    for note in result.notes:
        complain(note)
    # A summary is for people who look; cron would mail it. What to do where there is nothing isn't.
    if output == "table" and table is not None:
        line = table.remark if not table.rows or is_terminal(sys.stdout) else ""
        if line:
            complain(line)
    if result.failure is not None:
        complain(result.failure.line())
    return result.final_code


def _choose(table: Table | None, rows: Rows | None) -> Table | None:
    """Return the table, or one of the fields that are asked for."""
    if rows is None:
        return table
    empty, summary = ("", "") if table is None else (table.empty, table.summary)
    cells = [tuple(each) for each in rows.cells()]
    return Table(rows.columns(), cells, empty, summary=summary)


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
    """Write `radar: TEXT`, one clean line, to stderr; a terminal gets it broken between words."""
    if sys.stderr is None:
        return
    line = f"radar: {clean(text)}"
    if is_terminal(sys.stderr):
        width = screen_width(2) - len(_CONTINUED)
        line = f"\n{_CONTINUED}".join(break_text(line, width))
    sys.stderr.write(f"{line}\n")


def warn(text: str) -> None:
    """Write a warning to stderr."""
    complain(f"warning: {text}")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at `stream`."""
    return stream is not None and stream.isatty()


def screen_width(fd: int) -> int:
    """Return how many columns the terminal at a descriptor has, or COLUMNS says."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(fd).columns or 80
    except OSError:
        return 80


def wants_color(choice: str, stream: TextIO | None) -> bool:
    """Return whether colours are printed: `choice` is always, never or auto, as --color has it.

    On auto NO_COLOR means no and FORCE_COLOR yes; else a person at a terminal sees them.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def can_show(text: str) -> bool:
    """Whether stdout's encoding has these characters; else they would become escapes."""
    try:
        # Under a live screen, sys.stdout is a file of that library's, without an encoding.
        streams = (sys.stdout, sys.__stdout__)
        found = [getattr(stream, "encoding", None) for stream in streams]
        text.encode(next(filter(None, found), "ascii"))
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def emit_table(table: Table, *, is_color_wanted: bool, is_wide: bool = False) -> None:
    """Print a table: as wide as the terminal, and in full into a pipe or file, or if `is_wide`."""
    is_cut = is_terminal(sys.stdout) and not is_wide
    width = screen_width(1) if is_cut else None
    emit("".join(line + "\n" for line in draw(table, width, is_color_wanted=is_color_wanted)))


def draw(
    table: Table, width: int | None, *, is_color_wanted: bool, is_bound: bool = False
) -> list[str]:
    """Return the lines of a table that is at most so wide; long keys are cut only if `is_bound`."""
    lines = draw_parts(table, width, is_bound=is_bound)
    return [paint(line, is_colored=is_color_wanted) for line in lines]


def draw_parts(
    table: Table, width: int | None, *, is_bound: bool = False
) -> list[list[tuple[str, str]]]:
    """Return the same lines as texts with their styles."""
    rows = [[_parts(cell) for cell in row] for row in table.rows]
    # As an escape it would be six columns wide.
    mark = MARK if can_show(MARK) else "~"
    return lay_out(table, rows, width, is_bound=is_bound, mark=mark)


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


def _emit_csv(rows: Rows) -> None:
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(rows.columns())
    writer.writerows([clean(cell) for cell in cells] for cells in rows.cells())
    emit(buffer.getvalue())
