"""Proof from this machine's process table about a worker that doesn't answer (Linux)."""

import hashlib
import os
import re
import socket
from contextlib import suppress
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


def find_nodes(proc: Path = _PROC) -> list[str]:
    """Return the names of the workers that run on this machine and can be seen."""
    found = set()
    for folder in proc.iterdir() if proc.is_dir() else ():
        if folder.name.isdigit():
            with suppress(OSError):
                words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                found.add(node_of(words, socket.gethostname()))
    return sorted(found - {""})


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


@dataclass(frozen=True, slots=True)
class BeatProcess:
    """A process of this machine that is a Beat, or a worker with one in it (`-B`)."""

    pid: int
    app: str
    schedule: str  # the path of its file, if it keeps one
    scheduler: str  # empty: whatever its app says
    started_at: float  # Unix time
    world: tuple[str, ...]  # what tells it from another with the same command line
    is_stopped: bool = False


def find_beats(proc: Path = _PROC) -> list[BeatProcess]:
    """Return the Beats of this machine that can be seen, of radar's own mount namespace.

    What runs in a container has a file system of its own, in which the same path is another file.
    """
    found: dict[int, tuple[int, BeatProcess]] = {}
    for folder in proc.iterdir() if proc.is_dir() else ():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            words = _words_of_beat(words)
            if not words or os.readlink(folder / "ns/mnt") != os.readlink(proc / "self/ns/mnt"):
                continue
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            cwd = os.readlink(folder / "cwd")
            settings = _settings((folder / "environ").read_bytes())
        except OSError:
            continue
        if fields[0] in (b"Z", b"X"):
            continue
        named = _value(words, ("-s", "--schedule")) or "celerybeat-schedule"
        found[int(folder.name)] = (
            int(fields[1]),
            BeatProcess(
                int(folder.name),
                _value(words, ("-A", "--app")).partition(":")[0],
                os.path.normpath(os.path.join(cwd, named)),
                _value(words, ("-S", "--scheduler")),
                _started_at(int(fields[19]), proc),
                (cwd, *settings),
                fields[0] in (b"T", b"t"),
            ),
        )
    # A worker's children have its command line.
    return sorted(
        (beat for parent, beat in found.values() if parent not in found), key=lambda b: b.pid
    )


def keeps(path: str, beat: BeatProcess) -> bool:
    """Whether a Beat keeps its schedule in the file at `path`, with or without dbm's suffix."""
    place = os.path.abspath(path.removeprefix("file:"))
    return any(
        beat.schedule == place.removesuffix(suffix) for suffix in ("", ".db", ".dat", ".dir")
    )


def _words_of_beat(words: list[str]) -> list[str]:
    """Return the words behind `celery`, if it starts a Beat."""
    line = " ".join(words)
    if line.startswith("[celery beat]"):  # setproctitle's
        return line.split()[2:]
    for index, word in enumerate(words):
        if os.path.basename(word) == "celery" or word == "celery.__main__":
            more = words[index + 1 :]
            has_one = "worker" in more and bool({"-B", "--beat"} & set(more))
            return more if "beat" in more or has_one else []
    return []


def _settings(environ: bytes) -> list[str]:
    """Digest what of an environment may lead an app to another broker or project."""
    marks = (b"BROKER", b"CELERY", b"REDIS", b"AMQP", b"RABBIT", b"DJANGO_SETTINGS")
    chosen = sorted(
        each for each in environ.split(b"\0") if any(m in each.partition(b"=")[0] for m in marks)
    )
    return [hashlib.sha256(each).hexdigest() for each in chosen]


def _started_at(ticks: int, proc: Path) -> float:
    lines = (proc / "stat").read_text().splitlines()
    booted = next((line.split()[1] for line in lines if line.startswith("btime ")), "0")
    return int(booted) + ticks / os.sysconf("SC_CLK_TCK")
