"""Where a machine's crontabs are, and what can't be read of them."""

import os
import pwd
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from radar_cli.crontab.lines import Crontab, parse

SYSTEM_CRONTAB = "/etc/crontab"
SYSTEM_FOLDER = "/etc/cron.d"
# Debian's cron and busybox's crond, and cronie.
SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron")
STDIN = "-"
# run-parts(8), and Debian's cron(8) of cron.d.
_DEBIAN_NAME = re.compile(r"[A-Za-z0-9_-]+")
# What cronie leaves aside in cron.d, and its run-parts in the others.
_CRONIE_IGNORED = (".rpmsave", ".rpmorig", ".rpmnew", ".swp", ".cfsaved", ",v", "~", ",")
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Source:
    """A crontab. `user` is whose it is; in one with a column of users, each line says it."""

    path: str  # without the root that is looked at
    text: bytes
    user: str = ""
    is_spooled: bool = False  # crontab(1) writes it

    @cached_property
    def crontab(self) -> Crontab:
        """What stands in it."""
        return parse(self.text, has_users=self.has_users)

    @property
    def has_users(self) -> bool:
        """Whether each line names its user."""
        return not self.user

    @property
    def place(self) -> str:
        """What people call it."""
        return f"crontab of {self.user}" if self.is_spooled else self.path


@dataclass
class Machine:
    """A machine by its root directory; `unread` says of what can't be read, why."""

    root: str = "/"
    unread: dict[str, str] = field(default_factory=dict)

    def at(self, path: str) -> str:
        """Return where an absolute path of the machine is from here."""
        return os.path.join(self.root, path.lstrip("/"))

    @property
    def is_here(self) -> bool:
        """Whether it is the machine that this runs on."""
        return os.path.realpath(self.root) == "/"

    @cached_property
    def is_debian(self) -> bool:
        """Whether files are chosen by Debian's rules of names, which run-parts(8) has."""
        is_cronie = os.path.exists(self.at("/usr/sbin/crond")) or os.path.exists(
            self.at("/etc/redhat-release")
        )
        return os.path.exists(self.at("/etc/debian_version")) or not is_cronie

    def knows_cron_tz(self) -> bool:
        """Whether its cron obeys CRON_TZ: cronie's does, Debian's and busybox's don't."""
        path = self.at("/usr/sbin/crond")
        return os.path.exists(path) and "busybox" not in os.path.realpath(path)

    def is_chosen(self, name: str) -> bool:
        """Whether cron and run-parts take a file of that name."""
        if self.is_debian:
            return _DEBIAN_NAME.fullmatch(name) is not None
        return not name.startswith((".", "#")) and not name.endswith(_CRONIE_IGNORED)

    def list_folder(self, path: str) -> list[str]:
        """Return the names in a folder, in order; one that can't be read is noted."""
        try:
            return sorted(os.listdir(self.at(path)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.unread[path] = str(error.strerror)
            return []

    def read(self, path: str) -> bytes | None:
        """Return what a file holds; None if there is none, or none that can be read: noted."""
        try:
            with open(self.at(path), "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.unread[path] = str(error.strerror)
            return None

    def find_crontabs(self) -> Iterator[Source]:
        """Yield the crontabs of users and of the system."""
        yield from self._find_spooled()
        if (text := self.read(SYSTEM_CRONTAB)) is not None:
            yield Source(SYSTEM_CRONTAB, text)
        for name in self.list_folder(SYSTEM_FOLDER):
            path = f"{SYSTEM_FOLDER}/{name}"
            if self.is_chosen(name) and os.path.isfile(self.at(path)):
                text = self.read(path)
                if text is not None:
                    yield Source(path, text)

    def _find_spooled(self) -> Iterator[Source]:
        seen = set()
        for folder in SPOOLS:
            names = self.list_folder(folder)
            for name in names:
                path = f"{folder}/{name}"
                if name.startswith((".", "tmp.")) or not os.path.isfile(self.at(path)):
                    continue  # folders of at(1), and what crontab(1) is just writing
                text = self.read(path)
                if text is not None:
                    seen.add(name)
                    yield Source(path, text, name, is_spooled=True)
        if self.is_here and os.geteuid() != 0:
            own = own_name()
            if own not in seen and (text := self.ask_crontab(own)) is not None:
                yield Source(f"{SPOOLS[0]}/{own}", text, own, is_spooled=True)

    def ask_crontab(self, user: str) -> bytes | None:
        """Return one's own crontab as crontab(1) tells it; None if there is none."""
        try:
            done = subprocess.run(
                ["crontab", "-l"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE_S,
                check=False,
            )
        except FileNotFoundError:
            return None
        except (OSError, subprocess.TimeoutExpired) as error:
            self.unread[f"crontab of {user}"] = str(error)
            return None
        if done.returncode == 0:
            return done.stdout
        reason = done.stderr.decode("utf-8", "replace").strip()
        if "no crontab" not in reason:
            self.unread[f"crontab of {user}"] = reason or f"crontab -l: exit {done.returncode}"
        return None


def own_name() -> str:
    """Return the name of this user, or the number where no database knows it."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def read_file(path: str, user: str) -> Source:
    """Return a crontab by its path: in /etc/crontab and in a cron.d, lines name their users.

    OSError: it can't be read.
    """
    path = os.path.abspath(path)
    with open(path, "rb") as file:
        text = file.read()
    folder, name = os.path.split(path)
    for spool in SPOOLS:
        if folder == spool:
            return Source(path, text, name, is_spooled=True)
    is_system = os.path.basename(folder) == "cron.d" or path.endswith(SYSTEM_CRONTAB)
    return Source(path, text, "" if is_system else user)
