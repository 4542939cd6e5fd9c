"""A complete set of monitors belongs to its key and its source."""

import time
from typing import Any

import pytest

from radar_cli.model.record import MonitorRecord
from radar_cli.server.runtime.keys import Keys
from radar_cli.store.declaring import STALE_TAG
from tests.support.radar_server import RadarServer

_NIGHTLY = "5 2 * * *"


def _make_key(api: RadarServer, name: str = "", scope: str = "ping") -> str:
    with api.store() as store:
        return Keys(store.database).create(_now_us(), scope=scope, name=name)


def _revoke(api: RadarServer, key: str) -> None:
    with api.store() as store:
        Keys(store.database).revoke(key.split("_")[2], _now_us())


def _now_us() -> int:
    return time.time_ns() // 1000


def _sync(
    api: RadarServer, key: str, *monitors: str, source: str = "celery", schedule: str = _NIGHTLY
) -> dict[str, Any]:
    """The complete set of a source."""
    content = {
        "source": source,
        "mode": "reconcile",
        "monitors": [{"key": each, "schedule": schedule} for each in monitors],
    }
    answer = api.request("POST", "/api/sync", key=key, json=content)
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


def _find(api: RadarServer, key: str) -> MonitorRecord:
    with api.store() as store:
        known = store.monitors.find(key)
    assert known is not None
    return known


def _is_watched(api: RadarServer, key: str) -> bool:
    known = _find(api, key)
    assert known.is_watched == (STALE_TAG not in known.monitor.tags)
    return known.is_watched


@pytest.fixture
def keys(api: RadarServer) -> tuple[str, str]:
    """Two apps' keys."""
    return _make_key(api, name="shop"), _make_key(api, name="billing")


def test_two_apps_with_one_source_leave_each_other_alone(
    api: RadarServer, keys: tuple[str, str]
) -> None:
    """`cronradar-celery` calls the source of each app `celery`, and syncs every 15 minutes."""
    shop, billing = keys
    _sync(api, shop, "stock", "orders")
    api.request("POST", "/ping/stock/fail", key=shop)
    before = _find(api, "stock")
    assert before.view.status == "down"
    for _ in range(2):
        _sync(api, billing, "invoices")
        _sync(api, shop, "stock", "orders")
    assert all(_is_watched(api, each) for each in ("stock", "orders", "invoices"))
    # Nor is an alarm over because somebody else has synced.
    after = _find(api, "stock")
    assert (after.view.status, after.version) == ("down", before.version)
    # Each retires its own.
    _sync(api, shop, "stock")
    assert not _is_watched(api, "orders")
    assert _is_watched(api, "invoices")


def test_one_key_may_have_several_sources(api: RadarServer, keys: tuple[str, str]) -> None:
    shop, _ = keys
    _sync(api, shop, "stock")
    _sync(api, shop, "backup", source="cron")
    _sync(api, shop, source="cron")
    assert _is_watched(api, "stock")
    assert not _is_watched(api, "backup")
    # Of one key, a monitor is of the source that declared it last.
    _sync(api, shop, "stock", source="beat")
    _sync(api, shop)
    assert _is_watched(api, "stock")


def test_a_monitor_of_another_keys_set_stays_as_it_is(
    api: RadarServer, keys: tuple[str, str]
) -> None:
    shop, billing = keys
    _sync(api, shop, "cleanup")
    answer = _sync(api, billing, "cleanup", "invoices", schedule="@hourly")
    assert answer["errors"] == ["cleanup: it belongs to the set of another API key"]
    assert (answer["synced"], answer["created"], answer["updated"]) == (1, 1, 0)
    assert _find(api, "cleanup").declared["schedule"] == _NIGHTLY
    # Not even by another source's name, nor by dropping what it never had.
    assert _sync(api, billing, "cleanup", source="other")["errors"]
    _sync(api, billing)
    assert _is_watched(api, "cleanup")
    # Its runs count all the same.
    assert api.request("POST", "/ping/cleanup", key=billing).status_code == 200


def test_a_ping_with_another_key_declares_nothing_of_a_set_s_monitor(
    api: RadarServer, keys: tuple[str, str]
) -> None:
    """It is taken, and says so; else any key could have another's monitor wait for a year."""
    shop, billing = keys
    _sync(api, shop, "report")
    for query in ({"every": "30d"}, {"max_runtime": "30d"}, {"gracePeriod": "30d"}):
        answer = api.request("POST", "/ping/report", key=billing, params=query)
        assert answer.status_code == 200
        assert answer.json()["warnings"] == [
            "its monitor is in the set of another API key: what this ping declares changes nothing"
        ]
    known = _find(api, "report")
    assert known.declared == {"schedule": _NIGHTLY, "tz": "UTC", "tags": ""}
    with api.store() as store:
        assert len(store.pings.newest("report", 9)) == 3
    # What is so already is no matter, and who has declared it may say otherwise.
    same = api.request("POST", "/ping/report", key=billing, params={"schedule": _NIGHTLY}).json()
    assert "warnings" not in same
    api.request("POST", "/ping/report", key=shop, params={"every": "30d"})
    assert _find(api, "report").monitor.every_s == 30 * 86_400
    _revoke(api, shop)
    api.request("POST", "/ping/report", key=billing, params={"every": "1d"})
    assert _find(api, "report").monitor.every_s == 86_400


def test_a_monitor_that_its_set_has_dropped_is_free(
    api: RadarServer, keys: tuple[str, str]
) -> None:
    shop, billing = keys
    _sync(api, shop, "cleanup")
    _sync(api, shop)
    assert _sync(api, billing, "cleanup", schedule="@hourly")["errors"] == []
    assert _find(api, "cleanup").declared["schedule"] == "@hourly"
    assert _sync(api, shop, "cleanup")["errors"]


def test_a_new_key_takes_over_what_a_revoked_one_had(
    api: RadarServer, keys: tuple[str, str]
) -> None:
    shop, _ = keys
    _sync(api, shop, "stock", "orders")
    renewed = _make_key(api, name="shop, renewed")
    assert len(_sync(api, renewed, "stock", "orders")["errors"]) == 2
    _revoke(api, shop)
    assert _sync(api, renewed, "stock")["errors"] == []
    # What it doesn't name is nobody's to retire: two apps may have lost their keys.
    assert _is_watched(api, "orders")
    _sync(api, renewed)
    assert not _is_watched(api, "stock")


def test_what_radar_0_1_has_kept_is_of_whoever_syncs_its_source_next(
    api: RadarServer, keys: tuple[str, str]
) -> None:
    shop, billing = keys
    _sync(api, shop, "stock", "orders")
    with api.store() as store, store.database.change() as change:
        change.execute("UPDATE monitor SET source_key = ''")
    _sync(api, billing, "invoices", source="other")
    assert _is_watched(api, "stock")
    assert _sync(api, billing, "stock")["errors"] == []
    assert not _is_watched(api, "orders")
    assert _sync(api, shop, "stock")["errors"]


def test_a_set_may_have_notes(api: RadarServer, keys: tuple[str, str]) -> None:
    shop, _ = keys
    entry = {"key": "stock", "schedule": "@hourly", "notes": "restart it"}
    api.request("POST", "/api/sync", json={"source": "s", "monitors": [entry]}, key=shop)
    assert api.request("GET", "/api/v1/monitors/stock").json()["notes"] == "restart it"


def test_a_sync_makes_no_more_monitors_than_its_key_may(
    api: RadarServer, keys: tuple[str, str]
) -> None:
    shop, billing = keys
    api.stop()
    limited = RadarServer(api.state, "--monitor-limit", "3", database=api.database)
    limited.key = api.key
    with limited:
        answer = _sync(limited, shop, *"abcde")
        assert (answer["synced"], answer["created"]) == (3, 3)
        assert [error.partition(":")[0] for error in answer["errors"]] == ["d", "e"]
        # The limit is of each key, and of new ones only; the admin's has none.
        assert _sync(limited, shop, *"abc")["errors"] == []
        assert _sync(limited, billing, *"xyz")["created"] == 3
        assert _sync(limited, limited.key, *"mnopq")["created"] == 5
        refused = limited.request("POST", "/ping/f?create=1", key=shop)
        assert (refused.status_code, refused.json()["error"]) == (403, "TOO_MANY_MONITORS")
        assert limited.request("POST", "/ping/a", key=shop).status_code == 200
        limited.request("DELETE", "/api/v1/monitors/a")
        assert limited.request("POST", "/ping/f?create=1", key=shop).status_code == 200
