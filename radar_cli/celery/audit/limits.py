"""Rules on how long a task and a process of the pool may live."""

from radar_cli.celery.audit.facts import MISSING, Facts
from radar_cli.celery.audit.rule import Advice, Rule, advice, risk

_LONG_S = 1800
_LEAST_CHILD_KB = 50_000


def _hard(facts: Facts) -> Advice | None:
    limit_s = facts.seconds("task_time_limit")
    if limit_s and facts.pool in ("threads", "solo", "gevent", "eventlet"):
        return advice("", f"the pool {facts.pool} can't end a task: the limit does nothing")
    if limit_s or facts.is_threaded:
        return None
    # Whatever is delivered again meanwhile would run twice.
    most_s = facts.visibility_s / 2 if facts.broker == "redis" else _LONG_S
    return risk(str(int(min(_LONG_S, most_s))))


def _soft(facts: Facts) -> Advice | None:
    hard_s, soft_s = facts.seconds("task_time_limit"), facts.seconds("task_soft_time_limit")
    if hard_s and soft_s >= hard_s:
        return risk(str(int(hard_s * 0.9)), "it never fires: the hard limit comes first")
    if not soft_s and not facts.is_threaded:
        return advice(str(int((hard_s or _LONG_S) * 0.9)))
    return None


def _children(facts: Facts) -> Advice | None:
    bounds = ("worker_max_tasks_per_child", "worker_max_memory_per_child")
    is_unbounded = not any(facts.has(name) for name in bounds)
    return advice("1000") if facts.pool == "prefork" and is_unbounded else None


def _memory(facts: Facts) -> Advice | None:
    kilobytes = facts.seconds("worker_max_memory_per_child")
    if not 0 < kilobytes < _LEAST_CHILD_KB:
        return None
    because = f"it is in kilobytes: at {kilobytes:.0f} kB each process ends after one task"
    return risk(str(int(kilobytes * 1000)), because)


def _soft_shutdown(facts: Facts) -> Advice | None:
    if facts.get("worker_soft_shutdown_timeout") is MISSING:
        return None
    return None if facts.has("worker_soft_shutdown_timeout") else advice("20")


RULES = (
    Rule(
        "task_time_limit",
        "longer than the longest task",
        "a task that hangs holds its slot for good; when all hang, the worker does nothing",
        "the process is killed: the task can't clean up",
        _hard,
    ),
    Rule(
        "task_soft_time_limit",
        "shorter than task_time_limit",
        "the task is told (SoftTimeLimitExceeded) before it is killed, and can clean up",
        "code that catches every exception swallows it",
        _soft,
    ),
    Rule(
        "worker_max_tasks_per_child",
        "1000 (or worker_max_memory_per_child, in kB)",
        "memory that tasks leak grows until the machine kills something",
        "a new process costs a moment",
        _children,
    ),
    Rule(
        "worker_max_memory_per_child",
        "in kB, more than a process takes at rest",
        "a process is replaced after the task that exceeds it",
        "",
        _memory,
    ),
    Rule(
        "worker_soft_shutdown_timeout",
        "shorter than the supervisor's grace period",
        "a cold shutdown ends tasks at once instead of giving them time",
        "terminationGracePeriodSeconds (10 s in Docker, 30 s in Kubernetes) has to be longer",
        _soft_shutdown,
    ),
)
