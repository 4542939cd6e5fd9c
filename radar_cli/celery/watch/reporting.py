"""Reports to monitors: of each entry's firings, and of the whole as the watch sees it. Pure.

An entry's monitor gets the start and the end of each run, or a fail that names the stage at which
it broke. The monitor of the watch gets a ping a minute: fail with what is wrong, or success.
"""

import uuid
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from contextlib import suppress

from radar_cli.celery.integration.schedules import declare_timing
from radar_cli.celery.schedule.entry import Entry, entry_key
from radar_cli.celery.watch.thresholds import FAILED
from radar_cli.model.ledger import Firing, TaskRecord, TaskState, describe_stage
from radar_cli.model.ping import Ping

_SECOND = 1_000_000
_OWN_TASKS = "celery."
# What was lost counts as wrong for so long.
_NEWS_US = 300 * _SECOND
_LOST_MAX = 1_000
_KNOWN_MAX = 10_000


def declare_entries(entries: Iterable[Entry], prefix: str = "") -> dict[str, dict[str, str]]:
    """Return what declares the monitors of Beat's entries, by their keys."""
    monitors = {}
    for entry in entries:
        declared = declare_timing(entry.timing)
        if declared.is_watched and not entry.task.startswith(_OWN_TASKS):
            fields = {"name": entry.name[:200], "task": entry.task[:200], **declared.fields}
            monitors[entry_key(entry.name, prefix)] = fields
    return monitors


class EntryReports:
    """The pings of entries' monitors, made of what changes of their firings."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._told: dict[tuple[str, int], str] = {}  # how far, by firing

    def report(
        self, firing: Firing, task: TaskRecord | None, known: Mapping[str, object], now_us: int
    ) -> list[Ping]:
        """Return what is new of a firing, for the monitor of its entry if that is `known`."""
        key = entry_key(firing.entry, self._prefix)
        if key not in known:
            return []
        which = firing.entry, firing.due_us
        told = self._told.get(which, "")
        kind, time_us = self._find_kind(firing, now_us)
        step = f"{kind} {firing.stage}"
        is_over = told.startswith(("success", "fail "))
        if not kind or told == step or (is_over and kind == "start"):
            return []
        self._told[which] = step
        if len(self._told) > _KNOWN_MAX:
            del self._told[next(iter(self._told))]
        fields = {"task": firing.task[:200]} if firing.task else {}
        body = b""
        if kind == "fail":
            fields["reason"] = _describe_end(firing, task)[:500]
            body = task.traceback.encode() if task is not None else b""
        if task is not None and task.worker and kind != "start":
            fields["message"] = f"{task.name}({task.called}) on {task.worker}"[:2000]
        if kind != "start" and firing.started_us and firing.ended_us:
            fields["duration"] = f"{max(0, firing.ended_us - firing.started_us) / 1e6:.6f}"
        identity = firing.task_id or f"{firing.entry} {firing.due_us}"
        run_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"celery:{identity}"))
        with suppress(ValueError):
            run_id = str(uuid.UUID(firing.task_id))  # as the integration has it
        return [Ping(kind, key, run_id=run_id, time_us=time_us, fields=fields, body=body)]

    def _find_kind(self, firing: Firing, now_us: int) -> tuple[str, int]:
        if firing.state == TaskState.SUCCESS:
            return "success", firing.ended_us or now_us
        if firing.stage or firing.state in FAILED:
            return "fail", firing.ended_us or now_us
        if firing.started_us is not None:
            return "start", firing.started_us
        return "", 0


def _describe_end(firing: Firing, task: TaskRecord | None) -> str:
    if firing.stage:
        where = f" (queue {task.queue})" if task is not None and task.queue else ""
        return describe_stage(firing.stage) + where
    if task is None or not task.exception:
        return firing.state
    place = f" at {task.place}" if task.place else ""
    return f"{task.exception}{place}: {task.message}"


class Problems:
    """Everything that is wrong at a moment, as far as events and looks tell."""

    def __init__(self) -> None:
        self._lost: deque[tuple[int, str]] = deque(maxlen=_LOST_MAX)
        self._stuck: dict[str, str] = {}  # by the task's id
        self.blind = ""  # why nothing is seen
        self.gone: dict[str, int] = {}  # workers that went without a goodbye, and when
        self.causes: dict[str, int] = {}  # found for what is wrong, and when

    def note(self, kind: str, task: TaskRecord, now_us: int) -> None:
        """Take in an event of a task, and the task as it then is."""
        what = f"{task.name or 'a task'} in queue {task.queue}" if task.queue else task.name
        if kind == "task-stuck" and len(self._stuck) < _LOST_MAX:
            self._stuck[task.id] = f"{what}: {describe_stage(task.stage)}"
            return
        self._stuck.pop(task.id, None)
        if task.is_ended and task.stage:
            self._lost.append((now_us, f"{what}: {describe_stage(task.stage)}"))

    def find(self, now_us: int) -> list[str]:
        """Return a line for each thing that is wrong, the most frequent first."""
        while self._lost and self._lost[0][0] < now_us - _NEWS_US:
            self._lost.popleft()
        counts = Counter(line for _, line in self._lost)
        counts.update(self._stuck.values())
        lines = [f"{count} x {line}" if count > 1 else line for line, count in counts.most_common()]
        lines += [
            f"worker {node} is gone without a goodbye"
            for node, at_us in self.gone.items()
            if now_us - at_us < _NEWS_US
        ]
        lines[:0] = [cause for cause, at_us in self.causes.items() if now_us - at_us < _NEWS_US]
        if self.blind:
            lines.insert(0, f"the watch sees nothing: {self.blind}")
        return lines
