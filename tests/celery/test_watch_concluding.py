"""Concluding from looks: only what two looks agree on, and nothing while the watch was blind."""

from typing import Any

import pytest

from radar_cli.celery.check.seen import Look, SeenQueue, SeenTask, SeenWorker, Unacked
from radar_cli.celery.watch.concluding import Concluder
from radar_cli.celery.watch.events import Fold
from radar_cli.model.ledger import Stage, TaskRecord, TaskState

_SECOND = 1_000_000
_NOW = 1_795_000_000 * _SECOND


def event(kind: str, task: str = "a", **fields: Any) -> dict[str, Any]:
    at = {"type": f"task-{kind}", "uuid": task, "timestamp": _NOW / 1e6}
    return {**at, "hostname": "w@h", "queue": "q", **fields}


def worker(node: str = "w@h", *, total: int = 0, held: tuple[str, ...] = (), **more: Any) -> Any:
    given = {"node": node, "total": total, "pool": "prefork", "slots": 2, "prefetch": 8}
    given |= {"active": (), "reserved": 0, "scheduled": 0, "queues": ("q",)}
    return SeenWorker(**{**given, "held": frozenset(held), **more})


def look(*workers: SeenWorker, depth: int | None = 0, **more: Any) -> Look:
    queue = SeenQueue("q", depth, fault="" if depth is not None else "missing")
    given = {"heard": len(workers), "unacked": Unacked(0, None), **more}
    return Look(0.0, {"q": queue}, {each.node: each for each in workers}, **given)


class Case:
    """A fold with a task that has come so far, and a watch that has always seen everything."""

    def __init__(self, *kinds: str, blind_until_us: int = 0, **fields: Any) -> None:
        self.fold = Fold(self._hear)
        self.told: list[str] = []
        self.concluder = Concluder(self.fold, blind_until_us)
        self.missed = 0
        beat = {"type": "worker-heartbeat", "hostname": "w@h", "timestamp": _NOW / 1e6}
        self.fold.apply(beat, _NOW)
        for kind in kinds:
            self.fold.apply(event(kind, **fields), _NOW)
        self.fold.take_changes()

    def _hear(self, kind: str, task: TaskRecord) -> None:
        self.told.append(kind)
        if kind == "task-started":
            self.concluder.note_started(task.worker)

    def after(self, *looks: tuple[float, Look]) -> TaskRecord | None:
        """Return the task after looks at so many seconds, if anything was found out."""
        for seconds, each in looks:
            done = self.concluder.conclude(each, _NOW + round(seconds * _SECOND))
            self.missed += done.missed_events
            self.silent = done.silent_nodes
        changed = self.fold.take_changes()[0]
        return changed[0] if changed else None


def test_what_waits_in_a_consumed_queue_waits() -> None:
    case = Case("sent")
    seen = look(worker(), depth=1)
    assert case.after((20, seen), (40, seen), (60, seen)) is None


def test_fetched_by_nobody() -> None:
    case = Case("sent")
    task = case.after((20, look(depth=1)), (30, look(depth=1)))
    assert task is not None
    assert task.stage == "not received"
    assert case.told[-1] == "task-stuck"
    # A worker has come, so it waits as others do.
    task = case.after((40, look(worker(), depth=1)))
    assert task is not None
    assert task.stage == ""
    assert case.told[-1] == "task-unstuck"


@pytest.mark.parametrize("depth", [0, None])
def test_sent_and_never_received(depth: int | None) -> None:
    case = Case("sent")
    seen = look(worker(), depth=depth)
    assert case.after((10, seen), (20, seen), (22, seen)) is None  # not before it's sure
    task = case.after((30, seen))
    assert task is not None
    assert (task.state, task.stage) == (TaskState.LOST, Stage.NOT_RECEIVED)
    assert not case.fold.open


def test_expired_in_its_queue() -> None:
    case = Case("sent", expires="2026-11-17T00:00:00+00:00")
    task = case.after((20, look(worker())), (30, look(worker())))
    assert task is not None
    assert (task.state, task.stage) == (TaskState.EXPIRED, Stage.NOT_RECEIVED)


def test_an_eta_is_no_delay() -> None:
    case = Case("sent", eta="2030-01-01T00:00:00+00:00")
    assert case.after((20, look(worker())), (3000, look(worker()))) is None


def test_held_by_a_worker_that_told_nothing() -> None:
    case = Case("sent")
    busy = worker(held=("a",), active=(SeenTask("t", "a", None),))
    task = case.after((20, look(busy)))
    assert task is not None
    assert (task.state, task.worker, case.missed) == (TaskState.STARTED, "w@h", 1)
    assert case.after((30, look(busy))) is None


def test_started_and_its_worker_is_gone() -> None:
    case = Case("sent", "received", "started")
    task = case.after((22, look()), (32, look()))
    assert task is not None
    assert (task.state, task.stage) == (TaskState.LOST, Stage.WORKER_GONE)
    assert case.fold.workers["w@h"].gone_us is not None


def test_fetched_and_its_worker_is_gone() -> None:
    case = Case("sent", "received")
    kept = Unacked(1, 1.0, {"q": 1}, {"a": 1.0})
    task = case.after((22, look(unacked=kept)))  # told with its worker, at once
    assert task is not None
    assert (task.state, task.stage) == (TaskState.RECEIVED, Stage.HELD_BY_NOBODY)
    assert list(case.fold.open) == ["a"]
    # Now it is nowhere: neither fetched, nor in its queue, nor with a worker.
    task = case.after((50, look(worker("v@h"))), (60, look(worker("v@h"))))
    assert task is not None
    assert (task.state, task.stage) == (TaskState.LOST, Stage.WORKER_GONE)


def test_what_is_not_acknowledged_comes_back() -> None:
    case = Case("sent", "received", "started")
    kept = Unacked(1, 1.0, {"q": 1}, {"a": 1.0})
    case.after((1, look(worker(held=("a",)), unacked=kept)))
    task = case.after((22, look(unacked=kept)), (32, look(unacked=kept)))
    assert task is not None
    assert (task.state, task.stage) == (TaskState.STARTED, Stage.WORKER_GONE)
    # The broker gives it back: it waits, for another worker.
    other = worker("v@h")
    task = case.after((60, look(other, depth=1)), (70, look(other, depth=1)))
    assert task is not None
    assert (task.state, task.stage, task.worker) == (TaskState.SENT, "", "")
    assert case.told[-1] == "task-unstuck"
    case.fold.apply(event("received", hostname="v@h"), _NOW + 80 * _SECOND)
    task = case.fold.open["a"]
    assert (task.state, task.worker, case.missed) == (TaskState.RECEIVED, "v@h", 0)


def test_a_worker_that_is_gone_with_what_it_holds_where_the_broker_shows_nothing() -> None:
    late = worker(held=("a",), active=(SeenTask("t", "a", 1.0, is_acked=False),))
    for kinds in (("sent", "received"), ("sent", "received", "started")):
        case = Case(*kinds)
        case.after((1, look(late, unacked=None)))
        task = case.after(*[(at, look(unacked=None, depth=1)) for at in (22, 32)])
        assert task is not None
        assert task.state == TaskState.SENT
        task = case.after(*[(at, look(unacked=None, depth=1)) for at in (50, 60)])
        assert task is not None
        assert task.stage == Stage.NOT_RECEIVED


def test_nothing_is_lost_that_may_be_among_too_many() -> None:
    many = look(worker(), unacked=Unacked(900, 1.0))
    case = Case("sent")
    assert case.after((20, many), (40, many), (60, many)) is None


def test_one_who_hears_and_does_not_answer_may_have_it() -> None:
    case = Case("sent", "received", "started")
    silent = look(heard=1)
    seen = look(worker(held=("a",)))
    assert case.after((1, seen), (22, silent), (50, silent)) is None
    # After a minute it isn't that one, unless its pool is one that never answers while it works.
    assert case.after((70, silent), (80, silent)) is not None
    solo = Case("sent", "received", "started")
    assert solo.after((1, look(worker(pool="solo", held=("a",)))), (2, silent)) is None
    assert solo.after((90, silent), (200, silent)) is None


def test_a_process_that_ended_without_a_word() -> None:
    case = Case("sent", "received")
    case.after((1, look(worker(total=0, held=("a",), processes=frozenset((7, 8))))))
    case.fold.apply(event("started"), _NOW + 2 * _SECOND)
    case.fold.take_changes()
    seen = look(worker(total=1, processes=frozenset((7, 9))))
    task = case.after((20, seen), (30, seen))
    assert task is not None
    assert (task.state, task.stage) == (TaskState.LOST, Stage.WORKER_GONE)


def begun_case() -> Case:
    case = Case("sent", "received")
    case.after((1, look(worker(total=0, held=("a",)))))
    case.fold.apply(event("started"), _NOW + 2 * _SECOND)
    case.fold.take_changes()
    return case


def test_a_task_that_its_worker_dropped_is_not_lost() -> None:
    task = begun_case().after((20, look(worker(total=1))), (30, look(worker(total=1))))
    assert task is not None
    assert (task.state, task.stage) == (TaskState.UNSEEN, "")


def test_a_result_that_cannot_be_stored_is_the_cause() -> None:
    case, faults = begun_case(), {"w@h": "redis://r:6379: Connection refused"}
    for seconds in (20, 30):
        seen = look(worker(total=1))
        case.concluder.conclude(seen, _NOW + seconds * _SECOND, backend_faults=faults)
    [task], _ = case.fold.take_changes()
    assert (task.state, task.stage) == (TaskState.LOST, Stage.NOT_STORED)
    assert task.message == "redis://r:6379: Connection refused"
    case, kept = begun_case(), Unacked(1, 1.0, {"q": 1}, {"a": 1.0})
    for seconds in (20, 30):
        seen = look(worker(total=1), unacked=kept)
        case.concluder.conclude(seen, _NOW + seconds * _SECOND, backend_faults=faults)
    [task], _ = case.fold.take_changes()
    assert (task.state, task.stage) == (TaskState.STARTED, Stage.NOT_STORED)


def test_where_events_are_missing_an_end_is_unseen() -> None:
    case = Case("sent", "received", "started")
    case.after((1, look(worker(total=1, held=("a",)))))
    seen = look(worker(total=4))
    task = case.after((20, seen), (30, seen), (40, seen))
    assert task is not None
    assert (task.state, task.stage) == (TaskState.UNSEEN, "")
    assert case.missed == 3 + 1


def test_a_worker_without_events_is_named() -> None:
    case = Case("sent")
    case.after((1, look(worker(total=1))), (11, look(worker(total=5))))
    assert case.missed == 0  # they may be on their way
    case.after((21, look(worker(total=5))))
    assert (case.missed, case.silent) == (4, ["w@h"])
    case.after((31, look(worker(total=5))))
    assert case.missed == 4 + 1  # and the task that it ran, unseen


def test_what_went_on_while_it_was_blind_is_unseen() -> None:
    for kinds in (("sent",), ("sent", "received", "started")):
        case = Case(*kinds, blind_until_us=_NOW + 5 * _SECOND)
        task = case.after((20, look(worker())), (30, look(worker())))
        assert task is not None
        assert task.state == TaskState.UNSEEN


def test_a_new_start_of_a_worker_counts_anew() -> None:
    case = Case()
    case.after((1, look(worker(total=90))), (2, look(worker(total=3))), (3, look(worker(total=3))))
    assert case.missed == 0


def test_queues_are_sampled() -> None:
    unacked = Unacked(2, 1.0, {"q": 2})
    done = Case().concluder.conclude(look(worker(), depth=3, unacked=unacked), _NOW)
    [sample] = done.queues
    assert (sample.depth, sample.unacked, sample.consumers) == (3, 2, 1)
    [sample] = Case().concluder.conclude(look(unacked=None), _NOW).queues
    assert (sample.unacked, sample.consumers) == (None, 0)


def test_where_it_was_sent_by_an_exchange_nobody_guesses_the_queue() -> None:
    case = Case("sent", queue=None, exchange="topic", routing_key="a.b")
    assert case.after((20, look(worker())), (30, look(worker())), (90, look(worker()))) is None
    case = Case("sent", queue=None, exchange="", routing_key="q")
    assert case.after((20, look(worker())), (30, look(worker()))) is not None
