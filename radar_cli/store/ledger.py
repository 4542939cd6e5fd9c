"""The ledger of a Celery: tasks, firings of Beat's entries, workers and queues over time.

`radar celery watch` writes it, a batch at a time, and everything else reads it:

- `tasks` and `count_tasks` find tasks by name, state, worker, queue and time, the newest first;
  `find_page` does so a page at a time, in bounded time whatever there is; `find_task` returns one
  with its way through the stages; `summarize` counts by task name.
- `failures` returns the tasks that failed, with their tracebacks, for grouping.
- `workers` returns every worker that is known, those that are gone among them.
- `queues` returns the newest sample of each queue, `queue_history` those of one over time.
- `firings` returns what was due of each entry, and what became of it.
- `blindness` returns the times in which the watch saw nothing; `watched_since` how old the ledger
  is, and `last_look` when it was last written to.

A row is a whole record. What is known already stays where a record says nothing, so that a watch
that was started again, and has forgotten what it knew, takes nothing back.
"""

import json
from dataclasses import dataclass
from typing import Any, Iterable, Sequence

from radar_cli.model.ledger import (
    CONCLUDED,
    Batch,
    Blindness,
    Firing,
    QueueSample,
    Stage,
    TaskRecord,
    TaskState,
    WorkerRecord,
)
from radar_cli.store.database import Change, Database, marks
from radar_cli.store.rows import like_pattern

_DAY_US = 86_400_000_000
_LOOKED, _SINCE, _MISSED = "celery-looked", "celery-since", "celery-missed"
# In one transaction: a watch writes several times a second.
FORGOTTEN_AT_ONCE = 5_000
# Rows that a search without an index looks at for one page.
SCANNED_MAX = 20_000
_TASK_COLUMNS = (
    *("id", "name", "state", "stage", "worker", "queue", "entry", "sent_us", "received_us"),
    *("started_us", "ended_us", "eta_us", "runtime_us", "retries", "exception", "place"),
    *("message", "traceback", "called", "root", "parent", "changed_us"),
)
_TIMES = ("sent_us", "received_us", "started_us", "eta_us", "runtime_us")
_TEXTS = ("name", "worker", "queue", "entry", "called", "root", "parent")
_OUTCOME = ("exception", "place", "message", "traceback")


def _upsert_task() -> str:
    # An event that comes late doesn't take back that a task has ended, but a retry does, and what
    # disproves an end that was only concluded.
    concluded = ", ".join(f"'{state}'" for state in sorted(CONCLUDED))
    is_older = (
        "celery_task.ended_us IS NOT NULL AND excluded.ended_us IS NULL"
        " AND excluded.retries <= celery_task.retries"
        f" AND (celery_task.state NOT IN ({concluded}) OR excluded.state = 'sent')"
    )
    sets = [
        f"{name} = CASE WHEN {is_older} THEN celery_task.{name} ELSE excluded.{name} END"
        for name in ("state", "stage")
    ]
    sets += [
        f"ended_us = CASE WHEN celery_task.state IN ({concluded}) AND excluded.state != 'sent'"
        " THEN excluded.ended_us ELSE coalesce(excluded.ended_us, celery_task.ended_us) END"
    ]
    sets += [f"{name} = coalesce(excluded.{name}, celery_task.{name})" for name in _TIMES]
    sets += [
        f"{name} = CASE WHEN excluded.{name} != '' THEN excluded.{name} ELSE celery_task.{name} END"
        for name in (*_TEXTS, *_OUTCOME)
    ]
    sets += [
        "retries = CASE WHEN excluded.retries > celery_task.retries"
        " THEN excluded.retries ELSE celery_task.retries END",
        "changed_us = excluded.changed_us",
    ]
    return (
        f"INSERT INTO celery_task ({', '.join(_TASK_COLUMNS)})"  # noqa: S608 (constants)
        f" VALUES ({marks(len(_TASK_COLUMNS))}) ON CONFLICT (id) DO UPDATE SET {', '.join(sets)}"
    )


_UPSERT_TASK = _upsert_task()
_FIRING_COLUMNS = (
    *("entry", "due_us", "task", "task_id", "attempted_us", "published_us", "received_us"),
    *("started_us", "ended_us", "state", "stage"),
)
_UPSERT_FIRING = (
    f"INSERT INTO celery_firing ({', '.join(_FIRING_COLUMNS)})"  # noqa: S608 (constants)
    f" VALUES ({marks(len(_FIRING_COLUMNS))}) ON CONFLICT (entry, due_us) DO UPDATE SET "
    + ", ".join(
        f"{name} = excluded.{name}"
        if name in ("task", "task_id", "state", "stage")
        # A time once known stays known.
        else f"{name} = coalesce(excluded.{name}, celery_firing.{name})"
        for name in _FIRING_COLUMNS[2:]
    )
)
_WORKER_COLUMNS = (
    *("node", "seen_us", "since_us", "pool", "slots", "active", "processed", "queues", "gone_us"),
    "goodbye",
)
_UPSERT_WORKER = (
    f"INSERT INTO celery_worker ({', '.join(_WORKER_COLUMNS)})"  # noqa: S608 (constants)
    f" VALUES ({marks(len(_WORKER_COLUMNS))}) ON CONFLICT (node) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _WORKER_COLUMNS[1:])
)
_INSERT_SAMPLE = (
    "INSERT INTO celery_queue (name, time_us, depth, unacked, consumers) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (name, time_us) DO NOTHING"
)
_SET_MARK = (
    "INSERT INTO mark (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


@dataclass(frozen=True, slots=True)
class LedgerRetention:
    """The amounts kept: at most so many tasks and days, and so many days of samples of queues."""

    tasks: int = 1_000_000
    tasks_for_us: int = 30 * _DAY_US
    samples_for_us: int = 7 * _DAY_US


@dataclass(frozen=True, slots=True)
class TaskSearch:
    """A search for tasks; what is empty excludes nothing. `name` may be a pattern, as `shop.*`."""

    name: str = ""
    ids: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    worker: str = ""
    queue: str = ""
    entry: str = ""
    since_us: int = 0
    until_us: int = 0
    broken: bool = False  # only those that broke at a stage


Place = tuple[int, str]  # of a task in the order of searches: changed_us, id


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A page of tasks that were found, and where the next one begins; None: there is none.

    With `is_cut`, the search has ended at that place without looking at what is older.
    """

    tasks: list[TaskRecord]
    next: Place | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """The tasks of one name within a time. Times are in microseconds, None where none is known."""

    name: str
    ended: int
    failed: int
    running: int
    waiting: int
    mean_runtime_us: int | None
    longest_runtime_us: int | None
    mean_wait_us: int | None
    longest_wait_us: int | None


class Ledger:
    """The ledger in a database. StateError: it can't be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, batch: Batch, now_us: int) -> None:
        """Write a batch in one transaction, and note that the watch looks."""
        with self._database.change() as change:
            if batch.tasks:
                change.execute_many(_UPSERT_TASK, map(_task_row, batch.tasks))
            if batch.workers:
                change.execute_many(_UPSERT_WORKER, map(_worker_row, batch.workers))
            if batch.queues:
                change.execute_many(
                    _INSERT_SAMPLE,
                    [(q.name, q.time_us, q.depth, q.unacked, q.consumers) for q in batch.queues],
                )
            if batch.firings:
                rows = [tuple(getattr(f, n) for n in _FIRING_COLUMNS) for f in batch.firings]
                change.execute_many(_UPSERT_FIRING, rows)
            for each in batch.blind:
                change.execute(
                    "INSERT INTO celery_blind (begin_us, end_us, why) VALUES (?, ?, ?)"
                    " ON CONFLICT (begin_us) DO UPDATE SET end_us = excluded.end_us",
                    (each.begin_us, each.end_us, each.why),
                )
            if batch.missed_events:
                _count(change, _MISSED, batch.missed_events)
            change.execute(
                "INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (_SINCE, str(now_us)),
            )
            change.execute(_SET_MARK, (_LOOKED, str(now_us)))

    def last_look(self) -> int | None:
        """Return when a watch last wrote; None if none ever did."""
        return self._read_mark(_LOOKED)

    def watched_since(self) -> int | None:
        """Return when a watch first wrote; None if none ever did."""
        return self._read_mark(_SINCE)

    def missed_events(self) -> int:
        """Return how many events were found out to have been missed."""
        return self._read_mark(_MISSED) or 0

    def tasks(
        self,
        search: TaskSearch,
        limit: int,
        *,
        before: Place | None = None,
        back_to: Place | None = None,
    ) -> list[TaskRecord]:
        """Find tasks, the newest first; `before` a place, and not older than `back_to`."""
        conditions, values = _conditions(search)
        if before is not None:
            conditions += " AND (changed_us, id) < (?, ?)"
            values += before
        if back_to is not None:
            conditions += " AND (changed_us, id) >= (?, ?)"
            values += back_to
        rows = self._database.read(
            f"SELECT {', '.join(_TASK_COLUMNS)} FROM celery_task WHERE {conditions}"  # noqa: S608 (constants)
            " ORDER BY changed_us DESC, id DESC LIMIT ?",
            (*values, limit),
        )
        return [_read_task(row) for row in rows]

    def find_page(self, search: TaskSearch, limit: int, *, before: Place | None = None) -> TaskPage:
        """Find a page of tasks before a place, looking at SCANNED_MAX rows at most."""
        back_to = self._find_end_of_scan(search, before)
        found = self.tasks(search, limit + 1, before=before, back_to=back_to)
        if len(found) > limit:
            last = found[limit - 1]
            return TaskPage(found[:limit], (last.changed_us, last.id))
        return TaskPage(found, back_to, is_cut=back_to is not None)

    def _find_end_of_scan(self, search: TaskSearch, before: Place | None) -> Place | None:
        """Return where a search has to stop; None if an index leads to all that it finds."""
        indexed = _indexed(search)
        if search == indexed:
            return None
        conditions, values = _conditions(indexed)
        if before is not None:
            conditions += " AND (changed_us, id) < (?, ?)"
            values += before
        rows = self._database.read(
            f"SELECT changed_us, id FROM celery_task WHERE {conditions}"  # noqa: S608 (constants)
            " ORDER BY changed_us DESC, id DESC LIMIT 1 OFFSET ?",
            (*values, SCANNED_MAX - 1),
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def find_task(self, task_id: str) -> TaskRecord | None:
        """Return a task; None if it isn't known."""
        found = self.tasks(TaskSearch(ids=(task_id,)), 1)
        return found[0] if found else None

    def relatives(self, task: TaskRecord, limit: int) -> list[TaskRecord]:
        """Return the task that sent this one and those that it has sent, as far as looked at.

        Of the tasks beside it in time SCANNED_MAX are looked at: none is indexed by its parent.
        """
        ids = tuple({task.parent, task.root} - {"", task.id})
        return [*self.find_tasks(ids).values(), *self._children(task, limit)]

    def _children(self, task: TaskRecord, limit: int) -> list[TaskRecord]:
        since_us = task.started_us or task.received_us or task.changed_us
        rows = self._database.read(
            f"SELECT {', '.join(_TASK_COLUMNS)} FROM (SELECT * FROM celery_task"  # noqa: S608 (constants)
            " WHERE changed_us >= ? ORDER BY changed_us LIMIT ?) AS later"
            " WHERE parent = ? ORDER BY changed_us DESC LIMIT ?",
            (since_us, SCANNED_MAX, task.id, limit),
        )
        return [_read_task(row) for row in rows]

    def find_tasks(self, ids: Sequence[str]) -> dict[str, TaskRecord]:
        """Return those of these tasks that are known, by their ids."""
        found: dict[str, TaskRecord] = {}
        for start in range(0, len(ids), 500):
            some = tuple(ids[start : start + 500])
            found |= {each.id: each for each in self.tasks(TaskSearch(ids=some), len(some))}
        return found

    def count_tasks(self, search: TaskSearch) -> dict[str, int]:
        """Count tasks by their state."""
        conditions, values = _conditions(search)
        rows = self._database.read(
            f"SELECT state, count(*) FROM celery_task WHERE {conditions} GROUP BY state",  # noqa: S608 (constants)
            values,
        )
        return {str(state): count for state, count in rows}

    def summarize(self, since_us: int, at_most: int = 0) -> list[TaskSummary]:
        """Sum the tasks up that have changed since a time, by their names.

        With `at_most`, only so many of the newest are looked at.
        """
        failed = (TaskState.FAILURE, TaskState.LOST, TaskState.EXPIRED)
        running, waiting = (TaskState.STARTED,), (TaskState.SENT, TaskState.RECEIVED)
        wait = (
            "CASE WHEN coalesce(eta_us, 0) > sent_us THEN started_us - eta_us"
            " ELSE started_us - sent_us END"
        )

        def count(states: Sequence[str]) -> str:
            names = ", ".join(f"'{state}'" for state in states)
            return f"sum(CASE WHEN state IN ({names}) THEN 1 ELSE 0 END)"

        wanted, values = "celery_task WHERE changed_us >= ?", [since_us]
        if at_most:
            order = "ORDER BY changed_us DESC LIMIT ?"
            wanted = f"(SELECT * FROM {wanted} {order}) AS newest"  # noqa: S608 (constants)
            values.append(at_most)
        rows = self._database.read(
            "SELECT name, sum(CASE WHEN ended_us IS NOT NULL THEN 1 ELSE 0 END),"  # noqa: S608 (constants)
            f" {count(failed)}, {count(running)}, {count(waiting)}, avg(runtime_us),"
            f" max(runtime_us), avg({wait}), max({wait})"
            f" FROM {wanted} GROUP BY name ORDER BY name",
            values,
        )
        return [
            TaskSummary(
                row[0], *map(int, row[1:5]), *(None if v is None else int(v) for v in row[5:])
            )
            for row in rows
        ]

    def failures(self, since_us: int, *, name: str = "", limit: int = 10_000) -> list[TaskRecord]:
        """Return the tasks that failed or broke since a time, the newest first."""
        states = (TaskState.FAILURE, TaskState.LOST, TaskState.EXPIRED, TaskState.REVOKED)
        search = TaskSearch(name=name, states=tuple(map(str, states)), since_us=since_us)
        return self.tasks(search, limit)

    def running(self, limit: int = 1000) -> list[TaskRecord]:
        """Return the tasks that run, the longest first."""
        found = self.tasks(TaskSearch(states=(str(TaskState.STARTED),)), limit)
        return sorted(found, key=lambda task: task.started_us or 0)

    def workers(self) -> list[WorkerRecord]:
        """Return every worker that is known, by name."""
        rows = self._database.read(
            f"SELECT {', '.join(_WORKER_COLUMNS)} FROM celery_worker ORDER BY node"  # noqa: S608 (constants)
        )
        return [_read_worker(row) for row in rows]

    def queues(self, since_us: int = 0) -> list[QueueSample]:
        """Return the newest sample of each queue that has one since a time, by name."""
        rows = self._database.read(
            "SELECT name, time_us, depth, unacked, consumers FROM celery_queue AS sample"
            " WHERE time_us >= ? AND time_us = (SELECT max(time_us) FROM celery_queue AS other"
            " WHERE other.name = sample.name) ORDER BY name",
            (since_us,),
        )
        return [QueueSample(*row) for row in rows]

    def queue_history(self, name: str, since_us: int, limit: int = 2000) -> list[QueueSample]:
        """Return the samples of a queue since a time, the oldest first."""
        rows = self._database.read(
            "SELECT name, time_us, depth, unacked, consumers FROM celery_queue"
            " WHERE name = ? AND time_us >= ? ORDER BY time_us DESC LIMIT ?",
            (name, since_us, limit),
        )
        return [QueueSample(*row) for row in reversed(rows)]

    def firings(
        self, since_us: int, *, entry: str = "", limit: int = 1000, open_only: bool = False
    ) -> list[Firing]:
        """Return what was due of Beat's entries since a time, the newest first.

        With `open_only`, what may still go on: no end of it is known, nor a stage that broke.
        """
        conditions, values = "due_us >= ?", [since_us]
        more: list[object] = []
        if entry:
            conditions += " AND entry = ?"
            more.append(entry)
        if open_only:
            conditions += " AND ended_us IS NULL AND stage = ''"
        rows = self._database.read(
            f"SELECT {', '.join(_FIRING_COLUMNS)} FROM celery_firing WHERE {conditions}"  # noqa: S608 (constants)
            " ORDER BY due_us DESC, entry LIMIT ?",
            (*values, *more, limit),
        )
        return [Firing(*row) for row in rows]

    def blindness(self, since_us: int) -> list[Blindness]:
        """Return the times in which the watch saw nothing, the newest first."""
        rows = self._database.read(
            "SELECT begin_us, end_us, why FROM celery_blind WHERE end_us >= ?"
            " ORDER BY begin_us DESC",
            (since_us,),
        )
        return [Blindness(*row) for row in rows]

    def sweep(self, now_us: int, retention: LedgerRetention) -> int:
        """Forget a little of what is too old or too much; return how many rows went."""
        from_us = now_us - retention.tasks_for_us
        rows = self._database.read(
            "SELECT changed_us FROM celery_task ORDER BY changed_us DESC LIMIT 1 OFFSET ?",
            (retention.tasks,),
        )
        if rows:
            from_us = max(from_us, rows[0][0] + 1)
        with self._database.change() as change:
            gone = change.execute(
                "DELETE FROM celery_task WHERE id IN (SELECT id FROM celery_task"
                " WHERE changed_us < ? ORDER BY changed_us LIMIT ?)",
                (from_us, FORGOTTEN_AT_ONCE),
            )
            gone += change.execute(
                "DELETE FROM celery_queue WHERE time_us < ?", (now_us - retention.samples_for_us,)
            )
            gone += change.execute(
                "DELETE FROM celery_firing WHERE due_us < ?", (now_us - retention.tasks_for_us,)
            )
            gone += change.execute(
                "DELETE FROM celery_worker WHERE gone_us < ?", (now_us - retention.tasks_for_us,)
            )
            gone += change.execute(
                "DELETE FROM celery_blind WHERE end_us < ?", (now_us - retention.tasks_for_us,)
            )
        if gone:
            self._database.compact()
        return gone

    def _read_mark(self, name: str) -> int | None:
        rows = self._database.read("SELECT value FROM mark WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else None


def _count(change: Change, name: str, more: int) -> None:
    rows = change.read("SELECT value FROM mark WHERE name = ? FOR UPDATE", (name,))
    change.execute(_SET_MARK, (name, str((int(rows[0][0]) if rows else 0) + more)))


def _is_pattern(name: str) -> bool:
    return any(mark in name for mark in "*?[")


def _indexed(search: TaskSearch) -> TaskSearch:
    """Return the part of a search that an index of the table answers."""
    if search.ids:
        return search
    has_name = bool(search.name) and not _is_pattern(search.name)
    return TaskSearch(
        name=search.name if has_name else "",
        states=search.states if len(search.states) == 1 and not has_name else (),
        since_us=search.since_us,
        until_us=search.until_us,
    )


def _conditions(search: TaskSearch) -> tuple[str, list[Any]]:
    conditions, values = ["1 = 1"], list[Any]()

    def add(condition: str, *given: Any) -> None:
        conditions.append(condition)
        values.extend(given)

    if search.ids:
        add(f"id IN ({marks(len(search.ids))})", *search.ids)
    if search.name:
        if _is_pattern(search.name):
            add("name LIKE ? ESCAPE '!'", like_pattern(search.name))
        else:
            add("name = ?", search.name)
    if search.states:
        add(f"state IN ({marks(len(search.states))})", *search.states)
    for column in ("worker", "queue", "entry"):
        if wanted := getattr(search, column):
            add(f"{column} = ?", wanted)
    if search.since_us:
        add("changed_us >= ?", search.since_us)
    if search.until_us:
        add("changed_us < ?", search.until_us)
    if search.broken:
        add("stage != ''")
    return " AND ".join(conditions), values


def _task_row(task: TaskRecord) -> tuple[Any, ...]:
    return tuple(
        str(value) if isinstance(value, (TaskState, Stage)) else value
        for value in (getattr(task, name) for name in _TASK_COLUMNS)
    )


def _read_task(row: Iterable[Any]) -> TaskRecord:
    task = TaskRecord(**dict(zip(_TASK_COLUMNS, row, strict=True)))
    task.state = TaskState(task.state)
    return task


def _worker_row(worker: WorkerRecord) -> tuple[Any, ...]:
    return (
        *(worker.node, worker.seen_us, worker.since_us, worker.pool, worker.slots),
        *(worker.active, worker.processed, json.dumps(worker.queues), worker.gone_us),
        int(worker.said_goodbye),
    )


def _read_worker(row: tuple[Any, ...]) -> WorkerRecord:
    node, seen_us, since_us, pool, slots, active, processed, queues, gone_us, goodbye = row
    return WorkerRecord(
        *(node, seen_us, since_us, pool, slots, active, processed),
        queues=tuple(json.loads(queues)),
        gone_us=gone_us,
        said_goodbye=bool(goodbye),
    )
