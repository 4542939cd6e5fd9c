"""From where a ping came is kept with it, and shown."""

import json
import subprocess
from pathlib import Path

import pytest

from radar_cli.model.run import Origin
from tests.server.pages.visitor import Visitor, close_all
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.raw_http import RawConnection
from tests.support.requirements import require_program


def _origins(server: RadarServer, monitor: str = "job") -> list[Origin | None]:
    with server.store() as store:
        return [ping.origin for ping in store.pings.newest(monitor, 99)]


def test_it_is_kept_with_each_ping(api: RadarServer) -> None:
    for method in ("GET", "POST", "HEAD", "PUT"):
        api.request(method, "/ping/job?create=1", headers={"User-Agent": f"{method}er/1.0 (x)"})
    assert _origins(api) == [
        Origin("127.0.0.1", method, f"{method}er/1.0 (x)")
        for method in ("GET", "POST", "HEAD", "PUT")
    ]
    with api.store() as store:
        token = store.tokens.make("job", "ping")
    curl = require_program("curl")
    command = [curl, "--noproxy", "*", "-fsS", "-A", "", f"{api.url}/ping/{token}"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert _origins(api)[-1] == Origin("127.0.0.1", "GET", "")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a" * 10_000, "a" * 200),
        ("caf\u00e9", "caf\u00e9"),
        ("<script>\ta\u00ad", "<script>\ufffda\ufffd"),
        ("\xff" * 300, "\xff" * 200),
    ],
    ids=range(4),
)
def test_whatever_an_agent_says_is_short_and_printable(
    api: RadarServer, said: str, kept: str
) -> None:
    with RawConnection(api) as connection:
        connection.send(connection.head("/ping/job?create=1", f"User-Agent: {said}", method="GET"))
        assert connection.read().status == 200
    assert _origins(api) == [Origin("127.0.0.1", "GET", kept)]


def test_it_is_the_client_behind_a_trusted_proxy(tmp_path: Path) -> None:
    with serving(tmp_path / "server", "--trusted-proxy", "127.0.0.1") as server:
        headers = {"X-Forwarded-For": "6.6.6.6, 2001:db8::7", "User-Agent": "curl/8"}
        server.request("POST", "/ping/job?create=1", headers=headers)
        assert _origins(server) == [Origin("2001:db8::7", "POST", "curl/8")]


def test_a_hop_that_is_no_address_is_not_believed(tmp_path: Path) -> None:
    with serving(tmp_path / "server", "--trusted-proxy", "127.0.0.1") as server:
        for chain, address in {
            "unknown": "127.0.0.1",
            "_hidden, 192.0.2.1:4711": "192.0.2.1",
            "[2001:db8::7]:4711": "2001:db8::7",
        }.items():
            headers = {"X-Forwarded-For": chain}
            server.request("POST", "/ping/job?create=1", headers=headers)
            origin = _origins(server)[-1]
            assert origin is not None
            assert origin.address == address


def test_history_shows_it(api: RadarServer) -> None:
    headers = {"User-Agent": "curl/8.5.0 (test)"}
    api.request("POST", "/ping/job/start?create=1", headers=headers)
    api.request("POST", "/ping/job/fail", headers=headers)
    env = environment(RADAR_SERVER=api.url, RADAR_API_KEY=api.key)
    table = run_radar("monitors", "history", "job", env=env, text=True).stdout
    assert "127.0.0.1 curl/8.5.0" in table
    (entry,) = json.loads(
        run_radar("monitors", "history", "job", "--json", env=env, text=True).stdout
    )["data"]
    expected = {"address": "127.0.0.1", "method": "POST", "agent": "curl/8.5.0 (test)"}
    assert entry["origin"] == expected
    for what in ("runs", "pings"):
        page = api.request("GET", f"/api/v1/monitors/job/{what}").json()
        assert page[what][0]["origin"] == expected


def test_the_pages_show_it(api: RadarServer) -> None:
    api.request("POST", "/ping/job/fail?create=1", headers={"User-Agent": "curl/8.5.0 <b>"})
    api.request("POST", "/ping/job/log", content=b"note", headers={"User-Agent": "wget/1"})
    visitor = Visitor(api.url, "")
    assert visitor.log_in(api.key).status_code == 303
    page = visitor.get("/monitors/job").text
    assert "127.0.0.1 curl/8.5.0" in page
    assert "127.0.0.1 wget/1" in page
    with api.store() as store:
        run = store.history.runs("job", 1)[0]
    page = visitor.get(f"/monitors/job/runs/at-{run.ended_us}").text
    assert "POST, curl/8.5.0 &lt;b&gt;" in page
    close_all()


def test_what_came_by_no_server_has_none() -> None:
    run_radar("run", "job", "--", "true")
    done = run_radar("monitors", "history", "job", "--json", text=True)
    assert json.loads(done.stdout)["data"][0]["origin"] is None
