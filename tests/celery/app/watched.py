"""An app that radar is told of: `celery -A watched`, in this folder. Each task ends in its way."""

import json
import os
import signal
import sys
import threading
import time
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.exceptions import Ignore, Reject
from celery.schedules import crontab

from radar_cli.celery import CronRadarMiddleware, setup_radar, skip_monitor

app = Celery("watched", broker=os.environ["SHOP_BROKER"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    beat_max_loop_interval=1,
)
app.conf.update(json.loads(os.environ.get("WATCHED_CONF", "{}")))
_ENTRIES = {
    "First often": {"task": "watched.well", "schedule": 1.0},
    "second_often": {"task": "watched.well", "schedule": timedelta(seconds=1)},
    "nightly": {"task": "watched.well", "schedule": crontab(minute=5, hour="2")},
    "friday-13": {
        "task": "watched.well",
        "schedule": crontab(0, 0, day_of_month=13, day_of_week=5),
    },
    "weekdays": {"task": "watched.well", "schedule": crontab(0, 8, day_of_week="mon-fri")},
    "nobody": {"task": "watched.skipped", "schedule": 1.0},
}
_ARGUMENTS = {"fails": (7,), "retries": (False,), "naps": (300,)}


def _entry(name: str) -> dict[str, Any]:
    """The entry of that name; `TASK every SECONDS` is what it says."""
    task, _, seconds = name.partition(" every ")
    if not seconds:
        return _ENTRIES[name]
    timing = {"task": f"watched.{task}", "schedule": float(seconds)}
    return {**timing, "args": _ARGUMENTS.get(task, ())}


app.conf.beat_schedule = {
    name: _entry(name) for name in json.loads(os.environ.get("WATCHED_BEAT", "[]"))
}
if os.environ.get("WATCHED_SETUP"):
    setup_radar(app)
else:
    app.steps["worker"].add(CronRadarMiddleware)

app.conf.cronradar_monitors = json.loads(os.environ.get("WATCHED_MONITORS", "{}"))


@app.task  # type: ignore[untyped-decorator]  # Celery has no types
def well(*_: Any, **__: Any) -> str:
    return "done"


@app.task  # type: ignore[untyped-decorator]  # as above
def fails(_: int, password: str = "", **__: Any) -> None:
    json.loads(password)


@app.task  # type: ignore[untyped-decorator]  # as above
def soft_fails(*_: Any, **__: Any) -> None:
    raise ZeroDivisionError("by zero")


@app.task(bind=True, max_retries=2)  # type: ignore[untyped-decorator]  # as above
def retries(self: Any, succeeds: bool) -> None:
    if succeeds and self.request.retries:
        return
    try:
        raise OSError("no disk")
    except OSError as error:
        raise self.retry(exc=error, countdown=0) from error


_overtaken = threading.Event()


@app.task(bind=True)  # type: ignore[untyped-decorator]  # as above
def overtaken(self: Any) -> None:
    """Be tried again before the first try has ended."""
    if self.request.retries:
        _overtaken.set()
        return
    again = self.retry(countdown=0, throw=False)
    _overtaken.wait(30)
    raise again


@app.task  # type: ignore[untyped-decorator]  # as above
def leaves() -> None:
    sys.exit(3)


@app.task  # type: ignore[untyped-decorator]  # as above
def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(soft_time_limit=0.5)  # type: ignore[untyped-decorator]  # as above
def soft() -> None:
    time.sleep(30)


@app.task(time_limit=1)  # type: ignore[untyped-decorator]  # as above
def hard() -> None:
    time.sleep(30)


@app.task  # type: ignore[untyped-decorator]  # as above
def ignores() -> None:
    raise Ignore


@app.task  # type: ignore[untyped-decorator]  # as above
def rejects() -> None:
    raise Reject("not this one", requeue=False)


@app.task  # type: ignore[untyped-decorator]  # as above
def naps(seconds: float) -> None:
    time.sleep(seconds)


@app.task  # type: ignore[untyped-decorator]  # as above
def expires() -> None:
    """Never runs."""


@app.task(ignore_result=False)  # type: ignore[untyped-decorator]  # as above
def unstored() -> int:
    return 1


@skip_monitor
@app.task  # type: ignore[untyped-decorator]  # as above
def skipped() -> None:
    """Its runs are nobody's business."""


@app.task  # type: ignore[untyped-decorator]  # as above
@skip_monitor
def skipped_below() -> None:
    """Nor are these."""
