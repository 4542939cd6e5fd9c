"""Beat's side: each message says which entry it is of, and each entry has a monitor.

Beat itself declares them, from its scheduler's own entries: the set is complete, so an entry that
is removed is watched no more. Publishing is proven by what `after_task_publish` tells: the monitor
of Beat itself gets a success whenever messages have reached the broker.
"""

import atexit
import json
import os
import threading
import time
from datetime import datetime
from typing import AbstractSet, Any, Callable, NamedTuple, Sequence

from celery import Celery, signals
from celery.utils.log import get_logger

from radar_cli import __version__
from radar_cli.celery.integration.schedules import declare_entry
from radar_cli.celery.integration.targets import (
    ENTRY_HEADER,
    MONITOR_HEADER,
    Targets,
    is_skipped,
)
from radar_cli.celery.schedule.entry import entry_key
from radar_cli.core.grammar import format_seconds
from radar_cli.delivery.courier import Courier
from radar_cli.delivery.destinations import STORE, Destination, resolve
from radar_cli.model.ping import Ping

_LOOK_S = 30.0  # at what else the scheduler has by now
_TRY_S = 10.0
_PAUSE_S = 5.0
_PAUSE_MAX_S = 300.0
_SYNC_MAX = 100  # as many monitors as one request takes
_BEAT_SHORTEST_S = 120.0
_BEAT_GRACE_S = 120.0  # or half of its period: a single silence must not go unnoticed
_OWN_TASKS = "celery."
_logger = get_logger(__name__)
_KEEP = {"weak": False}

Monitors = dict[str, dict[str, str]]


class Stamp(NamedTuple):
    """The headers that a message of an entry carries."""

    entry: str
    monitor: str


class Row(NamedTuple):
    """An entry as django-celery-beat keeps it: `model` is its row."""

    name: str
    task: str
    schedule: Any
    model: Any


class Entries(NamedTuple):
    """The entries of a scheduler, and the names of those that it has lost."""

    found: Sequence[Any]
    lost: AbstractSet[str] = frozenset()


class BeatWatch:
    """The integration in the process of one Beat."""

    def __init__(
        self,
        app: Celery,
        scheduler: Any,
        courier: Courier,
        targets: Targets,
        *,
        beat_monitor: str,
        prefix: str,
    ) -> None:
        self._app = app
        self._scheduler = scheduler
        self._courier = courier
        self._targets = targets
        self._beat_monitor = beat_monitor
        self._prefix = prefix
        self._current: Stamp | None = None  # of the entry that is being sent
        self._looked_at = float("-inf")
        self._reported_at = float("-inf")
        self._sent = 0
        self._period_s = _BEAT_SHORTEST_S
        self._noted: set[str] = set()
        self._known: Monitors | None = None
        self._keys: dict[str, str] = {}  # of the entries' monitors, by entry
        self._lost: set[str] = set()  # entries that nobody has removed
        self._declarer = ServerDeclarer(courier, f"celery:{app.main or 'app'}")

    def start(self) -> None:
        """Begin with what the scheduler does."""
        scheduler = self._scheduler
        scheduler.apply_async = self._stamping(scheduler.apply_async)
        scheduler.tick = self._looking(scheduler.tick)
        signals.before_task_publish.connect(self._stamp, **_KEEP)
        signals.after_task_publish.connect(self._count, **_KEEP)
        self._courier.start()
        atexit.register(self._courier.close)
        self._look()

    def _stamping(self, apply_async: Callable[..., Any]) -> Callable[..., Any]:
        def apply_stamped(entry: Any, *arguments: Any, **options: Any) -> Any:
            self._current = self._find_stamp(entry)
            try:
                return apply_async(entry, *arguments, **options)
            finally:
                self._current = None

        return apply_stamped

    def _looking(self, tick: Callable[..., Any]) -> Callable[..., Any]:
        def tick_and_look(*arguments: Any, **options: Any) -> Any:
            pause_s = tick(*arguments, **options)
            if time.monotonic() - self._looked_at >= _LOOK_S:
                self._look()
            return pause_s

        return tick_and_look

    def _find_stamp(self, entry: Any) -> Stamp | None:
        try:
            if self._is_skipped(entry):
                return None
            return Stamp(str(entry.name), entry_key(str(entry.name), self._prefix))
        except Exception:
            _logger.exception("radar: an entry can't be identified")
            return None

    def _stamp(self, headers: Any = None, **_: Any) -> None:
        stamp = self._current
        if stamp is not None and isinstance(headers, dict):
            headers[ENTRY_HEADER] = stamp.entry
            headers[MONITOR_HEADER] = stamp.monitor

    def _count(self, **_: Any) -> None:
        """A message has reached the broker: Beat does what it is for."""
        if self._current is None or not self._beat_monitor:
            return
        self._sent += 1
        now = time.monotonic()
        if now - self._reported_at < self._period_s / 2:
            return
        fields = {"message": f"{self._sent} tasks sent" if self._sent > 1 else "a task sent"}
        self._reported_at, self._sent = now, 0
        time_us = time.time_ns() // 1000
        self._courier.post(Ping("success", self._beat_monitor, time_us=time_us, fields=fields))

    def _look(self) -> None:
        """Declare the entries, if they are other ones by now."""
        self._looked_at = time.monotonic()
        try:
            entries = read_entries(self._scheduler, self._app)
            self._lost |= entries.lost
            self._lost -= {str(entry.name) for entry in entries.found}
            monitors = self._read(entries.found)
        except Exception:
            _logger.exception("radar: the schedule can't be read")
            return
        if monitors != self._known:
            self._known = monitors
            # Of what was lost before this Beat began, it isn't known how it was declared.
            is_whole = all(self._keys.get(name) in monitors for name in self._lost)
            self._declarer.declare(monitors, is_whole=is_whole)

    def _read(self, entries: Sequence[Any]) -> Monitors:
        monitors: Monitors = {}
        gaps_s: list[float] = []
        for name in sorted(self._lost):
            self._note(f"entry {name!r} has lost its definition in Redis: Beat doesn't send it")
            key = self._keys.get(name, "")
            if self._known and key in self._known:
                monitors[key] = self._known[key]
        for entry in entries:
            if self._is_skipped(entry):
                continue
            name = str(entry.name)
            declared = declare_entry(entry)
            if declared.note:
                self._note(f"entry {name!r} is {declared.note}")
            if not declared.is_watched:
                continue
            gaps_s.append(declared.gap_s)
            key = entry_key(name, self._prefix)
            named = self._targets.find(str(entry.task), {ENTRY_HEADER: name})
            if named is not None:
                if named.destination is not None or len(named.monitor) == 36:
                    continue  # known by a secret alone: a person says when it is due
                key = named.monitor
            self._keys[name] = key
            monitors[key] = {"name": name[:200], **declared.fields}
        if gaps_s and self._beat_monitor:
            self._period_s = max(_BEAT_SHORTEST_S, min(gaps_s))
            monitors[self._beat_monitor] = {
                "name": "Celery Beat",
                "every": format_seconds(self._period_s),
                "gracePeriod": format_seconds(min(_BEAT_GRACE_S, self._period_s / 2)),
            }
        return monitors

    def _is_skipped(self, entry: Any) -> bool:
        if not getattr(entry, "enabled", True):
            return True
        name = str(entry.task)
        if name.startswith(_OWN_TASKS) and self._targets.find(name, {}) is None:
            return True
        task = self._app.tasks.get(name)
        return task is not None and is_skipped(task)

    def _note(self, words: str) -> None:
        if words not in self._noted:
            self._noted.add(words)
            _logger.warning("radar: %s", words)


def read_entries(scheduler: Any, app: Celery) -> Entries:
    """All entries of a scheduler, but for those that begin later or are over."""
    if any(each.__module__.startswith("redbeat") for each in type(scheduler).__mro__):
        # Its `schedule` has only what is due now.
        from redbeat.schedulers import get_redis

        conf = app.redbeat_conf
        keys = [str(key) for key in get_redis(app).zrange(conf.schedule_key, 0, -1)]
        # Whoever removes an entry removes it whole; what Redis has evicted stands there without a
        # definition until it is due, when RedBeat drops it. What the app declares nobody removes.
        lost = set(app.conf.beat_schedule or {})
        lost -= {key.removeprefix(conf.key_prefix) for key in keys}
        found = []
        for key in keys:
            try:
                found.append(scheduler.Entry.from_key(key, app=app))
            except KeyError:
                lost.add(key.removeprefix(conf.key_prefix))
        return Entries(found, lost)
    if (model := getattr(scheduler, "Model", None)) is not None:
        # django-celery-beat's `schedule` leaves out what is due in more than two hours.
        rows = [row for row in model.objects.enabled() if _is_current(row)]
        return Entries([Row(row.name, row.task, row.schedule, row) for row in rows])
    return Entries([entry for name, entry in dict(scheduler.schedule).items() if name])


def _is_current(row: Any) -> bool:
    """Whether a row of django-celery-beat's is due now and then, by its start and its end."""
    # Naive times, of a Django without time zones, are compared with the local clock.
    is_early = row.start_time is not None and datetime.now(row.start_time.tzinfo) < row.start_time
    is_over = row.expires is not None and datetime.now(row.expires.tzinfo) >= row.expires
    return not is_early and not is_over


class ServerDeclarer:
    """Declares a set of monitors to all servers, in a thread, until they have taken it."""

    def __init__(self, courier: Courier, source: str) -> None:
        self._courier = courier
        self._source = source[:200]
        self._wanted: tuple[Monitors, bool] = {}, True
        self._news = threading.Event()
        self._thread: threading.Thread | None = None
        self._warned: set[str] = set()

    def declare(self, monitors: Monitors, *, is_whole: bool = True) -> None:
        """Have these be all monitors of the source, or some of them."""
        self._wanted = monitors, is_whole
        self._news.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="radar-declare", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as fault:
                self._thread = None
                self._warn_once(f"the schedule is not declared: {fault}")

    def _run(self) -> None:
        pause_s = _PAUSE_S
        while True:
            self._news.wait()
            self._news.clear()
            try:
                is_done = self._declare(*self._wanted)
            except Exception as fault:  # noqa: BLE001 (another try may go better)
                self._warn_once(
                    f"the schedule is not declared yet: {type(fault).__name__}: {fault}"
                )
                is_done = False
            if is_done:
                pause_s = _PAUSE_S
                continue
            self._news.wait(pause_s)
            self._news.set()
            pause_s = min(pause_s * 2, _PAUSE_MAX_S)

    def _declare(self, monitors: Monitors, is_whole: bool) -> bool:
        resolved = resolve([], None, os.environ)
        done = True
        for destination in resolved.destinations:
            if destination.is_server:
                done &= self._sync(destination, monitors, is_whole)
            elif destination.protocol == STORE:
                self._post_all(monitors)
            else:
                done = False
        return done

    def _post_all(self, monitors: Monitors) -> None:
        """By pings, which the store on this machine takes in with all others."""
        for key, fields in monitors.items():
            now_us = time.time_ns() // 1000
            self._courier.post(Ping("log", key, time_us=now_us, fields=dict(fields)))

    def _sync(self, destination: Destination, monitors: Monitors, is_whole: bool) -> bool:
        """By `POST /api/sync`; False if the server doesn't take it now."""
        listed: list[dict[str, Any]] = [{"key": key, **each} for key, each in monitors.items()]
        if destination.protocol == "cronradar":
            if unsaid := [each["name"] for each in listed if "schedule" not in each]:
                self._warn_once(
                    f"{destination.server} takes no intervals: {', '.join(unsaid)[:300]}"
                )
            listed = [each for each in listed if "schedule" in each]
        if len(listed) > _SYNC_MAX:
            is_whole = False
            self._warn_once(
                f"with more than {_SYNC_MAX} entries, those that are removed stay watched"
            )
        for at in range(0, len(listed) or 1, _SYNC_MAX):
            content = {"source": self._source, "monitors": listed[at : at + _SYNC_MAX]}
            if is_whole:
                content["mode"] = "reconcile"
            status, answer = self._post(destination, content)
            if status != 200:
                self._warn_once(f"{destination.server} answered {status} to the schedule")
                return False
            for words in answer.get("errors", ()):
                self._warn_once(f"{destination.server}: {words}")
            for key in answer.get("retired", ()):
                _logger.warning("radar: %s is no entry any more, and watched no more", key)
        return True

    def _post(self, destination: Destination, content: Any) -> tuple[int, dict[str, Any]]:
        headers = {"User-Agent": f"radar/{__version__}", "Content-Type": "application/json"}
        if destination.key:
            headers["Authorization"] = f"Bearer {destination.key}"
            if destination.protocol == "cronradar":
                from radar_cli.net.proxies import basic

                headers["Authorization"] = basic(f"{destination.key}:")
        link = destination.link()
        try:
            body = json.dumps(content).encode()
            deadline = time.monotonic() + _TRY_S
            headers = {**headers, **destination.headers}
            response = link.post("/api/sync", headers, body, deadline)
        finally:
            link.close()
        try:
            answer = json.loads(response.body)
        except ValueError:
            answer = {}
        return response.status, answer if isinstance(answer, dict) else {}

    def _warn_once(self, words: str) -> None:
        if words not in self._warned:
            self._warned.add(words)
            _logger.warning("radar: %s", words)
