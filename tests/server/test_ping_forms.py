"""Pings in every form in which a client sends them (protocols.md 1 and 2)."""

import base64
import time
import uuid
from pathlib import Path

import httpx
import pytest

from radar_cli.model.ping import Ping
from radar_cli.store.tokens import PING
from tests.support.radar_server import RadarServer, serving

_RUN = "0194a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b"


def _pings(server: RadarServer, monitor: str) -> list[Ping]:
    with server.store() as store:
        return store.pings.newest(monitor, 100)


def _last(server: RadarServer, monitor: str = "job") -> Ping:
    return _pings(server, monitor)[-1]


def _token(server: RadarServer, monitor: str = "job") -> str:
    with server.store() as store:
        return store.tokens.make(monitor, PING)


def test_each_way_to_show_a_key_is_understood(server: RadarServer) -> None:
    key = server.key
    basic = base64.b64encode(f"{key}:".encode()).decode()
    password = base64.b64encode(f":{key}".encode()).decode()
    ways: list[tuple[str, str]] = [
        ("job", f"Basic {basic}"),
        ("job", f"basic  {basic}"),
        ("job", f"Basic {password}"),
        ("job", f"Bearer {key}"),
        ("job", f"ApiKey {key}"),
        ("job", f"apikey {key}"),
        (f"job/{key}", ""),  # CronRadar's SDK
        (f"{key}/job", ""),  # Healthchecks with a ping key
        (f"job/{key}/complete", ""),
        (f"{key}/job/0", ""),
        # The one in the path was put there on purpose; a header may be a proxy's.
        (f"job/{key}", "Bearer ck_app_wrong_one"),
    ]
    for number, (path, header) in enumerate(ways):
        headers = {"Authorization": header} if header else {}
        answer = httpx.get(f"{server.url}/ping/{path}?create=1", headers=headers, trust_env=False)
        assert answer.status_code == 200, (path.replace(key, "KEY"), header.split()[:1])
        assert len(_pings(server, "job")) == number + 1


@pytest.mark.parametrize(
    ("path", "kind", "exit_code"),
    [
        ("", "success", None),
        ("/success", "success", None),
        ("/complete", "success", None),
        ("/start", "start", None),
        ("/fail", "fail", None),
        ("/log", "log", None),
        ("/0", "success", "0"),
        ("/1", "fail", "1"),
        ("/255", "fail", "255"),
    ],
)
@pytest.mark.parametrize("by", ["key", "token", "path"])
def test_each_kind_is_told_by_the_path(
    shared: RadarServer, path: str, kind: str, exit_code: str | None, by: str
) -> None:
    server = shared
    monitor = f"job-{uuid.uuid4().hex[:20]}"
    server.ping(f"{monitor}/log", create="1")
    name = {
        "key": monitor,
        "token": _token(server, monitor),
        "path": f"{server.key}/{monitor}",
    }[by]
    answer = server.request(
        "GET", f"/ping/{name}{path}?rid={_RUN}", key=None if by == "key" else ""
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["monitor"] == monitor
    ping = _last(server, monitor)
    assert (ping.kind, ping.run_id, ping.fields.get("exit")) == (kind, _RUN, exit_code)


@pytest.mark.parametrize(
    ("path", "status", "moment"),
    [
        ("", "ok", "pingedAt"),
        ("/start", "started", "startedAt"),
        ("/complete", "completed", "completedAt"),
        ("/fail", "failed", "failedAt"),
        ("/log", "logged", "loggedAt"),
    ],
)
def test_it_answers_as_cronradar_does(
    shared: RadarServer, path: str, status: str, moment: str
) -> None:
    answer = shared.ping(f"answers{path}", create="1")
    content = answer.json()
    assert content["status"] == status
    assert content["monitor"] == "answers"
    assert content[moment].endswith("Z")
    assert answer.headers["Ping-Body-Limit"] == "100000"


def test_a_complete_tells_how_long_the_run_took(server: RadarServer) -> None:
    server.ping("job/start", create="1")
    answer = server.ping("job/complete").json()
    assert 0 <= answer["duration"] < 30
    assert server.ping("job/complete", duration="12.5").json()["duration"] == 12.5
    # Without a start nobody knows.
    assert "duration" not in server.ping("job/complete").json()


def test_it_takes_every_method_that_a_client_uses(server: RadarServer) -> None:
    for method in ("HEAD", "GET", "POST", "PUT"):
        body = method.encode() if method in ("POST", "PUT") else b""
        answer = server.request(method, "/ping/job?create=1", content=body)
        assert answer.status_code == 200
        assert _last(server).body == body
    refused = server.request("DELETE", "/ping/job")
    assert refused.status_code == 405
    assert "POST" in refused.headers["Allow"]
    assert len(_pings(server, "job")) == 4


def test_a_head_is_answered_without_a_body(server: RadarServer) -> None:
    """And the connection stays usable: what follows is the next answer."""
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        headers = {"Authorization": f"Bearer {server.key}"}
        for _ in range(3):
            assert client.head("/ping/job?create=1", headers=headers).content == b""
            assert client.get("/ping/job", headers=headers).json()["status"] == "ok"


def test_a_schedule_makes_a_monitor_and_keeps_to_it(server: RadarServer) -> None:
    answer = server.ping("job", schedule="5 2 * * *", gracePeriod="60", name="Nightly job")
    assert answer.status_code == 200
    with server.store() as store:
        known = store.monitors.find("job")
        assert known is not None
        assert known.monitor.grace_s == 60
        assert known.monitor.name == "Nightly job"
        assert known.is_watched
        # A deleted one is made again; the server may not believe that it still knows it.
        store.monitors.delete(["job"])
    assert server.ping("job", schedule="5 2 * * *").status_code == 200
    with server.store() as store:
        assert store.monitors.find("job") is not None


def test_an_unknown_monitor_is_404_unless_the_ping_says_what_to_make(server: RadarServer) -> None:
    refused = server.ping("job")
    assert (refused.status_code, refused.json()["error"]) == (404, "NOT_FOUND")
    assert server.ping("job/start").status_code == 404
    with server.store() as store:
        assert store.monitors.find("job") is None
    for monitor, query in {
        "a": {"create": "1"},
        "b": {"schedule": "@hourly"},
        "c": {"every": "15m"},
        "d": {"id": str(uuid.uuid4())},  # radar's own client
    }.items():
        assert server.ping(monitor, **query).status_code == 200
        assert server.ping(monitor).status_code == 200


def test_a_monitor_that_was_deleted_elsewhere_is_unknown_soon(server: RadarServer) -> None:
    """By `radar monitors delete` on the server's machine, or by another server."""
    assert server.ping("job", create="1").status_code == 200
    assert server.ping("job").status_code == 200
    with server.store() as store:
        store.monitors.delete(["job"])
    assert server.ping("job").status_code == 404
    with server.store() as store:
        assert store.monitors.find("job") is None


def test_a_failure_says_why(server: RadarServer) -> None:
    server.ping("job/fail", create="1", message="disk full: 100 % & <b>")
    ping = _last(server)
    assert (ping.kind, ping.fields["message"]) == ("fail", "disk full: 100 % & <b>")


def test_a_body_is_kept_to_its_end_and_what_is_missing_counted(tmp_path: Path) -> None:
    with serving(tmp_path / "server", "--body-limit", "1000") as server:
        answer = server.ping("job", ("ä" * 600).encode(), create="1")
        assert answer.headers["Ping-Body-Limit"] == "1000"
        ping = _last(server)
        assert (ping.body, ping.fields["omitted"]) == ("ä".encode() * 500, "200")
        # Together with what the client had left out itself, and only where there is a character.
        server.ping("job", b"x" + ("ä" * 600).encode() + b"y", omitted="50")
        ping = _last(server)
        assert len(ping.body) == 999
        assert int(ping.fields["omitted"]) == 50 + 1202 - 999
        # What isn't UTF-8 is made so, and still no longer than the limit.
        server.ping("job", b"\xff\x00ok")
        assert _last(server).body.decode().endswith("ok")


def test_bodies_come_in_chunks_too(server: RadarServer) -> None:
    def parts() -> "list[bytes]":
        return [b"one ", b"two ", b"three"]

    answer = server.request("POST", "/ping/job?create=1", content=iter(parts()))
    assert answer.status_code == 200
    assert _last(server).body == b"one two three"


def test_a_ping_with_an_id_counts_once(server: RadarServer) -> None:
    name = str(uuid.uuid4())
    for _ in range(3):
        assert server.ping("job/fail", b"first", id=name).status_code == 200
    server.ping("job", b"second", id=name)
    (ping,) = _pings(server, "job")
    assert (ping.id, ping.kind, ping.body) == (name, "fail", b"first")
    # Without one each request counts.
    for _ in range(3):
        server.ping("job")
    assert len(_pings(server, "job")) == 4


def test_a_late_ping_happened_when_its_clock_says_how_long_ago(server: RadarServer) -> None:
    """However wrong that clock is: only the distance between its two times counts."""
    now = time.time()
    server.ping("job", ts=f"{now - 90_000 - 120:.6f}", sent=f"{now - 90_000:.6f}", create="1")
    age_s = time.time() - _last(server).time_us / 1e6
    assert 119 < age_s < 150
    # Never later than now, and with no `sent` by our own clock.
    server.ping("ahead", ts=f"{now + 5000:.6f}", sent=f"{now:.6f}", create="1")
    assert abs(time.time() - _last(server, "ahead").time_us / 1e6) < 30
    server.ping("unsent", ts=f"{now - 60:.6f}", create="1")
    assert 59 < time.time() - _last(server, "unsent").time_us / 1e6 < 90


def test_what_a_request_takes_on_its_way_mixes_up_no_run(server: RadarServer) -> None:
    """The one that tells of a beginning took longer than the job, and than the one of its end."""
    now = time.time()
    server.ping("job/start", create="1", rid=_RUN, ts=f"{now - 2:.6f}", sent=f"{now - 2:.6f}")
    server.ping("job/fail", rid=_RUN, ts=f"{now - 1.9:.6f}", sent=f"{now:.6f}")
    # Nor does a clock that is a little off the one of the machine where the run ended.
    server.ping("two/start", create="1", rid=_RUN, ts=f"{now:.6f}", sent=f"{now:.6f}")
    server.ping("two/fail", rid=_RUN, ts=f"{now - 3:.6f}", sent=f"{now:.6f}")
    for monitor in ("job", "two"):
        assert [ping.kind for ping in _pings(server, monitor)] == ["start", "fail"]
        with server.store() as store:
            known = store.monitors.find(monitor)
        assert known is not None
        assert (known.view.status, known.view.is_running) == ("down", False)


@pytest.mark.parametrize(
    "query",
    [
        "rid=nonsense",
        "ts=yesterday",
        "ts=1&sent=now",
        "ts=-5",
        "ts=1e9",
        "ts=%D9%A1%D9%A2",
        "ts=1.5.5",
        "ts=99999999999999999999",
        "id=" + "x" * 61,
        "id=%0a",
        "&".join(f"f{number}=1" for number in range(200)),
    ],
)
def test_a_query_that_makes_no_sense_is_400(shared: RadarServer, query: str) -> None:
    answer = shared.request("GET", f"/ping/job?create=1&{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "INVALID_REQUEST"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "a/b/c/d",
        "job/",
        "start",
        "0",
        "255",
        "job//start",
        "Job",
        "j%C3%B6b",
        "job/start/start",
        "...",
        "%2e%2e",
        "job%00",
        "job%2fstart",
        "a" * 201,
    ],
)
def test_a_path_that_is_no_pings_is_400(shared: RadarServer, path: str) -> None:
    with httpx.Client(trust_env=False) as client:
        url = httpx.URL(shared.url).copy_with(raw_path=f"/ping/{path}?create=1".encode())
        answer = client.get(url, headers={"Authorization": f"Bearer {shared.key}"})
    assert answer.status_code == 400, answer.text


def test_what_looks_wrong_in_fields_is_kept_as_text(shared: RadarServer) -> None:
    """A bad schedule or a number that is none makes the monitor say so; the ping counts."""
    odd = {"schedule": "61 * * * *", "duration": "long", "tz": "No/Where"}
    assert shared.request("GET", "/ping/odd", params=odd).status_code == 200
    assert shared.ping("odd", b"", gracePeriod="-5", max_runtime="x", tags="\0").status_code == 200
    assert len(_pings(shared, "odd")) == 2
