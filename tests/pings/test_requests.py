"""The requests of a run: how many, on how many connections, and what they say."""

import base64
import os
import socket
import time
import uuid
from pathlib import Path

import pytest

from radar_cli import __version__
from tests.pings.conftest import KEY
from tests.support import answers
from tests.support.pings import read_pings
from tests.support.radar import run_radar
from tests.support.server import Server


def test_a_run_is_two_requests_on_one_connection(server: Server, env: dict[str, str]) -> None:
    run_radar("run", "m", "--", "true", env=env)
    assert [request.method for request in server.requests] == ["POST", "POST"]
    assert [ping.kind for ping in server.pings] == ["start", "complete"]
    assert server.connections == 1
    assert server.broken == []


def test_it_opens_another_connection_when_the_first_went_stale(
    server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.close_after_response())
    done = run_radar("run", "m", "--", "true", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [ping.kind for ping in server.pings] == ["start", "complete"]
    assert server.connections == 2


def test_it_tells_everything_about_the_run(server: Server, env: dict[str, str]) -> None:
    before = time.time()
    declared = ("--schedule", "0 2 * * *", "--tz", "Europe/London", "--grace", "10m")
    more = ("--max-runtime", "2h", "--name", "Nightly & more", "--tag", "db", "--tag", "nightly")
    script = "echo hello; echo wörld; exit 3"
    run_radar("run", "m", *declared, *more, "--", "sh", "-c", script, env=env)
    after = time.time()

    start, end = (ping.query for ping in server.pings)
    for query in (start, end):
        assert query["schedule"] == "0 2 * * *"
        assert query["tz"] == "Europe/London"
        assert query["gracePeriod"] == "600"
        assert query["max_runtime"] == "7200"
        assert query["name"] == "Nightly & more"
        assert query["tags"] == "db nightly"
        assert query["host"] == socket.gethostname()
        assert before <= float(query["ts"]) <= float(query["sent"]) <= after
        assert uuid.UUID(query["id"]).version == uuid.UUID(query["rid"]).version == 7
    assert start["rid"] == end["rid"]
    assert start["id"] != end["id"]
    assert "exit" not in start
    assert end["exit"] == "3"
    assert end["output"] == "13"
    assert float(end["duration"]) == pytest.approx(float(end["ts"]) - float(start["ts"]), abs=0.5)
    assert float(end["cpu"]) >= 0
    assert server.pings[1].body == "hello\nwörld\n".encode()


def test_it_tells_of_signals_reasons_and_tries(server: Server, env: dict[str, str]) -> None:
    run_radar("run", "m", "--", "sh", "-c", "kill -9 $$", env=env)
    run_radar("run", "m", "--fail-if-empty", "--", "true", env=env)
    run_radar("run", "m", "--retries", "2", "--", "false", env=env)
    killed, empty, retried = (p.query for p in server.pings if p.kind == "fail")
    assert (killed["signal"], "exit" in killed) == ("9", False)
    assert (empty["exit"], empty["reason"]) == ("0", "no output")
    assert (retried["exit"], retried["tries"]) == ("1", "3")


def test_it_sends_headers_that_any_server_takes(server: Server, env: dict[str, str]) -> None:
    run_radar("run", "m", "--", "echo", "out", env=env)
    start, end = (request.headers for request in server.requests)
    for headers in (start, end):
        assert headers["host"] == f"127.0.0.1:{server.port}"
        assert headers["authorization"] == f"Bearer {KEY}"
        assert headers["user-agent"] == f"radar/{__version__}"
        assert "transfer-encoding" not in headers
        assert "connection" not in headers
    assert (start["content-length"], "content-type" in start) == ("0", False)
    assert (end["content-length"], end["content-type"]) == ("4", "text/plain; charset=utf-8")


def test_it_keeps_the_path_of_the_server(server: Server, env: dict[str, str]) -> None:
    env["RADAR_SERVER"] = f"{server.url}/behind/a/proxy/"
    run_radar("run", "m", "--no-start", "--", "true", env=env)
    assert [request.path for request in server.requests] == ["/behind/a/proxy/ping/m/complete"]


@pytest.mark.parametrize(("limit", "length"), [("100", 99), ("0", 0), ("50000", 20_000)])
def test_it_sends_as_much_as_the_server_keeps(
    limit: str, length: int, server: Server, env: dict[str, str]
) -> None:
    """Learned from the answer to the start, so in time for the end."""
    server.behave(answers.ok(headers={"Ping-Body-Limit": limit}))
    text = "é" * 9_999 + "\n\n"
    env["TEXT"] = text
    run_radar("run", "m", "--", "sh", "-c", 'sleep 0.2; printf %s "$TEXT"', env=env)
    end = server.pings[1]
    whole = text.encode()
    assert abs(len(end.body) - length) <= 1
    assert whole.endswith(end.body)
    end.body.decode()
    assert int(end.query.get("omitted", "0")) == len(whole) - len(end.body)


@pytest.mark.parametrize("limit", ["many", "-1", "1e3", "9" * 5000, "\N{SUPERSCRIPT TWO}"])
def test_a_limit_that_makes_no_sense_is_none(
    limit: str, server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.ok(headers={"Ping-Body-Limit": limit}))
    run_radar("run", "m", "--", "sh", "-c", "sleep 0.2; echo out", env=env)
    assert server.pings[1].body == b"out\n"
    assert len(server.pings) == 2
    assert read_pings() == []


def test_it_adds_the_headers_of_the_config(server: Server, env: dict[str, str]) -> None:
    env["RADAR_HEADERS"] = "X-Team: blue\nhost: other.example\nauthorization: Custom abc"
    run_radar("run", "m", "--no-start", "--", "true", env=env)
    (request,) = server.requests
    assert request.headers["x-team"] == "blue"
    assert request.headers["host"] == "other.example"  # instead of ours, not beside it
    assert request.headers["authorization"] == "Custom abc"


def test_it_needs_no_key_beside_a_header_of_its_own(server: Server, env: dict[str, str]) -> None:
    del env["RADAR_API_KEY"]
    secret = base64.b64encode(b"me:secret").decode()
    env["RADAR_HEADERS"] = f"Authorization: Basic {secret}"
    assert run_radar("run", "m", "--", "true", env=env).stderr == b""
    assert len(server.accepted) == 2


@pytest.mark.parametrize(
    "variables",
    [
        {"RADAR_HEADERS": "X-A\r\nX-Injected: yes"},
        {"RADAR_HEADERS": "X A: b"},
        {"RADAR_API_KEY": "key\r\nX-Injected: yes"},
        {"RADAR_API_KEY": "key\nX-Injected: yes"},
        {"RADAR_HOST": "h\r\nX-Injected: yes"},
        {"RADAR_NAME": "n\r\nX-Injected: yes"},
        {"RADAR_SERVER": "http://127.0.0.1:1/\r\nX-Injected: yes"},
    ],
    ids=str,
)
def test_nobody_can_inject_a_header(
    variables: dict[str, str], server: Server, env: dict[str, str]
) -> None:
    done = run_radar("run", "m", "--", "sh", "-c", "exit 3", env={**env, **variables}, text=True)
    assert done.returncode == 3
    assert all("x-injected" not in request.headers for request in server.requests)
    assert server.broken == []
    # None is lost, either.
    waiting = list((Path(os.environ["RADAR_STATE_DIR"]) / "spool").glob("*/*.ping"))
    assert len(server.accepted) + len(waiting) == 2


def test_nobody_can_inject_a_header_by_the_monitor(server: Server, env: dict[str, str]) -> None:
    done = run_radar("run", "m HTTP/1.1\r\nX-Injected: yes", "--", "true", env=env)
    assert (done.returncode, server.requests) == (125, [])


def test_nobody_can_inject_a_header_by_the_config(
    tmp_path: Path, server: Server, env: dict[str, str]
) -> None:
    (tmp_path / "config.toml").write_text('headers = { X-A = "b\\r\\nX-Injected: yes" }\n')
    done = run_radar("run", "m", "--", "true", env=env, text=True)
    assert "X-A" in done.stderr
    assert all("x-injected" not in request.headers for request in server.requests)
    assert (len(server.accepted), server.broken) == (2, [])
