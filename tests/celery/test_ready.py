"""The readiness probe and the canary, on real brokers with real workers."""

import json
from pathlib import Path

import pytest
from redis import Redis as Client

from tests.cli.envelopes import read_envelope
from tests.support import redis
from tests.support.celery_app import Worker, send
from tests.support.ports import free_port
from tests.support.radar import environment, run_radar, start_radar
from tests.support.relay import Relay
from tests.support.waiting import wait_until

_SLOW_IMPORTS = """
import sys, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name in ("kombu", "redis", "kombu.transport.redis"):
            time.sleep(0.5)

sys.meta_path.insert(0, Slow())
"""


@pytest.mark.slow
@pytest.mark.celery_versions
def test_a_worker_is_ready_if_it_consumes_its_queues(broker_url: str, tmp_path: Path) -> None:
    worker = Worker(broker_url, tmp_path, queues="celery,reports").wait()
    words = ("celery", "ready", worker.node, "-b", broker_url)
    wait_until(lambda: run_radar(*words).returncode == 0, 20, "it is ready")
    assert run_radar(*words, "--queue", "reports").returncode == 0
    other = run_radar(*words, "--queue", "mail", text=True)
    assert other.returncode == 1
    assert other.stdout == f"{worker.node} is not ready: it doesn't consume mail\n"
    gone = run_radar("celery", "ready", "gone@test", "-b", broker_url, "--timeout", "3s", text=True)
    assert (gone.returncode, gone.stdout) == (1, "gone@test is not ready: no answer in time\n")


def test_without_its_broker_no_worker_is_ready() -> None:
    done = run_radar("celery", "ready", "-b", f"redis://127.0.0.1:{free_port()}/0", text=True)
    assert done.returncode == 1
    assert "connection refused" in done.stdout


@pytest.mark.slow
@pytest.mark.celery_versions
def test_a_canary_comes_back_through_each_queue(broker_url: str, tmp_path: Path) -> None:
    worker = Worker(broker_url, tmp_path, queues="celery,reports").wait()
    wait_until(
        lambda: run_radar("celery", "ready", worker.node, "-b", broker_url).returncode == 0, 20
    )
    done = run_radar("celery", "canary", "-b", broker_url, "--json", text=True)
    flights = read_envelope(done)["data"]
    assert [(flight["queue"], flight["ok"]) for flight in flights] == [
        ("celery", True),
        ("reports", True),
    ]
    assert all(0 <= flight["took_s"] < 5 for flight in flights)


@pytest.mark.slow
def test_a_canary_waits_as_long_as_a_task_does(broker_url: str, tmp_path: Path) -> None:
    Worker(broker_url, tmp_path, slots=1).wait()
    send(broker_url, "shop.nap", 2)
    done = run_radar("celery", "canary", "-b", broker_url, "--queue", "celery", "--json", text=True)
    (flight,) = read_envelope(done)["data"]
    assert 0.5 < flight["took_s"] < 9


def test_a_canary_without_a_worker_is_not_back(redis_url: str, tmp_path: Path) -> None:
    words = ("celery", "canary", "-b", redis_url, "--queue", "celery", "--timeout", "1s")
    # That a machine takes long to import a library counts for nobody's time.
    (tmp_path / "sitecustomize.py").write_text(_SLOW_IMPORTS)
    for env in (environment(), environment(PYTHONPATH=str(tmp_path))):
        done = run_radar(*words, env=env, text=True)
        assert done.returncode == 1, done.stderr
        assert done.stdout.splitlines()[1].split() == ["celery", "not", "back"]


@pytest.mark.slow
def test_a_canary_that_is_not_back_leaves_nothing(broker_url: str, tmp_path: Path) -> None:
    Worker(broker_url, tmp_path, queues="mail").wait().process.kill()  # RabbitMQ keeps its queue
    words = ("celery", "canary", "-b", broker_url, "--queue", "mail", "--timeout", "1s")
    assert run_radar(*words).returncode == 1

    def depth() -> int:
        done = run_radar("celery", "queues", "-b", broker_url, "--queue", "mail", "--json")
        return int(json.loads(done.stdout)["data"][0]["depth"])

    wait_until(lambda: depth() == 0, 20, "it is gone", every_s=0.2)


@pytest.mark.slow
def test_a_canary_in_a_broker_that_hangs_is_not_back() -> None:
    with redis.running() as server, Relay(server.port) as relay:
        url = f"redis://127.0.0.1:{relay.port}/0"
        words = ("celery", "canary", "-b", url, "--queue", "celery", "--timeout", "5s", "--json")
        flying = start_radar(*words)
        with Client.from_url(server.url()) as client:
            wait_until(lambda: client.llen("celery"), 20, "the canary is sent")
        relay.freeze()
        said, _ = flying.communicate(timeout=30)
    assert flying.returncode == 1
    (flight,) = json.loads(said)["data"]
    assert flight["ok"] is False
