"""Monitors as a program declares them."""

from radar_cli.model.ping import Ping
from radar_cli.model.state import Status
from radar_cli.store.declaring import STALE_TAG, Declared, Declarer
from radar_cli.store.store import Store
from tests.store.arrivals import add

_MINUTE = 60_000_000
_BEGIN = 1_795_000_000_000_000 // (60 * _MINUTE) * 60 * _MINUTE
_CELERY = Declarer("celery")
_HOURLY = {"schedule": "0 * * * *", "tz": "UTC"}
_DAILY = {"schedule": "0 0 * * *", "tz": "UTC"}


def _at(minute: int) -> int:
    return _BEGIN + minute * _MINUTE


def _declared(store: Store, key: str = "m") -> dict[str, str]:
    known = store.find(key)
    assert known is not None
    return known.declared


def _status(store: Store, minute: int) -> Status:
    store.judge(_at(minute))
    known = store.find("m")
    assert known is not None
    return known.view_at(_at(minute)).status


def test_it_creates_what_is_new_and_updates_what_is_otherwise(store: Store) -> None:
    assert store.declare(_CELERY, {"m": _HOURLY, "n": _DAILY}, _at(0)) == Declared(2, 0)
    assert store.declare(_CELERY, {"m": _HOURLY, "n": _DAILY}, _at(1)) == Declared(0, 0)
    assert store.declare(_CELERY, {"m": _DAILY}, _at(2)) == Declared(0, 1)
    assert _declared(store)["schedule"] == "0 0 * * *"
    assert _declared(store, "n")["schedule"] == "0 0 * * *"


def test_a_declared_monitor_is_watched_before_it_ever_ran(store: Store) -> None:
    store.declare(_CELERY, {"m": _HOURLY}, _at(1))
    assert [_status(store, minute) for minute in (59, 61, 66)] == ["new", "late", "down"]


def test_what_a_person_has_set_stays(store: Store) -> None:
    store.declare(_CELERY, {"m": {**_HOURLY, "name": "theirs"}}, _at(0))
    store.update("m", {"name": "ours", "schedule": "5 * * * *"}, _at(1))
    assert store.declare(_CELERY, {"m": {**_DAILY, "name": "new"}}, _at(2)) == Declared(0, 0)
    assert (_declared(store)["name"], _declared(store)["schedule"]) == ("ours", "5 * * * *")


def test_what_a_source_has_no_more_is_watched_no_more(store: Store) -> None:
    store.declare(_CELERY, {"m": {**_HOURLY, "tags": "a"}, "n": _HOURLY}, _at(0))
    add(store, [Ping("success", "m", time_us=_at(1))])
    store.declare(_CELERY, {"n": _HOURLY}, _at(2), kept=["n"])
    assert "schedule" not in _declared(store)
    assert _declared(store)["tags"].split()[-1] == STALE_TAG
    assert _status(store, 1000) == "up"
    assert "schedule" in _declared(store, "n")
    # It is back: its silence counts from now on.
    store.declare(_CELERY, {"m": _HOURLY}, _at(1001), kept=["m", "n"])
    assert STALE_TAG not in _declared(store).get("tags", "").split()
    assert _status(store, 1001) == "up"
    assert _status(store, 1100) == "down"


def test_another_sources_monitors_are_left_alone(store: Store) -> None:
    store.declare(Declarer("airflow"), {"m": _HOURLY}, _at(0))
    store.create("n", _HOURLY, _at(0))
    store.declare(_CELERY, {}, _at(1), kept=[])
    assert "schedule" in _declared(store)
    assert "schedule" in _declared(store, "n")


def test_a_schedule_that_a_person_has_set_is_watched_even_if_its_source_is_gone(
    store: Store,
) -> None:
    store.declare(_CELERY, {"m": _HOURLY}, _at(0))
    store.update("m", {"schedule": "5 * * * *"}, _at(1))
    store.declare(_CELERY, {}, _at(2), kept=[])
    assert _declared(store)["schedule"] == "5 * * * *"
