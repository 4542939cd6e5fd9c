"""The lists of `radar celery top`: workers, queues, tasks, failures and the schedule."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from radar_cli.celery.check.queues import count_consumers, find_flow
from radar_cli.celery.check.seen import SeenQueue, SeenWorker
from radar_cli.celery.forecast import drains_in_s, flow, waits_s
from radar_cli.celery.schedule.entry import Entry
from radar_cli.celery.schedule.timing import UnknowableError
from radar_cli.celery.tasks import Task
from radar_cli.cli.celery.actions import Actions
from radar_cli.cli.celery.snapshots import (
    SeenBroker,
    SeenLedger,
    SeenSchedule,
)
from radar_cli.cli.monitors.pictures import draw_bars
from radar_cli.cli.render import Cell
from radar_cli.cli.top.feed import Feed
from radar_cli.cli.top.pane import Page, Pane, Row
from radar_cli.core.grammar import format_duration
from radar_cli.model.ledger import (
    Firing,
    QueueSample,
    TaskRecord,
    WorkerRecord,
    describe_stage,
)
from radar_cli.model.sentences import format_size

_STATE_STYLES = {"ok": "green", "bad": "bold red", "unknown": "yellow"}
_BARS = 20
NO_LEDGER = "no ledger here: 'radar celery watch' keeps one, with failures and history"


@dataclass(frozen=True, slots=True)
class Feeds:
    """What is known, and by whom."""

    broker: Feed[SeenBroker]
    ledger: Feed[SeenLedger]
    schedule: Feed[SeenSchedule]

    @property
    def recorded(self) -> SeenLedger:
        """What the ledger holds, nothing before the first look."""
        return self.ledger.value or SeenLedger()


class Panes:
    """Makes the lists of what the feeds have."""

    def __init__(self, feeds: Feeds, actions: Actions) -> None:
        self._feeds = feeds
        self._actions = actions

    def all(self) -> list[Pane]:
        """Return the lists, in the order of their numbers."""
        return [
            self._workers(),
            self._queues(),
            self._tasks(),
            self._failures(),
            self._schedule(),
        ]

    def headline(self) -> str:
        """Return the whole in a line."""
        seen = self._feeds.broker.value
        if seen is None:
            return ""
        depths = [queue.depth or 0 for queue in seen.look.queues.values()]
        running = sum(1 for task in seen.tasks if task.state == "active")
        count = len(seen.look.workers)
        workers = f"{count} worker{'' if count == 1 else 's'}"
        return f"{workers}, {sum(depths)} waiting, {running} running"

    def notes(self) -> list[str]:
        """Return what is wrong with the whole, a line for each."""
        feeds, notes = self._feeds, list[str]()
        notes += [feed.remark() for feed in (feeds.broker, feeds.ledger, feeds.schedule)]
        seen = feeds.broker.value
        if seen is not None and not feeds.broker.fault and (silent := seen.look.silent):
            notes.append(f"{silent} more heard the question and gave no answer")
        recorded = feeds.recorded
        if feeds.ledger.value is not None and recorded.looked_us is None:
            notes.append(NO_LEDGER)
        elif recorded.looked_us is not None and recorded.blind:
            notes.append(f"ledger: {recorded.blind}, last {_ago(recorded.looked_us)}")
        if feeds.schedule.value is not None:
            notes += feeds.schedule.value.remarks
        return [note for note in notes if note]

    # Workers.

    def _workers(self) -> Pane:
        return Pane(
            "workers",
            ("worker", "state", "busy", "held", "done", "queues", "pool", "memory", "up"),
            self._worker_rows,
            self._why_nothing("no worker answers"),
            least=("memory", "up", "pool", "queues", "held"),
            open=lambda row: Page(row.key, lambda: self._describe_worker(row.key)),
            actions=self._actions.for_workers(),
        )

    def _worker_rows(self) -> list[Row]:
        seen = self._feeds.broker.value
        recorded = {each.node: each for each in self._feeds.recorded.workers}
        found = seen.look.workers if seen is not None else {}
        is_known = not self._feeds.broker.remark()
        rows = [
            self._worker_row(found[node], seen.stats.get(node), is_known)
            for node in sorted(found)
            if seen is not None
        ]
        gone = sorted(recorded.keys() - found.keys())
        return rows + [_gone_row(recorded[node]) for node in gone]

    def _worker_row(self, worker: SeenWorker, stats: Any, is_known: bool) -> Row:
        stats = stats if isinstance(stats, dict) else {}
        rss = (stats.get("rusage") or {}).get("maxrss")
        up = stats.get("uptime")
        slots = worker.slots
        busy = f"{len(worker.active)}/{slots}" if slots else str(len(worker.active))
        is_full = slots is not None and len(worker.active) >= slots
        held = worker.reserved + worker.scheduled
        state = Cell("up", "green") if is_known else Cell("not seen now", "yellow")
        cells = (
            *(worker.node, state, Cell(busy, "yellow" if is_full else ""), held, worker.total),
            *(", ".join(worker.queues or ()), worker.pool),
            "" if rss is None else format_size(rss * 1024),
            "" if up is None else format_duration(up),
        )
        order = (
            *(worker.node, "up", len(worker.active), held, worker.total),
            *(", ".join(worker.queues or ()), worker.pool, rss, up),
        )
        return Row(worker.node, cells, order, worker)

    def _describe_worker(self, node: str) -> list[Any]:
        rows: list[Any] = []
        seen = self._feeds.broker.value
        worker = seen.look.workers.get(node) if seen is not None else None
        if seen is not None and worker is not None:
            stats = seen.stats.get(node) or {}
            rows += [
                ("pool", f"{worker.pool}, {worker.slots or '?'} slots"),
                ("process", stats.get("pid")),
                ("up", format_duration(stats.get("uptime") or 0)),
                ("prefetch", worker.prefetch),
                ("queues", ", ".join(worker.queues or ())),
                ("held", f"{worker.reserved} reserved, {worker.scheduled} with an ETA"),
            ]
            counts = sorted((stats.get("total") or {}).items(), key=lambda each: -each[1])
            rows += [("done", f"{count} x {name}") for name, count in counts]
            mine = [task for task in seen.tasks if task.node == node]
            rows += [(task.state, _describe_held(task)) for task in mine]
        for kept in self._feeds.recorded.workers:
            if kept.node == node:
                rows.append(("known", f"since {_ago(kept.since_us)}, seen {_ago(kept.seen_us)}"))
                if kept.gone_us is not None:
                    rows.append(("gone", _describe_gone(kept)))
        return rows or [("", "nothing is known of it any more")]

    # Queues.

    def _queues(self) -> Pane:
        return Pane(
            "queues",
            ("queue", "waiting", "fetched", "consumers", "last 30 min", "forecast", "by priority"),
            self._queue_rows,
            self._why_nothing("no queues"),
            least=("by priority", "consumers", "fetched", "last 30 min"),
            open=lambda row: self._actions.look_into(row.key),
            actions=self._actions.for_queues(),
        )

    def _queue_rows(self) -> list[Row]:
        seen, recorded = self._feeds.broker.value, self._feeds.recorded
        if seen is None:
            return [_recorded_queue_row(samples) for samples in recorded.trends.values() if samples]
        queues = sorted(seen.look.queues.values(), key=lambda each: (-(each.depth or 0), each.name))
        return [self._queue_row(each, seen, recorded.trends.get(each.name, ())) for each in queues]

    def _queue_row(self, queue: SeenQueue, seen: SeenBroker, samples: Sequence[QueueSample]) -> Row:
        look, name = seen.look, queue.name
        fetched = None if look.unacked is None else look.unacked.by_queue.get(name, 0)
        consumers = count_consumers(queue, look)
        depth = queue.depth
        waiting = Cell(queue.fault, "bold red") if depth is None else Cell(depth)
        is_stuck = bool(depth) and consumers == 0
        priorities = {p: n for p, n in sorted(queue.by_priority.items()) if p}
        forecast, rank = _foresee(queue, seen, samples)
        cells = (
            *(name, waiting, fetched, Cell(consumers, "bold red" if is_stuck else "")),
            draw_bars(_trend(samples, seen, name)),
            Cell(forecast, "bold red" if is_stuck else ""),
            ", ".join(f"{p}: {n}" for p, n in priorities.items()),
        )
        return Row(name, cells, (name, depth, fetched, consumers, depth, rank, len(priorities)))

    # Tasks.

    def _tasks(self) -> Pane:
        return Pane(
            "tasks",
            ("task", "state", "for", "worker", "queue", "due", "id"),
            self._task_rows,
            self._why_nothing("no worker holds a task"),
            least=("id", "due", "queue", "worker", "for"),
            open=lambda row: self._actions.open_task(row.item),
            actions=self._actions.for_tasks(),
        )

    def _task_rows(self) -> list[Row]:
        seen = self._feeds.broker.value
        if seen is None:
            return []
        since_s = time.monotonic() - seen.look.at
        return [_task_row(task, since_s) for task in seen.tasks]

    # Failures.

    def _failures(self) -> Pane:
        return Pane(
            "failures",
            ("when", "task", "why", "message", "line", "worker", "id"),
            lambda: [_failure_row(task) for task in self._feeds.recorded.failures],
            self._why_no_failure,
            least=("id", "worker", "line", "message", "why"),
            open=lambda row: self._actions.open_failure(row.item),
            actions=self._actions.for_failures(),
        )

    def _why_no_failure(self) -> str:
        if self._feeds.ledger.value is None:
            return "looking ..."
        is_kept = self._feeds.recorded.looked_us is not None
        return (
            "no task failed or was lost within a day"
            if is_kept
            else "without a ledger no failure is known"
        )

    # The schedule.

    def _schedule(self) -> Pane:
        return Pane(
            "schedule",
            ("entry", "next due", "state", "schedule", "last tried", "became", "remark", "task"),
            self._schedule_rows,
            lambda: "no schedule: give --beat SOURCE to this or to 'radar celery watch'",
            least=("task", "schedule", "last tried", "remark", "became"),
            open=lambda row: Page(
                f"entry {row.key}", lambda: self._actions.describe_entry(row.key)
            ),
        )

    def _schedule_rows(self) -> list[Row]:
        seen, firings = self._feeds.schedule.value, self._feeds.recorded.firings
        now = datetime.fromtimestamp(time.time(), UTC)

        def when(entry: Entry) -> tuple[bool, bool, datetime]:
            due = _when(entry, firings.get(entry.name))[1]
            return not entry.enabled, due is None, due or now

        entries = sorted(seen.entries if seen is not None else (), key=when)
        rows = [
            _entry_row(each, seen.findings.get(each.name), firings.get(each.name), now)
            for each in entries
            if seen is not None
        ]
        known = {each.name for each in entries}
        rows += [_firing_row(each) for name, each in sorted(firings.items()) if name not in known]
        return rows

    def _why_nothing(self, otherwise: str) -> Any:
        def why() -> str:
            feed = self._feeds.broker
            if feed.value is None:
                return "" if feed.remark() else "looking ..."
            return otherwise

        return why


def _gone_row(worker: WorkerRecord) -> Row:
    style = "dim" if worker.said_goodbye else "bold red"
    state = Cell(_describe_gone(worker), style)
    if worker.gone_us is None:
        state = Cell("doesn't answer", "yellow")
    queues = ", ".join(worker.queues)
    cells = (worker.node, state, "", "", worker.processed, queues, worker.pool, "", "")
    order = (
        *(worker.node, str(state.value), None, None),
        *(worker.processed, queues, worker.pool, None, None),
    )
    return Row(worker.node, cells, order, worker)


def _describe_gone(worker: WorkerRecord) -> str:
    if worker.gone_us is None:
        return ""
    return f"{'ended' if worker.said_goodbye else 'gone'} {_ago(worker.gone_us)}"


def _describe_held(task: Task) -> str:
    runs = "" if task.runs_s is None else f" for {format_duration(int(task.runs_s))}"
    return f"{task.name} {task.id}{runs}"


def _recorded_queue_row(samples: Sequence[QueueSample]) -> Row:
    last = samples[-1]
    bars = draw_bars(_bucket([(each.time_us / 1e6, each.depth or 0) for each in samples]))
    when = f"as of {_ago(last.time_us)}"
    cells = (last.name, last.depth, last.unacked, last.consumers, bars, when, "")
    return Row(
        last.name,
        cells,
        (last.name, last.depth, last.unacked, last.consumers, last.depth, None, None),
    )


def _foresee(
    queue: SeenQueue, seen: SeenBroker, samples: Sequence[QueueSample]
) -> tuple[str, float | None]:
    """Return what becomes of a queue if all stays as it is, and a number to sort it by."""
    depth = queue.depth
    if depth is None:
        return "", None
    if not depth:
        return "empty", 0.0
    if count_consumers(queue, seen.look) == 0:
        return "nobody consumes it", float("inf")
    moves = find_flow(queue.name, seen.looks)
    if moves is None:
        recent = [(each.time_us / 1e6, each.depth or 0) for each in samples[-30:]]
        moves = flow(recent)
    drains_s, wait_s = drains_in_s(depth, moves), waits_s(depth, moves)
    words = []
    if drains_s is not None:
        words.append(f"empty in {format_duration(max(1, round(drains_s)))}")
    elif moves is not None and moves.growth > 0:
        words.append(f"grows {moves.growth:.1f}/s")
    elif moves is not None:
        words.append("stays")
    if wait_s is not None and drains_s is None:
        words.append(f"wait {format_duration(max(1, round(wait_s)))}")
    return ", ".join(words), drains_s if drains_s is not None else float("inf")


def _trend(samples: Sequence[QueueSample], seen: SeenBroker, name: str) -> list[float]:
    points = [(each.time_us / 1e6, each.depth or 0) for each in samples]
    if not points:
        now, at = time.time(), time.monotonic()
        for look in seen.looks:
            queue = look.queues.get(name)
            if queue is not None and queue.depth is not None:
                points.append((now - at + look.at, queue.depth))
    return _bucket(points)


def _bucket(points: Sequence[tuple[float, int]]) -> list[float]:
    """Return the highest of each of a few equal parts of the time; a part without one stays."""
    if not points:
        return []
    begin, end = points[0][0], points[-1][0]
    count = min(_BARS, len(points))
    width = (end - begin) / count or 1.0
    highest: list[float] = [-1.0] * count
    for moment, depth in points:
        at = min(count - 1, int((moment - begin) / width))
        highest[at] = max(highest[at], depth)
    for at, value in enumerate(highest):
        if value < 0:
            highest[at] = highest[at - 1] if at else 0.0
    return highest


def _task_row(task: Task, since_s: float) -> Row:
    runs_s = None if task.runs_s is None else task.runs_s + since_s
    runs = "" if runs_s is None else format_duration(int(runs_s))
    state = {"active": Cell("running", "green"), "scheduled": Cell("scheduled", "dim")}
    cells = (
        *(task.name, state.get(task.state, Cell(task.state)), runs),
        *(task.node, task.queue, task.eta, task.id),
    )
    order = (task.name, task.state, runs_s, task.node, task.queue, task.eta, task.id)
    return Row(task.id, cells, order, task)


def _failure_row(task: TaskRecord) -> Row:
    at_us = task.ended_us or task.changed_us
    why = task.exception or task.stage or str(task.state)
    message = task.message or _reason(task.stage)
    cells = (
        *(_ago(at_us), task.name or "?", Cell(why, "bold red"), message),
        *(task.place, task.worker, task.id),
    )
    return Row(
        task.id,
        cells,
        (-at_us, task.name, why, message, task.place, task.worker, task.id),
        task,
    )


def _reason(stage: str) -> str:
    """Return what it means that something broke at a stage."""
    return describe_stage(stage).partition(": ")[2]


def _entry_row(entry: Entry, finding: Any, firing: Firing | None, now: datetime) -> Row:
    tried, next_due = _when(entry, firing)
    due = "" if entry.enabled else "disabled"
    if entry.enabled and next_due is not None:
        away_s = int((next_due - now).total_seconds())
        due = f"in {format_duration(away_s)}" if away_s > 0 else "now"
        due = f"{format_duration(-away_s)} ago" if away_s < 0 else due
    last = "never" if tried is None else _ago(int(tried.timestamp() * 1e6))
    state = finding.state if finding is not None else "unknown"
    remark = finding.message if finding is not None and state != "ok" else ""
    if firing is not None and firing.stage and state == "ok":
        # The schedule alone doesn't tell that its task was lost, nor so soon that Beat is silent.
        state, remark = "bad", _reason(firing.stage)
    became = _became(firing)
    cells = (
        *(entry.name, due, Cell(state, _STATE_STYLES[state]), entry.schedule_words, last),
        *(became, remark, entry.task),
    )
    order = (
        *(entry.name, next_due.timestamp() if next_due else None, state, entry.schedule_words),
        *(-tried.timestamp() if tried else None, str(became.value), remark, entry.task),
    )
    return Row(entry.name, cells, order, entry)


def _when(entry: Entry, firing: Firing | None) -> tuple[datetime | None, datetime | None]:
    """Return when an entry was last tried and is next due; Beat's file is minutes behind."""
    tried = entry.last_run_at if entry.has_run else None
    if firing is None or firing.attempted_us is None:
        return tried, entry.next_due
    attempted = datetime.fromtimestamp(firing.attempted_us / 1e6, UTC)
    if (tried is not None and tried >= attempted) or entry.timing is None:
        return tried or attempted, entry.next_due
    try:
        return attempted, entry.timing.due_after(attempted)
    except UnknowableError:
        return attempted, entry.next_due


def _firing_row(firing: Firing) -> Row:
    became = _became(firing)
    is_bad = bool(firing.stage) or firing.state not in ("", "success", "started", "received")
    state = "bad" if is_bad else "ok"
    last = "" if firing.attempted_us is None else _ago(firing.attempted_us)
    remark = _reason(firing.stage) or f"due {_ago(firing.due_us)}"
    cells = (
        *(firing.entry, "", Cell(state, _STATE_STYLES[state]), "", last),
        *(became, remark, firing.task),
    )
    order = (
        *(firing.entry, None, state, "", -(firing.attempted_us or 0)),
        *(str(became.value), -firing.due_us, firing.task),
    )
    return Row(firing.entry, cells, order, firing)


def _became(firing: Firing | None) -> Cell:
    """What became of the newest firing that the ledger knows."""
    if firing is None:
        return Cell("")
    if firing.stage:
        return Cell(firing.stage, "bold red")
    style = {"success": "green", "failure": "bold red"}.get(firing.state, "")
    return Cell(firing.state or "due", style)


def _ago(time_us: int) -> str:
    seconds = time.time() - time_us / 1e6
    return "just now" if seconds < 1 else f"{format_duration(int(seconds))} ago"
