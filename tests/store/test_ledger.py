"""The ledger of a Celery: what is written is found again, and what is known isn't taken back."""

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar_cli.model.ledger import (
    Batch,
    Blindness,
    Firing,
    QueueSample,
    Stage,
    TaskRecord,
    TaskState,
    WorkerRecord,
)
from radar_cli.store.ledger import Ledger, LedgerRetention, TaskSearch
from radar_cli.store.store import Store

_SECOND = 1_000_000
_NOW = 1_795_000_000 * _SECOND


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return store.ledger


def task(number: int, **given: Any) -> TaskRecord:
    fields = {"name": "shop.pay", "state": TaskState.SUCCESS, "changed_us": _NOW + number}
    return TaskRecord(**{"id": f"task-{number}", **fields, **given})


def write(ledger: Ledger, *tasks: TaskRecord) -> None:
    ledger.write(Batch(tasks=list(tasks)), _NOW)


def test_nothing_is_known_before_a_watch_wrote(ledger: Ledger) -> None:
    assert (ledger.last_look(), ledger.watched_since(), ledger.missed_events()) == (None, None, 0)
    assert (ledger.tasks(TaskSearch(), 9), ledger.workers(), ledger.queues()) == ([], [], [])
    ledger.write(Batch(missed_events=3), _NOW)
    ledger.write(Batch(missed_events=4), _NOW + 1)
    assert (ledger.last_look(), ledger.watched_since()) == (_NOW + 1, _NOW)
    assert ledger.missed_events() == 7


def test_a_task_is_found_as_it_was_written(ledger: Ledger) -> None:
    outcome = {"exception": "ValueError", "place": "shop.py:3 (pay)", "traceback": "Traceback"}
    times = ("sent_us", "received_us", "started_us", "ended_us", "eta_us", "runtime_us")
    whole = task(
        0,
        id="a",
        state=TaskState.FAILURE,
        stage=str(Stage.WORKER_GONE),
        worker="w@h",
        queue="celery",
        entry="nightly",
        retries=7,
        **{name: number for number, name in enumerate(times)},
        **{"message": "no", "called": "(1,)", "root": "root", "parent": "parent", **outcome},
    )
    write(ledger, whole)
    assert ledger.find_task("a") == whole
    assert ledger.find_tasks(["a", "b"]) == {"a": whole}
    assert ledger.find_task("b") is None


def test_what_is_known_stays_where_a_record_says_nothing(ledger: Ledger) -> None:
    write(ledger, task(1, state=TaskState.SENT, sent_us=5, queue="celery", called="(1,)"))
    # A watch that was started again has never heard of it.
    write(ledger, task(1, name="", state=TaskState.STARTED, started_us=9, worker="w@h"))
    found = ledger.find_task("task-1")
    assert found is not None
    assert (found.name, found.queue, found.called) == ("shop.pay", "celery", "(1,)")
    assert (found.sent_us, found.started_us, found.state) == (5, 9, TaskState.STARTED)


def test_an_end_is_final_but_for_a_retry(ledger: Ledger) -> None:
    write(ledger, task(1, state=TaskState.FAILURE, ended_us=9))
    write(ledger, task(1, state=TaskState.STARTED, started_us=8))
    assert ledger.count_tasks(TaskSearch()) == {"failure": 1}
    write(ledger, task(1, state=TaskState.STARTED, retries=1))
    assert ledger.count_tasks(TaskSearch()) == {"started": 1}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (TaskSearch(), [5, 4, 3, 2, 1, 0]),
        (TaskSearch(name="shop.pay"), [5, 3, 1]),
        (TaskSearch(name="shop.*"), [5, 4, 3, 2, 1, 0]),
        (TaskSearch(name="*.p?y"), [5, 3, 1]),
        (TaskSearch(states=("started", "sent")), [2, 1]),
        (TaskSearch(worker="w1@h"), [4, 1]),
        (TaskSearch(queue="slow"), [3]),
        (TaskSearch(entry="nightly"), [0]),
        (TaskSearch(since_us=_NOW + 2, until_us=_NOW + 4), [3, 2]),
        (TaskSearch(broken=True), [5]),
        (TaskSearch(ids=("task-4", "task-9")), [4]),
    ],
)
def test_tasks_are_searched(ledger: Ledger, search: TaskSearch, found: list[int]) -> None:
    tasks = [task(n, name=("shop.ship", "shop.pay")[n % 2], worker=f"w{n % 3}@h") for n in range(6)]
    tasks[1].state, tasks[2].state = TaskState.STARTED, TaskState.SENT
    tasks[3].queue, tasks[0].entry, tasks[5].stage = "slow", "nightly", str(Stage.WORKER_GONE)
    write(ledger, *tasks)
    assert [each.id for each in ledger.tasks(search, 9)] == [f"task-{n}" for n in found]


def test_pages_follow_one_another(ledger: Ledger) -> None:
    write(ledger, *(task(n, changed_us=_NOW + n // 3) for n in range(10)))
    seen: list[str] = []
    place = None
    while page := ledger.tasks(TaskSearch(), 3, before=place):
        seen += [each.id for each in page]
        place = page[-1].changed_us, page[-1].id
    assert len(seen) == len(set(seen)) == 10


def test_it_sums_up_by_name(ledger: Ledger) -> None:
    write(
        ledger,
        task(1, sent_us=0, started_us=10, ended_us=30, runtime_us=20),
        task(2, state=TaskState.FAILURE, sent_us=0, eta_us=40, started_us=50, ended_us=60),
        task(3, state=TaskState.STARTED, started_us=70),
        task(4, state=TaskState.SENT, name="shop.ship", sent_us=1),
        task(5, name="old", changed_us=1),
    )
    pay, ship = ledger.summarize(_NOW)
    assert (pay.name, pay.ended, pay.failed, pay.running, pay.waiting) == ("shop.pay", 2, 1, 1, 0)
    assert (pay.mean_runtime_us, pay.mean_wait_us, pay.longest_wait_us) == (20, 10, 10)
    assert (ship.name, ship.waiting, ship.mean_wait_us) == ("shop.ship", 1, None)
    assert [each.id for each in ledger.failures(_NOW)] == ["task-2"]
    assert [each.id for each in ledger.running()] == ["task-3"]


def test_workers_queues_firings_and_blindness(ledger: Ledger) -> None:
    here = WorkerRecord("w@h", _NOW, 5, "prefork", 4, 1, 90, ("celery", "slow"))
    gone = dataclasses.replace(here, node="v@h", gone_us=_NOW, said_goodbye=True)
    samples = [QueueSample("celery", _NOW + n, n, None, 2) for n in range(3)]
    due = Firing("nightly", _NOW, "shop.pay", "a", _NOW)
    later = dataclasses.replace(due, due_us=_NOW + 60)
    blind = Blindness(_NOW - 9, _NOW, "the broker was away")
    ledger.write(Batch([], [here, gone], samples, [due, later], [blind]), _NOW)
    assert ledger.workers() == [gone, here]
    assert ledger.queues() == [samples[2]]
    assert ledger.queue_history("celery", _NOW + 1) == samples[1:]
    assert ledger.firings(0) == [later, due]
    ended = dataclasses.replace(due, attempted_us=None, ended_us=_NOW + 5, state="success")
    ledger.write(Batch(firings=[ended]), _NOW)
    assert ledger.firings(0, open_only=True) == [later]
    assert ledger.firings(0, entry="nightly")[1] == dataclasses.replace(ended, attempted_us=_NOW)
    assert ledger.blindness(_NOW) == [blind]


def test_it_forgets_what_is_old_or_too_much(ledger: Ledger) -> None:
    write(ledger, *(task(n) for n in range(20)))
    ledger.write(Batch(queues=[QueueSample("q", _NOW - 9, 1), QueueSample("q", _NOW, 2)]), _NOW)
    kept = LedgerRetention(tasks=5, tasks_for_us=10**15, samples_for_us=5)
    assert ledger.sweep(_NOW, kept) == 16
    assert [each.id for each in ledger.tasks(TaskSearch(), 99)] == [
        f"task-{n}" for n in range(19, 14, -1)
    ]
    assert [sample.depth for sample in ledger.queue_history("q", 0)] == [2]
    assert ledger.sweep(_NOW + 10**9, LedgerRetention(tasks_for_us=1)) == 5


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_the_order_of_batches_makes_no_difference_to_what_is_known(
    ledger: Ledger, seed: int
) -> None:
    chance = random.Random(seed)
    key = f"task-{seed}-{chance.random()}"
    facts: list[dict[str, Any]] = [
        {"state": TaskState.SENT, "sent_us": 1, "queue": "celery"},
        {"state": TaskState.RECEIVED, "received_us": 2, "worker": "w@h"},
        {"state": TaskState.STARTED, "started_us": 3},
        {"state": TaskState.FAILURE, "ended_us": 4, "exception": "ValueError"},
    ]
    chance.shuffle(facts)
    for each in facts:
        write(ledger, TaskRecord(key, changed_us=_NOW, **each))
    found = ledger.find_task(key)
    assert found is not None
    assert (found.sent_us, found.received_us, found.started_us, found.ended_us) == (1, 2, 3, 4)
    assert (found.state, found.exception, found.queue) == ("failure", "ValueError", "celery")


def test_a_search_that_no_index_answers_goes_on_where_it_has_stopped(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radar_cli.store.ledger.SCANNED_MAX", 10)
    write(ledger, *(task(n, worker="rare" if n in (3, 27) else "w") for n in range(30)))
    found, places, before = [], 0, None
    while True:
        page = ledger.find_page(TaskSearch(worker="rare"), 5, before=before)
        found += [each.id for each in page.tasks]
        if page.next is None:
            break
        assert page.is_cut
        before, places = page.next, places + 1
    assert found == ["task-27", "task-3"]
    assert places == 3
    whole = ledger.find_page(TaskSearch(name="shop.pay"), 50)  # an index leads to all of these
    assert (len(whole.tasks), whole.next, whole.is_cut) == (30, None, False)


def test_a_task_leads_to_the_one_that_sent_it_and_to_those_that_it_has_sent(
    ledger: Ledger,
) -> None:
    parent, child = task(1, started_us=_NOW), task(2, parent="task-1", root="task-1")
    write(ledger, parent, child, task(3), task(4, parent="task-2", root="task-1"))
    assert [each.id for each in ledger.relatives(parent, 9)] == ["task-2"]
    assert {each.id for each in ledger.relatives(child, 9)} == {"task-1", "task-4"}
