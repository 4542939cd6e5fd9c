"""The management API, as a program in any language uses it."""

from typing import Any

import pytest

from tests.server.managing import MONITORS, RID, create
from tests.support.radar import run_radar
from tests.support.radar_server import RadarServer
from tests.support.waiting import wait_until


def _key(api: RadarServer, *options: str) -> str:
    words = ["server", "keys", "create", *options]
    if api.database:
        words += ["--database", api.database]
    return run_radar(*words, env=api.environment(), text=True).stdout.strip()


def _listed(api: RadarServer, query: str = "", key: str | None = None) -> list[str]:
    page = api.request("GET", f"{MONITORS}?{query}", key=key)
    assert page.status_code == 200, page.text
    return [entry["key"] for entry in page.json()["monitors"]]


def test_a_monitor_is_created_changed_and_deleted(api: RadarServer) -> None:
    made = create(api, "job", schedule="5 2 * * *", grace_s=600, tags=["a", "b"], name="Job")
    assert (made["schedule"], made["tz"], made["grace_s"]) == ("5 2 * * *", "UTC", 600)
    assert (made["tags"], made["name"], made["status"]) == (["a", "b"], "Job", "new")
    changed = api.request("PATCH", f"{MONITORS}/job", json={"every_s": 60, "grace_s": None})
    assert changed.status_code == 200
    job = api.request("GET", f"{MONITORS}/job").json()
    assert (job["schedule"], job["every_s"], job["grace_s"]) == (None, 60, 300)
    assert job["name"] == "Job"
    assert api.ping("job").status_code == 200
    gone = api.request("DELETE", f"{MONITORS}/job")
    assert gone.json() == {"deleted": ["job"], "pings": 1}
    assert api.request("GET", f"{MONITORS}/job").json()["error"] == "UNKNOWN_MONITOR"
    # The server has known it, and doesn't any more.
    assert api.ping("job").status_code == 404


def test_a_second_one_of_a_key_is_refused(api: RadarServer) -> None:
    create(api, "job")
    again = api.request("POST", MONITORS, json={"key": "job"})
    assert (again.status_code, again.json()["error"]) == (409, "MONITOR_EXISTS")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {}),
        (422, {"key": "x", "unknown": 1}),
        (422, {"key": "x", "every_s": 0.5}),
        (422, {"key": "x", "grace_s": -1}),
        (422, {"key": "x", "name": "a\nb"}),
        (422, {"key": "x", "name": "n" * 201}),
        (422, {"key": "x", "tags": ["a b"]}),
        (422, {"key": "x", "failure_tolerance": 1001}),
        (422, {"key": "x", "tags": ["t" * 501]}),
        (422, {"key": "x", "max_runtime_s": 316_224_001}),
        (422, {"key": "x", "every_s": 1e300}),
        (422, {"key": "x", "schedule": "@daily", "every_s": 60}),
        (400, {"key": "Bad"}),
        (400, {"key": "start"}),
        (400, {"key": "\0"}),
        (400, {"key": "x", "schedule": "nonsense"}),
        (400, {"key": "x", "schedule": "@daily", "tz": "Nowhere/Land"}),
        (400, {"key": "x", "tz": "../../etc/passwd"}),
    ],
)
def test_what_is_impossible_is_refused(
    shared: RadarServer, status: int, body: dict[str, Any]
) -> None:
    refused = shared.request("POST", MONITORS, json=body)
    assert refused.status_code == status, refused.text
    assert set(refused.json()) == {"error", "message"}
    assert _listed(shared) == []


def test_what_is_wrong_is_said_by_the_name_that_it_has_here(shared: RadarServer) -> None:
    for body, expected in (
        ({"grace_s": -1}, "grace_s: bad duration '-1'"),
        ({"max_runtime_s": 0}, "max_runtime_s: '0' is too short (at least 1s)"),
        ({"name": "a\nb"}, r"name: 'a\nb' can't be printed"),
        ({"every_s": 60, "schedule": "@daily"}, "every_s: a schedule and an interval exclude"),
        ({"schedule": "61 * * * *"}, "bad minute '61'"),
    ):
        refused = shared.request("POST", MONITORS, json={"key": "x", **body})
        assert expected in refused.json()["message"]


def test_monitors_come_in_pages(api: RadarServer) -> None:
    for number in range(7):
        create(api, f"m{number}")
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = api.request("GET", f"{MONITORS}?limit=3&after={after}").json()
        assert len(page["monitors"]) <= 3
        found += [entry["key"] for entry in page["monitors"]]
        after = page["next"]
    assert found == [f"m{number}" for number in range(7)]
    assert api.request("GET", "/api/v1/monitor-keys?limit=2").json() == {
        "keys": ["m0", "m1"],
        "next": "m1",
    }


def test_monitors_are_chosen_by_tag_status_and_words(api: RadarServer) -> None:
    create(api, "backup", tags=["db", "nightly"], name="Sicherung")
    create(api, "clean", tags=["db"])
    api.ping("broken/fail", create="1")
    assert _listed(api, "tag=db") == ["backup", "clean"]
    assert _listed(api, "tag=db&tag=nightly") == ["backup"]
    assert _listed(api, "status=down") == ["broken"]
    assert _listed(api, "status=down&status=new") == ["backup", "broken", "clean"]
    assert _listed(api, "search=SICHER") == ["backup"]
    assert _listed(api, "search=night") == ["backup"]
    assert _listed(api, "key=clean&key=nobody&key=broken") == ["broken", "clean"]
    assert _listed(api, "key=clean&key=broken&status=down") == ["broken"]


def test_the_last_runs_come_with_the_monitors(api: RadarServer) -> None:
    api.ping("job", b"first\n", create="1")
    api.ping("job/3", b"second\n")
    (job,) = api.request("GET", f"{MONITORS}?runs=2&output=1&pings=1").json()["monitors"]
    assert [run["outcome"] for run in job["runs"]] == ["success", "fail"]
    assert [run["output"] for run in job["runs"]] == ["", "second\n"]
    assert (job["runs"][1]["exit_code"], job["pings"]) == (3, 2)
    (job,) = api.request("GET", MONITORS).json()["monitors"]
    assert (job["runs"], job["pings"]) == (None, None)


def test_a_pause_ends_by_itself_or_by_hand(api: RadarServer) -> None:
    create(api, "job", every_s=60)
    paused = api.request("POST", f"{MONITORS}/job/pause", json={"for_s": 0.5}).json()
    assert (paused["status"], paused["paused_until"] is None) == ("paused", False)
    wait_until(lambda: _listed(api, "status=new") == ["job"])
    paused = api.request("POST", f"{MONITORS}/job/pause").json()
    assert (paused["status"], paused["paused_until"]) == ("paused", None)
    for _ in range(2):
        resumed = api.request("POST", f"{MONITORS}/job/resume")
        assert (resumed.status_code, resumed.json()["status"]) == (200, "new")


def test_several_are_changed_together_or_not_at_all(api: RadarServer) -> None:
    for key in ("a", "b"):
        create(api, key)
    for action in ("pause", "resume", "delete"):
        refused = api.request("POST", f"/api/v1/batch/{action}", json={"keys": ["a", "nobody"]})
        assert (refused.status_code, refused.json()["error"]) == (404, "UNKNOWN_MONITOR")
    assert _listed(api, "status=new") == ["a", "b"]
    both = {"keys": ["a", "b", "a"]}
    assert api.request("POST", "/api/v1/batch/pause", json=both).json() == {"paused": ["a", "b"]}
    one = {"keys": ["b"]}
    assert api.request("POST", "/api/v1/batch/resume", json=one).json() == {"resumed": ["b"]}
    gone = api.request("POST", "/api/v1/batch/delete", json=both).json()
    assert gone == {"deleted": ["a", "b"], "pings": 0}


def test_it_tells_what_a_monitor_has_told(api: RadarServer) -> None:
    api.ping("job/start", create="1", rid=RID, host="db1")
    api.ping("job/fail", b"no \xc3\xa9 space\n", rid=RID, omitted="9")
    api.ping("job", b"well\n")
    history = f"{MONITORS}/job"
    runs = api.request("GET", f"{history}/runs").json()["runs"]
    assert [(run["outcome"], run["run_id"]) for run in runs] == [("success", None), ("fail", RID)]
    output = api.request("GET", f"{history}/runs/{RID}/output")
    assert output.content == b"no \xc3\xa9 space\n"
    assert output.headers["content-type"] == "text/plain; charset=utf-8"
    assert output.headers["radar-omitted-bytes"] == "9"
    assert api.request("GET", f"{history}/runs/last/output").content == b"well\n"
    missing = api.request("GET", f"{history}/runs/{RID[1:]}/output")
    assert (missing.status_code, missing.json()["error"]) == (404, "UNKNOWN_RUN")
    flips = api.request("GET", f"{history}/flips").json()["flips"]
    assert [flip["status"] for flip in flips] == ["up", "down"]
    first = api.request("GET", f"{history}/pings?limit=2&output=1").json()
    assert [ping["kind"] for ping in first["pings"]] == ["success", "fail"]
    assert first["pings"][0]["output"] == "well\n"
    second = api.request("GET", f"{history}/pings?limit=2&before={first['next']}").json()
    assert [(ping["kind"], ping["fields"]["host"]) for ping in second["pings"]] == [
        ("start", "db1")
    ]
    assert second["next"] is None


def test_a_secret_token_pings_without_a_key_until_it_is_revoked(api: RadarServer) -> None:
    create(api, "job")
    made = api.request("POST", f"{MONITORS}/job/token").json()
    assert made["url"] == f"{api.url}/ping/{made['token']}"
    assert api.request("POST", f"{MONITORS}/job/token").json() == made
    assert api.request("GET", f"/ping/{made['token']}", key="").status_code == 200
    assert api.request("DELETE", f"{MONITORS}/job/token").json() == {"revoked": True}
    assert api.request("DELETE", f"{MONITORS}/job/token").json() == {"revoked": False}
    assert api.request("GET", f"/ping/{made['token']}", key="").status_code == 401
    badge = api.request("POST", f"{MONITORS}/job/badge").json()
    assert badge["url"] == f"{api.url}/badge/{badge['token']}.svg"
    assert api.request("DELETE", f"{MONITORS}/job/badge").json() == {"revoked": True}


def test_a_key_sees_only_its_own_monitors(api: RadarServer) -> None:
    for key in ("db-a", "db-b", "web"):
        create(api, key)
    narrow = _key(api, "--scope", "admin", "--monitor", "db-*")
    assert _listed(api, key=narrow) == ["db-a", "db-b"]
    assert _listed(api, "key=web&key=db-a", key=narrow) == ["db-a"]
    keys = api.request("GET", "/api/v1/monitor-keys", key=narrow).json()["keys"]
    assert keys == ["db-a", "db-b"]
    assert api.request("GET", "/api/v1/status", key=narrow).json()["monitors"]["new"] == 2
    for method, path, body in (
        ("GET", f"{MONITORS}/web", None),
        ("GET", f"{MONITORS}/nobody", None),
        ("GET", f"{MONITORS}/web/runs", None),
        ("PATCH", f"{MONITORS}/web", {"name": "x"}),
        ("POST", MONITORS, {"key": "other"}),
        ("POST", "/api/v1/batch/delete", {"keys": ["db-a", "web"]}),
    ):
        refused = api.request(method, path, key=narrow, json=body)
        assert (refused.status_code, refused.json()["error"]) == (403, "ACCESS_DENIED")
    assert _listed(api) == ["db-a", "db-b", "web"]


def test_every_route_wants_a_key_that_may(api: RadarServer) -> None:
    reading = _key(api, "--scope", "read")
    pinging = _key(api, "--scope", "ping")
    routes = [
        (method.upper(), path.replace("{key}", "job").replace("{run_id}", "last"))
        for path, operations in api.request("GET", "/openapi.json").json()["paths"].items()
        for method in operations
        if path.startswith("/api/v1")
    ]
    assert len(routes) > 15
    for method, path in routes:
        assert api.request(method, path, key="").status_code == 401
        assert api.request(method, path, key="ck_app_a_b").status_code == 401
        assert api.request(method, path, key=pinging).status_code == 403
        if method != "GET":
            assert api.request(method, path, key=reading).status_code == 403


def test_the_status_counts_and_tells_the_time(api: RadarServer) -> None:
    create(api, "watched", every_s=60)
    api.ping("broken/fail", id="1")
    answer = api.request("GET", "/api/v1/status")
    status = answer.json()
    assert status["monitors"] == {"new": 1, "up": 0, "late": 0, "down": 1, "paused": 0}
    assert status["unwatched"] == {"new": 0, "up": 0, "late": 0, "down": 1, "paused": 0}
    assert (status["scope"], status["key_monitors"], status["blindness"]) == ("admin", "*", None)
    assert int(answer.headers["radar-time"]) > 1_700_000_000_000_000


@pytest.mark.parametrize("key", ["%00", "..", "a%2Fb", "%ff", "x" * 300, "BAD"])
def test_what_is_no_key_is_no_monitor(shared: RadarServer, key: str) -> None:
    assert shared.request("GET", f"{MONITORS}/{key}/runs").status_code in (404, 422)


def test_a_body_without_end_is_not_read_to_its_end(api: RadarServer) -> None:
    for key in (None, ""):
        refused = api.request("POST", MONITORS, key=key, content=b"x" * 2_000_000)
        assert (refused.status_code, refused.json()["error"]) == (413, "TOO_LARGE")


def test_every_route_documents_what_it_answers(api: RadarServer) -> None:
    schema = api.request("GET", "/openapi.json", key="").json()
    assert "/ping/{monitor}/fail" in schema["paths"]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if method == "parameters" or path == "/healthz":
                continue
            documented = set(operation["responses"])
            assert documented >= {"401", "403", "429", "503"}, path
            if "{key}" in path:
                assert "404" in documented
            if method in ("patch", "delete") and path.endswith("{key}"):
                assert "412" in documented
            assert operation.get("summary"), path
