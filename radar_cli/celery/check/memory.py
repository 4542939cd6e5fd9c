"""A check's memory for the next one: who was there, what they consumed, what they ran.

Without it nobody would miss a worker, a queue's consumer or an entry of the schedule that is gone,
since nothing says any more that it was there.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from radar_cli.celery.check.seen import Look, SeenWorker

_WORKERS_MAX = 2000
_TASKS_MAX = 500
# By how much a clock may be off before it is told of: more than a slow answer takes.
CLOCK_S = 5.0


@dataclass(frozen=True, slots=True)
class Was:
    """A worker as it was when it was last seen, at Unix time `at`.

    `same_since` is since when all its slots have been busy with the same tasks, and `looks` how
    many looks saw that.
    """

    at: float
    total: int
    tasks: tuple[str, ...]
    queues: tuple[str, ...]
    same_since: float = 0.0
    looks: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one broker, and of the schedules that were judged with it."""

    workers: Mapping[str, Was] = field(default_factory=dict)
    queues: Mapping[str, float] = field(default_factory=dict)  # consumed, and when last so
    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by source
    synced: Mapping[str, float] = field(default_factory=dict)  # a source's last change


@dataclass(frozen=True, slots=True)
class News:
    """The news of a look, beside what is remembered."""

    workers: Mapping[str, float] = field(default_factory=dict)  # missed, and when last seen
    queues: Mapping[str, float] = field(default_factory=dict)  # consumed no more
    stuck_s: Mapping[str, float] = field(default_factory=dict)  # a full pool without progress
    behind_s: Mapping[str, float] = field(default_factory=dict)  # a worker's clock


def load_memory(folder: Path, broker: str) -> Memory:
    """Return what earlier checks of a broker have left; what can't be read is forgotten."""
    try:
        kept = json.loads(_place(folder, broker).read_bytes())
        return Memory(
            {
                str(node): Was(
                    float(was["at"]),
                    int(was["total"]),
                    tuple(was["tasks"]),
                    tuple(was["queues"]),
                    float(was["same_since"]),
                    int(was["looks"]),
                )
                for node, was in kept["workers"].items()
            },
            {str(name): float(at) for name, at in kept["queues"].items()},
            {str(source): tuple(names) for source, names in kept["entries"].items()},
            {str(source): float(at) for source, at in kept["synced"].items()},
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Memory()


def save_memory(folder: Path, broker: str, memory: Memory) -> None:
    """Keep it for the next check; a disk that doesn't take it costs this one nothing."""
    workers = sorted(memory.workers.items(), key=lambda each: -each[1].at)[:_WORKERS_MAX]
    content: dict[str, Any] = {
        "workers": {
            node: {
                "at": was.at,
                "total": was.total,
                "tasks": list(was.tasks),
                "queues": list(was.queues),
                "same_since": was.same_since,
                "looks": was.looks,
            }
            for node, was in workers
        },
        "queues": dict(memory.queues),
        "entries": {source: list(names) for source, names in memory.entries.items()},
        "synced": dict(memory.synced),
    }
    place = _place(folder, broker)
    with contextlib.suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file)
        os.replace(name, place)


def compare(
    before: Memory, last: Look, silent: Collection[str], now: float, *, tells_goodbye: bool
) -> tuple[News, Memory]:
    """Return what is missing or stuck in a look, and what is to be remembered from now on.

    `silent` are the nodes that hear and don't answer. `tells_goodbye`: the broker forgets the name
    of a worker that ended by itself, and keeps that of a killed one (Redis).
    """
    is_known = last.silent <= len(silent)
    gone = {n: was for n, was in before.workers.items() if n not in last.workers}
    if tells_goodbye and is_known:
        gone = {n: was for n, was in gone.items() if n in silent or n in last.known_nodes}
    missed = {n: was for n, was in gone.items() if n not in silent} if is_known else {}
    for newcomer in [w for n, w in last.workers.items() if n not in before.workers]:
        replaced = _find_replaced(newcomer, missed)
        if replaced:
            del missed[replaced], gone[replaced]
    consumed = {name for worker in last.workers.values() for name in worker.queues or ()}
    consumed |= {name for name, queue in last.queues.items() if queue.consumers}
    queues = {n: at for n, at in before.queues.items() if n not in consumed}
    there = {n: _advance(w, before.workers.get(n), now) for n, w in last.workers.items()}
    news = News(
        {node: was.at for node, was in missed.items()},
        queues if is_known else {},
        {node: now - was.same_since for node, was in there.items() if was.looks > 1},
        {
            node: behind_s
            for node, worker in last.workers.items()
            if (behind_s := _behind_s(worker, before.workers.get(node))) > CLOCK_S
        },
    )
    after = replace(
        before,
        workers={**gone, **there},
        queues={**queues, **dict.fromkeys(consumed, now)},
    )
    return news, after


def compare_entries(
    before: Memory, source: str, names: Collection[str]
) -> tuple[list[str], Memory]:
    """Return the entries of a schedule that were there and are gone, and what to remember."""
    known = before.entries.get(source, ())
    missed = [name for name in known if name not in names]
    kept = (*sorted(names), *missed)
    return missed, replace(before, entries={**before.entries, source: kept})


def forget(before: Memory) -> Memory:
    """Return a memory that misses nothing."""
    return replace(before, workers={}, queues={}, entries={})


def _find_replaced(newcomer: SeenWorker, missed: Mapping[str, Was]) -> str:
    """The one that a new worker stands in for, since it does all of its work."""
    queues = set(newcomer.queues or ())
    return next((node for node, was in missed.items() if set(was.queues) <= queues), "")


def _advance(worker: SeenWorker, was: Was | None, now: float) -> Was:
    tasks = tuple(sorted(task.id for task in worker.active))[:_TASKS_MAX]
    is_full = bool(worker.slots) and len(worker.active) >= (worker.slots or 0)
    queues = worker.queues if worker.queues is not None else was.queues if was else ()
    since, looks = now, 1 if is_full else 0
    if is_full and was is not None and was.looks and was.tasks == tasks:
        since, looks = min(was.same_since, now), was.looks + 1
    return Was(now, worker.total, tasks, queues, since, looks)


def _behind_s(worker: SeenWorker, was: Was | None) -> float:
    """By how much a worker's clock must be behind, for what it began since to be older."""
    if was is None or len(worker.active) > _TASKS_MAX or worker.total < was.total:
        return 0.0
    new = [task.started_at for task in worker.active if task.id not in was.tasks]
    # Whatever ran then was among its tasks: these have begun after it was seen.
    return max((was.at - at for at in new if at is not None), default=0.0)


def _place(folder: Path, broker: str) -> Path:
    return folder / f"{hashlib.sha256(broker.encode()).hexdigest()[:16]}.look.json"
