"""A server that has moved: the ping follows, the key does not go astray."""

from collections.abc import Iterator

import pytest

from tests.pings.conftest import KEY
from tests.support import answers
from tests.support.certificates import Authority
from tests.support.pings import kinds
from tests.support.radar import run_radar
from tests.support.server import Server


@pytest.fixture
def other() -> Iterator[Server]:
    with Server(host="127.0.0.2") as running:
        yield running


def _words(*more: str) -> tuple[str, ...]:
    return ("run", "m", "--no-start", *more, "--", "echo", "out")


@pytest.mark.parametrize("code", [307, 308])
def test_it_follows_on_the_same_server_with_body_and_key(
    code: int, server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.redirect(code, "/ping/new/complete?a=1#part"), answers.ok())
    assert run_radar(*_words(), env=env).stderr == b""
    first, second = server.requests
    assert second.target == "/ping/new/complete?a=1"
    assert first.body == second.body == b"out\n"
    assert second.headers["authorization"] == f"Bearer {KEY}"
    assert kinds() == []


def test_it_gives_no_key_to_another_host(
    server: Server, other: Server, env: dict[str, str]
) -> None:
    env["RADAR_HEADERS"] = "X-Secret: 1"
    server.behave(answers.redirect(307, f"{other.url}/ping/m/complete"))
    assert run_radar(*_words(), env=env).stderr == b""
    (request,) = other.requests
    assert request.body == b"out\n"
    assert "authorization" not in request.headers
    assert "x-secret" not in request.headers
    assert request.headers["host"] == f"127.0.0.2:{other.port}"


def test_it_gives_no_key_to_another_port(server: Server, env: dict[str, str]) -> None:
    with Server() as neighbour:
        server.behave(answers.redirect(307, f"{neighbour.url}/ping/m/complete"))
        assert run_radar(*_words(), env=env).stderr == b""
        (request,) = neighbour.requests
        assert "authorization" not in request.headers


def test_it_does_not_come_back_with_a_key(
    server: Server, other: Server, env: dict[str, str]
) -> None:
    server.behave(answers.redirect(307, f"{other.url}/x"), answers.ok())
    other.behave(answers.redirect(307, f"{server.url}/y"))
    run_radar(*_words(), env=env)
    assert [request.path for request in server.requests] == ["/ping/m/complete", "/y"]
    assert "authorization" not in server.requests[1].headers


def test_it_does_not_leave_tls(
    tls_server: Server, server: Server, authority: Authority, env: dict[str, str]
) -> None:
    tls_server.behave(answers.redirect(307, f"{server.url}/ping/m/complete"))
    env |= {"RADAR_SERVER": tls_server.url, "SSL_CERT_FILE": str(authority.ca_file)}
    done = run_radar(*_words(), env=env, text=True)
    assert (done.returncode, server.requests) == (0, [])
    assert "redirected out of TLS" in done.stderr
    assert kinds() == ["success"]


def test_it_may_enter_tls(
    tls_server: Server, server: Server, authority: Authority, env: dict[str, str]
) -> None:
    server.behave(answers.redirect(308, f"{tls_server.url}/ping/m/complete"))
    env["SSL_CERT_FILE"] = str(authority.ca_file)
    assert run_radar(*_words(), env=env).stderr == b""
    assert [ping.body for ping in tls_server.accepted] == [b"out\n"]


def test_it_follows_a_url_without_a_scheme(
    server: Server, other: Server, env: dict[str, str]
) -> None:
    server.behave(answers.redirect(307, f"//127.0.0.2:{other.port}/ping/m/complete"))
    run_radar(*_words(), env=env)
    assert [ping.body for ping in other.accepted] == [b"out\n"]


@pytest.mark.parametrize(
    "location",
    ["/a b", "/x\rX-Injected: yes", "x", "http://", "/\xff", "http://h:x/"],
)
def test_it_follows_nothing_that_is_no_url(
    location: str, server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.redirect(307, location))
    done = run_radar(*_words(), env=env, text=True)
    assert "redirected to" in done.stderr
    assert len(server.requests) == 1
    assert kinds() == ["success"]


def test_a_line_behind_the_location_is_no_part_of_it(server: Server, env: dict[str, str]) -> None:
    server.behave(answers.redirect(307, "/ping/m/complete\nX-Injected: yes"), answers.ok())
    assert run_radar(*_words(), env=env).stderr == b""
    assert server.requests[1].target == "/ping/m/complete"
    assert "x-injected" not in server.requests[1].headers
