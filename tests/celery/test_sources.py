"""Schedules that stand elsewhere than in a file: Redis, a database, Beat's own answer."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import Celery
from celery.schedules import crontab, schedule
from redis import Redis as Client

from radar_cli.celery.inspect import Answers, Asking
from radar_cli.celery.schedule.sources import open_source
from radar_cli.core.errors import RadarError, UsageError
from tests.celery.apps import Project
from tests.support.postgresql import Postgresql
from tests.support.radar import environment, run_radar
from tests.support.redis import Redis
from tests.support.waiting import wait_until

_DJANGO = """
import sys
from datetime import UTC, datetime, timedelta
import django
from django.conf import settings

engine, name, host, user, port = sys.argv[1:]
settings.configure(
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django_celery_beat"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {"ENGINE": engine, "NAME": name, "HOST": host, "USER": user, "PORT": port}
    },
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django_celery_beat import models

now = datetime.now(UTC)
minute = models.IntervalSchedule.objects.create(every=1, period="minutes")
tokyo = models.CrontabSchedule.objects.create(minute="5", hour="2", timezone="Asia/Tokyo")
once = models.ClockedSchedule.objects.create(clocked_time=now - timedelta(hours=1))
sun = models.SolarSchedule.objects.create(event="sunset", latitude=51.5, longitude=-0.1)


def make(name, **fields):
    models.PeriodicTask.objects.create(name=name, task="shop.add", **fields)


make("well", interval=minute, last_run_at=now, total_run_count=3, queue="fast")
make("late", interval=minute, last_run_at=now - timedelta(hours=2), total_run_count=3)
make("off", interval=minute, enabled=False, last_run_at=now - timedelta(hours=2))
make("tokyo", crontab=tokyo, last_run_at=now, total_run_count=1)
make("once", clocked=once, one_off=True)
make("done", clocked=once, one_off=True, total_run_count=1, last_run_at=now)
make("later", interval=minute, start_time=now + timedelta(days=3))
make("over", interval=minute, expires=now - timedelta(days=3))
make("sun", solar=sun)
"""


def make_tables(folder: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-c", _DJANGO, *words],
        cwd=folder,
        env=environment(measured=False),
        check=True,
    )


def look(source: str, *words: str, code: int) -> dict[str, Any]:
    done = run_radar("celery", "beat", source, *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["data"]
    found["by_name"] = {each["name"]: each for each in found["entries"]}
    return found


def check_tables(source: str) -> None:
    shown = look(source, code=1)
    states = {each["name"]: each["state"] for each in shown["entries"]}
    assert states.pop("sun") in ("unknown", "ok")  # unknown without ephem
    assert states == {
        "well": "ok", "late": "bad", "off": "ok", "tokyo": "ok", "once": "bad", "done": "ok",
        "later": "ok", "over": "ok",
    }  # fmt: skip
    entries = shown["by_name"]
    assert entries["tokyo"]["schedule"] == "at 02:05 every day, by the clock of Asia/Tokyo"
    due = datetime.fromisoformat(entries["tokyo"]["next_due_at"])
    assert (due.hour, due.minute) == (17, 5)
    assert entries["well"]["queue"] == "fast"
    assert entries["off"]["message"] == "disabled"
    assert entries["done"]["next_due_at"] is None
    later = datetime.fromisoformat(entries["later"]["next_due_at"])
    assert timedelta(days=2, hours=23) < later - datetime.now(UTC) < timedelta(days=3, minutes=1)
    assert entries["once"]["last_attempt_at"] is None
    assert shown["beats"][0]["state"] == "ok"


@pytest.mark.slow
def test_it_reads_djangos_tables_in_postgresql(tmp_path: Path) -> None:
    with Postgresql() as server:
        url = server.url()
        place = urlsplit(url)
        words = (place.path.strip("/"), f"{place.hostname}", f"{place.username}")
        make_tables(tmp_path, "django.db.backends.postgresql", *words, str(place.port))
        check_tables(f"django:{url.partition('?')[0]}")


@pytest.mark.slow
def test_it_reads_djangos_tables_in_sqlite_and_leaves_them_alone(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    make_tables(tmp_path, "django.db.backends.sqlite3", str(path), "", "", "")
    before = path.read_bytes()
    check_tables(f"django:{path}")
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.glob("db*")) == ["db.sqlite3"]


def test_what_is_no_database_of_djangos_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database")
    (tmp_path / "empty").touch()
    for name in ("text", "empty", "missing"):
        done = run_radar("celery", "beat", f"django:{tmp_path / name}")
        assert done.returncode == 2
        assert b"can't read the schedule" in done.stderr
    assert not (tmp_path / "missing").exists()
    secret = run_radar("celery", "beat", "django:postgresql://a:hunter2@127.0.0.1:1/x")
    assert b"can't read the schedule" in secret.stderr
    assert b"hunter2" not in secret.stderr


def make_app(url: str) -> Celery:
    app = Celery("shop", broker=url, set_as_current=False)
    app.conf.update(redbeat_redis_url=url, redbeat_redis_options={}, timezone="Europe/London")
    return app


def save(app: Celery, name: str, timing: Any, **more: Any) -> None:
    from redbeat import RedBeatSchedulerEntry

    RedBeatSchedulerEntry(name, "shop.add", timing, app=app, **more).save()


def test_it_reads_what_redbeat_keeps(redis_url: str) -> None:
    app = make_app(redis_url)
    now = datetime.now(UTC)
    minute = schedule(timedelta(minutes=1), app=app)
    save(app, "nightly", crontab(minute=5, hour=2, app=app), options={"queue": "fast"})
    save(app, "well", minute)
    save(app, "off", minute, enabled=False)
    client = Client.from_url(redis_url)
    client.zadd("redbeat::schedule", {"redbeat:nightly": (now + timedelta(hours=3)).timestamp()})
    client.zadd("redbeat::schedule", {"redbeat:well": (now - timedelta(hours=1)).timestamp()})
    client.zadd("redbeat::schedule", {"redbeat:broken": 5})
    client.hset("redbeat:broken", "definition", "{}")

    shown = look(f"redbeat:{redis_url}", code=1)

    assert "nobody holds its lock" in shown["beats"][0]["message"]
    entries = shown["by_name"]
    assert entries["well"]["message"].startswith("overdue by 1 h")
    assert entries["well"]["cause"] == "Beat is silent"
    assert entries["nightly"]["schedule"] == "at 02:05 every day, by the clock of Europe/London"
    client.hset("redbeat:nightly", "meta", "{}")
    nightly = look(f"redbeat:{redis_url}", code=1)["by_name"]["nightly"]
    assert nightly["schedule"] == "at 02:05 every day, by the app's clock"
    assert entries["nightly"]["queue"] == "fast"
    assert entries["off"]["message"] == "disabled"
    assert entries["broken"]["fault"].startswith("an entry that can't be understood")
    client.set("redbeat::lock", "token", px=20_000)
    assert look(f"redbeat:{redis_url}", code=1)["beats"][0]["state"] == "ok"
    client.close()


@pytest.mark.slow
def test_it_reads_a_redbeat_that_runs_and_one_that_was_killed(
    project: Project, redis_url: str
) -> None:
    text = (project.folder / "shop.py").read_text()
    more = "app.conf.update(redbeat_redis_url=os.environ['BROKER'], redbeat_lock_timeout=3)\n"
    (project.folder / "shop.py").write_text(text + more)
    beat = project.celery("beat", "-S", "redbeat.RedBeatScheduler", "--max-interval", "1")

    def runs() -> bool:
        entries = open_source(f"redbeat:{redis_url}").entries(datetime.now(UTC))
        return any(each.name == "often" and each.total_run_count > 2 for each in entries)

    wait_until(runs, 40, "RedBeat", every_s=0.3)
    shown = look("redbeat:", "-b", redis_url, code=0)
    assert shown["by_name"]["nightly"]["schedule"].startswith("at 02:05 every day")
    assert shown["by_name"]["often"]["message"].startswith("due")
    assert shown["beats"][0]["state"] == "ok"
    beat.kill()
    wait_until(lambda: look_state(redis_url) == "unknown", 15, "the end of its lock", every_s=0.3)


def look_state(url: str) -> str:
    done = run_radar("celery", "beat", f"redbeat:{url}", "--json")
    return str(json.loads(done.stdout)["data"]["beats"][0]["state"])


@pytest.mark.slow
def test_two_beats_that_answer_are_one_too_many(project: Project, redis_url: str) -> None:
    text = (project.folder / "shop.py").read_text()
    (project.folder / "shop.py").write_text(text + "app.conf.beat_enable_remote_control = True\n")
    assert (
        look("remote", "-b", redis_url, "--timeout", "4s", code=3)["beats"][0]["state"] == "unknown"
    )
    project.celery("beat", "-s", "one", "--max-interval", "1", "-n", "celerybeat@one")

    def names() -> list[str]:
        done = run_radar("celery", "beat", "remote", "-b", redis_url, "--json")
        return [each["subject"] for each in json.loads(done.stdout)["data"]["beats"]]

    wait_until(lambda: names() == ["celerybeat@one"], 40, "the first", every_s=0.3)
    project.celery("beat", "-s", "two", "--max-interval", "1", "-n", "celerybeat@two")
    wait_until(lambda: len(names()) == 3, 40, "the second", every_s=0.3)
    shown = look("remote", "-b", redis_url, code=1)
    assert shown["beats"][-1]["message"] == "2 Beats are alive: celerybeat@one, celerybeat@two"


@pytest.mark.parametrize("text", ["", "file:", "redbeat:", "remote", "remote:celerybeat@x"])
def test_it_says_what_a_source_lacks(text: str) -> None:
    with pytest.raises(UsageError):
        open_source(text)


def test_a_redis_that_is_away_is_no_answer() -> None:
    done = run_radar("celery", "beat", "redbeat:redis://:hunter2@127.0.0.1:1/0")
    assert done.returncode == 3
    assert b"connection refused" in done.stderr
    assert b"hunter2" not in done.stderr


def test_a_hanging_redis_ends_in_time() -> None:
    with Redis() as own:
        own.signal(signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(RadarError):
            open_source(f"redbeat:{own.url()}").entries(datetime.now(UTC))
        assert time.monotonic() - started < 6


@pytest.mark.slow
def test_a_beat_that_hears_is_no_worker_that_is_silent(project: Project, redis_url: str) -> None:
    text = (project.folder / "shop.py").read_text()
    (project.folder / "shop.py").write_text(text + "app.conf.beat_enable_remote_control = True\n")
    project.worker("solo")
    project.celery("beat", "-s", "one", "--max-interval", "1", "-n", "celerybeat@one")
    connection = Celery("shop", broker=redis_url, set_as_current=False).connection()

    def answers() -> Answers:
        with Asking(connection) as asking:
            return asking.ask({"active": {}, "ping": {}}, timeout_s=5)

    wait_until(lambda: answers().beats == {"celerybeat@one"}, 40, "Beat", every_s=0.3)
    started = time.monotonic()
    found = answers()
    assert time.monotonic() - started < 2
    assert (found.heard, found.nodes()) == (1, ["solo@here"])
    assert look("remote:celerybeat@one", "-b", redis_url, code=0)["beats"][0]["state"] == "ok"
    connection.release()
