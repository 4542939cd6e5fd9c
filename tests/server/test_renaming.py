"""Renaming by the API: the old key goes on counting, and tells nobody what their key doesn't."""

import time
from typing import Any

from radar_cli.server.runtime.keys import Keys
from tests.server.managing import MONITORS, RID, create
from tests.support.radar_server import RadarServer


def _rename(api: RadarServer, key: str, new: str, **more: Any) -> Any:
    return api.request("POST", f"{MONITORS}/{key}/rename", json={"key": new, **more})


def _make_key(api: RadarServer, scope: str, monitors: str) -> str:
    with api.store() as store:
        now_us = time.time_ns() // 1000
        return Keys(store.database).create(now_us, scope=scope, monitors=monitors, name="some")


def test_a_ping_to_the_old_key_counts_and_is_answered_as_ever(api: RadarServer) -> None:
    create(api, "web-a", every_s=3600)
    token = api.request("POST", f"{MONITORS}/web-a/token").json()["token"]
    assert api.ping("web-a/start", rid=RID).status_code == 200
    renamed = _rename(api, "web-a", "db-a")
    assert (renamed.status_code, renamed.json()["key"]) == (200, "db-a")
    # A key that knows only the old name hears of no other.
    ping_key = _make_key(api, "ping", "web-*")
    answer = api.request("POST", f"/ping/web-a/complete?rid={RID}", key=ping_key)
    assert answer.status_code == 200
    assert (answer.json()["monitor"], "db-a" in answer.text) == ("web-a", False)
    assert "duration" in answer.json()
    assert api.request("POST", "/ping/db-a", key=ping_key).status_code == 403
    synced = api.request(
        "POST",
        "/api/sync",
        key=ping_key,
        json={"source": "s", "monitors": [{"key": "web-a", "schedule": "@daily"}]},
    )
    assert (synced.json()["created"], synced.json()["errors"]) == (0, [])
    assert api.request("GET", f"/ping/{token}").json()["monitor"] == "db-a"
    assert [each["key"] for each in api.request("GET", MONITORS).json()["monitors"]] == ["db-a"]
    (alias,) = api.request("GET", f"{MONITORS}/db-a/aliases").json()["aliases"]
    assert (alias["alias"], alias["monitor"], alias["used_at"] > alias["made_at"]) == (
        *("web-a", "db-a"),
        True,
    )
    gone = api.request("GET", f"{MONITORS}/web-a")
    assert (gone.status_code, "called 'db-a' now" in gone.json()["message"]) == (404, True)


def test_only_a_key_for_both_names_renames(api: RadarServer) -> None:
    for key in ("web-a", "db-a"):
        create(api, key)
    some = _make_key(api, "admin", "web-*")
    for key, new in (("web-a", "db-b"), ("db-a", "web-b")):
        body = {"key": new}
        refused = api.request("POST", f"{MONITORS}/{key}/rename", json=body, key=some)
        assert refused.status_code == 403
    assert _rename(api, "web-a", "db-b").status_code == 200
    # What it leads to is none of their business.
    for method in ("GET", "DELETE"):
        hidden = api.request(method, "/api/v1/aliases/web-a", key=some)
        assert (hidden.status_code, "db-b" in hidden.text) == (404, False)
    hidden = api.request("GET", f"{MONITORS}/web-a", key=some)
    assert (hidden.status_code, "db-b" in hidden.text) == (404, False)
    made = api.request("POST", MONITORS, json={"key": "web-a"}, key=some)
    assert (made.status_code, made.json()["error"]) == (409, "KEY_TAKEN")
    assert "db-b" not in made.text


def test_what_cannot_be_is_refused(api: RadarServer) -> None:
    for key in ("a", "b"):
        create(api, key)
    assert _rename(api, "a", "b").json()["error"] == "MONITOR_EXISTS"
    assert _rename(api, "a", "Not a key").status_code == 400
    assert _rename(api, "c", "d").status_code == 404
    assert _rename(api, "a", "c", keep_alias=False).status_code == 200
    assert api.request("GET", "/api/v1/aliases/a").status_code == 404
    assert _rename(api, "c", "d").status_code == 200
    assert api.request("DELETE", "/api/v1/aliases/c").json()["monitor"] == "d"
    assert api.request("DELETE", "/api/v1/aliases/c").status_code == 404
    assert api.ping("c").status_code == 404
