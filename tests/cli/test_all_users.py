"""Root looks at everybody's stores, and does as little harm to them as their users would."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.pings import read_pings
from tests.support.processes import children_of, remember
from tests.support.radar import environment, radar_path, run_radar
from tests.support.requirements import require
from tests.support.waiting import wait_until

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


def _where_they_live(tmp_path: Path) -> tuple[str, ...]:
    """What to put before a command of root's, so that the users have those homes."""
    mount = f'mount --bind {tmp_path / "passwd"} /etc/passwd && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", mount, "sh")


def _as_root(tmp_path: Path, *words: str, limit: str = "10s") -> "subprocess.CompletedProcess[str]":
    """Run `radar WORDS` as root, where the users have those homes."""
    env = {**environment(), "RADAR_STORE_TIMEOUT": limit}
    return run_radar(*words, prefix=_where_they_live(tmp_path), text=True, env=env)


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
    shown = _as_root(tmp_path, "status", "--all-users")
    assert shown.returncode == 2
    assert f"games: can't be judged: can't look at {user.state}: Permission denied" in shown.stderr
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


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("mkfifo radar.db", "disk I/O error"),
        ("echo garbage, and more of it than a header has >radar.db", "file is not a database"),
        ("mkdir radar.db", "Is a directory"),
        ("ln -s radar.db radar.db", "Too many levels of symbolic links"),
        ("mkdir radar.db-wal", "disk I/O error"),
        ("cd .. && rm -r radar && ln -s radar radar", "Too many levels of symbolic links"),
        ("cd .. && rm -r radar && ln -s /mnt/unmounted radar", "File exists"),
        ("cd ../.. && rm -r state && ln -s /mnt/unmounted state", "No such file or directory"),
        ("chown 0:0 . && chmod 700 .", "Permission denied"),
        ("chmod 000 ..", "Permission denied"),
        ("cd .. && rm -r radar && mkfifo radar", "File exists"),
    ],
)
def test_what_lies_there_stops_nobody(
    tmp_path: Path, users: dict[str, User], trouble: str, reason: str
) -> None:
    _leave_trouble(users["games"], trouble)
    _see_the_others(tmp_path, users, reason)


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        ("PRAGMA user_version = 999", "was made by a newer radar (version 999"),
        ("DROP TABLE mark; CREATE TABLE mark (x)", "no such column"),
        ("DROP TABLE mark; CREATE VIEW mark AS SELECT 1 AS name, 2 AS value", "a view"),
        (
            "CREATE TRIGGER trap BEFORE INSERT ON mark BEGIN SELECT RAISE(ABORT, 'ha'); END;"
            "INSERT OR IGNORE INTO mark VALUES ('x', 'y')",
            "ha",
        ),
        (
            "CREATE TRIGGER trap BEFORE INSERT ON mark BEGIN SELECT load_extension('/tmp/x'); END",
            "load_extension",
        ),
        (
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql,"
            " 'PRIMARY KEY', 'COLLATE mine PRIMARY KEY') WHERE name = 'monitor'",
            "can't use",
        ),
        # It ends when somebody ends it.
        (
            "DROP TABLE monitor; CREATE VIEW monitor AS WITH RECURSIVE endless(key) AS"
            " (SELECT 1 UNION ALL SELECT key + 1 FROM endless) SELECT key, '' AS declared,"
            " '' AS settled, 0 AS created_us, '' AS judged, '' AS pauses, 'up' AS status,"
            " 1 AS watched, '' AS source, 0 AS next_look_us, 0 AS version, '' AS source_key,"
            " '' AS made_by, '' AS outages, '' AS faults, 0 AS fault, 0 AS news FROM endless"
            " WHERE key < 0",
            "its store took longer than 1 s",
        ),
    ],
)
def test_a_crafted_database_stops_nobody(
    tmp_path: Path, users: dict[str, User], statements: str, reason: str
) -> None:
    _make_store(users["games"])
    with contextlib.closing(sqlite3.connect(users["games"].state / "radar.db")) as database:
        with contextlib.suppress(sqlite3.IntegrityError):
            database.executescript(statements)
        database.commit()
    _leave_trouble(users["games"], "")
    _see_the_others(tmp_path, users, reason, "check")


def test_one_who_never_lets_go_stops_nobody(tmp_path: Path, users: dict[str, User]) -> None:
    _make_store(users["games"])
    with contextlib.closing(sqlite3.connect(users["games"].state / "radar.db")) as database:
        database.execute("BEGIN EXCLUSIVE")
        _leave_trouble(users["games"], "")
        _see_the_others(tmp_path, users, "its store took longer than 1 s", "check")


def test_what_looks_there_has_nothing_of_roots(tmp_path: Path, users: dict[str, User]) -> None:
    user = users["games"]
    _leave_trouble(user, "")
    with contextlib.closing(sqlite3.connect(user.state / "radar.db")) as database:
        database.execute("CREATE TABLE t (x)")
    # SQLite waits for somebody to write into it.
    _leave_trouble(user, "mkfifo radar.db-journal")
    words = (*_where_they_live(tmp_path), str(radar_path()), "check", "--all-users")
    checking = remember(subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE))
    (pid,) = wait_until(lambda: _children_as(checking.pid, user.entry.pw_uid))
    told = _told(pid)
    assert told["Gid:"] == [str(user.entry.pw_gid)] * 4
    assert (told["CapPrm:"], told["Groups:"]) == (["0" * 16], [str(user.entry.pw_gid)])
    targets = {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
    allowed = ("socket:", os.devnull, str(user.home))
    assert not [target for target in targets if not target.startswith(allowed)]
    os.kill(pid, signal.SIGKILL)
    _, errors = checking.communicate(timeout=20)
    assert b"games: can't be judged: the process that looked at its store has died" in errors


def test_files_that_are_no_pings_stop_nobody(tmp_path: Path, users: dict[str, User]) -> None:
    user = users["games"]
    user.run("run", "chess", "--", "true")
    _leave_trouble(
        user,
        "cd spool/store && mkfifo 1-start-x.ping && ln -s /etc/shadow 2-start-x.ping"
        " && mkdir 3-start-x.ping && truncate -s 1T 4-start-x.ping",
    )
    shown = _as_root(tmp_path, "status", "--all-users", "--json")
    assert [(m["user"], m["key"]) for m in json.loads(shown.stdout)["data"]] == [("games", "chess")]
    assert shown.returncode == 0


def test_what_cannot_be_judged_is_never_well(tmp_path: Path, users: dict[str, User]) -> None:
    run_radar("run", "backup", "--", "true")
    _leave_trouble(users["games"], "mkdir radar.db")
    checked = _as_root(tmp_path, "check", "--all-users", "-v")
    assert checked.returncode == 2
    assert "all well" not in checked.stderr
    assert "1 store can't be judged: games" in checked.stderr
    nagios = _as_root(tmp_path, "check", "--all-users", "--format", "nagios")
    assert nagios.returncode == 3
    assert nagios.stdout.startswith("RADAR UNKNOWN - games: can't be judged: can't use")
    metrics = _as_root(tmp_path, "check", "--all-users", "--format", "prometheus")
    assert metrics.returncode == 2
    lines = metrics.stdout.splitlines()
    assert {line for line in lines if line.startswith("radar_store")} == {
        "radar_store_judged 1",
        'radar_store_judged{user="games"} 0',
    }
    assert 'radar_monitor_up{monitor="backup"} 1' in lines
    run_radar("run", "backup", "--", "false")
    nagios = _as_root(tmp_path, "check", "--all-users", "--format", "nagios")
    assert nagios.returncode == 2
    assert "backup failed; games: can't be judged: can't use" in nagios.stdout
    wrong = _as_root(tmp_path, "check", "--all-users", limit="soon")
    assert (wrong.returncode, "RADAR_STORE_TIMEOUT" in wrong.stderr) == (2, True)


def test_roots_own_store_stops_nobody(tmp_path: Path, users: dict[str, User]) -> None:
    users["nobody"].run("run", "chess", "--", "false")
    state = Path(os.environ["RADAR_STATE_DIR"])
    state.mkdir(exist_ok=True)
    (state / "radar.db").mkdir()
    for command in ("status", "check"):
        shown = _as_root(tmp_path, command, "--all-users", "--json")
        answer = json.loads(shown.stdout)
        assert [monitor["key"] for monitor in answer["data"]] == ["chess"]
        assert answer["error"]["slug"] == "state"
        assert shown.returncode == {"status": 2, "check": 1}[command]


def test_a_dead_channel_is_told_of(tmp_path: Path, users: dict[str, User]) -> None:
    run_radar("config", "set", "notify.pager.command", "/bin/false")
    os.chmod(os.environ["RADAR_CONFIG"], 0o600)
    users["nobody"].run("run", "chess", "--", "false")
    _leave_trouble(users["games"], "mkdir radar.db")
    checked = _as_root(tmp_path, "check", "--all-users", "--notify")
    assert checked.returncode == 1
    assert "channel pager: " in checked.stderr
    assert "games: can't be judged" in checked.stderr


def _make_store(user: User) -> None:
    """Have a user look at a run, which so is in the store."""
    user.run("run", "chess", "--", "true")
    assert user.run("status").returncode == 0


def _leave_trouble(user: User, script: str) -> None:
    """Have a shell make, in the user's state directory, what then is the user's own."""
    user.state.mkdir(parents=True, exist_ok=True)
    owner = f"{user.entry.pw_uid}:{user.entry.pw_gid}"
    own = f"chown -Rh {owner} {user.home}\n"
    subprocess.run(["sh", "-ec", own + script], cwd=user.state, check=True)
    if "chown" not in script:
        subprocess.run(["sh", "-ec", own], cwd="/", check=True)


def _see_the_others(tmp_path: Path, users: dict[str, User], reason: str, *commands: str) -> None:
    """See that root learns of all that isn't games', and why nothing is known of that."""
    users["nobody"].run("run", "chess", "--", "false")
    run_radar("run", "backup", "--", "true")
    for command in commands or ("check", "status"):
        shown = _as_root(tmp_path, command, "--all-users", "--json", limit="1s")
        answer = json.loads(shown.stdout)
        found = {(monitor["user"], monitor["key"], monitor["status"]) for monitor in answer["data"]}
        assert found == {(None, "backup", "up"), ("nobody", "chess", "down")}
        assert answer["error"]["message"] == "1 store can't be judged: games"
        (line,) = (each for each in shown.stderr.splitlines() if "games: can't be judged" in each)
        assert reason in line
        assert shown.returncode == {"status": 2, "check": 1}[command]


def _children_as(pid: int, uid: int) -> list[int]:
    """The children of a process, once they have become this user."""
    return [child for child in children_of(pid) if _told(child)["Uid:"] == [str(uid)] * 4]


def _told(pid: int) -> dict[str, list[str]]:
    """What /proc tells of a process that has not ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {"Uid:": []}
    return {words[0]: words[1:] for words in map(str.split, lines) if words}


def test_nobody_else_may_ask(users: dict[str, User]) -> None:
    asked = users["nobody"].run("status", "--all-users")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr == (
        "radar: only root may look at the stores of all users (try it with sudo)\n"
    )
