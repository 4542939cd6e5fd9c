"""`radar backup` and `radar restore`: tested by restoring."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radar_cli.store.opening import open_database, open_embedded
from radar_cli.store.schema import MIGRATIONS
from tests.cli.envelopes import read_envelope
from tests.support.pings import read_pings
from tests.support.postgresql import running
from tests.support.radar import environment, radar_path, run_radar
from tests.support.radar_server import serving
from tests.support.requirements import require_root
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

_JOBS = {"well": "exit 0", "failed": "echo disk is full; exit 9", "loud": "echo lines; echo more"}


def _env(state: Path) -> dict[str, str]:
    return environment(RADAR_STATE_DIR=str(state))


def _fill(state: Path) -> None:
    """Monitors in every state, with pings that wait in the spool."""
    env = _env(state)
    for name, line in _JOBS.items():
        run_radar("run", name, "--every", "1h", "-c", line, env=env)
    run_radar("ping", "unwatched", env=env)
    assert run_radar("monitors", "pause", "loud", env=env).returncode == 0
    run_radar("run", "spooled", "--every", "1h", "--", "true", env=env)
    assert run_radar("ping", "running", "start", "--every", "1h", env=env).returncode == 0


_filled: list[Path] = []  # once for all tests of this process: it takes a dozen of them


@pytest.fixture
def state(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory of the test's own, with monitors, and pings that wait."""
    if not _filled:
        folder = tmp_path_factory.mktemp("filled") / "state"
        _fill(folder)
        _filled.append(folder)
    return Path(shutil.copytree(_filled[0], tmp_path / "state"))


@pytest.fixture
def file(tmp_path: Path, state: Path) -> Path:
    """A backup of it."""
    made = tmp_path / "backup"
    assert _backup(state, made)["pings"] == 10
    return made


def _judged(state: Path) -> Any:
    """What is said of every monitor, and of the runs of one."""
    env = _env(state)
    found = [read_envelope(run_radar("status", "--json", env=env, text=True))["data"]]
    for name in (*_JOBS, "running"):
        history = run_radar("monitors", "history", name, "--json", env=env, text=True)
        found.append(read_envelope(history)["data"])
    return found


def _count(file: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM ping").fetchone()[0])


def _backup(state: Path, file: Path) -> dict[str, Any]:
    done = run_radar("backup", str(file), "--json", env=_env(state), text=True)
    data: dict[str, Any] = read_envelope(done)["data"]
    return data


def test_every_monitor_is_judged_as_before_at_another_path(tmp_path: Path, state: Path) -> None:
    here, there, file = state, tmp_path / "there" / "state", tmp_path / "radar.backup"
    assert len(read_pings(here)) == 3
    done = run_radar("backup", str(file), env=_env(here), text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{file}: 6 monitors and 10 pings of {here}/radar.db, checked")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("radar.backup*")) == [file.name]
    # One file, which is read where nobody can write.
    with contextlib.closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    restored = run_radar("restore", str(file), env=_env(there), text=True)
    assert (restored.returncode, restored.stderr) == (0, "")
    assert _judged(there) == _judged(here)
    assert [path.name for path in there.iterdir() if "before" in path.name] == []


def test_a_backup_under_load_holds_every_ping_that_was_answered_before(tmp_path: Path) -> None:
    answered, stopping = [0, 0], threading.Event()
    with serving(tmp_path / "server", "--rate-limit", "0") as server:
        env = server.environment()

        def load(number: int) -> None:
            while not stopping.is_set():
                assert server.ping(f"job-{number}", b"x" * 2000, create="1").status_code == 200
                answered[number] += 1

        with _threads(load, load):
            wait_until(lambda: min(answered) > 20)
            spooled = run_radar("run", "spooled", "--every", "1h", "--", "true", env=env)
            before = sum(answered)
            file = tmp_path / "during"
            done = run_radar("backup", str(file), env=env, text=True)
            assert (done.returncode, spooled.returncode) == (0, 0), done.stderr
            after = sum(answered)
            # It goes on being written to meanwhile.
            wait_until(lambda: sum(answered) > after)
            stopping.set()
        assert before + 2 <= _count(file) <= after + 2 + len(answered)
        refused = run_radar("restore", str(file), "--yes", env=env, text=True)
        assert refused.returncode == 2
        assert f"a server runs on {tmp_path}/server/radar.db (stop it first)" in refused.stderr
        assert server.stop() == 0
        total = sum(answered) + 2
        final = tmp_path / "final"
        assert _backup(server.state, final)["pings"] == total == _count(final)
        assert run_radar("restore", str(file), "--yes", env=env).returncode == 0
        kept = next(server.state.glob("radar.db.before-*"))
        assert _count(kept) == total
        server.start()
        assert server.ping("job-0").status_code == 200
        with server.store() as store:
            assert store.history.count_pings("job-0", "job-1", "spooled") == _count(file) + 1


@contextlib.contextmanager
def _threads(*loads: Any) -> Iterator[None]:
    threads = [threading.Thread(target=load, args=(number,)) for number, load in enumerate(loads)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join(30)


def test_a_restore_while_others_look_changes_all_at_once(state: Path, file: Path) -> None:
    """What has the store open keeps it open: it is the same file, with another content."""
    run_radar("run", "later", "--", "true", env=_env(state))
    inode = (state / "radar.db").stat().st_ino
    with open_embedded(str(state)) as store:
        assert run_radar("status", env=_env(state)).returncode == 0
        assert store.monitors.find("later") is not None
        assert run_radar("restore", str(file), "--yes", env=_env(state)).returncode == 0
        assert (state / "radar.db").stat().st_ino == inode
        assert store.monitors.find("later") is None
        assert store.monitors.find("failed") is not None
        run_radar("ping", "newer", env=_env(state))
        assert run_radar("status", "newer", env=_env(state)).returncode == 0
        assert store.monitors.find("newer") is not None


def test_it_asks_before_it_replaces(state: Path, file: Path) -> None:
    no = run_radar("restore", str(file), env=_env(state), stdin=b"n\n", text=True)
    question = f"Replace 6 monitors and 10 pings at {state}/radar.db by the 6 monitors"
    assert question in no.stderr
    assert no.returncode == 130
    nobody = run_radar("restore", str(file), env=_env(state), text=True)
    assert nobody.returncode == 130
    assert nobody.stderr.endswith("\nradar: nobody is here to answer ('--yes' asks nothing)\n")
    assert "nobody" not in no.stderr
    assert not list(state.glob("radar.db.before*"))
    yes = run_radar("restore", str(file), env=_env(state), stdin=b"y\n", text=True)
    assert yes.returncode == 0
    (kept,) = state.glob("radar.db.before-*")
    assert f"what was there is in {kept}" in yes.stdout
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert _count(kept) == 10


def test_an_older_backup_is_replaced_in_one_step_and_nothing_else_is(
    tmp_path: Path, state: Path, file: Path
) -> None:
    run_radar("ping", "well", env=_env(state))
    assert _backup(state, file)["pings"] == 11 == _count(file)
    letter = tmp_path / "letter"
    letter.write_text("dear Sir or Madam\n" * 100)
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE shop (item TEXT)")
    for name, words in (
        (letter, "is no backup of radar's"),
        (other, "is no backup of radar's"),
        (tmp_path, "is no file"),
        (state / "radar.db", "is the store itself"),
        (tmp_path / "nowhere" / "file", "can't write into"),
    ):
        before = name.read_bytes() if name.is_file() else b""
        done = run_radar("backup", str(name), env=_env(state), text=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
        assert before == (name.read_bytes() if name.is_file() else b"")
    assert not list(tmp_path.glob("*.tmp"))


def test_where_there_is_no_store_there_is_no_backup(tmp_path: Path) -> None:
    done = run_radar("backup", str(tmp_path / "file"), env=_env(tmp_path / "none"), text=True)
    assert done.returncode == 2
    assert "there is no store at" in done.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_stream_is_no_backup(command: str) -> None:
    done = run_radar(command, "-", text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("radar: a backup is a file, no stream (")


def _newer(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


def _other(file: Path) -> None:
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE shop (item TEXT)")


def _damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 9] = b"\xff" * 4096 * 6
    file.write_bytes(content)


def _damage_a_leaf(file: Path, table: str) -> None:
    """Spoil one page, of which others can be read without it."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        query = "SELECT max(pageno) FROM dbstat WHERE name = ? AND pagetype = 'leaf'"
        (page,) = connection.execute(query, (table,)).fetchone()
    content = bytearray(file.read_bytes())
    content[4096 * (page - 1) : 4096 * page] = b"\xff" * 4096
    file.write_bytes(content)


_UNFIT = {
    "newer": (_newer, "was made by a newer radar", "upgrade radar"),
    "of another program": (_other, "is no database of radar's", "'radar backup FILE' makes one"),
    "no database": (lambda file: file.write_bytes(b"x" * 5000), "is no database", "radar backup"),
    "damaged": (_damage, "is damaged", ".recover | sqlite3 "),
    "cut off": (lambda file: os.truncate(file, 4096 * 5), "is damaged", ".recover | sqlite3 "),
    "empty": (lambda file: os.truncate(file, 0), "is no database of radar's", "radar backup"),
    "away": (lambda file: file.unlink(), "there is no file", ""),
}


@pytest.mark.parametrize("what", _UNFIT)
def test_what_is_no_backup_is_refused_and_leaves_the_store_alone(
    state: Path, file: Path, what: str
) -> None:
    before = (state / "radar.db").read_bytes()
    spoil, words, hint = _UNFIT[what]
    spoil(file)
    done = run_radar("restore", str(file), "--yes", env=_env(state), text=True)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("radar: ")
    assert str(file) in line
    assert words in line
    assert hint in line
    assert ".tmp" not in line
    assert (state / "radar.db").read_bytes() == before
    assert not list(state.glob("radar.db.before*"))


def test_an_older_backup_is_read_as_todays(tmp_path: Path) -> None:
    old = Path(__file__).parent.parent / "old" / "0.1"
    copy = shutil.copytree(old / "state", tmp_path / "copy")
    before = (copy / "radar.db").read_bytes()
    state = tmp_path / "state"
    done = run_radar("restore", str(copy / "radar.db"), env=_env(state), text=True)
    assert done.returncode == 0, done.stderr
    assert (copy / "radar.db").read_bytes() == before
    with contextlib.closing(sqlite3.connect(state / "radar.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert json.loads(run_radar("status", "--json", env=_env(state), text=True).stdout)["data"]


@pytest.mark.parametrize("damage", [_damage, lambda file: file.write_bytes(b"x" * 5000)])
def test_a_backup_replaces_a_store_that_cannot_be_read(
    tmp_path: Path, state: Path, file: Path, damage: Any
) -> None:
    before = _judged(state)
    damage(state / "radar.db")
    spoiled = (state / "radar.db").read_bytes()
    assert run_radar("backup", str(tmp_path / "late"), env=_env(state)).returncode == 2
    asked = run_radar("restore", str(file), env=_env(state), stdin=b"y\n", text=True)
    assert asked.returncode == 0, asked.stderr
    assert f"Replace what can't be read at {state}/radar.db by the 6 monitors" in asked.stderr
    (kept,) = state.glob("radar.db.before-*")
    assert kept.read_bytes() == spoiled
    assert _judged(state) == before


def test_what_the_hint_saves_of_a_damaged_store_is_put_back(tmp_path: Path, state: Path) -> None:
    for _ in range(3):
        run_radar("run", "well", "-c", "seq 3000", env=_env(state))
    assert run_radar("status", env=_env(state)).returncode == 0
    _damage_a_leaf(state / "radar.db", "ping")
    failed = run_radar("backup", str(tmp_path / "file"), env=_env(state), text=True)
    assert failed.returncode == 2
    lines = failed.stderr.partition(" (")[2].split("'")[1::2]
    place, saved = state / "radar.db", tmp_path / "NEW"
    assert lines == [f"sqlite3 {place} .recover | sqlite3 NEW", "radar restore NEW"]
    _recover(place, saved)
    words = ("restore", str(saved))
    restored = run_radar(*words, "--yes", env=_env(state), text=True)
    assert restored.returncode == 0, restored.stderr
    known = json.loads(run_radar("status", "--json", env=_env(state), text=True).stdout)["data"]
    assert {entry["key"] for entry in known} >= {"well", "failed", "loud", "spooled", "running"}


def _recover(damaged: Path, saved: Path) -> None:
    """Do as sqlite3's `.recover`, which not every build has: Debian 12's is without."""
    with (
        contextlib.closing(sqlite3.connect(damaged)) as read,
        contextlib.closing(sqlite3.connect(saved)) as written,
        written,
    ):
        (version,) = read.execute("PRAGMA user_version").fetchone()
        written.execute(f"PRAGMA user_version = {version}")
        written.execute("CREATE TABLE lost_and_found (pgno INTEGER)")
        schema = read.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql != ''"
        ).fetchall()
        for kind, name, sql in sorted(schema, key=lambda row: row[0] != "table"):
            written.execute(sql)
            if kind == "table":
                with contextlib.suppress(sqlite3.DatabaseError):
                    for row in read.execute(f"SELECT * FROM {name}"):
                        written.execute(
                            f"INSERT INTO {name} VALUES ({'?, ' * (len(row) - 1)}?)", row
                        )


def test_a_server_that_starts_during_a_restore_waits_for_its_end(state: Path, file: Path) -> None:
    """A person who is asked holds it up; the server says why it doesn't start."""
    with Terminal([radar_path(), "restore", file], env=_env(state)) as person:
        person.read_until(rb"\[y/N\]")
        server = run_radar("server", "--bind", "127.0.0.1:0", env=_env(state), text=True)
        assert server.returncode == 2
        assert "is being restored (try again)" in server.stderr
        person.send(b"y\n")
        assert person.wait() == 0


def test_a_killed_server_holds_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        server.ping("job", create="1")
        file = tmp_path / "backup"
        _backup(server.state, file)
        server.stop(signal.SIGKILL)
        assert run_radar("restore", str(file), "--yes", env=server.environment()).returncode == 0


def test_for_postgresql_it_prints_lines_that_do_it_without_the_password(tmp_path: Path) -> None:
    with running() as cluster:
        url = cluster.database()
        with serving(tmp_path / "server", database=url) as server:
            server.ping("job", b"said", create="1")
        secret = url.replace("radar@", "radar:s3cret@") + "?password=s3cret"
        file = tmp_path / "a dump"
        lines = []
        for command in ("backup", "restore"):
            done = run_radar(command, str(file), "--database", secret, text=True)
            assert done.returncode == 2
            assert "s3cret" not in done.stdout + done.stderr
            assert "~/.pgpass" in done.stderr
            lines.append(done.stdout)
        env = environment(PATH=f"{cluster.programs}:{os.environ['PATH']}")
        subprocess.run(["/bin/sh", "-ec", lines[0]], env=env, check=True, timeout=60)
        with open_database(url) as store:
            store.monitors.delete(["job"])
        subprocess.run(["/bin/sh", "-ec", lines[1]], env=env, check=True, timeout=60)
        with open_database(url) as store:
            assert [ping.body for ping in store.pings.newest("job", 9)] == [b"said"]


def test_root_gives_what_it_makes_to_the_owner_of_the_folder(tmp_path: Path, file: Path) -> None:
    require_root("to act for another user")
    folder = tmp_path / "services"
    folder.mkdir()
    os.chown(folder, 1234, 1234)
    assert run_radar("restore", str(file), env=_env(folder)).returncode == 0
    assert {path.stat().st_uid for path in folder.glob("radar.db*")} == {1234}
