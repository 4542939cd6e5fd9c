"""Folding Celery's events into records of tasks and workers. Pure: it takes events and the time.

The fields of events: docs.celeryq.dev, "Monitoring and Management Guide", "Event Reference". They
come over a fan-out that keeps nothing: some are lost, some come twice or in another order. So each
says what it knows, and a task's state is the furthest that anything has told of.
"""

import ast
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from radar_cli.celery.results import own_line
from radar_cli.core.credentials import is_secret_name
from radar_cli.core.redaction import Redactor
from radar_cli.model.ledger import CONCLUDED, ENDED, Stage, TaskRecord, TaskState, WorkerRecord

# Tasks that go on, in memory: of more than that the oldest are forgotten here, not in the ledger.
OPEN_MAX = 100_000
# Tasks that have ended, for events that come late: a task may begin before its sender says so.
_ENDED_MAX = 10_000
_TRACEBACK_CHARACTERS = 4000
_MESSAGE_CHARACTERS = 500
CALLED_CHARACTERS = 500
_NAME_CHARACTERS = 200
_MASKED = "[redacted]"
_CLASS = re.compile(
    r"<?(?P<name>[A-Za-z_][\w.]*)(?:\((?P<text>.*?)\)?|: (?P<more>.*?))?>?", re.DOTALL
)
# What the pool wraps an exception in; the traceback's last line names it.
_WRAPPERS = ("ExceptionWithTraceback", "ExceptionInfo")
_UNKNOWN_TASK = ("NotRegistered", "celery.exceptions.NotRegistered")
_ORDER = {
    TaskState.SENT: 0,
    TaskState.RECEIVED: 1,
    TaskState.STARTED: 2,
    TaskState.RETRY: 3,
    **dict.fromkeys(ENDED, 4),
}
_STATES = {
    "task-sent": TaskState.SENT,
    "task-received": TaskState.RECEIVED,
    "task-started": TaskState.STARTED,
    "task-succeeded": TaskState.SUCCESS,
    "task-failed": TaskState.FAILURE,
    "task-retried": TaskState.RETRY,
    "task-revoked": TaskState.REVOKED,
    "task-rejected": TaskState.REJECTED,
}
# Called with each event of a task, and the task as it then is.
Listener = Callable[[str, TaskRecord], None]


class Fold:
    """The tasks that go on and the workers, as events tell of them."""

    def __init__(self, listener: Listener | None = None, *, most: int = OPEN_MAX) -> None:
        self._listener = listener or (lambda _kind, _task: None)
        self._most = most
        self._redactor = Redactor([], [], "redact", [])
        self.open: OrderedDict[str, TaskRecord] = OrderedDict()
        self.expires_us: dict[str, int] = {}  # of open tasks
        self.forgotten = 0  # open tasks that were too many
        self._ended: OrderedDict[str, TaskRecord] = OrderedDict()
        self.workers: dict[str, WorkerRecord] = {}
        self._changed_tasks: dict[str, TaskRecord] = {}
        self._changed_workers: set[str] = set()
        self.events = 0
        self.from_the_future = 0  # events whose time lies ahead: the worker's clock does
        self.unread = 0  # events that make no sense

    def apply(self, event: Mapping[str, Any], now_us: int) -> None:
        """Take an event in. What makes no sense is counted and left out."""
        self.events += 1
        try:
            kind = str(event["type"])
            time_us = self._time_us(event, now_us)
            if kind.startswith("worker-"):
                self._apply_worker(kind, event, time_us)
            elif kind in _STATES:
                self._apply_task(kind, event, time_us, now_us)
        except (KeyError, TypeError, ValueError, OverflowError):
            self.unread += 1

    def take_changes(self) -> tuple[list[TaskRecord], list[WorkerRecord]]:
        """Return copies of what has changed since the last time."""
        tasks = [replace(task) for task in self._changed_tasks.values()]
        workers = [self.workers[node] for node in self._changed_workers if node in self.workers]
        self._changed_tasks.clear()
        self._changed_workers.clear()
        return tasks, workers

    def note_worker(self, worker: WorkerRecord) -> None:
        """Note what a look has found of a worker."""
        if self.workers.get(worker.node) != worker:
            self.workers[worker.node] = worker
            self._changed_workers.add(worker.node)

    def restore(self, tasks: Iterable[TaskRecord]) -> None:
        """Take in tasks that went on when an earlier watch last wrote of them."""
        for task in tasks:
            self.open.setdefault(task.id, task)

    def end(
        self, task: TaskRecord, state: TaskState, stage: str, now_us: int, why: str = ""
    ) -> None:
        """Note that a task is found to have ended without an event."""
        task.message = why or task.message
        task.state, task.stage, task.changed_us = state, stage, now_us
        task.ended_us = now_us
        self._close(task)
        self._changed_tasks[task.id] = task
        self._listener(f"task-{state}", task)

    def find_holder(self, task: TaskRecord, node: str, state: TaskState, now_us: int) -> None:
        """Note that a worker is found to hold a task, of which no event has told."""
        task.worker, task.state, task.stage, task.changed_us = node, state, "", now_us
        self._changed_tasks[task.id] = task

    def put_back(self, task: TaskRecord, now_us: int) -> None:
        """Note that a task's message is back in its queue, since its worker is gone."""
        was_stuck, task.stage = bool(task.stage), ""
        task.state, task.worker, task.changed_us = TaskState.SENT, "", now_us
        task.received_us = task.started_us = None
        self._changed_tasks[task.id] = task
        if was_stuck:
            self._listener("task-unstuck", task)

    def mark(self, task: TaskRecord, stage: str, now_us: int) -> None:
        """Note the stage at which a task is stuck, or that it isn't any more."""
        if task.stage != stage:
            task.stage, task.changed_us = stage, now_us
            self._changed_tasks[task.id] = task
            self._listener("task-stuck" if stage else "task-unstuck", task)

    def find(self, task_id: str) -> TaskRecord | None:
        """Return a task that goes on or has ended lately."""
        return self.open.get(task_id) or self._ended.get(task_id)

    def touch(self, task: TaskRecord) -> None:
        """Have a task written again, of which something else has been found out."""
        self._changed_tasks[task.id] = task

    def _time_us(self, event: Mapping[str, Any], now_us: int) -> int:
        time_us = round(float(event["timestamp"]) * 1e6)
        if time_us > now_us:
            self.from_the_future += 1
            return now_us
        return time_us

    def _apply_worker(self, kind: str, event: Mapping[str, Any], time_us: int) -> None:
        node = str(event["hostname"])[:_NAME_CHARACTERS]
        known = self.workers.get(node) or WorkerRecord(node, time_us, time_us)
        is_back = known.gone_us is not None and kind != "worker-offline"
        if kind == "worker-online" or is_back:
            known = replace(known, since_us=time_us, gone_us=None, said_goodbye=False)
        if kind == "worker-offline":
            known = replace(known, gone_us=time_us, said_goodbye=True)
        self.note_worker(
            replace(
                known,
                seen_us=max(known.seen_us, time_us),
                active=int(event.get("active") or 0),
                processed=int(event.get("processed") or known.processed),
            )
        )

    def _apply_task(self, kind: str, event: Mapping[str, Any], time_us: int, now_us: int) -> None:
        task_id, state = str(event["uuid"])[:_NAME_CHARACTERS], _STATES[kind]
        task = self.find(task_id)
        if task is None:
            task = TaskRecord(task_id, changed_us=now_us)
        retries = int(event.get("retries") or 0)
        if retries > task.retries and state in (TaskState.SENT, TaskState.RECEIVED):
            # It begins anew: what the last try has come to stands in its exception.
            task.retries, task.state = retries, state
            task.received_us = task.started_us = task.ended_us = None
        elif self._is_redelivered(kind, event, task, time_us):
            # Its message was not acknowledged: another worker has it now, or this one anew.
            task.state, task.started_us = state, None
        elif task.state in CONCLUDED and state not in (TaskState.SENT, task.state):
            # It wasn't: its message was delivered again, or the event has come late.
            task.state, task.ended_us = state, None
        elif _ORDER[state] >= _ORDER[task.state] and not task.is_ended:
            task.state = state
        task.stage, task.changed_us = "", now_us
        self._note_facts(kind, event, task, time_us)
        if task.is_ended:
            self._close(task)
        else:
            self._ended.pop(task_id, None)
            self.open[task_id] = task
            if len(self.open) > self._most:
                self.expires_us.pop(self.open.popitem(last=False)[0], None)
                self.forgotten += 1
        self._changed_tasks[task_id] = task
        self._listener(kind, task)

    def _is_redelivered(
        self, kind: str, event: Mapping[str, Any], task: TaskRecord, time_us: int
    ) -> bool:
        if kind != "task-received" or task.is_ended or task.started_us is None:
            return False
        return time_us > task.started_us or task.worker != str(event.get("hostname") or "")

    def _close(self, task: TaskRecord) -> None:
        self.open.pop(task.id, None)
        self.expires_us.pop(task.id, None)
        self._ended[task.id] = task
        if len(self._ended) > _ENDED_MAX:
            self._ended.popitem(last=False)

    def _note_facts(
        self, kind: str, event: Mapping[str, Any], task: TaskRecord, time_us: int
    ) -> None:
        if name := event.get("name"):
            task.name = str(name)[:_NAME_CHARACTERS]
        if kind in ("task-sent", "task-received") and ("args" in event or "kwargs" in event):
            task.called = describe_call(self._redactor, event.get("args"), event.get("kwargs"))
        task.root = str(event.get("root_id") or task.root)
        task.parent = str(event.get("parent_id") or task.parent)
        if eta := event.get("eta"):
            task.eta_us = round(datetime.fromisoformat(str(eta)).timestamp() * 1e6)
        if (expires := event.get("expires")) and not task.is_ended:
            moment = datetime.fromisoformat(str(expires))
            self.expires_us[task.id] = round(moment.timestamp() * 1e6)
        if kind == "task-sent":
            task.sent_us = time_us
            # Without an exchange the key is the queue; else where it led isn't told.
            key = "" if event.get("exchange") else event.get("routing_key")
            task.queue = str(event.get("queue") or key or task.queue)
            return
        task.worker = str(event.get("hostname") or task.worker)[:_NAME_CHARACTERS]
        match kind:
            case "task-received":
                task.received_us = time_us
            case "task-started":
                task.started_us = time_us
            case _:
                self._note_outcome(kind, event, task, time_us)

    def _note_outcome(
        self, kind: str, event: Mapping[str, Any], task: TaskRecord, time_us: int
    ) -> None:
        if kind != "task-retried":
            task.ended_us = time_us
        if kind == "task-succeeded":
            task.runtime_us = round(float(event.get("runtime") or 0) * 1e6)
        if kind in ("task-failed", "task-retried"):
            printed = str(event.get("traceback") or "")
            task.exception, message = read_exception(str(event.get("exception") or ""), printed)
            task.message = self._clean(message)[:_MESSAGE_CHARACTERS]
            task.place = own_line(printed)
            task.traceback = self._clean(printed)[-_TRACEBACK_CHARACTERS:]
            if task.exception in _UNKNOWN_TASK:
                task.stage = str(Stage.UNKNOWN)
        if kind == "task-rejected" and event.get("requeue"):
            # Its message is back in its queue (`reject_on_worker_lost`, say).
            task.state, task.worker = TaskState.SENT, ""
            task.received_us = task.started_us = task.ended_us = None
        if kind == "task-revoked" and event.get("expired"):
            task.state = TaskState.EXPIRED
        if kind == "task-revoked" and event.get("terminated"):
            task.message = f"terminated by signal {event.get('signum')}"

    def _clean(self, text: str) -> str:
        return _clean(self._redactor, text)


def describe_call(redactor: Redactor, args: Any, kwargs: Any) -> str:
    """Return the arguments of a message, without secrets.

    Named ones that can't be read aren't shown: a secret may stand anywhere in them.
    """
    shown = str(args or "").strip()
    if shown[:1] + shown[-1:] in ("()", "[]"):
        shown = shown[1:-1].removesuffix(",")
    named = str(kwargs or "{}")
    if named != "{}":
        shown += f"{', ' if shown else ''}{_describe_named(named)}"
    return _clean(redactor, shown[:CALLED_CHARACTERS])


def _clean(redactor: Redactor, text: str) -> str:
    clean, _ = redactor.clean(text.encode("utf-8", "replace"), margin_bytes=0)
    return clean.decode("utf-8", "replace")


def _describe_named(text: str) -> str:
    try:
        values = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return "…"  # cut short, or no literals: a secret may stand anywhere in it
    if not isinstance(values, dict):
        return "…"
    return ", ".join(
        f"{name}={_MASKED if is_secret_name(str(name)) else repr(value)}"
        for name, value in values.items()
    )


def read_exception(text: str, printed: str) -> tuple[str, str]:
    """Return the class and the message of an exception, of its repr and its printed traceback."""
    found = _CLASS.fullmatch(text)
    name = found["name"] if found else ""
    message = ((found["text"] or found["more"] or "") if found else text).strip("'\" ,")
    if (not name or name in _WRAPPERS) and printed.strip():
        last = printed.strip().strip('"').strip().splitlines()[-1]
        name, _, message = last.partition(": ")
    return name.strip()[:_NAME_CHARACTERS], message.strip()
