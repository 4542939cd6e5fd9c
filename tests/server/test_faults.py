"""What can't be understood is never silently unwatched, by whatever door it comes."""

import json
from typing import Any

import pytest

from tests.server.pages.visitor import Visitor
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer


def _monitor(server: RadarServer, key: str) -> dict[str, Any]:
    answer: dict[str, Any] = server.request("GET", f"/api/v1/monitors/{key}").json()
    return answer


def _faults(server: RadarServer, key: str) -> list[tuple[str, str, str]]:
    found = _monitor(server, key)["faults"]
    return [(fault["field"], fault["text"], fault["kind"]) for fault in found]


# What the API calls fields of pings, where it gives seconds.
_API_NAMES = {"every": "every_s", "gracePeriod": "grace_s", "max_runtime": "max_runtime_s"}


@pytest.mark.parametrize(
    ("key", "query", "field", "text"),
    [
        ("m1", {"every": "5x"}, "every_s", "5x"),
        ("m2", {"schedule": "garbage"}, "schedule", "garbage"),
        ("m3", {"schedule": "@daily", "tz": "Mars/Olympus"}, "tz", "Mars/Olympus"),
        ("m4", {"every": "1h", "gracePeriod": "long"}, "grace_s", "long"),
        ("m5", {"every": "1h", "max_runtime": "0"}, "max_runtime_s", "0"),
    ],
)
@pytest.mark.parametrize("way", ["", "/start", "/fail", "/3"])
def test_a_ping_that_declares_it_is_stored_and_warned_of(
    shared: RadarServer, key: str, query: dict[str, str], field: str, text: str, way: str
) -> None:
    key = f"{key}{way.replace('/', '-')}"
    answer = shared.ping(key + way, **query)
    assert answer.status_code == 200
    (warning,) = answer.json()["warnings"]
    assert _faults(shared, key) == [(field, text, "bad")]
    assert _monitor(shared, key)["faults"][0]["message"] == warning
    with shared.store() as store:
        assert store.history.count_pings(key) == 1
    # A ping without it warns of nothing, and ends nothing.
    assert "warnings" not in shared.ping(key).json()
    assert _faults(shared, key) == [(field, text, "bad")]


def test_unknown_fields_and_faults_are_warned_of_in_one_list(shared: RadarServer) -> None:
    answer = shared.ping("one-list", every="5x", colour="red")
    unknown, fault = answer.json()["warnings"]
    assert unknown == "unknown field 'colour'"
    assert "'5x'" in fault


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("shedule", "schedule"),
        ("cron", "schedule"),
        ("Every", "every"),
        ("evry", "every"),
        ("interval", "every"),
        ("grace", "gracePeriod"),
        ("grace_period", "gracePeriod"),
        ("max-runtime", "max_runtime"),
        ("timezone", "tz"),
    ],
)
def test_a_name_that_is_nearly_right_declares_nothing_in_silence(
    shared: RadarServer, name: str, field: str
) -> None:
    key = f"nearly-{name.lower()}"
    answer = shared.ping(key, **{"create": "1", name: "10m"})
    assert answer.status_code == 200
    assert answer.json()["warnings"][0] == f"unknown field {name!r}: is {field} meant?"
    assert _faults(shared, key) == [(_API_NAMES.get(field, field), f"{name}=10m", "bad")]
    shared.ping(
        key, **{field: "UTC" if field == "tz" else "@daily" if field == "schedule" else "1h"}
    )
    assert _faults(shared, key) == []


@pytest.mark.parametrize(
    ("query", "field", "text"),
    [
        ("every=1h&every=2h", "every", "1h and 2h"),
        ("schedule=@daily&schedule=@hourly", "schedule", "@daily and @hourly"),
        ("every=1h&schedule=@daily", "every", "1h"),
        ("every=", "every", ""),
        ("every=1h&hosts=&hosts=each", "hosts", " and each"),
    ],
)
def test_what_has_no_one_meaning_is_a_fault_and_costs_no_ping(
    shared: RadarServer, query: str, field: str, text: str
) -> None:
    key = f"twice-{abs(hash(query))}"
    answer = shared.request("GET", f"/ping/{key}?create=1&{query}")
    assert (answer.status_code, len(answer.json()["warnings"])) == (200, 1)
    assert _faults(shared, key) == [(_API_NAMES.get(field, field), text, "bad")]
    with shared.store() as store:
        assert store.history.count_pings(key) == 1


def test_a_set_says_what_it_doesnt_know(shared: RadarServer) -> None:
    monitor = {"key": "set-unknown", "schedule": "@daily", "grace": "10m", "colour": "red"}
    content = {"source": "unknown fields", "monitors": [monitor]}
    answer = shared.request("POST", "/api/sync", json=content).json()
    first, second, third = answer["errors"]
    assert first == "set-unknown: unknown field 'grace': is gracePeriod meant?"
    assert second == "set-unknown: unknown field 'colour'"
    assert "bad duration 'grace=10m'" in third
    assert _faults(shared, "set-unknown") == [("grace_s", "grace=10m", "bad")]


def test_tags_are_a_list_however_they_are_given(shared: RadarServer) -> None:
    answer = shared.request("GET", "/ping/listed?every=1h&tags=a&tags=b")
    assert "warnings" not in answer.json()
    assert _monitor(shared, "listed")["tags"] == ["a", "b"]


def test_all_that_radar_itself_sends_is_known(shared: RadarServer) -> None:
    said = {"zone": "Europe/Berlin", "cron_tz": "Asia/Tokyo", "hosts": "each", "every": "1h"}
    link = "https://ci.example.com/7"
    answer = shared.ping("all-known", **said, url=link)
    assert "warnings" not in answer.json()
    assert _monitor(shared, "all-known")["hosts"] == "each"
    assert "warnings" not in shared.ping("all-known/log", extend="30m", url="x" * 3000).json()
    with shared.store() as store:
        success, log = store.pings.newest("all-known", 9)
    assert success.fields["url"] == link
    assert (log.fields["extend"], log.fields["url"]) == ("30m", "x" * 2000)


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("every", "5m", "every_s", 300),
        ("every", "1h30m", "every_s", 5400),
        ("gracePeriod", "10m", "grace_s", 600),
        ("max_runtime", "1w", "max_runtime_s", 604_800),
    ],
)
def test_durations_are_read_as_everywhere(
    shared: RadarServer, name: str, text: str, field: str, value: float
) -> None:
    key = f"read-{name.lower()}-{text}"
    answer = shared.ping(key, **{"every": "1h", name: text})
    assert "warnings" not in answer.json()
    assert (_monitor(shared, key)[field], _faults(shared, key)) == (value, [])
    made = shared.request(
        "POST", "/api/v1/monitors", json={"key": key + "-api", "every_s": "1h", field: text}
    )
    assert (made.status_code, made.json()[field]) == (201, value)


def test_the_api_refuses_what_it_cant_read(shared: RadarServer) -> None:
    for given in ({"every_s": "5x"}, {"schedule": "garbage"}, {"tz": "Mars"}, {"hosts": "some"}):
        answer = shared.request("POST", "/api/v1/monitors", json={"key": "refused", **given})
        assert answer.status_code in (400, 422)
    assert shared.request("GET", "/api/v1/monitors/refused").status_code == 404


def test_a_program_that_declares_it_keeps_its_other_monitors(shared: RadarServer) -> None:
    monitors = [
        {"key": "sync-well", "schedule": "@daily"},
        {"key": "sync-odd", "schedule": "garbage"},
        {"key": "sync-late", "schedule": "@daily", "gracePeriod": "soon"},
        {"key": "sync-quick", "schedule": "@daily", "gracePeriod": "10m"},
    ]
    answer = shared.request("POST", "/api/sync", json={"source": "app", "monitors": monitors})
    assert answer.status_code == 200
    assert len(answer.json()["errors"]) == 2
    assert _faults(shared, "sync-odd") == [("schedule", "garbage", "bad")]
    assert _faults(shared, "sync-late") == [("grace_s", "soon", "bad")]
    assert _faults(shared, "sync-well") == []
    assert _monitor(shared, "sync-quick")["grace_s"] == 600
    mended = [{"key": "sync-odd", "schedule": "@hourly"}]
    shared.request("POST", "/api/sync", json={"source": "app", "monitors": mended})
    assert _faults(shared, "sync-odd") == []


def test_it_is_shown_wherever_people_look(api: RadarServer) -> None:
    api.ping("odd", schedule="garbage")
    api.ping("doubtful", every="5m", gracePeriod="1h")
    api.ping("well", every="5m")
    env = environment(RADAR_SERVER=api.url, RADAR_API_KEY=api.key)

    def say(*words: str) -> tuple[int, str]:
        done = run_radar(*words, env=env, text=True)
        return done.returncode, done.stdout + done.stderr

    status = api.request("GET", "/api/v1/status").json()
    assert status["faults"] == {"bad": 1, "beware": 1}
    page = api.request("GET", "/api/v1/monitors", params={"fault": "1"}).json()
    assert [monitor["key"] for monitor in page["monitors"]] == ["odd", "doubtful"]
    code, said = say("status")
    assert code == 0
    assert "odd: declared wrongly: bad schedule 'garbage'" in said
    assert "doubtful: beware: some of its runs are 5 min apart" in said
    code, said = say("check")
    assert code == 1
    assert "bad schedule 'garbage'" in said
    code, said = say("check", "--format", "nagios")
    assert (code, said.partition(" - ")[0]) == (2, "RADAR CRITICAL")
    assert "odd: bad schedule 'garbage'" in said
    assert say("check", "doubtful")[0] == 0
    assert say("check", "well", "--format", "nagios")[0] == 0
    code, said = say("check", "doubtful", "--format", "nagios")
    assert (code, said.partition(" - ")[0]) == (1, "RADAR WARNING")
    code, said = say("doctor")
    assert code == 1
    assert "monitor odd" in said
    assert "bad schedule 'garbage'" in said
    assert "bad schedule 'garbage'" in say("monitors", "show", "odd")[1]
    shown = json.loads(run_radar("monitors", "show", "odd", "--json", env=env).stdout)["data"]
    assert shown["faults"][0]["text"] == "garbage"
    visitor = Visitor(api.url, api.key)
    assert "declared wrongly: bad schedule" in visitor.text("/")
    assert "Declared wrongly: bad schedule" in visitor.text("/monitors/odd")
    assert "Beware: some of its runs are 5 min apart" in visitor.text("/monitors/doubtful")
    assert say("monitors", "update", "odd", "--every", "1h")[0] == 0
    assert say("check")[0] == 0
