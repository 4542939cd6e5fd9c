"""A ping that was answered is stored, once, whatever happens to the server or to its database."""

import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from tests.support.disk import SmallDisk
from tests.support.load import Load, stored_ids
from tests.support.postgresql import Postgresql
from tests.support.radar_server import RadarServer, serving
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def _wait_for_load(load: Load, more: int = 200) -> None:
    enough = len(load.acknowledged) + more
    wait_until(lambda: len(load.acknowledged) >= enough, 60, f"{enough} pings answered")


def _expect_all_stored(server: RadarServer, load: Load) -> None:
    stored = stored_ids(server)
    assert not load.acknowledged - stored.keys()
    assert set(stored.values()) == {1}


def test_a_server_that_is_killed_has_stored_what_it_answered(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server, Load(server) as load:
        for _ in range(3):
            _wait_for_load(load)
            server.stop(signal.SIGKILL)
            server.start()
        _wait_for_load(load)
    _expect_all_stored(server, load)
    with serving(tmp_path / "server") as again:
        assert again.is_healthy()


def test_a_server_that_is_told_to_stop_answers_what_it_has_taken(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server, Load(server) as load:
        _wait_for_load(load)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 12
        # From here on nobody answers, so that all that was answered was so before.
    _expect_all_stored(server, load)
    assert set(load.statuses) <= {0, 200}
    assert "Traceback" not in server.said()


def test_a_full_disk_is_said_and_gets_over(tmp_path: Path) -> None:
    with SmallDisk(tmp_path, 8_000_000) as disk:
        state = disk.path / "state"
        server = RadarServer(state)
        # What the test itself writes of it isn't on that disk.
        server.log = tmp_path / "server.stderr"
        with server, Load(server) as load:
            _wait_for_load(load)
            disk.fill()
            wait_until(lambda: load.statuses[503] > 5, 30, "503")
            answer = server.ping("m1", b"x", id="00000000-0000-7000-8000-000000000001")
            assert answer.status_code == 503
            assert answer.json()["error"] == "UNAVAILABLE"
            assert int(answer.headers["Retry-After"]) > 0
            disk.free()
            _wait_for_load(load)
        _expect_all_stored(server, load)
    assert load.statuses.keys() <= {200, 503}
    assert "disk is full" in server.said()
    assert server.said().count("\n") < 30  # it doesn't fill a log instead
    assert "Traceback" not in server.said()


def test_a_database_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    """As `radar` itself never does, but a backup may."""
    with serving(tmp_path / "server") as server, Load(server) as load:
        _wait_for_load(load)
        other = sqlite3.connect(tmp_path / "server" / "radar.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answered = len(load.acknowledged)
        time.sleep(3)  # it is held that long, and nothing is to happen
        assert len(load.acknowledged) <= answered + 8
        assert server.request("GET", "/healthz").status_code == 200
        other.execute("ROLLBACK")
        other.close()
        _wait_for_load(load)
    assert load.statuses.keys() == {200}
    _expect_all_stored(server, load)


@pytest.mark.nightly(daily="tests/cli/test_hostile.py")
def test_a_database_that_is_held_for_good_is_said(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        assert server.ping("job", create="1").status_code == 200
        other = sqlite3.connect(tmp_path / "server" / "radar.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = server.request("POST", "/ping/job", timeout=60)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        other.execute("ROLLBACK")
        other.close()
        assert server.ping("job").status_code == 200


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_postgresql_that_is_restarted_loses_nothing(
    tmp_path: Path, cluster: Postgresql, how: signal.Signals
) -> None:
    """SIGINT ends its connections, SIGQUIT is a crash: what it has committed is in its log."""
    with (
        serving(tmp_path / "server", database=cluster.url()) as server,
        Load(server) as load,
    ):
        _wait_for_load(load)
        cluster.stop(how)
        time.sleep(1)
        cluster.start()
        _wait_for_load(load)
        wait_until(server.is_healthy, 30)
    assert load.statuses.keys() <= {200, 503}
    _expect_all_stored(server, load)
    assert "Traceback" not in server.said()


def test_a_server_whose_postgresql_is_away_answers_503(tmp_path: Path, cluster: Postgresql) -> None:
    with serving(tmp_path / "server", database=cluster.url()) as server:
        assert server.ping("job", create="1").status_code == 200
        cluster.stop()
        answers: list[int] = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(
                    RadarServer.ping(server, "job").status_code  # each waits for a connection
                )
            )
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        assert server.request("GET", "/healthz", timeout=40).status_code == 503
        for thread in threads:
            thread.join(60)
        assert answers == [503] * 3
        cluster.start()
        wait_until(lambda: server.ping("job").status_code == 200, 30, "a ping is stored")
        assert "radar@" not in server.ping("job").text
