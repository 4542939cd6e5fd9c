"""What workers tell of their tasks' runs: each once, with its cause, whatever the end."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.celery.watched import MONITORS, Watched
from tests.support.depth import depth
from tests.support.radar_server import RadarServer, serving
from tests.support.waiting import wait_until


@pytest.fixture
def radar_server(tmp_path: Path) -> Iterator[RadarServer]:
    with serving(tmp_path / "server") as running:
        yield running


@pytest.fixture
def watched(tmp_path: Path, redis_url: str, radar_server: RadarServer) -> Iterator[Watched]:
    made = Watched(redis_url, radar_server, tmp_path)
    yield made
    made.app.close()


@pytest.mark.celery_versions
def test_each_end_is_told_once_with_its_cause(watched: Watched) -> None:
    worker = watched.worker(DB_PASSWORD="hunter2-of-mine")
    watched.send("well", headers={"radar_sent": time.time() - 60})
    watched.send("fails", 7, kwargs={"password": "hunter2-of-mine", "api_token": "abcdefgh"})
    watched.send("retries", True)
    watched.send("leaves")
    watched.send("killed")
    watched.send("soft")
    watched.send("hard")
    watched.send("ignores")
    watched.send("rejects")
    watched.send("expires", expires=datetime.now(UTC) + timedelta(seconds=0.5))
    watched.send("skipped")
    watched.send("skipped_below")
    told = ("well", "fails", "retries", "leaves", "killed", "soft", "hard", "ignores", "rejects")
    watched.wait_for(*told, "expires")
    watched.send("well")
    watched.wait_for("well", count=2)

    assert [kind for kind, _ in watched.ends("well")] == ["success", "success"]
    first = watched.pings("well")[1]
    assert first["run_id"] == watched.pings("well")[0]["run_id"]
    assert "after 1 min" in first["fields"]["message"]
    assert watched.ends("ignores")[0][0] == "success"
    causes = {
        "fails": "json.decoder.JSONDecodeError at watched.py:",
        "leaves": "SystemExit at watched.py:",
        "killed": "billiard.exceptions.WorkerLostError",
        "soft": "billiard.exceptions.SoftTimeLimitExceeded at watched.py:",
        "hard": "billiard.exceptions.TimeLimitExceeded",
        "rejects": "celery.exceptions.Reject",
        "expires": "expired at ",
    }
    ended = {monitor: watched.ends(monitor) for monitor in causes}
    assert {
        monitor: [(kind, reason[: len(causes[monitor])]) for kind, reason in found]
        for monitor, found in ended.items()
    } == {monitor: [("fail", cause)] for monitor, cause in causes.items()}
    assert "SIGKILL" in watched.ends("killed")[0][1]
    [(kind, _)] = watched.ends("retries")
    assert kind == "success"
    story = watched.pings("retries")
    assert [ping["kind"] for ping in story] == ["start", "log", "success"]
    assert "OSError at watched.py:" in story[1]["fields"]["message"]
    assert len({ping["run_id"] for ping in story}) == 1
    failed = watched.pings("fails")[1]
    assert failed["fields"]["message"].startswith("watched.fails(7, password=[redacted], api_token")
    assert "w@test" in failed["fields"]["message"]
    assert "json.loads(password)" in failed["output"]
    everything = json.dumps([watched.pings(name) for name in MONITORS.values()])
    assert "hunter2" not in everything
    assert "abcdefgh" not in everything
    assert not watched.pings("skipped")
    assert not watched.pings("skipped-below")
    assert "radar: a task's run can't be reported" not in worker.log


# What a pool of threads or none can't do: end a task by a signal.
_SOFTER = {
    "fails": "json.decoder.JSONDecodeError at watched.py:",
    "rejects": "celery.exceptions.Reject",
    "expires": "expired at ",
}


@pytest.mark.nightly
@pytest.mark.parametrize("pool", ["solo", "threads", "gevent"])
def test_other_pools_tell_each_end_once_too(watched: Watched, pool: str) -> None:
    if pool == "gevent":
        pytest.importorskip("gevent")
    worker = watched.worker(pool=pool)
    watched.send("expires", expires=datetime.now(UTC) + timedelta(seconds=0.2), countdown=1)
    for _ in range(2):
        watched.send("well")
    watched.send("fails", 7)
    watched.send("retries", False)
    watched.send("rejects")
    if pool == "threads":
        watched.send("leaves")
    watched.wait_for("fails", "retries", "rejects", "expires")
    watched.wait_for("well", count=2)
    assert [kind for kind, _ in watched.ends("well")] == ["success", "success"]
    causes = dict(_SOFTER)
    causes["retries"] = "OSError at watched.py:"
    if pool == "threads":
        watched.wait_for("leaves")
        causes["leaves"] = "SystemExit at watched.py:"
    for monitor, cause in causes.items():
        [(kind, reason)] = watched.ends(monitor)
        assert kind == "fail"
        assert cause in reason or (monitor == "fails" and reason.startswith("TypeError"))
    tries = [ping["fields"].get("tries") for ping in watched.pings("retries")]
    assert "3" in tries  # in whatever order they came
    assert "radar: a task's run can't be reported" not in worker.log


def test_a_retry_may_overtake_the_try_before_it(watched: Watched) -> None:
    watched.worker(pool="threads", monitors={"watched.overtaken": "overtaken"})
    watched.send("overtaken")
    watched.wait_for("overtaken")
    wait_until(lambda: len(watched.pings("overtaken")) == 3, 20, "the first try is told, too")
    pings = {ping["kind"]: ping["fields"] for ping in watched.pings("overtaken")}
    assert pings.keys() == {"start", "log", "success"}
    assert pings["success"]["tries"] == "2"
    assert pings["log"]["message"] == "retry 1"


# How each task ends, and what is told of it: (kind, how its reason starts).
_ENDS = {
    "well": ("success", ""),
    "ignores": ("success", ""),
    "fails": ("fail", "json.decoder.JSONDecodeError at watched.py:"),
    "retries": ("fail", "OSError at watched.py:"),
    "rejects": ("fail", "celery.exceptions.Reject"),
    "expires": ("fail", "expired at "),
    "skipped_name": ("fail", "no worker knows the task watched.skipped_name"),
}
_ENDS_OF_PREFORK = {
    "leaves": ("fail", "SystemExit at watched.py:"),
    "killed": ("fail", "billiard.exceptions.WorkerLostError"),
    "soft": ("fail", "billiard.exceptions.SoftTimeLimitExceeded at watched.py:"),
    "hard": ("fail", "billiard.exceptions.TimeLimitExceeded"),
}
_ENDS_OF_THREADS = {"leaves": _ENDS_OF_PREFORK["leaves"]}
# A result backend where nothing listens, given up at once.
_NO_RESULTS = {
    "result_backend": "redis://127.0.0.1:1/0",
    "result_backend_transport_options": {"retry_policy": {"max_retries": 0, "timeout": 1.0}},
}


def _tell_table(watched: Watched, pool: str) -> None:
    """Send a task for each end, and see that each is told once, by its cause."""
    table = dict(_ENDS)
    if pool == "prefork":
        table |= _ENDS_OF_PREFORK
    elif pool in ("threads", "gevent"):
        table |= _ENDS_OF_THREADS
    keys = {name: name.replace("_", "-") for name in table}
    monitors = {f"watched.{name}": key for name, key in keys.items()}
    worker = watched.worker(pool=pool, monitors=monitors)
    # RabbitMQ itself drops what expires in its queue, and tells nobody. It hands this one over
    # all the same, since the worker is idle.
    watched.send("expires", expires=-1)
    wait_until(lambda: watched.ends("expires"), 40, "the task that has expired is told")
    arguments: dict[str, tuple[Any, ...]] = {"fails": (7,), "retries": (False,)}
    for name in table:
        if name != "expires":
            watched.send(name, *arguments.get(name, ()))
    watched.wait_for(*keys.values())
    watched.send("well")  # and whatever might have been told twice
    watched.wait_for("well", count=2)
    told = {name: watched.ends(key) for name, key in keys.items()}
    told["well"] = told["well"][:1]
    wrong = {
        name: found
        for name, found in told.items()
        if [(kind, reason[: len(table[name][1])]) for kind, reason in found] != [table[name]]
    }
    assert not wrong
    assert "radar: a task's run can't be reported" not in worker.log
    worker.process.kill()
    worker.process.wait()
    # What Celery does then with a task that it doesn't know, it doesn't signal.
    worker = watched.worker(
        pool=pool, monitors={"watched.unstored": "unstored"}, WATCHED_CONF=json.dumps(_NO_RESULTS)
    )
    watched.send("unstored")
    watched.wait_for("unstored")
    assert [kind for kind, _ in watched.ends("unstored")] == ["fail"]


_CORNERS = {("redis", "prefork"), ("redis", "gevent"), ("rabbitmq", "threads")}


@pytest.mark.nightly
@pytest.mark.celery_versions
@pytest.mark.parametrize("pool", ["prefork", "solo", "threads", "gevent"])
@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
def test_each_end_is_told_once_on_each_broker_and_pool(
    broker: str,
    pool: str,
    request: pytest.FixtureRequest,
    radar_server: RadarServer,
    tmp_path: Path,
) -> None:
    if pool == "gevent":
        pytest.importorskip("gevent")
    if not depth(0, 1) and (broker, pool) not in _CORNERS:
        pytest.skip("the corners are tried daily, all of the table nightly")
    watched = Watched(request.getfixturevalue(f"{broker}_url"), radar_server, tmp_path)
    try:
        _tell_table(watched, pool)
    finally:
        watched.app.close()


def test_revoked_and_unknown_tasks_are_told(watched: Watched) -> None:
    monitors = {**MONITORS, "watched.gone": "gone"}
    worker = watched.worker(monitors=monitors, slots=1)
    # A name that no task has: one line, a fault, and the worker is up.
    assert worker.log.count("cronradar_monitors names watched.gone") == 1
    assert "ERROR" in worker.log
    wait_until(lambda: watched.pings("gone"), 20, "the fault is told")
    shown = watched.server.request("GET", "/api/v1/monitors/gone").json()
    [fault] = shown["faults"]
    assert fault["message"].startswith("task: no task is called 'watched.gone'")

    watched.send("gone")
    running = watched.send("naps", 60)
    waits = watched.send("well")
    wait_until(lambda: watched.pings("naps"), 20, "the nap has begun")
    watched.app.control.revoke(waits)
    watched.app.control.revoke(running, terminate=True)
    watched.wait_for("naps", "well", "gone")
    assert watched.ends("well") == [("fail", "revoked before it began")]
    assert watched.ends("naps") == [("fail", "terminated while it ran (SIGTERM)")]
    assert watched.ends("gone") == [
        ("fail", "no worker knows the task watched.gone: it was dropped"),
    ]


def test_monitors_are_named_by_tokens_and_urls_and_an_absent_server_costs_nothing(
    watched: Watched,
) -> None:
    server = watched.server
    for key in ("token", "url"):
        server.ping(f"{key}/log", create="1")
    token, other = (
        server.request("POST", f"/api/v1/monitors/{key}/token").json()["token"]
        for key in ("token", "url")
    )
    monitors = {
        "watched.well": token.upper(),
        "watched.fails": f"{server.url}/ping/{other}/start",
        "watched.ignores": f"{server.url}/ping/{server.key}/by-key",
        "watched.rejects": "No Key!",
    }
    worker = watched.worker(monitors=monitors, RADAR_API_KEY="")
    assert "watched.rejects has no monitor: bad monitor key 'No Key!'" in worker.log
    server.stop()
    for task in ("well", "ignores", "rejects"):
        watched.send(task)
    watched.send("fails", 7)
    wait_until(lambda: "watched.fails" in worker.log, 20, "the tasks have run")
    server.start()
    watched.wait_for("token", "url", "by-key")
    assert [kind for kind, _ in watched.ends("token")] == ["success"]
    assert watched.ends("url")[0][0] == "fail"


@pytest.mark.celery_versions
def test_beat_declares_its_entries_and_their_runs_are_told_apart(watched: Watched) -> None:
    worker = watched.worker(pool="solo", monitors={}, WATCHED_SETUP="1")
    often = ("First often", "second_often")
    first = watched.beat(*often, "nightly", "friday-13", "weekdays", "nobody")
    keys = ("first-often", "second_often")
    watched.wait_for(*keys, count=2)
    watched.wait_for("celery-beat")
    wait_until(lambda: watched.monitor("weekdays"), 20, "the entries are declared")
    nightly, friday = watched.monitor("nightly"), watched.monitor("friday-13")
    assert (nightly["schedule"], nightly["tz"]) == ("5 2 * * *", "UTC")
    assert watched.monitor("weekdays")["schedule"] == "0 8 * * 1,2,3,4,5"
    # Celery wants both, and cron takes either day.
    assert friday["schedule"] is None
    assert friday["every_s"] > 30 * 86_400
    assert [watched.monitor(key)["every_s"] for key in keys] == [1.0, 1.0]
    assert not watched.monitor("nobody")
    beat = watched.monitor("celery-beat")
    assert (beat["name"], beat["every_s"], beat["status"]) == ("Celery Beat", 120.0, "up")
    # Of no monitor is it said that a missed run would go unnoticed.
    assert [watched.monitor(key)["faults"] for key in ("celery-beat", *keys)] == [[], [], []]
    runs = [{ping["run_id"] for ping in watched.pings(key)} for key in keys]
    assert not runs[0] & runs[1]
    log = watched.beat_log()
    assert "'friday-13' is on days that match both" in log.read_text()

    # One that is sent by hand isn't the scheduled one.
    by_hand = watched.send("well")
    wait_until(lambda: by_hand in worker.log, 20, "the task by hand is done")
    first.terminate()
    first.wait(20)
    told = {str(ping["run_id"]) for key in keys for ping in watched.pings(key)}
    assert by_hand not in told

    second = watched.beat("First often", number=2)
    wait_until(lambda: watched.monitor("nightly")["schedule"] is None, 30, "nightly is retired")
    said = "nightly is no entry any more, and watched no more"
    wait_until(lambda: said in watched.beat_log(2).read_text(), 20, "that is said")
    assert watched.monitor("first-often")["every_s"] == 1.0
    second.terminate()
    second.wait(20)
    assert "can't be" not in log.read_text()
