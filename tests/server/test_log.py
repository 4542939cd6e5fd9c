"""What the server says of itself: with times and levels, as JSON if wished, and without secrets."""

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.radar import radar_path
from tests.support.radar_server import RadarServer, serving
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error): \S.*")
_BROKEN = "UPDATE monitor SET judged = '{', next_look_us = 1 WHERE key = 'job'"


def _spoil(server: RadarServer) -> None:
    """Have the evaluator complain, and a client that speaks no HTTP."""
    server.ping("job", create="1")
    with server.store() as store, store.database.change() as change:
        change.execute(_BROKEN)
    wait_until(lambda: "'job' can't be judged" in server.said())


def _ask_with_secrets(server: RadarServer) -> None:
    server.request("GET", f"/ping/well/{server.key}?create=1")
    server.request("GET", f"/ping/{server.key}/well?message={server.key}")
    server.request("GET", "/ping/0f6fd5c5-3e1e-4b0e-9a3f-3a5d2f3f6a77")


@pytest.mark.parametrize("form", ["text", "json"])
def test_each_line_has_a_time_and_a_level(tmp_path: Path, form: str) -> None:
    words = ("--log-format", form, "--log-level", "debug")
    with serving(tmp_path / "server", *words) as server:
        _spoil(server)
        _ask_with_secrets(server)
        server.stop()
        lines = server.said().splitlines()
        assert server.key not in server.said()
        assert "0f6fd5c5" not in server.said()
    if form == "text":
        assert [line for line in lines if not _LINE.fullmatch(line)] == []
        levels = {line.split()[1].rstrip(":") for line in lines}
    else:
        entries = [json.loads(line) for line in lines]
        levels = {entry["level"] for entry in entries}
        for entry in entries:
            assert datetime.fromisoformat(entry["time"]).tzinfo is not None
            assert entry["logger"].split(".")[0] in ("radar", "uvicorn", "asyncio")
            assert entry["message"]
        asked = [entry for entry in entries if entry.get("path", "").startswith("/ping/well/")]
        assert [(e["method"], e["status"], e["client"]) for e in asked] == [
            ("GET", 200, "127.0.0.1")
        ]
    assert levels >= {"debug", "info", "warning"}


def test_what_is_less_important_is_left_out(tmp_path: Path) -> None:
    with serving(tmp_path / "server", "--log-level", "warning") as server:
        _spoil(server)
        server.stop()
        levels = {line.split()[1] for line in server.said().splitlines()}
    assert levels == {"warning:"}


def test_the_first_key_is_shown_on_a_terminal_and_is_in_no_log() -> None:
    words = ("server", "--bind", "127.0.0.1:0", "--log-format", "json", "--log-level", "debug")
    with Terminal([radar_path(), *words], columns=500) as person:
        key = person.read_until(rb"radar: admin key \(shown only now\): (ck_app_\S+)").group(1)
        person.read_until(rb"running on")
        person.send_control("c")
        assert person.wait() == 0
        assert person.screen.count(key) == 1
