"""A real exim4 as Debian sets it up: it takes each mail, and what is for elsewhere bounces."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.namespaces import own_mounts
from tests.support.radar import environment, radar_path
from tests.support.requirements import require, require_program, require_root
from tests.support.waiting import wait_until

# What Debian's installer writes unless it is asked for something else (debconf's defaults).
_DEFAULTS = """\
dc_eximconfig_configtype='local'
dc_other_hostnames='machine.test'
dc_local_interfaces='127.0.0.1 ; ::1'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost=''
CFILEMODE='644'
dc_use_split_config='false'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
"""


class Exim:
    """Its own folders, seen by what runs in its mount namespace alone; no daemon is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        require_root("a mail system of the test's own")
        require_program("exim4")
        make = require_program("update-exim4.conf")
        require(Path("/etc/exim4/exim4.conf.template").exists(), "exim4-config is not installed")
        folder.mkdir()
        settings = folder / "etc"
        shutil.copytree("/etc/exim4", settings)
        (settings / "update-exim4.conf.conf").write_text(_DEFAULTS)
        for name in ("spool", "log", "mail", "lib"):
            (folder / name).mkdir()
            shutil.chown(folder / name, "Debian-exim", "Debian-exim" if name != "mail" else "mail")
        (folder / "mail").chmod(0o2775)
        for outer in (folder, *folder.parents[:-2]):
            outer.chmod(outer.stat().st_mode | 0o011)
        self._mounts = [
            f"mount --bind {settings} /etc/exim4",
            *(
                f"mount --bind {folder / name} /var/{name}/exim4"
                for name in ("spool", "log", "lib")
            ),
            f"mount --bind {folder / 'mail'} /var/mail",
        ]
        self._run(make)

    def _run(self, *words: str) -> None:
        subprocess.run([*own_mounts(*self._mounts), *words], check=True, timeout=60)

    def run_radar(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `radar WORDS` where this is the machine's mail system."""
        return subprocess.run(
            [*own_mounts(*self._mounts), radar_path(), *words],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def said(self) -> str:
        """What it has logged."""
        log = self._folder / "log" / "mainlog"
        return log.read_text(errors="replace") if log.exists() else ""


def test_a_mail_that_exim_took_is_called_on_its_way_and_doctor_sees_that_it_never_leaves(
    tmp_path: Path,
) -> None:
    exim = Exim(tmp_path / "exim")
    exim.run_radar("config", "set", "notify.mail.email", "ops@example.com")
    tested = exim.run_radar("notify", "test", "--json")
    assert tested.returncode == 0, tested.stderr
    (result,) = json.loads(tested.stdout)["data"]
    # It doesn't say that it arrives: nobody knows, and it doesn't.
    assert result["delivered"] is None
    assert "doesn't say whether it arrives" in result["answer"]
    wait_until(lambda: "remote domains not supported" in exim.said(), 30)
    assert " => ops@example.com" not in exim.said()
    found = json.loads(exim.run_radar("doctor", "--json").stdout)["data"]
    (mail,) = [each for each in found if each["what"] == "mail"]
    assert mail["state"] == "bad"
    assert mail["message"].startswith("mail to ops@example.com stays on this machine: exim4 is set")
