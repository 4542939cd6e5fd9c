"""Records of edited crontabs: the lines as they were, and whole backups."""

import json
import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from radar_cli.core.errors import StateError
from radar_cli.core.places import make_private_folder

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """A line of a file before and after; one that radar added has no `original`."""

    path: str
    key: str
    original: bytes | None
    wrapped: bytes


class Keeping:
    """The folder `crontab` in a state directory. StateError: it can't be read or written."""

    def __init__(self, state_directory: str) -> None:
        self._folder = f"{state_directory}/crontab"
        self._file = f"{self._folder}/lines.json"
        self.lines = self._read()

    def _read(self) -> list[Kept]:
        try:
            with open(self._file, encoding="ascii") as file:
                rows = json.load(file)["lines"]
            return [
                Kept(row["path"], row["key"], _to_bytes(row["original"]), _bytes(row["wrapped"]))
                for row in rows
            ]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StateError(f"{self._file}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError) as error:
            hint = "it has the original lines of crontabs: move it away to go on without them"
            raise StateError(f"{self._file} isn't what radar wrote: {error}", hint) from None

    def add(self, lines: Iterable[Kept]) -> None:
        """Keep lines, in place of what is known of the same ones."""
        new = list(lines)
        known = {(line.path, line.key, line.original is None) for line in new}
        old = [x for x in self.lines if (x.path, x.key, x.original is None) not in known]
        self.lines = [*old, *new]
        rows = [
            {
                "path": line.path,
                "key": line.key,
                "original": None if line.original is None else _text(line.original),
                "wrapped": _text(line.wrapped),
            }
            for line in self.lines
        ]
        data = json.dumps({"version": _VERSION, "lines": rows}, indent=1)
        self._write(self._file, data.encode("ascii"))

    def find_original(self, path: str, raw: bytes) -> Kept | None:
        """Return what a line of a file was, if it is as radar wrote it."""
        return next((x for x in self.lines if (x.path, x.wrapped) == (path, raw)), None)

    def knows(self, path: str, key: str) -> bool:
        """Whether radar was put in front of a job of that key in a file."""
        return any((x.path, x.key) == (path, key) for x in self.lines)

    def keys_of(self, path: str, raw: bytes) -> list[str]:
        """Return the keys that a line of a file was given before."""
        return [x.key for x in self.lines if (x.path, x.original) == (path, raw)]

    def back_up(self, path: str, text: bytes, now: datetime) -> str:
        """Write a file's content as it is to a file of its own, and return the path of that."""
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", path).strip("_")
        backup = f"{self._folder}/backups/{name}.{now:%Y%m%dT%H%M%S.%f}"
        self._write(backup, text)
        return backup

    def _write(self, path: str, data: bytes) -> None:
        folder = os.path.dirname(path)
        try:
            make_private_folder(folder)
            descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(temporary, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary)
                raise
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}") from None


# Latin-1 gives each byte a character of its own.
def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _to_bytes(text: str | None) -> bytes | None:
    return None if text is None else _bytes(text)
