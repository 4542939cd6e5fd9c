"""A server where people put it: with a certificate of its own, or behind a proxy with a path."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from radar_cli.server.serving import _GRACEFUL_S
from tests.server.pages.visitor import Visitor, addresses, close_all
from tests.support.certificates import Authority
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.reverse_proxy import ReverseProxy

_DECLARED = ("--grace", "1h", "--schedule", "@daily", "--tz", "UTC")
_KEYS = ("backup", "mailer")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(params=["a certificate", "a proxy"])
def reached(
    request: pytest.FixtureRequest, tmp_path: Path, authority: Authority
) -> Iterator[tuple[RadarServer, str]]:
    """A server, and the URL by which people reach it."""
    if request.param == "a certificate":
        with serving(tmp_path / "state", authority=authority) as server:
            yield server, server.url
            close_all()
        return
    options = ("--root-path", "/radar", "--trusted-proxy", "127.0.0.1")
    with (
        serving(tmp_path / "state", *options) as server,
        ReverseProxy(server.url, "/radar", authority.server_context()) as proxy,
    ):
        yield server, proxy.url
        close_all()


def test_all_of_radar_works_over_it(reached: tuple[RadarServer, str], authority: Authority) -> None:
    server, url = reached
    env = environment(SSL_CERT_FILE=str(authority.ca_file))

    login = run_radar("login", url, "--key", "-", stdin=server.key.encode(), env=env)
    assert login.returncode == 0, login.stderr
    assert server.key not in (login.stdout + login.stderr).decode()
    run = run_radar(
        "run", "backup", *_DECLARED, "--", "sh", "-c", "echo out of space; exit 3", env=env
    )
    assert (run.returncode, run.stderr) == (3, b"")
    assert run_radar("ping", "mailer", *_DECLARED, env=env).returncode == 0
    assert run_radar("monitors", "pause", "mailer", env=env).returncode == 0

    status = run_radar("status", env=env, text=True).stdout
    assert "down (failed)" in status
    assert "out of space" in status
    check = run_radar("check", env=env, text=True)
    assert check.returncode == 1
    assert "backup" in check.stdout
    with server.store() as store:
        kinds = {key: [ping.kind for ping in store.pings.before(key, None, 9)] for key in _KEYS}
    assert kinds == {"backup": ["start", "fail"], "mailer": ["success"]}
    # Nothing went astray into the outbox.
    assert run_radar("outbox", "list", env=env, text=True).stdout == ""


def test_a_certificate_of_nobody_known_is_told_as_that(
    reached: tuple[RadarServer, str],
) -> None:
    server, url = reached

    login = run_radar("login", url, "--key", "-", stdin=server.key.encode())
    assert login.returncode == 2, login.stderr
    assert b"certificate" in login.stderr
    assert b"RADAR_CA_FILE" in login.stderr
    assert b"Traceback" not in login.stderr


def test_the_pages_lead_a_browser_below_its_path(
    reached: tuple[RadarServer, str], authority: Authority
) -> None:
    server, url = reached
    server.ping("job", b"well\n", create="1")
    origin, path = url.removesuffix(urlsplit(url).path), urlsplit(url).path
    visitor = Visitor(url, verify=authority.client_context(), follow_redirects=True)
    # A real browser's rules for cookies: of the path, and for https only.
    first = visitor.get("/monitors/job")
    assert str(first.url) == f"{url}/login?next=%2Fmonitors%2Fjob"
    inside = visitor.log_in(server.key, "/monitors/job")
    assert (inside.status_code, str(inside.url)) == (200, f"{url}/monitors/job")
    cookies = {cookie.name: cookie for cookie in visitor.client.cookies.jar}
    for cookie in cookies.values():
        assert (cookie.path, cookie.secure) == (path or "/", True)
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "strict"
    assert "radar_session" in cookies
    visitor.post("/monitors/job/badge", {"on": "1"})
    page = visitor.post("/monitors/job/ping-url").text
    local = [each for each in addresses(page) if each[0] not in "#d"]
    assert len(local) > 10
    for address in local:
        assert address.startswith(f"{path}/")
        assert "/logout" in address or visitor.client.get(origin + address).status_code != 404
    shown = re.findall(r"https://[^ )<]+/(?:badge|ping)/[0-9a-f-]+(?:\.svg)?", page)
    assert len(shown) == 2
    for address in shown:
        assert address.startswith(f"{url}/")
        assert visitor.client.get(address).status_code == 200
    assert visitor.post("/logout").url.path == f"{path}/login"


def test_the_addresses_that_the_api_tells_are_those_that_work(
    reached: tuple[RadarServer, str], authority: Authority
) -> None:
    server, url = reached
    headers = {"Authorization": f"Bearer {server.key}"}
    with httpx.Client(
        base_url=url, headers=headers, verify=authority.client_context(), trust_env=False
    ) as client:
        made = client.post("/api/v1/monitors", json={"key": "job"})
        origin = url.removesuffix(urlsplit(url).path)
        assert client.get(origin + made.headers["location"]).json()["key"] == "job"
        for what in ("token", "badge"):
            told = client.post(f"/api/v1/monitors/job/{what}").json()["url"]
            assert told.startswith(f"{url}/")
            assert client.get(told, headers={"Authorization": ""}).status_code == 200


def test_a_client_that_says_nothing_holds_up_no_end(tmp_path: Path, authority: Authority) -> None:
    with serving(tmp_path / "state", authority=authority) as server:
        context = authority.client_context()
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as idle,
        ):
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert idle.recv(15) == b"HTTP/1.1 200 OK"
            # Its patience with requests that are under way is longer.
            assert server.stop(timeout_s=_GRACEFUL_S - 1) == 0
