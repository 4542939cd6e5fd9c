"""What fell due while no server looked."""

from radar_cli.model.ping import Ping
from radar_cli.store.store import Store
from tests.store.arrivals import add

_MINUTE = 60_000_000
_BEGIN = 1_795_000_000_000_000 // (60 * _MINUTE) * 60 * _MINUTE
_HOURLY = {"schedule": "0 * * * *", "tz": "UTC"}


def _at(minute: float) -> int:
    return _BEGIN + round(minute * _MINUTE)


def _open_eyes(store: Store, minute: float) -> tuple[float, float, int] | None:
    found = store.open_eyes(_at(minute), _MINUTE)
    if found is None:
        return None
    return (
        (found.begin_us - _BEGIN) / _MINUTE,
        (found.end_us - _BEGIN) / _MINUTE,
        found.monitors,
    )


def _status(store: Store, minute: float, key: str = "m") -> str:
    store.judge(_at(minute))
    known = store.find(key)
    assert known is not None
    view = known.view_at(_at(minute))
    return f"{view.status} {view.reason}" if view.reason else str(view.status)


def test_a_first_start_and_a_quick_restart_are_no_blindness(store: Store) -> None:
    assert _open_eyes(store, 0) is None
    assert store.last_blindness() is None
    store.note_alive(_at(10))
    assert _open_eyes(store, 10.5) is None
    assert store.last_blindness() is None


def test_what_fell_due_meanwhile_is_not_missed(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    store.note_alive(_at(50))
    assert _open_eyes(store, 150) == (50, 150, 1)
    assert [_status(store, minute) for minute in (151, 179, 181, 186)] == [
        *("up", "up", "late", "down missed")
    ]
    last = store.last_blindness()
    assert last is not None
    assert (last.begin_us, last.end_us, last.monitors) == (_at(50), _at(150), 1)


def test_what_was_not_due_meanwhile_is_not_touched(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    store.note_alive(_at(10))
    assert _open_eyes(store, 40) == (10, 40, 0)
    assert _status(store, 66) == "down missed"


def test_what_was_down_before_is_down_after(store: Store) -> None:
    add(store, [Ping("fail", "m", time_us=_at(1), fields=_HOURLY)])
    store.note_alive(_at(2))
    _open_eyes(store, 200)
    assert _status(store, 201) == "down failed"


def test_what_was_overdue_before_is_missed_all_the_same(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    store.note_alive(_at(70))  # and nobody judged
    assert _open_eyes(store, 100) == (70, 100, 1)
    assert _status(store, 101) == "down missed"


def test_a_run_whose_end_was_due_meanwhile_does_not_hang(store: Store) -> None:
    start = Ping("start", "m", run_id="r", time_us=_at(1), fields={**_HOURLY, "max_runtime": "600"})
    add(store, [start])
    store.note_alive(_at(5))
    _open_eyes(store, 30)
    assert _status(store, 31) == "new"


def test_a_pause_goes_on_as_it_was(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    store.pause(["m"], _at(10), _at(90))
    store.note_alive(_at(50))
    _open_eyes(store, 150)
    assert _status(store, 151) == "up"
    assert _status(store, 186) == "down missed"


def test_late_pings_of_that_time_tell_what_was(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    store.note_alive(_at(50))
    _open_eyes(store, 150)
    store.add([Ping("fail", "m", time_us=_at(61))], _at(151))
    assert _status(store, 152) == "down failed"
    store.add([Ping("success", "m", time_us=_at(121))], _at(153))
    assert _status(store, 154) == "up"
