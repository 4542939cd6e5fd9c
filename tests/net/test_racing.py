"""A server with several addresses, some of which are dead."""

import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar_cli.core.urls import Url
from radar_cli.net import LinkError
from radar_cli.net.client import Link
from radar_cli.net.racing import race
from tests.support import answers
from tests.support.namespaces import own_names
from tests.support.pings import kinds
from tests.support.proxy import Proxy
from tests.support.radar import run_radar
from tests.support.relay import Relay
from tests.support.requirements import require
from tests.support.server import Server, refused_port, unreachable_port
from tests.support.waiting import wait_until

_NAME = "radar.example"


class Place:
    """One port on many addresses: where it is dead, refused or a server's."""

    def __init__(self, port: int, sockets: contextlib.ExitStack) -> None:
        self.port = port
        self._sockets = sockets
        self._hosts: list[str] = []

    def dead(self, *hosts: str) -> None:
        for host in hosts:
            self._sockets.enter_context(unreachable_port(host, self.port))
        self._hosts += hosts

    def refused(self, *hosts: str) -> None:
        for host in hosts:
            self._sockets.enter_context(refused_port(host, self.port))
        self._hosts += hosts

    def serve(self, host: str) -> Server:
        self._hosts.append(host)
        return self._sockets.enter_context(Server(host=host, port=self.port))

    def relay(self, host: str) -> Server:
        """A server on the other side of a slow line."""
        server = self._sockets.enter_context(Server())
        self._sockets.enter_context(Relay(server.port, is_slow=True, host=host, port=self.port))
        self._hosts.append(host)
        return server

    def run(self, env: dict[str, str], tmp_path: Path, *words: str) -> tuple[int, str]:
        """`radar run` for a server whose name has all these addresses."""
        hosts = "".join(f"{host} {_NAME}\n" for host in self._hosts)
        env = {**env, "RADAR_SERVER": f"http://{_NAME}:{self.port}"}
        prefix = own_names(hosts, tmp_path)
        words = words or ("run", "m", "-v", "--", "true")
        done = run_radar(*words, env=env, prefix=prefix, text=True)
        return done.returncode, done.stderr


@pytest.fixture
def place() -> Iterator[Place]:
    with contextlib.ExitStack() as sockets:
        require(socket.has_dualstack_ipv6(), "IPv6 on loopback")
        # A port that is free on every address, IPv6 included.
        with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as free:
            port: int = free.getsockname()[1]
        yield Place(port, sockets)


def _kinds(server: Server) -> list[str]:
    return [ping.kind for ping in server.accepted]


@pytest.mark.parametrize("way", ["serve", "relay"])
def test_it_goes_around_a_dead_ipv6_address(
    way: str, place: Place, env: dict[str, str], tmp_path: Path
) -> None:
    place.dead("::1")
    server: Server = getattr(place, way)("127.0.0.1")
    assert place.run(env, tmp_path) == (0, "")
    assert _kinds(server) == ["start", "complete"]


def test_it_goes_around_a_dead_ipv4_address(
    place: Place, env: dict[str, str], tmp_path: Path
) -> None:
    place.dead("127.0.0.1")
    server = place.serve("::1")
    assert place.run(env, tmp_path) == (0, "")
    assert _kinds(server) == ["start", "complete"]


def test_it_goes_around_an_address_that_refuses(
    place: Place, env: dict[str, str], tmp_path: Path
) -> None:
    place.refused("::1", "127.0.0.2")
    server = place.serve("127.0.0.1")
    assert place.run(env, tmp_path) == (0, "")
    assert _kinds(server) == ["start", "complete"]


def test_it_finds_the_one_of_eight_that_lives(
    place: Place, env: dict[str, str], tmp_path: Path
) -> None:
    place.dead("::1", *(f"127.0.0.{n}" for n in range(2, 7)))
    server = place.serve("127.0.0.7")
    place.dead("127.0.0.8")
    assert place.run(env, tmp_path) == (0, "")
    assert _kinds(server) == ["start", "complete"]


def test_where_all_are_dead_it_says_so_and_keeps_the_pings(
    place: Place, env: dict[str, str], tmp_path: Path
) -> None:
    place.dead("::1", "127.0.0.1")
    code, stderr = place.run({**env, "RADAR_PING_TIMEOUT": "0.5"}, tmp_path)
    assert code == 0
    assert "no answer in time" in stderr
    assert kinds() == ["start", "success"]


def test_where_none_answers_it_says_why_for_each(
    place: Place, env: dict[str, str], tmp_path: Path
) -> None:
    place.refused("::1", "127.0.0.1", "127.0.0.2", "127.0.0.3")
    code, stderr = place.run(env, tmp_path)
    assert code == 0
    assert f"http://{_NAME}:{place.port}: Connection refused (::1, " in stderr
    assert " and 1 more)" in stderr
    assert kinds() == ["start", "success"]


def test_a_proxy_may_have_a_dead_address_too(
    place: Place, env: dict[str, str], tmp_path: Path, server: Server
) -> None:
    with Proxy() as proxy, Relay(proxy.port, is_slow=True, host="127.0.0.1", port=place.port):
        place.dead("::1")
        names = own_names(f"::1 {_NAME}\n127.0.0.1 {_NAME}\n", tmp_path)
        env |= {"RADAR_SERVER": server.url, "http_proxy": f"http://{_NAME}:{place.port}"}
        done = run_radar("run", "m", "-v", "--", "true", env=env, prefix=names)
        assert (done.returncode, done.stderr) == (0, b"")
        assert (_kinds(server), len(proxy.requests)) == (["start", "complete"], 2)


def test_one_that_accepts_and_is_silent_is_asked_last(
    place: Place, env: dict[str, str], tmp_path: Path
) -> None:
    silent, server = place.serve("::1"), place.serve("127.0.0.1")
    silent.behave(answers.accept_only())
    env["RADAR_PING_TIMEOUT"] = "6"
    assert place.run(env, tmp_path, "run", "m", "-v", "--no-start", "--", "true") == (0, "")
    assert _kinds(server) == ["complete"]
    assert silent.connections == 1


def _infos(port: int, *hosts: str) -> list[tuple[int, int, int, str, object]]:
    found: list[tuple[int, int, int, str, object]] = []
    for host in hosts:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        found.append((int(family), int(socket.SOCK_STREAM), 0, "", (host, port)))
    return found


def test_addresses_that_are_slow_to_connect_are_waited_for_side_by_side(place: Place) -> None:
    # Each is given less than the live one needs, if they have to share the time.
    hosts = [f"127.0.0.{n}" for n in range(2, 9)]
    place.dead(*hosts)
    with socket.socket() as live:
        live.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        live.bind(("127.0.0.9", place.port))
        live.listen(0)
        fillers = [socket.socket() for _ in range(2)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(live.getsockname())

        def let_in() -> None:
            # Not before its turn: the kernel asks again after a second, with no luck till then.
            wait_until(lambda: _is_asked(place.port, "127.0.0.9"))
            for _ in fillers:
                live.accept()[0].close()

        opener = threading.Thread(target=let_in)
        opener.start()
        try:
            connection = race(
                _infos(place.port, *hosts, "127.0.0.9"),
                None,
                ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
                head_start_s=0.05,
                deadline=time.monotonic() + 8,
            )
            assert connection.getpeername()[0] == "127.0.0.9"
            connection.close()
        finally:
            opener.join()
            for filler in fillers:
                filler.close()


def _is_asked(port: int, host: str) -> bool:
    """Whether a connect of ours to the address waits for an answer (SYN_SENT)."""
    place = f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    asked = [line.split() for line in lines if line.split()[2] == place]
    return sum(words[3] == "02" for words in asked) > 0


@pytest.mark.own_field
def test_those_that_lose_are_closed(place: Place) -> None:
    place.dead("127.0.0.2", "127.0.0.3")
    server = place.serve("127.0.0.1")
    begun = socket.socket()
    begun.setblocking(False)
    begun.connect_ex(("127.0.0.2", place.port))
    before = len(os.listdir("/proc/self/fd"))
    connection = race(
        _infos(place.port, "127.0.0.2", "127.0.0.3", "127.0.0.1"),
        begun,
        TimeoutError("timed out"),
        head_start_s=0.05,
        deadline=time.monotonic() + 20,
    )
    assert connection.getpeername() == (server.host, place.port)
    connection.close()
    assert begun.fileno() == -1
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_the_first_may_win_late(place: Place) -> None:
    server = place.serve("127.0.0.1")
    place.dead("127.0.0.2")
    begun = socket.socket()
    begun.setblocking(False)
    begun.connect_ex((server.host, place.port))
    infos = _infos(place.port, "127.0.0.1", "127.0.0.2")
    timed_out = TimeoutError("timed out")
    won = race(infos, begun, timed_out, head_start_s=0.05, deadline=time.monotonic() + 20)
    assert won is begun
    won.close()


def test_a_kernel_that_has_no_such_family_is_no_obstacle(place: Place) -> None:
    server = place.serve("127.0.0.1")
    unknown = (socket.AF_MAX if hasattr(socket, "AF_MAX") else 45, 1, 0, "", ("::1", place.port))
    won = race(
        [unknown, unknown, *_infos(place.port, "127.0.0.1")],
        None,
        OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT)),
        head_start_s=0.05,
        deadline=time.monotonic() + 20,
    )
    assert won.getpeername() == (server.host, place.port)
    won.close()


def test_families_take_turns(place: Place) -> None:
    place.refused("::1", "127.0.0.1", "127.0.0.2", "127.0.0.3")
    infos = _infos(place.port, "::1", "::1", "127.0.0.1", "127.0.0.2", "127.0.0.3")
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "first")
    with pytest.raises(ConnectionRefusedError) as caught:
        race(infos, None, refused, head_start_s=0.05, deadline=time.monotonic() + 20)
    words = "first (::1); Connection refused (127.0.0.1, ::1, 127.0.0.2 and 1 more)"
    assert caught.value.strerror == words


def test_a_single_address_that_is_dead_is_no_race() -> None:
    with unreachable_port() as port:
        link = Link(Url(f"http://127.0.0.1:{port}"), proxy=None, ca_file="", environ={})
        with pytest.raises(LinkError, match=r"^no answer in time$"):
            link.post("/ping/m", {}, b"", time.monotonic() + 0.2)
        link.close()
