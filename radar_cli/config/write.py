"""Writing a config file: whole or not at all, and never readable by more people than before."""

import fcntl
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from typing import Iterator

from radar_cli.config.edit import Edit
from radar_cli.core.errors import ConfigError


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
