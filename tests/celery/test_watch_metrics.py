"""The watch's metrics: from real workers, read by Prometheus's own parser and its promtool."""

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from radar_cli.celery.watch.firings import Overdue
from radar_cli.celery.watch.metrics import GONE_US, OTHERS, SERIES_MAX, Metrics, MetricsServer
from radar_cli.model.ledger import QueueSample, TaskRecord, TaskState, WorkerRecord
from tests.celery.test_watch import send_watched
from tests.celery.watching import Watching
from tests.support import processes
from tests.support.celery_app import Worker
from tests.support.ports import free_port
from tests.support.radar import environment, radar_path, run_radar
from tests.support.waiting import wait_until

_DOCS = Path(__file__).parents[2] / "docs"
_RULES = _DOCS / "prometheus/celery.rules.yml"
_DASHBOARD = _DOCS / "grafana/celery.json"
_SECOND = 1_000_000
_NOW = 1_795_000_000 * _SECOND
# As CronRadar's guide prints them.
_GUIDE = """
groups:
  - name: celery
    rules:
      - alert: CeleryTaskFailed
        expr: increase(celery_task_failed_total[5m]) > 0
      - alert: CeleryNoWorkers
        expr: celery_workers == 0
      - alert: CeleryQueueBacklog
        expr: celery_queue_length > 100
      - alert: CeleryLowSuccessRate
        expr: |
          (
            sum(rate(celery_task_succeeded_total[5m]))
            /
            sum(rate(celery_task_succeeded_total[5m]) + rate(celery_task_failed_total[5m]))
          ) < 0.95
"""

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(page: str) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def find(series: Series, metric: str, /, **labels: str) -> float | None:
    found = [
        value
        for (each, own), value in series.items()
        if each == metric and labels.items() <= dict(own).items()
    ]
    return found[0] if found else None


def task(**more: Any) -> TaskRecord:
    given = {"name": "shop.pay", "worker": "w@h", "queue": "q", **more}
    return TaskRecord("a", **given)


def render(metrics: Metrics, *workers: WorkerRecord, now_us: int = _NOW) -> Series:
    metrics._rendered_at = float("-inf")
    known = {worker.node: worker for worker in workers}
    queues = [QueueSample("q", _NOW, 3, 1, 2)]
    schedule = [Overdue("nightly", "shop.pay", 90 * _SECOND, _NOW)]
    metrics.update(known, queues, schedule, {"blind": 0.0}, {"missed_events": 7}, now_us)
    return read(metrics.page().decode())


_HERE = WorkerRecord("w@h", _NOW, _NOW, "threads", 8, 3, 9, ("q",))


def test_a_series_begins_at_0_for_whoever_scrapes() -> None:
    metrics = Metrics()
    failed = task(state=TaskState.FAILURE, exception="shop.errors.Broken")
    metrics.note("task-failed", failed)
    name, labels = "celery_task_failed_total", {"exception": "Broken", "hostname": "w@h"}
    assert find(render(metrics, _HERE), name, **labels) == 0
    metrics.note("task-failed", failed)
    assert find(render(metrics, _HERE), name, **labels) == 2


def test_what_is_looked_at_is_told() -> None:
    gone = WorkerRecord("v@h", _NOW, _NOW, "prefork", 4, 1, 1, ("q",), gone_us=_NOW)
    series = render(Metrics(), _HERE, gone)
    assert find(series, "celery_workers") == 1
    assert find(series, "celery_worker_up", hostname="v@h") == 0
    assert find(series, "celery_worker_slots", hostname="w@h") == 8
    assert find(series, "celery_worker_tasks_active", hostname="w@h") == 3
    for label in ("queue", "queue_name"):
        assert find(series, "celery_queue_length", **{label: "q"}) == 3
    assert find(series, "celery_active_worker_count", queue="q") == 1
    assert find(series, "celery_active_process_count", queue="q") == 8
    assert find(series, "celery_active_consumer_count", queue="q") == 2
    assert find(series, "celery_schedule_overdue_seconds", entry="nightly") == 90
    assert find(series, "celery_watch_missed_events_total") == 7


def test_the_guides_rule_on_success_finds_what_it_adds() -> None:
    metrics = Metrics()
    render(metrics, _HERE)
    metrics.note("task-received", task())
    metrics.note("task-succeeded", task(runtime_us=_SECOND))
    metrics.note("task-failed", task(exception="ValueError"))
    render(metrics, _HERE)
    series = render(metrics, _HERE)

    def of(name: str) -> dict[frozenset[tuple[str, str]], float]:
        # To Prometheus an empty label is none.
        return {
            frozenset(pair for pair in own if pair[1]): value
            for (each, own), value in series.items()
            if each == f"celery_task_{name}_total"
        }

    well, failed = of("succeeded"), of("failed")
    assert well.keys() == failed.keys()
    assert (sum(well.values()), sum(failed.values())) == (1, 1)
    assert find(series, "celery_task_runtime_bucket", le="1") == 1
    assert find(series, "celery_task_runtime_bucket", le="0.5") == 0
    assert find(series, "celery_task_runtime_sum") == 1


def test_waits_are_a_histogram_under_both_names() -> None:
    metrics = Metrics()
    metrics.note("task-started", task(sent_us=_NOW, started_us=_NOW + 2 * _SECOND))
    render(metrics, _HERE)
    series = render(metrics, _HERE)
    for name in ("celery_task_queue_wait_time", "celery_task_queue_time_seconds"):
        assert find(series, f"{name}_count") == 1
        assert find(series, f"{name}_bucket", le="1") == 0
        assert find(series, f"{name}_bucket", le="2.5") == 1


def test_series_are_bounded_and_dead_nodes_go() -> None:
    metrics = Metrics()
    for number in range(SERIES_MAX + 10):
        metrics.note("task-sent", task(name=f"task-{number}"))
    render(metrics, _HERE)
    series = render(metrics, _HERE)
    assert find(series, "celery_task_sent_total", name=OTHERS) == 10
    gone = WorkerRecord("w@h", _NOW, _NOW, gone_us=_NOW)
    assert find(render(metrics, gone, now_us=_NOW + GONE_US - 1), "celery_worker_up") == 0
    series = render(metrics, gone, now_us=_NOW + GONE_US)
    assert find(series, "celery_worker_up") is None
    assert find(series, "celery_task_sent_total", hostname="w@h") is None
    assert find(series, "celery_workers_dropped_total") == 1


def test_it_is_served_with_its_health() -> None:
    health = [True]

    def get(path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    with MetricsServer("127.0.0.1", 0, lambda: b"a 1\n", lambda: health[0]) as server:
        assert get("/metrics") == (200, b"a 1\n")
        assert get("/healthz")[0] == 200
        health[0] = False
        assert get("/healthz")[0] == 503
        assert get("/")[0] == 404


@pytest.mark.slow
def test_rules_and_dashboard_ask_for_what_a_live_scrape_tells(
    redis_url: str, tmp_path: Path
) -> None:
    Worker(redis_url, tmp_path, "-E", app="watched", WATCHED_MONITORS="{}").wait()
    port = free_port()
    Watching(redis_url, tmp_path, "--metrics", f"127.0.0.1:{port}", "--no-monitors").wait()

    def scrape() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            return str(response.read().decode())

    send_watched(redis_url, "watched.well", count=3)
    send_watched(redis_url, "watched.fails", 7)
    labels = {"name": "watched.well", "hostname": "w@test", "queue_name": "celery"}
    wait_until(
        lambda: find(read(scrape()), "celery_task_succeeded_total", **labels) == 3, 40, every_s=0.2
    )
    failed = {"name": "watched.fails", "exception": "JSONDecodeError"}
    wait_until(
        lambda: find(read(scrape()), "celery_task_failed_total", **failed) == 1, 40, every_s=0.2
    )
    wait_until(lambda: find(read(scrape()), "celery_queue_length", queue="celery") == 0, 40)
    page = scrape()
    told = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    rules = [*yaml.safe_load(_RULES.read_text())["groups"], *yaml.safe_load(_GUIDE)["groups"]]
    board = json.loads(_DASHBOARD.read_text())
    asked = [rule["expr"] for group in rules for rule in group["rules"]]
    asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    for expression in asked:
        names = re.findall(r"\bcelery_\w+", re.sub(r'"[^"]*"', "", expression))
        assert names or expression.startswith("up{"), expression
        for name in names:
            assert {name, name.removesuffix("_bucket")} & told, expression
    if promtool := shutil.which("promtool"):
        guide = tmp_path / "guide.yml"
        guide.write_text(_GUIDE)
        subprocess.run([promtool, "check", "rules", _RULES, guide], check=True, timeout=60)
        done = subprocess.run(
            [promtool, "check", "metrics"],
            input=page.encode(),
            capture_output=True,
            check=False,  # it ends with 3 for a name that it likes less
            timeout=60,
        )
        assert b"error" not in done.stderr, done.stderr


def test_the_panels_dont_overlap() -> None:
    places = [panel["gridPos"] for panel in json.loads(_DASHBOARD.read_text())["panels"]]
    taken = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24


@pytest.mark.slow
def test_the_exporter_serves_them_and_leaves_nothing(redis_url: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    port = free_port()
    exporter = processes.remember(
        subprocess.Popen(
            [radar_path(), "celery", "exporter", "-b", redis_url, "--metrics", f"[::1]:{port}"],
            env=environment(RADAR_STATE_DIR=str(state), TMPDIR=str(tmp_path)),
            stderr=subprocess.DEVNULL,
        )
    )

    def is_well() -> bool:
        try:
            with urllib.request.urlopen(f"http://[::1]:{port}/healthz") as response:
                return bool(response.status == 200)
        except OSError:
            return False

    wait_until(is_well, 40, every_s=0.1)
    with urllib.request.urlopen(f"http://[::1]:{port}/metrics") as response:
        assert find(read(response.read().decode()), "celery_workers") == 0
    exporter.terminate()
    assert exporter.wait(20) == 0
    assert not [*state.glob("*.db"), *tmp_path.glob("radar-exporter-*")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--metrics", "9808"], "--metrics: bad address '9808'"),
        (["--metrics", "192.0.2.1:1"], "--metrics: can't listen on 192.0.2.1:1"),
        (["--max-failure-rate", "120"], "--max-failure-rate: no percentage '120'"),
        (["--max-failure-rate", "=5"], "--max-failure-rate: no task before ="),
        (["--max-failure-rate", "x%"], "--max-failure-rate: no percentage 'x%'"),
        (["--monitor", "No Key"], "--monitor"),
        (["--interval", "0"], "--interval"),
    ],
)
def test_what_cannot_be_is_said_before_it_watches(words: list[str], told: str) -> None:
    done = run_radar("celery", "watch", "-b", "redis://127.0.0.1:1/0", *words, text=True)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
