"""Being blind forgives nothing: what is missing is told, however seldom somebody looks."""

import itertools
import json
from collections.abc import Iterator

import pytest

from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.store.outages import NotedOutage
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.support.depth import at_night

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_BEGIN = 1_795_000_000_000_000 // _DAY * _DAY
_HOURLY = {"schedule": "0 * * * *", "tz": "UTC"}


def _at(minute: float) -> int:
    return _BEGIN + round(minute * _MINUTE)


def _watch(store: Store, minute: float) -> tuple[float, float, int] | None:
    return _shown(store.outages.keep_watch(_at(minute)))


def _check(store: Store, minute: float) -> tuple[float, float, int] | None:
    return _shown(store.outages.note_check(_at(minute)))


def _shown(found: NotedOutage | None) -> tuple[float, float, int] | None:
    if found is None:
        return None
    return (
        (found.begin_us - _BEGIN) / _MINUTE,
        (found.end_us - _BEGIN) / _MINUTE,
        found.monitors,
    )


def _status(store: Store, minute: float, key: str = "m") -> str:
    store.monitors.judge(_at(minute))
    known = store.monitors.find(key)
    assert known is not None
    view = known.view_at(_at(minute))
    return f"{view.status} {view.reason}" if view.reason else str(view.status)


def _downs(store: Store, key: str = "m") -> list[Flip]:
    return [flip for flip in store.history.flips(key, 100) if flip.status == "down"]


# A checker of the store on this machine


@pytest.mark.parametrize("every", [at_night(_MINUTE), 5 * _MINUTE, at_night(_HOUR), _DAY])
@pytest.mark.parametrize(
    "grace", [5 * _SECOND, at_night(_MINUTE), at_night(5 * _MINUTE), 6 * _HOUR]
)
def test_a_checker_tells_a_miss_at_its_first_look_after_the_deadline(
    store: Store, every: int, grace: int
) -> None:
    declared = {"schedule": "7 2 * * *", "tz": "UTC", "gracePeriod": str(grace // _SECOND)}
    add(store, [Ping("success", "m", time_us=_at(2 * 60 + 8), fields=declared)])
    deadline = _BEGIN + _DAY + 2 * _HOUR + 7 * _MINUTE + grace
    looks = (_at(3 * 60) + number * every for number in itertools.count())
    for now in looks:
        # One that would keep the watch of a server doesn't look here.
        store.outages.note_check(now)
        store.monitors.judge(now)
        if now > deadline:
            break
        assert _downs(store) == []
    (flip,) = _downs(store)
    assert (flip.reason, flip.time_us, flip.noticed_us) == ("missed", deadline, now)


def test_a_check_after_a_long_time_judges_at_once_and_says_for_how_long_nobody_looked(
    store: Store,
) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    for minute in (2, 7, 12):
        assert _check(store, minute) is None
    assert _check(store, 3000) == (12, 3000, 0)
    assert _status(store, 3000) == "down missed"
    outage = store.outages.at(_at(65))
    assert outage is not None
    assert outage.words().startswith("nobody looked for 2 d 1 h, until ")
    assert _check(store, 3005) is None


def test_a_daily_check_is_no_outage_and_a_week_without_one_is(store: Store) -> None:
    days = [0, 1, 2, 3, 10, 11]
    found = [_check(store, day * 1440) for day in days]
    assert found[2:] == [None, None, (3 * 1440, 10 * 1440, 0), None]


def test_nobody_has_looked_is_said_when_nobody_has(store: Store) -> None:
    assert store.outages.last_look() is None
    assert store.outages.find_neglect(_at(9999)) is None  # there is nothing to look at
    add(store, [Ping("success", "unwatched", time_us=_at(0))])
    assert store.outages.find_neglect(_at(9999)) is None
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    assert store.outages.find_neglect(_at(30)) is None
    assert store.outages.find_neglect(_at(62)) == _at(1)
    _check(store, 70)
    assert store.outages.find_neglect(_at(120)) is None
    assert store.outages.find_neglect(_at(131)) == _at(70)
    _check(store, 70 + 1440)
    _check(store, 70 + 2 * 1440)
    assert store.outages.find_neglect(_at(70 + 3 * 1440)) is None
    assert store.outages.find_neglect(_at(71 + 4 * 1440)) == _at(70 + 2 * 1440)
    # Of a server more is expected.
    _watch(store, 70 + 5 * 1440)
    assert store.outages.find_neglect(_at(70.5 + 5 * 1440)) is None
    assert (
        store.outages.find_neglect(_at(71.5 + 5 * 1440))
        == store.outages.last_look()
        == _at(70 + 5 * 1440)
    )


# A server, without which no ping arrives


def test_a_first_start_and_a_quick_restart_are_no_outage(store: Store) -> None:
    assert _watch(store, 0) is None
    assert _watch(store, 0.4) is None
    assert store.outages.last() is None
    assert _watch(store, 0.9) == (0.4, 0.9, 0)


def test_it_is_noted_often_that_a_server_looks(store: Store) -> None:
    for second in range(3600):
        assert store.outages.keep_watch(_BEGIN + second * _SECOND) is None
    last_us = store.outages.last_look()
    assert last_us is not None
    assert last_us >= _BEGIN + 3590 * _SECOND


def test_a_deadline_within_an_outage_is_judged_a_little_later(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    _watch(store, 50)
    assert _watch(store, 150) == (50, 150, 1)
    assert [_status(store, minute) for minute in (150, 155, 155.1)] == [
        *("late", "late", "down missed")
    ]
    (flip,) = _downs(store)
    assert (flip.time_us, flip.noticed_us) == (_at(65), _at(155.1))
    last = store.outages.last()
    assert last is not None
    assert (last.begin_us, last.end_us, last.monitors) == (_at(50), _at(150), 1)
    assert store.outages.at(flip.time_us) == last


def test_a_deadline_after_an_outage_stays(store: Store) -> None:
    """The server was away for 46 s over the slot, and the grace is 90 s."""
    declared = {**_HOURLY, "gracePeriod": "90"}
    add(store, [Ping("success", "m", time_us=_at(1), fields=declared)])
    _watch(store, 59.7)
    _watch(store, 60.5)
    assert _status(store, 61.4) == "late"
    assert _status(store, 61.6) == "down missed"


def test_what_was_down_before_is_down_after(store: Store) -> None:
    add(store, [Ping("fail", "m", time_us=_at(1), fields=_HOURLY)])
    _watch(store, 2)
    _watch(store, 200)
    assert _status(store, 201) == "down failed"


def test_what_was_overdue_before_is_missed_at_once(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    _watch(store, 70)  # and nobody judged
    _watch(store, 100)
    assert _status(store, 100) == "down missed"


def test_a_run_whose_end_was_due_meanwhile_hangs_a_little_later(store: Store) -> None:
    start = Ping("start", "m", run_id="r", time_us=_at(1), fields={**_HOURLY, "max_runtime": "600"})
    add(store, [start])
    _watch(store, 5)
    _watch(store, 30)
    assert _status(store, 34.9) == "new"
    assert _status(store, 35.1) == "down hung"


def test_a_pause_goes_on_as_it_was(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    store.monitors.pause(["m"], _at(10), _at(90))
    _watch(store, 50)
    _watch(store, 150)
    assert _status(store, 151) == "late"
    assert _status(store, 156) == "down missed"


def test_late_pings_of_that_time_tell_what_was(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    _watch(store, 50)
    _watch(store, 150)
    store.pings.add([Ping("success", "m", time_us=_at(61))], _at(151))
    store.pings.add([Ping("success", "m", time_us=_at(121))], _at(152))
    assert _status(store, 156) == "up"
    assert _downs(store) == []
    store.pings.add([Ping("fail", "m", time_us=_at(122))], _at(157))
    assert _status(store, 158) == "down failed"


@pytest.mark.parametrize("is_other", [False, True])
def test_a_run_of_which_is_heard_only_afterwards_was_due_in_it_as_well(
    store: Store, is_other: bool
) -> None:
    """The first ping of a new monitor, and one that was down, come with those that end them."""
    add(store, [Ping("fail", "down", time_us=_at(1), fields=_HOURLY)])
    _watch(store, 50)
    assert _watch(store, 150) == (50, 150, 0)
    if is_other:
        store = Store(store.database)
        _watch(store, 150.05)
    limited = {"max_runtime": "600"}
    store.pings.add([Ping("start", "new", run_id="r", time_us=_at(60), fields=limited)], _at(150.1))
    store.pings.add([Ping("success", "down", time_us=_at(61))], _at(150.1))
    found = [
        [_status(store, minute, key) for key in ("new", "down")] for minute in (151, 154.9, 155.1)
    ]
    assert found == [["new", "late"], ["new", "late"], ["down hung", "down missed"]]
    assert [_downs(store, key)[0].time_us for key in ("new", "down")] == [_at(70), _at(125)]


def test_what_was_judged_since_a_look_was_last_noted_stays_judged(store: Store) -> None:
    fields = {"max_runtime": "600"}
    starts = [(40.01, "hangs before"), (45, "hangs meanwhile")]
    for minute, run_id in starts:
        add(store, [Ping("start", "m", run_id=run_id, time_us=_at(minute), fields=fields)])
    _watch(store, 50)
    assert store.outages.keep_watch(_at(50.05)) is None  # a look that isn't noted
    assert _status(store, 50.05) == "down hung"
    assert _watch(store, 150) == (50.05, 150, 1)  # what was noticed proves that somebody looked
    store.monitors.update("m", {"name": "told anew"}, _at(151))
    assert _status(store, 151) == "down hung"
    assert len(store.history.flips("m", 9)) == 1


def test_what_was_noticed_before_an_outage_is_so_however_late_a_ping_comes(store: Store) -> None:
    """Restarts a minute apart, between which no run came, and one of the first is heard of last."""
    minutely = {"schedule": "* * * * *", "tz": "UTC", "gracePeriod": "30"}
    add(store, [Ping("success", "m", time_us=_at(0.2), fields=minutely)])
    looks = [_watch(store, minute) for minute in (1.4, 4.8, 5.1, 5.45)]
    assert looks == [None, (1.4, 4.8, 1), None, None]
    assert _status(store, 5.503) == "down missed"  # since 5.5; the others wait until 5.8
    assert _watch(store, 6.3) is not None
    assert _watch(store, 7.4) is not None
    store.pings.add([Ping("success", "m", time_us=_at(0.9))], _at(7.8))
    assert _status(store, 8) == "down missed"
    known = store.monitors.find("m")
    assert known is not None
    (flip,) = _downs(store)
    assert known.view_at(_at(8)).since_us == flip.time_us == _at(5.5)


@pytest.mark.parametrize("ahead_minutes", [0, 60 * 24])
def test_what_was_noticed_by_a_clock_that_was_ahead_proves_nothing(
    store: Store, ahead_minutes: int
) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    assert _status(store, 66 + ahead_minutes) == "down missed"
    _watch(store, 50)
    assert _watch(store, 150) == (50, 150, 0)


def test_what_was_noticed_is_not_taken_for_an_outage(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    _watch(store, 65)
    assert _status(store, 65.08) == "down missed"
    assert _watch(store, 65.55) is None
    assert _watch(store, 66.2) == (65.55, 66.2, 0)


def test_the_story_is_the_same_when_it_is_told_anew(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    _watch(store, 50)
    _watch(store, 150)
    store.monitors.update("m", {"name": "another"}, _at(151))
    assert _status(store, 154) == "late"
    store.monitors.pause(["m"], _at(154), _at(154.5))
    store.monitors.resume(["m"], _at(154.2))
    assert _status(store, 155.1) == "up"  # the pause has covered it
    assert _status(store, 186) == "down missed"


def test_a_poisoned_monitor_moves_no_others_deadline_away(store: Store) -> None:
    for key in ("a", "odd", "z"):
        add(store, [Ping("success", key, time_us=_at(1), fields=_HOURLY)])
    with store.database.change() as change:
        change.execute("UPDATE monitor SET judged = '{x' WHERE key = 'odd'")
    _watch(store, 50)
    assert _watch(store, 150) == (50, 150, 2)
    assert [_status(store, 154, key) for key in ("a", "z")] == ["late", "late"]


def test_two_servers_that_start_after_an_outage_see_one(store: Store) -> None:
    other = Store(store.database)
    add(store, [Ping("success", "m", time_us=_at(1), fields=_HOURLY)])
    _watch(store, 50)
    assert _watch(other, 150) == (50, 150, 1)
    assert _watch(store, 150.01) is None
    assert len(store.outages.newest()) == 1


def _restarts(away_s: int) -> Iterator[int]:
    """The looks of a server that is restarted every 2 minutes, while it is up."""
    for restart in range(24 * 30):
        for second in range(away_s, 120, 10):
            yield _BEGIN + (120 * restart + second) * _SECOND


@pytest.mark.slow
@pytest.mark.parametrize("grace_s", [5, at_night(90), 21_600])
@pytest.mark.parametrize("away_s", [1, at_night(29), 46, at_night(90)])
def test_a_server_that_is_restarted_all_day_tells_a_miss_soon(
    store: Store, away_s: int, grace_s: int
) -> None:
    declared = {"every": "3600", "gracePeriod": str(grace_s)}
    times = [_at(minute) for minute in range(0, 60, 7)]
    keys = [f"m{number}" for number in range(len(times))]
    for key, time_us in zip(keys, times, strict=True):
        store.pings.add([Ping("success", key, time_us=time_us, fields=declared)], time_us)
    last = times[-1] + _HOUR + grace_s * _SECOND + 20 * _MINUTE
    for now in itertools.takewhile(lambda now: now < last, _restarts(away_s)):
        store.outages.keep_watch(now)
        store.monitors.judge(now)
    for key, time_us in zip(keys, times, strict=True):
        deadline = time_us + _HOUR + grace_s * _SECOND
        (flip,) = _downs(store, key)
        assert (flip.reason, flip.time_us) == ("missed", deadline)
        assert deadline < flip.noticed_us <= deadline + 20 * _MINUTE


def test_what_is_kept_of_outages_is_bounded(store: Store) -> None:
    for minute in range(150):
        add(store, [Ping("success", "m", time_us=_at(minute), fields={"every": "30"})])
        _watch(store, minute)
    known = store.monitors.find("m")
    assert known is not None
    assert len(store.outages.newest()) <= 100
    assert len(json.dumps([[each.begin_us] for each in known.outages])) < 2000
