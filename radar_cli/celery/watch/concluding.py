"""Concluding from a look what no event tells: tasks that are lost, stuck, or gone unseen. Pure.

Events are lossy, so that none came proves nothing. A look at the broker and at what workers hold
does, if it is seen twice: between two looks a task is in its queue, fetched by a worker, or gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from radar_cli.celery.check.seen import Look, SeenWorker
from radar_cli.celery.watch.events import Fold
from radar_cli.model.ledger import QueueSample, Stage, TaskRecord, TaskState, WorkerRecord

_SECOND = 1_000_000
# Between two looks, and no less than that, a task may be on its way from one place to the next.
_PATIENCE_US = 5 * _SECOND
# A worker beats every 2 s, and one that was killed never again.
_QUIET_US = 8 * _SECOND
# One with a solo pool neither beats nor answers while it works.
_BUSY_POOLS = ("solo", "")
_LONG_QUIET_US = 60 * _SECOND


@dataclass(slots=True)
class _Progress:
    """The tasks that a worker began: by its own count, and by the events that came."""

    since: int  # the worker's count when its events began to be compared with it
    heard: int  # events that had come by then
    lately: int = 0  # missing at the last look: a task may be begun while one looks
    gap_us: int = 0  # when events were last found to be missing


@dataclass(slots=True)
class Conclusions:
    """The results of a look: samples of queues, and events found to have been missed."""

    queues: list[QueueSample] = field(default_factory=list)
    missed_events: int = 0
    silent_nodes: list[str] = field(default_factory=list)  # work, and send no events of tasks


class Concluder:
    """Compares the tasks that go on with each look, of which there is one each `interval_s`.

    Before `blind_until_us` nothing was seen.
    """

    def __init__(self, fold: Fold, blind_until_us: int, interval_s: float = 10.0) -> None:
        self._fold = fold
        self._patience_us = max(_PATIENCE_US, round(1.5e6 * interval_s))
        self._quiet_us = max(_QUIET_US, round(2e6 * interval_s))
        self.blind_until_us = blind_until_us
        self._suspects: dict[str, tuple[TaskState, int]] = {}  # in which state, and since when
        self._progress: dict[str, _Progress] = {}
        self.heard: dict[str, int] = {}  # events of tasks that began, by worker
        # Running tasks whose messages their broker keeps until they end (acks_late).
        self._unacked: set[str] = set()
        self._processes: dict[str, frozenset[int]] = {}  # of pools, by worker
        self._ended_us: dict[str, int] = {}  # when one of them was last found to have ended
        self._backend_faults: Mapping[str, str] = {}

    def note_started(self, node: str) -> None:
        """Count a task that a worker began, by its event."""
        self.heard[node] = self.heard.get(node, 0) + 1

    def conclude(
        self,
        look: Look,
        now_us: int,
        heard: Mapping[str, int] | None = None,
        backend_faults: Mapping[str, str] | None = None,
    ) -> Conclusions:
        """Bring the fold up to what a look has seen.

        `heard` is a copy of what `self.heard` was before the workers were asked: an event that
        came after that may be of a task that they counted. `backend_faults` are why the result
        backends of workers don't answer, by worker.
        """
        self._backend_faults = backend_faults or {}
        heard = self.heard if heard is None else heard
        done = Conclusions(queues=_sample(look, now_us))
        for worker in look.workers.values():
            self._note_worker(worker, now_us)
            self._count_missed(worker, heard.get(worker.node, 0), done, now_us)
        gone = self._find_gone(look, now_us)
        holders = {number: worker for worker in look.workers.values() for number in worker.held}
        running = (task for worker in look.workers.values() for task in worker.active)
        self._unacked &= self._fold.open.keys()
        self._unacked |= {task.id for task in running if not task.is_acked}
        suspects: dict[str, tuple[TaskState, int]] = {}
        for task in list(self._fold.open.values()):
            if (holder := holders.get(task.id)) is not None:
                self._note_holder(task, holder, done, now_us)
            elif (verdict := self._judge(task, look, gone, now_us)) is not None:
                before, since_us = self._suspects.get(task.id, (None, now_us))
                if before != task.state:
                    since_us = now_us
                # One whose worker was silent for long is stuck at once: one notice tells of both.
                is_sure = verdict[0] is None and task.worker in gone
                if now_us - since_us < self._patience_us // 3 and not is_sure:
                    suspects[task.id] = task.state, since_us
                    continue
                state, stage = verdict
                if state is None:
                    suspects[task.id] = task.state, since_us
                    self._fold.mark(task, stage, now_us)
                elif state == TaskState.SENT:
                    self._fold.put_back(task, now_us)
                else:
                    done.missed_events += state == TaskState.UNSEEN
                    is_of_backend = stage == Stage.NOT_STORED
                    why = self._backend_faults.get(task.worker, "") if is_of_backend else ""
                    self._fold.end(task, state, stage, now_us, why)
            elif task.stage:
                self._fold.mark(task, "", now_us)
        self._suspects = suspects
        return done

    def _note_worker(self, worker: SeenWorker, now_us: int) -> None:
        if self._processes.get(worker.node, frozenset()) - worker.processes:
            self._ended_us[worker.node] = now_us
        self._processes[worker.node] = worker.processes
        known = self._fold.workers.get(worker.node) or WorkerRecord(worker.node, now_us, now_us)
        if known.gone_us is not None:
            known = replace(known, since_us=now_us, gone_us=None, said_goodbye=False)
        self._fold.note_worker(
            replace(
                known,
                seen_us=now_us,
                pool=worker.pool,
                slots=worker.slots,
                active=len(worker.active),
                processed=worker.total,
                queues=known.queues if worker.queues is None else worker.queues,
            )
        )

    def _count_missed(self, worker: SeenWorker, heard: int, done: Conclusions, now_us: int) -> None:
        """Compare a worker's count of tasks with the events that came of them."""
        progress = self._progress.get(worker.node)
        if progress is None or worker.total < progress.since:
            self._progress[worker.node] = _Progress(worker.total, heard)
            return
        all_heard = self.heard.get(worker.node, 0)
        missing = max(0, worker.total - progress.since - (all_heard - progress.heard))
        # What came late since the last look isn't missed.
        surely = min(missing, progress.lately)
        progress.lately = missing - surely
        if surely:
            progress.since += surely
            progress.gap_us = now_us
            done.missed_events += surely
            if not all_heard:
                done.silent_nodes.append(worker.node)

    def forget(self, now_us: int) -> None:
        """Note that nothing was seen until now."""
        self.blind_until_us = now_us
        self._progress.clear()
        self._suspects.clear()

    def _has_gaps(self, node: str, since_us: int) -> bool:
        """Whether a worker may have done what no event told of."""
        progress = self._progress.get(node)
        return progress is not None and (progress.lately > 0 or progress.gap_us >= since_us)

    def _find_gone(self, look: Look, now_us: int) -> set[str]:
        """Note and return the workers that are gone."""
        gone = set()
        for known in list(self._fold.workers.values()):
            if known.gone_us is not None:
                gone.add(known.node)
                continue
            quiet_us = now_us - known.seen_us
            if known.node in look.workers or quiet_us < self._quiet_us:
                continue
            if look.silent and (known.pool in _BUSY_POOLS or quiet_us < _LONG_QUIET_US):
                continue  # it may be that one who hears and doesn't answer
            self._fold.note_worker(replace(known, gone_us=known.seen_us))
            for each in (self._progress, self._processes, self._ended_us):
                each.pop(known.node, None)
            gone.add(known.node)
        return gone

    def _note_holder(
        self, task: TaskRecord, worker: SeenWorker, done: Conclusions, now_us: int
    ) -> None:
        is_active = any(active.id == task.id for active in worker.active)
        state = TaskState.STARTED if is_active else TaskState.RECEIVED
        is_news = task.state == TaskState.SENT or (is_active and task.state == TaskState.RECEIVED)
        if is_news and now_us - task.changed_us > self._patience_us:
            done.missed_events += 1
            self._fold.find_holder(task, worker.node, state, now_us)
        elif task.stage:
            self._fold.mark(task, "", now_us)

    def _judge(
        self, task: TaskRecord, look: Look, gone: set[str], now_us: int
    ) -> tuple[TaskState | None, str] | None:
        """Return how a task that nobody holds has ended, and where.

        The state None: it is stuck. SENT: its message is back in its queue.
        """
        is_of_gone = task.worker in gone and task.state != TaskState.SENT
        since_us = max(task.changed_us, task.eta_us or 0)
        if now_us - since_us < self._patience_us and not is_of_gone:
            return None
        fetched = look.unacked.fetched_at if look.unacked is not None else {}
        has_holder = task.worker in look.workers and task.state == TaskState.STARTED
        if look.unacked is not None and look.unacked.count and not fetched and not has_holder:
            return None  # too many to be read: it may be one of them
        is_fetched = task.id in fetched
        if task.state in (TaskState.SENT, TaskState.RETRY):
            return self._judge_waiting(task, look, is_fetched=is_fetched, now_us=now_us)
        if is_of_gone:
            return self._judge_orphan(task, look, is_fetched=is_fetched)
        if task.worker not in look.workers:
            return None  # whoever doesn't answer may hold it, until he is known to be gone
        is_started, has_fault = task.state == TaskState.STARTED, task.worker in self._backend_faults
        if is_fetched:
            stage = Stage.NOT_STORED if is_started and has_fault else Stage.HELD_BY_NOBODY
            return None, str(stage)
        if self._is_unsure(task, look):
            return TaskState.UNSEEN, ""
        if task.state == TaskState.RECEIVED:
            return None  # acknowledged and put back, say: it comes again
        if has_fault:
            return TaskState.LOST, str(Stage.NOT_STORED)
        if self._ended_us.get(task.worker, 0) >= (task.started_us or task.changed_us):
            return TaskState.LOST, str(Stage.WORKER_GONE)
        return TaskState.UNSEEN, ""  # ignored (`raise Ignore`), say: no event tells of that

    def _judge_orphan(
        self, task: TaskRecord, look: Look, *, is_fetched: bool
    ) -> tuple[TaskState | None, str] | None:
        """Judge a task whose worker is gone."""
        is_started = task.state == TaskState.STARTED
        stuck = None, str(Stage.WORKER_GONE if is_started else Stage.HELD_BY_NOBODY)
        if is_fetched:
            return stuck  # it comes back; at the latest after the visibility timeout
        # Acknowledged early, as is Celery's default, a task that runs is in no queue any more.
        is_kept = not is_started or task.stage != "" or task.id in self._unacked
        queue = look.queues.get(task.queue)
        if is_kept and queue is not None and queue.depth:
            return TaskState.SENT, ""
        others = is_kept and any(self._has_gaps(node, task.changed_us) for node in look.workers)
        if task.changed_us <= self.blind_until_us or others:
            return TaskState.UNSEEN, ""
        if is_kept and look.unacked is None:
            return stuck
        return TaskState.LOST, str(Stage.WORKER_GONE)

    def _judge_waiting(
        self, task: TaskRecord, look: Look, *, is_fetched: bool, now_us: int
    ) -> tuple[TaskState | None, str] | None:
        name = task.queue
        queue = look.queues.get(name)
        expires_us = self._fold.expires_us.get(task.id)
        consumers = look.consumers_of(name)
        if queue is None or queue.depth is None:
            is_missing = queue is not None and queue.fault == "missing"
            return (TaskState.LOST, str(Stage.NOT_RECEIVED)) if is_missing else None
        if is_fetched:
            return None, str(Stage.HELD_BY_NOBODY)
        if queue.depth:
            if consumers or queue.consumers or look.silent:
                return None  # it waits for its turn
            return None, str(Stage.NOT_RECEIVED)
        if expires_us is not None and expires_us < now_us:
            return TaskState.EXPIRED, str(Stage.NOT_RECEIVED)
        if look.silent:
            return None  # it may be held by one who doesn't answer
        if self._is_unsure(task, look):
            return TaskState.UNSEEN, ""
        return TaskState.LOST, str(Stage.NOT_RECEIVED)

    def _is_unsure(self, task: TaskRecord, look: Look) -> bool:
        """Whether it may have gone on without the watch's seeing it."""
        if task.changed_us <= self.blind_until_us:
            return True
        nodes = [task.worker] if task.worker else list(look.workers)
        return any(self._has_gaps(node, task.changed_us) for node in nodes)


def _sample(look: Look, now_us: int) -> list[QueueSample]:
    unacked: Mapping[str, int] = look.unacked.by_queue if look.unacked is not None else {}
    is_known = look.unacked is not None and (look.unacked.count == 0 or bool(unacked))
    return [
        QueueSample(
            *(name, now_us, queue.depth),
            unacked.get(name, 0) if is_known else None,
            len(look.consumers_of(name)) if queue.consumers is None else queue.consumers,
        )
        for name, queue in look.queues.items()
        if not queue.fault
    ]
