"""A radar with a Python of its own, which a test may break, and the link to it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import radar_cli
from tests.support.namespaces import own_mounts
from tests.support.radar import Word, environment
from tests.support.requirements import require_program

# What Debian has as /bin/sh, what Red Hat and Alpine have there, and mksh.
SHELLS = ("dash", "bash", "busybox", "mksh")
_START = (
    "import sys; sys.path.append(sys.argv.pop(1));"
    " from radar_cli.launch.command import main; sys.exit(main())"
)


def as_sh(shell: str) -> list[str]:
    """A prefix for a command, for which /bin/sh is this shell."""
    wanted, present = (os.path.realpath(require_program(name)) for name in (shell, "/bin/sh"))
    return [] if wanted == present else own_mounts(f"mount --bind {wanted} {present}")


class Installation:
    """The modules of radar and of Python are those that are installed, in a folder of the test's.

    `python` is the interpreter; `library` is the standard library, a folder of symbolic links;
    `package` is a copy of radar_cli, beside symbolic links to what it needs.
    """

    def __init__(self, folder: Path) -> None:
        real = Path(os.path.realpath(sys.executable))
        self.python = folder / "python/bin" / real.name
        self.library = folder / "python/lib" / f"python{sysconfig.get_python_version()}"
        site = folder / "site"
        self.package = site / "radar_cli"
        self.link = folder / "link/radar"
        self.python.parent.mkdir(parents=True)
        shutil.copy2(real, self.python)
        self.library.mkdir(parents=True)
        for path in Path(sysconfig.get_path("stdlib")).iterdir():
            (self.library / path.name).symlink_to(path)
        for path in (real.parent.parent / "lib").glob("libpython*"):
            (self.library.parent / path.name).symlink_to(path)
        shutil.copytree(radar_cli.__path__[0], self.package)
        for path in Path(radar_cli.__path__[0]).parent.iterdir():
            if path.name != "radar_cli" and not path.name.endswith(".pth"):
                (site / path.name).symlink_to(path)
        self.site = site

    def command(self, *words: Word) -> list[Word]:
        """This radar without the link."""
        return [self.python, "-I", "-S", "-c", _START, self.site, *words]

    def write_link(self, path: Path | None = None) -> None:
        done = subprocess.run(
            self.command("link", path or self.link),
            env=environment(measured=False),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
