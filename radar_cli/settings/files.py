"""Reading one config file."""

import os
import stat

from radar_cli.core.errors import ConfigError
from radar_cli.core.places import expand_home, home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_BYTES = 1 << 20


class BrokenFileError(ConfigError):
    """A config file that is there and makes no sense."""

    slug = "broken-config"


class UnreadableFileError(ConfigError):
    """A config file that is there and can't be read."""

    slug = "unreadable-config"


class ConfigFile:
    """A config file that was read: its values as TOML has them, its text, owner and mode."""

    __slots__ = ("mode", "path", "text", "uid", "values")

    def __init__(self, path: str, text: str, values: "dict[str, Any]", uid: int, mode: int) -> None:
        self.path = path
        self.text = text
        self.values = values
        self.uid = uid
        self.mode = mode

    def is_private(self) -> bool:
        """Whether nobody but its owner can read it."""
        return not self.mode & (stat.S_IRGRP | stat.S_IROTH)

    def distrust(self) -> "tuple[str, str] | None":
        """Explain why no command that a file names may be run, with a hint; None if they may be.

        As ssh has it: whoever can write to the file, or put another one in its place, could have
        commands run. There is no exception for a group of one: others can be added to it.
        """
        # Under sudo that keeps HOME, root reads another person's file: it must not run it.
        if self.uid not in (0, os.geteuid()):
            return "the file belongs to another user", "use a config file of your own"
        if self.mode & stat.S_IWOTH:
            return "anybody can write to the file", f"chmod o-w {self.path}"
        if self.mode & stat.S_IWGRP:
            return "its group can write to the file", f"chmod g-w {self.path}"
        # A symbolic link is in a folder of its own.
        for path in dict.fromkeys((os.path.abspath(self.path), os.path.realpath(self.path))):
            if distrust := _distrust_folders(os.path.dirname(path)):
                return distrust
        return None


def _distrust_folders(folder: str) -> "tuple[str, str] | None":
    """Explain why somebody else could replace files in a folder, with a hint; None if nobody could.

    What is above a home directory isn't its owner's business.
    """
    home_folder = os.path.realpath(home(os.environ) or "/")
    while True:
        try:
            status = os.stat(folder)
        except OSError:
            return None  # gone since the file was read
        if status.st_uid not in (0, os.geteuid()):
            return f"its folder {folder} belongs to another user", "use a folder of your own"
        # In a sticky one, as /tmp is, nobody can replace what is another's.
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX:
            return f"others can write to its folder {folder}", f"chmod go-w {folder}"
        if folder in ("/", home_folder):
            return None
        folder = os.path.dirname(folder)


def read_file(path: str) -> ConfigFile | None:
    """Return the config file at `path`, or None if there is none.

    Raises BrokenFileError or UnreadableFileError, naming the file and the line.
    """
    found = read_bytes(path, MAX_BYTES)
    if found is None:
        return None
    data, status = found
    if len(data) > MAX_BYTES:
        raise BrokenFileError(f"{path}: more than 1 MiB", "this can't be radar's config file")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BrokenFileError(f"{path}:{line}: not UTF-8", "save the file as UTF-8") from None
    return ConfigFile(path, text, parse(path, text), status.st_uid, stat.S_IMODE(status.st_mode))


def locate(path: str, source: object, environ: "Mapping[str, str]") -> str:
    """Return where a file is that a setting names.

    `~/` is the home directory, and a relative path in a config file begins at that file.
    """
    path = expand_home(path, environ)
    if path and isinstance(source, ConfigFile):
        return os.path.join(os.path.dirname(source.path), path)
    return path


def parse(path: str, text: str) -> "dict[str, Any]":
    """Return the values in the TOML `text`; BrokenFileError names the line."""
    if not text.strip(" \t\r\n"):
        return {}  # /dev/null, say
    # 15 ms, so only here, when there is something to parse.
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Beside TOMLDecodeError, itself a ValueError: integers beyond Python's limit, deep nesting.
        reason, _, place = (str(error) or type(error).__name__).rpartition(" (at line ")
        line = place.partition(",")[0]
        where = f"{path}:{line}" if reason and line.isdigit() else path
        message = f"{where}: not valid TOML: {reason or error}"
        raise BrokenFileError(message, "edit that line, then run 'radar config check'") from None


def read_bytes(path: str, limit: int) -> "tuple[bytes, os.stat_result] | None":
    """At most `limit` + 1 bytes of the file at `path`, or None if there is none.

    A directory, pipe or socket raises BrokenFileError; a pipe would block for ever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        status = os.fstat(descriptor)
        # A character device, because RADAR_CONFIG=/dev/null is how one asks for no file.
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISCHR(status.st_mode)):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise BrokenFileError(f"{path}: {kind}", "it must be a file")
        chunks = []
        left = limit + 1
        while left > 0 and (chunk := os.read(descriptor, left)):
            chunks.append(chunk)
            left -= len(chunk)
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        os.close(descriptor)
    return b"".join(chunks), status


def _unreadable(path: str, error: OSError) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path}: can't be read: {error.strerror}", "check its owner and mode with ls -l"
    )
