"""A watch on the watcher: two servers, each of which tells of the other's silence."""

import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar_cli.server.runtime.beacon import Watcher
from tests.support import answers
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.server import Server
from tests.support.waiting import wait_until

_CREATE = ("server", "keys", "create", "--scope", "admin")
_TOKEN = "0f6fd5c5-3e1e-4b0e-9a3f-3a5d2f3f6a77"


@contextlib.contextmanager
def _pair(tmp_path: Path, channel: Server) -> Iterator[tuple[RadarServer, RadarServer]]:
    """Two servers that watch each other; each tells `channel`, at a path of its own."""
    names = ("a", "b")
    servers = {}
    for name in names:
        words = ("--ping", f"file:{tmp_path}/url-of-{name}", "--ping-every", "1s")
        # One notice for each change, as none is to wait for others here.
        config = f'[notify.chat]\nwebhook = "{channel.url}/{name}"\ntogether = false\n'
        servers[name] = RadarServer(tmp_path / name, *words, config=config)
    for name, other in (names, names[::-1]):
        watcher = servers[other]
        made = run_radar(*_CREATE, env=watcher.environment(), text=True)
        watcher.key = made.stdout.strip()
        url = tmp_path / f"url-of-{name}"
        url.write_text(f"{watcher.url}/ping/radar-{name}/{watcher.key}\n")
        url.chmod(0o600)
    with servers["a"], servers["b"]:
        yield servers["a"], servers["b"]


def _told(channel: Server, by: str) -> list[tuple[str, str]]:
    notices = [json.loads(each.body) for each in channel.requests if each.path == f"/{by}"]
    return [(notice["kind"], notice["monitor"]) for notice in notices]


def _hears(server: RadarServer, monitor: str) -> bool:
    answer = server.request("GET", f"/api/v1/monitors/{monitor}")
    return answer.status_code == 200 and answer.json()["status"] == "up"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_each_tells_of_the_others_silence(tmp_path: Path, channel: Server) -> None:
    with _pair(tmp_path, channel) as (a, b):
        wait_until(lambda: _hears(a, "radar-b") and _hears(b, "radar-a"), 20)
        os.kill(a.pid, signal.SIGSTOP)
        try:
            wait_until(lambda: ("down", "radar-a") in _told(channel, "b"), 30)
        finally:
            os.kill(a.pid, signal.SIGCONT)
        wait_until(lambda: ("up", "radar-a") in _told(channel, "b"), 30)
        wait_until(lambda: _hears(a, "radar-b"), 20)
        b.stop(signal.SIGKILL)
        wait_until(lambda: ("down", "radar-b") in _told(channel, "a"), 30)
        wait_until(lambda: f"{b.url} doesn't hear of this server: " in a.said())
        b.start()
        wait_until(lambda: ("up", "radar-b") in _told(channel, "a"), 30)
        wait_until(lambda: f"{b.url} hears of this server again" in a.said())
        assert a.key not in a.said() + b.said()
        assert b.key not in a.said() + b.said()


@pytest.fixture
def channel() -> Iterator[Server]:
    """What people read."""
    with Server() as started:
        yield started


def test_a_server_that_cannot_do_its_work_says_so(tmp_path: Path, channel: Server) -> None:
    """It runs, and its database is gone."""
    url = f"{channel.url}/ping/{_TOKEN}"
    with serving(tmp_path / "server", "--ping", url, "--ping-every", "1s") as server:
        server.ping("job", create="1")
        wait_until(lambda: [ping for ping in channel.pings if ping.kind == "complete"])
        (first, *_) = channel.pings
        assert first.monitor == _TOKEN
        assert (first.query["every"], first.query["gracePeriod"]) == ("1", "1")
        with contextlib.closing(sqlite3.connect(tmp_path / "server" / "radar.db")) as database:
            database.execute("DROP TABLE mark")
        wait_until(lambda: [ping for ping in channel.pings if ping.kind == "fail"])
        assert "database: bad" in channel.pings[-1].query["reason"]


def test_silence_is_noticed_within_two_minutes_unless_asked_otherwise(
    tmp_path: Path, channel: Server
) -> None:
    with serving(tmp_path / "server", "--ping", f"{channel.url}/ping/{_TOKEN}"):
        wait_until(lambda: channel.pings)
    declared = channel.pings[0].query
    assert float(declared["every"]) + float(declared["gracePeriod"]) <= 90


def test_what_is_not_delivered_is_not_kept(tmp_path: Path, channel: Server) -> None:
    channel.behave(answers.status(503))
    url = f"{channel.url}/ping/{_TOKEN}"
    with serving(tmp_path / "server", "--ping", url, "--ping-every", "1s") as server:
        wait_until(lambda: len(channel.pings) > 2)
        wait_until(lambda: "answered 503" in server.said())
        assert server.said().count("doesn't hear of this server") == 1
        assert not (tmp_path / "server" / "spool").exists()


@pytest.mark.parametrize(
    ("url", "watcher"),
    [
        (f"https://b.example/ping/{_TOKEN}", ("https://b.example", _TOKEN, "")),
        ("http://b.example:8321/radar/ping/a/ck_app_x_y", ("http://b.example:8321/radar", "a")),
        ("https://b.example/ping/ck_app_x_y/a\n", ("https://b.example", "a", "ck_app_x_y")),
    ],
)
def test_a_ping_url_names_the_server_the_monitor_and_the_key(
    url: str, watcher: tuple[str, ...]
) -> None:
    found = Watcher.parse(url)
    assert (found.server, found.monitor, found.api_key)[: len(watcher)] == watcher


@pytest.mark.parametrize(
    "url",
    [
        "https://b.example/",
        "https://b.example/ping/",
        "https://b.example/ping/a",
        f"https://b.example/ping/{_TOKEN}/fail",
        f"https://b.example/ping/{_TOKEN}/0",
        f"ftp://b.example/ping/{_TOKEN}",
        "file:/nowhere/at/all",
    ],
)
def test_another_url_is_refused_and_not_shown(url: str) -> None:
    done = run_radar("server", "--ping", url, text=True)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert _TOKEN not in done.stderr


def test_a_unit_has_the_file_and_never_the_url(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"https://b.example/ping/{_TOKEN}\n")
    for words, variables, expected in (
        (("--ping", f"file:{tmp_path}/url"), {}, f"--ping file:{tmp_path}/url"),
        (("--ping", f"https://b.example/ping/{_TOKEN}"), {}, "EnvironmentFile="),
        ((), {"RADAR_SERVER_PING": f"https://b.example/ping/{_TOKEN}"}, "EnvironmentFile="),
    ):
        env = {**environment(), **variables}
        unit = run_radar("server", *words, "--print-unit", env=env, text=True).stdout
        assert expected in unit
        assert _TOKEN not in unit
