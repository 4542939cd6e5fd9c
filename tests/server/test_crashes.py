"""What nobody has thought of: the client is told that it went wrong, the log what."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.pages.visitor import Visitor, close_all
from tests.support.radar_server import RadarServer, serving
from tests.support.waiting import wait_until

_SECRETS = (
    "ck_app_0123456789_" + "s" * 43,
    "018f4e9a-7b1c-4c3d-8e2f-5a6b7c8d9e0f",
    "postgresql://radar:sesame@db/radar",
)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[RadarServer]:
    """A server with a monitor that can't be read, and whose row holds secrets."""
    with serving(tmp_path / "server") as server:
        server.ping("job", create="1")
        connection = sqlite3.connect(server.state / "radar.db")
        # The evaluator has read the row, too, for whoever is to be told of its flip.
        untold = "SELECT count(*) FROM flip WHERE fate = ''"
        wait_until(lambda: connection.execute(untold).fetchone() == (0,), 10, "no untold flip")
        # Words that JSON knows, but no status does: the exception repeats them.
        words = " ".join(_SECRETS)
        (judged,) = connection.execute("SELECT judged FROM monitor").fetchone()
        story = json.loads(judged)
        story["view"]["status"] = words
        with connection:
            connection.execute("UPDATE monitor SET judged = ?", (json.dumps(story),))
        connection.close()
        yield server
    close_all()


def _expect_one_traceback(server: RadarServer) -> None:
    wait_until(lambda: "Traceback (most recent" in server.said(), 10, "a traceback")
    before, _, said = server.said().partition("error: a bug:")
    assert "Traceback" not in before
    assert said.count("Traceback (most recent") == said.count("is not a valid Status") == 1
    assert "Exception in ASGI" not in said
    for secret in ("s" * 43, "4c3d-8e2f", "sesame", server.key):
        assert secret not in said


def test_the_api_says_so_in_json(broken: RadarServer) -> None:
    answer = broken.request("GET", "/api/v1/monitors/job")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert set(answer.json()) == {"error", "message"}
    assert answer.json()["error"] == "INTERNAL_ERROR"
    _expect_one_traceback(broken)
    assert broken.request("GET", "/api/v1/status").status_code == 200


def test_a_ping_is_answered_so_in_json(broken: RadarServer) -> None:
    # How long the run took is for the server to find out.
    answer = broken.request("POST", "/ping/job/complete")
    assert (answer.status_code, answer.json()["error"]) == (500, "INTERNAL_ERROR")
    assert answer.headers["content-type"] == "application/json"
    _expect_one_traceback(broken)


def test_the_dashboard_says_so_on_a_page(broken: RadarServer) -> None:
    visitor = Visitor(broken.url, "")
    assert visitor.log_in(broken.key).status_code == 303
    answer = visitor.get("/monitors/job")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "Something went wrong here." in answer.text
    for secret in ("s" * 43, "sesame"):
        assert secret not in answer.text
    _expect_one_traceback(broken)


def test_it_is_counted_and_logged_as_what_it_is(tmp_path: Path) -> None:
    log = tmp_path / "access"
    with serving(tmp_path / "server", "--access-log", str(log)) as server:
        server.ping("job", create="1")
        connection = sqlite3.connect(server.state / "radar.db")
        with connection:
            connection.execute("UPDATE monitor SET declared = 'nonsense'")
        connection.close()
        assert server.request("GET", "/api/v1/monitors/job").status_code == 500

        def statuses() -> list[int]:
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            return [line["status"] for line in lines if line["path"].startswith("/api/")]

        wait_until(lambda: statuses() == [500], 10, "a line in the log")
        assert httpx.get(f"{server.url}/healthz", trust_env=False).status_code == 200
