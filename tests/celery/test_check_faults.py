"""Planted faults that once passed for "all well", or were blamed on the wrong thing."""

import os
import signal
from pathlib import Path

import pytest

from tests.celery.checking import Verdict
from tests.support.celery_app import APP_FOLDER, Worker, send, start
from tests.support.ports import free_port
from tests.support.radar import environment, run_radar
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def test_a_killed_worker_is_missed_with_its_queue_and_what_it_had_fetched(
    redis_url: str, tmp_path: Path
) -> None:
    stays = Worker(redis_url, tmp_path, name="stays").wait()
    killed = Worker(
        *(redis_url, tmp_path), name="killed", slots=1, queues="mail", SHOP_LATE="1"
    ).wait()
    wait_until(lambda: not Verdict(redis_url).wrong(), 30, "all is well")
    send(redis_url, "shop.nap", 600, count=2, queue="mail")
    wait_until(
        lambda: Verdict(redis_url)["workers", killed.node]["data"]["active"] == 1, 30, "it is busy"
    )
    killed.process.kill()
    killed.process.wait()
    verdict = Verdict(redis_url)
    assert verdict.code == 1
    assert set(verdict.wrong()) == {
        ("workers", killed.node),
        ("queues", "mail"),
        ("queues", "unacked"),
    }, verdict.said
    assert verdict["workers", killed.node]["message"].startswith("is gone; it was there at ")
    orphans = verdict["queues", "unacked"]
    assert "they come back from" in orphans["cause"]
    assert orphans["data"]["orphans"] >= 1
    assert ("workers", killed.node) in Verdict(redis_url).wrong()  # it is still missed
    forgotten = Verdict(redis_url, "--forget")
    assert ("workers", killed.node) not in forgotten.wrong(), forgotten.said
    assert forgotten["workers", stays.node]["state"] == "ok"


def test_a_worker_that_said_goodbye_is_not_missed(redis_url: str, tmp_path: Path) -> None:
    Worker(redis_url, tmp_path, name="stays").wait()
    leaves = Worker(redis_url, tmp_path, name="leaves").wait()
    wait_until(
        lambda: {f["subject"] for f in Verdict(redis_url).data["findings"]} >= {leaves.node},
        *(30, "both are seen"),
    )
    leaves.process.send_signal(signal.SIGTERM)
    leaves.process.wait(30)
    verdict = Verdict(redis_url)
    assert verdict.wrong() == [], verdict.said


def test_two_workers_with_one_name_are_told(redis_url: str, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    workers = [Worker(redis_url, folder, name="same") for folder in folders]
    for worker in workers:
        worker.wait()
    said = "2 workers answer by that name"
    wait_until(
        lambda: said in {f["message"] for f in Verdict(redis_url).data["findings"]}, 30, said
    )
    assert Verdict(redis_url).wrong() == [("workers", workers[0].node)]


def test_a_silent_worker_is_found_among_the_names_of_dead_ones(
    redis_url: str, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        dead = Worker(redis_url, tmp_path, name=name).wait()
        dead.process.kill()
        dead.process.wait()
    silent = Worker(redis_url, tmp_path, name="silent").wait()
    wait_until(lambda: Verdict(redis_url).state == "ok", 30, "it answers")
    os.kill(silent.pid, signal.SIGSTOP)
    try:
        verdict = Verdict(redis_url, "--timeout", "5s")
    finally:
        os.kill(silent.pid, signal.SIGCONT)
    finding = verdict["workers", silent.node]
    assert (finding["state"], finding["data"]["pid"]) == ("bad", silent.pid)


def test_half_of_a_failover_url_is_down(redis_url: str) -> None:
    dead = f"redis://127.0.0.1:{free_port()}/0"
    for url in (f"{redis_url};{dead}", f"{dead};{redis_url}"):
        finding = Verdict(url)["broker", dead]
        assert finding["state"] == "bad"
        assert finding["message"] == "connection refused"
        assert "one of 2 addresses" in finding["cause"]


def test_two_beats_of_one_app_are_named(redis_url: str, tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    beats = [
        start(redis_url, tmp_path / f"{f.name}.log", "beat", "-s", str(f), "-l", "INFO")
        for f in files
    ]
    wait_until(
        lambda: all("Scheduler" in (tmp_path / f"{f.name}.log").read_text() for f in files), 40
    )
    verdict = Verdict(redis_url, "--beat", str(files[0]))
    finding = verdict["schedule", "Beats of shop"]
    assert finding["state"] == "bad"
    assert finding["data"]["pids"] == sorted(beat.pid for beat in beats)
    beats[1].kill()
    beats[1].wait()
    subjects = {f["subject"] for f in Verdict(redis_url, "--beat", files[0]).data["findings"]}
    assert "Beats of shop" not in subjects


def test_the_apps_own_schedule_is_compared_with_what_beat_keeps(
    redis_url: str, tmp_path: Path
) -> None:
    env = {"SHOP_MORE": "1"}
    log = tmp_path / "beat.log"
    start(redis_url, log, "beat", "-s", str(tmp_path / "schedule"), "-l", "INFO", **env)
    wait_until(lambda: "Scheduler: Sending" in log.read_text(), 40, "Beat sends")

    def judged(**more: str) -> dict[str, str]:
        words = ("celery", "check", "-A", "shop", "--beat", tmp_path / "schedule", "--json")
        own = {**environment(SHOP_BROKER=redis_url), **more}
        done = run_radar(*words, cwd=APP_FOLDER, env=own, text=True)
        findings = Verdict.read(done)["findings"]
        return {f["subject"]: f["message"] for f in findings if f["layer"] == "schedule"}

    same = judged(**env)
    assert not [words for words in same.values() if "app" in words], same
    older = judged()
    assert "the app's schedule doesn't have it" in older["nightly"]
    newer = judged(SHOP_MORE="2")
    assert "Beat doesn't keep it" in newer["weekly"]
    assert "keeps another schedule" in newer["nightly"]
