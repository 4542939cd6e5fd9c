"""An app that radar is told of, on a broker, with the server that it tells."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from celery import Celery
from celery.schedules import schedule

from tests.celery import shelves
from tests.support.celery_app import Worker, start
from tests.support.radar_server import RadarServer
from tests.support.server import Server
from tests.support.waiting import wait_until

_TASKS = (
    "well fails retries leaves killed soft hard ignores rejects naps expires skipped skipped_below"
)
MONITORS = {f"watched.{name}": name.replace("_", "-") for name in _TASKS.split()}


class Watched:
    """An app's broker, and the server that it tells."""

    def __init__(self, url: str, server: RadarServer, folder: Path) -> None:
        self.url = url
        self.server = server
        self.folder = folder
        self.app = Celery("watched", broker=url, set_as_current=False)

    def worker(self, *words: str, pool: str = "prefork", **more: Any) -> Worker:
        """A worker that is ready."""
        monitors = more.pop("monitors", MONITORS)
        env = {
            "WATCHED_MONITORS": json.dumps(monitors),
            "RADAR_SERVER": self.server.url,
            "RADAR_API_KEY": self.server.key,
            **more,
        }
        return Worker(self.url, self.folder, *words, pool=pool, app="watched", **env).wait()

    def beat(
        self, *entries: str, number: int = 1, scheduler: str = "", app: str = "watched", **more: str
    ) -> "subprocess.Popen[bytes]":
        """A Beat with these entries."""
        words = ["beat", "-l", "INFO"]
        keeps = scheduler in ("", "stuck:StuckScheduler")
        words += ["-S", scheduler] if scheduler else []
        words += ["-s", str(self.folder / "schedule")] if keeps else []
        env = {
            "WATCHED_BEAT": json.dumps(entries),
            "WATCHED_SETUP": "1",
            "RADAR_SERVER": self.server.url,
            "RADAR_API_KEY": self.server.key,
            **more,
        }
        return start(self.url, self.beat_log(number), *words, app=app, **env)

    def have_slept(self, *entries: str) -> None:
        """Leave a schedule's file as of a Beat that was off for a day: all is due at once."""
        day_ago = datetime.now(UTC) - timedelta(days=1)
        kept = [shelves.entry(name, schedule(timedelta(hours=1)), day_ago) for name in entries]
        shelves.write("dumb", self.folder / "schedule", shelves.contents(*kept))

    def beat_log(self, number: int = 1) -> Path:
        return self.folder / f"beat{number}.log"

    def monitor(self, key: str) -> dict[str, Any]:
        """As the server shows it; empty if it knows none."""
        answer = self.server.request("GET", f"/api/v1/monitors/{key}")
        return dict(answer.json()) if answer.status_code == 200 else {}

    def send(self, task: str, *args: Any, **options: Any) -> str:
        """Send a task; return its id."""
        with self.app.connection_for_write() as connection:
            sent = self.app.send_task(f"watched.{task}", args, connection=connection, **options)
        return str(sent.id)

    def pings(self, monitor: str) -> list[dict[str, Any]]:
        """Its pings, oldest first."""
        answer = self.server.request("GET", f"/api/v1/monitors/{monitor}/pings?output=true")
        if answer.status_code == 404:
            return []
        pings: list[dict[str, Any]] = answer.json()["pings"]
        return sorted(pings, key=lambda ping: str(ping["time"]))

    def ends(self, monitor: str) -> list[tuple[str, str]]:
        """How its runs ended, and why."""
        return [
            (ping["kind"], ping["fields"].get("reason", ""))
            for ping in self.pings(monitor)
            if ping["kind"] in ("success", "fail")
        ]

    def wait_for(self, *monitors: str, count: int = 1) -> None:
        """Wait until each has so many ends."""
        for monitor in monitors:
            wait_until(
                lambda each=monitor: len(self.ends(each)) >= count,  # type: ignore[misc]  # a default
                40,
                f"an end of {monitor}",
            )


class Told:
    """A server that radar's workers and Beat tell, and the notices that it sends."""

    def __init__(self, server: RadarServer, hook: Server) -> None:
        self.server = server
        self._hook = hook

    def notices(self, monitor: str = "", kind: str = "") -> list[dict[str, Any]]:
        """Those of a monitor, of a kind; oldest first."""
        found = [json.loads(request.body) for request in self._hook.requests]
        return [
            each
            for each in found
            if each["monitor"].startswith(monitor) and each["kind"].startswith(kind)
        ]

    def wait_for(self, *monitors: str, kind: str = "down", within_s: float = 60) -> None:
        """Wait until there is a notice of each."""
        for monitor in monitors:
            wait_until(partial(self.notices, monitor, kind), within_s, f"{kind} of {monitor}")


def key_of(entry: str) -> str:
    """The key of an entry's monitor."""
    return entry.replace(" ", "-")
