"""The standing watch beside real workers: what the ledger knows of each task."""

from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from radar_cli.store.ledger import TaskSearch
from tests.celery.checking import Verdict
from tests.celery.watching import Watching
from tests.cli.envelopes import read_envelope
from tests.support.celery_app import Worker
from tests.support.radar import run_radar

pytestmark = pytest.mark.slow

_SENT_EVENTS = {"task_send_sent_event": True}


def send_watched(url: str, task: str, *args: object, count: int = 1, **options: Any) -> list[str]:
    """Send a task as an app does whose `task_send_sent_event` is on; return the ids."""
    app = Celery("shop", broker=url, set_as_current=False)
    app.conf.update(_SENT_EVENTS)
    with app.connection_for_write() as connection:
        ids = [
            str(app.send_task(task, args, connection=connection, **options).id)
            for _ in range(count)
        ]
    app.close()
    return ids


def test_the_ledger_has_each_task_from_being_sent_to_its_end(
    broker_url: str, tmp_path: Path
) -> None:
    Worker(broker_url, tmp_path, "-E", app="watched", WATCHED_MONITORS="{}").wait()
    watch = Watching(broker_url, tmp_path).wait()
    send_watched(broker_url, "watched.well", count=30)
    [failed] = send_watched(broker_url, "watched.fails", 7, kwargs={"password": "hunter2"})
    watch.until(lambda: watch.counts() == {"success": 30, "failure": 1})
    task = watch.ledger.find_task(failed)
    assert task is not None
    assert (task.name, task.worker, task.queue) == ("watched.fails", "w@test", "celery")
    assert task.exception == "JSONDecodeError"
    assert task.place.startswith("app/watched.py:")
    assert "json.loads(password)" in task.traceback
    assert task.called == "7, password=[redacted]"
    times = (task.sent_us, task.received_us, task.started_us, task.ended_us)
    assert None not in times
    assert sorted(times, key=lambda time: time or 0) == list(times)
    [worker] = watch.until(watch.ledger.workers)
    watch.until(lambda: watch.ledger.workers()[0].slots == 2)
    assert worker.node == "w@test"
    watch.until(lambda: [q.depth for q in watch.ledger.queues() if q.name == "celery"] == [0])
    assert watch.stop() == 0
    assert watch.ledger.missed_events() == 0, watch.log


def test_failures_and_the_check_read_the_ledger(redis_url: str, tmp_path: Path) -> None:
    Worker(redis_url, tmp_path, "-E", app="watched", WATCHED_MONITORS="{}").wait()
    watch = Watching(redis_url, tmp_path, "--no-monitors").wait()
    send_watched(redis_url, "watched.fails", 7, count=4)
    watch.until(lambda: watch.counts() == {"failure": 4})
    done = run_radar("celery", "failures", "--json", text=True, env=watch.env)
    [group] = read_envelope(done)["data"]
    assert (group["failed"], group["exception"]) == (4, "JSONDecodeError")
    assert (group["tasks"], group["example"]["source"]) == ({"watched.fails": 4}, "ledger")
    assert "json.loads(password)" in group["example"]["traceback"]
    assert "setup_radar" not in done.stderr
    checked = run_radar(*("celery", "check", "-b", redis_url, "--json"), text=True, env=watch.env)
    findings = {(f["layer"], f["subject"]): f["state"] for f in Verdict.read(checked)["findings"]}
    assert findings["tasks", "watched.fails"] == "bad"
    assert watch.ledger.tasks(TaskSearch(name="watched.*"), 9)
    assert [*watch.store.monitors.all()] == []
