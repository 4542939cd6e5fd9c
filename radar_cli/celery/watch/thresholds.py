"""Thresholds for tasks: how many of their runs may fail, and how long they may wait. Pure.

A task for which a threshold is set has a monitor of its own, from the first time that there is
something to judge: down with the reason while the threshold is passed, and up again after that.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from radar_cli.celery.schedule.entry import entry_key
from radar_cli.core.grammar import format_duration
from radar_cli.model.ledger import TaskRecord, TaskState
from radar_cli.model.ping import Ping

FAILED = frozenset({TaskState.FAILURE, TaskState.LOST, TaskState.EXPIRED, TaskState.REVOKED})
_WINDOW_US = 300_000_000
# Of fewer runs no rate is told.
_RUNS_MIN = 5
_NAMES_MAX, _RUNS_MAX = 200, 1_000
_PREFIX = "celery-task-"


@dataclass(slots=True)
class _Task:
    """The runs of a task within the window, and its thresholds; None is none."""

    max_failure_rate: float | None
    max_wait_s: float | None
    ended: deque[tuple[int, bool]] = field(default_factory=lambda: deque(maxlen=_RUNS_MAX))
    waited: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_RUNS_MAX))
    reported: tuple[str, ...] | None = None  # the thresholds that were passed; None: not judged


class Thresholds:
    """The thresholds by patterns of tasks' names; a name takes the first pattern it matches."""

    def __init__(self, failure_rates: Mapping[str, float], waits_s: Mapping[str, float]) -> None:
        self._failure_rates = failure_rates
        self._waits_s = waits_s
        self._tasks: dict[str, _Task | None] = {}

    def note(self, kind: str, task: TaskRecord, now_us: int) -> None:
        """Take in an event of a task, and the task as it then is."""
        if kind != "task-started" and not task.is_ended:
            return
        known = self._find(task.name)
        if known is None:
            return
        if kind == "task-started":
            if (wait_us := task.wait_us) is not None:
                known.waited.append((now_us, wait_us))
        elif task.state != TaskState.UNSEEN:
            known.ended.append((now_us, task.state in FAILED))

    def report(self, waiting: Iterable[TaskRecord], now_us: int) -> list[Ping]:
        """Return what has changed, as pings; `waiting` are the tasks that have not ended yet."""
        if not self._failure_rates and not self._waits_s:
            return []
        longest = self._find_waiting(waiting, now_us)
        pings = []
        for name, task in self._tasks.items():
            if task is None:
                continue
            passed = _judge(task, longest.get(name, 0), now_us)
            if passed is None or (*passed,) == task.reported:
                continue
            task.reported = (*passed,)
            fields = {"name": name[:200], "task": name[:200]}
            if passed:
                fields["reason"] = f"{name[:200]}: {'; '.join(passed.values())}"
            kind = "fail" if passed else "success"
            pings.append(Ping(kind, entry_key(name, _PREFIX), time_us=now_us, fields=fields))
        return pings

    def _find(self, name: str) -> _Task | None:
        """Return the record of a task; None if it has no threshold."""
        if name not in self._tasks:
            if not name or len(self._tasks) >= _NAMES_MAX:
                return None
            rate, wait_s = _first(self._failure_rates, name), _first(self._waits_s, name)
            has_none = rate is None and wait_s is None
            self._tasks[name] = None if has_none else _Task(rate, wait_s)
        return self._tasks[name]

    def _find_waiting(self, waiting: Iterable[TaskRecord], now_us: int) -> dict[str, int]:
        """Return how long the first of each task waits that has not begun."""
        longest: dict[str, int] = {}
        if not self._waits_s:
            return longest
        for task in waiting:
            if task.started_us is None and task.sent_us is not None and self._find(task.name):
                wait_us = now_us - max(task.sent_us, task.eta_us or 0)
                longest[task.name] = max(longest.get(task.name, 0), wait_us)
        return longest


def _judge(task: _Task, waiting_us: int, now_us: int) -> dict[str, str] | None:
    """Return which thresholds are passed, and how; None if there is nothing to judge."""
    for window in (task.ended, task.waited):
        while window and window[0][0] < now_us - _WINDOW_US:
            window.popleft()
    passed: dict[str, str] = {}
    is_judged = False
    if task.max_failure_rate is not None and len(task.ended) >= _RUNS_MIN:
        is_judged = True
        failed = sum(is_failed for _, is_failed in task.ended)
        if failed > task.max_failure_rate * len(task.ended):
            allowed = f"at most {task.max_failure_rate:.0%} may"
            runs = f"{failed} of {len(task.ended)} runs failed within 5 minutes"
            passed["failure rate"] = f"{runs} ({allowed})"
    if task.max_wait_s is not None and (task.waited or waiting_us > 0):
        is_judged = True
        longest_us = max((wait_us for _, wait_us in task.waited), default=0)
        if max(longest_us, waiting_us) > task.max_wait_s * 1e6:
            waited, allowed = map(format_duration, (longest_us / 1e6, task.max_wait_s))
            if waiting_us > longest_us:
                waited = f"{format_duration(waiting_us / 1e6)} so far"
            passed["wait"] = f"waited {waited} in its queue (at most {allowed})"
    return passed if is_judged else None


def _first(values: Mapping[str, float], name: str) -> float | None:
    return next((value for each, value in values.items() if fnmatchcase(name, each)), None)
