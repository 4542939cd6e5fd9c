"""CronRadar's own service, as its documentation has it, and what it can't be told."""

import base64
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from radar_cli.delivery.destinations import resolve
from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Outbox
from tests.support import answers
from tests.support.pings import read_pings
from tests.support.radar import environment, run_radar, start_radar
from tests.support.server import Server
from tests.support.waiting import wait_for_file, wait_until

KEY = "ck_app_123"
Keep = Callable[..., None]


@pytest.fixture
def env(server: Server) -> dict[str, str]:
    """The SDK's own variables and nothing else."""
    return environment(CRONRADAR_API_KEY=KEY, CRONRADAR_BASE_URL=server.url, RADAR_PING_TIMEOUT="1")


@pytest.fixture
def keep(env: dict[str, str], state_dir: Path) -> Keep:
    """Put a ping of that age into the spool, as a run would have done it then."""
    address = resolve([], None, env).destinations[0].address()

    def put(kind: str, monitor: str, age_s: float, **fields: str) -> None:
        time_us = time.time_ns() // 1000 - int(age_s * 1e6)
        ping = Ping(kind, monitor, time_us=time_us, fields=fields)
        Outbox(str(state_dir)).put(ping, address, durable=False)

    return put


def test_it_speaks_as_the_documentation_has_it(server: Server, env: dict[str, str]) -> None:
    declared = ("--schedule", "0 2 * * *", "--grace", "10m", "--name", "Back up", "--tag", "x")
    run_radar("run", "m", *declared, "--", "echo", "secret output", env=env)
    run_radar("run", "m", "--", "sh", "-c", "echo one; echo 'disk full'; echo; exit 3", env=env)
    basic = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
    start, complete, _, fail = server.requests
    for request in server.requests:
        assert request.method == "POST"
        assert request.headers["authorization"] == basic
        assert request.body == b""
        assert request.headers["content-length"] == "0"
    query = {"schedule": "0 2 * * *", "gracePeriod": "600", "name": "Back up"}
    assert (start.path, start.query) == ("/ping/m/start", query)
    assert (complete.path, complete.query) == ("/ping/m/complete", query)
    assert (fail.path, fail.query) == ("/ping/m/fail", {"message": "exit 3: disk full"})


def test_it_has_no_log_pings(server: Server, env: dict[str, str]) -> None:
    done = run_radar("ping", "m", "log", env=env)
    assert done.returncode == 0
    assert server.requests == []
    assert read_pings() == []


def test_it_tells_the_newest_outcome_within_its_grace(
    server: Server, env: dict[str, str], keep: Keep
) -> None:
    keep("fail", "m", 200)
    keep("start", "m", 120)
    keep("success", "m", 100)
    run_radar("run", "next", "--", "true", env=env)
    late = [(ping.monitor, ping.kind) for ping in server.accepted if ping.monitor == "m"]
    assert late == [("m", "complete")]
    assert read_pings() == []


def test_it_says_what_it_did_not_send(server: Server, env: dict[str, str], keep: Keep) -> None:
    keep("success", "m", 86_400)
    keep("success", "n", 5_000, gracePeriod="6000")
    done = run_radar("run", "next", "--", "true", env=env, text=True)
    assert {ping.monitor for ping in server.accepted} == {"n", "next"}
    (line,) = done.stderr.splitlines()
    assert "m: its success is 1 d old and was not sent" in line
    assert read_pings() == []


def test_nothing_older_follows_a_start(server: Server, env: dict[str, str], keep: Keep) -> None:
    keep("success", "m", 100)
    keep("fail", "m", 50)
    done = run_radar("run", "m", "--", "true", env=env, text=True)
    assert [ping.kind for ping in server.accepted] == ["start", "complete"]
    assert read_pings() == []
    assert all("not sent" in line for line in done.stderr.splitlines())
    assert done.stderr


def test_an_older_outcome_is_kept_while_the_start_does_not_arrive(
    server: Server, env: dict[str, str], keep: Keep
) -> None:
    keep("success", "m", 100)
    server.behave(answers.status(503))
    process = start_radar("run", "m", "--", "sh", "-c", "exec sleep 60", env=env)
    wait_until(lambda: len(server.requests) >= 2, what="a second try of the start")
    process.kill()
    process.wait()
    assert [ping.kind for ping in read_pings()] == ["success", "start"]


def test_another_run_does_not_send_what_is_older_than_a_start_on_its_way(
    server: Server, env: dict[str, str], keep: Keep, tmp_path: Path
) -> None:
    keep("success", "m", 100)
    server.behave(
        lambda request: answers.hang() if request.path.startswith("/ping/m/") else answers.ok()
    )
    env["RADAR_PING_TIMEOUT"] = "30"
    marker = tmp_path / "began"
    start_radar("run", "m", "--", "sh", "-c", f"echo x >{marker}; exec sleep 60", env=env)
    wait_for_file(marker)
    wait_until(lambda: server.requests, what="the start")
    run_radar("run", "next", "--", "true", env=env)
    assert [(p.monitor, p.kind) for p in server.pings if p.monitor == "m"] == [("m", "start")]


def test_its_redirects_and_errors_are_those_of_any_server(
    server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.status(401, body=b'{"error":"AUTHENTICATION_REQUIRED"}'))
    done = run_radar("run", "m", "--", "true", env=env, text=True)
    (line,) = done.stderr.splitlines()
    assert "AUTHENTICATION_REQUIRED" in line


def successes(server: Server) -> Counter[str]:
    return Counter(ping.monitor for ping in server.pings if ping.kind == "complete")


@pytest.mark.parametrize("timeout_s", [0.3, 0.5, 0.7])
def test_a_success_that_a_slow_server_may_have_taken_is_no_news_again(
    timeout_s: float, server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.delayed(0.5))
    env["RADAR_PING_TIMEOUT"] = str(timeout_s)
    for number in range(8):
        done = run_radar("run", f"m{number}", "--no-start", "--", "true", env=env, text=True)
        assert done.returncode == 0
        for line in done.stderr.splitlines():
            assert line.endswith("no answer in time, and it may have arrived")
            assert "not sent again" in line
    server.behave(answers.ok())
    env["RADAR_PING_TIMEOUT"] = "10"
    run_radar("run", "last", "--no-start", "--", "true", env=env)
    assert run_radar("outbox", "flush", env=env).returncode == 0
    assert successes(server) == Counter(f"m{number}" for number in range(8)) + Counter(["last"])
    assert read_pings() == []


def test_a_waiting_success_that_times_out_is_no_news_again(
    server: Server, env: dict[str, str], keep: Keep
) -> None:
    for number in range(4):
        keep("success", f"m{number}", 100 - number)
    server.behave(answers.ok(), answers.hang())
    done = run_radar("run", "next", "--no-start", "--", "true", env=env, text=True)
    (line,) = done.stderr.splitlines()
    assert line.endswith(
        f"its success is not sent again: {server.url}: no answer in time, and it may have arrived"
    )
    assert [ping.monitor for ping in read_pings()] == ["m1", "m2", "m3"]
    server.behave(answers.ok())
    run_radar("run", "next", "--no-start", "--", "true", env=env)
    assert successes(server) == Counter(["m0", "m1", "m2", "m3", "next", "next"])


@pytest.mark.parametrize("kind", ["fail", "success"])
def test_what_cannot_have_arrived_is_kept(kind: str, server: Server, env: dict[str, str]) -> None:
    server.stop()
    done = run_radar("run", "m", "-c", f"exit {int(kind == 'fail')}", env=env)
    assert done.stderr == b""
    assert [ping.kind for ping in read_pings()] == [kind]
    server.behave(answers.garbage(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"))
    server.start()
    run_radar("run", "m", "--no-start", "-c", f"exit {int(kind == 'fail')}", env=env)
    assert [ping.kind for ping in read_pings()] == [kind, kind]
    server.behave(answers.hang())
    run_radar("run", "n", "--no-start", "--", "false", env=env)
    # A failure that is told twice does no harm; one that isn't told does.
    assert [(p.monitor, p.kind) for p in read_pings()][-1] == ("n", "fail")
