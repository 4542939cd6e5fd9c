"""Workers that are gone, silent, busy or catatonic, each told apart, on real brokers."""

import os
import signal
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from kombu import Connection, Consumer, Exchange, Queue

from tests.celery.checking import Verdict
from tests.cli.envelopes import read_envelope
from tests.support.celery_app import Worker, send
from tests.support.radar import environment, run_radar
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.celery_versions]


def test_all_is_well_with_a_worker(broker_url: str, tmp_path: Path) -> None:
    worker = Worker(broker_url, tmp_path, pool="prefork").wait()
    verdict = Verdict(broker_url, "--worker", worker.node, "--queue", "celery")
    assert (verdict.code, verdict.state, verdict.wrong()) == (0, "ok", []), verdict.said
    assert verdict["workers", worker.node]["message"] == "prefork, 0 of 2 slots busy"
    assert verdict["queues", "celery"]["data"]["consumers"] == 1


def test_a_pool_of_gevent_is_told_of_as_any_other(broker_url: str, tmp_path: Path) -> None:
    pytest.importorskip("gevent", reason="gevent has no wheel for this Python")
    Worker(broker_url, tmp_path, pool="gevent", slots=3).wait()
    send(broker_url, "shop.nap", 60, count=4)
    full = "its pool is full of running tasks"
    wait_until(lambda: Verdict(broker_url)["workers", "w@test"]["cause"] == full, 30, full)
    verdict = Verdict(broker_url)
    assert verdict["workers", "w@test"]["message"].startswith("gevent, 3 of 3 slots busy")
    assert verdict.state == "ok", verdict.said


def test_no_worker_was_ever_there(broker_url: str) -> None:
    verdict = Verdict(broker_url)
    assert (verdict.code, verdict.state) == (1, "bad")
    assert verdict["workers", "all"]["message"] == "no worker is connected"


def test_one_that_reports_no_runs_beside_one_that_does(redis_url: str, tmp_path: Path) -> None:
    Worker(redis_url, tmp_path, name="told", app="watched").wait()
    Worker(redis_url, tmp_path, name="untold").wait()
    Worker(redis_url, tmp_path, name="elsewhere", queues="others").wait()
    verdict = Verdict(redis_url)
    states = {name: verdict["workers", f"{name}@test"]["state"] for name in ("told", "elsewhere")}
    assert states == {"told": "ok", "elsewhere": "ok"}
    untold = verdict["workers", "untold@test"]
    assert untold["state"] == "bad"
    assert untold["message"] == "reports no runs of its tasks, as told@test does"
    assert "setup_radar" in untold["cause"]
    found = _examine(CELERY_BROKER_URL=redis_url)
    assert [(each["state"], each["message"]) for each in found] == [
        ("bad", "untold@test reports no runs of its tasks, as told@test does")
    ]
    assert "call setup_radar(app)" in found[0]["hint"]
    # Without a broker it says how.
    [how] = _examine()
    assert "no broker is known" in how["message"]
    assert "CELERY_BROKER_URL=redis://… radar doctor" in how["hint"]


def test_doctor_says_that_a_broker_is_gone() -> None:
    [gone] = _examine(CELERY_BROKER_URL="redis://127.0.0.1:1/0")
    assert gone["state"] == "bad"
    assert "127.0.0.1:1" in gone["message"]


def _examine(**variables: str) -> list[dict[str, Any]]:
    """The remarks of `radar doctor` on Celery."""
    done = run_radar("doctor", "--json", env=environment() | variables, text=True)
    return [each for each in read_envelope(done)["data"] if each["what"] == "celery"]


def test_one_of_two_is_killed(broker_url: str, tmp_path: Path) -> None:
    one, two = (Worker(broker_url, tmp_path, name=name) for name in ("one", "two"))
    one.wait(), two.wait()
    two.process.kill()
    two.process.wait()
    names = ("--worker", one.node, "--worker", two.node)
    verdict = Verdict(broker_url, *names)
    assert (verdict.code, verdict.wrong()) == (1, [("workers", two.node)]), verdict.said
    assert verdict["workers", two.node]["message"] == "isn't connected"
    counted = Verdict(broker_url, "--expect-workers", "2")
    assert counted.wrong() == [("workers", "count")]
    assert counted["workers", "count"]["message"] == "1 of 2 workers answer"


def test_who_dies_while_it_is_asked_is_gone_and_not_silent(
    rabbitmq_url: str, tmp_path: Path
) -> None:
    Worker(rabbitmq_url, tmp_path).wait()
    is_there = Event()
    dying = Thread(target=_serve_until_asked, args=(rabbitmq_url, "gone@test", is_there))
    dying.start()
    assert is_there.wait(20)
    verdict = Verdict(rabbitmq_url, "--worker", "w@test", "--worker", "gone@test")
    dying.join(20)
    assert verdict.wrong() == [("workers", "gone@test")], verdict.said
    assert verdict["workers", "gone@test"]["message"] == "isn't connected"


def _serve_until_asked(url: str, node: str, is_there: Event) -> None:
    """Be connected as a worker is, and lose the connection at the first question."""
    connection = Connection(url)
    channel = connection.channel()
    to_all = Exchange("celery.pidbox", "fanout", durable=False, delivery_mode="transient")
    own = Queue(f"{node}.celery.pidbox", to_all, durable=False, auto_delete=True)
    tasks = Queue("celery", Exchange("celery"), routing_key="celery")
    Consumer(channel, [tasks, own], callbacks=[lambda *_: None]).consume()
    is_there.set()
    connection.drain_events(timeout=60)
    connection.connection.transport.close()


def test_no_reply_is_unknown_unless_the_process_is_stopped(broker_url: str, tmp_path: Path) -> None:
    stopped = Worker(broker_url, tmp_path, name="stopped").wait()
    # In Redis it listens a bit later than it says that it is ready.
    wait_until(lambda: Verdict(broker_url, "--worker", stopped.node).state == "ok", 30)
    os.kill(stopped.pid, signal.SIGSTOP)
    verdict = Verdict(broker_url, "--worker", stopped.node, "--timeout", "5s")
    os.kill(stopped.pid, signal.SIGCONT)
    assert verdict.code == 1
    finding = verdict["workers", stopped.node]
    assert finding["state"] == "bad"
    assert finding["cause"] == f"its process {stopped.pid} is stopped (SIGSTOP)"


def test_a_solo_worker_that_is_busy_is_unknown(broker_url: str, tmp_path: Path) -> None:
    solo = Worker(broker_url, tmp_path, name="solo", pool="solo", slots=1).wait()
    send(broker_url, "shop.nap", 30)
    wait_until(lambda: Verdict(broker_url).state == "unknown", 30, "the task runs")
    verdict = Verdict(broker_url, "--worker", solo.node)
    assert verdict.code == 3
    finding = verdict["workers", solo.node]
    assert finding["state"] == "unknown"
    assert finding["cause"] == "a solo pool can't answer while it runs a task"


def test_a_worker_that_answers_and_takes_nothing_is_bad(broker_url: str, tmp_path: Path) -> None:
    worker = Worker(broker_url, tmp_path, SHOP_CATATONIC="1").wait()
    send(broker_url, "shop.quick", count=3)
    verdict = Verdict(broker_url)
    assert verdict.code == 1
    assert verdict["queues", "celery"]["state"] == "bad", verdict.said
    assert worker.node in verdict["queues", "celery"]["cause"]
    assert verdict["workers", worker.node]["state"] == "bad"


def test_a_pool_that_is_full_is_the_cause_of_a_backlog(broker_url: str, tmp_path: Path) -> None:
    worker = Worker(broker_url, tmp_path, pool="prefork", slots=1).wait()
    send(broker_url, "shop.nap", 60, count=6)
    wait_until(
        lambda: Verdict(broker_url)["workers", worker.node]["data"]["active"] == 1,
        30,
        "the task runs",
    )
    calm = Verdict(broker_url)
    assert calm.state == "ok", calm.said
    assert calm["workers", worker.node]["cause"] == "its pool is full of running tasks"
    strict = Verdict(broker_url, "--max-depth", "2")
    finding = strict["queues", "celery"]
    assert (strict.code, finding["state"]) == (1, "bad")
    assert finding["cause"] == "the pools of its workers are full of running tasks (shop.nap)"
    hung = Verdict(broker_url, "--max-runtime", "0.1s")
    assert hung["workers", worker.node]["state"] == "bad"
