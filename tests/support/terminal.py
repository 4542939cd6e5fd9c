"""A command on a pseudo-terminal of its own, as its session's leader."""

import contextlib
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support.radar import Word, environment
from tests.support.requirements import require_program

_open: list["Terminal"] = []


class Terminal:
    """Starts `words` with the terminal as its stdin, stdout, stderr and controlling terminal.

    The leader's own process group is an orphan, to which ^Z means nothing: for job
    control start a shell here (`bash --norc --noprofile -i`) and type into it.
    """

    def __init__(
        self,
        words: Sequence[Word],
        env: dict[str, str] | None = None,
        *,
        rows: int = 24,
        columns: int = 80,
        cwd: Path | None = None,
    ) -> None:
        self.screen = b""  # everything that came out, from the beginning
        self._read_so_far = 0
        self.master, slave = os.openpty()
        self.resize(rows, columns)
        # setsid(1) and not preexec_fn, which can deadlock in a process with threads.
        self.process = subprocess.Popen(
            [require_program("setsid"), "--ctty", *words],
            env={"TERM": "xterm", **(environment() if env is None else env)},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
        )
        os.close(slave)
        _open.append(self)

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def send_control(self, letter: str) -> None:
        """Type a letter with the control key: `c` interrupts, `z` stops, a backslash quits."""
        self.send(bytes((ord(letter.upper()) & 0x1F,)))

    def resize(self, rows: int, columns: int) -> None:
        """Set the size; the kernel sends SIGWINCH to the foreground process group."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def foreground_group(self) -> int:
        """The process group that the terminal's signals go to."""
        return os.tcgetpgrp(self.master)

    def has_echo(self) -> bool:
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def read_until(self, pattern: bytes, timeout_s: float = 10) -> re.Match[bytes]:
        """Wait until the regular expression matches what came since the last match."""
        deadline = time.monotonic() + timeout_s
        while True:
            match = re.compile(pattern, re.DOTALL).search(self.screen, self._read_so_far)
            if match:
                self._read_so_far = match.end()
                return match
            if not self._ingest(deadline):
                unread = self.screen[self._read_so_far :]
                raise AssertionError(f"no {pattern!r} on the terminal, only {unread!r}")

    def wait(self, timeout_s: float = 10) -> int:
        """Read on until the command ends; its code, negative for a signal."""
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"it runs on after {timeout_s} s: {self.screen!r}")
            self._ingest(time.monotonic() + 0.02)
        while self._ingest(time.monotonic() + 0.02):
            pass
        return self.process.returncode

    def _ingest(self, deadline: float) -> bool:
        """Wait for output; whether there was any. Linux says EIO when the last user is gone."""
        ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            time.sleep(0.01)
            return False
        self.screen += data
        return bool(data)

    def close(self) -> None:
        """Hang up, as closing the window does, and end what doesn't end by that."""
        if self not in _open:
            return
        _open.remove(self)
        os.close(self.master)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.5)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def close_all() -> None:
    """Close the terminals that a test left open."""
    while _open:
        _open[-1].close()
