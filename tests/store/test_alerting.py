"""Alerts: each flip that is news is told once to each channel, however often it is tried."""

import json
import threading
from collections.abc import Iterator, Sequence

import pytest

from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
from radar_cli.store.notices import DELIVERED, GIVEN_UP
from radar_cli.store.opening import open_database, open_embedded
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.store.claiming import Claimed, claim, postpone, settle
from tests.support.postgresql import Postgresql

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_BEGIN = 1_795_000_000 * _SECOND // _HOUR * _HOUR
_HOURLY = {"schedule": "0 * * * *", "tz": "UTC"}
_LEASE = 5 * _MINUTE


def _at(minute: float) -> int:
    return _BEGIN + round(minute * _MINUTE)


def _ping(kind: str, minute: float, key: str = "m", **fields: str) -> Ping:
    return Ping(kind, key, time_us=_at(minute), fields=fields)


def _to_mail(known: MonitorRecord, flip: Flip) -> list[tuple[str, str]]:
    return [("mail", json.dumps([known.key, flip.status, flip.reason]))]


def _to_two(known: MonitorRecord, flip: Flip) -> list[tuple[str, str]]:
    return [*_to_mail(known, flip), ("hook", flip.id)]


def _claim_all(store: Store, minute: float) -> list[Claimed]:
    alerts = []
    for channel in ("mail", "hook"):
        while (alert := claim(store, _at(minute), _LEASE, channel)) is not None:
            alerts.append(alert)
    return alerts


def _tell(store: Store, minute: float) -> list[str]:
    """What people are told now: statuses, in order."""
    store.monitors.judge(_at(minute))
    store.alerts.enqueue_flips(_at(minute), _to_mail)
    told = []
    while (alert := claim(store, _at(minute), _LEASE, "mail")) is not None:
        told.append(json.loads(alert.notice)[1])
        settle(store, alert, DELIVERED)
    return told


def test_each_flip_that_is_told_makes_one_alert_a_channel(store: Store) -> None:
    add(store, [_ping("success", 1), _ping("fail", 2)])
    assert store.alerts.enqueue_flips(_at(3), _to_two) == 2
    assert store.alerts.enqueue_flips(_at(3), _to_two) == 0
    alerts = _claim_all(store, 3)
    (flip, _) = store.history.flips("m", 9)
    assert {(alert.channel, alert.notice) for alert in alerts} == {
        ("mail", '["m", "down", "failed"]'),
        ("hook", flip.id),
    }
    assert {(alert.monitor, alert.tries) for alert in alerts} == {("m", 1)}
    assert len({alert.id for alert in alerts}) == 2


def test_a_flip_that_concerns_no_channel_is_told_all_the_same(store: Store) -> None:
    """So that the end of it is no news either for a channel that was added meanwhile..."""
    add(store, [_ping("fail", 2)])
    assert store.alerts.enqueue_flips(_at(3), lambda _known, _flip: []) == 0
    assert _tell(store, 4) == []


def test_that_it_is_up_is_told_to_who_heard_that_it_was_down(store: Store) -> None:
    add(store, [_ping("success", 1)])
    assert _tell(store, 1) == []
    add(store, [_ping("fail", 2)])
    assert _tell(store, 2) == ["down"]
    add(store, [_ping("success", 3)])
    assert _tell(store, 3) == ["up"]
    add(store, [_ping("success", 4)])
    assert _tell(store, 4) == []


def test_what_came_and_went_between_two_looks_is_told_in_order(store: Store) -> None:
    add(store, [_ping("success", 1), _ping("fail", 2), _ping("success", 3), _ping("fail", 4)])
    add(store, [_ping(kind, 5) for kind in ("success", "fail", "success", "fail") for _ in "abc"])
    flips = [flip.status for flip in store.history.flips("m", 99)][::-1]
    assert flips.count("down") > 1
    assert _tell(store, 6) == flips[1:]  # the first said that it is up


def test_a_correction_is_told_to_who_heard_what_it_corrects(store: Store) -> None:
    store.monitors.create("m", _HOURLY, _at(0))
    assert _tell(store, 66) == ["down"]
    store.pings.add([_ping("start", 60)], _at(67))
    assert _tell(store, 67) == ["new"]


def test_nothing_is_told_during_a_pause_and_what_is_so_after_it(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.pause(["m"], _at(10), _at(30))
    add(store, [_ping("fail", 20)])
    assert _tell(store, 21) == []
    assert _tell(store, 31) == ["down"]


def test_what_is_over_when_the_pause_is_need_not_be_told(store: Store) -> None:
    add(store, [_ping("success", 1, **_HOURLY)])
    store.monitors.pause(["m"], _at(10), _at(30))
    add(store, [_ping("fail", 20)])
    add(store, [_ping("success", 25)])
    assert _tell(store, 26) == []
    assert _tell(store, 31) == []
    add(store, [_ping("fail", 32)])
    assert _tell(store, 32) == ["down"]


def test_who_heard_that_it_is_down_hears_after_a_pause_that_it_is_not(store: Store) -> None:
    add(store, [_ping("fail", 1, **_HOURLY)])
    assert _tell(store, 2) == ["down"]
    store.monitors.pause(["m"], _at(10), None)
    add(store, [_ping("success", 20)])
    assert _tell(store, 21) == []
    store.monitors.resume(["m"], _at(30))
    assert _tell(store, 30) == ["up"]


def test_what_failed_before_a_pause_is_told_after_it_though_it_is_over(store: Store) -> None:
    """It was no work on the machine: the pause began later."""
    add(store, [_ping("success", 1), _ping("fail", 5)])
    store.monitors.pause(["m"], _at(10), _at(30))
    add(store, [_ping("success", 25)])
    assert _tell(store, 31) == ["down", "up"]


def test_what_is_old_and_over_is_no_news(store: Store) -> None:
    add(store, [_ping("success", 1)])
    add(store, [_ping("fail", 2)])
    add(store, [_ping("success", 3)])
    assert _tell(store, 25 * 60) == []
    add(store, [_ping("fail", 26 * 60)])
    assert _tell(store, 26 * 60) == ["down"]


def test_what_is_old_and_still_so_is_news(store: Store) -> None:
    add(store, [_ping("success", 1)])
    add(store, [_ping("fail", 2)])
    assert _tell(store, 60 * 24 * 30) == ["down"]


def test_many_monitors_are_each_told_of(store: Store) -> None:
    add(store, [_ping("fail", 1, f"m{number}") for number in range(553)])
    assert store.alerts.enqueue_flips(_at(2), _to_mail) == 553
    assert len({alert.monitor for alert in _claim_all(store, 2)}) == 553


def test_an_alert_is_kept_from_others_until_its_lease_is_over(store: Store) -> None:
    """Whoever has claimed it may be dead by then; the receiver knows it by its id."""
    add(store, [_ping("fail", 1)])
    store.alerts.enqueue_flips(_at(2), _to_mail)
    first = claim(store, _at(2), _LEASE, "mail")
    assert claim(store, _at(2), _LEASE, "mail") is None
    assert claim(store, _at(7) - 1, _LEASE, "mail") is None
    again = claim(store, _at(7), _LEASE, "mail")
    assert first is not None
    assert again is not None
    assert (again.id, again.notice, again.tries) == (first.id, first.notice, 2)


@pytest.mark.parametrize("fate", [DELIVERED, GIVEN_UP])
def test_a_settled_alert_is_never_due_again(store: Store, fate: str) -> None:
    add(store, [_ping("fail", 1)])
    store.alerts.enqueue_flips(_at(2), _to_mail)
    (alert,) = _claim_all(store, 2)
    settle(store, alert, fate, "no such address")
    assert store.alerts.waiting() == []
    assert _claim_all(store, 10**6) == []
    # Nor if another one, whose lease had ended, comes to postpone it.
    postpone(store, alert, _at(3), "timed out")
    assert _claim_all(store, 10**6) == []
    assert store.alerts.enqueue_flips(_at(4), _to_mail) == 0


def test_a_postponed_alert_is_due_when_it_said(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    store.alerts.enqueue_flips(_at(2), _to_mail)
    (alert,) = _claim_all(store, 2)
    postpone(store, alert, _at(30), "connection refused")
    assert store.alerts.waiting() == [("m", "mail", "connection refused", 1)]
    assert _claim_all(store, 29) == []
    (again,) = _claim_all(store, 30)
    assert (again.id, again.tries) == (alert.id, 2)


def test_the_one_that_waits_longest_is_first(store: Store) -> None:
    for minute, key in ((1, "z"), (2, "a"), (3, "k")):
        add(store, [_ping("fail", minute, key)])
        store.alerts.enqueue_flips(_at(minute), _to_mail)
    assert [alert.monitor for alert in _claim_all(store, 4)] == ["z", "a", "k"]


def test_no_recovery_is_told_before_what_it_is_from(store: Store) -> None:
    add(store, [_ping("fail", 1), _ping("success", 2)])
    store.alerts.enqueue_flips(_at(2), _to_mail)
    add(store, [_ping("fail", 2, "other")])
    store.alerts.enqueue_flips(_at(2.1), _to_mail)
    first = claim(store, _at(2), _LEASE, "mail")
    assert first is not None
    postpone(store, first, _at(30), "connection refused")
    # Another monitor's alert doesn't wait for it, the same monitor's does.
    (other,) = _claim_all(store, 3)
    assert other.monitor == "other"
    settle(store, other, DELIVERED)
    assert [json.loads(alert.notice)[1] for alert in _claim_all(store, 30)] == ["down"]
    settle(store, first, DELIVERED)
    assert [json.loads(alert.notice)[1] for alert in _claim_all(store, 31)] == ["up"]


def test_deleting_a_monitor_takes_its_alerts_along(store: Store) -> None:
    for key in ("m", "other"):
        add(store, [_ping("fail", 1, key)])
    store.alerts.enqueue_flips(_at(2), _to_mail)
    claimed = claim(store, _at(2), _LEASE, "mail")
    assert claimed is not None
    store.monitors.delete([claimed.monitor])
    # It was on its way when that happened.
    settle(store, claimed, DELIVERED)
    postpone(store, claimed, _at(3), "timed out")
    (left,) = _claim_all(store, 10**6)
    assert left.monitor != claimed.monitor


def test_a_monitor_that_is_made_anew_owes_nothing_of_the_old_one(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    assert _tell(store, 1) == ["down"]
    store.monitors.delete(["m"])
    add(store, [_ping("success", 2)])
    assert _tell(store, 2) == []


def test_a_monitor_that_nobody_can_tell_of_keeps_no_other_silent(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    add(store, [_ping("fail", 1, key) for key in ("a", "odd", "z")])

    def compose(known: MonitorRecord, flip: Flip) -> Sequence[tuple[str, str]]:
        if known.key == "odd":
            raise OverflowError("date value out of range")
        return _to_mail(known, flip)

    assert store.alerts.enqueue_flips(_at(2), compose) == 2
    assert "odd" in capsys.readouterr().err
    assert {alert.monitor for alert in _claim_all(store, 2)} == {"a", "z"}
    # Once it can be told of, it is.
    assert store.alerts.enqueue_flips(_at(3), _to_mail) == 1


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[Store]]:
    """Two stores on one database, as two processes have them."""
    if request.param == "postgresql":
        server: Postgresql = request.getfixturevalue("postgresql")
        url = server.url()
        opened = [open_database(url), open_database(url)]
    else:
        folder = str(tmp_path_factory.mktemp("shared"))
        opened = [open_embedded(folder), open_embedded(folder)]
    with opened[0], opened[1]:
        yield opened


def test_no_alert_is_claimed_twice_and_no_flip_told_twice(stores: Sequence[Store]) -> None:
    """Four threads on two stores find, enqueue and claim what there is, all at once."""
    keys = [f"m{number}" for number in range(60)]
    add(stores[0], [_ping("start", 1, key, max_runtime="60") for key in keys])
    gate = threading.Barrier(4)
    claimed: list[list[Claimed]] = [[] for _ in range(4)]
    faults: list[BaseException] = []

    def work(number: int) -> None:
        store = stores[number % 2]
        try:
            gate.wait(30)
            store.monitors.judge(_at(5))  # all of them hang
            store.alerts.enqueue_flips(_at(5), _to_mail)
            # None may also mean that another one was quicker.
            while store.alerts.waiting() and sum(map(len, claimed)) < len(keys):
                if (alert := claim(store, _at(5), _LEASE, "mail")) is not None:
                    claimed[number].append(alert)
        except BaseException as fault:
            faults.append(fault)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert [len(stores[0].history.flips(key, 9)) for key in keys] == [1] * len(keys)
    alerts = [alert for some in claimed for alert in some]
    assert sorted(alert.monitor for alert in alerts) == sorted(keys)
    assert {alert.tries for alert in alerts} == {1}


def test_what_two_stores_see_is_one(stores: Sequence[Store]) -> None:
    add(stores[0], [_ping("fail", 1)])
    assert stores[1].alerts.enqueue_flips(_at(2), _to_mail) == 1
    alert = claim(stores[0], _at(2), _LEASE, "mail")
    assert alert is not None
    assert claim(stores[1], _at(2), _LEASE, "mail") is None
    settle(stores[1], alert, DELIVERED)
    assert stores[0].alerts.waiting() == []
