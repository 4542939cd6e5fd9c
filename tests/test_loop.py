"""The whole loop in real time: a job of a real cron, a server elsewhere, a person who is told."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.cron import Cron
from tests.support.radar import environment, radar_path, run_radar
from tests.support.radar_server import RadarServer
from tests.support.server import Server
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# Cron looks at the clock once a minute.
_LINE_S = 75


def _told(server: Server) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in server.requests]


@pytest.mark.nightly(daily="tests/test_cron.py")
def test_a_cron_that_dies_is_told_of_and_so_is_its_return(tmp_path: Path, server: Server) -> None:
    config = f'[notify.hook]\nwebhook = "{server.url}/hook"\n'
    job = f"{radar_path()} run minutely --schedule '* * * * *' --tz UTC --grace 3s -- echo done"
    with RadarServer(tmp_path / "elsewhere", config=config) as watcher:
        login = run_radar("login", watcher.url, "--key", "-", stdin=watcher.key.encode() + b"\n")
        assert login.returncode == 0, login.stderr
        with Cron(tmp_path, f"* * * * * {job}"):
            wait_until(lambda: _status(watcher) == "up", _LINE_S)
        # Its daemon is dead now, and nobody has touched the server.
        wait_until(lambda: _told(server), _LINE_S, every_s=0.02)
        noticed = time.time()
        (missed,) = _told(server)
        assert (missed["kind"], missed["monitor"], missed["reason"]) == (
            "down",
            "minutely",
            "missed",
        )
        assert "done" in missed["last_run"]["output"]
        deadline = _moment(missed["since"])
        assert deadline % 60 == pytest.approx(3)
        print(f"told {noticed - deadline:.2f} s after the deadline")
        status = run_radar("status", text=True)
        assert "down (missed)" in status.stdout
        assert run_radar("check").returncode == 1
        with Cron(tmp_path / "again", f"* * * * * {job}"):
            wait_until(lambda: len(_told(server)) == 2, _LINE_S)
        assert _told(server)[1]["kind"] == "up"
        assert run_radar("check", env=environment()).returncode == 0


def _status(watcher: RadarServer) -> str:
    answer = watcher.request("GET", "/api/v1/monitors/minutely")
    return str(answer.json().get("status", ""))


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
