"""Thresholds of tasks: each has its own monitor, which goes down and comes up again."""

from pathlib import Path
from typing import Any

import pytest

from radar_cli.celery.watch.thresholds import Thresholds
from radar_cli.model.ledger import TaskRecord, TaskState
from radar_cli.model.ping import Ping
from radar_cli.model.state import Status
from tests.celery.test_watch import send_watched
from tests.celery.watching import Watching
from tests.support.celery_app import Worker

_SECOND = 1_000_000
_NOW = 1_795_000_000 * _SECOND


def _task(state: TaskState, name: str = "shop.pay", **given: Any) -> TaskRecord:
    return TaskRecord("id", name, state, changed_us=_NOW, **given)


def _end(thresholds: Thresholds, *states: TaskState, name: str = "shop.pay") -> None:
    for state in states:
        thresholds.note("task-ended", _task(state, name, ended_us=_NOW), _NOW)


def _report(thresholds: Thresholds, seconds: float = 0, *waiting: TaskRecord) -> list[Ping]:
    return thresholds.report(waiting, _NOW + round(seconds * _SECOND))


def test_a_failure_rate_is_told_when_it_is_passed_and_when_it_is_not_any_more() -> None:
    thresholds = Thresholds({"*": 0.4}, {})
    _end(thresholds, *[TaskState.FAILURE] * 2, *[TaskState.SUCCESS] * 2)
    assert _report(thresholds) == []  # so few runs tell no rate
    _end(thresholds, TaskState.SUCCESS)
    [well] = _report(thresholds)
    assert (well.kind, well.monitor) == ("success", "celery-task-shop.pay")
    _end(thresholds, TaskState.LOST)
    [failed] = _report(thresholds)
    words = "3 of 6 runs failed within 5 minutes (at most 40% may)"
    assert (failed.kind, failed.fields["reason"]) == ("fail", f"shop.pay: {words}")
    _end(thresholds, TaskState.FAILURE)
    assert _report(thresholds) == []  # it is told already
    assert _report(thresholds, 301) == []  # that nothing ran proves nothing
    _end(thresholds, *[TaskState.SUCCESS] * 20)
    assert [each.kind for each in _report(thresholds)] == ["success"]


def test_a_wait_counts_before_the_task_begins_and_not_before_its_eta() -> None:
    thresholds = Thresholds({}, {"shop.*": 60.0})
    waiting = _task(TaskState.SENT, sent_us=_NOW, eta_us=_NOW + 100 * _SECOND)
    assert [each.kind for each in _report(thresholds, 130, waiting)] == ["success"]
    [late] = _report(thresholds, 161, waiting)
    assert late.fields["reason"] == "shop.pay: waited 1 min 1 s so far in its queue (at most 1 min)"
    started = _task(TaskState.STARTED, sent_us=_NOW, started_us=_NOW + 2 * _SECOND)
    thresholds.note("task-started", started, _NOW)
    assert [each.kind for each in _report(thresholds)] == ["success"]


def test_a_task_takes_the_first_pattern_that_it_matches() -> None:
    thresholds = Thresholds({"shop.pay": 1.0, "shop.*": 0.0}, {})
    for name in ("shop.pay", "shop.mail", "other"):
        _end(thresholds, *[TaskState.FAILURE] * 5, name=name)
    kinds = {each.monitor: each.kind for each in _report(thresholds)}
    assert kinds == {"celery-task-shop.pay": "success", "celery-task-shop.mail": "fail"}


@pytest.mark.slow
def test_a_watch_tells_it_of_a_real_task(redis_url: str, tmp_path: Path) -> None:
    watching = Watching(redis_url, tmp_path, "--max-wait", "shop.nap=1s", "--interval", "0.5s")

    def status(key: str) -> Any:
        found = watching.store.monitors.find(key)
        return found and found.state.status

    watching.wait()
    Worker(redis_url, tmp_path, "-E", slots=1).wait()
    for _ in range(2):
        send_watched(redis_url, "shop.nap", 4)
    watching.until(lambda: status("celery-task-shop.nap") == Status.DOWN)
    assert status("celery-task-shop.quick") is None
    watching.stop()
