"""The watch: events and looks go in, batches go to the ledger, reports to monitors.

One thread reads the events, folds them and writes; another looks at the broker, the workers and
Beat's schedule, where a library may hang. Whatever ends, broker, database or the watch itself, is
noted as a time in which it was blind, and it goes on.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from radar_cli.celery.addresses import without_password
from radar_cli.celery.broker import open_broker
from radar_cli.celery.broker_causes import explain
from radar_cli.celery.check.looking import Looker
from radar_cli.celery.check.seen import Look
from radar_cli.celery.project import Project
from radar_cli.celery.schedule.entry import Beat, Entry
from radar_cli.celery.schedule.sources import open_source
from radar_cli.celery.watch.backends import Backends
from radar_cli.celery.watch.beats import BeatSeeker, SeenBeat
from radar_cli.celery.watch.concluding import Concluder
from radar_cli.celery.watch.events import OPEN_MAX, Fold
from radar_cli.celery.watch.firings import Firings
from radar_cli.celery.watch.metrics import Metrics
from radar_cli.celery.watch.reporting import EntryReports, Problems, declare_entries
from radar_cli.celery.watch.stream import EventStream, enable_events
from radar_cli.celery.watch.thresholds import Thresholds
from radar_cli.core.errors import RadarError
from radar_cli.core.grammar import format_duration
from radar_cli.model.ledger import Batch, Blindness, QueueSample, TaskRecord, TaskState
from radar_cli.model.ping import Ping
from radar_cli.store.ledger import FORGOTTEN_AT_ONCE, Ledger, LedgerRetention, TaskSearch

_WRITE_S = 0.5
_EVENTS_AT_ONCE = 1_000
# With nothing new, so often it is noted that somebody watches.
_IDLE_S = 5.0
_SWEEP_S = 60.0
_REPORT_S = 60.0
_MORE_S = 10.0
_AGAIN_S = 2.0
_LOOK_S = 5.0
# Shorter times without events aren't worth a word.
_BLIND_US = 1_000_000
_WAITING_MAX = 100_000
# No heartbeat for so long, and workers that answer: the subscription is dead.
_DEAF_S = 30.0
_QUEUES_MAX = 500


class Reporter(Protocol):
    """The way to monitors."""

    def declare(self, monitors: Mapping[str, Mapping[str, str]]) -> None:
        """Have these be the monitors of the schedule."""

    def post(self, pings: Iterable[Ping]) -> None:
        """Take pings to their monitors."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What a person has chosen."""

    beat: str = ""
    interval_s: float = 10.0
    enables_events: bool = False
    monitor: str = "celery-watch"  # of the watch itself; "": none
    max_failure_rates: Mapping[str, float] = field(default_factory=dict)  # by pattern of names
    max_waits_s: Mapping[str, float] = field(default_factory=dict)
    retention: LedgerRetention = field(default_factory=LedgerRetention)


@dataclass(slots=True)
class _Seen:
    """The results of one look, or why there is none."""

    at_us: int
    heard: Mapping[str, int] = field(default_factory=dict)  # before it: see Concluder.conclude
    look: Look | None = None
    backend_faults: Mapping[str, str] = field(default_factory=dict)  # by worker
    lost_backend: str = ""  # one that answered before
    fault: str = ""
    entries: list[Entry] | None = None
    beats: list[Beat] = field(default_factory=list)
    beat: SeenBeat = field(default_factory=SeenBeat)
    schedule_fault: str = ""


class Watch:
    """A standing watch over one Celery. `log` takes lines for people."""

    def __init__(
        self,
        project: Project,
        ledger: Ledger,
        settings: WatchSettings,
        *,
        reporter: Reporter | None = None,
        metrics: Metrics | None = None,
        log: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._project = project
        self._ledger = ledger
        self._settings = settings
        self._reporter = reporter
        self._log = log
        self._metrics = metrics
        self.fold = Fold(self._hear)
        now_us = _now_us()
        self._blind_since_us = ledger.last_look()
        self._why_blind = "the watch was not running"
        self._was_blind = ""  # to be told by the next ping
        self.concluder = Concluder(self.fold, now_us, settings.interval_s)
        self.firings = Firings(now_us, settings.interval_s)
        self.problems = Problems()
        self.thresholds = Thresholds(settings.max_failure_rates, settings.max_waits_s)
        self._reports = EntryReports()
        self._monitors: dict[str, dict[str, str]] | None = None
        self._beats = BeatSeeker(settings.beat)
        self._backends = Backends()
        self._seen: queue.Queue[_Seen] = queue.Queue(maxsize=10)
        self._stopping = threading.Event()
        self._waiting = Batch()  # not written yet
        self._said: set[str] = set()
        self.look: Look | None = None
        self.looked_us = 0
        self.missed_events = ledger.missed_events()
        self._heard_at = time.monotonic()
        self._now_us = now_us
        self._samples: list[QueueSample] = []  # of the last look
        self._queues: set[str] = set()  # that tasks were sent to
        self._swept_at = self._reported_at = self._written_at = float("-inf")
        self._reported: frozenset[str] = frozenset()  # what was wrong then

    def stop(self) -> None:
        """Have `run` write what it knows and return."""
        self._stopping.set()

    def run(self) -> None:
        """Watch until `stop`. StateError only at the start: the ledger can't be used."""
        self._restore()
        threading.Thread(target=self._keep_looking, name="look", daemon=True).start()
        while not self._stopping.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001  (each broker's library raises its own)
                shown = without_password(self._project.broker)
                found = explain(error, shown, None, url=self._project.broker)
                self._begin_blindness(found.line())
            self._step(_now_us())
            self._stopping.wait(_AGAIN_S)
        self._write(_now_us())

    def _restore(self) -> None:
        states = (TaskState.SENT, TaskState.RECEIVED, TaskState.STARTED, TaskState.RETRY)
        search = TaskSearch(states=tuple(map(str, states)))
        self.fold.restore(reversed(self._ledger.tasks(search, OPEN_MAX)))
        for worker in self._ledger.workers():
            self.fold.workers[worker.node] = worker
        self.firings.restore(self._ledger.firings(0, open_only=True, limit=10_000))

    def _listen(self) -> None:
        """Read events until it is told to stop, or the broker goes. Raises its library's errors."""
        project = self._project
        broker = open_broker(
            project.broker,
            options=project.options,
            use_ssl=project.use_ssl,
            exchange=project.exchange,
        )
        exchange = getattr(getattr(project.app, "conf", None), "event_exchange", "celeryev")
        with EventStream(broker, exchange) as stream:
            now_us = _now_us()
            self._note_blindness(now_us)
            if (begin_us := self._blind_since_us) is not None and now_us - begin_us > _BLIND_US:
                silent = format_duration((now_us - begin_us) / 1e6)
                self._was_blind = f"nothing was seen for {silent}: {self._why_blind}"
                self._log(self._was_blind)
            self._blind_since_us = None
            self.concluder.forget(now_us)
            self.problems.blind = ""
            self._said.clear()
            self._log(f"watching {broker.shown}")
            self._heard_at = time.monotonic()
            written_at = 0.0
            while not self._stopping.is_set():
                events = stream.read(_EVENTS_AT_ONCE)
                now_us = self._now_us = _now_us()
                for event in events:
                    self.fold.apply(event, now_us)
                if events:
                    self._heard_at = time.monotonic()
                if time.monotonic() - written_at >= _WRITE_S:
                    written_at = time.monotonic()
                    self._step(now_us)
                self._check_hearing()

    def _begin_blindness(self, why: str) -> None:
        self._say(why)
        if self._blind_since_us is None:
            self._blind_since_us = self._now_us
            self._why_blind = why
        self.problems.blind = why
        self._note_blindness(_now_us())

    def _note_blindness(self, now_us: int) -> None:
        begin_us = self._blind_since_us
        if begin_us is not None and now_us - begin_us > _BLIND_US:
            self._waiting.blind.append(Blindness(begin_us, now_us, self._why_blind))

    def _check_hearing(self) -> None:
        """Raise if workers answer, and yet none is heard to beat."""
        is_answered = self.look is not None and len(self.look.workers) > 0
        if is_answered and time.monotonic() - self._heard_at > _DEAF_S:
            self._heard_at = time.monotonic()
            raise ConnectionError("no event comes, though workers answer")

    def _hear(self, kind: str, task: TaskRecord) -> None:
        if kind == "task-sent" and len(self._queues) < _QUEUES_MAX:
            self._queues.add(task.queue)
        if kind == "task-started":
            self.concluder.note_started(task.worker)
        self.firings.note(kind, task)
        self.problems.note(kind, task, self._now_us)
        self.thresholds.note(kind, task, self._now_us)
        if self._metrics is not None:
            self._metrics.note(kind, task)

    def _step(self, now_us: int) -> None:
        """Take in what was looked at, write and report."""
        while True:
            try:
                seen = self._seen.get_nowait()
            except queue.Empty:
                break
            self._take(seen, now_us)
        self.firings.advance(now_us)
        self.problems.beat = self.firings.describe_silence()
        for task in self.firings.claimed:
            self.fold.touch(task)
        self.firings.claimed.clear()
        if self._metrics is not None:
            self._metrics.update(
                self.fold.workers,
                self._samples,
                self.firings.overdue(now_us),
                {
                    "blind": float(bool(self.problems.blind)),
                    "open_tasks": float(len(self.fold.open)),
                },
                {
                    "events": self.fold.events,
                    "missed_events": self.missed_events,
                    "unread_events": self.fold.unread,
                    "events_from_the_future": self.fold.from_the_future,
                    "forgotten_tasks": self.fold.forgotten,
                },
                now_us,
            )
        self._write(now_us)

    def is_well(self) -> bool:
        """Whether it sees, and has looked lately."""
        late_us = _now_us() - self.looked_us
        return not self.problems.blind and late_us < 6e6 * max(self._settings.interval_s, 5.0)

    def _take(self, seen: _Seen, now_us: int) -> None:
        if seen.fault:
            self._say(f"can't look: {seen.fault}")
        if seen.schedule_fault:
            self._say(f"the schedule can't be read: {seen.schedule_fault}")
        if self._reporter is not None:
            pings = self.thresholds.report(self.fold.open.values(), now_us)
            if pings:
                self._reporter.post(pings)
        if seen.look is not None:
            self.look, self.looked_us = seen.look, seen.at_us
            if self._metrics is not None:
                self._metrics.looked_us = seen.at_us
            if not self.problems.blind:
                self._conclude(seen, seen.look, now_us)
        if seen.entries is not None:
            self.firings.update(seen.entries, seen.beats, now_us, seen.beat)
            monitors = declare_entries(seen.entries)
            if self._reporter is not None and monitors != self._monitors:
                self._reporter.declare(monitors)
                self._monitors = monitors

    def _conclude(self, seen: _Seen, look: Look, now_us: int) -> None:
        done = self.concluder.conclude(look, now_us, seen.heard, seen.backend_faults)
        self.problems.backend = seen.lost_backend
        self._waiting.queues += done.queues
        self._samples = done.queues
        self._waiting.missed_events += done.missed_events
        self.missed_events += done.missed_events
        self.problems.gone = {
            worker.node: worker.gone_us
            for worker in self.fold.workers.values()
            if worker.gone_us is not None and not worker.said_goodbye
        }
        for node in done.silent_nodes:
            self._say(
                f"worker {node} sends no events of its tasks: start it with -E, or give"
                " --enable-events"
            )

    def _write(self, now_us: int) -> None:
        tasks, workers = self.fold.take_changes()
        firings = self.firings.take_changes()
        waiting = self._waiting
        waiting.tasks += tasks
        waiting.workers += workers
        waiting.firings += firings
        if self._reporter is not None and firings:
            self._report(firings, now_us)
        self._report_whole(now_us)
        if not waiting and time.monotonic() - self._written_at < _IDLE_S:
            return
        self._written_at = time.monotonic()
        try:
            self._ledger.write(waiting, now_us)
            self._waiting = Batch()
            self._sweep(now_us)
        except RadarError as error:
            self._say(f"the ledger can't be written: {error.line()}")
            if len(waiting.tasks) > _WAITING_MAX:
                lost = len(waiting.tasks) - _WAITING_MAX
                del waiting.tasks[:lost]
                waiting.missed_events += lost
            del waiting.queues[:-_WAITING_MAX]

    def _sweep(self, now_us: int) -> None:
        if time.monotonic() - self._swept_at >= _SWEEP_S:
            self._swept_at = time.monotonic()
            gone = self._ledger.sweep(now_us, self._settings.retention)
            if gone >= FORGOTTEN_AT_ONCE:  # there is more
                self._swept_at = float("-inf")

    def _report(self, firings: Iterable[Any], now_us: int) -> None:
        pings = []
        for firing in firings:
            task = self.fold.find(firing.task_id)
            pings += self._reports.report(firing, task, self._monitors or {}, now_us)
        if pings and self._reporter is not None:
            self._reporter.post(pings)

    def _report_whole(self, now_us: int) -> None:
        """Ping the monitor of the watch: each minute, and at once when something new is wrong."""
        if self._reporter is None or not self._settings.monitor:
            return
        problems = tuple(self.problems.find(now_us))
        kinds = frozenset(line.partition(" x ")[2] or line for line in problems)
        is_turn = bool(kinds) != bool(self._reported)
        since_s = time.monotonic() - self._reported_at
        # What is wrong besides is told soon, too, but not with every event.
        if not is_turn and since_s < (_REPORT_S if kinds <= self._reported else _MORE_S):
            return
        self._reported_at, self._reported = time.monotonic(), kinds
        fields = {"name": "Celery, as its watch sees it", "every": "120", "gracePeriod": "60"}
        if problems:
            more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
            fields["reason"] = ("; ".join(problems[:5]) + more)[:500]
        if self._was_blind:
            fields["message"], self._was_blind = self._was_blind[:500], ""
        kind = "fail" if problems else "success"
        self._reporter.post([Ping(kind, self._settings.monitor, time_us=now_us, fields=fields)])

    def _keep_looking(self) -> None:
        """Look at broker, workers and schedule, over a connection of its own."""
        while not self._stopping.is_set():
            try:
                self._look_on()
            except Exception as error:  # noqa: BLE001  (each broker's library raises its own)
                shown = without_password(self._project.broker)
                found = explain(error, shown, None, url=self._project.broker)
                self._put(_Seen(_now_us(), fault=found.line()))
            self._stopping.wait(_AGAIN_S)

    def _look_on(self) -> None:
        project = self._project
        with ExitStack() as stack:
            broker = open_broker(
                project.broker,
                options=project.options,
                use_ssl=project.use_ssl,
                exchange=project.exchange,
            )
            looker = stack.enter_context(Looker(broker, project.queues))
            enabled: set[str] = set()
            while not self._stopping.is_set():
                began = time.monotonic()
                seen = _Seen(_now_us(), self.concluder.heard.copy())
                self._look_at_schedule(seen, broker.connection)
                looker.want(list(self._queues))
                seen.look = looker.look(lambda: _LOOK_S, workers=len(enabled))
                seen.backend_faults = self._backends.look(broker, seen.look.workers)
                seen.lost_backend = self._backends.find_lost(seen.backend_faults)
                news = seen.look.workers.keys() - enabled
                if news and self._settings.enables_events:
                    enable_events(broker, news)
                enabled = set(seen.look.workers)
                self._put(seen)
                left_s = self._settings.interval_s - (time.monotonic() - began)
                self._stopping.wait(max(0.1, left_s))

    def _look_at_schedule(self, seen: _Seen, connection: Any) -> None:
        if not self._settings.beat:
            return
        try:
            source = open_source(self._settings.beat, connection=connection)
            now = datetime.fromtimestamp(time.time(), UTC)
            seen.beat = self._beats.look()
            seen.entries, seen.beats = source.entries(now), source.beats(now)
        except RadarError as error:
            seen.schedule_fault = error.line()

    def _put(self, seen: _Seen) -> None:
        # If the other thread is behind, older looks are as good.
        with suppress(queue.Full):
            self._seen.put_nowait(seen)

    def _say(self, line: str) -> None:
        """Log a line, once in a while."""
        if line not in self._said:
            if len(self._said) > 1000:
                self._said.clear()
            self._said.add(line)
            self._log(line)


def _now_us() -> int:
    return time.time_ns() // 1000
