"""The root of a machine on which nothing is installed but Debian's minimum, made by debootstrap."""

import functools
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.docs import CHECKOUT
from tests.support.requirements import require, require_program, require_root

# What this machine needs to reach its package registries.
_FILES = ("/etc/pip.conf", "/etc/xdg/pip", "/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")
_VARIABLES = ("PIP_", "SSL_CERT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http", "https", "no_p")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class CleanRoot:
    """Runs commands as root in it, by chroot(2), with the machine's network and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own = {n: v for n, v in os.environ.items() if n.startswith(_VARIABLES)}

    def words(self, *command: str, user: str = "") -> list[str]:
        """Return the words that run a command in it."""
        as_user = [f"--userspec={user}"] if user else []
        return [require_program("chroot"), *as_user, str(self.folder), *command]

    def env(self, **more: str) -> dict[str, str]:
        """Return the environment of a login."""
        known = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", "TERM": "xterm"}
        return known | {"DEBIAN_FRONTEND": "noninteractive"} | self._own | more

    def run(self, line: str, *, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a line of bash."""
        done = subprocess.run(
            self.words("/bin/bash", "-c", line),
            env=self.env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done

    def install(self, *packages: str) -> None:
        """Install Debian packages."""
        words = "apt-get -qq install -y --no-install-recommends"
        self.run(f"apt-get -qq update && {words} {shlex.join(packages)}")

    def find(self, pattern: str) -> set[str]:
        """Return the paths of files whose name is like that, without caches and logs."""
        pruned = (
            "-path /proc -o -path /tmp -o -path /root/.cache -o -path /var/cache -o -path /var/log"
        )
        found = self.run(f"find / \\( {pruned} \\) -prune -o -iname {shlex.quote(pattern)} -print")
        return set(found.stdout.split())

    def copy_checkout(self, path: str) -> None:
        """Put the files of the checkout there."""
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "dist")
        shutil.copytree(CHECKOUT, f"{self.folder}{path}", ignore=ignored)


@functools.cache
def _pristine() -> Path:
    """Make a root, once for all tests of this process."""
    require_root("debootstrap, chroot")
    debootstrap = require_program("debootstrap")
    release = Path("/etc/os-release").read_text()
    require("ID=debian" in release, "needs Debian")
    suite = release.partition("VERSION_CODENAME=")[2].partition("\n")[0]
    folder = Path(tempfile.mkdtemp(prefix="radar-root-"))
    words = [debootstrap, "--variant=minbase", "--include=ca-certificates", suite, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no mirror of Debian for debootstrap: {done.stdout[-300:]}")
    folder.chmod(0o755)
    for name in _FILES:
        path, target = Path(name), folder / name[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        elif path.exists():
            shutil.copy(path, target)
    return folder


@contextmanager
def clean_root(folder: Path) -> Iterator[CleanRoot]:
    """Yield a root of the test's own in `folder`; it is removed afterwards."""
    subprocess.run(["cp", "-a", str(_pristine()), str(folder)], check=True)
    try:
        yield CleanRoot(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_pristine() -> None:
    """Remove what all roots were copied from."""
    if _pristine.cache_info().currsize:
        shutil.rmtree(_pristine(), ignore_errors=True)
