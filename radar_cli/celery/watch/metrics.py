"""The metrics of a watch, as Prometheus reads them, and served from memory.

The names are those of danihodovic/celery-exporter and of CronRadar's guide, so that their
dashboards and rules work; what neither has begins with `celery_schedule_` or `celery_watch_`.
Written by radar's one writer of the format: a client library would lock at each event and render
at each scrape.
"""

import bisect
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from radar_cli.celery.watch.firings import Overdue
from radar_cli.core.prometheus import Sample, format_family, format_histogram
from radar_cli.model.ledger import QueueSample, TaskRecord, WorkerRecord

_SECOND = 1_000_000
# Beyond that many series of one counter, further names are counted under this one.
SERIES_MAX = 2_000
OTHERS = "others"
# A worker that is gone is down for so long, and then no series any more.
GONE_US = 600 * _SECOND
_RENDERED_S = 1.0
_RUNTIME_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
_WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1800.0)
_COUNTED = {
    "task-sent": ("task_sent", "Tasks that were sent."),
    "task-received": ("task_received", "Tasks that a worker received."),
    "task-started": ("task_started", "Tasks that a worker began."),
    "task-succeeded": ("task_succeeded", "Tasks that succeeded."),
    "task-failed": ("task_failed", "Tasks that failed."),
    "task-rejected": ("task_rejected", "Tasks that a worker rejected."),
    "task-revoked": ("task_revoked", "Tasks that were revoked, or expired at a worker."),
    "task-retried": ("task_retried", "Tries that failed and are to be repeated."),
    "task-lost": ("task_lost", "Tasks that were found to be lost, by the stage."),
    "task-expired": ("task_expired", "Tasks that were found to have expired in their queue."),
    "task-unseen": ("task_unseen", "Tasks that ended without being seen."),
}
_MORE_LABELS = {"task-failed": "exception", "task-lost": "stage"}
# What is 0 of a task that was received, for rules that divide by it.
_AT_ZERO = ("task-succeeded", "task-retried", "task-started")

Key = tuple[str, ...]


class _Histogram:
    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts: dict[Key, list[int]] = {}
        self._sums: dict[Key, float] = {}

    def observe(self, key: Key, value: float) -> None:
        if key not in self._counts and len(self._counts) >= SERIES_MAX:
            key = (OTHERS,) * len(key)
        counts = self._counts.setdefault(key, [0] * (len(self._bounds) + 1))
        counts[bisect.bisect_left(self._bounds, value)] += 1
        self._sums[key] = self._sums.get(key, 0.0) + value

    def render(self, name: str, help_text: str, is_new: Callable[[str, Key], bool]) -> str:
        nothing = [0] * (len(self._bounds) + 1)
        return format_histogram(
            name,
            help_text,
            self._bounds,
            [
                (_labels(key), nothing, 0.0)
                if is_new(name, key)
                else (_labels(key), counts, self._sums[key])
                for key, counts in self._counts.items()
            ],
        )

    def drop(self, node: str) -> None:
        for key in [key for key in self._counts if key[1] == node]:
            del self._counts[key], self._sums[key]


class Metrics:
    """Counts events, and renders counts and what was last looked at."""

    def __init__(self) -> None:
        self._counters: dict[str, dict[Key, int]] = {kind: {} for kind in _COUNTED}
        self._runtime = _Histogram(_RUNTIME_BUCKETS)
        self._wait = _Histogram(_WAIT_BUCKETS)
        # A series begins at 0: how many scrapes there had been when it was first rendered.
        self._begun: dict[tuple[str, Key], int] = {}
        self._scrapes = 0
        self._dropped = 0
        self._workers: dict[str, WorkerRecord] = {}
        self._lock = threading.Lock()
        self._page = b""
        self._rendered_at = float("-inf")
        self.looked_us = 0

    def note(self, kind: str, task: TaskRecord) -> None:
        """Count an event of a task."""
        counter = self._counters.get(kind)
        if counter is None:
            return
        base = (task.name, task.worker, task.queue)
        if kind == "task-received":
            for each in _AT_ZERO:
                if self._has_room(each):
                    self._counters[each].setdefault(base, 0)
        key: Key = base
        if kind == "task-failed":
            key = (*base, task.exception.rpartition(".")[2] or task.exception)
        elif kind == "task-lost":
            key = (*base, task.stage)
        if key not in counter and not self._has_room(kind):
            key = (OTHERS,) * len(key)
        counter[key] = counter.get(key, 0) + 1
        if kind == "task-succeeded" and task.runtime_us is not None:
            self._runtime.observe(base, task.runtime_us / 1e6)
        if kind == "task-started" and (wait_us := task.wait_us) is not None:
            self._wait.observe(base, wait_us / 1e6)

    def _has_room(self, kind: str) -> bool:
        return len(self._counters[kind]) < SERIES_MAX

    def update(
        self,
        workers: Mapping[str, WorkerRecord],
        queues: Iterable[QueueSample],
        schedule: Iterable[Overdue],
        gauges: Mapping[str, float],
        counts: Mapping[str, int],
        now_us: int,
    ) -> None:
        """Render the page anew, once a second; `gauges` and `counts` are of the watch itself."""
        if time.monotonic() - self._rendered_at < _RENDERED_S:
            return
        self._rendered_at = time.monotonic()
        shown = self._find_shown(workers, now_us)
        parts = [*self._render_workers(shown.values()), *self._render_queues(queues, shown)]
        parts += [self._render_counter(kind) for kind in _COUNTED]
        parts += [
            self._runtime.render(
                "celery_task_runtime", "How long tasks ran, in seconds.", self._is_new
            ),
            *(
                self._wait.render(name, "How long tasks waited in their queue.", self._is_new)
                for name in ("celery_task_queue_wait_time", "celery_task_queue_time_seconds")
            ),
            *self._render_schedule(schedule),
            _gauge(
                "celery_watch_last_look_timestamp_seconds",
                "When the watch last looked.",
                [({}, self.looked_us / 1e6)],
            ),
            _counter(
                "celery_workers_dropped",
                "Workers that went and are listed no more.",
                [({}, self._dropped)],
            ),
        ]
        parts += [
            _gauge(f"celery_watch_{name}", "Of the watch itself.", [({}, value)])
            for name, value in gauges.items()
        ]
        parts += [
            _counter(f"celery_watch_{name}", "Of the watch itself.", [({}, value)])
            for name, value in counts.items()
        ]
        page = ("\n".join(parts) + "\n").encode()
        with self._lock:
            self._page = page

    def page(self) -> bytes:
        """Return what was last rendered, to one who scrapes."""
        with self._lock:
            self._scrapes += 1
            return self._page

    def _is_new(self, name: str, key: Key) -> bool:
        """Whether nobody has scraped a series yet: `rate()` needs a 0 before the first event."""
        return self._begun.setdefault((name, key), self._scrapes) == self._scrapes

    def _find_shown(
        self, workers: Mapping[str, WorkerRecord], now_us: int
    ) -> dict[str, WorkerRecord]:
        shown = {
            node: worker
            for node, worker in workers.items()
            if worker.gone_us is None or now_us - worker.gone_us < GONE_US
        }
        for node in self._workers.keys() - shown.keys():
            self._dropped += 1
            self._drop(node)
        self._workers = shown
        return shown

    def _drop(self, node: str) -> None:
        for counter in self._counters.values():
            for key in [key for key in counter if key[1] == node]:
                del counter[key]
        for series in [series for series in self._begun if series[1][1] == node]:
            del self._begun[series]
        self._runtime.drop(node)
        self._wait.drop(node)

    def _render_workers(self, workers: Iterable[WorkerRecord]) -> list[str]:
        known = list(workers)
        up = [(_node(w), 0.0 if w.gone_us else 1.0) for w in known]
        return [
            _gauge("celery_worker_up", "1 if a worker is there, 0 if it is gone.", up),
            _gauge("celery_workers", "Workers that are there.", [({}, sum(v for _, v in up))]),
            _gauge(
                "celery_worker_tasks_active",
                "Tasks that a worker runs.",
                [(_node(w), float(w.active)) for w in known if not w.gone_us],
            ),
            _gauge(
                "celery_worker_slots",
                "Tasks that a worker can run at once, whatever its pool.",
                [(_node(w), float(w.slots)) for w in known if w.slots and not w.gone_us],
            ),
        ]

    def _render_queues(
        self, queues: Iterable[QueueSample], workers: Mapping[str, WorkerRecord]
    ) -> list[str]:
        depths: list[Sample] = []
        unacked: list[Sample] = []
        consumers: list[Sample] = []
        counts: list[Sample] = []
        slots: list[Sample] = []
        for sample in list(queues)[:SERIES_MAX]:
            # Both names of the label: the exporter's and the guide's.
            labels = {"queue_name": sample.name, "queue": sample.name}
            own = [w for w in workers.values() if sample.name in w.queues and not w.gone_us]
            if sample.depth is not None:
                depths.append((labels, sample.depth))
            if sample.unacked is not None:
                unacked.append((labels, sample.unacked))
            if sample.consumers is not None:
                consumers.append((labels, sample.consumers))
            counts.append((labels, len(own)))
            slots.append((labels, sum(w.slots or 0 for w in own)))
        return [
            _gauge("celery_queue_length", "Messages that wait in a queue.", depths),
            _gauge("celery_queue_unacked", "Messages that are fetched, not acknowledged.", unacked),
            _gauge("celery_active_consumer_count", "Consumers of a queue.", consumers),
            _gauge("celery_active_worker_count", "Workers that consume a queue.", counts),
            _gauge("celery_active_process_count", "Slots of the workers of a queue.", slots),
        ]

    def _render_counter(self, kind: str) -> str:
        name, help_text = _COUNTED[kind]
        more = _MORE_LABELS.get(kind, "")
        samples: list[Sample] = [
            (_labels(key, more), 0 if self._is_new(name, key) else count)
            for key, count in self._counters[kind].items()
        ]
        # The guide's rule adds the rates of both as they are, without `sum`: only series with the
        # same labels are added, so each has its counterpart, which stays 0.
        if kind == "task-succeeded":
            samples += [(_labels(key, "exception"), 0) for key in self._counters["task-failed"]]
        elif kind == "task-failed":
            bases = self._counters["task-succeeded"]
            samples += [(_labels((*key, ""), "exception"), 0) for key in bases]
        return _counter(f"celery_{name}", help_text, samples)

    def _render_schedule(self, schedule: Iterable[Overdue]) -> list[str]:
        known = list(schedule)[:SERIES_MAX]
        late = [({"entry": e.name, "task": e.task}, e.overdue_us / 1e6) for e in known]
        due = [
            ({"entry": e.name, "task": e.task}, e.next_due_us / 1e6)
            for e in known
            if e.next_due_us is not None
        ]
        return [
            _gauge("celery_schedule_overdue_seconds", "For how long an entry is overdue.", late),
            _gauge("celery_schedule_next_due_timestamp_seconds", "When it is next due.", due),
        ]


def _labels(key: Key, more: str = "") -> dict[str, str]:
    labels = {"name": key[0], "hostname": key[1], "queue_name": key[2]}
    return {**labels, more: key[3]} if more else labels


def _node(worker: WorkerRecord) -> dict[str, str]:
    return {"hostname": worker.node}


def _gauge(name: str, help_text: str, samples: Iterable[Sample]) -> str:
    return format_family(name, "gauge", help_text, samples, prefix="")


def _counter(name: str, help_text: str, samples: Iterable[Sample]) -> str:
    return format_family(f"{name}_total", "counter", help_text, samples, prefix="")


class MetricsServer:
    """Serves a page at /metrics, and at /healthz whether it is fresh; a context manager."""

    def __init__(
        self, host: str, port: int, page: Callable[[], bytes], is_well: Callable[[], bool]
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                status, body = 404, b"see /metrics\n"
                if path == "/metrics":
                    status, body = 200, page()
                elif path == "/healthz":
                    status, body = (200, b"ok\n") if is_well() else (503, b"nothing is seen\n")
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: a scrape is no news."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            address_family = _family(host)

        self._server = Server((host, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> "MetricsServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _family(host: str) -> int:
    import socket

    return socket.AF_INET6 if ":" in host else socket.AF_INET
