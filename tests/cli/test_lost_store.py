"""A store that is missing or emptied where monitors were known is noticed, not taken for new."""

import contextlib
import json
import os
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.cli.envelopes import read_envelope
from tests.support.postgresql import running
from tests.support.radar import environment, run_radar, spool_files
from tests.support.radar_server import RadarServer, serving
from tests.support.waiting import wait_until


def _new(place: Path) -> None:
    """As a program has it that finds nothing and begins anew."""
    place.unlink()
    with contextlib.closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE other (x)")
        connection.execute("DROP TABLE other")


_LOSSES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "is missing"),
    "empty": (lambda place: os.truncate(place, 0), "is empty"),
    "begun anew": (_new, "isn't the store that was here"),
}


@pytest.fixture
def used(state_dir: Path) -> Path:
    """The state directory of a machine with two monitors."""
    for name in ("one", "two"):
        run_radar("run", name, "--every", "1h", "--", "true")
    assert run_radar("status").returncode == 0
    assert run_radar("backup", str(state_dir.with_name("backup"))).returncode == 0
    return state_dir


@pytest.mark.parametrize("loss", _LOSSES)
def test_nothing_is_begun_in_its_stead(used: Path, loss: str) -> None:
    lose, words = _LOSSES[loss]
    lose(used / "radar.db")
    before = (used / "radar.db").exists()
    for command in (("status",), ("check",), ("monitors", "list"), ("backup", "file")):
        done = run_radar(*command, text=True)
        assert (done.returncode, done.stdout) == (2, ""), command
        (line,) = done.stderr.splitlines()
        assert f"{used}/radar.db {words}: 2 monitors were known" in line
        assert "radar restore FILE" in line
        assert f"rm {used}/radar.db.known" in line
    assert read_envelope(run_radar("status", "--json", text=True))["error"]["slug"] == "lost-store"
    nagios = run_radar("check", "--format", "nagios", text=True)
    assert nagios.returncode == 3
    assert "2 monitors were known" in nagios.stdout
    doctor = run_radar("doctor", "--json", text=True)
    assert doctor.returncode == 1
    (remark,) = [r for r in json.loads(doctor.stdout)["data"] if r["what"] == "store"]
    assert remark["state"] == "bad"
    assert words in remark["message"]
    # Jobs run, and their pings wait for the store.
    run_radar("run", "one", "--", "true")
    assert run_radar("status").returncode == 2
    assert len(spool_files()) == 2
    assert (used / "radar.db").exists() == before


@pytest.mark.parametrize("loss", _LOSSES)
def test_a_backup_that_is_put_back_takes_in_what_has_come_since(used: Path, loss: str) -> None:
    _LOSSES[loss][0](used / "radar.db")
    run_radar("run", "one", "-c", "exit 3")
    done = run_radar("restore", str(used.with_name("backup")), text=True)
    assert done.returncode == 0, done.stderr
    shown = read_envelope(run_radar("status", "--json", text=True))["data"]
    assert {entry["key"]: entry["status"] for entry in shown} == {"one": "down", "two": "up"}


@pytest.mark.parametrize("loss", _LOSSES)
def test_a_person_may_begin_anew(used: Path, loss: str) -> None:
    _LOSSES[loss][0](used / "radar.db")
    hint = run_radar("status", text=True).stderr
    words = shlex.split(hint.rpartition("to begin anew: ")[2].strip().removesuffix(")"))
    assert words[0] == "rm"
    Path(words[1]).unlink()
    run_radar("run", "three", "--", "true")
    shown = read_envelope(run_radar("status", "--json", text=True))["data"]
    assert [entry["key"] for entry in shown] == ["three"]


def test_deleted_monitors_are_no_loss(used: Path) -> None:
    assert run_radar("monitors", "delete", "one", "two", "--yes").returncode == 0
    assert run_radar("status").returncode == 0
    assert (used / "radar.db.known").stat().st_mode & 0o777 == 0o600


def test_another_store_put_there_by_hand_is_not_taken_for_it(used: Path, tmp_path: Path) -> None:
    other = environment(RADAR_STATE_DIR=str(tmp_path / "other"))
    run_radar("run", "stranger", "--", "true", env=other)
    assert run_radar("status", env=other).returncode == 0
    (tmp_path / "other" / "radar.db").replace(used / "radar.db")
    done = run_radar("status", text=True)
    assert done.returncode == 2
    assert "isn't the store that was here: 2 monitors were known" in done.stderr


def _begin(state: Path, database: str = "") -> RadarServer:
    """A server that has known a monitor, stopped."""
    server = RadarServer(state, database=database)
    with server:
        server.ping("job", create="1")
        (state / "admin-key").unlink()  # as it says: to a safe place
        wait_until(lambda: [*state.glob("*known*")])
    return server


def _is_lost(server: RadarServer) -> bool:
    with contextlib.suppress(httpx.TransportError):
        answer = server.request("GET", "/healthz", key="")
        return answer.status_code == 503 and "isn't the one" in answer.json()["store"]
    return False


@contextlib.contextmanager
def _launched(server: RadarServer) -> Iterator[None]:
    """It runs, and needn't be healthy."""
    server.launch()
    try:
        yield
    finally:
        server.__exit__()


def test_a_server_starts_with_a_warning_and_keeps_what_waits(tmp_path: Path) -> None:
    state = tmp_path / "server"
    server = _begin(state)
    backup = str(tmp_path / "backup")
    assert run_radar("backup", backup, env=server.environment()).returncode == 0
    (state / "radar.db").unlink()
    run_radar("run", "job", "-c", "exit 3", env=server.environment())
    with _launched(server):
        wait_until(lambda: _is_lost(server))
        assert "warning: " in server.said()
        said = f"{state}/radar.db isn't the store that was here: 1 monitor was known"
        assert said in server.said()
        assert not (state / "admin-key").exists()  # nobody has said that it is to begin anew
        assert server.ping("job").status_code == 401
    assert len(spool_files(state)) == 2
    assert run_radar("restore", backup, env=server.environment()).returncode == 0
    with server:
        wait_until(lambda: server.request("GET", "/api/v1/monitors/job").json()["status"] == "down")


def test_a_database_taken_away_from_a_running_server_is_noticed(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        server.ping("job", create="1")
        (tmp_path / "server" / "radar.db").unlink()
        wait_until(lambda: _is_lost(server), 20)
        assert f"{tmp_path}/server/radar.db was taken away" in server.said()
        assert server.ping("job").status_code == 503
        assert not (tmp_path / "server" / "radar.db").exists()


def test_a_server_says_to_who_asks_that_its_store_is_another_one(tmp_path: Path) -> None:
    server = _begin(tmp_path / "server")
    stranger = _begin(tmp_path / "stranger")
    (tmp_path / "stranger" / "radar.db").replace(tmp_path / "server" / "radar.db")
    with _launched(server):
        wait_until(lambda: _is_lost(server))
        loss = server.request("GET", "/api/v1/status", key=stranger.key).json()["loss"]
        assert "isn't the store that was here: 1 monitor was known" in loss
        env = environment(RADAR_SERVER=server.url, RADAR_API_KEY=stranger.key)
        for command in ("status", "check", "doctor"):
            done = run_radar(command, env=env, text=True)
            assert done.returncode == 1
            assert loss.partition(" (")[0] in done.stdout + done.stderr
        assert run_radar("check", "--format", "nagios", env=env).returncode == 3
        # Once that is decided, it goes on as if nothing had been.
        (tmp_path / "server" / "radar.db.known").unlink()
        wait_until(lambda: not _is_lost(server), 20)
        assert run_radar("status", env=env).returncode == 0


def test_a_postgresql_that_was_made_anew_is_noticed(tmp_path: Path) -> None:
    with running() as cluster:
        url = cluster.database()
        server = _begin(tmp_path / "server", database=url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        with _launched(server):
            wait_until(lambda: _is_lost(server))
            assert "isn't the store that was here: 1 monitor" in server.said()
