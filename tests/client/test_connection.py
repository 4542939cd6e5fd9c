"""What a command says where a server doesn't answer, or not as it should."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from radar_cli.client import connection as connection_module
from radar_cli.client.connection import Address, Connection, UnreachableError
from tests.cli.envelopes import read_envelope
from tests.support import answers
from tests.support.certificates import Authority
from tests.support.proxy import Proxy
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.server import Server

_TIME = {"Radar-Time": "1800000000000000", "Content-Type": "application/json"}
_EMPTY = b'{"monitors": [], "next": null}'


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RadarServer]:
    with serving(tmp_path / "server") as started:
        yield started


def _status(server: str, **variables: str) -> tuple[int, str]:
    env = environment() | {"RADAR_SERVER": server, "RADAR_API_KEY": "k", **variables}
    done = run_radar("status", env=env, text=True)
    assert done.stdout == ""
    return done.returncode, done.stderr


def _refusal(word: str, message: str) -> bytes:
    return json.dumps({"error": word, "message": message}).encode()


def test_it_names_a_server_that_is_not_there() -> None:
    code, said = _status("http://127.0.0.1:9")
    assert code == 3
    assert said.startswith("radar: can't reach http://127.0.0.1:9: ")
    assert "--server ''" in said


def test_programs_hear_the_same() -> None:
    env = environment() | {"RADAR_SERVER": "http://127.0.0.1:9"}
    done = run_radar("monitors", "list", "--json", env=env, text=True)
    assert (done.returncode, read_envelope(done)["error"]["slug"]) == (3, "unreachable")


def test_nagios_hears_that_nothing_is_known() -> None:
    env = environment() | {"RADAR_SERVER": "http://127.0.0.1:9"}
    done = run_radar("check", "--format", "nagios", env=env, text=True)
    assert done.returncode == 3
    assert done.stdout.startswith("RADAR UNKNOWN - can't reach http://127.0.0.1:9: ")


@pytest.mark.parametrize("status", [401, 403])
def test_it_names_the_way_to_another_key(server: Server, status: int) -> None:
    body = _refusal("ACCESS_DENIED", "this key is for ping")
    server.behave(answers.status(status, _TIME, body))
    code, said = _status(server.url)
    assert (code, f"answered {status}: this key is for ping" in said) == (2, True)
    assert f"'radar login {server.url}'" in said


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_cannot_answer_now_is_not_reached(server: Server, status: int) -> None:
    server.behave(answers.status(status, None, b"<h1>no</h1>"))
    assert _status(server.url)[0] == 3


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {}, b"<html>a web page</html>"),
        (200, {}, b"{}"),
        (404, {}, b"not found"),
        (404, _TIME, b"[]"),
        (301, {"Location": "https://elsewhere.example/"}, b""),
    ],
)
def test_it_asks_whether_the_url_is_right(
    server: Server, status: int, headers: dict[str, str], body: bytes
) -> None:
    server.behave(answers.status(status, headers, body))
    code, said = _status(server.url)
    assert code == 2
    assert server.url in said


def test_what_a_server_says_cannot_move_the_cursor(server: Server) -> None:
    server.behave(answers.status(403, _TIME, _refusal("X", "\x1b[2J\r\ngone")))
    assert "\x1b" not in _status(server.url)[1]


def test_it_gives_up_on_a_server_that_drips(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_TOTAL_S", 0.5)
    server.behave(answers.hang())
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="no answer in time"):
        Connection(Address(server.url)).get("/api/v1/status")
    assert time.monotonic() - begun < 5


def test_it_goes_by_the_clock_of_the_server(server: Server) -> None:
    server.behave(answers.status(200, _TIME, _EMPTY))
    connection = Connection(Address(server.url))
    assert abs(connection.now_us() - 1_800_000_000_000_000) < 5_000_000
    connection.close()


def test_it_sends_the_key_and_the_headers_of_the_profile(server: Server) -> None:
    server.behave(answers.status(200, _TIME, _EMPTY))
    _status(server.url, RADAR_HEADERS="X-Team: ops")
    for request in server.requests:
        assert request.headers["authorization"] == "Bearer k"
        assert request.headers["x-team"] == "ops"


def test_it_goes_through_the_proxy_that_pings_go_through(server: Server, proxy: Proxy) -> None:
    server.behave(answers.status(200, _TIME, _EMPTY))
    assert _status(server.url, http_proxy=proxy.url)[0] == 0
    assert proxy.requests
    seen = len(proxy.requests)
    assert _status(server.url, http_proxy=proxy.url, no_proxy="127.0.0.1")[0] == 0
    assert len(proxy.requests) == seen


def test_it_trusts_the_certificates_of_the_profile(
    tls_server: Server, authority: Authority
) -> None:
    tls_server.behave(answers.status(200, _TIME, _EMPTY))
    assert _status(tls_server.url, RADAR_CA_FILE=str(authority.ca_file))[0] == 0
    code, said = _status(tls_server.url)
    assert code == 2
    assert "certificate is not valid" in said


def test_a_key_that_is_gone_says_so(real: RadarServer) -> None:
    code, said = _status(real.url, RADAR_API_KEY="ck_app_wrong_key")
    assert code == 2
    assert "answered 401: an API key is needed, and a right one" in said


def test_a_profile_on_the_command_line_is_asked(real: RadarServer) -> None:
    config = f'[profiles.work]\nserver = "{real.url}"\napi_key = "{real.key}"\n'
    path = Path(os.environ["RADAR_CONFIG"])
    path.write_text(config)
    path.chmod(0o600)
    made = run_radar("monitors", "create", "job", "--profile", "work", text=True)
    assert made.returncode == 0, made.stderr
    assert isinstance(real.request("GET", "/api/v1/monitors/job"), httpx.Response)
    assert real.request("GET", "/api/v1/monitors/job").status_code == 200
    assert run_radar("monitors", "list", text=True).stdout == ""
