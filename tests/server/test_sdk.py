"""The official `cronradar` and `cronradar-celery` packages, as they are on PyPI, as clients."""

import json
import subprocess
import sys
from pathlib import Path

import cronradar
import pytest

from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
from radar_cli.server.runtime.keys import Keys
from radar_cli.store.declaring import STALE_TAG
from tests.support.radar import environment
from tests.support.radar_server import RadarServer

_NIGHTLY = "5 2 * * *"


@pytest.fixture(autouse=True)
def sdk(server: RadarServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK knows the server as `radar` users are told to make it: by its base URL."""
    monkeypatch.setattr(cronradar, "BASE_URL", server.url)
    monkeypatch.setenv("CRONRADAR_API_KEY", server.key)


def _pings(server: RadarServer, monitor: str) -> list[Ping]:
    with server.store() as store:
        return store.pings.newest(monitor, 100)


def _find(server: RadarServer, monitor: str) -> MonitorRecord:
    with server.store() as store:
        known = store.monitors.find(monitor)
    assert known is not None
    return known


def test_a_monitor_call_makes_what_is_unknown_and_pings_it(
    server: RadarServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """404, then a sync, then the ping again."""
    cronradar.monitor("nightly", schedule=_NIGHTLY)
    assert "synced successfully" in capsys.readouterr().err
    assert [ping.kind for ping in _pings(server, "nightly")] == ["success"]
    known = _find(server, "nightly")
    assert (known.monitor.name, known.monitor.grace_s) == ("Nightly", 60)
    assert known.is_watched
    # From then on it is known.
    cronradar.monitor("nightly", schedule=_NIGHTLY)
    cronradar.monitor("nightly")
    assert "Auto-registering" not in capsys.readouterr().err
    assert len(_pings(server, "nightly")) == 3


def test_a_monitor_call_without_a_schedule_makes_nothing(server: RadarServer) -> None:
    cronradar.monitor("unheard-of")
    with server.store() as store:
        assert store.monitors.find("unheard-of") is None


def test_a_wrong_key_stores_nothing(
    server: RadarServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRONRADAR_API_KEY", "ck_app_wrong_key")
    cronradar.monitor("nightly", schedule=_NIGHTLY)
    cronradar.sync_monitor("nightly", _NIGHTLY)
    cronradar.start_job("nightly", _NIGHTLY)
    assert "401" in capsys.readouterr().err
    with server.store() as store:
        assert store.monitors.keys() == []


def test_a_job_that_starts_and_completes(server: RadarServer) -> None:
    cronradar.start_job("etl", schedule="@daily")
    assert _find(server, "etl").view.is_running
    cronradar.complete_job("etl")
    known = _find(server, "etl")
    assert (known.view.status, known.view.is_running) == ("up", False)
    assert [ping.kind for ping in _pings(server, "etl")] == ["start", "success"]


def test_a_job_that_fails_says_why(server: RadarServer) -> None:
    cronradar.start_job("etl", schedule=_NIGHTLY)
    cronradar.fail_job("etl", "no space left: 100% of /dev/sda1 & more")
    ping = _pings(server, "etl")[-1]
    assert (ping.kind, ping.fields["message"]) == (
        "fail",
        "no space left: 100% of /dev/sda1 & more",
    )
    assert _find(server, "etl").view.status == "down"
    cronradar.fail_job("etl")
    assert len(_pings(server, "etl")) == 3


def test_a_with_block_is_a_run(server: RadarServer) -> None:
    with cronradar.job("report", schedule=_NIGHTLY):
        assert _find(server, "report").view.is_running
    assert _find(server, "report").view.status == "up"
    with (
        pytest.raises(ZeroDivisionError),
        cronradar.job("report", schedule=_NIGHTLY),
    ):
        _ = 1 / 0
    kinds = [ping.kind for ping in _pings(server, "report")]
    assert kinds == ["start", "success", "start", "fail"]
    assert _pings(server, "report")[-1].fields["message"] == "division by zero"


def test_a_synced_monitor_is_expected_before_it_ever_ran(server: RadarServer) -> None:
    cronradar.sync_monitor("billing_run", _NIGHTLY, source="airflow", name="Billing")
    known = _find(server, "billing_run")
    assert known.monitor.name == "Billing"
    assert known.is_watched
    assert _pings(server, "billing_run") == []


def test_synced_monitors_are_all_of_their_source(server: RadarServer) -> None:
    first = [{"key": f"job-{n}", "schedule": "*/5 * * * *", "grace_period": 30} for n in range(3)]
    cronradar.sync_monitors(first, source="scheduler", version="2.0")
    cronradar.sync_monitor("other", _NIGHTLY, source="elsewhere")
    assert all(_find(server, f"job-{n}").monitor.grace_s == 30 for n in range(3))
    cronradar.sync_monitors(first[1:], source="scheduler")
    gone = _find(server, "job-0")
    assert STALE_TAG in gone.monitor.tags
    assert not gone.is_watched
    for key in ("job-1", "job-2", "other"):
        assert _find(server, key).is_watched
        assert STALE_TAG not in _find(server, key).monitor.tags
    # What comes back is watched again.
    cronradar.sync_monitors(first, source="scheduler")
    assert _find(server, "job-0").is_watched
    assert STALE_TAG not in _find(server, "job-0").monitor.tags


_APP = """
import cronradar, sys
cronradar.BASE_URL = {url!r}
from celery import Celery
from celery.schedules import crontab
from datetime import timedelta
from celery.utils.dispatch import Signal
from cronradar_celery import setup_cronradar, skip_monitor

# The package (0.1.0) keeps no reference to its handlers, and Celery only weak ones: it never
# reports a task. With strong ones, this is what it would report.
connect = Signal.connect
Signal.connect = lambda self, *args, **more: connect(self, *args, **{{"weak": False, **more}})

app = Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.task_always_eager = True
app.conf.task_store_eager_result = True

@app.task(name="shop.daily_report")
def daily_report():
    return "done"

@app.task(name="shop.sync_stock")
def sync_stock():
    raise RuntimeError("warehouse closed")

@app.task(name="shop.poll")
def poll():
    pass

@app.task(name="shop.invoices")
def invoices():
    pass

@app.task(name="shop.cleanup")
@skip_monitor
def cleanup():
    pass

app.conf.beat_schedule = {{
    "report": {{"task": "shop.daily_report", "schedule": crontab(hour=3, minute=0)}},
    "stock": {{"task": "shop.sync_stock", "schedule": timedelta(minutes=5)}},
    "poll": {{"task": "shop.poll", "schedule": crontab()}},
    "invoices": {{"task": "shop.invoices", "schedule": crontab(minute=0, hour=4, day_of_week=1)}},
    "cleanup": {{"task": "shop.cleanup", "schedule": crontab()}},
}}
setup_cronradar(app)
daily_report.apply()
sync_stock.apply()
cleanup.apply()
if {drop!r}:
    del app.conf.beat_schedule["stock"]
    app.tasks["cronradar_celery.reconcile"].apply()
"""


def _run_app(
    server: RadarServer, tmp_path: Path, *, drop: bool, name: str = "shop", key: str = ""
) -> str:
    script = tmp_path / "app.py"
    script.write_text(_APP.format(url=server.url, drop=drop).replace("shop", name))
    done = subprocess.run(
        [sys.executable, script],
        env=environment(CRONRADAR_API_KEY=key or server.key),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_celery_app_declares_its_schedule_and_reports_its_tasks(
    server: RadarServer, tmp_path: Path
) -> None:
    said = _run_app(server, tmp_path, drop=False)
    assert "Reconciled 4 monitor(s)" in said
    report, stock = _find(server, "shop-daily-report"), _find(server, "shop-sync-stock")
    assert report.declared["schedule"] == "0 3 * * *"
    assert stock.declared["schedule"] == "*/5 * * * *"
    # Each field is written out by the package, which cron would read as other days.
    assert _find(server, "shop-poll").declared["schedule"] == "* * * * *"
    assert _find(server, "shop-invoices").declared["schedule"] == "0 4 * * 1"
    assert (report.view.status, stock.view.status) == ("up", "down")
    assert [ping.kind for ping in _pings(server, "shop-daily-report")] == ["start", "success"]
    assert _pings(server, "shop-sync-stock")[-1].fields["message"] == "warehouse closed"
    with server.store() as store:
        assert store.monitors.find("shop-cleanup") is None


def test_what_a_celery_app_dropped_goes_stale_by_its_heartbeat(
    server: RadarServer, tmp_path: Path
) -> None:
    _run_app(server, tmp_path, drop=True)
    stock = _find(server, "shop-sync-stock")
    assert not stock.is_watched
    assert STALE_TAG in stock.monitor.tags
    assert _find(server, "shop-daily-report").is_watched


def test_two_celery_apps_leave_each_others_monitors_alone(
    server: RadarServer, tmp_path: Path
) -> None:
    """Both call their source `celery`, and reconcile at their start and ever after."""
    keys = {}
    with server.store() as store:
        for name in ("shop", "billing"):
            keys[name] = Keys(store.database).create(1, scope="ping", name=name)
    _run_app(server, tmp_path, drop=False, key=keys["shop"])
    before = _find(server, "shop-sync-stock")
    assert before.view.status == "down"
    _run_app(server, tmp_path, drop=True, name="billing", key=keys["billing"])
    assert _find(server, "shop-sync-stock").version == before.version
    for name in ("shop-daily-report", "shop-poll", "billing-daily-report", "billing-poll"):
        assert _is_watched(server, name)
    assert not _is_watched(server, "billing-sync-stock")


def _sync(server: RadarServer, **content: object) -> dict[str, object]:
    answer = server.request("POST", "/api/sync", json=content)
    assert answer.status_code == 200, answer.text
    read: dict[str, object] = json.loads(answer.text)
    return read


def _declared(count: int, schedule: str = _NIGHTLY) -> list[dict[str, object]]:
    return [{"key": f"m{number}", "schedule": schedule} for number in range(count)]


def test_a_sync_counts_what_it_did(server: RadarServer) -> None:
    answer = _sync(server, source="ci", monitors=_declared(3))
    expected = {"status": "success", "synced": 3, "created": 3, "updated": 0}
    expected |= {"retired": [], "errors": []}
    assert answer == expected
    again = _sync(server, source="ci", monitors=_declared(3))
    assert again == {**expected, "created": 0}
    changed = [*_declared(2), {"key": "m2", "schedule": "@hourly", "name": "Third"}]
    assert _sync(server, source="ci", monitors=changed) == {**expected, "created": 0, "updated": 1}


def test_a_schedule_that_is_wrong_is_said_and_the_others_are_synced(server: RadarServer) -> None:
    answer = _sync(
        server,
        source="ci",
        monitors=[
            *_declared(1),
            {"key": "bad", "schedule": "61 * * * *"},
            {"key": "Bad Key", "schedule": _NIGHTLY},
            {"key": "zone", "schedule": _NIGHTLY, "tz": "No/Where"},
            {"key": "empty", "schedule": ""},
        ],
    )
    # What can't be read is there as a fault, but for a key that is none.
    assert (answer["synced"], answer["created"]) == (4, 4)
    assert [fault.field for fault in _find(server, "empty").active_faults] == ["schedule"]
    assert isinstance(answer["errors"], list)
    assert [error.partition(":")[0] for error in answer["errors"]] == [
        *("bad", "Bad Key", "zone", "empty")
    ]


def test_a_reconcile_doesnt_retire_what_it_could_not_read(server: RadarServer) -> None:
    _sync(server, source="ci", mode="reconcile", monitors=_declared(2))
    broken = [*_declared(1), {"key": "m1", "schedule": "nonsense"}]
    _sync(server, source="ci", mode="reconcile", monitors=broken)
    assert _find(server, "m1").is_watched


def test_a_sync_takes_at_most_100_monitors(server: RadarServer) -> None:
    assert _sync(server, source="ci", monitors=_declared(100))["created"] == 100
    answer = server.request(
        "POST", "/api/sync", json={"source": "ci", "mode": "reconcile", "monitors": _declared(101)}
    )
    assert answer.status_code == 422
    assert answer.json()["error"] == "INVALID_REQUEST"
    # None of it was carried out.
    assert len([key for key in range(101) if _is_watched(server, f"m{key}")]) == 100


def _is_watched(server: RadarServer, key: str) -> bool:
    with server.store() as store:
        known = store.monitors.find(key)
        return known is not None and known.is_watched


def test_a_sync_leaves_what_a_person_has_set(server: RadarServer) -> None:
    _sync(server, source="ci", monitors=_declared(2))
    with server.store() as store:
        store.monitors.update("m0", {"schedule": "0 12 * * *"}, 1_795_000_000_000_000)
    _sync(server, source="ci", monitors=_declared(2, "@weekly"))
    assert _find(server, "m0").declared["schedule"] == "0 12 * * *"
    assert _find(server, "m1").declared["schedule"] == "@weekly"
    # Nor is it retired: a person watches over it.
    _sync(server, source="ci", mode="reconcile", monitors=[])
    assert _find(server, "m0").is_watched
    assert not _find(server, "m1").is_watched


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"monitors": []}',
        b'{"source": "", "monitors": []}',
        b'{"source": "ci", "monitors": [{"key": "a"}]}',
        b'{"source": "ci", "mode": "merge", "monitors": []}',
        b"\xff\xfe",
    ],
)
def test_a_sync_that_makes_no_sense_is_422(server: RadarServer, body: bytes) -> None:
    answer = server.request(
        "POST", "/api/sync", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"] == "INVALID_REQUEST"
