"""Writing a crontab back: by crontab(1), or beside the file and renamed. Whose package it is."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress

from radar_cli.core.errors import RadarError
from radar_cli.crontab.sources import Machine, Source, without_header

_PATIENCE_S = 30.0


class CrontabError(RadarError):
    """A crontab can't be written, or has changed since it was read."""

    slug = "crontab"


def write(source: Source, text: bytes, machine: Machine) -> None:
    """Replace a crontab in one step. CrontabError: it isn't any more what was read, or can't."""
    if _read_again(source, machine) != source.text:
        raise CrontabError(f"{source.place} has changed meanwhile", "start again")
    if source.is_spooled:
        _install(source, text)
    else:
        _replace(source, text)


def can_write(source: Source) -> bool:
    """Whether this user may."""
    if source.is_spooled:
        return True
    folder = os.path.dirname(os.path.realpath(source.path))
    return os.access(source.path, os.W_OK) and os.access(folder, os.W_OK | os.X_OK)


def find_packages(paths: Iterable[str]) -> dict[str, str]:
    """Return the packages of the files that belong to one, as dpkg or rpm knows them."""
    wanted = [path for path in paths if path.startswith("/")]
    if not wanted:
        return {}
    if shutil.which("dpkg"):
        lines = (line.rpartition(": ") for line in _ask("dpkg", "-S", *wanted))
        return {path: package for package, _, path in lines if path in wanted}
    if shutil.which("rpm"):
        found = {path: next(iter(_ask("rpm", "-qf", path)), "") for path in wanted}
        return {path: package for path, package in found.items() if package}
    return {}


def _ask(*command: str) -> list[str]:
    """Return what a program prints; it complains of files that belong to none."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CrontabError(f"{command[0]} doesn't say whose files these are: {error}") from None
    if command[0] == "rpm" and done.returncode:
        return []
    return done.stdout.decode("utf-8", "surrogateescape").splitlines()


def _read_again(source: Source, machine: Machine) -> bytes:
    if source.is_spooled and os.geteuid() != 0:
        return machine.ask_crontab(source.user) or b""
    try:
        with open(source.path, "rb") as file:
            text = file.read()
        return without_header(text) if source.is_spooled else text
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise CrontabError(f"{source.path}: {error.strerror}") from None


def _install(source: Source, text: bytes) -> None:
    whose = ["-u", source.user] if os.geteuid() == 0 else []
    try:
        done = subprocess.run(
            ["crontab", *whose, "-"],
            input=text,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CrontabError(f"{source.place} isn't written: crontab: {error}") from None
    if done.returncode:
        message = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise CrontabError(f"{source.place} isn't written: {message}")


def _replace(source: Source, text: bytes) -> None:
    path = os.path.realpath(source.path)
    try:
        status = os.stat(path)
        # cron takes no file whose name begins with a dot.
        descriptor, temporary = tempfile.mkstemp(prefix=".radar-", dir=os.path.dirname(path))
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(path, temporary)
            with suppress(OSError):
                for name in os.listxattr(path):  # SELinux's label, say
                    os.setxattr(temporary, name, os.getxattr(path, name))
            os.rename(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise CrontabError(f"{source.path} isn't written: {error.strerror}") from None
