"""One look at queues and workers, as pure data: judging it takes no broker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Under which a worker that reports the runs of its tasks to radar says so in its stats.
STATS_KEY = "radar"


@dataclass(frozen=True, slots=True)
class SeenQueue:
    """A queue as its broker shows it.

    `depth` counts what waits, not what workers have fetched. `by_priority` splits it where a broker
    keeps priorities apart (Redis), and `unread` is what waits in priorities that no worker reads.
    `consumers` is None where only workers know (Redis). `oldest` stands for the message that is
    next, so that it can be recognised.
    """

    name: str
    depth: int | None
    by_priority: Mapping[int, int] = field(default_factory=dict)
    unread: Mapping[int, int] = field(default_factory=dict)
    consumers: int | None = None
    oldest: str = ""
    fault: str = ""  # why it can't be read: "missing", or what the broker says


@dataclass(frozen=True, slots=True)
class Unacked:
    """Messages that workers have fetched and not yet acknowledged (Redis only).

    `fetched_at` is when each was, by its task's id (Unix time), unless they are too many to read;
    `orphans` are those that none of the answering workers holds.
    """

    count: int
    oldest_age_s: float | None
    by_queue: Mapping[str, int] = field(default_factory=dict)
    fetched_at: Mapping[str, float] = field(default_factory=dict)
    orphans: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeenTask:
    """A task that a worker runs."""

    name: str
    id: str
    started_at: float | None  # Unix time by the worker's clock
    is_acked: bool = True  # False: its message is kept until its end (acks_late)


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """A worker as it describes itself."""

    node: str
    total: int  # tasks that it has taken since its start
    pool: str  # prefork, threads, solo, gevent, ...
    slots: int | None  # how many tasks it runs at once
    prefetch: int | None
    active: tuple[SeenTask, ...]
    reserved: int
    scheduled: int
    queues: tuple[str, ...] | None  # None if it didn't say
    prefetched: Mapping[str, int] = field(default_factory=dict)  # of `reserved`, by queue
    held: frozenset[str] = frozenset()  # the ids of all tasks that it has
    reports: bool = False  # the runs of its tasks, to radar
    processes: frozenset[int] = frozenset()  # of its pool, unless they are replaced now and then


@dataclass(frozen=True, slots=True)
class Look:
    """Queues and workers at one time.

    `heard` is how many nodes got the question, answered or not, if the broker tells; `known_nodes`
    are names that the broker has of nodes, gone or not. `twins` are how many answer by one name,
    where that is more than one.
    """

    at: float  # monotonic
    queues: Mapping[str, SeenQueue]
    workers: Mapping[str, SeenWorker]
    heard: int | None = None
    unacked: Unacked | None = None
    known_nodes: frozenset[str] = frozenset()
    twins: Mapping[str, int] = field(default_factory=dict)

    def consumers_of(self, queue: str) -> list[SeenWorker]:
        """The workers that say they consume it."""
        return [worker for worker in self.workers.values() if queue in (worker.queues or ())]

    @property
    def silent(self) -> int:
        """The number of nodes that are there and didn't answer, as far as the broker tells."""
        if self.heard is not None:
            more = sum(self.twins.values()) - len(self.twins)
            return max(0, self.heard - len(self.workers) - more)
        missing = (
            queue.consumers - len(self.consumers_of(name))
            for name, queue in self.queues.items()
            if queue.consumers is not None
        )
        return max(0, *missing, 0)


def read_workers(replies: Mapping[str, Mapping[str, Any]]) -> dict[str, SeenWorker]:
    """The workers among those who replied to stats, active, reserved, scheduled, active_queues.

    Beat answers since Celery 5.7, too, but has no stats.
    """
    workers = {}
    for node, stats in replies.get("stats", {}).items():
        if not isinstance(stats, dict) or "pool" not in stats:
            continue
        queues = replies.get("active_queues", {}).get(node)
        lists = [replies.get(kind, {}).get(node) for kind in ("active", "reserved", "scheduled")]
        workers[node] = SeenWorker(
            node=node,
            total=sum(stats.get("total", {}).values()),
            pool=pool_name(stats["pool"] or {}),
            slots=_slots(stats["pool"] or {}),
            prefetch=stats.get("prefetch_count"),
            active=tuple(_read_tasks(replies.get("active", {}).get(node))),
            reserved=_count(replies.get("reserved", {}).get(node)),
            scheduled=_count(replies.get("scheduled", {}).get(node)),
            queues=tuple(str(queue["name"]) for queue in queues)
            if isinstance(queues, list)
            else None,
            prefetched=_count_by_queue(lists[1]),
            held=frozenset(number for each in lists for number in _ids(each)),
            reports=STATS_KEY in stats,
            processes=_lasting_processes(stats["pool"] or {}),
        )
    return workers


def pool_name(pool: Mapping[str, Any]) -> str:
    """The pool's short name, as `celery worker --pool` takes it."""
    module = str(pool.get("implementation", "")).partition(":")[0].rpartition(".")[2]
    return {"thread": "threads"}.get(module, module)


def _slots(pool: Mapping[str, Any]) -> int | None:
    processes = pool.get("processes")
    if isinstance(processes, list) and processes:
        return len(processes)  # with autoscaling, max-concurrency is only the upper bound
    most = pool.get("max-concurrency")
    return most if isinstance(most, int) else None


def _lasting_processes(pool: Mapping[str, Any]) -> frozenset[int]:
    processes, most = pool.get("processes"), pool.get("max-tasks-per-child")
    if not isinstance(processes, list) or (isinstance(most, int) and most > 0):
        return frozenset()
    return frozenset(pid for pid in processes if isinstance(pid, int))


def _read_tasks(reply: Any) -> list[SeenTask]:
    if not isinstance(reply, list):
        return []
    return [
        SeenTask(
            str(task.get("name") or task.get("type")),
            str(task["id"]),
            task.get("time_start"),
            task.get("acknowledged") is not False,
        )
        for task in reply
        if isinstance(task, dict) and "id" in task
    ]


def _count_by_queue(reply: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for task in reply if isinstance(reply, list) else ():
        if isinstance(task, dict):
            delivery = task.get("delivery_info") or {}
            name = str(delivery.get("routing_key") or "")
            counts[name] = counts.get(name, 0) + 1
    return counts


def _ids(reply: Any) -> list[str]:
    tasks = [task for task in reply if isinstance(task, dict)] if isinstance(reply, list) else []
    # What is scheduled stands in a dict of its own.
    return [str((task.get("request") or task).get("id")) for task in tasks]


def _count(reply: Any) -> int:
    return len(reply) if isinstance(reply, list) else 0
