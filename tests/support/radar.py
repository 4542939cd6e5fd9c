"""Starting `radar` as its user does: the installed console script, in a child process."""

import functools
import importlib.metadata
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import IO, Literal, overload

import pytest

import radar_cli
from tests.support import processes
from tests.support.field import field
from tests.support.schemas import check_output

Word = str | bytes | Path
Stream = int | IO[bytes] | None

# What makes coverage measure a child; a test of time or of the environment leaves it out.
_COVERAGE = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
# What the isolation of each test (`tests/conftest.py`) has put into our own environment.
_ISOLATED = (
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "RADAR_STATE_DIR",
    "RADAR_CONFIG",
    "RADAR_SYSTEM_CONFIG",
)
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@functools.cache
def radar_path() -> Path:
    """The `radar` of the interpreter that runs the tests, installed from a wheel."""
    path = Path(sys.executable).parent / "radar"
    advice = "run tests/run, or install the wheel into this environment: pip install ."
    try:
        distribution = importlib.metadata.distribution("radar-cli")
    except importlib.metadata.PackageNotFoundError:
        pytest.fail(f"radar-cli is not installed for {sys.executable}: {advice}", pytrace=False)
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        pytest.fail(f"radar-cli is installed as editable, which is not what users get: {advice}")
    if not os.access(path, os.X_OK):
        pytest.fail(f"there is no {path}: {advice}", pytrace=False)
    return path


def in_own_environment(folder: Path, hook: str) -> Path:
    """The path of a `radar` in a virtual environment of its own, in which every Python runs `hook`.

    A `sitecustomize` on PYTHONPATH would not do: radar leaves a Python in which there is one.
    """
    packages = Path(radar_cli.__path__[0]).parent
    venv.create(folder / "venv", symlinks=True)
    own = next((folder / "venv").glob("lib/python3*/site-packages"))
    (own / "hook.py").write_text(hook)
    (own / "hook.pth").write_text(f"{packages}\nimport hook\n")
    installed = radar_path().read_text()
    copy = folder / "venv/bin/radar"
    copy.write_text(f"#!{folder}/venv/bin/python\n{installed.partition(chr(10))[2]}")
    copy.chmod(0o755)
    return copy


def environment(*, measured: bool = True, **extra: str | None) -> dict[str, str]:
    """A clean environment for a child, with the test's own home; None takes a name out.

    With `measured=False` the child's coverage isn't taken, which costs it time.
    """
    env = {
        "PATH": f"{Path(sys.executable).parent}:{_SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
    kept = _ISOLATED + (_COVERAGE if measured else ())
    env |= {name: os.environ[name] for name in kept if name in os.environ}
    for name, value in extra.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


@overload
def run_radar(
    *words: Word,
    env: dict[str, str] | None = ...,
    stdin: bytes | Stream = ...,
    timeout: float = ...,
    cwd: Path | None = ...,
    prefix: tuple[Word, ...] | list[str] = ...,
    text: Literal[False] = ...,
) -> subprocess.CompletedProcess[bytes]: ...


@overload
def run_radar(
    *words: Word,
    env: dict[str, str] | None = ...,
    stdin: bytes | Stream = ...,
    timeout: float = ...,
    cwd: Path | None = ...,
    prefix: tuple[Word, ...] | list[str] = ...,
    text: Literal[True],
) -> subprocess.CompletedProcess[str]: ...


def run_radar(
    *words: Word,
    env: dict[str, str] | None = None,
    stdin: bytes | Stream = subprocess.DEVNULL,
    timeout: float = 60,
    cwd: Path | None = None,
    prefix: tuple[Word, ...] | list[str] = (),
    text: bool = False,
) -> subprocess.CompletedProcess[bytes] | subprocess.CompletedProcess[str]:
    """Run `radar WORDS` to its end and to the end of its stdout and stderr.

    `prefix` is put before it: a program that prepares something and then becomes radar.
    """
    data = stdin if isinstance(stdin, bytes) else None
    done: subprocess.CompletedProcess[bytes] = subprocess.run(
        [*prefix, *field.prefix(), radar_path(), *words],
        env=environment() if env is None else env,
        input=data,
        stdin=None if isinstance(stdin, bytes) else stdin,
        capture_output=True,
        timeout=timeout,
        cwd=cwd,
        check=False,
    )
    check_output(words, done.stdout)
    if text:
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )
    return done


def start_radar(
    *words: Word,
    env: dict[str, str] | None = None,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = subprocess.PIPE,
    stderr: Stream = subprocess.PIPE,
    cwd: Path | None = None,
    prefix: tuple[Word, ...] | list[str] = (),
    pass_fds: tuple[int, ...] = (),
) -> subprocess.Popen[bytes]:
    """Start `radar WORDS` and leave it running; it is killed when the test ends."""
    return processes.remember(
        subprocess.Popen(
            [*prefix, *field.prefix(), radar_path(), *words],
            env=environment() if env is None else env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            pass_fds=pass_fds,
        )
    )


def spool_files(state_dir: Path | None = None) -> list[Path]:
    """The pings that wait in the outbox (of this test's state directory), oldest first."""
    state = state_dir or Path(os.environ["RADAR_STATE_DIR"])
    return sorted((state / "spool").glob("*/*.ping"), key=lambda path: path.name)
