"""A file system of a few pages, to be full or failing."""

import errno
import os
import subprocess
from pathlib import Path
from typing import Self

from tests.support.requirements import require, require_program, require_root

FULL_DEVICE = Path("/dev/full")  # each write to it fails with ENOSPC


class SmallDisk:
    """A tmpfs of `size_bytes` (whole pages) in `directory`, for root only."""

    def __init__(self, directory: Path, size_bytes: int = 65536, files: int = 0) -> None:
        require_root("mounting a small tmpfs")
        self.path = directory / "disk"
        self.path.mkdir()
        options = f"size={size_bytes},nr_inodes={files},mode=0700"
        words = [require_program("mount"), "-t", "tmpfs", "-o", options, "tmpfs", str(self.path)]
        mounted = subprocess.run(words, capture_output=True, text=True, check=False)
        require(mounted.returncode == 0, f"may not mount a tmpfs: {mounted.stderr}")
        self._filler = self.path / "filler"

    def fill(self, leave_bytes: int = 0) -> None:
        """Use up all of its space; `leave_bytes` is rounded down to whole pages."""
        with self._filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        if leave_bytes:
            os.truncate(self._filler, self._filler.stat().st_size - leave_bytes // 4096 * 4096)

    def free(self) -> None:
        """Give the space back."""
        self._filler.unlink(missing_ok=True)

    def remount(self, option: str) -> None:
        """`ro` or `rw`."""
        mount = require_program("mount")
        subprocess.run([mount, "-o", f"remount,{option}", self.path], check=True)

    def close(self) -> None:
        """Unmount; lazily, because a killed program may still be letting go of it."""
        subprocess.run([require_program("umount"), "--lazy", self.path], check=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
