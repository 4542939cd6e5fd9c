"""A busy server, a busy machine: an answer that comes in time counts, however late it is read."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.support import answers
from tests.support.depth import at_night
from tests.support.load import stored_ids
from tests.support.pings import read_pings
from tests.support.processes import remember
from tests.support.radar import environment, radar_path, run_radar
from tests.support.radar_server import RadarServer
from tests.support.relay import Relay
from tests.support.server import Server
from tests.support.wire import Connection, Request

_PATIENCE_S = "20"


def _run_at_once(count: int, env: dict[str, str], gate: Path) -> None:
    """Start so many jobs at the same moment, and wait for all of them."""
    os.mkfifo(gate)
    script = 'read -r go < "$0"; exec "$@"'
    runs: list[subprocess.Popen[bytes]] = []
    with gate.open("r+b", buffering=0) as opened:
        for number in range(count):
            words = ["run", f"job-{number}", "--", "true"]
            run: subprocess.Popen[bytes] = subprocess.Popen(
                ["sh", "-c", script, gate, radar_path(), *words], env=env, stdin=subprocess.DEVNULL
            )
            runs.append(remember(run))
        opened.write(b"go\n" * count)
        assert Counter(run.wait(110) for run in runs) == {0: count}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_300_runs_at_once_leave_nothing_in_the_outbox(tmp_path: Path) -> None:
    with RadarServer(tmp_path / "server") as server:
        env = environment(
            measured=False,
            RADAR_SERVER=server.url,
            RADAR_API_KEY=server.key,
            RADAR_PING_TIMEOUT="30",
        )
        _run_at_once(300, env, tmp_path / "gate")
        assert read_pings() == []
        assert Counter(stored_ids(server).values()) == {1: 600}
        shown = run_radar("status", "--json", env=env, text=True)
        assert Counter(each["status"] for each in json.loads(shown.stdout)["data"]) == {"up": 300}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "is_slow",
    [at_night(False), True],
    ids=["direct", "slow"],
)
def test_a_server_that_takes_long_to_answer_is_waited_for(
    is_slow: bool, server: Server, tmp_path: Path
) -> None:
    # Nearly half of what a run has: the second ping can't wait until the first one is answered.
    server.behave(answers.delayed(9))
    with Relay(server.port, is_slow=is_slow) as relay:
        env = environment(
            measured=False,
            RADAR_SERVER=f"http://127.0.0.1:{relay.port}",
            RADAR_API_KEY="k1",
            RADAR_PING_TIMEOUT=_PATIENCE_S,
        )
        _run_at_once(50, env, tmp_path / "gate")
    assert read_pings() == []
    assert len({ping.query["id"] for ping in server.accepted}) == 100


@pytest.fixture
def env(server: Server) -> dict[str, str]:
    return environment(RADAR_SERVER=server.url, RADAR_API_KEY="k1", RADAR_PING_TIMEOUT=_PATIENCE_S)


def test_a_ping_goes_before_one_whose_answer_is_late(server: Server, env: dict[str, str]) -> None:
    held: list[str] = []

    def answer(request: Request) -> answers.Answer:
        if "/start" in request.path:
            return answers.Answer("held", lambda c, r: _hold(c, r, server, held), code=200)
        return answers.ok()

    server.behave(answer)
    done = run_radar("run", "m", "-v", "--", "true", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert held == ["start", "complete"]  # when the start was answered, both were there
    assert [ping.kind for ping in server.pings] == ["start", "complete"]  # and none twice
    assert read_pings() == []


def _hold(connection: Connection, request: Request, server: Server, held: list[str]) -> bool:
    """Answer once the last ping is there, too."""
    for _ in range(300):
        kinds = [ping.kind for ping in server.pings]
        if "complete" in kinds:
            held += kinds
            break
        connection.pause(0.05)
    return answers.ok().act(connection, request)


def test_pings_of_a_server_that_knows_no_time_keep_their_order(
    server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.delayed(2.5), answers.ok())
    done = run_radar("run", "m", "--", "true", env={**env, "RADAR_PROTOCOL": "cronradar"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert [ping.kind for ping in server.accepted] == ["start", "complete"]
    assert server.connections == 1


def test_an_answer_counts_though_the_server_was_asked_again(
    server: Server, env: dict[str, str]
) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> answers.Answer:
        asked.append(request)
        if len(asked) > 1:
            return answers.hang()
        return answers.Answer("late", lambda c, r: _answer_after(c, r, asked), code=200)

    server.behave(answer)
    env["RADAR_PING_TIMEOUT"] = "6"
    done = run_radar("run", "m", "-v", "--no-start", "--", "true", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len({request.connection for request in asked}) == len(asked) == 2
    assert read_pings() == []


def _answer_after(connection: Connection, request: Request, asked: list[Request]) -> bool:
    """Answer once somebody has asked for the same again."""
    for _ in range(300):
        if len(asked) > 1:
            break
        connection.pause(0.05)
    return answers.ok().act(connection, request)


def test_a_server_that_takes_no_more_may_still_answer(server: Server, env: dict[str, str]) -> None:
    """One that ends in order listens no more, and does what it has begun."""
    with Relay(server.port) as relay:

        def answer(_: Request) -> answers.Answer:
            relay.stop_listening()
            return answers.delayed(5)

        server.behave(answer)
        env |= {"RADAR_SERVER": f"http://127.0.0.1:{relay.port}", "RADAR_PING_TIMEOUT": "7"}
        done = run_radar("run", "m", "-v", "--no-start", "--", "true", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (len(server.accepted), read_pings()) == (1, [])
