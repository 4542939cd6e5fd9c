"""Where a task or a firing breaks: the ledger and a monitor name the stage, whatever broke."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from radar_cli.model.ledger import TaskRecord
from tests.celery.test_watch import send_watched
from tests.celery.watched import Told
from tests.celery.watching import Watching
from tests.support.celery_app import Worker, start
from tests.support.depth import depth
from tests.support.ports import free_port
from tests.support.redis import Redis

pytestmark = pytest.mark.slow


# What waits for something that doesn't come takes as long as the watch is patient.
_WAITS = pytest.mark.skipif(depth(1, 0) == 1, reason="waits for what doesn't come: nightly")


def reason(watch: Watching, monitor: str = "celery-watch") -> str:
    """Return why the last run of a monitor failed, "" if it didn't."""
    runs = watch.store.history.runs(monitor, 1)
    return runs[-1].reason if runs and runs[-1].outcome == "fail" else ""


def stages(watch: Watching, **search: Any) -> set[tuple[str, str]]:
    return {(str(task.state), task.stage) for task in watch.tasks(**search)}


def test_sent_to_a_queue_that_nobody_consumes(broker_url: str, tmp_path: Path) -> None:
    Worker(broker_url, tmp_path, "-E").wait()
    watch = Watching(broker_url, tmp_path).wait()
    send_watched(broker_url, "shop.quick", queue="reports")
    watch.until(lambda: stages(watch) == {("sent", "not received")})
    watch.until(lambda: "shop.quick in queue reports: not received" in reason(watch))


@pytest.mark.nightly
@_WAITS
def test_a_worker_that_is_killed_while_it_works(redis_url: str, tmp_path: Path) -> None:
    worker = Worker(redis_url, tmp_path, "-E").wait()
    watch = Watching(redis_url, tmp_path).wait()
    send_watched(redis_url, "shop.nap", 600)
    watch.until(lambda: stages(watch) == {("started", "")})
    os.kill(worker.pid, signal.SIGKILL)
    watch.until(lambda: stages(watch) == {("lost", "worker gone")}, 90)
    watch.until(lambda: "worker gone" in reason(watch))
    [gone] = watch.ledger.workers()
    assert gone.gone_us is not None
    assert not gone.said_goodbye


@pytest.mark.nightly
@_WAITS
def test_a_task_that_a_flush_of_the_broker_lost(redis_url: str, tmp_path: Path) -> None:
    import redis

    watch = Watching(redis_url, tmp_path).wait()
    send_watched(redis_url, "shop.quick")
    watch.until(lambda: stages(watch) == {("sent", "not received")})  # nobody is there
    redis.Redis.from_url(redis_url).delete("celery")
    watch.until(lambda: stages(watch) == {("lost", "not received")})


@pytest.mark.nightly
@_WAITS
def test_beat_that_is_dead(redis_url: str, tmp_path: Path) -> None:
    Worker(redis_url, tmp_path, "-E", queues="celery,reports").wait()
    schedule = tmp_path / "schedule"
    beat = start(redis_url, tmp_path / "beat.log", "beat", "-s", str(schedule))
    watch = Watching(redis_url, tmp_path, "--beat", str(schedule)).wait()
    firings = watch.until(
        lambda: [f for f in watch.ledger.firings(0, entry="report") if f.state == "success"]
    )
    assert firings[0].task == "shop.quick"
    watch.until(lambda: watch.store.history.runs("report", 5))
    assert watch.store.history.runs("report", 5)[0].outcome in ("success", "")
    beat.kill()
    watch.until(lambda: watch.ledger.firings(0, entry="report")[0].stage == "not attempted", 90)
    watch.until(lambda: "Beat did not try to send it" in reason(watch, "report"))


@pytest.mark.nightly
@_WAITS
def test_it_goes_on_after_the_broker_and_after_its_own_death(tmp_path: Path) -> None:
    with Redis() as server:
        url = server.url(0)
        worker = Worker(url, tmp_path, "-E").wait()
        watch = Watching(url, tmp_path).wait()
        send_watched(url, "shop.quick", count=3)
        watch.until(lambda: watch.counts() == {"success": 3})
        server.stop()
        watch.until(lambda: "the watch sees nothing" in reason(watch))
        server.start()
        watch.wait(2)
        worker.process.kill()
        Worker(url, tmp_path, "-E", name="v").wait()
        send_watched(url, "shop.quick", count=2)
        watch.until(lambda: watch.counts() == {"success": 5})
        assert watch.ledger.blindness(0)[0].why
        [nap] = send_watched(url, "shop.nap", 4)
        watch.until(lambda: watch.counts().get("started") == 1)
        watch.process.kill()
        watch.process.wait()
        watch.start()
        watch.wait(3)
        send_watched(url, "shop.quick")
        watch.until(lambda: watch.counts() == {"success": 7})
        found = watch.ledger.find_task(nap)
        assert found is not None
        assert found.started_us is not None


@pytest.mark.nightly
@_WAITS
def test_beat_that_is_alive_and_silent(redis_url: str, tmp_path: Path) -> None:
    Worker(redis_url, tmp_path, "-E", queues="celery,reports").wait()
    schedule = tmp_path / "schedule"
    beat = start(redis_url, tmp_path / "beat.log", "beat", "-s", str(schedule))
    watch = Watching(redis_url, tmp_path, "--beat", str(schedule)).wait()
    watch.until(lambda: watch.store.history.runs("report", 5))
    beat.send_signal(signal.SIGSTOP)
    watch.until(lambda: "Beat did not try to send it" in reason(watch, "report"), 90)
    beat.send_signal(signal.SIGCONT)
    watch.until(lambda: not reason(watch, "report"))


@pytest.mark.nightly
@_WAITS
def test_acks_late_tasks_of_a_killed_worker_are_followed_to_the_next(
    broker_url: str, tmp_path: Path
) -> None:
    late = {"SHOP_LATE": "1", "SHOP_VISIBILITY": "40", "pool": "prefork"}
    worker = Worker(
        broker_url, tmp_path, "-E", "--prefetch-multiplier", "2", slots=1, **late
    ).wait()
    watch = Watching(broker_url, tmp_path).wait()
    running, waiting = send_watched(broker_url, "shop.nap", 12, count=2)

    def state(task_id: str) -> tuple[str, str]:
        task = watch.ledger.find_task(task_id)
        return ("", "") if task is None else (str(task.state), task.stage)

    watch.until(lambda: state(running) == ("started", "") and state(waiting) == ("received", ""))
    os.kill(worker.pid, signal.SIGKILL)
    watch.until(lambda: state(running) == ("lost", "worker gone"), 90)
    watch.until(lambda: state(waiting)[1] in ("held by nobody", "not received"))
    watch.until(lambda: "is gone without a goodbye" in reason(watch))
    Worker(broker_url, tmp_path, "-E", name="v", slots=2, **late).wait()
    watch.until(lambda: {state(running), state(waiting)} == {("success", "")}, 120)
    assert watch.counts() == {"success": 2}
    assert {task.worker for task in watch.tasks()} == {"v@test"}


def test_a_result_backend_that_is_down_is_the_cause(redis_url: str, tmp_path: Path) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"
    Worker(redis_url, tmp_path, "-E", slots=1, pool="prefork", SHOP_RESULTS=away).wait()
    watch = Watching(redis_url, tmp_path).wait()
    send_watched(redis_url, "shop.quick")
    watch.until(lambda: stages(watch) == {("lost", "no end")})
    cause = f"the result backend {away.removesuffix('/0')} can't be reached: Connection refused"
    watch.until(lambda: cause in reason(watch))
    watch.until(lambda: watch.tasks()[0].message == cause)


def test_each_end_that_no_success_is_has_its_cause(redis_url: str, tmp_path: Path) -> None:
    Worker(
        *(redis_url, tmp_path, "-E"), pool="prefork", app="watched", WATCHED_MONITORS="{}"
    ).wait()
    watch = Watching(redis_url, tmp_path).wait()
    ids = {
        name: send_watched(redis_url, f"watched.{name}")[0]
        for name in ("hard", "soft", "killed", "nobody_knows_it")
    }

    def found(name: str) -> TaskRecord | None:
        task = watch.ledger.find_task(ids[name])
        return task if task is not None and task.is_ended else None

    watch.until(lambda: all(map(found, ids)))
    ended = {name: task for name in ids if (task := found(name)) is not None}
    assert {str(task.state) for task in ended.values()} == {"failure"}
    assert ended["hard"].exception.endswith("TimeLimitExceeded")
    assert ended["soft"].exception.endswith("SoftTimeLimitExceeded")
    assert ended["killed"].exception.endswith("WorkerLostError")
    assert "signal 9" in ended["killed"].message
    assert ended["nobody_knows_it"].stage == "unknown task"
    watch.until(lambda: "watched.nobody_knows_it in queue celery: unknown task" in reason(watch))


@pytest.mark.nightly
@_WAITS
def test_events_that_are_off_are_said_and_turned_on(redis_url: str, tmp_path: Path) -> None:
    Worker(redis_url, tmp_path).wait()
    watch = Watching(redis_url, tmp_path).wait()
    watch.until(watch.ledger.workers)
    send_watched(redis_url, "shop.quick")
    watch.until(lambda: "sends no events of its tasks" in watch.log)
    # Nobody saw how it ended, and so nobody says that it is lost.
    watch.until(lambda: watch.counts() == {"unseen": 1})
    assert watch.ledger.missed_events() > 0
    watch.stop()
    (tmp_path / "on").mkdir()
    watch = Watching(redis_url, tmp_path / "on", "--enable-events").wait()

    def is_seen() -> bool:
        send_watched(redis_url, "shop.quick")
        return "success" in watch.counts()

    watch.until(is_seen)


def test_one_notice_names_the_stage(redis_url: str, told: Told, tmp_path: Path) -> None:
    Worker(redis_url, tmp_path, "-E").wait()
    schedule = tmp_path / "schedule"
    # Its entry goes to a queue that nobody consumes.
    start(redis_url, tmp_path / "beat.log", "beat", "-s", str(schedule), SHOP_SENT="1")
    env = {"RADAR_SERVER": told.server.url, "RADAR_API_KEY": told.server.key}
    Watching(redis_url, tmp_path, "--beat", str(schedule), **env).wait()
    told.wait_for("celery-watch", "report")
    [whole] = told.notices("celery-watch")
    assert "shop.quick in queue reports: not received" in str(whole), whole
