"""Folding events: whatever is lost, comes twice or in another order, what was told is known."""

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.celery.watch.events import Fold, read_exception
from radar_cli.model.ledger import Stage, TaskRecord, TaskState

_SECOND = 1_000_000
_NOW = 1_795_000_000 * _SECOND
_TRACEBACK = """Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/srv/shop/tasks.py", line 12, in backup
    load("redis://:hunter2@host/0")
ValueError: no disk
"""


def event(kind: str, second: float, task: str = "a", **fields: Any) -> dict[str, Any]:
    node = {} if kind == "sent" else {"hostname": "w@h"}
    at = {"type": f"task-{kind}", "uuid": task, "timestamp": _NOW / 1e6 + second}
    return {**at, **node, **fields}


def whole(task: str = "a") -> list[dict[str, Any]]:
    sent = {"name": "shop.pay", "args": "(1,)", "kwargs": "{}", "queue": "celery"}
    return [
        event("sent", 0, task, **sent, hostname="gen1@h", root_id=task),
        event("received", 1, task, name="shop.pay", args="(1,)", kwargs="{}"),
        event("started", 2, task),
        event("succeeded", 5, task, result="None", runtime=3.0),
    ]


def fold(events: list[dict[str, Any]], **options: Any) -> Fold:
    found = Fold(**options)
    for number, each in enumerate(events):
        found.apply(each, _NOW + 3600 * _SECOND + number)
    return found


def records(found: Fold) -> dict[str, TaskRecord]:
    return {task.id: task for task in found.take_changes()[0]}


def test_a_task_goes_through_its_states() -> None:
    found = fold(whole())
    task = records(found)["a"]
    assert (task.name, task.queue, task.worker) == ("shop.pay", "celery", "w@h")
    assert (task.sent_us, task.received_us) == (_NOW, _NOW + _SECOND)
    assert (task.started_us, task.ended_us) == (_NOW + 2 * _SECOND, _NOW + 5 * _SECOND)
    assert (task.state, task.runtime_us, task.called) == (TaskState.SUCCESS, 3 * _SECOND, "1")
    assert task.wait_us == 2 * _SECOND
    assert not found.open
    assert records(found) == {}


@given(seed=st.integers(0, 10**9), tasks=st.integers(1, 5))
def test_neither_order_nor_duplicates_change_what_is_known(seed: int, tasks: int) -> None:
    chance = random.Random(seed)
    straight = [each for number in range(tasks) for each in whole(str(number))]
    mixed = straight + chance.choices(straight, k=chance.randrange(10))
    chance.shuffle(mixed)
    expected, seen = records(fold(straight)), records(fold(mixed))
    for task in seen.values():
        task.changed_us = expected[task.id].changed_us
    assert seen == expected


@given(seed=st.integers(0, 10**9))
def test_what_is_lost_takes_nothing_with_it(seed: int) -> None:
    chance = random.Random(seed)
    kept = [each for each in whole() if chance.random() < 0.6]
    seen = records(fold(kept))
    kinds = {each["type"] for each in kept}
    assert bool(seen) == bool(kept)
    for task in seen.values():
        assert (task.sent_us is not None) == ("task-sent" in kinds)
        assert (task.started_us is not None) == ("task-started" in kinds)
        assert task.is_ended == ("task-succeeded" in kinds)


@given(
    st.dictionaries(
        st.sampled_from(["type", "uuid", "timestamp", "hostname", "eta", "retries", "kwargs"]),
        st.one_of(st.none(), st.integers(), st.text(max_size=5), st.floats(), st.lists(st.none())),
    )
)
def test_nonsense_is_counted(fields: Mapping[str, Any]) -> None:
    found = Fold()
    for kind in ("task-sent", "worker-heartbeat"):
        found.apply({"type": kind, **fields}, _NOW)
    assert found.events == 2


def test_memory_is_bounded() -> None:
    found = fold([event("sent", 0, str(n), expires="2030-01-01") for n in range(50)], most=10)
    assert list(found.open) == [str(n) for n in range(40, 50)]
    assert (found.forgotten, len(found.expires_us)) == (40, 10)


def test_a_failure_has_its_class_its_line_and_no_secret() -> None:
    text = {"exception": "ValueError('no disk')", "traceback": _TRACEBACK}
    task = records(fold([*whole()[:3], event("failed", 5, **text)]))["a"]
    assert (task.state, task.exception, task.message) == (
        *(TaskState.FAILURE, "ValueError"),
        "no disk",
    )
    assert task.place == "shop/tasks.py:12 (backup)"
    assert "hunter2" not in task.traceback
    assert "ValueError: no disk" in task.traceback


@pytest.mark.parametrize(
    ("text", "printed", "found"),
    [
        ("ValueError('no')", "", ("ValueError", "no")),
        ("shop.Broken: why", "", ("shop.Broken", "why")),
        ("", "a\nKeyError: 'x'\n", ("KeyError", "'x'")),
        (
            "<ExceptionWithTraceback>",
            'tb\nbilliard.exceptions.TimeLimitExceeded: TimeLimitExceeded(1,)\n"""',
            ("billiard.exceptions.TimeLimitExceeded", "TimeLimitExceeded(1,)"),
        ),
        ("ValueError('cut sh", "", ("ValueError", "cut sh")),
        ("Worker exited", "", ("", "Worker exited")),
    ],
)
def test_the_class_of_an_exception_is_found(
    text: str, printed: str, found: tuple[str, str]
) -> None:
    assert read_exception(text, printed) == found


def test_a_retry_begins_anew_and_ends_once() -> None:
    again = [
        event("retried", 3, exception="OSError('x')"),
        event("sent", 3, retries=1, eta="2026-11-18T10:00:00+00:00"),
        event("received", 4, retries=1),
    ]
    found = fold([*whole()[:3], *again])
    task = records(found)["a"]
    assert (task.state, task.retries, task.exception) == (TaskState.RECEIVED, 1, "OSError")
    assert (task.started_us, task.ended_us) == (None, None)
    found.apply(event("started", 6), _NOW + 9 * _SECOND)
    found.apply(event("succeeded", 7, runtime=1), _NOW + 9 * _SECOND)
    assert records(found)["a"].state == TaskState.SUCCESS


def test_ends_that_are_none_of_its_own() -> None:
    def end(kind: str, **fields: Any) -> TaskRecord:
        return records(fold([*whole()[:3], event(kind, 4, **fields)]))["a"]

    assert end("revoked", expired=True).state == TaskState.EXPIRED
    assert end("revoked", terminated=True, signum=9).message == "terminated by signal 9"
    assert end("rejected", requeue=False).state == TaskState.REJECTED
    assert end("failed", exception="NotRegistered('x')").stage == Stage.UNKNOWN


def test_what_was_taken_for_lost_comes_back() -> None:
    found = fold(whole()[:3])
    task = found.open["a"]
    found.end(task, TaskState.LOST, str(Stage.WORKER_GONE), _NOW)
    assert records(found)["a"].stage == "worker gone"
    assert not found.open
    # Its message wasn't acknowledged, so another worker gets it; the sender says nothing new.
    found.apply(whole()[0], _NOW + 1)
    assert records(found)["a"].state == TaskState.LOST
    found.apply({**event("received", 9), "hostname": "v@h"}, _NOW + 9 * _SECOND)
    task = records(found)["a"]
    assert (task.state, task.stage, task.worker, task.ended_us) == ("received", "", "v@h", None)
    assert list(found.open) == ["a"]


def test_what_is_delivered_again_waits_at_another_worker() -> None:
    sent, received, started, succeeded = whole()
    again = event("received", 9, hostname="v@h")
    for redelivered in (again, event("received", 9)):  # or at the same, after its restart
        found = fold([sent, received, started, redelivered])
        task = found.open["a"]
        assert (task.state, task.started_us) == (TaskState.RECEIVED, None)
        assert task.worker == redelivered["hostname"]
    found = fold([sent, received, started, again, succeeded])
    assert [task.state for task in records(found).values()] == [TaskState.SUCCESS]


def test_what_is_rejected_to_be_tried_again_has_not_ended() -> None:
    sent, received, started, succeeded = whole()
    rejected = event("rejected", 4, requeue=True)
    found = fold([sent, received, started, rejected])
    task = found.open["a"]
    assert (task.state, task.worker, task.started_us) == (TaskState.SENT, "", None)
    assert fold([sent, received, rejected, received, started, succeeded]).open == {}
    assert records(fold([sent, event("rejected", 4)]))["a"].state == TaskState.REJECTED


def test_workers_come_and_go() -> None:
    def beat(kind: str, second: float, **fields: Any) -> dict[str, Any]:
        at = _NOW / 1e6 + second
        return {"type": f"worker-{kind}", "hostname": "w@h", "timestamp": at, **fields}

    found = Fold()
    found.apply(beat("online", 0), _NOW)
    found.apply(beat("heartbeat", 2, active=1, processed=7), _NOW + 2 * _SECOND)
    [worker] = found.take_changes()[1]
    assert (worker.active, worker.processed, worker.since_us) == (1, 7, _NOW)
    found.apply(beat("offline", 4), _NOW + 4 * _SECOND)
    [worker] = found.take_changes()[1]
    assert (worker.said_goodbye, worker.gone_us) == (True, _NOW + 4 * _SECOND)
    found.apply(beat("heartbeat", 6), _NOW + 6 * _SECOND)
    [worker] = found.take_changes()[1]
    assert (worker.said_goodbye, worker.gone_us) == (False, None)


def test_a_clock_that_is_ahead_is_counted() -> None:
    found = Fold()
    found.apply(event("sent", 7200), _NOW)
    assert records(found)["a"].sent_us == _NOW
    assert found.from_the_future == 1
