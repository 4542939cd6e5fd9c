"""Judging workers: they answer, consume and make progress. Pure."""

import socket
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from radar_cli.celery.check.expected import Expected
from radar_cli.celery.check.memory import CLOCK_S, News
from radar_cli.celery.check.seen import Look, SeenTask, SeenWorker
from radar_cli.celery.findings import Finding
from radar_cli.celery.processes import Process
from radar_cli.core.grammar import format_duration

NO_NEWS = News()
# For how long the same tasks may fill a pool while others wait, unless --max-runtime is more.
STUCK_S = 300.0
_START_HINT = "start one: celery -A APP worker"
_SILENT_CAUSE = "stopped, hung, or a solo pool that runs a task"
_SILENT_HINT = "ask again; look at its process and log"
# Whether a node of that name is connected: True, False, or None where nobody knows.
Bound = Callable[[str], bool | None]


def judge_workers(
    looks: Sequence[Look],
    expected: Expected,
    now: float,
    find_process: Callable[[str], Process | None],
    is_bound: Bound,
    *,
    news: News = NO_NEWS,
    silent: Collection[str] | None = None,
) -> list[Finding]:
    """One finding for each worker that there is, or should be.

    `looks` are one or two; `now` is Unix time, for how long tasks have run; `news` is what differs
    from what earlier checks saw, and `silent` are those that `name_silent` found.
    """
    last = looks[-1]
    findings = [
        _judge_answering(worker, looks, expected, now, news) for worker in last.workers.values()
    ]
    if silent is None:
        silent = name_silent(last, expected, is_bound, find_process)
    unnamed = last.silent - len(silent)
    findings += [_judge_silent(node, find_process(node)) for node in silent]
    if unnamed > 0:
        some = "one worker hears" if unnamed == 1 else f"{unnamed} workers hear"
        message = f"{some} the question and gave no answer"
        findings.append(
            Finding("workers", "silent", "unknown", message, _SILENT_CAUSE, _SILENT_HINT)
        )
    gone = [n for n in expected.workers if n not in last.workers and n not in silent]
    findings += [_judge_gone(node, last, unnamed, is_bound(node)) for node in gone]
    findings += [_judge_missed(n, at) for n, at in news.workers.items() if n not in gone]
    if expected.worker_count is not None:
        findings += _judge_count(last, expected.worker_count)
    if not last.workers and not silent and unnamed <= 0 and not gone:
        # Also beside those that are missed: what is true now comes first.
        findings.insert(0, _judge_nobody(last))
    return findings


def _judge_answering(
    worker: SeenWorker, looks: Sequence[Look], expected: Expected, now: float, news: News
) -> Finding:
    node = worker.node
    runtimes = [(now - task.started_at, task) for task in worker.active if task.started_at]
    longest_s, longest = max(runtimes, key=lambda each: each[0], default=(0.0, None))
    data = {
        "pool": worker.pool,
        "slots": worker.slots,
        "active": len(worker.active),
        "reserved": worker.reserved,
        "scheduled": worker.scheduled,
        "total": worker.total,
        "queues": None if worker.queues is None else list(worker.queues),
        "longest_task": None if longest is None else longest.name,
        "longest_s": None if longest is None else round(max(0.0, longest_s), 1),
    }
    if (twins := looks[-1].twins.get(node, 1)) > 1:
        return Finding(
            *("workers", node, "bad", f"{twins} workers answer by that name"),
            cause="what is meant for one reaches all, and the death of one is hidden by the others",
            hint="give each a name of its own: celery worker -n NAME@%h",
            data=data,
        )
    if worker.queues == ():
        return Finding(
            *("workers", node, "bad", "answers, and consumes no queue"),
            cause="its consumers were cancelled, or lost with the broker's connection",
            hint=f"restart it, or: radar celery workers add-consumer QUEUE --worker {node}",
            data=data,
        )
    if queue := find_untouched_queue(worker, looks):
        return Finding(
            *("workers", node, "bad", f"answers, and takes nothing from queue {queue!r}"),
            cause="it lost its consumer without noticing, as after a restart of the broker",
            hint="restart it",
            data=data,
        )
    if (fault := _judge_clock(worker, runtimes, news, data)) is not None:
        return fault
    words = [f"{worker.pool}, {len(worker.active)} of {worker.slots or '?'} slots busy"]
    if longest is not None:
        words.append(f"the longest by {longest.name} for {format_duration(max(0, longest_s))}")
    message = ", ".join(words)
    if expected.max_runtime_s is not None and longest and longest_s > expected.max_runtime_s:
        return Finding(
            *("workers", node, "bad", message),
            cause=f"a task runs for longer than {format_duration(expected.max_runtime_s)}",
            hint=f"radar celery tasks terminate {longest.id}",
            data=data,
        )
    if (fault := _judge_stuck(worker, looks[-1], expected, longest_s, news, data)) is not None:
        return fault
    if holds_without_starting(worker, looks):
        return Finding(
            *("workers", node, "unknown", f"holds {worker.reserved} tasks and starts none"),
            cause="a rate limit, or a pool that hangs",
            hint="compare radar celery tasks reserved with the rate limits; else restart it",
            data=data,
        )
    if reporting := find_reporting(worker, looks[-1]):
        return Finding(
            *("workers", node, "bad", f"reports no runs of its tasks, as {reporting} does"),
            cause="its app doesn't call setup_radar, or is an older one",
            hint="deploy the same code to both, and restart it",
            data=data,
        )
    cause = "its pool is full of running tasks" if is_full(worker) else ""
    return Finding("workers", node, "ok", message, cause=cause, data=data)


def _judge_clock(
    worker: SeenWorker,
    runtimes: Sequence[tuple[float, SeenTask]],
    news: News,
    data: dict[str, Any],
) -> Finding | None:
    """Whether its clock and this machine's differ: a task that has yet to begin proves it."""
    ahead_s = -min((each[0] for each in runtimes), default=0.0)
    behind_s = news.behind_s.get(worker.node, 0.0)
    if ahead_s <= CLOCK_S and behind_s <= CLOCK_S:
        return None
    off_s, way = (ahead_s, "ahead of") if ahead_s > CLOCK_S else (behind_s, "behind")
    message = f"its clock is {format_duration(off_s)} {way} this machine's"
    proof = "a task that it runs begins in the future" if way != "behind" else ""
    return Finding(
        *("workers", worker.node, "bad", message),
        cause=proof or "a task that began since the last look is older than that look",
        hint="set both by NTP: ETAs, expiry and visibility_timeout go by them",
        data={**data, "clock_off_s": off_s if way != "behind" else -off_s},
    )


def _judge_stuck(
    worker: SeenWorker,
    last: Look,
    expected: Expected,
    longest_s: float,
    news: News,
    data: dict[str, Any],
) -> Finding | None:
    """Whether a full pool has made no progress over several looks, while something waits."""
    waits = (
        worker.reserved
        - worker.scheduled
        + sum(queue.depth or 0 for name in worker.queues or () if (queue := last.queues.get(name)))
    )
    if worker.node not in news.stuck_s or not is_full(worker) or waits <= 0:
        return None
    started = [task.started_at for task in worker.active]
    # All have run since then, so none has ended since then.
    youngest_s = 0.0
    if all(at is not None for at in started):
        youngest_s = longest_s - (max(at or 0 for at in started) - min(at or 0 for at in started))
    stuck_s = max(news.stuck_s[worker.node], youngest_s)
    if stuck_s < max(STUCK_S, expected.max_runtime_s or 0.0):
        return None
    tasks = ", ".join(sorted({task.name for task in worker.active})[:3])
    for_s = format_duration(stuck_s)
    return Finding(
        *("workers", worker.node, "bad", f"all {worker.slots} slots are busy, and nothing is done"),
        cause=f"the same tasks run for {for_s} ({tasks}) while {waits} wait",
        hint="see radar celery tasks; time limits end such, a longer --max-runtime allows it",
        data={**data, "stuck_s": round(stuck_s, 1), "waiting": waits},
    )


def _judge_missed(node: str, at: float) -> Finding:
    seen = datetime.fromtimestamp(at, UTC)
    return Finding(
        *("workers", node, "bad", f"is gone; it was there at {seen:%Y-%m-%d %H:%M:%S} UTC"),
        cause="it went without a goodbye, as one that is killed does",
        hint="start it; if it isn't to come back: radar celery check --forget",
        data={"last_seen": seen.isoformat()},
    )


def find_reporting(worker: SeenWorker, last: Look) -> str:
    """Return a worker that reports runs of tasks of the same queues, if this one reports none."""
    if worker.reports:
        return ""
    own = set(worker.queues or ())
    reporting = (each for each in last.workers.values() if each.reports)
    return next((each.node for each in reporting if own.intersection(each.queues or ())), "")


def is_full(worker: SeenWorker) -> bool:
    """Whether all slots are busy."""
    return bool(worker.slots) and len(worker.active) >= (worker.slots or 0)


def find_untouched_queue(worker: SeenWorker, looks: Sequence[Look]) -> str:
    """A queue that waits before an idle worker through all looks; empty if there is none."""
    if len(looks) < 2 or worker.queues is None:
        return ""
    then = [look.workers.get(worker.node) for look in looks]
    if any(
        each is None or each.active or each.reserved or each.total != worker.total for each in then
    ):
        return ""
    for name in worker.queues:
        waits = [
            seen is not None and (seen.depth or 0) - sum(seen.unread.values()) > 0
            for seen in (look.queues.get(name) for look in looks)
        ]
        if all(waits):
            return name
    return ""


def holds_without_starting(worker: SeenWorker, looks: Sequence[Look]) -> bool:
    """Whether a worker keeps fetched tasks through all looks and runs none."""
    then = [look.workers.get(worker.node) for look in looks]
    return len(looks) > 1 and all(
        each is not None
        and each.reserved > each.scheduled
        and not each.active
        and each.total == worker.total
        for each in then
    )


def name_silent(
    last: Look,
    expected: Expected,
    is_bound: Bound,
    find_process: Callable[[str], Process | None],
    remembered: Collection[str] = (),
) -> list[str]:
    """Return who is there and doesn't answer, where that can be told.

    Names of nodes that are gone stay in Redis. Of those of this machine its processes tell; of the
    others no more are named than are silent.
    """
    if not last.silent and last.heard is not None:
        return []
    named = dict.fromkeys([*expected.workers, *sorted(remembered), *sorted(last.known_nodes)])
    candidates = [n for n in named if n not in last.workers and not n.startswith("celerybeat@")]
    bound = {node: is_bound(node) for node in candidates}
    candidates = [node for node in candidates if bound[node] is not False]
    sure = [node for node in candidates if bound[node] or find_process(node) is not None]
    if last.heard is None:
        return sure
    left = last.silent - len(sure)
    rest = [node for node in candidates if node not in sure]
    # A name of this machine's without a process is that of a worker which is gone.
    away = [node for node in rest if not node.endswith(f"@{socket.gethostname()}")]
    for some in (rest, away):
        if 0 < len(some) <= left:
            return [*sure, *some]
    return sure


def _judge_silent(node: str, process: Process | None) -> Finding:
    if process is not None and process.is_stopped:
        return Finding(
            *("workers", node, "bad", "is connected and doesn't answer"),
            cause=f"its process {process.pid} is stopped (SIGSTOP)",
            hint=f"kill -CONT {process.pid}",
            data={"pid": process.pid, "stopped": True},
        )
    if process is not None and process.pool == "solo":
        return Finding(
            *("workers", node, "unknown", "is connected and doesn't answer"),
            cause="a solo pool can't answer while it runs a task",
            hint="it answers when the task ends; another pool would answer meanwhile",
            data={"pid": process.pid, "pool": "solo"},
        )
    cause = (
        _SILENT_CAUSE if process is None else f"its process {process.pid} hangs or is overloaded"
    )
    data = {} if process is None else {"pid": process.pid}
    message = "is connected and doesn't answer"
    return Finding("workers", node, "unknown", message, cause, _SILENT_HINT, data)


def _judge_gone(node: str, last: Look, unnamed: int, bound: bool | None) -> Finding:
    if bound is False or (unnamed <= 0 and last.heard is not None):
        return Finding(
            *("workers", node, "bad", "isn't connected"),
            cause="killed without a goodbye"
            if node in last.known_nodes
            else "ended, or never started",
            hint="start it; see its log, and the kernel's for the OOM killer",
        )
    return Finding("workers", node, "unknown", "gave no answer", _SILENT_CAUSE, _SILENT_HINT)


def _judge_count(last: Look, count: int) -> list[Finding]:
    there = len(last.workers)
    if there >= count:
        return []
    gone = sorted(
        n for n in last.known_nodes - set(last.workers) if not n.startswith("celerybeat@")
    )
    cause = f"{', '.join(gone[:5])} left without a goodbye" if gone and not last.silent else ""
    is_proven = last.heard is not None and last.heard < count
    return [
        Finding(
            *("workers", "count", "bad" if is_proven else "unknown"),
            f"{there} of {count} workers answer",
            cause=cause or ("" if is_proven else f"{last.silent or 'others'} may be there, silent"),
            hint=_START_HINT if is_proven else _SILENT_HINT,
            data={"answering": there, "expected": count, "heard": last.heard},
        )
    ]


def _judge_nobody(last: Look) -> Finding:
    consumed = [q.name for q in last.queues.values() if q.consumers]
    if consumed:
        return Finding(
            *("workers", "all", "unknown", f"{consumed[0]!r} is consumed, and nobody answers"),
            cause="workers without remote control (worker_enable_remote_control), or all silent",
            hint="see their configuration",
        )
    if last.heard == 0:
        return Finding(
            *("workers", "all", "bad", "no worker is connected"),
            cause="all are down, or on another broker or database",
            hint=_START_HINT,
        )
    return Finding(
        "workers", "all", "unknown", "nobody answered in time", _SILENT_CAUSE, _SILENT_HINT
    )
