"""Every file that is ever renamed into a folder, or opened in it (Linux's inotify)."""

import ctypes
import os
import struct
from pathlib import Path
from typing import Self

from tests.support.requirements import require_linux

MOVED_TO, OPENED = 0x80, 0x20  # linux/inotify.h
_OVERFLOWED = 0x4000
_HEAD = struct.Struct("iIII")


class FolderWatch:
    """Notes the names from its beginning on, however short a file stays; a context manager."""

    def __init__(self, folder: Path, what: int = MOVED_TO) -> None:
        require_linux("inotify")
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watched = libc.inotify_add_watch(self._fd, bytes(folder), what)
        assert watched >= 0, os.strerror(ctypes.get_errno())
        self._names: set[str] = set()

    def names(self) -> set[str]:
        """All names so far."""
        while True:
            try:
                data = os.read(self._fd, 65536)
            except BlockingIOError:
                return self._names
            while data:
                _, mask, _, length = _HEAD.unpack_from(data)
                assert not mask & _OVERFLOWED, "more files than the kernel keeps in mind"
                name = data[_HEAD.size : _HEAD.size + length].rstrip(b"\0")
                self._names.add(os.fsdecode(name))
                data = data[_HEAD.size + length :]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
