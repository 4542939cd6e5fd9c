"""`radar doctor`: each thing that stands in radar's way has a remark and a hint."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Spool
from tests.cli.envelopes import read_envelope
from tests.support import answers
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.server import Server


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RadarServer]:
    with serving(tmp_path / "server") as started:
        yield started


@pytest.fixture(autouse=True)
def _config(user_file: Path) -> None:
    """The environment names a file, which has to be there."""
    user_file.write_text("")


def _ask(**variables: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the remarks by what they are about."""
    done = run_radar("doctor", "--json", env=environment() | variables, text=True)
    return done.returncode, {entry["what"]: entry for entry in read_envelope(done)["data"]}


def test_nothing_is_bad_on_a_machine_without_a_server() -> None:
    code, found = _ask()
    assert code == 0
    assert [found[what]["state"] for what in ("config", "state", "outbox", "store")] == ["ok"] * 4
    assert found["notices"]["state"] == "beware"
    assert f"PATH={_folder()}" in found["cron"]["hint"]


def _folder() -> str:
    return os.path.dirname(str(run_radar("config", "path").args[0]))


def test_it_asks_the_server(served: RadarServer) -> None:
    code, found = _ask(RADAR_SERVER=served.url, RADAR_API_KEY=served.key)
    assert (code, found["server"]["state"], found["clock"]["state"]) == (0, "ok", "ok")
    code, found = _ask(RADAR_SERVER=served.url, RADAR_API_KEY="ck_app_wrong_key")
    assert (code, found["server"]["state"]) == (1, "bad")


def test_it_says_that_the_server_is_away() -> None:
    code, found = _ask(RADAR_SERVER="http://127.0.0.1:9")
    assert (code, found["server"]["state"]) == (1, "bad")
    assert "can't reach http://127.0.0.1:9" in found["server"]["message"]


def test_it_says_that_clocks_are_apart(server: Server) -> None:
    body = b'{"version": "1", "scope": "read"}'
    server.behave(answers.status(200, {"Radar-Time": "1800000000000000"}, body))
    assert _ask(RADAR_SERVER=server.url)[1]["clock"]["state"] == "beware"


def test_it_says_what_is_to_edit_and_what_waits(user_file: Path, state_dir: Path) -> None:
    user_file.write_text('grce = "5m"\n')
    Spool(str(state_dir)).put(
        Ping("fail", "x", time_us=1), {"server": "https://radar.example"}, durable=False
    )
    code, found = _ask()
    assert (code, found["config"]["state"], found["outbox"]["state"]) == (1, "bad", "bad")


def test_it_says_that_the_state_directory_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, found = _ask(RADAR_STATE_DIR=str(tmp_path / "file"))
    assert (code, found["state"]["state"], found["store"]["state"]) == (1, "bad", "bad")
