"""Listing workers, queues and tasks, and telling workers something, on real brokers."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.envelopes import read_envelope
from tests.support.celery_app import Worker, send
from tests.support.radar import run_radar
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def _read(url: str, *words: str, codes: tuple[int, ...] = (0,)) -> Any:
    done = run_radar("celery", *words, "-b", url, "--json", text=True)
    return read_envelope(done, codes)["data"]


def _start(url: str, folder: Path, **options: Any) -> Worker:
    """A worker that answers."""
    worker = Worker(url, folder, **options).wait()
    ready = ("celery", "ready", worker.node, "-b", url)
    wait_until(lambda: run_radar(*ready).returncode == 0, 30, "it is ready")
    return worker


def test_they_show_what_flower_shows(broker_url: str, tmp_path: Path) -> None:
    worker = _start(broker_url, tmp_path, pool="prefork", slots=1)
    send(broker_url, "shop.nap", 60)
    send(broker_url, "shop.nap", 60, countdown=100)
    wait_until(lambda: len(_read(broker_url, "tasks")) == 2, 30, "both have arrived")
    tasks = _read(broker_url, "tasks")
    assert [(task["state"], task["name"], task["queue"]) for task in tasks] == [
        ("active", "shop.nap", "celery"),
        ("scheduled", "shop.nap", "celery"),
    ]
    assert tasks[0]["runs_s"] > 0
    assert tasks[1]["eta"]
    (seen,) = _read(broker_url, "workers")
    assert (seen["worker"], seen["pool"], seen["slots"]) == (worker.node, "prefork", 1)
    assert (seen["active"], seen["scheduled"], seen["queues"]) == (1, 1, ["celery"])
    assert set(seen["versions"]) >= {"celery", "kombu", "py"}
    (queue,) = _read(broker_url, "queues")
    assert (queue["queue"], queue["depth"], queue["workers"]) == ("celery", 0, [worker.node])
    names = [each["task"] for each in _read(broker_url, "tasks", "--state", "registered")]
    assert names == ["shop.nap", "shop.quick"]


def test_a_task_is_terminated_and_then_revoked(broker_url: str, tmp_path: Path) -> None:
    _start(broker_url, tmp_path, pool="prefork", slots=1)
    send(broker_url, "shop.nap", 60)
    (task,) = wait_until(lambda: _read(broker_url, "tasks", "--state", "active"), 30)
    _read(broker_url, "tasks", "terminate", task["id"], "--signal", "kill", "--yes")
    wait_until(lambda: not _read(broker_url, "tasks"), 30, "the task is gone")
    (revoked,) = _read(broker_url, "tasks", "--state", "revoked")
    assert revoked["id"] == task["id"]


def test_workers_do_as_they_are_told(broker_url: str, tmp_path: Path) -> None:
    worker = _start(broker_url, tmp_path, pool="prefork", slots=1)
    yes = ("--worker", worker.node, "--yes")
    _read(broker_url, "workers", "add-consumer", "mail", *yes)
    wait_until(lambda: "mail" in _read(broker_url, "workers")[0]["queues"], 30)
    _read(broker_url, "workers", "cancel-consumer", "mail", *yes)
    wait_until(lambda: "mail" not in _read(broker_url, "workers")[0]["queues"], 30)
    _read(broker_url, "workers", "grow", "1", *yes)
    wait_until(lambda: _read(broker_url, "workers")[0]["slots"] == 2, 30)
    _read(broker_url, "workers", "shrink", "1", *yes)
    _read(broker_url, "tasks", "rate-limit", "shop.quick", "10/m", *yes)
    _read(broker_url, "tasks", "time-limit", "shop.nap", "--soft", "1m", "--hard", "2m", *yes)
    for refused in (
        ("tasks", "rate-limit", "shop.nothing", "10/m"),
        ("workers", "restart"),
        ("workers", "autoscale", "3", "1"),
    ):
        (answer,) = _read(broker_url, *refused, *yes, codes=(1,))
        assert answer["ok"] is False
    _read(broker_url, "workers", "shutdown", *yes)
    assert worker.process.wait(20) == 0


def test_nothing_is_done_without_a_yes(redis_url: str, tmp_path: Path) -> None:
    worker = _start(redis_url, tmp_path)
    words = ("celery", "workers", "shutdown", "-b", redis_url)
    assert run_radar(*words, stdin=b"n\n").returncode == 130
    assert worker.process.poll() is None
    asked = run_radar(*words, stdin=b"y\n", text=True)
    assert asked.stderr.startswith(f"Shut {worker.node} down? [y/N]: ")
    assert worker.process.wait(20) == 0
    assert run_radar(*words, "--yes").returncode == 2


def test_what_stands_before_a_subcommand_counts_for_it(redis_url: str) -> None:
    words = ("celery", "workers", "-b", redis_url, "shutdown", "--yes")
    done = run_radar(*words, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "radar: no worker answers (see 'radar celery check')\n",
    )
