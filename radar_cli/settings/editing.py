"""Editing a config file: one value changes, the person's comments and order stay as they are."""

import fcntl
import os
import re
import stat
import tempfile
import tomllib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Callable, Iterator

import tomlkit
import tomlkit.exceptions
from tomlkit.container import Container
from tomlkit.items import InlineTable, Table

from radar_cli.core.errors import ConfigError

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
    return _verified(lambda: _set_in_text(text, path, value), expected, is_same)


def unset_value(text: str, path: Path) -> Edit:
    """Return `text` without what stands at `path`. NotFoundError if nothing does."""
    expected = tomllib.loads(text)
    table: Any = expected
    for name in path[:-1]:
        table = table.get(name) if isinstance(table, dict) else None
    if not isinstance(table, dict) or path[-1] not in table:
        raise NotFoundError(".".join(path))
    del table[path[-1]]
    return _verified(
        lambda: _unset_in_text(text, path),
        expected,
        lambda one, other: is_same(prune(one), prune(other)),
    )


def _verified(
    edit: Callable[[], str], expected: dict[str, Any], is_right: Callable[[Any, Any], bool]
) -> Edit:
    """Return the edited text if it means what it should, else a rewrite of the whole file."""
    try:
        candidate = edit()
        if is_right(tomllib.loads(candidate), expected):
            return Edit(candidate)
    except (tomlkit.exceptions.TOMLKitError, ValueError, LookupError, TypeError, AttributeError):
        pass  # what tomlkit can't edit, or has written wrongly
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


def find_line(text: str, path: Path) -> int:
    """Return the line on which what stands at `path` begins, or what would hold it; 0: nowhere.

    A file is valid up to the end of each statement, and nowhere else: so its statements are found
    without reading TOML by other means than Python's own.
    """
    lines = text.splitlines(keepends=True)
    found, depth, begin = 0, 0, 1
    for number in range(1, len(lines) + 1):
        try:
            values: Any = tomllib.loads("".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue
        reached = 0
        for name in path:
            if not isinstance(values, dict) or name not in values:
                break
            values, reached = values[name], reached + 1
        if reached > depth:
            found, depth = begin, reached
        begin = number + 1
    return found


def _set_in_text(text: str, path: Path, value: Any) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    top, rest = text, ""
    if len(path) == 1 and path[0] not in tomllib.loads(text):
        # tomlkit would put it below the comment of the first table.
        top, rest = _split_at_first_table(text)
    document = tomlkit.parse(top)
    table: Any = document
    for depth, name in enumerate(path[:-1], 1):
        if name not in table:
            if table is document and text.strip():
                document.add(tomlkit.nl())
            table[name] = tomlkit.table(is_super_table=depth < len(path) - 1)
        table = table[name]
    table[path[-1]] = _item(value)
    gap = "\n" if rest and not top.strip() else ""
    result = tomlkit.dumps(document) + gap + rest
    return result if newline == "\n" else re.sub("(?<!\r)\n", "\r\n", result)


def _unset_in_text(text: str, path: Path) -> str:
    document = tomlkit.parse(text)
    _remove(document, path)
    return tomlkit.dumps(document)


def _remove(container: Container, path: Path) -> bool:
    """Remove what stands at `path`, if it stands here, and return whether it did.

    A table may stand in several parts, with others between them. `del` would take the part that
    it leaves without a value out of the file, with a person's comments in it.
    """
    for key, item in container.body:
        if key is not None and key.key == path[0]:
            if len(path) == 1:
                container.remove(key)
                return True
            if isinstance(item, (Table, InlineTable)) and _remove(item.value, path[1:]):
                return True
    return False


def _item(value: Any) -> Any:
    if isinstance(value, str):
        # A regex is best read as it is, without doubled backslashes.
        is_literal = "\\" in value and "'" not in value and value.isprintable()
        return tomlkit.string(value, literal=is_literal)
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        table.update({key: _item(item) for key, item in value.items()})
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        array.extend(_item(item) for item in value)
        return array
    return value


def _split_at_first_table(text: str) -> tuple[str, str]:
    """Return what stands above the first table and the comment right above it, and the rest."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.lstrip().startswith("[") and _is_valid("".join(lines[:number])):
            top = number
            while top and lines[top - 1].lstrip().startswith("#"):
                top -= 1
            return "".join(lines[:top]), "".join(lines[top:])
    return text, ""


def _is_valid(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


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
