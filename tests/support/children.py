"""The programs in tests/children, ready to be wrapped, and what they report."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.requirements import require_program

SOURCES = Path(__file__).parent.parent / "children"
FLOOD_LINE = 64  # bytes; the last one of each is a newline


def compile_children(directory: Path) -> Path:
    """Compile the C programs into the directory, and copy the others to them."""
    compiler = require_program("cc")
    compiling = []
    for source in sorted(SOURCES.iterdir()):
        if source.suffix == ".c":
            words = [compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"]
            program = directory / source.stem
            compiling.append(
                subprocess.Popen(
                    [*words, "-o", program, source],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
            )
        elif source.suffix in (".py", ".sh"):
            shutil.copy(source, directory)
    for process in compiling:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output.decode()
    return directory


@dataclass(frozen=True)
class Report:
    """What `children/report` saw of the state in which it was started."""

    argv: list[bytes]
    environ: list[bytes]  # NAME=value, in the order of the block
    cwd: bytes
    umask: int
    nice: int
    pid: int
    ppid: int
    pgid: int
    sid: int
    foreground: int  # the terminal's foreground group, -1 without a controlling terminal
    signals: dict[str, int]  # masks: blocked, ignored, caught, pending
    fds: dict[int, "Descriptor"]
    limits: dict[str, tuple[int, int]]
    cpus: int  # how many the affinity mask allows

    def env(self) -> dict[bytes, bytes]:
        pairs = (entry.partition(b"=") for entry in self.environ)
        return {name: value for name, _, value in pairs}

    def is_ignored(self, number: int) -> bool:
        return bool(self.signals["ignored"] >> (number - 1) & 1)

    def is_blocked(self, number: int) -> bool:
        return bool(self.signals["blocked"] >> (number - 1) & 1)


@dataclass(frozen=True)
class Descriptor:
    """One open file descriptor of a reported program."""

    target: bytes  # what /proc/self/fd says
    dev: int
    ino: int
    mode: int
    flags: int  # F_GETFL: O_RDONLY, O_APPEND, O_NONBLOCK…
    is_terminal: bool


def read_report(path: Path) -> Report:
    """Read what `children/report` wrote; to be called when it has ended."""
    data: dict[str, Any] = json.loads(path.read_text())
    data["argv"] = [bytes.fromhex(word) for word in data["argv"]]
    data["environ"] = [bytes.fromhex(entry) for entry in data["environ"]]
    data["cwd"] = bytes.fromhex(data["cwd"])
    data["limits"] = {name: (soft, hard) for name, (soft, hard) in data["limits"].items()}
    data["fds"] = {
        int(number): Descriptor(
            target=bytes.fromhex(fd["target"]),
            dev=fd["dev"],
            ino=fd["ino"],
            mode=fd["mode"],
            flags=fd["flags"],
            is_terminal=bool(fd["is_terminal"]),
        )
        for number, fd in data["fds"].items()
    }
    return Report(**data)


@dataclass(frozen=True)
class Received:
    """One signal, as `children/on_signal` saw it come."""

    number: int
    code: int  # si_code: 0 (SI_USER) from a process, 128 (SI_KERNEL) from the terminal
    sender: int  # pid, 0 for the kernel


def received_signals(log: Path) -> list[Received]:
    """What `children/on_signal` has received so far. Its first line, `ready PID`, is left out."""
    lines = log.read_text().splitlines()[1:]
    return [Received(*(int(word) for word in line.split())) for line in lines]


def flood_bytes(start: int, stop: int) -> bytes:
    """What `children/flood` writes from byte `start` up to `stop`."""
    first, last = start // FLOOD_LINE, -(-stop // FLOOD_LINE)
    lines = b"".join(b"%-*d\n" % (FLOOD_LINE - 1, number) for number in range(first, last))
    return lines[start - first * FLOOD_LINE : stop - first * FLOOD_LINE]
