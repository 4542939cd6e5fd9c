"""What workers tell of their tasks' runs: each once, with its cause, whatever the end."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.support.celery_app import Worker
from tests.support.radar_server import RadarServer, serving
from tests.support.waiting import wait_until

_TASKS = (
    "well fails retries leaves killed soft hard ignores rejects naps expires skipped skipped_below"
)
_MONITORS = {f"watched.{name}": name.replace("_", "-") for name in _TASKS.split()}


@pytest.fixture
def radar_server(tmp_path: Path) -> Iterator[RadarServer]:
    with serving(tmp_path / "server") as running:
        yield running


class Watched:
    """An app's broker, and the server that it tells."""

    def __init__(self, url: str, server: RadarServer, folder: Path) -> None:
        self.url = url
        self.server = server
        self.folder = folder
        self.app = Celery("watched", broker=url, set_as_current=False)

    def worker(self, *words: str, pool: str = "prefork", **more: Any) -> Worker:
        """A worker that is ready."""
        monitors = more.pop("monitors", _MONITORS)
        env = {
            "WATCHED_MONITORS": json.dumps(monitors),
            "RADAR_SERVER": self.server.url,
            "RADAR_API_KEY": self.server.key,
            **more,
        }
        return Worker(self.url, self.folder, *words, pool=pool, app="watched", **env).wait()

    def send(self, task: str, *args: Any, **options: Any) -> str:
        """Send a task; return its id."""
        with self.app.connection_for_write() as connection:
            sent = self.app.send_task(f"watched.{task}", args, connection=connection, **options)
        return str(sent.id)

    def pings(self, monitor: str) -> list[dict[str, Any]]:
        """Its pings, oldest first."""
        answer = self.server.request("GET", f"/api/v1/monitors/{monitor}/pings")
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
    watched.send("expires", expires=time.time() - 5 and -5)
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
    for monitor, cause in causes.items():
        [(kind, reason)] = watched.ends(monitor)
        assert (kind, reason[: len(cause)]) == ("fail", cause)
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
    everything = json.dumps([watched.pings(name) for name in _MONITORS.values()])
    assert "hunter2" not in everything
    assert "abcdefgh" not in everything
    assert not watched.pings("skipped")
    assert not watched.pings("skipped-below")
    assert "radar: a task's run can't be told" not in worker.log
