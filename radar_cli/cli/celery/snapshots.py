"""The looks behind `radar celery top`: at the broker and its workers, the ledger, the schedule."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

from radar_cli.celery.addresses import REDIS_SCHEMES, scheme_of, without_password
from radar_cli.celery.broker import Broker, leave, open_broker
from radar_cli.celery.broker_causes import explain
from radar_cli.celery.calling import with_project
from radar_cli.celery.check.looking import Looker
from radar_cli.celery.check.seen import Look
from radar_cli.celery.findings import Finding
from radar_cli.celery.project import Project
from radar_cli.celery.queues import redis_of
from radar_cli.celery.results import PREFIX
from radar_cli.celery.schedule.entry import Entry
from radar_cli.celery.schedule.judging import judge_processes, judge_schedule
from radar_cli.celery.tasks import Task, read_tasks
from radar_cli.cli.celery.beat import DEFAULT_SOURCE, read_schedule
from radar_cli.cli.celery.opening import open_ledger
from radar_cli.core.errors import RadarError
from radar_cli.model.ledger import Firing, QueueSample, TaskRecord, TaskState, WorkerRecord
from radar_cli.store.ledger import Ledger, TaskSearch

T = TypeVar("T")
_LOOK_S = 2.0
# Over so many looks it is seen how a queue moves.
_LOOKS_KEPT = 30
_FAILURES = 300
_FIRINGS = 500
_FAILED = (TaskState.FAILURE, TaskState.LOST, TaskState.EXPIRED, TaskState.REVOKED)
_OPEN = (TaskState.SENT, TaskState.RECEIVED, TaskState.STARTED, TaskState.RETRY)
_DAY_US = 86_400_000_000
TREND_US = 1_800_000_000
# Older than that, the ledger is a watch's that has ended.
STALE_US = 30_000_000


@dataclass(frozen=True, slots=True)
class SeenBroker:
    """What broker and workers say; `looks` are the newest ones, the last one last."""

    looks: tuple[Look, ...]
    tasks: list[Task]
    stats: Mapping[str, Any]  # by node

    @property
    def look(self) -> Look:
        """The newest look."""
        return self.looks[-1]


@dataclass(frozen=True, slots=True)
class SeenLedger:
    """What the ledger holds; `looked_us` is None where there is none."""

    looked_us: int | None = None
    failures: list[TaskRecord] = field(default_factory=list)
    workers: list[WorkerRecord] = field(default_factory=list)
    trends: Mapping[str, list[QueueSample]] = field(default_factory=dict)
    firings: Mapping[str, Firing] = field(default_factory=dict)  # the newest of each entry
    blind: str = ""


@dataclass(frozen=True, slots=True)
class SeenSchedule:
    """The entries of the schedule, with a finding on each, and remarks on Beat."""

    entries: list[Entry] = field(default_factory=list)
    findings: Mapping[str, Finding] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


class Access:
    """The way to a broker and the ledger for one thing at a time, in whichever thread."""

    def __init__(self, project: Project, timeout_s: float, database: str) -> None:
        self.project = project
        self.shown = without_password(project.broker)
        self._timeout_s = timeout_s
        self._database = database

    def ask(self, function: Callable[[Broker, float], T]) -> T:
        """Call a function with the broker and the seconds that it has. Raises RadarError."""

        def work(broker: Broker, _project: Project, left_s: float) -> T:
            try:
                return function(broker, left_s)
            finally:
                leave(broker.connection)

        return with_project(self.project, self._timeout_s, work)

    @property
    def keeps_results(self) -> bool:
        """Whether the app's result backend is one that can be read: a Redis."""
        return scheme_of(self.project.results) in REDIS_SCHEMES

    def find_result(self, task_id: str) -> bytes:
        """Return what the result backend keeps of a task, if anything. Raises RadarError."""
        key = f"{self.project.results_prefix}{PREFIX}{task_id}"

        def get(backend: Broker, _: Project, _left_s: float) -> bytes:
            try:
                client, _channel = redis_of(backend)
                return bytes(client.get(key) or b"")
            finally:
                leave(backend.connection)

        return with_project(Project(self.project.results), self._timeout_s, get)

    def read(self, function: Callable[[Ledger], T], default: T) -> T:
        """Call a function with the ledger; the default, where there is none."""
        with open_ledger(self._database) as ledger:
            return default if ledger is None else function(ledger)


class BrokerSight:
    """Looks over one connection, which is opened again when it breaks.

    `queues` returns the names of those that are looked at whether workers consume them or not:
    a RabbitMQ lists none.
    """

    def __init__(self, project: Project, queues: Callable[[], Iterable[str]] = tuple) -> None:
        self._project = project
        self._queues = queues
        self._stack = ExitStack()
        self._looker: Looker | None = None
        self._looks: deque[Look] = deque(maxlen=_LOOKS_KEPT)

    def look(self) -> SeenBroker:
        """Look once. Raises BrokerError."""
        try:
            if self._looker is None:
                self._looker = self._open()
            self._looker.want(self._queues())
            known = len(self._looks[-1].workers) if self._looks else 0
            seen = self._looker.look(lambda: _LOOK_S, workers=known)
        except Exception as error:
            self._looker = None
            self._stack.close()
            if isinstance(error, RadarError):
                raise
            shown = without_password(self._project.broker)
            raise explain(error, shown, None, url=self._project.broker) from error
        self._looks.append(seen)
        replies = self._looker.answers.replies
        tasks = read_tasks(replies, time.time())
        return SeenBroker(tuple(self._looks), tasks, replies.get("stats", {}))

    def _open(self) -> Looker:
        project = self._project
        broker = open_broker(
            project.broker,
            options=project.options,
            use_ssl=project.use_ssl,
            exchange=project.exchange,
        )
        self._stack.callback(leave, broker.connection)
        return self._stack.enter_context(Looker(broker, project.queues))


class LedgerSight:
    """Reads what is new in the ledger, which needn't be there."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def look(self) -> SeenLedger:
        """Read once. Raises StateError."""
        return self._access.read(_read_ledger, SeenLedger())


def _read_ledger(ledger: Ledger) -> SeenLedger:
    now_us = time.time_ns() // 1000
    looked_us = ledger.last_look()
    since_us = now_us - _DAY_US
    # One state at a time, as an index has them: in a large ledger anything else takes seconds.
    failures = [
        *(task for state in _FAILED for task in _find(ledger, state, since_us)),
        *(task for state in _OPEN for task in _find(ledger, state, since_us, broken=True)),
    ]
    failures.sort(key=lambda task: -task.changed_us)
    samples = ledger.queues(now_us - TREND_US)
    newest: dict[str, Firing] = {}
    for firing in ledger.firings(now_us - 7 * _DAY_US, limit=_FIRINGS):
        newest.setdefault(firing.entry, firing)
    blind = ""
    if looked_us is not None and looked_us < now_us - STALE_US:
        blind = "no watch writes it now"
    elif (times := ledger.blindness(now_us - STALE_US // 2)) and looked_us is not None:
        blind = f"the watch is blind: {times[0].why}"
    return SeenLedger(
        looked_us,
        failures[:_FAILURES],
        ledger.workers(),
        {each.name: ledger.queue_history(each.name, now_us - TREND_US) for each in samples},
        newest,
        blind,
    )


def _find(
    ledger: Ledger, state: TaskState, since_us: int, *, broken: bool = False
) -> list[TaskRecord]:
    search = TaskSearch(states=(str(state),), since_us=since_us, broken=broken)
    return ledger.find_page(search, _FAILURES).tasks


class ScheduleSight:
    """Reads Beat's schedule, if it is known where that is."""

    def __init__(self, source: str, access: Access) -> None:
        self._source = source or (DEFAULT_SOURCE if os.path.exists(DEFAULT_SOURCE) else "")
        self._access = access

    @property
    def is_known(self) -> bool:
        """Whether there is a schedule to read."""
        return bool(self._source)

    def look(self) -> SeenSchedule:
        """Read once. Raises RadarError."""
        if not self._source:
            return SeenSchedule()
        needs_broker = self._source.partition(":")[0] in ("redbeat", "remote")
        if needs_broker:
            return self._access.ask(lambda broker, _: self._read(broker))
        return self._read(None)

    def _read(self, broker: Broker | None) -> SeenSchedule:
        read = read_schedule(self._source, broker)
        findings = judge_schedule(read.entries, read.beats, read.now)
        findings += judge_processes(read.processes, self._source)
        others = [each for each in findings if "task" not in each.data and each.state != "ok"]
        return SeenSchedule(
            read.entries,
            {each.subject: each for each in findings if "task" in each.data},
            [f"{each.subject}: {each.message}" for each in others],
        )
