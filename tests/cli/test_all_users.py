"""Root looks at everybody's stores, and does as little harm to them as their users would."""

import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.pings import read_pings
from tests.support.radar import environment, run_radar
from tests.support.requirements import require

# Users that every Debian has, whose homes are moved for the test by a file of its own.
_NAMES = ("games", "nobody")


@dataclass
class User:
    name: str
    home: Path
    entry: pwd.struct_passwd

    @property
    def state(self) -> Path:
        return self.home / ".local/state/radar"

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `radar WORDS` as this user, with nothing configured."""
        # Where it is installed, only root may look: the tests' Python is root's own.
        may_read = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
        ids = ("--reuid", self.name, "--regid", str(self.entry.pw_gid), "--clear-groups")
        return run_radar(
            *words,
            prefix=("setpriv", *ids, *may_read),
            env={"HOME": str(self.home), "PATH": os.environ["PATH"], "TZ": "UTC"},
            cwd=self.home,
            text=True,
        )


@pytest.fixture
def users(tmp_path: Path) -> Iterator[dict[str, User]]:
    """Two users with homes of their own, which a passwd file in a mount namespace names."""
    require(os.geteuid() == 0, "only root may look at the stores of all users")
    # pytest's folders are root's alone.
    base = Path("/tmp") / f"radar-users-{os.getpid()}"
    base.mkdir(mode=0o755)
    found = {}
    lines = []
    for line in Path("/etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] in _NAMES:
            home = base / fields[0]
            home.mkdir()
            os.chown(home, int(fields[2]), int(fields[3]))
            fields[5] = str(home)
            found[fields[0]] = User(fields[0], home, pwd.getpwnam(fields[0]))
        lines.append(":".join(fields))
    (tmp_path / "passwd").write_text("\n".join(lines) + "\n")
    yield found
    shutil.rmtree(base)


def _as_root(tmp_path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `radar WORDS` as root, where the users have those homes."""
    mount = f'mount --bind {tmp_path / "passwd"} /etc/passwd && exec "$@"'
    prefix = ("unshare", "--mount", "sh", "-c", mount, "sh")
    return run_radar(*words, prefix=prefix, text=True, env=environment())


def test_it_shows_whose_each_monitor_is(tmp_path: Path, users: dict[str, User]) -> None:
    users["games"].run("run", "chess", "--", "true")
    users["nobody"].run("run", "chess", "--", "sh", "-c", "echo oh; exit 3")
    run_radar("run", "backup", "--", "true")
    shown = _as_root(tmp_path, "status", "--all-users", "--json")
    data = json.loads(shown.stdout)["data"]
    assert {(m["user"], m["key"], m["status"]) for m in data} == {
        (None, "backup", "up"),
        ("games", "chess", "up"),
        ("nobody", "chess", "down"),
    }
    assert "backup" in run_radar("status", text=True).stdout
    checked = _as_root(tmp_path, "check", "--all-users")
    assert checked.returncode == 1
    assert "nobody  chess" in checked.stdout
    assert "sudo -iu nobody radar status -v chess" in checked.stdout
    nagios = _as_root(tmp_path, "check", "--all-users", "--format", "nagios")
    assert "1 of 3: nobody/chess failed" in nagios.stdout
    metrics = _as_root(tmp_path, "check", "--all-users", "--format", "prometheus").stdout
    assert 'radar_monitor_up{monitor="chess",user="nobody"} 0' in metrics


def test_what_it_leaves_belongs_to_the_user(tmp_path: Path, users: dict[str, User]) -> None:
    user = users["games"]
    user.run("run", "chess", "--", "true")
    assert _as_root(tmp_path, "status", "--all-users").returncode == 0
    owners = {path.stat().st_uid for path in [user.state, *user.state.rglob("*")]}
    assert owners == {user.entry.pw_uid}
    user.run("run", "chess", "--", "false")
    assert _as_root(tmp_path, "check", "--all-users").returncode == 1


def test_it_takes_nothing_that_waits_for_a_server(tmp_path: Path, users: dict[str, User]) -> None:
    user = users["games"]
    (user.home / ".config/radar").mkdir(parents=True)
    (user.home / ".config/radar/config.toml").write_text("server = [\n")
    for path in user.home.rglob("*"):
        os.chown(path, user.entry.pw_uid, user.entry.pw_gid)
    user.run("run", "chess", "--", "true")
    assert _as_root(tmp_path, "status", "--all-users").returncode == 0
    assert [ping.kind for ping in read_pings(user.state)] == ["start", "success"]


def test_a_link_leads_root_nowhere(tmp_path: Path, users: dict[str, User]) -> None:
    user = users["games"]
    user.run("run", "chess", "--", "true")
    shutil.rmtree(user.state)
    target = tmp_path / "roots"
    target.mkdir()
    (target / "spool").mkdir()
    (target / "spool" / "precious.ping").write_text("root's own")
    os.chmod(target, 0o700)
    os.symlink(target, user.state)
    assert _as_root(tmp_path, "status", "--all-users").returncode == 0
    assert [path.name for path in target.iterdir()] == ["spool"]
    os.unlink(user.state)
    user.state.mkdir()
    os.chown(user.state, user.entry.pw_uid, user.entry.pw_gid)
    os.symlink(target / "spool", user.state / "spool")
    assert _as_root(tmp_path, "status", "--all-users").returncode == 0
    assert (target / "spool" / "precious.ping").read_text() == "root's own"


def test_people_are_told_by_roots_channels(tmp_path: Path, users: dict[str, User]) -> None:
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\nid -un >{tmp_path}/who; cat >{tmp_path}/told\n")
    pager.chmod(0o700)
    run_radar("config", "set", "notify.pager.command", str(pager))
    os.chmod(os.environ["RADAR_CONFIG"], 0o600)
    users["nobody"].run("run", "chess", "--", "false")
    assert _as_root(tmp_path, "check", "--all-users", "--notify").returncode == 1
    assert (tmp_path / "who").read_text() == "root\n"
    assert json.loads((tmp_path / "told").read_text())["monitor"] == "chess"


def test_nobody_else_may_ask(users: dict[str, User]) -> None:
    asked = users["nobody"].run("status", "--all-users")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr == (
        "radar: only root may look at the stores of all users (try it with sudo)\n"
    )
