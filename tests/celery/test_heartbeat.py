"""Signs of life of real workers and a real Beat, as `radar celery alive` reads them."""

import contextlib
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.celery.apps import Project
from tests.support.depth import at_night
from tests.support.rabbitmq import Rabbitmq
from tests.support.redis import Redis
from tests.support.relay import Relay
from tests.support.waiting import wait_until

POOLS = ("prefork", "threads", "solo", "gevent")
pytestmark = pytest.mark.slow


def watch(project: Project, seconds: float, *words: str) -> list[str]:
    """What the probe says when it is not "alive" for that long."""
    deadline, said = time.monotonic() + seconds, []
    while time.monotonic() < deadline:
        done = project.probe("--max-age", "4s", *words)
        if done.returncode:
            said.append(done.stdout.decode())
        time.sleep(0.3)
    return said


@pytest.mark.celery_versions
@pytest.mark.parametrize("pool", ["prefork", at_night("solo"), at_night("threads"), "gevent"])
def test_a_worker_is_alive_until_it_stops_or_its_loop_is_stuck(pool: str, project: Project) -> None:
    worker = project.worker(pool)
    assert project.is_alive()

    worker.send_signal(signal.SIGSTOP)
    wait_until(lambda: not project.is_alive("--max-age", "4s"), 12, "noticing SIGSTOP")
    worker.send_signal(signal.SIGCONT)
    wait_until(lambda: project.is_alive("--max-age", "4s"), 12, "noticing SIGCONT")

    project.wedge()
    wait_until(lambda: not project.is_alive("--max-age", "4s"), 15, "noticing the stuck loop")


@pytest.mark.parametrize(
    "pool", [pytest.param("prefork", marks=pytest.mark.celery_versions), at_night("solo")]
)
def test_a_broker_that_is_away_kills_no_worker(pool: str, tmp_path: Path) -> None:
    with Redis() as own:
        project = Project(tmp_path / "shop", own.url())
        project.worker(pool)
        own.stop()
        assert watch(project, 6) == []
        own.start()
        project.send("shop.add", 1, 2)
        wait_until(lambda: "shop.add" in project.log("worker"), 30, "the task")
        assert watch(project, 5) == []


@pytest.mark.parametrize(
    "pool", [pytest.param("prefork", marks=pytest.mark.celery_versions), at_night("threads")]
)
def test_a_broker_that_hangs_kills_no_worker(
    pool: str, redis_server: Redis, rabbitmq_server: Rabbitmq, tmp_path: Path
) -> None:
    projects = []
    with contextlib.ExitStack() as stack:
        relays = []
        for server, name in ((redis_server, "redis"), (rabbitmq_server, "rabbitmq")):
            relays.append(stack.enter_context(Relay(server.port)))
            url = server.url().replace(f":{server.port}/", f":{relays[-1].port}/")
            projects.append(Project(tmp_path / name, url))
        for project in projects:
            project.worker(pool)
        for relay in relays:
            relay.hang()
        with ThreadPoolExecutor() as both:
            assert list(both.map(lambda project: watch(project, 6), projects)) == [[], []]


def test_a_worker_that_never_had_a_broker_is_alive_but_has_not_started(tmp_path: Path) -> None:
    with Redis() as own:
        project = Project(tmp_path / "shop", own.url())
        own.stop()
        project.celery("worker", "-P", "threads", "-n", "early@here")
        wait_until(project.is_alive, 40, "the first sign")
        assert watch(project, 6) == []
        assert not project.is_alive("--started")
        own.start()
        wait_until(lambda: project.is_alive("--started"), 20, "the start")


def test_a_busy_solo_worker_is_alive_until_its_tasks_time_limit(project: Project) -> None:
    project.worker("solo")
    project.send("shop.nap", 60, time_limit=6)
    wait_until(lambda: "shop.nap" in project.log("worker"), 20, "the task")
    assert watch(project, 5) == []
    wait_until(lambda: not project.is_alive("--max-age", "4s"), 20, "noticing a task that is stuck")


def test_a_solo_worker_that_is_killed_in_a_task_is_dead(project: Project) -> None:
    worker = project.worker("solo")
    project.send("shop.nap", 600)
    busy = "busy with shop.nap for "
    wait_until(lambda: busy in project.probe().stdout.decode(), 20, "it says what it is busy with")
    worker.kill()
    worker.wait(10)
    gone = f"its process {worker.pid} is gone"
    wait_until(lambda: gone in project.probe("--max-age", "1s").stdout.decode(), 20, gone)


def test_a_worker_that_ends_after_its_tasks_is_alive_so_long(project: Project) -> None:
    worker = project.worker("prefork")
    project.send("shop.nap", 9)
    wait_until(lambda: "shop.nap" in project.log("worker"), 20, "the task")
    worker.send_signal(signal.SIGTERM)
    said = watch(project, 6)
    assert worker.poll() is None
    assert said == []
    worker.wait(20)
    assert not project.is_alive()
    assert list(project.signs.iterdir()) == []


def test_the_signs_of_an_earlier_life_do_not_count(project: Project) -> None:
    worker = project.worker("solo")
    worker.kill()
    worker.wait(10)
    assert project.is_alive("--started")
    again = project.celery("worker", "-P", "solo", "-n", "again@here")
    wait_until(lambda: not project.is_alive("--started"), 20, "the new life", every_s=0.02)
    wait_until(lambda: project.is_alive("--started"), 20, "the start")
    again.terminate()


def test_two_workers_that_share_a_file_are_told_so(project: Project) -> None:
    project.worker("solo")
    project.celery("worker", "-P", "solo", "-n", "second@here")
    wait_until(lambda: "set RADAR_ALIVE_FILE" in project.log("worker"), 30, "the warning")


@pytest.mark.celery_versions
def test_beat_is_alive_while_it_ticks(project: Project) -> None:
    beat = project.beat()
    assert watch(project, 5, "--beat") == []
    beat.send_signal(signal.SIGSTOP)
    wait_until(lambda: not project.is_alive("--beat", "--max-age", "3s"), 12, "noticing SIGSTOP")
    beat.send_signal(signal.SIGCONT)
    wait_until(lambda: project.is_alive("--beat", "--max-age", "3s"), 12, "noticing SIGCONT")


@pytest.mark.celery_versions
def test_a_broker_that_is_away_does_not_kill_beat(tmp_path: Path) -> None:
    with Redis() as own:
        project = Project(tmp_path / "shop", own.url())
        own.stop()
        project.beat()
        assert watch(project, 6, "--beat") == []


def test_a_file_that_cannot_be_written_costs_nothing_else(project: Project) -> None:
    project.celery("worker", "-P", "solo", "-l", "INFO", RADAR_ALIVE_FILE="/proc/no/such/file")
    wait_until(lambda: "no sign of life can be given" in project.log("worker"), 30, "the warning")
    project.send("shop.add", 1, 2)
    wait_until(lambda: "shop.add" in project.log("worker"), 20, "the task")
    assert project.log("worker").count("no sign of life") == 1
