"""Editing a config file: one value changes, the person's comments and order stay as they are."""

import copy
import fcntl
import os
import re
import stat
import tempfile
import tomllib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Callable, Iterator

from radar_cli.core.errors import ConfigError

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


_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def render_key(path: tuple[str, ...]) -> str:
    """Return a dotted key; what isn't bare is quoted."""
    return ".".join(name if _BARE.fullmatch(name) else _quote(name) for name in path)


def render_value(value: Any) -> str:
    """Return a value as TOML on one line; ValueError for a kind that radar never sets."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        # A regex is best read as it is, without doubled backslashes.
        is_literal = "\\" in value and "'" not in value and value.isprintable()
        return f"'{value}'" if is_literal else _quote(value)
    if isinstance(value, list):
        return "[" + ", ".join(render_value(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = ", ".join(
            f"{render_key((key,))} = {render_value(item)}" for key, item in value.items()
        )
        return f"{{ {pairs} }}" if pairs else "{}"
    raise ValueError(f"can't write a {type(value).__name__}")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(map(_escape, escaped))}"'


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return _ESCAPES.get(character) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """A text with the change made; `is_rewritten` if its comments and order are lost."""

    text: str
    is_rewritten: bool = False


class NotFoundError(LookupError):
    """Nothing stands at the path that should be removed."""


def set_value(text: str, path: Path, value: Any) -> Edit:
    """Return `text` with `value` at `path`. ValueError if something there is no table."""
    expected = tomllib.loads(text)
    table = expected
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ValueError(f"{name} is not a table")
    table[path[-1]] = value
    candidate = _try(_set_in_text, text, path, value)
    return _verified(candidate, expected, is_same)


def unset_value(text: str, path: Path) -> Edit:
    """Return `text` without what stands at `path`. NotFoundError if nothing does."""
    expected = tomllib.loads(text)
    table: Any = expected
    for name in path[:-1]:
        table = table.get(name) if isinstance(table, dict) else None
    if not isinstance(table, dict) or path[-1] not in table:
        raise NotFoundError(".".join(path))
    del table[path[-1]]
    candidate = _try(_unset_in_text, text, path)
    return _verified(candidate, expected, lambda one, other: is_same(prune(one), prune(other)))


def _try(edit: Any, *arguments: Any) -> str | None:
    """Call an editor of text; what it can't do is left to the rewrite."""
    try:
        result = edit(*arguments)
    except (ValueError, LookupError):
        return None
    return result if isinstance(result, str) else None


def _verified(
    candidate: str | None, expected: dict[str, Any], is_right: Callable[[Any, Any], bool]
) -> Edit:
    """Return the edited text if it means what it should, else a rewrite of the whole file."""
    if candidate is not None:
        try:
            if is_right(tomllib.loads(candidate), expected):
                return Edit(candidate)
        except tomllib.TOMLDecodeError:
            pass
    import tomli_w

    return Edit(tomli_w.dumps(expected), is_rewritten=True)


def prune(value: Any) -> Any:
    """Return `value` without empty tables: whether a header without keys stays is no matter."""
    if not isinstance(value, dict):
        return value
    pruned = {key: prune(item) for key, item in value.items()}
    return {key: item for key, item in pruned.items() if item != {}}


def is_same(one: Any, other: Any) -> bool:
    """Whether two TOML values are the same, types included; NaN is the same as NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124  (NaN)


def _set_in_text(text: str, path: Path, value: Any) -> str:
    statements = [statement for statement in scan(text) if not statement.is_in_array]
    for statement in statements:
        if statement.value is None:
            continue
        start, end = statement.value
        if statement.path == path:
            return text[:start] + render_value(value) + text[end:]
        if statement.path == path[: len(statement.path)]:
            # Inside an inline table, which is one line and is written anew.
            inline = copy.deepcopy(tomllib.loads(f"value = {text[start:end]}")["value"])
            table = inline
            rest = path[len(statement.path) :]
            for name in rest[:-1]:
                table = table.setdefault(name, {})
            table[rest[-1]] = value
            return text[:start] + render_value(inline) + text[end:]
    return _insert(text, statements, path, value)


def _insert(text: str, statements: list[Statement], path: Path, value: Any) -> str:
    """Add a new line to the table that it belongs to, or a new table at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    parent = path[:-1]
    # Beside its siblings: below the same header, or with the same dotted key before them.
    siblings = [
        statement
        for statement in statements
        if statement.value is not None
        and statement.path[: len(parent)] == parent
        and len(statement.table) <= len(parent)
    ]
    headers = [
        statement
        for statement in statements
        if statement.value is None and statement.path == parent
    ]
    if siblings or headers:
        last = (siblings or headers)[-1]
        line = _line(text, last, path[len(last.table) :], value)
        return _add_line(text, last.end, line, newline)
    if parent:
        gap = newline if text.strip() else ""
        header = f"[{render_key(parent)}]{newline}{render_key(path[-1:])} = {render_value(value)}"
        return _add_line(text, len(text), gap + header, newline)
    place = _top(text)
    line = f"{render_key(path)} = {render_value(value)}"
    is_followed = bool(text[place:].strip())
    return _add_line(text, place, line + (newline if is_followed else ""), newline)


def _top(text: str) -> int:
    """Return where the first key of the file goes: above the first table and its comment."""
    headers = [statement for statement in scan(text) if statement.value is None]
    if not headers:
        return len(text)
    place = headers[0].start
    while place:
        start = text.rfind("\n", 0, place - 1) + 1
        if not text[start:place].lstrip().startswith("#"):
            break
        place = start
    return place


def _add_line(text: str, place: int, line: str, newline: str) -> str:
    before = text[:place]
    if before and not before.endswith("\n"):
        before += newline
    return before + line + newline + text[place:]


def _line(text: str, neighbour: Statement, key: Path, value: Any) -> str:
    """Write `key = value` as deep as its neighbour is indented."""
    first = text[neighbour.start : neighbour.end]
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    return f"{indent}{render_key(key)} = {render_value(value)}"


def _unset_in_text(text: str, path: Path) -> str:
    result, position = "", 0
    for statement in scan(text):
        if statement.path[: len(path)] == path:
            # It, or something below it. Comments on lines of their own stay.
            result += text[position : statement.start]
            position = statement.end
        elif statement.value and statement.path == path[: len(statement.path)]:
            start, end = statement.value
            inline = tomllib.loads(f"value = {text[start:end]}")["value"]
            table = inline
            rest = path[len(statement.path) :]
            for name in rest[:-1]:
                table = table[name]
            del table[rest[-1]]
            result += text[position:start] + render_value(inline)
            position = end
    return result + text[position:]


class UnwritableFileError(ConfigError):
    """A config file that can't be written."""

    slug = "unwritable-config"


@contextmanager
def locked(path: str) -> Iterator[str]:
    """Hold off other `radar config set` on the same file; the body gets the file's real path.

    Makes the directory if it is missing. Raises UnwritableFileError.
    """
    # A dotfiles repository links to its files: the link must stay one.
    path = os.path.realpath(path)
    directory = os.path.dirname(path)
    try:
        _make_directory(directory)
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    finally:
        os.close(descriptor)


def write_file(path: str, text: str, *, mode: int = 0o600) -> None:
    """Replace the file at `path` in one step; a new one gets `mode`, an old one keeps its own.

    Raises UnwritableFileError, and then the old file is as it was.
    """
    try:
        _replace(path, text.encode(), mode)
    except OSError as error:
        raise unwritable(path, error) from None


def save_edit(path: str, old: str, edit: Edit, mode: int) -> list[str]:
    """Write an edited file that was `old`, and return what there is to say about it."""
    notes = []
    if edit.is_rewritten:
        copy = back_up(path, old)
        notes.append(f"{path} had to be written anew, without its comments: see {copy}")
    write_file(path, edit.text, mode=mode)
    return notes


def back_up(path: str, text: str) -> str:
    """Write `text`, what the file at `path` held, beside it under a new name; return that."""
    number = 1
    while True:
        copy = f"{path}.bak" if number == 1 else f"{path}.bak{number}"
        try:
            # Private, as it may hold a key.
            descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            number += 1
            continue
        except OSError as error:
            raise unwritable(copy, error) from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        return copy


def unwritable(path: str, error: OSError) -> UnwritableFileError:
    """Return the error for a file that the system doesn't let us write."""
    return UnwritableFileError(
        f"{path}: can't be written: {error.strerror}", "check the owner of its directory"
    )


def _replace(path: str, data: bytes, mode: int) -> None:
    directory = os.path.dirname(path)
    old = None
    with suppress(FileNotFoundError):
        old = os.stat(path)
        if not stat.S_ISREG(old.st_mode):
            raise UnwritableFileError(f"{path}: not a regular file", "RADAR_CONFIG names the file")
    descriptor, temporary = tempfile.mkstemp(prefix=".radar-", dir=directory)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if old is not None and os.geteuid() == 0:
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode) if old else mode)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(directory)


def _make_directory(directory: str) -> None:
    # 0755 would be right for /etc/radar: its files have modes of their own.
    is_new = not os.path.isdir(directory)
    os.makedirs(directory, exist_ok=True)
    if is_new and not directory.startswith("/etc/"):
        os.chmod(directory, 0o700)  # as the XDG specification asks


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems can't
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
