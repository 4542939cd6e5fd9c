"""Monitors as a program declares them."""

from radar_cli.model.monitor import Pause
from radar_cli.model.ping import Ping
from radar_cli.model.state import Status
from radar_cli.server.runtime.keys import Keys
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
    known = store.monitors.find(key)
    assert known is not None
    return known.declared


def _status(store: Store, minute: int) -> Status:
    store.monitors.judge(_at(minute))
    known = store.monitors.find("m")
    assert known is not None
    return known.view_at(_at(minute)).status


def test_it_creates_what_is_new_and_updates_what_is_otherwise(store: Store) -> None:
    assert store.declarations.declare(_CELERY, {"m": _HOURLY, "n": _DAILY}, _at(0)) == Declared(
        2, 0
    )
    assert store.declarations.declare(_CELERY, {"m": _HOURLY, "n": _DAILY}, _at(1)) == Declared(
        0, 0
    )
    assert store.declarations.declare(_CELERY, {"m": _DAILY}, _at(2)) == Declared(0, 1)
    assert _declared(store)["schedule"] == "0 0 * * *"
    assert _declared(store, "n")["schedule"] == "0 0 * * *"


def test_a_declared_monitor_is_watched_before_it_ever_ran(store: Store) -> None:
    store.declarations.declare(_CELERY, {"m": _HOURLY}, _at(1))
    assert [_status(store, minute) for minute in (59, 61, 66)] == ["new", "late", "down"]


def test_what_a_person_has_set_stays(store: Store) -> None:
    store.declarations.declare(_CELERY, {"m": {**_HOURLY, "name": "theirs"}}, _at(0))
    store.monitors.update("m", {"name": "ours", "schedule": "5 * * * *"}, _at(1))
    assert store.declarations.declare(
        _CELERY, {"m": {**_DAILY, "name": "new"}}, _at(2)
    ) == Declared(0, 0)
    assert (_declared(store)["name"], _declared(store)["schedule"]) == ("ours", "5 * * * *")


def test_what_a_source_has_no_more_is_watched_no_more(store: Store) -> None:
    store.declarations.declare(_CELERY, {"m": {**_HOURLY, "tags": "a"}, "n": _HOURLY}, _at(0))
    add(store, [Ping("success", "m", time_us=_at(1))])
    store.declarations.declare(_CELERY, {"n": _HOURLY}, _at(2), kept=["n"])
    assert "schedule" not in _declared(store)
    assert _declared(store)["tags"].split()[-1] == STALE_TAG
    assert _status(store, 1000) == "up"
    assert "schedule" in _declared(store, "n")
    # It is back: its silence counts from now on.
    store.declarations.declare(_CELERY, {"m": _HOURLY}, _at(1001), kept=["m", "n"])
    assert STALE_TAG not in _declared(store).get("tags", "").split()
    assert _status(store, 1001) == "up"
    assert _status(store, 1100) == "down"


def test_another_sources_monitors_are_left_alone(store: Store) -> None:
    store.declarations.declare(Declarer("airflow"), {"m": _HOURLY}, _at(0))
    store.monitors.create("n", _HOURLY, _at(0))
    store.declarations.declare(_CELERY, {}, _at(1), kept=[])
    assert "schedule" in _declared(store)
    assert "schedule" in _declared(store, "n")


def test_a_schedule_that_a_person_has_set_is_watched_even_if_its_source_is_gone(
    store: Store,
) -> None:
    store.declarations.declare(_CELERY, {"m": _HOURLY}, _at(0))
    store.monitors.update("m", {"schedule": "5 * * * *"}, _at(1))
    store.declarations.declare(_CELERY, {}, _at(2), kept=[])
    assert _declared(store)["schedule"] == "5 * * * *"


def _set_of(store: Store, source: str = "celery", *, most: int = 0) -> Declarer:
    """Who declares with a new API key."""
    key = Keys(store.database).create(_at(0), scope="ping")
    return Declarer(source, key.split("_")[2], most)


def test_a_monitor_that_is_there_by_its_pings_is_changed_and_not_made(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(0))])
    assert store.declarations.declare(_CELERY, {"m": _HOURLY, "n": _HOURLY}, _at(1)) == Declared(
        1, 1
    )


def test_a_key_makes_no_more_monitors_than_it_may(store: Store) -> None:
    mine, other = _set_of(store, most=2), _set_of(store, "other")
    assert store.declarations.declare(other, {"x": _HOURLY}, _at(0)) == Declared(1, 0)
    done = store.declarations.declare(mine, dict.fromkeys("dcba", _HOURLY), _at(1))
    assert (done.created, done.beyond) == (2, ["c", "d"])
    assert store.monitors.find("c") is None
    done = store.declarations.declare(mine, {"b": _DAILY, "e": _DAILY}, _at(2))
    assert (done.created, done.updated, done.beyond) == (0, 1, ["e"])
    done = store.declarations.declare(other, {str(number): _HOURLY for number in range(9)}, _at(3))
    assert (done.created, done.beyond) == (9, [])


def test_two_keys_with_one_source_leave_each_other_alone(store: Store) -> None:
    one, other = _set_of(store), _set_of(store)
    store.declarations.declare(one, {"m": _HOURLY}, _at(0))
    done = store.declarations.declare(other, {"m": _DAILY, "n": _DAILY}, _at(1), kept=["n"])
    assert (done.created, done.updated, done.foreign, done.retired) == (1, 0, ["m"], [])
    assert _declared(store)["schedule"] == "0 * * * *"
    assert store.declarations.declare(one, {"m": _DAILY}, _at(2)) == Declared(0, 1)
    # It is free once its key is out of use.
    assert Keys(store.database).revoke(one.api_key, _at(3))
    assert store.declarations.declare(other, {"m": _HOURLY}, _at(4)) == Declared(0, 1)
    assert store.declarations.declare(other, {}, _at(5), kept=["n"]).retired == ["m"]


def test_what_a_set_has_dropped_is_anybodys(store: Store) -> None:
    one, other = _set_of(store), _set_of(store)
    store.declarations.declare(one, {"m": _HOURLY, "n": _HOURLY}, _at(0))
    assert store.declarations.declare(one, {"n": _HOURLY}, _at(1), kept=["n"]).retired == ["m"]
    assert store.declarations.declare(one, {"n": _HOURLY}, _at(2), kept=["n"]).retired == []
    assert store.declarations.declare(other, {"m": _DAILY}, _at(3)).foreign == []
    assert _declared(store)["schedule"] == "0 0 * * *"


def test_nobody_retires_what_its_key_doesnt_cover(store: Store) -> None:
    mine = _set_of(store)
    store.declarations.declare(mine, {"db-1": _HOURLY, "web-1": _HOURLY}, _at(0))
    narrow = Declarer(mine.source, mine.api_key, covers=lambda key: key.startswith("db-"))
    assert store.declarations.declare(narrow, {}, _at(1), kept=[]).retired == ["db-1"]
    assert "schedule" in _declared(store, "web-1")


def test_what_was_declared_without_a_key_is_of_whoever_syncs_its_source_next(store: Store) -> None:
    store.declarations.declare(Declarer("celery"), {"m": _HOURLY}, _at(0))
    assert store.declarations.declare(_set_of(store, "airflow"), {}, _at(1), kept=[]).retired == []
    assert store.declarations.declare(_set_of(store), {}, _at(2), kept=[]).retired == ["m"]


def test_what_is_back_was_paused_meanwhile(store: Store) -> None:
    store.declarations.declare(_CELERY, {"m": _HOURLY, "n": _HOURLY}, _at(0))
    store.monitors.pause(["m"], _at(1), _at(2))
    store.declarations.declare(_CELERY, {}, _at(5), kept=[])
    add(store, [Ping("success", "m", time_us=_at(10))])
    store.monitors.pause(["m"], _at(20), _at(30))
    store.declarations.declare(_CELERY, {"m": _HOURLY, "n": _HOURLY}, _at(100), kept=["m", "n"])
    known = {key: store.monitors.find(key) for key in ("m", "n")}
    # From the last that is known of it, its making or a ping, until now.
    assert [known["m"] and known["m"].pauses, known["n"] and known["n"].pauses] == [
        (Pause(_at(1), _at(2)), Pause(_at(10) + 1, _at(100) - 1)),
        (Pause(_at(0) + 1, _at(100) - 1),),
    ]


def test_what_is_back_in_the_moment_of_its_ping_is_watched_from_then_on(store: Store) -> None:
    store.declarations.declare(_CELERY, {"m": _HOURLY}, _at(0))
    store.declarations.declare(_CELERY, {}, _at(1), kept=[])
    add(store, [Ping("success", "m", time_us=_at(10))])
    store.declarations.declare(_CELERY, {"m": _HOURLY}, _at(10))
    assert [_status(store, minute) for minute in (11, 59, 66)] == ["up", "up", "down"]
