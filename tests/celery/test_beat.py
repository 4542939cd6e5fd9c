"""`radar celery beat` on schedules of a real Beat, and what real workers say to them."""

import hashlib
import json
import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.schedules import schedule

from tests.celery.apps import Project
from tests.celery.shelves import contents, entry, write
from tests.support.radar import run_radar


def look(*words: str | Path, code: int) -> dict[str, Any]:
    done = run_radar("celery", "beat", *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["data"]
    found["by_name"] = {each["name"]: each for each in found["entries"]}
    return found


def age(folder: Path, seconds: float) -> None:
    for each in folder.iterdir():
        os.utime(each, (time.time() - seconds,) * 2)


@pytest.mark.slow
@pytest.mark.celery_versions
def test_it_reads_what_a_real_beat_writes_while_it_writes(project: Project) -> None:
    beat = project.beat("-s", "own")
    path = project.folder / "own"
    shown = look(path, code=0)
    assert shown["by_name"]["nightly"]["schedule"] == (
        "at 02:05 every day, by the clock of Europe/London"
    )
    assert shown["by_name"]["nightly"]["last_attempt_at"] is None
    beat.send_signal(signal.SIGSTOP)
    before = {
        each.name: hashlib.sha256(each.read_bytes()).digest()
        for each in project.folder.glob("own*")
    }
    look(path, code=0)
    after = {
        each.name: hashlib.sha256(each.read_bytes()).digest()
        for each in project.folder.glob("own*")
    }
    assert after == before
    beat.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        assert len(look(path, code=0)["entries"]) == 3
    beat.terminate()
    beat.wait(15)
    assert look(path, code=0)["by_name"]["often"]["total_run_count"] >= 3


@pytest.mark.slow
@pytest.mark.celery_versions
def test_it_tells_what_drifted_from_the_workers(
    project: Project, redis_url: str, tmp_path: Path
) -> None:
    project.worker("solo")
    folder = tmp_path / "beat"
    folder.mkdir()
    hour = schedule(timedelta(hours=1))
    lost, known = entry("lost", hour), entry("known", hour)
    known.task = "shop.add"
    waiting = entry("waiting", hour, queue="reports")
    waiting.task = "shop.add"
    for each in (lost, known, waiting):
        each.last_run_at += timedelta(seconds=time.time()) - timedelta(
            seconds=each.last_run_at.timestamp()
        )
    write("dumb", folder / "schedule", contents(lost, known, waiting))

    entries = look(folder / "schedule", "-b", redis_url, code=1)["by_name"]

    assert entries["known"]["state"] == "ok"
    assert entries["lost"]["message"] == "no worker knows the task shop.tasks.work"
    assert entries["waiting"]["message"] == "no worker takes from its queue reports"


def test_a_silent_beat_is_bad_and_the_cause_of_what_is_overdue(tmp_path: Path) -> None:
    folder = tmp_path / "beat"
    folder.mkdir()
    write("dumb", folder / "schedule", contents(entry("often", schedule(timedelta(seconds=30)))))
    age(folder, 3600)
    shown = look(folder / "schedule", code=1)
    assert shown["beats"][0]["message"].startswith("silent for 1 h")
    assert shown["by_name"]["often"]["cause"] == "Beat is silent"
    done = run_radar("celery", "beat", folder / "schedule")
    assert b"often" in done.stdout
    assert b"silent for 1 h" in done.stderr


def test_an_entry_that_a_living_beat_left_out_is_bad(tmp_path: Path) -> None:
    folder = tmp_path / "beat"
    folder.mkdir()
    write(
        "dumb",
        folder / "schedule",
        contents(entry("never", schedule(timedelta(seconds=30)), count=0)),
    )
    shown = look(folder / "schedule", code=1)["by_name"]["never"]
    assert "and it never ran" in shown["message"]
    assert shown["cause"] == "Beat is alive and didn't send it"
    assert look(folder / "schedule", "--grace", "3650d", code=0)["verdict"] == "ok"


def test_it_says_what_to_do_without_a_schedule() -> None:
    done = run_radar("celery", "beat")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no celerybeat-schedule here (name its SOURCE" in done.stderr
    assert run_radar("celery", "beat", "missing").returncode == 2


def test_a_broker_that_is_away_is_no_answer(tmp_path: Path) -> None:
    folder = tmp_path / "beat"
    folder.mkdir()
    write("dumb", folder / "schedule", contents())
    done = run_radar("celery", "beat", folder / "schedule", "-b", "redis://127.0.0.1:1/0")
    assert done.returncode == 3
    assert b"connection refused" in done.stderr
