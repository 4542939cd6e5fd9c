"""Debian's own cron daemon, at work on a crontab of the test's.

It runs in a mount namespace in which all its files are the test's: the machine's crontabs
are neither read nor written, and a cron that already runs isn't disturbed.
"""

import os
import pwd
import shlex
import signal
import subprocess
from pathlib import Path
from typing import Self

from tests.support.namespaces import own_mounts
from tests.support.processes import children_of
from tests.support.radar import environment
from tests.support.requirements import missing, require_program, require_root

# What a crontab needs at its top, for radar to stay in the test's home.
_SETTINGS = (
    "HOME",
    "PATH",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "RADAR_STATE_DIR",
    "RADAR_CONFIG",
    "RADAR_SYSTEM_CONFIG",
)


class Cron:
    """Starts the daemon. Cron looks at the clock once a minute; `@reboot` lines run at once.

    `crontab` is what a person would type into `crontab -e`; the test's isolation is put on
    top of it (`settings` overrides and adds to that), and the same for /etc/crontab. What a
    line prints is mailed: `mails` are the messages, as they were given to sendmail.
    """

    def __init__(
        self,
        directory: Path,
        crontab: str,
        *,
        settings: dict[str, str] | None = None,
        system_crontab: str = "",
        user: str = "root",
    ) -> None:
        require_root("the cron daemon")
        if not Path("/etc/debian_version").exists():
            missing("Debian's cron (its files are elsewhere on other systems)")
        daemon = require_program("cron")
        self._directory = directory / "cron"
        self._mails = self._directory / "mails"
        for name in ("crontabs", "cron.d", "sbin", "mails"):
            (self._directory / name).mkdir(parents=True)
        env = environment()
        given = {name: env[name] for name in _SETTINGS if name in env} | (settings or {})
        lines = [f'{name}="{value}"' for name, value in given.items()]
        own = self._directory / "crontabs" / user
        own.write_text("\n".join([*lines, crontab.strip(), ""]))
        own.chmod(0o600)
        os.chown(own, pwd.getpwnam(user).pw_uid, 0)
        system = self._directory / "crontab"
        system.write_text("\n".join([*lines, system_crontab.strip(), ""]))
        system.chmod(0o644)
        self._write_sendmail()
        self.process = subprocess.Popen(
            # -f: in the foreground; -L 0: nothing to syslog.
            [*own_mounts(*self._mounts()), daemon, "-f", "-L", "0"],
            env={"PATH": env["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def _mounts(self) -> list[str]:
        there = shlex.quote(str(self._directory))
        return [
            "mount -t tmpfs tmpfs /run",  # its lock, and its mark that @reboot was done
            f"mount --bind {there}/crontabs /var/spool/cron/crontabs",
            f"mount --bind {there}/cron.d /etc/cron.d",
            f"mount --bind {there}/crontab /etc/crontab",
            f"mount -t overlay -o lowerdir={there}/sbin:/usr/sbin overlay /usr/sbin",
        ]

    def _write_sendmail(self) -> None:
        """A sendmail that keeps each message in a file of its own, complete when it is there."""
        mails = shlex.quote(str(self._mails))
        program = self._directory / "sbin/sendmail"
        program.write_text(f"#!/bin/sh\ncat >{mails}/.$$ && mv {mails}/.$$ {mails}/$$\n")
        program.chmod(0o755)

    @property
    def mails(self) -> list[bytes]:
        """The messages so far: headers, an empty line, and what the line printed."""
        names = [name for name in self._mails.iterdir() if not name.name.startswith(".")]
        return [name.read_bytes() for name in sorted(names, key=lambda path: path.stat().st_mtime)]

    def close(self) -> None:
        """Stop the daemon. What its lines started ends with the test (see `no_strays`)."""
        stopped_early = self.process.poll() is not None
        grandchildren = children_of(self.process.pid)
        self.process.terminate()
        _, errors = self.process.communicate(timeout=10)
        for pid in grandchildren:  # the forks that wait for a line's end
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        assert not stopped_early, f"cron ended by itself: {errors.decode()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
