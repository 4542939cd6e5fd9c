"""What a path and a query say is understood, or refused: nothing in between counts as a success."""

import uuid
from collections.abc import Iterator

import pytest

from radar_cli.model.record import MonitorRecord
from radar_cli.store.tokens import PING
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer
from tests.support.raw_http import Answer, RawConnection

_RID = "018f4e9a-7b1c-4c3d-8e2f-5a6b7c8d9e0f"
# Behind a monitor or a token, none of these is a kind, an exit code or an API key.
_MISTAKES = [
    *("failed", "failure", "Fail", "FAIL", "fails", "error", "ok", "done", "begin", "Start", "end"),
    *("256", "1000", "-1", "+1", "1.0", "0x1", "1e0", "%C2%B2", "%D9%A3"),
    *("fail/", "/fail", "fail//", "./fail", "../fail", "%2e%2e/fail", ".", "..", "%2e"),
    *("fail%2F", "%2Ffail", "fail%00", "fail%20", "%20fail", "fail;x=1", "fail,", "fail%0A"),
    *("fail%3Fexit=1", "%FFfail", "fail%E9", "fa%69led", "f" * 5_000),
]


@pytest.fixture
def job(shared: RadarServer) -> Iterator[str]:
    """A monitor of the test's own, with one ping."""
    key = f"job-{uuid.uuid4().hex[:12]}"
    shared.ping(f"{key}/log", create="1")
    yield key
    with shared.store() as store:
        store.monitors.delete([key])


def _get(server: RadarServer, target: str, *, key: str | None = None) -> Answer:
    """GET a target as it is: no client's notion of tidy paths comes between."""
    with RawConnection(server) as connection:
        connection.send(connection.head(target, method="GET", key=key))
        return connection.read()


def _kinds(server: RadarServer, job: str) -> list[str]:
    with server.store() as store:
        return [ping.kind for ping in store.pings.newest(job, 99)[1:]]


def _find(server: RadarServer, key: str) -> MonitorRecord:
    with server.store() as store:
        known = store.monitors.find(key)
    assert known is not None
    return known


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_what_is_no_kind_no_exit_code_and_no_key_changes_nothing(
    shared: RadarServer, job: str, mistake: str
) -> None:
    with shared.store() as store:
        token = store.tokens.make(job, PING)
    for name, key in ((job, None), (token, ""), (f"{job}/{shared.key}", ""), (token, None)):
        answer = _get(shared, f"/ping/{name}/{mistake}?create=1", key=key)
        assert answer.status == 400, (name, answer.body)
        assert answer.json()["error"] == "INVALID_REQUEST"
    assert _kinds(shared, job) == []
    assert _find(shared, job).version == 1


def test_a_token_takes_no_key_beside_it(shared: RadarServer, job: str) -> None:
    with shared.store() as store:
        token = store.tokens.make(job, PING)
    for key in (shared.key, "ck_app_0123456789_" + "a" * 43):
        assert _get(shared, f"/ping/{token}/{key}", key="").status == 400
    assert _kinds(shared, job) == []


def test_a_fragment_hides_nothing_of_a_target(shared: RadarServer, job: str) -> None:
    answer = _get(shared, f"/ping/{job}#/fail")
    assert (answer.status, answer.json()["error"]) == (400, "INVALID_REQUEST")
    assert _kinds(shared, job) == []


def test_letters_may_be_percent_encoded(shared: RadarServer, job: str) -> None:
    """It is the same path (RFC 3986, 2.3)."""
    assert _get(shared, f"/ping/{job}/%66ail").status == 200
    assert _get(shared, f"/ping/%{ord(job[0]):02X}{job[1:]}/%33").status == 200
    assert _kinds(shared, job) == ["fail", "fail"]


@pytest.mark.parametrize(
    "target",
    [
        "?exit=3",
        "/complete?exit=3",
        "/success?exit=-1",
        "?exit=3.0",
        "/0?exit=3",
        "/3?exit=0",
        "/3?exit=4",
        "/start?exit=3",
        "/start?exit=0",
        "/log?exit=3",
        "?signal=9",
        "/0?signal=9",
        "?signal=KILL",
        "/start?signal=9",
        "?reason=timeout",
        "/0?reason=timeout",
        "?exit=0&exit=3",
        "/fail?exit=3&exit=4",
        f"?rid={_RID}&rid={_RID[:-1]}0",
        "?message=one&message=two",
        "?exit=abc",
        "?exit=",
        "?exit=$?",
        "/start?exit=abc",
        "/0?exit=nan",
        "?exit_code=3",
        "?exitCode=-1",
        "?Exit=3",
        "/complete?rc=1",
        "?state=fail",
        "?STATUS=Down",
        "?state=run",
        "?rid=",
    ],
)
def test_what_contradicts_itself_is_refused(shared: RadarServer, job: str, target: str) -> None:
    answer = _get(shared, f"/ping/{job}{target}")
    if target == "?rid=":
        # What is empty is not said.
        assert answer.status == 200
        return
    assert (answer.status, answer.json()["error"]) == (400, "INVALID_REQUEST"), target
    assert _kinds(shared, job) == []


@pytest.mark.parametrize(
    ("target", "kind", "exit_code"),
    [
        ("?exit=0", "success", "0"),
        ("/complete?exit=0", "success", "0"),
        ("/0?exit=0", "success", "0"),
        ("/3?exit=3", "fail", "3"),
        ("/fail?exit=3", "fail", "3"),
        # What was wrong needn't be the exit code.
        ("/fail?exit=0&reason=no+output", "fail", "0"),
        ("/fail?exit=137&signal=9", "fail", "137"),
        ("/log?reason=skipped", "log", None),
        ("?exit=3&id=0194a1b2-0000-7000-8000-{}", "success", "3"),
        ("?exit=0&exit=0", "success", "0"),
        ("?exit_code=0&state=complete&status=200", "success", None),
        ("?result=up", "success", None),
        ("/fail?exit=", "fail", None),
        ("/fail?exit=abc&status=fail", "fail", "abc"),
        ("/start?state=run", "start", None),
    ],
)
def test_what_agrees_is_taken(
    shared: RadarServer, job: str, target: str, kind: str, exit_code: str | None
) -> None:
    answer = _get(shared, f"/ping/{job}{target.format(uuid.uuid4().hex[:12])}")
    assert answer.status == 200, answer.body
    with shared.store() as store:
        ping = store.pings.newest(job, 1)[0]
    assert (ping.kind, ping.fields.get("exit")) == (kind, exit_code)


def test_a_success_by_its_ok_codes_is_one(shared: RadarServer) -> None:
    env = environment(RADAR_SERVER=shared.url, RADAR_API_KEY=shared.key)
    words = ["run", "rsync", "--ok-codes", "0,24", "--", "sh", "-c", "exit 24"]
    done = run_radar(*words, env=env, text=True)
    assert (done.returncode, done.stderr) == (24, "")
    with shared.store() as store:
        ping = store.pings.newest("rsync", 1)[0]
    assert (ping.kind, ping.fields["exit"]) == ("success", "24")


def test_what_it_doesnt_know_is_said_in_the_answer(shared: RadarServer, job: str) -> None:
    answer = _get(shared, f"/ping/{job}?shedule=@daily&colour=3&=x&create=yes&exit=0").json()
    assert answer["status"] == "ok"
    assert answer["warnings"][:3] == [
        "unknown field 'shedule': is schedule meant?",
        "unknown field 'colour'",
        "bad create 'yes': 1 makes an unknown monitor",
    ]
    assert "warnings" not in _get(shared, f"/ping/{job}?exit=0&create=1").json()
    many = "&".join(f"field{number}=1" for number in range(90))
    assert len(_get(shared, f"/ping/{job}?{many}").json()["warnings"]) < 10


def test_bytes_that_are_no_text_are_kept_as_a_sign_of_them(shared: RadarServer, job: str) -> None:
    assert _get(shared, f"/ping/{job}/fail?message=caf%e9%ff").status == 200
    with shared.store() as store:
        assert store.pings.newest(job, 1)[0].fields["message"] == "caf\ufffd\ufffd"
    assert _get(shared, f"/ping/{job}?id=%ff").status == 400
    assert _get(shared, f"/ping/{job}?rid=%ff").status == 400


@pytest.mark.parametrize("omitted", ["%C2%B2", "-1", "1e3", "many", "9" * 40])
def test_a_count_that_is_none_breaks_nothing(shared: RadarServer, job: str, omitted: str) -> None:
    answer = shared.request("POST", f"/ping/{job}?omitted={omitted}", content=b"x" * 100_001)
    assert answer.status_code == 200, answer.text
    for path in (f"/api/v1/monitors/{job}/runs", f"/api/v1/monitors/{job}/pings"):
        assert shared.request("GET", path).status_code == 200


def test_create_makes_what_healthchecks_makes(shared: RadarServer) -> None:
    key = f"auto-{uuid.uuid4().hex[:12]}"
    assert _get(shared, f"/ping/{key}").status == 404
    assert _get(shared, f"/ping/{key}?create=0").status == 404
    assert _get(shared, f"/ping/{key}?create=1").status == 200
    known = _find(shared, key)
    assert (known.monitor.every_s, known.monitor.grace_s) == (86_400, 3_600)
    assert known.is_watched


def test_create_keeps_what_the_ping_says(shared: RadarServer) -> None:
    for query, expected in {
        "gracePeriod=600": {"every": "86400", "gracePeriod": "600"},
        "schedule=@hourly&tz=UTC": {"schedule": "@hourly", "tz": "UTC"},
        "every=900": {"every": "900"},
        "name=Nightly": {"every": "86400", "gracePeriod": "3600", "name": "Nightly"},
    }.items():
        key = f"auto-{uuid.uuid4().hex[:12]}"
        assert _get(shared, f"/ping/{key}?create=1&{query}").status == 200
        assert _find(shared, key).declared == expected


def test_create_changes_no_monitor_that_is_there(shared: RadarServer) -> None:
    key = f"auto-{uuid.uuid4().hex[:12]}"
    assert _get(shared, f"/ping/{key}?schedule=@hourly&tz=UTC").status == 200
    assert _get(shared, f"/ping/{key}?create=1").status == 200
    assert _find(shared, key).declared == {"schedule": "@hourly", "tz": "UTC"}
