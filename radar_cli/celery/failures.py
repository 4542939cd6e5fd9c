"""Ends of tasks' runs, as the integration reported them and a result backend keeps them. Pure.

Failures are grouped by their exception and the innermost line of the app's own code: what a
thousand messages have in common.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from radar_cli.celery.findings import Finding
from radar_cli.core.grammar import format_duration

_REASON = re.compile(
    r"(?P<kind>[A-Za-z_][\w.]*)(?: at (?P<place>.+?:\d+ \([^)]*\)))?(?:: (?P<text>.*))?", re.DOTALL
)
# What the integration says of runs that no exception ended.
_OTHERWISE = (
    ("expired at", "expired"),
    ("revoked before", "revoked"),
    ("terminated", "terminated"),
    ("no worker knows", "unknown task"),
)
# From so many runs on, this share of failures is bad; and if all have failed, from fewer on.
_MANY = 5
_SHARE = 0.5
_FEW = 3
_UNNAMED = "results"
# From what knows least of a run to what knows most.
_SOURCES = ("result backend", "ledger", "reported")


@dataclass(frozen=True, slots=True)
class Ended:
    """A run of a task that has ended. `task` is empty where a result backend doesn't keep it."""

    task: str
    run_id: str
    ended_us: int
    is_failure: bool
    kind: str = ""  # the exception's class, or what ended it
    place: str = ""  # `shop/tasks.py:12 (backup)`
    text: str = ""
    called: str = ""  # with its arguments, without secrets, and where
    traceback: str = ""
    monitor: str = ""
    source: str = "reported"


@dataclass(slots=True)
class Group:
    """Failures of one exception at one line."""

    kind: str
    place: str
    tasks: Counter[str] = field(default_factory=Counter)
    count: int = 0
    first_us: int = 0
    last_us: int = 0
    example: Ended | None = None  # the newest, or the newest that has a traceback

    def add(self, ended: Ended) -> None:
        """Count one more."""
        self.count += 1
        self.tasks[ended.task] += 1
        self.first_us = min(self.first_us or ended.ended_us, ended.ended_us)
        newest = self.last_us <= ended.ended_us
        self.last_us = max(self.last_us, ended.ended_us)
        example = self.example
        if (
            example is None
            or (newest and (ended.traceback or not example.traceback))
            or (ended.traceback and not example.traceback)
        ):
            self.example = ended


def read_reason(reason: str) -> tuple[str, str, str]:
    """Return the exception's class, the line and the message of a reason that radar has written."""
    for start, kind in _OTHERWISE:
        if reason.startswith(start):
            return kind, "", reason
    found = _REASON.fullmatch(reason)
    if found is None:
        return "failed", "", reason
    return found["kind"], found["place"] or "", found["text"] or ""


def group_failures(ended: Iterable[Ended]) -> list[Group]:
    """Return the groups, the largest first. A run that two sources tell of counts once."""
    groups: dict[tuple[str, str], Group] = {}
    for each in merge(ended):
        if each.is_failure:
            key = each.kind.rpartition(".")[2], _function(each.place)
            groups.setdefault(key, Group(each.kind, each.place)).add(each)
    return sorted(groups.values(), key=lambda group: (-group.count, -group.last_us))


def merge(ended: Iterable[Ended]) -> list[Ended]:
    """Return each run once: what was reported knows most, a result backend least."""
    known: dict[str, Ended] = {}
    others = []
    for each in ended:
        if not each.run_id:
            others.append(each)
        elif each.run_id not in known or _rank(known[each.run_id]) < _rank(each):
            known[each.run_id] = each
    return [*known.values(), *others]


def _rank(ended: Ended) -> int:
    return _SOURCES.index(ended.source) if ended.source in _SOURCES else -1


def judge_tasks(ended: Sequence[Ended], window_s: float) -> list[Finding]:
    """Return a finding on each task that ran within a time, as its runs ended."""
    by_task: dict[str, list[Ended]] = {}
    for each in merge(ended):
        by_task.setdefault(each.task or _UNNAMED, []).append(each)
    return [_judge_task(task, runs, window_s) for task, runs in sorted(by_task.items())]


def _judge_task(task: str, runs: list[Ended], window_s: float) -> Finding:
    failed = [each for each in runs if each.is_failure]
    over = format_duration(window_s)
    data: dict[str, Any] = {"runs": len(runs), "failed": len(failed), "window_s": window_s}
    if not failed:
        return Finding("tasks", task, "ok", f"none of {len(runs)} failed in {over}", data=data)
    message = f"{len(failed)} of {len(runs)} failed in {over}"
    [most, *others] = group_failures(failed)
    cause = f"{most.kind} at {most.place}" if most.place else most.kind
    if others:
        cause += f" ({most.count} of them)"
    is_all = len(failed) == len(runs) and len(failed) >= _FEW
    is_bad = is_all or (len(runs) >= _MANY and len(failed) >= _SHARE * len(runs))
    hint = "radar celery failures" + (f" --task {task}" if task != _UNNAMED else "")
    return Finding("tasks", task, "bad" if is_bad else "ok", message, cause, hint, data)


def _function(place: str) -> str:
    """The file's name, the line and the function: paths differ from source to source."""
    path, _, rest = place.partition(":")
    return f"{path.rpartition('/')[2]}:{rest}"
