"""What a person does to the monitors of the store."""

import itertools

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from radar_cli.model.monitor import Pause, from_declared
from radar_cli.model.ping import Ping
from radar_cli.model.port import UnknownMonitorError
from radar_cli.model.record import in_order
from radar_cli.model.state import Status, evaluate, fold
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.store.conftest import NewStore
from tests.support.depth import depth

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_BEGIN = 1_795_000_000 * _SECOND // _HOUR * _HOUR
_HOURLY = {"schedule": "0 * * * *", "tz": "UTC"}


def _at(minute: float) -> int:
    return _BEGIN + round(minute * _MINUTE)


def _ping(kind: str, minute: float, key: str = "m", **fields: str) -> Ping:
    return Ping(kind, key, time_us=_at(minute), run_id="r", fields=fields)


def _status(store: Store, minute: int, key: str = "m") -> str:
    store.monitors.judge(_at(minute))
    known = store.monitors.find(key)
    assert known is not None
    view = known.view_at(_at(minute))
    return f"{view.status} {view.reason}" if view.reason else str(view.status)


def test_a_monitor_that_never_ran_is_missed_from_its_creation_on(store: Store) -> None:
    assert store.monitors.create("m", _HOURLY, _at(30))
    assert [_status(store, minute) for minute in (60, 61, 66)] == ["new", "late", "down missed"]


def test_it_creates_no_monitor_that_is_there(store: Store) -> None:
    add(store, [_ping("success", 0, name="mine")])
    assert not store.monitors.create("m", {"name": "yours"}, _at(1))
    (known,) = store.monitors.all()
    assert known.declared == {"name": "mine"}


def test_no_ping_changes_what_a_person_has_set(store: Store) -> None:
    store.monitors.create("m", {"name": "set"}, _at(0))
    add(store, [_ping("success", 1, name="sent", schedule="@daily", tags="a")])
    store.monitors.update("m", {"name": None}, _at(2))
    add(store, [_ping("success", 3, name="sent")])
    (known,) = store.monitors.all()
    assert known.declared == {"schedule": "@daily", "tags": "a"}
    store.monitors.update("m", {"every": "3600", "schedule": None}, _at(4))
    add(store, [_ping("success", 5, schedule="@daily", tz="Asia/Tokyo")])
    (known,) = store.monitors.all()
    assert known.declared == {"every": "3600", "tags": "a"}


def test_an_update_judges_it_anew(store: Store) -> None:
    add(store, [_ping("start", 60, **_HOURLY), _ping("success", 61)])
    assert _status(store, 150) == "down missed"
    store.monitors.update("m", {"gracePeriod": "3600"}, _at(150))
    assert _status(store, 150) == "late"
    assert _status(store, 181) == "down missed"
    store.monitors.update("m", {"schedule": None}, _at(182))
    assert _status(store, 182) == "up"


def test_a_failure_tolerance_counts_at_once(store: Store) -> None:
    add(store, [_ping("success", 1), _ping("fail", 2)])
    assert _status(store, 3) == "down failed"
    store.monitors.update("m", {"failure_tolerance": "1"}, _at(3))
    assert _status(store, 3) == "up"


def test_a_pause_with_an_end_resumes_by_itself(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.pause(["m"], _at(30), _at(150))
    assert [_status(store, minute) for minute in (30, 149, 151, 181, 186)] == [
        *("paused", "paused", "up", "late", "down missed")
    ]


def test_a_resume_ends_it_now_and_nothing_of_it_is_missed(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.pause(["m"], _at(30), None)
    assert _status(store, 1000) == "paused"
    assert store.monitors.resume(["m"], _at(1001)) == ["m"]
    assert _status(store, 1001) == "up"
    assert store.monitors.resume(["m"], _at(1002)) == []
    assert _status(store, 1026) == "down missed"


def test_a_second_pause_only_moves_the_end(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    store.monitors.pause(["m"], _at(10), None)
    store.monitors.pause(["m"], _at(20), _at(90))
    (known,) = store.monitors.all()
    assert known.pauses == (Pause(_at(10), _at(90)),)


def test_a_pause_of_a_clock_that_was_ahead_can_be_resumed(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    store.monitors.pause(["m"], _at(60), None)
    assert _status(store, 10) == "paused"
    assert store.monitors.resume(["m"], _at(10)) == ["m"]
    assert [_status(store, minute) for minute in (10, 50, 70)] == ["new", "new", "down missed"]


def test_deleting_takes_the_pings_along(store: Store) -> None:
    add(store, [_ping("success", 1), _ping("success", 1, "other")])
    assert store.monitors.delete(["m"]) == 1
    assert store.monitors.keys() == ["other"]
    assert (store.history.count_pings("m"), store.history.count_pings("other")) == (0, 1)


def test_a_change_of_several_is_one_of_all_or_none(store: Store) -> None:
    store.monitors.create("m", {}, _at(0))
    for change in (
        lambda: store.monitors.delete(["m", "nobody"]),
        lambda: store.monitors.pause(["m", "nobody"], _at(1), None),
        lambda: store.monitors.resume(["m", "nobody"], _at(1)),
        lambda: store.monitors.update("nobody", {"name": "x"}, _at(1)),
    ):
        with pytest.raises(UnknownMonitorError, match="nobody"):
            change()
    (known,) = store.monitors.all()
    assert known.pauses == ()


def test_what_a_run_says_meanwhile_does_not_hide_what_was_before(store: Store) -> None:
    """However much it is: a story that is told anew has the runs in it."""
    add(store, [_ping("success", 1), _ping("fail", 2)])
    add(store, [_ping("log", 3 + number / 60) for number in range(300)])
    store.monitors.update("m", {"name": "another"}, _at(20))
    assert _status(store, 20) == "down failed"
    assert [flip.status for flip in store.history.flips("m", 9)] == ["down", "up"]


def test_a_late_ping_tells_what_was_before_a_pause(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    store.monitors.pause(["m"], _at(130), _at(190))
    assert _status(store, 200) == "down missed"
    add(store, [_ping("success", 61)])
    # The run of 02:00 is missing all the same.
    assert _status(store, 200) == "down missed"
    add(store, [_ping("success", 121)])
    assert _status(store, 200) == "up"


def test_a_start_that_comes_late_disproves_what_a_look_found_missed(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    assert _status(store, 70) == "down missed"
    add(store, [_ping("start", 60)])
    assert _status(store, 71) == "new"


_DECLARED = {"schedule": "*/10 * * * *", "gracePeriod": "60", "tz": "UTC"}


@pytest.mark.nightly
@settings(max_examples=depth(40, 500), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_it_judges_pauses_as_if_all_had_come_in_order(
    new_store: NewStore, data: st.DataObject
) -> None:
    """Whatever comes late, and whenever somebody looks, pauses and resumes."""
    seconds = data.draw(st.lists(st.integers(1, 7200), min_size=1, max_size=16, unique=True))
    acts = []
    pings = []
    for second in seconds:
        act = data.draw(st.sampled_from(["ping", "ping", "ping", "pause", "resume", "look"]))
        if act == "ping":
            kind = data.draw(st.sampled_from(["start", "success", "fail"]))
            run_id = data.draw(st.sampled_from(["a", "b", ""]))
            time_us = _BEGIN + second * _SECOND
            pings.append(Ping(kind, "m", run_id=run_id, time_us=time_us))
            delay = data.draw(st.sampled_from([0, 0, 1, 500, 3000]))
            acts.append((second + delay, act, len(pings) - 1))
        else:
            length = data.draw(st.sampled_from([0, 30, 700, 2000]))
            acts.append((second, act, length))
    acts.sort()
    now_us = _BEGIN + (acts[-1][0] + data.draw(st.integers(0, 3000))) * _SECOND
    with new_store() as store:
        store.monitors.create("m", _DECLARED, _BEGIN)
        for second, act, value in acts:
            at_us = _BEGIN + second * _SECOND
            if act == "ping":
                store.pings.add([pings[value]], at_us)
            elif act == "pause":
                store.monitors.pause(["m"], at_us, at_us + value * _SECOND if value else None)
            elif act == "resume":
                store.monitors.resume(["m"], at_us)
            else:
                store.monitors.judge(at_us)
        store.monitors.judge(now_us)
        (known,) = store.monitors.all()
        view = known.view_at(now_us)
    for before, after in itertools.pairwise(known.pauses):
        assert before.end_us is not None
        assert before.end_us < after.begin_us
    monitor = from_declared("m", _DECLARED, _BEGIN, known.pauses)
    expected = evaluate(monitor, fold(monitor, sorted(pings, key=in_order)), now_us)
    event(str(expected.status))
    assert (view.status, view.reason) == (expected.status, expected.reason)
    assert view.expected_us == expected.expected_us


def test_it_judges_a_paused_monitor_no_more_often_than_its_pause_ends(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    store.monitors.pause(["m"], _at(10), _at(500))
    assert [store.monitors.judge(_at(minute)) for minute in (100, 499, 501, 502)] == [0, 0, 1, 0]
    (known,) = store.monitors.all()
    assert (known.view.status, known.view.reason) == (Status.NEW, None)
