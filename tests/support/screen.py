"""A command in a real terminal emulator, tmux, and what a person would see in it."""

import re
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support.radar import Word, environment
from tests.support.requirements import require_program
from tests.support.waiting import wait_until

_ENDED = "exit code"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Screen:
    """Runs `words` in a tmux of its own; a context manager, which ends both."""

    def __init__(
        self,
        words: Sequence[Word],
        env: dict[str, str],
        *,
        columns: int = 80,
        rows: int = 24,
        cwd: Path | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tmux-")
        self.columns, self.rows = columns, rows
        given = [f"{name}={value}" for name, value in env.items()]
        line = shlex.join(["env", "-i", *given, "TERM=screen-256color", *map(str, words)])
        place = [] if cwd is None else ["-c", str(cwd)]
        # The shell stays: tmux's own word on how a command has ended is sometimes missing.
        line += f"; echo {_ENDED} $?; exec sleep 600"
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), *place, line)

    def keys(self, *keys: str) -> None:
        """Type keys by tmux's names: `Enter`, `Escape`, `a`."""
        for key in keys:
            self._tmux("send-keys", key)

    def write(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    def text(self) -> str:
        """What stands on the screen."""
        return self._tmux("capture-pane", "-p")

    def colours(self) -> set[str]:
        """The codes that set a colour, of those on the screen; the default is none."""
        codes = _COLOURS.findall(self._tmux("capture-pane", "-p", "-e"))
        numbers = {number for code in codes for number in code[2:-1].split(";")}
        return {each for each in numbers if each[:1] in ("3", "4", "9") and len(each) == 2} - {
            *("39", "49")
        }

    def until(self, *patterns: str, timeout_s: float = 30) -> str:
        """Wait until the screen has all of these regular expressions; return it."""

        def find() -> str:
            shown = self.text()
            return shown if all(re.search(each, shown, re.M) for each in patterns) else ""

        try:
            return wait_until(find, timeout_s, f"{patterns} on the screen", every_s=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None

    def exit_code(self, timeout_s: float = 20) -> int:
        """Wait until the command has ended; its exit code."""
        shown = self.until(rf"^{_ENDED} \d+$", timeout_s=timeout_s)
        return int(shown.rpartition(_ENDED)[2])

    def _tmux(self, *words: str) -> str:
        socket = f"{self._folder.name}/s"
        command = [require_program("tmux"), "-S", socket, "-f", "/dev/null", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(measured=False), check=True
        )
        return done.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")
        self._folder.cleanup()
