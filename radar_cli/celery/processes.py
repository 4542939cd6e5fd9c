"""Proof from this machine's process table about a worker that doesn't answer (Linux)."""

import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TITLE = re.compile(r"\[celeryd: (\S+):MainProcess\]")
_POOL_FLAGS = ("-P", "--pool")
_NAME_FLAGS = ("-n", "--hostname")


@dataclass(frozen=True, slots=True)
class Process:
    """A worker's main process; `pool` is empty if its command line doesn't name one."""

    pid: int
    is_stopped: bool
    pool: str


def find_worker(node: str, proc: Path = _PROC) -> Process | None:
    """The main process of the worker `node`, if it runs on this machine and can be seen."""
    found = []
    for folder in proc.iterdir() if proc.is_dir() else ():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        if node_of(words, socket.gethostname()) == node:
            pool = _value(words, _POOL_FLAGS)
            found.append((int(fields[1]), Process(int(folder.name), fields[0] == b"T", pool)))
    pids = {process.pid for _, process in found}
    # The pool's processes have the same command line.
    return next((process for parent, process in found if parent not in pids), None)


def node_of(words: list[str], hostname: str) -> str:
    """The name of the node that a command line starts, empty if it starts no worker."""
    # What setproctitle makes of it, where that is installed.
    if words and (title := _TITLE.match(" ".join(words))):
        return title[1]
    programs = [index for index, word in enumerate(words) if os.path.basename(word) == "celery"]
    start = (
        programs[0]
        if programs
        else words.index("celery.__main__")
        if ("celery.__main__" in words)
        else None
    )
    if start is None or "worker" not in words[start:]:
        return ""
    name = _value(words, _NAME_FLAGS) or "celery@%h"
    _, _, domain = hostname.partition(".")
    name = name if "@" in name else f"{name}@%h"
    short = name.partition("@")[0]
    for mark, value in (("%h", hostname), ("%n", short), ("%d", domain), ("%%", "%")):
        name = name.replace(mark, value)
    return name


def _value(words: list[str], flags: tuple[str, ...]) -> str:
    """The value of an option in any of its spellings: `-n X`, `-nX`, `--hostname=X`."""
    for index, word in enumerate(words):
        for flag in flags:
            if word == flag and index + 1 < len(words):
                return words[index + 1]
            if flag.startswith("--") and word.startswith(f"{flag}="):
                return word.partition("=")[2]
            if not flag.startswith("--") and word.startswith(flag) and word != flag:
                return word[len(flag) :].removeprefix("=")
    return ""
