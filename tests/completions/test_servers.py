"""Monitors of a server, as a person presses Tab: asked for in a moment, or silently left out."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.completions.test_words import HEAVY, ask, modules_for
from tests.support import answers
from tests.support.answers import Answer
from tests.support.radar import run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.server import Server, refused_port
from tests.support.wire import Request

_KEY = "ck_app_0123456789_" + "k" * 43
_TYPED = ("run ", "monitors show ", "monitors pause a ", "status ", "ping ")


@pytest.fixture
def local() -> None:
    """A monitor in the store here, which is nobody's once there is a server."""
    assert run_radar("ping", "local").returncode == 0
    assert run_radar("status").returncode == 0


def _configure(text: str) -> None:
    Path(os.environ["RADAR_CONFIG"]).write_text(text)


@pytest.mark.usefixtures("local")
def test_it_offers_the_monitors_of_the_server(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        for key in ("backup-db", "backup-www", "clean"):
            server.ping(key, create="1")
        login = run_radar("login", server.url, "--key", "-", stdin=server.key.encode())
        assert login.returncode == 0
        for typed in _TYPED:
            assert ask(*typed.split(" "))[1] == ["backup-db", "backup-www", "clean"], typed
        assert ask("monitors", "show", "backup-w")[1] == ["backup-www"]
        assert ask("monitors", "show", "BACKUP&limit=1")[1] == []
        # The store here, if a person says so.
        assert ask("--server", "", "monitors", "show", "")[1] == ["local"]
        assert ask("monitors", "show", "--server=", "")[1] == ["local"]
    assert ask("monitors", "show", "") == ("words", [])


@pytest.mark.usefixtures("local")
def test_it_asks_the_server_that_the_line_names(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        server.ping("far", create="1")
        _configure(f'[profiles.work]\nserver = "{server.url}"\napi_key = "{server.key}"\n')
        assert ask("run", "")[1] == ["local"]
        for typed in ("run --to work ", "--profile work run ", "status --profile=work "):
            assert ask(*typed.split(" "))[1] == ["far"], typed
        assert ask("--profile", "nobody", "run", "")[1] == ["local"]


def test_it_finds_what_begins_so_among_many(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        _fill(server)
        _configure(f'server = "{server.url}"\napi_key = "file:{server.state}/admin-key"\n')
        assert ask("run", "zeb")[1] == ["zebra"]
        assert len(ask("run", "")[1]) == 1000


def _fill(server: RadarServer) -> None:
    with server.store() as store, store.database.change() as change:
        change.execute_many(
            "INSERT INTO monitor (key, declared, created_us, judged) VALUES (?, '{}', 0, '')",
            [(f"key-{number:06}",) for number in range(1500)] + [("zebra",)],
        )


_FAULTS: dict[str, Answer | Callable[[Request], Answer]] = {
    "it never answers": answers.hang(),
    "another key is wanted": answers.status(401),
    "it is broken": answers.status(500),
    "it sends no JSON": answers.ok(b"<html>"),
    "it sends other JSON": answers.ok(b'{"keys": 7}'),
}


@pytest.mark.parametrize("fault", _FAULTS)
@pytest.mark.usefixtures("local")
def test_a_server_that_does_not_tell_is_no_news(server: Server, fault: str) -> None:
    _configure(f'server = "{server.url}"\napi_key = "{_KEY}"\n')
    server.stop()
    assert run_radar("ping", "waiting", "--ping-timeout", "0.3").returncode == 0
    server.start()
    server.behave(_FAULTS[fault])
    # What waits for it is offered all the same.
    assert ask("monitors", "show", "") == ("words", ["waiting"])
    (request,) = server.requests
    assert request.path == "/api/v1/monitor-keys"
    assert request.headers["authorization"] == f"Bearer {_KEY}"


@pytest.mark.usefixtures("local")
def test_a_server_that_is_away_is_no_news() -> None:
    with refused_port() as port:
        _configure(f'server = "http://127.0.0.1:{port}"\napi_key = "{_KEY}"\n')
        assert ask("monitors", "show", "") == ("words", [])


def test_no_program_is_asked_for_a_key(server: Server, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    _configure(f'server = "{server.url}"\napi_key = "cmd:touch {asked}"\n')
    assert ask("run", "") == ("words", [])
    assert not asked.exists()
    assert server.requests == []


def test_it_asks_without_what_is_slow_to_load(server: Server) -> None:
    server.behave(answers.ok(b'{"keys": ["far"], "next": null}'))
    _configure(f'server = "{server.url}"\napi_key = "{_KEY}"\n')
    modules = modules_for("run", "")
    assert server.requests
    assert not modules & {"click", *HEAVY}
