"""https: whom a ping trusts, and what it says when it can't."""

import datetime
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from tests.pings.arrivals import deliver_later
from tests.support.certificates import Authority
from tests.support.pings import kinds, read_pings
from tests.support.radar import run_radar
from tests.support.requirements import require_program
from tests.support.server import Server

_YEAR = datetime.timedelta(days=365)


@pytest.fixture
def tls_env(tls_server: Server, env: dict[str, str]) -> dict[str, str]:
    return {**env, "RADAR_SERVER": tls_server.url}


def test_it_trusts_the_file_in_ssl_cert_file(
    tls_server: Server, authority: Authority, tls_env: dict[str, str]
) -> None:
    done = run_radar(
        "run", "m", "--", "echo", "out", env={**tls_env, "SSL_CERT_FILE": str(authority.ca_file)}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert [(ping.kind, ping.body) for ping in tls_server.accepted] == [
        ("start", b""),
        ("complete", b"out\n"),
    ]
    assert tls_server.connections == 1


def test_it_trusts_the_file_in_radar_ca_file(
    tls_server: Server, authority: Authority, tls_env: dict[str, str]
) -> None:
    run_radar("run", "m", "--", "true", env={**tls_env, "RADAR_CA_FILE": str(authority.ca_file)})
    assert len(tls_server.accepted) == 2


def test_it_trusts_the_ca_file_of_the_profile(
    tls_server: Server, authority: Authority, tmp_path: Path, env: dict[str, str]
) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.ca_file.read_bytes())
    (tmp_path / "config.toml").write_text(
        f'[profiles.prod]\nserver = "{tls_server.url}"\napi_key = "k1"\nca_file = "ca.pem"\n'
    )
    (tmp_path / "config.toml").chmod(0o600)
    done = run_radar("run", "m", "--to", "prod", "--", "true", env=env)
    assert (done.stderr, len(tls_server.accepted)) == (b"", 2)


def test_it_trusts_a_hashed_directory(
    tls_server: Server, authority: Authority, tmp_path: Path, tls_env: dict[str, str]
) -> None:
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / "ca.pem").write_bytes(authority.ca_file.read_bytes())
    subprocess.run([require_program("openssl"), "rehash", folder], check=True)
    run_radar("run", "m", "--", "true", env={**tls_env, "SSL_CERT_DIR": str(folder)})
    assert len(tls_server.accepted) == 2


def test_an_unknown_authority_is_named_and_the_pings_are_kept(
    tls_server: Server, authority: Authority, tls_env: dict[str, str]
) -> None:
    done = run_radar("run", "m", "--", "sh", "-c", "exit 3", env=tls_env, text=True)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "unable to get local issuer certificate" in line or "self-signed" in line
    assert "RADAR_CA_FILE" in line
    assert tls_server.requests == []
    kept = read_pings()
    assert [ping.kind for ping in kept] == ["start", "fail"]
    trusting = {**tls_env, "SSL_CERT_FILE": str(authority.ca_file)}
    deliver_later(tls_server, trusting, "m", kept)


def test_a_certificate_for_another_host_is_named(authority: Authority, env: dict[str, str]) -> None:
    with Server(tls=authority.server_context("elsewhere.example")) as server:
        env |= {"RADAR_SERVER": server.url, "SSL_CERT_FILE": str(authority.ca_file)}
        done = run_radar("run", "m", "--", "true", env=env, text=True)
        (line,) = done.stderr.splitlines()
        assert "not valid for 'localhost'" in line
        assert "is the URL right?" in line
        assert (server.requests, kinds()) == ([], ["start", "success"])


def test_an_expired_certificate_is_named(tmp_path: Path, env: dict[str, str]) -> None:
    ca, now = trustme.CA(), datetime.datetime.now(datetime.UTC)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", not_after=now - _YEAR).configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with Server(tls=context) as server:
        env |= {"RADAR_SERVER": server.url, "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        done = run_radar("run", "m", "--", "true", env=env, text=True)
        (line,) = done.stderr.splitlines()
        assert "certificate has expired" in line
        assert "clock" in line
        assert (server.requests, kinds()) == ([], ["start", "success"])


@pytest.mark.parametrize("content", [None, b"", b"no certificate\n"])
def test_a_ca_file_that_cannot_be_used_is_named(
    content: bytes | None, tls_server: Server, tmp_path: Path, tls_env: dict[str, str]
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    done = run_radar(
        "run", "m", "--", "true", env={**tls_env, "SSL_CERT_FILE": str(path)}, text=True
    )
    (line,) = done.stderr.splitlines()
    assert f"the CA file {path} can't be used" in line
    assert (tls_server.requests, kinds()) == ([], ["start", "success"])


def test_a_server_that_speaks_no_tls_is_waited_for(server: Server, env: dict[str, str]) -> None:
    env["RADAR_SERVER"] = server.url.replace("http://", "https://")
    done = run_radar("run", "m", "--", "true", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert kinds() == ["start", "success"]
