"""Through which proxy a ping goes."""

import base64
from pathlib import Path

import pytest

from radar_cli.core.urls import Url
from radar_cli.net import LinkError
from radar_cli.net.proxies import proxy_for
from tests.pings.arrivals import deliver_later
from tests.support.certificates import Authority
from tests.support.pings import kinds, read_pings
from tests.support.proxy import Proxy
from tests.support.radar import environment, run_radar
from tests.support.relay import Relay
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


_UNUSABLE = [
    ("socks5://me:secret@127.0.0.1:1", "not to socks5://"),
    ("SOCKS5H://me:secret@127.0.0.1:1", "not to SOCKS5H://"),
    ("socks4a://127.0.0.1", "not to socks4a://"),
    ("https://me:secret@h", "not to https://"),
    ("://me:secret@h", "not to ://"),
    ("http://", "it needs a host"),
    ("http://me:secret@", "it needs a host"),
    ("http://me:secret@h:port", "it needs a host"),
    ("http://me:secret@h:99999", "it needs a host"),
    ("http://me:secret@[::1", "it needs a host"),
    ("me:secret@h:0", "it needs a host"),
    ("http://me:secret@h/?x=1", "'?' or '#'"),
    ("http://me:secret@h\n", ""),
    ("http://me:se cret@h", "a space"),
    ("http://me:100%secret@h", "no percent-encoding"),
    ("http://me:%ff%secret@h", "no percent-encoding"),
]


@pytest.mark.parametrize(("url", "why"), _UNUSABLE)
def test_a_proxy_that_it_cannot_use_is_named_without_its_password(url: str, why: str) -> None:
    environ = {"ALL_PROXY": url}
    if not why:
        assert proxy_for(Url("http://radar.example"), environ) is not None
        return
    with pytest.raises(LinkError) as caught:
        proxy_for(Url("http://radar.example"), environ)
    assert str(caught.value).startswith("the proxy in ALL_PROXY can't be used: ")
    assert why in str(caught.value)
    assert "cret" not in str(caught.value)
    assert caught.value.is_setting
    assert caught.value.needs_person


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_that_it_cannot_speak_to_is_said_once_and_the_pings_wait(
    name: str, server: Server, env: dict[str, str]
) -> None:
    url = "socks5://me:secret@127.0.0.1:1"
    done = run_radar("run", "m", "--", "sh", "-c", "exit 3", env={**env, name: url}, text=True)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert f"the start and fail pings are kept in the outbox: the proxy in {name} can't" in line
    assert "set http_proxy to an http:// proxy, or name the server in no_proxy" in line
    assert "secret" not in line
    kept = read_pings()
    assert ([ping.kind for ping in kept], server.pings) == (["start", "fail"], [])
    # The hint helps.
    deliver_later(server, {**env, name: url, "no_proxy": "127.0.0.1"}, "m", kept)


def test_two_destinations_have_one_such_fault(
    server: Server, tmp_path: Path, env: dict[str, str]
) -> None:
    table = f'server = "{server.url}"\napi_key = "k1"\n'
    (tmp_path / "config.toml").write_text(
        f"[profiles.a]\n{table}[profiles.b]\n{table.replace('127.0.0.1', 'localhost')}"
    )
    (tmp_path / "config.toml").chmod(0o600)
    env = environment(ALL_PROXY="socks5://127.0.0.1:1", RADAR_PING_TIMEOUT="1")
    done = run_radar("run", "m", "--to", "a", "--to", "b", "--", "true", env=env, text=True)
    (line,) = done.stderr.splitlines()
    assert "the start and success pings are kept in the outbox: the proxy in ALL_PROXY" in line
    assert len(read_pings()) == 4


def test_other_commands_say_the_same(server: Server, env: dict[str, str]) -> None:
    env["ALL_PROXY"] = "socks5://127.0.0.1:1"
    done = run_radar("status", env=env, text=True)
    assert done.returncode == 2
    assert "the proxy in ALL_PROXY can't be used: radar speaks to http:// proxies" in done.stderr
    assert server.connections == 0


def test_a_user_without_a_password_has_an_empty_one(server: Server, env: dict[str, str]) -> None:
    with Proxy(credentials="me:") as proxy:
        env["http_proxy"] = proxy.url.replace("://", "://me@")
        run_radar("run", "m", "--", "true", env=env)
        assert len(server.accepted) == 2


@pytest.mark.parametrize("way", ["http", "https"])
def test_it_goes_through_a_proxy_on_a_slow_line(
    way: str, server: Server, tls_server: Server, authority: Authority, env: dict[str, str]
) -> None:
    target = {"http": server, "https": tls_server}[way]
    with Proxy(credentials="me:p@ss") as proxy, Relay(proxy.port, is_slow=True) as relay:
        env |= {
            "RADAR_SERVER": target.url,
            "RADAR_PING_TIMEOUT": "10",
            "SSL_CERT_FILE": str(authority.ca_file),
            f"{way}_proxy": f"me:p%40ss@127.0.0.1:{relay.port}",
        }
        done = run_radar("run", "m", "-v", "--", "sh", "-c", "seq 2000", env=env)
        assert done.stderr == b""
        assert [ping.kind for ping in target.accepted] == ["start", "complete"]
        assert target.accepted[1].body == done.stdout[-len(target.accepted[1].body) :]


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
        ("http://[::1]", "0:0:0:0:0:0:0:1", True),
        ("http://[::1]", "[0::1]:80", True),
        ("http://[::1]", "::/0", True),
        ("http://[::1]", "0.0.0.0/0", False),
        ("http://10.1.2.3", "2.3", False),
        ("http://10.1.2.3", ".1.2.3", False),
        ("http://10.1.2.3", "10.1.2.3:80", True),
        ("http://10.1.2.3", "10.1.2.3/", False),
        ("http://10.1.2.3", "10.0.0.0/-1", False),
        ("http://radar.example", "radar.example.", True),
        ("http://radar.example.", ".example", True),
        ("http://radar.example", ".", False),
        ("http://radar.example", "*.", False),
        ("http://radar.example", "a\tradar.example", True),
    ],
)
def test_it_reads_no_proxy_as_curl_does(url: str, exceptions: str, is_direct: bool) -> None:
    environ = {"http_proxy": "http://proxy:3128", "no_proxy": exceptions}
    assert (proxy_for(Url(url), environ) is None) is is_direct


def test_an_empty_variable_is_none() -> None:
    environ = {"http_proxy": "", "HTTP_PROXY": " ", "all_proxy": "", "ALL_PROXY": "http://all"}
    proxy = proxy_for(Url("http://radar.example"), environ)
    assert proxy is not None
    assert proxy.text == "http://all"
    assert proxy_for(Url("http://radar.example"), {"http_proxy": "", "ALL_PROXY": ""}) is None


def test_the_lower_case_variable_wins() -> None:
    environ = {"http_proxy": "proxy:3128", "HTTP_PROXY": "http://other", "ALL_PROXY": "http://all"}
    proxy = proxy_for(Url("http://radar.example"), environ)
    assert proxy is not None
    assert proxy.text == "http://proxy:3128"
    tls = proxy_for(Url("https://radar.example"), environ)
    assert tls is not None
    assert tls.text == "http://all"
