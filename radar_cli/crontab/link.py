"""The link: the script for sh by which crontabs call radar, and which runs the job without it, too.

`radar link` writes it, and cron starts it by its full path. It starts radar alone in its Python
(`-I -S`), where nothing in a crontab's environment can stop it. Where radar can't be started, it
says so on stderr and runs the job itself.

On launcher.sh, which has at most 40 lines, for dash, bash, busybox and mksh as /bin/sh:

- Until radar runs it sets no variable and no function, which the job might see, and starts no
  program. Where radar can't be started, it starts anew with `--unwatched`.
- A failed `exec` ends dash, busybox and mksh, which run the trap then. Bash would run one when a
  signal kills it, too; there, a failed `exec` goes on with the next line instead.
- dash and busybox take an empty file for a script that does nothing and exits with 0.
- `[` and others may be functions that bash got from the environment.
- A builtin that writes into a pipe which nobody reads dies of SIGPIPE: in `say` a subshell does.
- mksh closes descriptor 9 for a program unless its command line passes it on.
- Python ignores SIGPIPE and SIGXFSZ and may add LC_CTYPE (PEP 538), and radar may have blocked
  signals before it failed: all of that is undone for the job.
"""

import encodings
import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files

import radar_cli
from radar_cli.core.errors import RadarError
from radar_cli.core.places import ROOT_STATE, home

# What Debian's and Red Hat's cron give to a job (crontab(5)).
CRON_PATH = "/usr/bin:/bin"
# No installer writes here; where pip, pipx and uv put `radar`, an upgrade would replace the link.
_ROOT_LINK = "/usr/local/lib/radar/radar"
_USER_LINK = "/.local/lib/radar/radar"
_SCRIPT = "launcher.sh"
_MODE = 0o755
# A start takes a tenth of a second; from a disk that has to spin up, some seconds.
_PATIENCE_S = 10.0

_BEGINNING = re.compile(rb"#!/bin/sh\n# Written by `radar link` of radar (\S+):")
# A word in single quotes; a quote in it is '\''.
_QUOTED = rb"'[^']*'(?:\\''[^']*')*"
_INTERPRETER = re.compile(rb"^ *set -- (" + _QUOTED + rb') "\$0"', re.MULTILINE)


class LinkError(RadarError):
    """The link can't be written, or wouldn't start radar."""

    slug = "link"


@dataclass(frozen=True, slots=True)
class Link:
    """A link that is there: the Python that it starts, and the radar that wrote it."""

    path: str
    python: str
    version: str


def default_path(environ: Mapping[str, str]) -> str:
    """Return where the link is written: root's is for all users of the machine."""
    return _ROOT_LINK if os.geteuid() == 0 else home(environ) + _USER_LINK


def known_paths(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return where this user's crontabs may have a link: root's, and their own."""
    return tuple(dict.fromkeys((_ROOT_LINK, home(environ) + _USER_LINK)))


def read_link(path: str) -> Link | None:
    """Return the link at `path`; None if there is no file, or one that `radar link` didn't write.

    OSError: the file can't be read.
    """
    try:
        with open(path, "rb") as file:
            script = file.read(1 << 20)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    beginning, interpreter = _BEGINNING.match(script), _INTERPRETER.search(script)
    if beginning is None or interpreter is None:
        return None
    python = interpreter[1][1:-1].replace(rb"'\''", b"'")
    return Link(path, os.fsdecode(python), beginning[1].decode("ascii", "replace"))


def find_folders(environ: Mapping[str, str]) -> list[str]:
    """Return the folders of radar and of what it needs, which `-I -S` leaves out of sys.path.

    PYTHONPATH's and the current one are no part of them: they are the job's. Raises LinkError.
    """
    if not sys.executable:
        raise LinkError("this Python doesn't know its own path", "start radar by its full path")
    code = r"import os, sys; sys.stdout.buffer.write(b'\0'.join(map(os.fsencode, sys.path)))"
    try:
        own = _run([sys.executable, "-I", "-S", "-c", code], environ).stdout
    except OSError as error:
        raise LinkError(f"{sys.executable} can't be started: {error.strerror}") from None
    others = {os.fsdecode(path) for path in own.split(b"\0")}
    others.update(os.path.abspath(path) for path in environ.get("PYTHONPATH", "").split(":"))
    others.add(os.getcwd())
    radars = os.path.dirname(os.path.dirname(os.path.abspath(radar_cli.__file__)))
    found = (os.path.abspath(path) for path in sys.path)
    folders = [path for path in found if path not in others and os.path.exists(path)]
    return list(dict.fromkeys(folders if radars in folders else [*folders, radars]))


def make_script(folders: list[str], switches: Iterable[str], valued: Iterable[str]) -> bytes:
    """Return a launcher of this Python and this radar.

    `switches` and `valued` are the options of `radar run` without and with a value.
    """
    library = os.path.dirname(encodings.__file__ or "")
    words = {
        b"PYTHON": _quote(sys.executable),
        # A standard library in a zip file has no folder that could be missing.
        b"ENCODINGS": _quote(library if os.path.isdir(library) else sys.executable),
        b"FOLDERS": b" ".join(map(_quote, folders)),
        b"COUNT": str(1 + len(folders)).encode(),
    }
    return _fill_script(words, switches, valued)


def make_portable_script(
    switches: Iterable[str], valued: Iterable[str], python: str = "", folder: str = ""
) -> bytes:
    """Return a launcher for packages, which starts `python` with what is in `folder`.

    Without them it starts the python3 of PATH with the radar in the script's own file: a zip
    archive of radar and of what it needs is to be added at its end.
    """
    words = {
        b"PYTHON": _quote(python) if python else b'"$(command -v python3 || echo python3)"',
        b"ENCODINGS": b'"$2"',  # where that Python's are isn't known
        b"FOLDERS": _quote(folder) if folder else b'"$2"',
        b"COUNT": b"2",
    }
    return _fill_script(words, switches, valued) + b"exit 126\n"


def _fill_script(
    words: dict[bytes, bytes], switches: Iterable[str], valued: Iterable[str]
) -> bytes:
    script = files("radar_cli.crontab").joinpath(_SCRIPT).read_bytes()
    words |= {
        b"VERSION": radar_cli.__version__.encode(),
        b"SWITCHES": " | ".join(switches).encode(),
        b"VALUED": " | ".join(valued).encode(),
        b"ROOT_STATE": ROOT_STATE.encode(),
        b"VARIABLES": b" ".join(sorted(set(re.findall(rb"_radar_\w+", script)))),
    }
    return re.sub(rb"@([A-Z_]+)@", lambda token: words[token[1]], script)


def _quote(path: str) -> bytes:
    return b"'" + os.fsencode(path).replace(b"'", rb"'\''") + b"'"


def write_link(path: str, script: bytes, *, force: bool) -> Link | None:
    """Write a launcher to `path` in one step, once it has started radar; return the link before.

    Folders are made. LinkError: something else is there, and `force` doesn't have it replaced;
    the file can't be written; radar isn't started. Then all is as it was.
    """
    try:
        before = _look_at(path, force=force)
        folder = os.path.dirname(path)
        _make_folders(folder)
        descriptor, temporary = tempfile.mkstemp(prefix=".radar-", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(script)
                os.fchmod(file.fileno(), _MODE)
                file.flush()
                os.fsync(file.fileno())
            _check(temporary)
            os.rename(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        _sync(folder)
    except OSError as error:
        raise LinkError(
            f"{path}: can't be written: {error.strerror}", "radar link FILE writes it elsewhere"
        ) from None
    return before


def _look_at(path: str, *, force: bool) -> Link | None:
    """Return the link that is to be replaced, if it is one. LinkError: it is something else."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    link = read_link(path) if stat.S_ISREG(mode) else None
    if link is not None or (force and not stat.S_ISDIR(mode)):
        return link
    if stat.S_ISDIR(mode):
        raise LinkError(f"{path} is a directory", f"try {os.path.join(path, 'radar')}")
    what = "a symbolic link" if stat.S_ISLNK(mode) else "there"
    raise LinkError(
        f"{path} is {what} already, and not written by 'radar link'", "--force replaces it"
    )


def _make_folders(folder: str) -> None:
    """Make them so that all users can start what is in them, whatever root's umask is."""
    umask = os.umask(0o022)
    try:
        os.makedirs(folder, exist_ok=True)
    finally:
        os.umask(umask)


def _check(path: str) -> None:
    try:
        version = ask_version(path, os.environ)
    except PermissionError:
        raise LinkError(
            f"{os.path.dirname(path)}: no program can be started there (mounted noexec?)",
            "radar link FILE writes it elsewhere",
        ) from None
    if version != radar_cli.__version__:
        raise LinkError(
            f"{sys.executable} starts radar {version}, and this is {radar_cli.__version__}",
            "run 'radar link' by the radar that it is to start",
        )


def ask_version(path: str, environ: Mapping[str, str]) -> str:
    """Start a link as cron does, and return the version of the radar that answers.

    LinkError: none does. OSError: the link itself can't be started.
    """
    done = _run([path, "--version"], environ)
    name, _, version = done.stdout.decode("utf-8", "replace").strip().partition(" ")
    if done.returncode or name != "radar":
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1].removeprefix("radar: ") if lines else f"exit code {done.returncode}"
        raise LinkError(f"radar doesn't start: {reason}")
    return version


def _run(command: list[str], environ: Mapping[str, str]) -> "subprocess.CompletedProcess[bytes]":
    """Run a program in the environment that cron gives it. LinkError: it takes too long."""
    given = {"PATH": CRON_PATH, "SHELL": "/bin/sh", "HOME": home(environ) or "/"}
    try:
        return subprocess.run(
            command,
            env=given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LinkError(f"{command[0]} takes more than {_PATIENCE_S:.0f} s to start") from None


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems can't
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
