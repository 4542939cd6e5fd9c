"""radar killed at any moment, and a hundred of it at once: every ping arrives, none is half."""

import random
import subprocess
import time
from pathlib import Path

import pytest

from radar_cli.outbox.claiming import parse
from tests.pings.arrivals import doubles
from tests.support import answers
from tests.support.depth import depth
from tests.support.radar import radar_path, run_radar, spool_files, start_radar
from tests.support.server import Server
from tests.support.waiting import wait_until

_ROUNDS = depth(12, 40)


def _ids_in_spool(state_dir: Path) -> set[str]:
    """The ids of the pings in the spool; each file that can be seen is whole."""
    found = set()
    for path in spool_files(state_dir):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue  # delivered while we look
        found.add(parse(data)[0].id)
    return found


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_kill_at_any_moment_loses_nothing_that_was_kept(
    seed: int, server: Server, env: dict[str, str], state_dir: Path
) -> None:
    chance = random.Random(seed)
    # Half of the pings wait: so the spool is never empty, and each start flushes.
    server.behave(lambda _: answers.status(503) if chance.random() < 0.5 else answers.ok())
    env["RADAR_PING_TIMEOUT"] = "0.4"
    seen: set[str] = set()
    for number in range(_ROUNDS):
        words = ("run", f"m{number % 5}", "--", "sh", "-c", "head -c 30000 /dev/zero | tr '\\0' x")
        victims = [start_radar(*words, env=env) for _ in range(2)]
        time.sleep(chance.uniform(0, 0.6))  # the moment is what the test is about
        for victim in victims:
            victim.kill()
        for victim in victims:
            victim.communicate()
        seen |= _ids_in_spool(state_dir)
    server.behave(answers.ok())
    env["RADAR_PING_TIMEOUT"] = "10"
    run_radar("outbox", "flush", env=env)
    assert _ids_in_spool(state_dir) == set()
    assert seen
    arrived = {ping.query["id"] for ping in server.accepted}
    assert seen <= arrived
    assert not (state_dir / "spool/aside").exists()
    for ping in server.accepted:
        assert float(ping.query["ts"]) <= float(ping.query["sent"])


@pytest.mark.slow
def test_a_hundred_jobs_at_once_arrive_once(server: Server, env: dict[str, str]) -> None:
    env["RADAR_PING_TIMEOUT"] = "60"
    jobs = [start_radar("run", f"job-{n}", "--", "true", env=env) for n in range(100)]
    for job in jobs:
        _, errors = job.communicate(timeout=100)
        assert (job.returncode, errors) == (0, b"")
    arrived = sorted((ping.monitor, ping.kind) for ping in server.accepted)
    assert arrived == sorted(
        (f"job-{n}", kind) for n in range(100) for kind in ("start", "complete")
    )
    assert doubles(server) == []
    assert spool_files() == []


@pytest.mark.slow
def test_many_flushers_send_each_ping_once(server: Server, env: dict[str, str]) -> None:
    server.stop()
    for number in range(20):
        run_radar("ping", f"late-{number}", "--ping-timeout", "0.05", env=env)
    assert len(spool_files()) == 20
    server.start()
    env["RADAR_PING_TIMEOUT"] = "30"
    flushers = [start_radar("run", f"job-{n}", "--", "true", env=env) for n in range(12)]
    for flusher in flushers:
        assert flusher.wait(100) == 0
    run_radar("outbox", "flush", env=env)
    assert spool_files() == []
    assert doubles(server) == []
    late = [ping.monitor for ping in server.accepted if ping.monitor.startswith("late")]
    assert sorted(late) == sorted(f"late-{number}" for number in range(20))


def test_what_another_run_is_sending_is_left_to_it(server: Server, env: dict[str, str]) -> None:
    server.behave(lambda r: answers.hang() if r.path.startswith("/ping/slow/") else answers.ok())
    env["RADAR_PING_TIMEOUT"] = "30"
    start_radar("run", "slow", "--", "sleep", "60", env=env)
    wait_until(lambda: server.pings, what="the start of the slow one")
    assert run_radar("run", "quick", "--", "true", env=env).returncode == 0
    assert [ping.monitor for ping in server.pings] == ["slow", "quick", "quick"]
    assert len(spool_files()) == 1


def test_a_spool_on_a_vanishing_folder_is_made_again(
    server: Server, env: dict[str, str], state_dir: Path
) -> None:
    server.stop()
    env["RADAR_PING_TIMEOUT"] = "0.2"
    run_radar("run", "m", "--", "true", env=env)
    subprocess.run(["rm", "-r", state_dir], check=True)
    done = run_radar("run", "m", "--", "true", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(spool_files()) == 2
    assert radar_path().exists()
