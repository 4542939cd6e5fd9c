"""Bodies of any length over any network, and requests in an unusual order."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar_cli.model.ping import Ping
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.raw_http import RawConnection
from tests.support.relay import PACKET_BYTES, Relay
from tests.support.requirements import require_program

_LIMIT = 100_000
_MB = 1_000_000
_SLOW = _MB  # bytes a second


@pytest.fixture
def relay(shared: RadarServer) -> Iterator[Relay]:
    """A slow network before the server."""
    with Relay(shared.port, is_slow=True) as started:
        yield started


def _last(server: RadarServer, monitor: str) -> Ping:
    with server.store() as store:
        return store.pings.newest(monitor, 1)[-1]


def _numbered(total_bytes: int) -> bytes:
    """So many bytes, of which each piece is unlike the others."""
    lines = b"".join(b"%07d\n" % number for number in range(total_bytes // 8 + 1))
    return lines[:total_bytes]


def _curl(relay: Relay, server: RadarServer, path: str, body: Path, *words: str) -> str:
    """POST a file by curl through the relay; return the status."""
    curl = require_program("curl")
    done = subprocess.run(
        [
            *(curl, "-sS", "--noproxy", "*", "-m", "60", "-o", "/dev/null", "-w", "%{http_code}"),
            *("-H", f"Authorization: Bearer {server.key}", "--data-binary", f"@{body}", *words),
            f"http://127.0.0.1:{relay.port}/ping/{path}?create=1",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "size", [1, PACKET_BYTES, 65_535, 65_536, 65_537, 70_000, _LIMIT, _LIMIT + 1, 300_000]
)
def test_a_body_of_any_length_is_read_to_its_end_over_a_slow_network(
    shared: RadarServer, relay: Relay, size: int
) -> None:
    body = _numbered(size)
    with RawConnection(shared, relay.port) as connection:
        connection.send(connection.head(f"/ping/b{size}/fail?create=1", f"Content-Length: {size}"))
        connection.send(body)
        assert connection.read().status == 200
    ping = _last(shared, f"b{size}")
    assert (ping.kind, ping.body) == ("fail", body[-_LIMIT:])
    assert ping.fields.get("omitted", "0") == str(max(0, size - _LIMIT))


def test_a_chunked_body_comes_over_a_slow_network_too(shared: RadarServer, relay: Relay) -> None:
    body = _numbered(200_000)
    with RawConnection(shared, relay.port) as connection:
        head = connection.head("/ping/chunked?create=1", "Transfer-Encoding: chunked")
        connection.send(head)
        for start in range(0, len(body), 30_000):
            piece = body[start : start + 30_000]
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")
        assert connection.read().status == 200
        # And the connection goes on with the next request.
        connection.send(connection.head("/ping/chunked", method="GET"))
        assert connection.read().status == 200
    with shared.store() as store:
        chunked, _ = store.pings.newest("chunked", 2)
    assert chunked.body == body[-_LIMIT:]


@pytest.mark.parametrize("expect", ["Expect: 100-continue", "Expect:"])
def test_curl_brings_a_long_output(
    shared: RadarServer, relay: Relay, tmp_path: Path, expect: str
) -> None:
    path, body = tmp_path / "output", _numbered(1_200_000)
    path.write_bytes(body)
    assert _curl(relay, shared, "curl/fail", path, "-H", expect) == "200"
    ping = _last(shared, "curl")
    assert (ping.kind, ping.body) == ("fail", body[-_LIMIT:])


def test_a_chatty_job_of_radars_own_ends_as_soon_as_its_output_is_there(
    shared: RadarServer, relay: Relay
) -> None:
    env = environment(
        RADAR_SERVER=f"http://127.0.0.1:{relay.port}", RADAR_API_KEY=shared.key, RADAR_TAIL="90k"
    )
    done = run_radar("run", "chatty", "--", "seq", "100000", env=env, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    ping = _last(shared, "chatty")
    assert ping.body.endswith(b"99999\n100000\n")
    assert len(ping.body) > 65_536


@pytest.mark.slow
def test_an_output_of_11_mb_is_kept_with_its_end(
    shared: RadarServer, relay: Relay, tmp_path: Path
) -> None:
    path, body = tmp_path / "output", _numbered(11 * _MB)
    path.write_bytes(body)
    assert _curl(relay, shared, "eleven/fail", path) == "200"
    ping = _last(shared, "eleven")
    assert (ping.kind, ping.body) == ("fail", body[-_LIMIT:])
    assert ping.fields["omitted"] == str(len(body) - _LIMIT)


def test_a_client_that_waits_is_told_to_go_on_once_its_key_is_accepted(shared: RadarServer) -> None:
    with RawConnection(shared) as connection:
        head = ("Content-Length: 4", "Expect: 100-continue")
        connection.send(connection.head("/ping/waiting?create=1", *head))
        assert connection.read().status == 100
        connection.send(b"body")
        assert connection.read().status == 200
    assert _last(shared, "waiting").body == b"body"


_REFUSALS = [
    ("/ping/job?create=1", "ck_app_0123456789_" + "a" * 43, 401),
    ("/ping/job?create=1", "", 401),
    ("/ping/job/256?create=1", None, 400),
    ("/ping/job?create=1&rid=nonsense", None, 400),
    ("/ping/018f4e9a-7b1c-4c3d-8e2f-5a6b7c8d9e0f", "", 401),
]


@pytest.mark.parametrize(("target", "key", "status"), _REFUSALS)
def test_who_is_refused_isnt_asked_for_the_body(
    shared: RadarServer, target: str, key: str | None, status: int
) -> None:
    with RawConnection(shared) as connection:
        head = ("Content-Length: 100", "Expect: 100-continue")
        connection.send(connection.head(target, *head, key=key))
        answer = connection.read()
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert answer.headers["ping-body-limit"] == str(_LIMIT)


@pytest.mark.parametrize(("target", "key", "status"), _REFUSALS)
@pytest.mark.parametrize("network", ["quick", "slow"])
def test_who_is_refused_in_the_middle_of_a_body_hears_why(
    shared: RadarServer, relay: Relay, target: str, key: str | None, status: int, network: str
) -> None:
    """However much of it is still on its way: the client may send it all before it reads."""
    port = relay.port if network == "slow" else 0
    with RawConnection(shared, port) as connection:
        connection.send(connection.head(target, f"Content-Length: {2 * _MB}", key=key))
        connection.send(_numbered(2 * _MB))
        answer = connection.read()
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        # What follows it is no request: it may have been meant as part of the body.
        connection.try_to_send(connection.head("/ping/smuggled?create=1", method="GET"))
        assert connection.is_closed()
    with shared.store() as store:
        assert store.monitors.find("smuggled") is None


def test_a_refusal_without_a_body_leaves_the_connection_as_it_is(shared: RadarServer) -> None:
    with RawConnection(shared) as connection:
        for target, status in (
            ("/ping/job/256", 400),
            ("/ping/nobody", 404),
            ("/ping/kept?create=1", 200),
            ("/ping/kept/Fail", 400),
            ("/ping/kept", 200),
        ):
            for method in ("GET", "HEAD"):
                connection.send(connection.head(target, method=method))
                answer = connection.read(method)
                assert answer.status == status, (method, target)
                assert answer.headers["ping-body-limit"] == str(_LIMIT)
                assert "connection" not in answer.headers


def test_requests_that_come_at_once_are_answered_in_their_order(shared: RadarServer) -> None:
    with RawConnection(shared) as connection:
        together = b"".join(
            (
                connection.head("/ping/pipe?create=1", method="GET"),
                connection.head("/ping/pipe/fail", "Content-Length: 3") + b"one",
                connection.head("/ping/pipe/Fail", method="GET"),
                connection.head("/ping/pipe/start", "Transfer-Encoding: chunked"),
                b"3\r\ntwo\r\n0\r\n\r\n",
                connection.head("/healthz", method="GET"),
                connection.head("/ping/pipe/256", "Content-Length: 5") + b"three",
            )
        )
        connection.send(together)
        statuses = [connection.read().status for _ in range(6)]
    assert statuses == [200, 200, 400, 200, 200, 400]
    with shared.store() as store:
        pings = [(ping.kind, ping.body) for ping in store.pings.newest("pipe", 9)]
    assert pings == [("success", b""), ("fail", b"one"), ("start", b"two")]


def test_a_head_that_is_too_long_is_refused(shared: RadarServer) -> None:
    for long in (
        connection_header("X-Long", 70_000),
        "\r\n".join(f"X-{number}: {'a' * 1000}" for number in range(70)),
        f"Authorization: Bearer {'k' * 2_000_000}",
    ):
        with RawConnection(shared) as connection:
            connection.try_to_send(
                connection.head("/ping/long?create=1", long, method="GET", key="")
            )
            answer = connection.read()
            assert answer.status == 431, long[:20]
            assert b"HEAD_TOO_LARGE" in answer.body
            assert answer.headers["connection"] == "close"
            assert answer.headers["ping-body-limit"] == str(_LIMIT)
    with RawConnection(shared) as connection:
        connection.try_to_send(b"GET /ping/" + b"a" * 100_000)
        assert connection.read().status == 431


def connection_header(name: str, length: int) -> str:
    return f"{name}: {'a' * length}"


def test_a_long_head_comes_in_its_turn(shared: RadarServer) -> None:
    """Behind the answer to the request before it, and what follows it is no request."""
    with RawConnection(shared) as connection:
        connection.try_to_send(
            connection.head("/ping/turn?create=1", method="GET")
            + connection.head("/ping/turn", connection_header("X-Long", 100_000), method="GET")
            + connection.head("/ping/turn/fail", method="GET")
        )
        assert [connection.read().status for _ in range(2)] == [200, 431]
        assert connection.is_closed()
    with shared.store() as store:
        assert [ping.kind for ping in store.pings.newest("turn", 9)] == ["success"]


def test_the_longest_head_of_radars_own_client_is_read(shared: RadarServer) -> None:
    """A message and a command of 2,000 characters that take twelve bytes each in a query."""
    env = environment(RADAR_SERVER=shared.url, RADAR_API_KEY=shared.key)
    words = ["--message", "\U0001f4a5" * 2_000, "--name", "\U0001f4a5" * 200]
    done = run_radar("ping", "wordy", *words, env=env, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(_last(shared, "wordy").fields["message"]) == 2_000


def test_a_body_that_ends_early_is_no_ping(shared: RadarServer) -> None:
    shared.ping("early", create="1")
    with RawConnection(shared) as connection:
        connection.send(connection.head("/ping/early/fail", "Content-Length: 100") + b"half")
    assert shared.ping("early").status_code == 200
    with shared.store() as store:
        assert [ping.kind for ping in store.pings.newest("early", 9)] == ["success"] * 2


@pytest.mark.slow
def test_a_body_of_which_nothing_comes_any_more_is_given_up(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server, RawConnection(server) as connection:
        connection.send(connection.head("/ping/job/fail?create=1", "Content-Length: 100") + b"half")
        answer = connection.read()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert b"TIMEOUT" in answer.body
        assert connection.is_closed()
        with server.store() as store:
            assert store.monitors.find("job") is None
