"""Through which proxy a ping goes."""

import base64

import pytest

from radar_cli.core.urls import Url
from radar_cli.net.messages import LinkError
from radar_cli.net.proxies import proxy_for
from tests.support.certificates import Authority
from tests.support.pings import kinds
from tests.support.proxy import Proxy
from tests.support.radar import run_radar
from tests.support.server import Server


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_it_goes_through_the_proxy(
    name: str, server: Server, proxy: Proxy, env: dict[str, str]
) -> None:
    done = run_radar("run", "m", "--", "true", env={**env, name: proxy.url})
    assert (done.returncode, done.stderr) == (0, b"")
    assert [ping.kind for ping in server.accepted] == ["start", "complete"]
    assert len(proxy.requests) == 2
    assert all(request.target.startswith(server.url) for request in proxy.requests)


def test_it_gives_the_proxy_its_password(server: Server, env: dict[str, str]) -> None:
    with Proxy(credentials="me:p@ss word") as proxy:
        env["http_proxy"] = proxy.url.replace("://", "://me:p%40ss%20word@")
        run_radar("run", "m", "--", "true", env=env)
        assert len(server.accepted) == 2
        token = base64.b64encode(b"me:p@ss word").decode()
        assert proxy.requests[0].headers["proxy-authorization"] == f"Basic {token}"
        assert all("proxy-authorization" not in ping.request.headers for ping in server.pings)


def test_it_says_that_the_proxy_wants_a_password(server: Server, env: dict[str, str]) -> None:
    with Proxy(credentials="me:secret") as proxy:
        done = run_radar("run", "m", "--", "true", env={**env, "http_proxy": proxy.url}, text=True)
    (line,) = done.stderr.splitlines()
    assert "407" in line
    assert "the proxy wants a user" in line
    assert kinds() == ["start", "success"]
    assert server.pings == []


def test_https_goes_through_a_tunnel(
    tls_server: Server, authority: Authority, env: dict[str, str]
) -> None:
    with Proxy(credentials="me:secret") as proxy:
        env |= {
            "RADAR_SERVER": tls_server.url,
            "SSL_CERT_FILE": str(authority.ca_file),
            "HTTPS_PROXY": proxy.url.replace("://", "://me:secret@"),
        }
        done = run_radar("run", "m", "--", "true", env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        assert [ping.kind for ping in tls_server.accepted] == ["start", "complete"]
        (tunnel,) = proxy.requests
        assert (tunnel.method, tunnel.target) == ("CONNECT", f"localhost:{tls_server.port}")
        assert "authorization" not in tunnel.headers


def test_a_tunnel_that_is_refused_is_named(
    tls_server: Server, authority: Authority, env: dict[str, str]
) -> None:
    with Proxy(credentials="me:secret") as proxy:
        env |= {
            "RADAR_SERVER": tls_server.url,
            "SSL_CERT_FILE": str(authority.ca_file),
            "HTTPS_PROXY": proxy.url,
        }
        done = run_radar("run", "m", "--", "sh", "-c", "exit 3", env=env, text=True)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert f"proxy {proxy.url} answered 407 (the proxy wants a user and a password)" in line
    assert kinds() == ["start", "fail"]


def test_a_proxy_that_refuses_connections_is_waited_for(
    server: Server, proxy: Proxy, env: dict[str, str]
) -> None:
    proxy.stop()
    done = run_radar(
        "run", "m", "-v", "--", "true", env={**env, "http_proxy": proxy.url}, text=True
    )
    assert f"proxy {proxy.url}: Connection refused" in done.stderr
    assert (kinds(), server.pings) == (["start", "success"], [])


@pytest.mark.parametrize(
    "url", ["socks5://me:secret@127.0.0.1:1", "https://me:secret@h", "http://"]
)
def test_a_proxy_that_it_cannot_use_is_named_without_its_password(
    url: str, server: Server, env: dict[str, str]
) -> None:
    done = run_radar("run", "m", "--", "true", env={**env, "ALL_PROXY": url}, text=True)
    (line,) = done.stderr.splitlines()
    assert "the proxy in ALL_PROXY can't be used" in line
    assert "secret" not in line
    assert (kinds(), server.pings) == (["start", "success"], [])


def test_it_goes_around_the_proxy_for_exceptions(
    server: Server, proxy: Proxy, env: dict[str, str]
) -> None:
    env |= {"http_proxy": proxy.url, "NO_PROXY": "localhost,127.0.0.0/8"}
    run_radar("run", "m", "--", "true", env=env)
    assert (len(server.accepted), proxy.requests) == (2, [])


def test_a_cgi_does_not_believe_its_client_about_proxies(
    server: Server, proxy: Proxy, env: dict[str, str]
) -> None:
    env |= {"HTTP_PROXY": proxy.url, "REQUEST_METHOD": "POST"}
    run_radar("run", "m", "--", "true", env=env)
    assert (len(server.accepted), proxy.requests) == (2, [])


@pytest.mark.parametrize(
    ("url", "exceptions", "is_direct"),
    [
        ("http://radar.example", "*", True),
        ("http://radar.example", "radar.example", True),
        ("http://radar.example", "RADAR.EXAMPLE", True),
        ("http://radar.example", "other.example, radar.example", True),
        ("http://radar.example", "example", True),
        ("http://radar.example", ".example", True),
        ("http://radar.example", "*.example", True),
        ("http://radar.example", "adar.example", False),
        ("http://radar.example", "radar.example:80", True),
        ("http://radar.example", "radar.example:81", False),
        ("http://radar.example:81", "radar.example:81", True),
        ("http://radar.example", "", False),
        ("http://radar.example", ", ,", False),
        ("http://10.1.2.3", "10.0.0.0/8", True),
        ("http://10.1.2.3", "10.1.2.0/23", True),
        ("http://10.1.2.3", "10.1.4.0/23", False),
        ("http://10.1.2.3", "10.0.0.0/99", False),
        ("http://10.1.2.3", "10.0.0.0/x", False),
        ("http://10.1.2.3", "0.0.0.0/0", True),
        ("http://radar.example", "10.0.0.0/8", False),
        ("http://[::1]:8080", "::1", True),
        ("http://[::1]:8080", "[::1]", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://[::1]:8080", "[::1]:81", False),
        ("http://[fd00::12]", "fd00::/8", True),
        ("http://[fe80::12]", "fd00::/8", False),
    ],
)
def test_it_reads_no_proxy_as_curl_does(url: str, exceptions: str, is_direct: bool) -> None:
    environ = {"http_proxy": "http://proxy:3128", "no_proxy": exceptions}
    assert (proxy_for(Url(url), environ) is None) is is_direct


def test_the_lower_case_variable_wins() -> None:
    environ = {"http_proxy": "proxy:3128", "HTTP_PROXY": "http://other", "ALL_PROXY": "http://all"}
    proxy = proxy_for(Url("http://radar.example"), environ)
    assert proxy is not None
    assert proxy.text == "http://proxy:3128"
    tls = proxy_for(Url("https://radar.example"), environ)
    assert tls is not None
    assert tls.text == "http://all"


def test_a_password_that_is_no_percent_encoding_is_refused() -> None:
    with pytest.raises(LinkError, match="http_proxy"):
        proxy_for(Url("http://radar.example"), {"http_proxy": "http://me:100%@proxy"})
