import http.client
import ssl
from contextlib import closing

from tests.support.certificates import Authority
from tests.support.proxy import Proxy
from tests.support.server import Server


def test_it_forwards_and_keeps_the_connection(server: Server, proxy: Proxy) -> None:
    with closing(http.client.HTTPConnection(proxy.host, proxy.port, timeout=5)) as client:
        for _ in range(2):
            client.request("POST", f"{server.url}/ping/m/start?rid=1", b"body")
            assert client.getresponse().read() == b"OK"

    assert [ping.query for ping in server.pings] == [{"rid": "1"}] * 2
    assert server.requests[0].body == b"body"
    assert proxy.requests[0].target == f"{server.url}/ping/m/start?rid=1"
    assert proxy.connections == 1


def test_it_tunnels_to_names_that_only_it_knows(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    with (
        Server(tls=authority.server_context("radar.test")) as server,
        Proxy(hosts={"radar.test": server.port}) as proxy,
        closing(http.client.HTTPSConnection(proxy.host, proxy.port, context=context)) as client,
    ):
        client.set_tunnel("radar.test", 443)
        client.request("POST", "/ping/m", b"x")
        assert client.getresponse().read() == b"OK"

    assert [request.target for request in proxy.requests] == ["radar.test:443"]
    assert proxy.requests[0].method == "CONNECT"
    assert len(server.pings) == 1


def test_it_demands_its_credentials(server: Server) -> None:
    with (
        Proxy(credentials="me:secret") as proxy,
        closing(http.client.HTTPConnection(proxy.host, proxy.port, timeout=5)) as client,
    ):
        client.request("GET", f"{server.url}/")
        response = client.getresponse()
        assert (response.status, response.read()) == (407, b"")
        headers = {"Proxy-Authorization": "Basic bWU6c2VjcmV0"}
        client.request("GET", f"{server.url}/", headers=headers)
        assert client.getresponse().read() == b"OK"

    assert len(server.requests) == 1
    assert "proxy-authorization" not in server.requests[0].headers


def test_it_hangs_up_if_it_can_not_reach_the_server(proxy: Proxy) -> None:
    with closing(http.client.HTTPConnection(proxy.host, proxy.port, timeout=5)) as client:
        client.request("GET", "http://127.0.0.1:1/")
        try:
            client.getresponse()
        except http.client.RemoteDisconnected:
            return
    raise AssertionError("it answered")
