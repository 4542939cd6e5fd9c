"""Faults whose cause no event tells: the ledger and one notice name it all the same."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.celery.test_watch import send_watched
from tests.celery.test_watch_stages import reason, stages
from tests.celery.watched import Told, Watched, key_of
from tests.celery.watching import Watching
from tests.support.celery_app import APP_FOLDER, Worker, start
from tests.support.radar import run_radar
from tests.support.redis import Redis
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

_VISIBLE_S = 15  # the visibility timeout: longer than any task here runs
_DEAD_S = 120


@pytest.mark.timeout(240)
@pytest.mark.nightly(daily="tests/celery/test_watch_concluding.py")
def test_a_worker_that_is_killed_with_unacknowledged_tasks(broker_url: str, tmp_path: Path) -> None:
    place, words = (broker_url, tmp_path), ("-E", "--prefetch-multiplier", "2")
    worker = Worker(*place, *words, SHOP_LATE="1", SHOP_VISIBILITY=f"{_VISIBLE_S}").wait()
    watch = Watching(broker_url, tmp_path).wait()
    send_watched(broker_url, "shop.nap", 12, count=4)  # 2 begin, 2 are fetched beside them
    watch.until(lambda: watch.counts() == {"started": 2, "received": 2})
    watch.until(lambda: any(w.active == 2 for w in watch.ledger.workers()))
    os.kill(worker.pid, signal.SIGKILL)
    killed_at = time.time()
    if broker_url.startswith("redis"):
        kept = {("started", "worker gone"), ("received", "held by nobody")}
        watch.until(lambda: stages(watch) == kept)
        watch.until(lambda: "worker gone: its worker is gone" in reason(watch))
        assert "was not acknowledged, and is delivered again" in reason(watch)
    else:
        watch.until(lambda: stages(watch) == {("sent", "not received")})
        watch.until(lambda: "not received: it was sent" in reason(watch))
    watch.until(lambda: f"worker {worker.node} is gone without a goodbye" in reason(watch))
    wait_until(lambda: time.time() > killed_at + _VISIBLE_S, 30)  # for kombu looks at its start
    Worker(*place, "-E", name="v", slots=4, SHOP_LATE="1", SHOP_VISIBILITY=f"{_VISIBLE_S}").wait()
    watch.until(lambda: watch.counts() == {"success": 4})
    assert {task.worker for task in watch.tasks()} == {"v@test"}
    assert watch.ledger.missed_events() == 0, watch.log


@pytest.mark.nightly(daily="tests/celery/test_watch_firings.py")
@pytest.mark.parametrize("is_stuck", [False, True])
def test_beat_that_lives_and_is_silent(
    redis_url: str, told: Told, tmp_path: Path, is_stuck: bool
) -> None:
    block, often = tmp_path / "block", "well every 20"
    app = Watched(redis_url, told.server, tmp_path)
    app.worker("-E", monitors={})
    app.have_slept(often)
    beat = app.beat(
        often,
        scheduler="stuck:StuckScheduler",
        SHOP_BLOCK=str(block),
        PYTHONPATH=str(APP_FOLDER),
        WATCHED_SETUP="",
    )
    env = {"RADAR_SERVER": told.server.url, "RADAR_API_KEY": told.server.key}
    watch = Watching(redis_url, tmp_path, "--beat", str(tmp_path / "schedule"), **env).wait()
    watch.until(lambda: [f for f in watch.ledger.firings(0, entry=often) if f.ended_us])
    if is_stuck:
        block.touch()
    else:
        beat.send_signal(signal.SIGSTOP)
    watch.until(lambda: watch.ledger.firings(0, entry=often)[0].stage == "Beat hangs")
    told.wait_for("celery-watch", key_of(often))
    how = "lives" if is_stuck else "is stopped by a signal"
    [whole] = told.notices("celery-watch", "down")
    assert f"Beat (process {beat.pid}) {how}, and sends nothing that is due" in str(whole), whole
    [entry] = told.notices(key_of(often), "down")
    assert "Beat hangs: Beat did not try to send it, though its process is there" in str(entry), (
        entry
    )
    block.unlink(missing_ok=True)
    beat.send_signal(signal.SIGCONT)
    told.wait_for(key_of(often), "celery-watch", kind="up", within_s=90)


@pytest.mark.nightly(daily="tests/celery/test_watch_concluding.py")
def test_a_result_backend_that_is_down(redis_url: str, told: Told, tmp_path: Path) -> None:
    with Redis() as results:
        conf = {"result_backend": results.url(0), "task_ignore_result": False}
        Worker(
            *(redis_url, tmp_path, "-E"),
            pool="prefork",
            app="watched",
            WATCHED_MONITORS="{}",
            WATCHED_CONF=json.dumps(conf),
        ).wait()
        env = {"RADAR_SERVER": told.server.url, "RADAR_API_KEY": told.server.key}
        watch = Watching(redis_url, tmp_path, **env).wait()
        send_watched(redis_url, "watched.well")
        send_watched(redis_url, "watched.ignores")
        # No event tells of what is ignored, and yet nothing is lost.
        watch.until(lambda: watch.counts() == {"success": 1, "unseen": 1})
        assert told.notices("celery-watch", "down") == []
        results.stop()
        [task] = send_watched(redis_url, "watched.well")
        watch.until(lambda: stages(watch, states=("lost",)) == {("lost", "result not stored")})
        found = watch.ledger.find_task(task)
        assert found is not None
        assert found.message == f"redis://127.0.0.1:{results.port}: Connection refused"
        told.wait_for("celery-watch")
        [whole] = told.notices("celery-watch")
        assert "no result can be stored, and so no end is told: redis://127.0.0.1" in str(whole)
        assert b"result not stored" in run_radar("celery", "failures", env=watch.env).stdout


@pytest.mark.timeout(300)
@pytest.mark.nightly(daily="tests/celery/test_watch_concluding.py")
def test_a_watch_that_was_dead_for_two_minutes(redis_url: str, tmp_path: Path) -> None:
    schedule = tmp_path / "schedule"
    worker = Worker(redis_url, tmp_path, "-E", queues="slow").wait()
    Worker(redis_url, tmp_path, "-E", name="v", queues="celery,reports").wait()
    start(redis_url, tmp_path / "beat.log", "beat", "-s", str(schedule), SHOP_SENT="1")
    watch = Watching(redis_url, tmp_path, "--beat", str(schedule)).wait()
    [lost] = send_watched(redis_url, "shop.nap", 600, queue="slow")
    [long] = send_watched(redis_url, "shop.nap", 150)

    def state(task_id: str) -> str:
        task = watch.ledger.find_task(task_id)
        return str(task.state) if task is not None else ""

    watch.until(lambda: state(lost) == state(long) == "started")
    watch.until(lambda: any(f.state == "success" for f in watch.ledger.firings(0)))
    watch.process.kill()
    watch.process.wait()
    os.kill(worker.pid, signal.SIGKILL)
    dead_at = time.time()
    wait_until(lambda: time.time() > dead_at + _DEAD_S, 2 * _DEAD_S, every_s=1)
    watch.start()
    watch.wait(2)
    # It may have ended before its worker did, for all that the watch has seen.
    watch.until(lambda: state(lost) == "unseen")
    watch.until(lambda: f"worker {worker.node} is gone without a goodbye" in reason(watch))
    [blind] = watch.ledger.blindness(0)
    assert blind.why == "the watch was not running"
    assert blind.end_us - blind.begin_us > 0.9e6 * _DEAD_S
    assert "nothing was seen for 2 min" in watch.log
    runs = watch.store.history.runs("celery-watch", 100)
    assert any("nothing was seen for 2 min" in run.message for run in runs)
    watch.until(lambda: state(long) == "success", 90)
    judged = watch.until(lambda: watch.ledger.firings(blind.end_us + 10_000_000))
    assert {firing.stage for firing in judged} == {""}
