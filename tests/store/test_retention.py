"""What the store forgets, and what it never does."""

import itertools
import json
import os
import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
from radar_cli.store.notices import DELIVERED
from radar_cli.store.opening import open_embedded
from radar_cli.store.retention import Retention
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.store.claiming import claim, settle
from tests.store.conftest import NewStore
from tests.support.depth import depth

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_BEGIN = 1_795_000_000 * _SECOND // _HOUR * _HOUR
_EVERYTHING = Retention(
    pings=10**6, pings_for_us=10_000 * _DAY, outputs=10**6, outputs_for_us=10_000 * _DAY
)


def _fill(store: Store, count: int, key: str = "m", *, every_us: int = _MINUTE) -> int:
    """Pings of as many runs, each with output; return the time of the last."""
    pings = [
        Ping("success", key, run_id=f"r{n}", time_us=_BEGIN + n * every_us, body=b"said %d" % n)
        for n in range(count)
    ]
    add(store, pings)
    return pings[-1].time_us


def _said(store: Store, key: str = "m") -> list[bytes]:
    return [ping.body for ping in store.pings.newest(key, 10**6)]


def _with(**limits: int) -> Retention:
    return Retention(**{**{name: getattr(_EVERYTHING, name) for name in _NAMES}, **limits})


_NAMES = ("pings", "pings_for_us", "outputs", "outputs_for_us")


def test_it_forgets_nothing_that_is_within_its_limits(store: Store) -> None:
    last_us = _fill(store, 50)
    assert store.sweep(last_us, Retention()) == 0
    assert _said(store) == [b"said %d" % n for n in range(50)]


def test_it_keeps_the_newest_pings_by_count(store: Store) -> None:
    last_us = _fill(store, 50)
    assert store.sweep(last_us, _with(pings=20)) == 30
    assert _said(store) == [b"said %d" % n for n in range(30, 50)]
    assert store.sweep(last_us, _with(pings=20)) == 0


def test_it_keeps_pings_up_to_an_age(store: Store) -> None:
    last_us = _fill(store, 50)
    store.sweep(last_us, _with(pings_for_us=19 * _MINUTE))
    assert _said(store) == [b"said %d" % n for n in range(30, 50)]


def test_it_keeps_the_newest_outputs_by_count_and_the_pings_of_the_others(store: Store) -> None:
    last_us = _fill(store, 50)
    store.sweep(last_us, _with(outputs=20))
    assert _said(store) == [b""] * 30 + [b"said %d" % n for n in range(30, 50)]


def test_it_keeps_outputs_up_to_an_age(store: Store) -> None:
    last_us = _fill(store, 50)
    store.sweep(last_us, _with(outputs_for_us=19 * _MINUTE))
    assert _said(store) == [b""] * 30 + [b"said %d" % n for n in range(30, 50)]


def test_what_was_there_last_stays_however_old_it_is(store: Store) -> None:
    last_us = _fill(store, 50)
    store.sweep(last_us + 5000 * _DAY, Retention())
    assert _said(store) == [b"said %d" % n for n in range(38, 50)]


def test_it_counts_each_monitor_by_itself(store: Store) -> None:
    _fill(store, 50, "busy", every_us=_SECOND)
    last_us = _fill(store, 5, "rare", every_us=_DAY)
    store.sweep(last_us, _with(pings=20))
    assert (store.history.count_pings("busy"), store.history.count_pings("rare")) == (20, 5)


def test_pings_of_the_same_moment_stay_or_go_together(store: Store) -> None:
    add(store, [Ping("log", "m", time_us=_BEGIN) for _ in range(40)])
    assert store.sweep(_BEGIN, _with(pings=20)) == 0
    add(store, [Ping("log", "m", time_us=_BEGIN + 1) for _ in range(20)])
    assert store.sweep(_BEGIN + 1, _with(pings=20)) == 40


def test_a_monitor_without_pings_stays(store: Store) -> None:
    store.monitors.create("m", {"every": "60"}, _BEGIN)
    assert store.sweep(_BEGIN + 5000 * _DAY, Retention()) == 0
    assert store.monitors.keys() == ["m"]


def test_the_sweep_goes_round_all_monitors_in_slices(store: Store) -> None:
    """No transaction is long, and each monitor has its turn."""
    keys = [f"m{number:03d}" for number in range(450)]
    add(store, [Ping("log", key, time_us=_BEGIN + n) for key in keys for n in range(3)])
    limits = _with(pings=1)
    rounds = []
    for number in range(3):
        gone = store.sweep(_BEGIN + number, limits)
        rounds.append([key for key in keys if store.history.count_pings(key) == 1])
        assert gone == 2 * (len(rounds[-1]) - (len(rounds[-2]) if number else 0))
    assert [len(swept) for swept in rounds] == [200, 400, 450]
    assert rounds[0] == keys[:200]
    # And again from the first one on.
    add(store, [Ping("log", "m000", time_us=_BEGIN + 9), Ping("log", "m449", time_us=_BEGIN + 9)])
    assert [store.sweep(_BEGIN + 9 + number, limits) for number in range(3)] == [1, 0, 1]


def test_the_sweep_outlives_the_monitor_that_it_stopped_at(store: Store) -> None:
    keys = [f"m{number:03d}" for number in range(250)]
    add(store, [Ping("log", key, time_us=_BEGIN + n) for key in keys for n in range(2)])
    assert store.sweep(_BEGIN, _with(pings=1)) == 200
    store.monitors.delete(["m199", "m200"])
    assert store.sweep(_BEGIN + 1, _with(pings=1)) == 49


def test_it_sweeps_no_more_often_than_it_is_told(store: Store) -> None:
    limits = _with(pings=1)

    def sweep(at_us: int) -> int:
        add(store, [Ping("log", "m", time_us=at_us), Ping("log", "m", time_us=at_us - 1)])
        return store.sweep(at_us, limits, every_us=_MINUTE)

    assert sweep(_BEGIN) == 1
    assert sweep(_BEGIN + _MINUTE - 1) == 0
    assert sweep(_BEGIN + _MINUTE) == 4
    # Of a clock that was far ahead nobody waits for the end.
    assert sweep(_BEGIN + 1000 * _DAY) > 0
    assert store.sweep(_BEGIN + 2 * _MINUTE, _with(pings=2), every_us=_MINUTE) == 0
    add(store, [Ping("log", "m", time_us=_BEGIN + 1000 * _DAY + n) for n in range(9)])
    assert store.sweep(_BEGIN + 4 * _MINUTE, limits, every_us=_MINUTE) > 0


def test_alerts_that_are_over_go_after_a_month_and_others_never(store: Store) -> None:
    add(store, [Ping("fail", key, time_us=_BEGIN) for key in ("done", "waiting")])
    store.alerts.enqueue_flips(_BEGIN, lambda known, _flip: [("mail", known.key)])
    while (alert := claim(store, _BEGIN, _HOUR, "mail")) is not None:
        if alert.monitor == "done":
            settle(store, alert, DELIVERED)
    assert store.sweep(_BEGIN + 29 * _DAY, Retention()) == 0
    assert store.sweep(_BEGIN + 31 * _DAY, Retention()) == 2  # with its notice
    assert [monitor for monitor, _, _, _ in store.alerts.waiting()] == ["waiting"]


def test_old_flips_go_with_the_pings_of_their_time(store: Store) -> None:
    kinds = ["success", "fail"] * 50
    add(store, [Ping(kind, "m", time_us=_BEGIN + n * _MINUTE) for n, kind in enumerate(kinds)])
    store.alerts.enqueue_flips(_BEGIN + 200 * _MINUTE, lambda _known, _flip: [])
    assert len(store.history.flips("m", 999)) == 100
    store.sweep(_BEGIN + 200 * _MINUTE, _with(pings=20))
    assert len(store.history.flips("m", 999)) == 20


def test_who_was_told_that_it_is_down_hears_that_it_is_up_after_ever_so_many_failures(
    store: Store,
) -> None:
    """The flip is older than any ping that is kept: it stays, as it is what is so."""

    def tell(now_us: int) -> list[str]:
        def compose(_known: MonitorRecord, flip: Flip) -> list[tuple[str, str]]:
            return [("mail", json.dumps(flip.status))]

        store.alerts.enqueue_flips(now_us, compose)
        told = []
        while (alert := claim(store, now_us, _HOUR, "mail")) is not None:
            told.append(json.loads(alert.notice))
            settle(store, alert, DELIVERED)
        return told

    add(store, [Ping("success", "m", time_us=_BEGIN), Ping("fail", "m", time_us=_BEGIN + 1)])
    assert tell(_BEGIN + 1) == ["down"]
    add(store, [Ping("fail", "m", time_us=_BEGIN + n) for n in range(2, 40)])
    store.sweep(_BEGIN + 40, _with(pings=20))
    (flip,) = store.history.flips("m", 9)
    assert (flip.status, flip.time_us) == ("down", _BEGIN + 1)
    assert tell(_BEGIN + 40) == []
    add(store, [Ping("success", "m", time_us=_BEGIN + 41)])
    assert tell(_BEGIN + 41) == ["up"]


@pytest.mark.nightly
@settings(max_examples=depth(15, 300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_it_changes_nothing_of_what_is_judged(new_store: NewStore, data: st.DataObject) -> None:
    """Of two stores that hear the same, one forgets in between."""
    declared = {"schedule": "*/10 * * * *", "gracePeriod": "60"}
    now_us = _BEGIN
    with new_store() as careful, new_store() as forgetful:
        for store in (careful, forgetful):
            store.monitors.create("m", declared, now_us)
        for number in range(data.draw(st.integers(1, 8))):
            pings = []
            for _ in range(data.draw(st.integers(1, 20))):
                now_us += data.draw(st.sampled_from([1, 30, 600, 601])) * _SECOND
                kind = data.draw(st.sampled_from(["start", "success", "fail", "log"]))
                run_id = data.draw(st.sampled_from(["a", "b", f"r{number}"]))
                pings.append(Ping(kind, "m", run_id=run_id, time_us=now_us))
            for store in (careful, forgetful):
                store.pings.add(pings, now_us)
            forgetful.sweep(now_us, Retention(pings=1, outputs=1))
            now_us += data.draw(st.sampled_from([0, 60, 700])) * _SECOND
            for store in (careful, forgetful):
                store.monitors.judge(now_us)
            a, b = careful.monitors.find("m"), forgetful.monitors.find("m")
            assert a is not None
            assert b is not None
            assert (a.state, a.view, a.view_at(now_us)) == (b.state, b.view, b.view_at(now_us))
        assert forgetful.history.count_pings("m") <= careful.history.count_pings("m")


def test_judging_anew_from_what_is_kept_does_not_begin_before_it(store: Store) -> None:
    """A job that fails for years has failed, whatever a person changes of it."""
    store.monitors.create("m", {"every": "3600"}, _BEGIN)
    pings = [
        Ping("fail", "m", run_id=f"r{n}", time_us=_BEGIN + 1000 * _DAY + n * _HOUR)
        for n in range(60)
    ]
    now_us = pings[-1].time_us
    add(store, [Ping("success", "m", time_us=_BEGIN + 1)])
    add(store, [Ping("success", "m", time_us=pings[0].time_us - 1)])
    store.pings.add(pings, now_us)
    store.sweep(now_us, _with(pings=20))
    known = store.monitors.update("m", {"name": "Backup"}, now_us)
    assert (known.view.status, known.view.reason) == ("down", "failed")


def test_space_is_given_back_to_the_disk(tmp_path: Path) -> None:
    chance = random.Random(1)
    with open_embedded(str(tmp_path)) as store:
        pings = [
            Ping("success", "m", time_us=_BEGIN + n, body=chance.randbytes(10_000).hex().encode())
            for n in range(300)
        ]
        add(store, pings)
        limits = _with(outputs=12)
        sizes = [_size(tmp_path)]
        assert store.sweep(_BEGIN + 300, limits) == 288
        sizes.append(_size(tmp_path))
        # A little at a time, as somebody may be waiting.
        for _ in range(20):
            store.database.compact()
            sizes.append(_size(tmp_path))
        assert sizes[-1] < sizes[0] / 3
        assert sizes[-1] < sizes[1] < sizes[0]
        assert all(after <= before for before, after in itertools.pairwise(sizes))
        assert [ping.body for ping in store.pings.newest("m", 12)] == [p.body for p in pings[-12:]]


def _size(state: Path) -> int:
    """Of the file itself, once all that was written is in it."""
    with sqlite3.connect(state / "radar.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return os.stat(state / "radar.db").st_size


def test_rows_that_go_make_the_file_smaller_by_themselves(tmp_path: Path) -> None:
    with open_embedded(str(tmp_path)) as store:
        body = b"x" * 5000
        add(store, [Ping("success", "m", time_us=_BEGIN + n, body=body) for n in range(300)])
        before = _size(tmp_path)
        assert store.sweep(_BEGIN + 300, _with(pings=12)) == 288
        assert before - _size(tmp_path) > 100 * 4096


@pytest.mark.parametrize("clock", [_BEGIN - 400 * _DAY, 0])
def test_a_clock_that_is_behind_forgets_nothing_young(store: Store, clock: int) -> None:
    _fill(store, 50)
    store.sweep(clock, Retention())
    assert len(_said(store)) == 50
