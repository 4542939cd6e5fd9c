"""`radar outbox list|flush|drop`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import hang, ok, status
from tests.support.radar import environment, radar_path, run_radar, spool_files, start_radar
from tests.support.server import Server
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until


@pytest.fixture
def env(server: Server) -> dict[str, str]:
    return environment(
        RADAR_SERVER=server.url, RADAR_API_KEY="ck_app_test_key", RADAR_PING_TIMEOUT="0.3"
    )


def _list(env: dict[str, str] | None = None) -> list[dict[str, Any]]:
    listed = run_radar("outbox", "list", "--json", env=env)
    assert listed.returncode == 0
    data: list[dict[str, Any]] = json.loads(listed.stdout)["data"]
    return data


def test_it_is_empty_at_first() -> None:
    listed = run_radar("outbox", "list", text=True)
    assert (listed.returncode, listed.stdout) == (0, "")
    assert "empty" in listed.stderr
    flushed = run_radar("outbox", "flush", text=True)
    assert (flushed.returncode, flushed.stdout) == (0, "0 delivered, 0 left\n")


@pytest.mark.parametrize("words", [("list",), ("flush",), ("drop", "--all", "--yes")])
def test_it_is_not_empty_where_it_cannot_be_read(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()

    done = run_radar("outbox", *words, env=environment(RADAR_STATE_DIR=str(tmp_path / "file")))

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Not a directory" in done.stderr
    assert b"RADAR_STATE_DIR" in done.stderr


def test_it_does_not_show_what_belongs_to_the_store() -> None:
    run_radar("run", "job", "--", "true")
    assert _list() == []


def test_it_lists_what_waits_with_where_to_and_since_when(
    server: Server, env: dict[str, str]
) -> None:
    server.behave(hang())
    run_radar("run", "job", "--", "sh", "-c", "echo out; exit 2", env=env)
    listed = run_radar("outbox", "list", env=env, text=True).stdout.splitlines()
    assert len(listed) == 3
    assert server.url in listed[1]
    start, fail = _list()
    assert (start["kind"], fail["kind"], fail["fields"]["exit"]) == ("start", "fail", "2")
    assert fail["output"] == "out\n"
    assert start["run_id"] == fail["run_id"]


def test_it_holds_no_key_on_disk(server: Server, env: dict[str, str]) -> None:
    server.behave(hang())
    run_radar("run", "job", "--", "echo", "ck_app_test_key", env=env)
    assert len(spool_files()) == 2
    for path in spool_files():
        assert b"ck_app_test_key" not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


def test_it_flushes_in_order_and_once(server: Server, env: dict[str, str]) -> None:
    server.behave(hang())
    for key in ("a", "b"):
        run_radar("run", key, "--", "true", env=env)
    server.behave(ok())
    arrived = len(server.pings)
    flushed = run_radar("outbox", "flush", env=env, text=True)
    assert (flushed.returncode, flushed.stdout) == (0, "4 delivered, 0 left\n")
    assert [(ping.monitor, ping.kind) for ping in server.pings[arrived:]] == [
        ("a", "start"),
        ("a", "complete"),
        ("b", "start"),
        ("b", "complete"),
    ]
    assert run_radar("outbox", "flush", env=env, text=True).stdout == "0 delivered, 0 left\n"


def test_it_fails_with_the_reason_while_the_server_is_away(
    server: Server, env: dict[str, str]
) -> None:
    server.stop()
    run_radar("run", "a", "--", "true", env=env)
    flushed = run_radar("outbox", "flush", env=env, text=True)
    assert flushed.returncode == 3
    assert "Connection refused" in flushed.stderr
    assert len(_list()) == 2


def test_it_tries_what_was_refused_only_when_a_person_asks(
    server: Server, env: dict[str, str]
) -> None:
    server.behave(status(404, body=b'{"error":"NOT_FOUND"}'))
    refused = run_radar("run", "a", "--no-start", "--", "true", env=env, text=True)
    assert refused.returncode == 0
    assert "refused" in refused.stderr
    assert [ping["rejected"] is not None for ping in _list()] == [True]
    server.behave(ok())
    run_radar("run", "b", "--no-start", "--", "true", env=env)
    assert [ping.monitor for ping in server.accepted] == ["b"]
    assert run_radar("outbox", "flush", env=env).returncode == 0
    assert [ping.monitor for ping in server.accepted] == ["b", "a"]
    assert _list() == []


def test_it_says_whose_key_is_missing(server: Server, env: dict[str, str]) -> None:
    server.behave(hang())
    run_radar("run", "a", "--no-start", "--", "true", env=env)
    flushed = run_radar("outbox", "flush", text=True)
    assert flushed.returncode != 0
    assert f"no key or profile for what waits for {server.url}" in flushed.stderr
    assert len(_list()) == 1


def test_it_drops_by_monitor_by_id_or_all_and_asks_before(
    server: Server, env: dict[str, str]
) -> None:
    server.behave(hang())
    for key in ("a", "b", "c"):
        run_radar("run", key, "--no-start", "--", "true", env=env)
    refused = run_radar("outbox", "drop", "--all", stdin=b"n\n", text=False)
    assert refused.returncode == 130
    assert len(_list()) == 3
    assert run_radar("outbox", "drop", "a", stdin=b"y\n").returncode == 0
    assert run_radar("outbox", "drop", _list()[0]["id"], "--yes").returncode == 0
    assert [ping["monitor"] for ping in _list()] == ["c"]
    assert run_radar("outbox", "drop", "--all", "--yes", text=True).stdout == "1 dropped\n"
    assert run_radar("outbox", "drop", "nobody", "--yes").returncode == 1
    assert run_radar("outbox", "drop").returncode == 2


def test_it_delivers_for_a_profile_with_that_profiles_key(server: Server, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[profiles.team]\nserver = "{server.url}"\napi_key = "ck_app_of_team"\n')
    config.chmod(0o600)
    server.behave(hang())
    run_radar("run", "a", "--to", "team", "--no-start", "--ping-timeout", "0.3", "--", "true")
    server.behave(ok())
    assert run_radar("outbox", "flush").returncode == 0
    assert server.requests[-1].headers["authorization"] == "Bearer ck_app_of_team"


def test_it_delivers_what_waited_for_a_broken_config(server: Server, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("server = [broken\n")
    run = run_radar("run", "a", "--no-start", "--", "true", text=True)
    assert run.returncode == 0
    assert len(run.stderr.splitlines()) == 1
    assert [ping["profile"] for ping in _list()] == ["default"]
    config.write_text(f'server = "{server.url}"\napi_key = "ck_app_mended"\n')
    config.chmod(0o600)
    assert run_radar("outbox", "flush", text=True).stdout == "1 delivered, 0 left\n"
    assert [ping.monitor for ping in server.accepted] == ["a"]


def test_it_shows_progress_to_a_person_only(server: Server, env: dict[str, str]) -> None:
    server.behave(hang())
    for key in ("a", "b"):
        run_radar("run", key, "--no-start", "--", "true", env=env)
    server.behave(ok())
    with Terminal([radar_path(), "outbox", "flush"], env) as screen:
        screen.read_until(rb"delivering.*100%")
        screen.read_until(b"2 delivered, 0 left")
    assert run_radar("outbox", "flush", env=env).stderr == b""


def test_it_says_what_a_running_job_delivers(server: Server, env: dict[str, str]) -> None:
    server.behave(hang())
    slow = env | {"RADAR_PING_TIMEOUT": "60"}
    job = start_radar("run", "slow", "--", "sleep", "60", env=slow)
    wait_until(lambda: server.requests, what="the start")
    flushed = run_radar("outbox", "flush", env=env, text=True)
    assert (flushed.returncode, flushed.stdout) == (1, "0 delivered, 1 left\n")
    assert "1 is being delivered by a running job" in flushed.stderr
    assert "nobody knows" not in flushed.stderr
    job.kill()
    job.wait()
    server.behave(ok())
    assert run_radar("outbox", "flush", env=env).returncode == 0
    assert [ping.monitor for ping in server.accepted][-1] == "slow"


def test_it_takes_into_the_store_what_turns_out_to_be_its_own(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("broken = \n")
    run_radar("run", "job", "--", "true")
    assert len(_list(environment(RADAR_CONFIG="/dev/null"))) == 2
    config.unlink()
    flushed = run_radar("outbox", "flush", text=True)
    assert (flushed.returncode, flushed.stdout, flushed.stderr) == (0, "2 delivered, 0 left\n", "")
    assert _list() == []
    status_ = json.loads(run_radar("status", "--json").stdout)["data"]
    assert [each["key"] for each in status_] == ["job"]
