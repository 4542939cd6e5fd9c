"""Queues without consumers, with hidden priorities, and what Beat put into them."""

import time
from pathlib import Path
from typing import Any

import celery
import pytest
from kombu import Queue

from tests.celery.checking import Verdict
from tests.support.celery_app import Worker, send, start
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.celery_versions]


def test_a_queue_without_consumer_is_bad(broker_url: str, tmp_path: Path) -> None:
    Worker(broker_url, tmp_path).wait()
    send(broker_url, "shop.quick", queue="reports", count=2)
    verdict = Verdict(broker_url, "--queue", "reports")
    assert verdict.wrong() == [("queues", "reports")], verdict.said
    finding = verdict["queues", "reports"]
    assert (finding["state"], finding["cause"]) == ("bad", "it has no consumer")
    assert finding["data"]["depth"] == 2


def test_redis_tells_of_queues_that_nobody_named(redis_url: str, tmp_path: Path) -> None:
    Worker(redis_url, tmp_path).wait()
    send(redis_url, "shop.quick", queue="forgotten")
    assert Verdict(redis_url).wrong() == [("queues", "forgotten")]


def test_a_queue_that_nobody_declared_is_missing(rabbitmq_url: str, tmp_path: Path) -> None:
    Worker(rabbitmq_url, tmp_path).wait()
    verdict = Verdict(rabbitmq_url, "--queue", "typo")
    assert verdict["queues", "typo"]["message"] == "there is no such queue"


@pytest.mark.skipif(
    celery.VERSION < (5, 5), reason="workers of Celery before 5.5 can't consume quorum queues"
)
def test_a_quorum_queue_is_seen_as_any_other(rabbitmq_url: str, tmp_path: Path) -> None:
    solid = Queue("solid", routing_key="solid", queue_arguments={"x-queue-type": "quorum"})
    send(rabbitmq_url, "shop.nap", 60, queue=solid, count=4)
    alone = Verdict(rabbitmq_url, "--queue", "solid")["queues", "solid"]
    assert (alone["state"], alone["data"]["depth"]) == ("bad", 4)
    assert alone["data"]["consumers"] == 0
    Worker(rabbitmq_url, tmp_path, queues="solid", slots=1, SHOP_QUORUM="solid").wait()

    def left() -> dict[str, Any]:
        return Verdict(rabbitmq_url, "--queue", "solid")["queues", "solid"]

    # One runs and one is fetched: RabbitMQ doesn't count what isn't acknowledged.
    wait_until(lambda: left()["data"]["depth"] == 2, 30, "the worker has its share")
    assert (left()["state"], left()["data"]["consumers"]) == ("ok", 1)
    assert left()["cause"] == "the pools of its workers are full of running tasks (shop.nap)"


def test_depth_counts_all_priorities(redis_url: str) -> None:
    for priority in (0, 3, 9):
        send(redis_url, "shop.quick", priority=priority)
    data = Verdict(redis_url)["queues", "celery"]["data"]
    assert (data["depth"], data["by_priority"]) == (3, {"0": 1, "3": 1, "9": 1})


def test_a_priority_that_no_worker_reads_is_bad(redis_url: str, tmp_path: Path) -> None:
    Worker(redis_url, tmp_path).wait()
    steps = {"priority_steps": list(range(10))}
    send(redis_url, "shop.quick", priority=5, transport=steps, count=2)
    verdict = Verdict(redis_url)
    assert verdict.wrong() == [("queues", "celery")], verdict.said
    assert verdict["queues", "celery"]["cause"].startswith("priority 5 isn't in the workers'")


def test_keys_may_have_a_prefix(redis_url: str) -> None:
    send(redis_url, "shop.quick", transport={"global_keyprefix": "eu[1]:"}, count=4)
    verdict = Verdict(redis_url, "--key-prefix", "eu[1]:")
    assert verdict["queues", "celery"]["data"]["depth"] == 4


def test_the_wait_is_known_from_check_to_check(redis_url: str) -> None:
    send(redis_url, "shop.quick")
    first = Verdict(redis_url)["queues", "celery"]["data"]["waited_s"]
    time.sleep(0.5)
    second = Verdict(redis_url)["queues", "celery"]["data"]["waited_s"]
    assert first < 0.5 <= second


def test_what_was_fetched_by_a_worker_that_is_gone_is_bad(redis_url: str, tmp_path: Path) -> None:
    worker = Worker(redis_url, tmp_path, pool="solo", slots=1).wait()
    send(redis_url, "shop.nap", 30, count=3)
    wait_until(lambda: ("queues", "unacked") in _subjects(Verdict(redis_url)), 30)
    worker.process.kill()
    worker.process.wait()
    finding = Verdict(redis_url)["queues", "unacked"]
    assert finding["state"] == "bad"
    assert "their workers are gone" in finding["cause"]


def test_beat_sent_what_nobody_takes(broker_url: str, tmp_path: Path) -> None:
    Worker(broker_url, tmp_path).wait()
    schedule = tmp_path / "schedule"
    start(broker_url, tmp_path / "beat.log", "beat", "-s", str(schedule))
    options = ("--queue", "reports", "--beat", str(schedule))

    def sent() -> Verdict | None:
        verdict = Verdict(broker_url, *options)
        found = [f for f in verdict.data["findings"] if f["subject"] == "reports"]
        words = "it has no consumer; Beat sent report to it at "
        return verdict if found and (found[0]["cause"] or "").startswith(words) else None

    verdict = wait_until(sent, 60, "Beat has sent, and the queue is there")
    assert verdict is not None
    assert verdict["schedule", "report"]["state"] == "bad"


def _subjects(verdict: Verdict) -> set[tuple[str, str]]:
    return {(f["layer"], f["subject"]) for f in verdict.data["findings"]}
