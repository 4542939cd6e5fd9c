"""The gate before every request: whose it is, whether it is for us, and what is noted of it."""

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radar_cli.server.runtime.guards import (
    REFUSED_HEAD,
    Gate,
    Proxies,
    allowed_hosts,
    classify,
    host_name,
)
from radar_cli.server.runtime.service import Service
from radar_cli.server.runtime.settings import ServerSettings
from radar_cli.store.opening import open_embedded
from radar_cli.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_embedded(str(tmp_path)) as opened:
        yield opened


class _Passing:
    """A gate, what is behind it, and what comes out of it."""

    def __init__(self, store: Store, *, log: io.StringIO | None = None, **settings: Any) -> None:
        self.service = Service(store, ServerSettings(**settings))
        self.gate = Gate(self._answer, self.service, log)
        self.seen: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.crash: Exception | None = None
        self.crash_after: Exception | None = None

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002
        self.seen.append(dict(scope))
        if self.crash is not None:
            raise self.crash
        await send({"type": "http.response.start", "status": 204, "headers": self.headers})
        if self.crash_after is not None:
            raise self.crash_after
        await send({"type": "http.response.body", "body": b"fine"})

    def ask(self, path: str = "/", host: str = "127.0.0.1:8321", **more: Any) -> int:
        """Return the status of the answer."""
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "scheme": "http",
            "client": ("127.0.0.1", 4711),
            "headers": [(b"accept", b"*/*"), (b"host", host.encode())],
            **more,
        }

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            self.sent.append(message)

        self.sent.clear()
        asyncio.run(self.gate(scope, receive, send))
        return int(self.sent[0]["status"]) if self.sent else 0

    @property
    def answered(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


def test_each_answer_tells_browsers_to_take_it_for_what_it_is(store: Store) -> None:
    passing = _Passing(store)
    passing.headers = [(b"cache-control", b"max-age=60"), (b"x-own", b"1")]
    assert passing.ask("/monitors") == 204
    assert passing.answered == {
        b"cache-control": b"max-age=60",
        b"x-own": b"1",
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"no-referrer",
        b"x-frame-options": b"DENY",
    }
    assert len(passing.sent[0]["headers"]) == 5
    assert passing.sent[1]["body"] == b"fine"


@pytest.mark.parametrize("root_path", ["", "/radar"])
def test_pings_are_told_how_much_of_them_is_kept(store: Store, root_path: str) -> None:
    passing = _Passing(store, body_limit_bytes=1234, root_path=root_path)
    passing.ask(f"{root_path}/ping/job")
    assert passing.answered[b"ping-body-limit"] == b"1234"
    passing.ask(f"{root_path}/api/v1/status")
    assert b"ping-body-limit" not in passing.answered


def test_another_host_is_turned_away_before_anything_is_done(store: Store) -> None:
    passing = _Passing(store)
    for host in ("127.0.0.1:8321", "localhost", "[::1]:8321", "LOCALHOST:1"):
        assert passing.ask(host=host) == 204
    assert len(passing.seen) == 4
    for host in ("radar.example", "", "evil.localhost"):
        assert passing.ask("/ping/m", host=host) == 421
        assert json.loads(passing.sent[1]["body"])["error"] == "WRONG_HOST"
        assert passing.answered[b"x-content-type-options"] == b"nosniff"
    assert len(passing.seen) == 4
    assert _Passing(store, allowed_hosts=("*",)).ask(host="radar.example") == 204
    assert passing.ask(headers=[]) == 421


def test_a_head_that_isnt_to_be_read_is_refused_as_whoever_read_it_says(store: Store) -> None:
    passing = _Passing(store)
    refused: dict[str, Any] = {REFUSED_HEAD: (431, "HEAD_TOO_LARGE", "it is too large")}
    assert passing.ask(**refused) == 431
    assert json.loads(passing.sent[1]["body"]) == {
        "error": "HEAD_TOO_LARGE",
        "message": "it is too large",
    }
    assert passing.seen == []


def test_a_crash_is_told_counted_and_logged_and_stops_nothing(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    passing = _Passing(store)
    passing.crash = RuntimeError("boom")
    assert passing.ask("/api/v1/status") == 500
    assert json.loads(passing.sent[1]["body"])["error"] == "INTERNAL_ERROR"
    assert "boom" in caplog.text
    passing.crash, passing.crash_after = None, RuntimeError("too late to say so")
    assert passing.ask("/api/v1/status") == 204
    assert len(passing.sent) == 1, "one answer, however it ended"
    assert "too late" in caplog.text
    assert dict(passing.service.counters.requests) == {
        ("GET", "api", 500): 1,
        ("GET", "api", 204): 1,
    }


def test_what_is_silent_is_counted_as_a_crash(store: Store) -> None:
    passing = _Passing(store)
    asked = {"type": "http", "method": "GET", "path": "/x", "headers": [(b"host", b"localhost")]}

    async def nothing(*_: Any) -> Any:
        return None

    log = io.StringIO()
    gate = Gate(nothing, passing.service, log)
    asyncio.run(gate(asked, nothing, nothing))
    assert json.loads(log.getvalue())["status"] == 500
    assert dict(passing.service.counters.requests) == {("GET", "other", 500): 1}


def test_requests_are_counted_and_written_down(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    log = io.StringIO()
    caplog.set_level("DEBUG", "radar")
    passing = _Passing(store, log=log, root_path="/radar")
    passing.ask("/radar/ping/m")
    passing.ask("/radar/ping/m", client=None)
    passing.ask("/radar/", host="radar.example")
    assert dict(passing.service.counters.requests) == {
        ("GET", "ping", 204): 2,
        ("GET", "page", 421): 1,
    }
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["client"], line["path"], line["status"]) for line in lines] == [
        ("127.0.0.1", "/radar/ping/m", 204),
        (None, "/radar/ping/m", 204),
        ("127.0.0.1", "/radar/", 421),
    ]
    assert all(0 <= line["ms"] < 60_000 for line in lines)
    assert "GET /radar/ping/m 204" in caplog.text


def test_what_is_no_request_passes_as_it_is(store: Store) -> None:
    passing = _Passing(store)
    seen = []

    async def note(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        seen.append(scope)

    asyncio.run(Gate(note, passing.service)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]  # nobody uses them
    assert seen == [{"type": "lifespan"}]
    assert not passing.service.counters.requests


@pytest.mark.parametrize(
    ("method", "path", "counted"),
    [
        ("GET", "/", ("GET", "page")),
        ("POST", "/ping/job/fail", ("POST", "ping")),
        ("GET", "/healthz", ("GET", "healthz")),
        ("BREW", "/coffee/pot", ("other", "other")),
    ],
)
def test_what_a_client_makes_up_is_counted_as_one(
    method: str, path: str, counted: tuple[str, str]
) -> None:
    assert classify(method, path) == counted


def _origin(
    forwarded: list[str], *, client: str = "10.0.0.1", proto: str = "", trusted: str = "10.0.0.0/8"
) -> tuple[str, str]:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    headers += [(b"x-forwarded-proto", proto.encode())] if proto else []
    scope: dict[str, Any] = {"client": (client, 4711), "scheme": "http", "headers": headers}
    Proxies((trusted, "fd00::/8")).settle_origin(scope)
    return scope["client"][0], scope["scheme"]


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        (["203.0.113.5, 192.0.2.7"], "192.0.2.7"),
        (["203.0.113.5", "192.0.2.7", "10.0.0.2"], "192.0.2.7"),
        (["192.0.2.7:4711"], "192.0.2.7"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["192.0.2.7, unknown"], "10.0.0.1"),
        (["10.0.0.3, 10.0.0.2"], "10.0.0.1"),
        ([], "10.0.0.1"),
    ],
)
def test_the_nearest_hop_that_isnt_ours_is_the_client(forwarded: list[str], address: str) -> None:
    assert _origin(forwarded) == (address, "http")


def test_who_isnt_trusted_says_nothing(store: Store) -> None:
    assert _origin(["192.0.2.7"], client="192.0.2.1", proto="https") == ("192.0.2.1", "http")
    assert _origin(["192.0.2.7"], client="nowhere") == ("nowhere", "http")
    scope: dict[str, Any] = {"headers": [(b"x-forwarded-for", b"192.0.2.7")]}
    Proxies(("10.0.0.0/8",)).settle_origin(scope)
    assert "client" not in scope
    passing = _Passing(store)
    passing.ask(headers=[(b"host", b"localhost"), (b"x-forwarded-for", b"192.0.2.7")])
    assert passing.seen[0]["client"] == ("127.0.0.1", 4711)
    passing = _Passing(store, trusted_proxies=("127.0.0.1",))
    passing.ask(headers=[(b"host", b"localhost"), (b"x-forwarded-for", b"192.0.2.7")])
    assert passing.seen[0]["client"] == ("192.0.2.7", 0)


def test_a_trusted_proxy_says_which_scheme_it_was() -> None:
    assert _origin([], proto="https") == ("10.0.0.1", "https")
    assert _origin([], proto="gopher") == ("10.0.0.1", "http")
    with pytest.raises(ValueError, match="nowhere"):
        Proxies(("nowhere",))
    assert Proxies(("10.0.0.1/8",))
    assert not Proxies(())


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"radar.example", "radar.example"),
        (b"Radar.Example:8321", "radar.example"),
        (b"[::1]:8321", "[::1]"),
        (b"[::1]", "[::1]"),
        (b"", ""),
    ],
)
def test_it_reads_the_name_in_a_host(header: bytes, name: str) -> None:
    assert host_name(header) == name


_OWN = {"localhost", "127.0.0.1", "[::1]"}


@pytest.mark.parametrize(
    ("host", "given", "names"),
    [
        ("127.0.0.1", (), _OWN),
        ("localhost", (), _OWN),
        ("::1", ("Radar.Example",), {*_OWN, "radar.example"}),
        ("0.0.0.0", (), set()),
        ("Box", ("radar.example",), {*_OWN, "box", "radar.example"}),
        ("127.0.0.1", ("*",), set()),
    ],
)
def test_a_server_for_this_machine_is_called_by_its_names(
    host: str, given: tuple[str, ...], names: set[str]
) -> None:
    """No names at all: it may be called anything."""
    assert allowed_hosts(host, given) == names
