"""A child's own view of the machine: prefixes for a command, to be run as root.

Each becomes the command without a fork, where the kernel allows that, so the pid that
Popen knows is the command's own. Nothing outside of the child changes.
"""

import functools
import subprocess
from pathlib import Path

from tests.support.requirements import require, require_program, require_root


@functools.cache
def _works(*options: str) -> bool:
    words = [require_program("unshare"), *options, "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _unshare(*options: str) -> list[str]:
    unshare = require_program("unshare")
    require_root(f"unshare {' '.join(options)}")
    require(_works(*options), f"unshare {' '.join(options)} is not permitted here")
    return [unshare, *options]


def own_mounts(*commands: str) -> list[str]:
    """Run shell commands (`mount …`) in a mount namespace first; a failing one ends it, 98."""
    script = "\n".join(f"{command} || exit 98" for command in commands)
    return [*_unshare("--mount"), "sh", "-c", f'{script}\nexec "$@"', "sh"]


def no_network() -> list[str]:
    """Not even loopback: every connection and every lookup fails at once."""
    return _unshare("--net")


def as_pid_1() -> list[str]:
    """The command is PID 1 of its own PID namespace, as in a container.

    Popen's pid is unshare's, which ends as its child ends: with its code, or of its signal.
    """
    return _unshare("--pid", "--fork", "--kill-child", "--mount-proc")


def as_user() -> list[str]:
    """The command is another user than root, for whom the files of root are their own."""
    return _unshare("--user", "--map-user=1000", "--map-group=1000")


def own_names(hosts: str, directory: Path) -> list[str]:
    """Names are what the lines of `hosts` say, as in /etc/hosts, and nothing else."""
    return own_mounts(*_name_files(directory, "", hosts, "files"))


def dead_dns(resolver: str, directory: Path) -> list[str]:
    """Names are looked up at `resolver` and nowhere else (see `tests.support.dns`)."""
    resolv, hosts = f"nameserver {resolver}\n", "127.0.0.1 localhost\n"
    return own_mounts(*_name_files(directory, resolv, hosts, "files dns"))


def _name_files(directory: Path, resolv: str, hosts: str, sources: str) -> list[str]:
    files = {"resolv.conf": resolv, "hosts": hosts, "nsswitch.conf": f"hosts: {sources}\n"}
    mounts = []
    for name, text in files.items():
        (directory / name).write_text(text)
        if Path("/etc", name).exists():
            mounts.append(f"mount --bind {directory / name} /etc/{name}")
    return mounts
