"""Flips: each change between new, up and down is noticed once, and in its order."""

import itertools

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
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


def _ping(kind: str, minute: float, run_id: str = "r", **fields: str) -> Ping:
    return Ping(kind, "m", time_us=_at(minute), run_id=run_id, fields=fields)


def _flips(store: Store) -> list[Flip]:
    return store.history.flips("m", 1000)[::-1]


def _told(store: Store) -> list[tuple[str, str, str, float]]:
    """From what to what, why, and in which minute it was so: the oldest first."""
    return [
        (flip.previous, flip.status, flip.reason, (flip.time_us - _BEGIN) / _MINUTE)
        for flip in _flips(store)
    ]


def test_a_monitor_that_is_new_has_none(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    store.monitors.judge(_at(64))
    assert _told(store) == []


def test_what_comes_late_of_a_monitor_that_was_never_told_of_has_its_own_time(
    store: Store,
) -> None:
    declared = {**_HOURLY, "max_runtime": "300"}
    add(store, [_ping("start", 60, "newer", **declared)])
    assert _told(store) == []
    add(store, [_ping("start", 0, "older", **declared)])
    assert _told(store) == [("new", "down", "hung", 5)]
    # But what corrects something that people were told is never older than that.
    add(store, [_ping("success", 4, "older"), _ping("success", 61, "newer")])
    assert _told(store)[1:] == [("down", "up", "", 5)]


def test_each_change_makes_one(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    for minute in (61, 66, 67, 200):  # late, missed, and still so
        store.monitors.judge(_at(minute))
    add(store, [_ping("start", 240)])
    add(store, [_ping("success", 241)])
    add(store, [_ping("start", 300), _ping("success", 301)])
    add(store, [_ping("start", 360)])
    add(store, [_ping("fail", 362)])
    add(store, [_ping("start", 370), _ping("fail", 371)])
    assert _told(store) == [
        ("new", "down", "missed", 65),
        ("down", "up", "", 241),
        ("up", "down", "failed", 362),
    ]


def test_a_run_that_hangs_makes_one_and_its_end_another(store: Store) -> None:
    add(store, [_ping("start", 60, max_runtime="600", **_HOURLY)])
    for minute in (69, 71, 72):
        store.monitors.judge(_at(minute))
    add(store, [_ping("success", 75)])
    assert _told(store) == [("new", "down", "hung", 70), ("down", "up", "", 75)]


def test_it_says_when_it_was_noticed_and_since_when_it_is_so(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    store.monitors.judge(_at(500))
    (flip,) = _flips(store)
    assert (flip.monitor, flip.time_us, flip.noticed_us) == ("m", _at(65), _at(500))


def test_a_monitor_that_is_late_or_paused_has_not_flipped(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.judge(_at(62))
    store.monitors.pause(["m"], _at(63), _at(110))
    store.monitors.judge(_at(70))
    store.monitors.judge(_at(111))
    store.monitors.pause(["m"], _at(112), None)
    store.monitors.resume(["m"], _at(115))
    assert _told(store) == [("new", "up", "", 1)]


def test_what_falls_due_before_a_pause_begins_is_one(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    store.monitors.pause(["m"], _at(70), None)
    assert _told(store) == [("new", "down", "missed", 65)]


def test_what_comes_between_two_pings_of_a_batch_is_one(store: Store) -> None:
    """The machine was away: what it did not do is noticed, and what it did."""
    batch = [_ping("success", 60, **_HOURLY), _ping("fail", 120), _ping("success", 240)]
    assert store.pings.add(batch[::-1], _at(250)) == 3
    assert _told(store) == [
        ("new", "up", "", 60),
        ("up", "down", "failed", 120),
        ("down", "up", "", 240),
    ]
    store.pings.add([_ping("success", 420), _ping("fail", 421)], _at(430))
    assert _told(store)[3:] == [
        ("up", "down", "missed", 305),
        ("down", "up", "", 420),
        ("up", "down", "failed", 421),
    ]
    assert {flip.noticed_us for flip in _flips(store)[3:]} == {_at(430)}


def test_a_late_ping_that_disproves_a_missed_corrects_it(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.judge(_at(66))
    store.pings.add([_ping("success", 61)], _at(70))
    assert _told(store) == [
        ("new", "up", "", 1),
        ("up", "down", "missed", 65),
        ("down", "up", "", 65),  # no earlier than what it corrects
    ]
    store.monitors.judge(_at(124))
    assert len(_told(store)) == 3


def test_a_start_that_comes_late_corrects_it_back_to_new(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    store.monitors.judge(_at(70))
    store.pings.add([_ping("start", 60)], _at(71))
    assert _told(store) == [("new", "down", "missed", 65), ("down", "new", "", 65)]


def test_a_late_ping_that_changes_nothing_makes_none(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.judge(_at(186))  # 1:00, 2:00 and 3:00 were missed
    add(store, [_ping("success", 187)])
    before = _told(store)
    store.pings.add([_ping("success", 61, "late"), _ping("fail", 121, "later")], _at(190))
    store.pings.add([_ping("log", 122)], _at(191))
    assert _told(store) == before
    assert [status for _, status, _, _ in before] == ["up", "down", "up"]


def test_a_late_failure_of_the_newest_run_is_noticed(store: Store) -> None:
    add(store, [_ping("success", 1, "a", **_HOURLY)])
    add(store, [_ping("log", 63)])
    store.pings.add([_ping("fail", 61, "b")], _at(64))
    assert _told(store)[1:] == [("up", "down", "failed", 61)]


def test_an_update_makes_one_only_if_it_is_otherwise_in_the_end(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.judge(_at(66))
    before = _told(store)
    store.monitors.update("m", {"name": "another"}, _at(67))
    store.monitors.update(
        "m", {"gracePeriod": "240"}, _at(68)
    )  # missed all the same, a minute earlier
    assert _told(store) == before
    store.monitors.update("m", {"gracePeriod": "3600"}, _at(69))
    assert _told(store) == [*before, ("down", "up", "", 65)]
    store.monitors.update("m", {"gracePeriod": "60"}, _at(69))
    assert _told(store)[3:] == [("up", "down", "missed", 65)]


def test_a_ping_that_declares_otherwise_makes_one_only_if_it_is_so_in_the_end(
    store: Store,
) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    add(store, [_ping("success", 62, name="another")])
    assert len(_told(store)) == 1
    # By the new schedule the runs so far were rare: that is over with this one.
    add(store, [_ping("success", 130, schedule="*/10 * * * *")])
    assert len(_told(store)) == 1
    add(store, [_ping("fail", 140, schedule="0 * * * *")])
    assert _told(store)[1:] == [("up", "down", "failed", 140)]


def test_none_is_older_than_the_one_before_it(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.judge(_at(66))
    # What was missed had failed, and was mended, all before anybody looked.
    store.pings.add([_ping("fail", 61, "late")], _at(67))
    store.pings.add([_ping("success", 62, "later")], _at(68))
    assert _told(store)[1:] == [("up", "down", "missed", 65), ("down", "up", "", 65)]


def test_a_clock_that_steps_back_changes_no_order(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.judge(_at(600))  # the clock was ahead, as it turns out
    for minute in (61, 62):
        store.monitors.judge(_at(minute))
    store.pings.add([_ping("success", 62)], _at(62))
    store.pings.add([_ping("fail", 63)], _at(63))
    statuses = [status for _, status, _, _ in _told(store)]
    assert statuses == ["up", "down", "up", "down"]
    assert all(a.status == b.previous for a, b in itertools.pairwise(_flips(store)))


def test_they_are_in_the_order_in_which_they_were_noticed(store: Store) -> None:
    """Also many of them, and of the same moment."""
    kinds = ["success", "fail"] * 60
    store.pings.add(
        [_ping(kind, 1 + number / 60, f"r{number}") for number, kind in enumerate(kinds)], _at(10)
    )
    for kind in kinds[:10]:
        store.pings.add([_ping(kind, 10)], _at(10))
    flips = _flips(store)
    assert len(flips) > 120
    assert flips[0].previous == "new"
    assert all(a.status == b.previous for a, b in itertools.pairwise(flips))


@pytest.mark.nightly
@settings(max_examples=depth(40, 500), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_they_lead_to_what_is_so_whatever_comes_when(
    new_store: NewStore, data: st.DataObject
) -> None:
    """In any order pings come, looks happen, clocks step, people change, pause and resume."""
    acts = ["pings"] * 4 + ["look"] * 3 + ["pause", "resume", "update", "step"]
    now_us = _BEGIN
    with new_store() as store:
        store.monitors.create("m", {"schedule": "*/10 * * * *", "gracePeriod": "60"}, now_us)
        for number in range(data.draw(st.integers(1, 12))):
            now_us += data.draw(st.integers(0, 1500)) * _SECOND
            act = data.draw(st.sampled_from(acts))
            if act == "pings":
                store.pings.add(_draw_pings(data, now_us, number), now_us)
            elif act == "look":
                store.monitors.judge(now_us)
            elif act == "pause":
                length = data.draw(st.sampled_from([0, 30, 700]))
                store.monitors.pause(["m"], now_us, now_us + length * _SECOND if length else None)
            elif act == "resume":
                store.monitors.resume(["m"], now_us)
            elif act == "update":
                grace = data.draw(st.sampled_from(["0", "60", "599"]))
                tolerance = data.draw(st.sampled_from(["0", "1"]))
                changes = {"gracePeriod": grace, "failure_tolerance": tolerance}
                store.monitors.update("m", changes, now_us)
            else:
                now_us -= data.draw(st.integers(0, 2000)) * _SECOND
            known = store.monitors.find("m")
            assert known is not None
            flips = _flips(store)
            assert (flips[-1].status if flips else "new") == known.state.status
            if flips and flips[-1].status == "down":
                assert flips[-1].reason
        assert all(flip.status != flip.previous for flip in flips)
        assert all(a.status == b.previous for a, b in itertools.pairwise(flips))
        assert not flips or flips[0].previous == "new"
        assert all(a.time_us <= b.time_us for a, b in itertools.pairwise(flips))
        event(f"{min(len(flips), 5)} flips")


def _draw_pings(data: st.DataObject, now_us: int, number: int) -> list[Ping]:
    ages = data.draw(st.lists(st.integers(0, 3000), min_size=1, max_size=4))
    return [
        Ping(
            data.draw(st.sampled_from(["start", "success", "fail", "log"])),
            "m",
            run_id=data.draw(st.sampled_from(["a", "b", f"r{number}"])),
            time_us=now_us - age * _SECOND,
        )
        for age in ages
    ]


def test_a_run_that_is_extended_in_time_hangs_later_whatever_order_its_pings_come_in(
    store: Store,
) -> None:
    add(store, [_ping("start", 60, max_runtime="600", **_HOURLY)])
    add(store, [_ping("log", 65, extend="30m")])
    store.monitors.judge(_at(71))
    assert _told(store) == []
    # Another story of it knows as much.
    store.monitors.update("m", {"name": "another"}, _at(72))
    store.monitors.judge(_at(94))
    assert _told(store) == []
    store.monitors.judge(_at(96))
    assert _told(store) == [("new", "down", "hung", 95)]
    # A log that was long on its way corrects that; the same one again changes nothing.
    late = _ping("log", 94, extend="1h")
    for _ in range(2):
        store.pings.add([late], _at(97))
    assert _told(store)[1:] == [("down", "new", "", 95)]
    known = store.monitors.find("m")
    assert known is not None
    assert known.view.is_running
    store.monitors.judge(_at(155))
    assert _told(store)[2:] == [("new", "down", "hung", 154)]


def test_logs_without_number_hide_no_beginning(store: Store) -> None:
    add(store, [_ping("start", 0, max_runtime="600", **_HOURLY)])
    for minute in range(1, 400):
        add(store, [_ping("log", minute, extend="5m", message=f"{minute}%")])
    store.monitors.update("m", {"name": "another"}, _at(400))
    store.monitors.judge(_at(403))
    known = store.monitors.find("m")
    assert known is not None
    assert known.view.is_running
    assert known.state.running == {"r": _at(0)}
    store.monitors.judge(_at(405))
    assert _told(store) == [("new", "down", "hung", 404)]
