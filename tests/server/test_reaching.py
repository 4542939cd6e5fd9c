"""A server where people put it: with a certificate of its own, or behind a proxy with a path."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
        return
    options = ("--root-path", "/radar", "--trusted-proxy", "127.0.0.1")
    with (
        serving(tmp_path / "state", *options) as server,
        ReverseProxy(server.url, "/radar", authority.server_context()) as proxy,
    ):
        yield server, proxy.url


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
        kinds = {key: [ping.kind for ping in store.pings_before(key, None, 9)] for key in _KEYS}
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
