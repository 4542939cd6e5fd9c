"""Beat with other schedulers: RedBeat and django-celery-beat declare their entries, too."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab, schedule
from redis import Redis as Client

from tests.celery.test_sources import make_tables
from tests.celery.watched import Watched
from tests.support.depth import depth
from tests.support.radar_server import serving
from tests.support.waiting import wait_until


@pytest.fixture
def watched(tmp_path: Path, redis_url: str) -> Iterator[Watched]:
    with serving(tmp_path / "server") as server:
        made = Watched(redis_url, server, tmp_path)
        yield made
        made.app.close()


def is_retired(watched: Watched, key: str) -> bool:
    """Whether nothing is expected of a monitor any more, and Beat's log says so."""
    monitor = watched.monitor(key)
    said = f"{key} is no entry any more, and watched no more"
    return monitor["schedule"] is None and monitor["every_s"] is None and said in beat_log(watched)


def beat_log(watched: Watched) -> str:
    return watched.beat_log().read_text()


def test_redbeat_declares_what_stands_in_redis(watched: Watched) -> None:
    from redbeat import RedBeatSchedulerEntry

    app = watched.app
    app.conf.update(redbeat_redis_url=watched.url, redbeat_redis_options={})
    timings = {
        "tokyo": crontab(minute=5, hour=2, app=app),
        "well": schedule(timedelta(seconds=1), app=app),
        "off": schedule(timedelta(seconds=60), app=app),
    }
    for name, timing in timings.items():
        enabled = name != "off"
        RedBeatSchedulerEntry(name, "watched.well", timing, app=app, enabled=enabled).save()
    conf = {"redbeat_redis_url": watched.url, "redbeat_lock_timeout": 5, "timezone": "Asia/Tokyo"}
    watched.worker(monitors={}, pool="solo", WATCHED_SETUP="1")
    watched.beat("weekdays", scheduler="redbeat.RedBeatScheduler", WATCHED_CONF=json.dumps(conf))
    watched.wait_for("well", "celery-beat")
    wait_until(lambda: watched.monitor("tokyo"), 20, "the entries are declared")
    tokyo, weekdays = watched.monitor("tokyo"), watched.monitor("weekdays")
    assert (tokyo["schedule"], tokyo["tz"]) == ("5 2 * * *", "Asia/Tokyo")
    assert weekdays["schedule"] == "0 8 * * 1,2,3,4,5"
    assert watched.monitor("well")["every_s"] == 1.0
    assert not watched.monitor("off")
    if depth(0, 1):
        # Redis has evicted it, and RedBeat dropped it when it was due: it stays watched.
        with Client.from_url(watched.url) as client:
            client.delete("redbeat:weekdays")
            client.zrem("redbeat::schedule", "redbeat:weekdays")
        lost = "entry 'weekdays' has lost its definition in Redis"
        wait_until(lambda: lost in beat_log(watched), 60, lost)
        assert watched.monitor("weekdays")["schedule"] == "0 8 * * 1,2,3,4,5"
        RedBeatSchedulerEntry.from_key("redbeat:tokyo", app=app).delete()
        wait_until(lambda: is_retired(watched, "tokyo"), 60, "tokyo is retired")
        assert watched.monitor("well")["every_s"] == 1.0
        assert watched.monitor("weekdays")["schedule"] == "0 8 * * 1,2,3,4,5"
    assert "can't be" not in beat_log(watched)


def test_django_declares_its_tables(watched: Watched) -> None:
    database = watched.folder / "db.sqlite3"
    make_tables(watched.folder, "django.db.backends.sqlite3", str(database), "", "", "")
    with sqlite3.connect(database) as tables:
        # Only with ephem can Beat tell when the sun sets; without it, it doesn't start.
        tables.execute("DELETE FROM django_celery_beat_periodictask WHERE name = 'sun'")
        tables.execute("UPDATE django_celery_beat_periodictask SET task = 'watched.well'")
        # The scheduler's own list leaves out what is due in more than two hours.
        far = (datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(hours=12)).hour
        tables.execute(f"UPDATE django_celery_beat_crontabschedule SET hour = '{far}'")
    tables.close()
    watched.worker(monitors={}, pool="solo", queues="celery,fast", WATCHED_SETUP="1")
    watched.beat(scheduler="django", app="watched_django", WATCHED_DATABASE=str(database))
    watched.wait_for("late", "celery-beat")
    wait_until(lambda: watched.monitor("tokyo"), 20, "the entries are declared")
    tokyo = watched.monitor("tokyo")
    assert (tokyo["schedule"], tokyo["tz"]) == (f"5 {far} * * *", "Asia/Tokyo")
    assert [watched.monitor(name)["every_s"] for name in ("well", "late")] == [60.0, 60.0]
    # Off, due once, not yet, and no more: nothing is expected of these.
    declared = [name for name in ("off", "once", "done", "later", "over") if watched.monitor(name)]
    assert [name for name in declared if watched.monitor(name)["every_s"]] == []
    assert "'once' is due once, so it isn't watched" in beat_log(watched)
    if depth(0, 1):
        with sqlite3.connect(database) as tables:
            tables.execute("DELETE FROM django_celery_beat_periodictask WHERE name = 'tokyo'")
            tables.execute("UPDATE django_celery_beat_periodictasks SET last_update = '2100-01-01'")
        tables.close()
        wait_until(lambda: is_retired(watched, "tokyo"), 60, "tokyo is retired")
    assert "can't be" not in beat_log(watched)
