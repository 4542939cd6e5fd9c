"""Notices: what waits together goes out together, in order, once, and never too much of it."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from radar_cli.model.attention import Attention
from radar_cli.model.flip import Flip
from radar_cli.model.notice_timing import Window
from radar_cli.model.ping import Ping
from radar_cli.model.port import UnknownMonitorError
from radar_cli.model.record import MonitorRecord
from radar_cli.store.channels import lock_channel
from radar_cli.store.notices import DELIVERED, GIVEN_UP, Alert, Outgoing, choose
from radar_cli.store.opening import open_database
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.support.postgresql import Postgresql
from tests.support.waiting import wait_until

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_BEGIN = 1_795_000_000 * _SECOND
_LEASE = 2 * _MINUTE
_WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted"


def _at(minute: float) -> int:
    return _BEGIN + round(minute * _MINUTE)


def _to_mail(known: MonitorRecord, flip: Flip) -> list[tuple[str, str]]:
    kind = "down" if flip.status == "down" else "up"
    said = {"kind": kind, "monitor": known.key, "previous": flip.previous}
    return [("mail", json.dumps(said))]


def _tell(store: Store, minute: float) -> int:
    store.monitors.judge(_at(minute))
    return store.alerts.enqueue_flips(_at(minute), _to_mail, remind_every_us=0, calms_flaps=True)


def _ping(store: Store, kind: str, minute: float, *keys: str) -> None:
    add(store, [Ping(kind, key, time_us=_at(minute)) for key in keys])


def _claim(store: Store, minute: float, *, waits: bool = False) -> Outgoing | None:
    return store.notices.claim(_at(minute), _LEASE, "mail", waits=waits)


def _keys(outgoing: Outgoing | None) -> list[str]:
    assert outgoing is not None
    return [alert.monitor for alert in outgoing.alerts]


def _deliver(store: Store, minute: float, *, waits: bool = False) -> list[list[str]]:
    """Deliver all that is due; return the monitors and kind of each notice."""
    told = []
    while (outgoing := _claim(store, minute, waits=waits)) is not None:
        told.append([outgoing.alerts[-1].kind, *_keys(outgoing)])
        store.notices.settle(outgoing, DELIVERED, "250 OK", _at(minute))
    return told


def _attention(store: Store, minute: float) -> Attention:
    known = store.monitors.find("m")
    assert known is not None
    return store.incidents.attention([known], _at(minute))["m"]


def test_what_goes_down_together_is_told_together_and_so_is_what_comes_up(store: Store) -> None:
    _ping(store, "fail", 1, "a", "b", "c")
    assert _tell(store, 2) == 3
    _ping(store, "success", 3, "a", "c")
    assert _tell(store, 4) == 2
    assert _deliver(store, 5) == [["down", "a", "b", "c"], ["up", "a", "c"]]
    assert _deliver(store, 6) == []
    up, down = sorted(store.notices.newest(9), key=lambda each: each.kind, reverse=True)
    assert (down.kind, down.monitors, down.count, down.tries) == ("down", ("a", "b", "c"), 3, 1)
    assert (up.fate, up.answer, up.settled_us) == (DELIVERED, "250 OK", _at(5))
    assert down.channel == up.channel == "mail"
    assert [each.kind for each in store.notices.newest(9, monitor="b")] == ["down"]
    assert [each.kind for each in store.notices.newest(9, pattern="b*")] == ["down"]
    assert store.notices.newest(9, channel="other") == []
    assert store.notices.newest(9, since_us=_at(6)) == []
    # Whoever may see only some monitors learns nothing of the others.
    assert [(e.monitors, e.count) for e in store.notices.newest(9, pattern="c*")] == [
        (("c",), 1)
    ] * 2
    assert [(e.kind, e.monitors) for e in store.notices.newest_of("b", pattern="[bc]")] == [
        ("down", ("b", "c"))
    ]
    assert [each.id for each in store.notices.newest(1)] + [
        each.id for each in store.notices.newest(9, before=store.notices.newest(1)[0].id)
    ] == [each.id for each in store.notices.newest(9)]


def test_a_retry_is_the_same_notice_and_what_comes_meanwhile_waits(store: Store) -> None:
    _ping(store, "fail", 1, "a", "b")
    _tell(store, 2)
    first = _claim(store, 2)
    assert first is not None
    _ping(store, "success", 3, "a")
    _tell(store, 3)
    assert _claim(store, 3) is None
    store.notices.postpone(first, _at(10), "connection refused", _at(3))
    assert _claim(store, 9) is None
    again = _claim(store, 10)
    assert again == replace(first, tries=2)
    store.notices.settle(again, DELIVERED, "", _at(10))
    assert _deliver(store, 10) == [["up", "a"]]


def test_one_alone_is_known_by_its_alert_and_several_by_an_id_of_their_own(store: Store) -> None:
    """So it is the same to a receiver that was told of it by a radar that knew no notices."""
    _ping(store, "fail", 1, "a", "b")
    _tell(store, 2)
    both = _claim(store, 2)
    assert both is not None
    assert both.id not in {alert.id for alert in both.alerts}
    _ping(store, "fail", 3, "c")
    _tell(store, 3)
    one = _claim(store, 3)
    assert one is not None
    assert [alert.id for alert in one.alerts] == [one.id]


def test_who_looks_and_finds_nothing_writes_nothing(store: Store) -> None:
    assert _claim(store, 1) is None
    assert store.channels.all() == []


def test_what_has_to_wait_for_another_takes_no_place_in_a_notice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radar_cli.store.notices._TOLD_TOGETHER_MAX", 1)
    _ping(store, "fail", 1, "a")
    _tell(store, 2)
    assert _keys(_claim(store, 2)) == ["a"]
    _ping(store, "success", 3, "a")
    _tell(store, 3)
    _ping(store, "fail", 3, "b")
    _tell(store, 3.1)
    assert _keys(_claim(store, 3.1)) == ["b"]


def test_a_fault_is_told_at_once_though_its_monitor_flaps(store: Store) -> None:
    for minute in range(4):
        _ping(store, "success" if minute % 2 else "fail", minute, "m")
        _tell(store, minute)
        _deliver(store, minute)
    add(store, [Ping("fail", "m", time_us=_at(4), fields={"schedule": "61 * * * *"})])
    assert _tell(store, 4) == 1
    said = json.dumps({"kind": "fault", "monitor": "m"})
    assert store.alerts.enqueue_faults(_at(4), lambda *_: [("mail", said)]) == 1
    assert _deliver(store, 4) == [["fault", "m"]]


def test_who_settles_a_notice_waits_for_its_channel_first(postgresql: Postgresql) -> None:
    """As who claims one does: each would else wait for what the other has."""
    url = postgresql.url()
    with open_database(url) as store, open_database(url) as other:
        _ping(store, "fail", 1, "a", "b")
        _tell(store, 2)
        outgoing = _claim(store, 2)
        assert outgoing is not None
        for settle in (
            partial(store.notices.postpone, outgoing, _at(3), "refused", _at(2)),
            partial(store.notices.settle, outgoing, DELIVERED, "", _at(2)),
        ):
            with ThreadPoolExecutor(1) as elsewhere:
                with other.database.change() as change:
                    lock_channel(change, "mail")
                    settling = elsewhere.submit(settle)
                    wait_until(lambda: change.read(_WAITING) != [])
                    change.execute("UPDATE notice SET tries = tries WHERE id = ?", (outgoing.id,))
                settling.result(20)
        assert store.alerts.waiting() == []


def test_a_crash_in_the_middle_loses_nothing(store: Store) -> None:
    _ping(store, "fail", 1, "a", "b")
    _tell(store, 2)
    first = _claim(store, 2)
    assert first is not None
    assert _claim(store, 3.9) is None
    assert _claim(store, 4) == replace(first, tries=2)


def test_after_a_long_silence_of_a_channel_there_are_few_notices(store: Store) -> None:
    """Each minute something goes down, and the channel takes nothing for an hour."""
    for minute in range(60):
        _ping(store, "fail", minute, f"m{minute}")
        _tell(store, minute)
        while (outgoing := _claim(store, minute)) is not None:
            store.notices.postpone(outgoing, _at(60), "timed out", _at(minute))
    (health,) = store.channels.all()
    assert (health.failing_us, health.failures, health.error) == (_at(0), 3, "timed out")
    assert store.channels.failing() == store.channels.failing(["mail"]) == [health]
    assert store.channels.failing(["chat"]) == []
    told = _deliver(store, 60)
    assert sorted(key for _, *keys in told for key in keys) == sorted(f"m{n}" for n in range(60))
    assert len(told) == 4
    assert store.channels.all()[0].failing_us is None
    assert store.channels.failing() == []


def test_notices_that_follow_closely_grow_rarer(store: Store) -> None:
    """A server looks all the time: each second something goes down, for two minutes."""
    sent = []
    for second in range(120):
        minute = second / 60
        _ping(store, "fail", minute, f"m{second}")
        _tell(store, minute)
        sent += [second for _ in _deliver(store, minute, waits=True)]
    assert sent == [2, 7, 17, 37, 77]


def test_who_flaps_is_told_of_when_it_settles_with_the_count(store: Store) -> None:
    told = []
    for minute in range(30):
        _ping(store, "success" if minute % 2 else "fail", minute, "m")
        _tell(store, minute)
        told += _deliver(store, minute)
    assert told == [["down", "m"], ["up", "m"]] * 2
    assert _deliver(store, 38.9) == []
    ((kind, *alerts),) = _deliver(store, 39)
    assert (kind, len(alerts)) == ("up", 26)
    _ping(store, "fail", 100, "m")
    _tell(store, 100)
    assert _deliver(store, 100) == [["down", "m"]]


def test_what_nobody_is_told_of_makes_nobody_wait_longer(store: Store) -> None:
    """It flaps until it is held back, and does so once more in a window that is over by then."""
    for minute in range(30):
        _ping(store, "success" if minute % 2 else "fail", minute, "m")
        _tell(store, minute)
        _deliver(store, minute)
    store.windows.add(Window("w", "upgrade", "m", "", _at(31), _at(34)))
    _ping(store, "fail", 32, "m")
    _ping(store, "success", 33, "m")
    assert _tell(store, 35) == 0
    assert _deliver(store, 38.9) == []
    assert [told[0] for told in _deliver(store, 39)] == ["up"]


def test_nothing_is_told_in_a_maintenance_window_and_what_is_so_at_its_end(store: Store) -> None:
    store.windows.add(Window("w", "upgrade", "db-*", "", _at(0), _at(30)))
    _ping(store, "fail", 5, "db-1", "db-2", "web")
    _tell(store, 6)
    _ping(store, "success", 7, "db-2")
    _tell(store, 8)
    assert _deliver(store, 9) == [["down", "web"]]
    _tell(store, 29)
    assert _deliver(store, 29) == []
    _tell(store, 30)
    assert _deliver(store, 30) == [["down", "db-1"]]
    assert store.windows.not_over(_at(29)) != []
    assert store.windows.not_over(_at(30)) == []


def test_a_window_can_be_ended(store: Store) -> None:
    window = Window("w", "upgrade", "*", "", _at(0))
    assert store.windows.add(window) == window
    assert store.windows.end("w", _at(5))
    assert not store.windows.end("w", _at(6))
    _ping(store, "fail", 7, "m")
    _tell(store, 7)
    assert _deliver(store, 7) == [["down", "m"]]


def test_who_sees_to_it_is_not_reminded(store: Store) -> None:
    _ping(store, "fail", 1, "m")
    store.alerts.enqueue_flips(_at(2), _to_mail, remind_every_us=10 * _MINUTE)
    assert _deliver(store, 2) == [["down", "m"]]
    assert not _attention(store, 2).is_acked
    assert store.incidents.acknowledge(["m"], _at(3), "ann") == ["m"]
    assert _attention(store, 4) == Attention(_at(3), "ann")
    store.reminders.begin(_at(400), 10 * _MINUTE)  # as a server that starts
    assert store.reminders.enqueue(_at(500), 10 * _MINUTE, _to_mail) == 0
    _ping(store, "success", 501, "m")
    _tell(store, 501)
    assert _deliver(store, 501) == [["up", "m"]]
    assert not _attention(store, 502).is_acked
    assert store.incidents.acknowledge(["m"], _at(502), "ann") == []


def test_of_one_outage_somebody_sees_to_it_once_and_only_while_it_goes_on(store: Store) -> None:
    _ping(store, "success", 1, "m")
    assert store.incidents.find("m") is store.incidents.find("nobody") is None
    _ping(store, "fail", 2, "m")
    incident = store.history.flips("m", 1)[0].id
    assert store.incidents.find("m") == incident
    assert not store.incidents.acknowledge_one("m", "another", _at(3), "ann")
    assert not _attention(store, 3).is_acked
    assert store.incidents.acknowledge_one("m", incident, _at(3), "ann")
    assert not store.incidents.acknowledge_one("m", incident, _at(4), "bob")
    assert _attention(store, 4) == Attention(_at(3), "ann")
    _ping(store, "success", 5, "m")
    assert store.incidents.find("m") is None
    assert not store.incidents.acknowledge_one("m", incident, _at(6), "bob")


def test_nobody_sees_to_a_monitor_that_there_is_not(store: Store) -> None:
    _ping(store, "fail", 1, "m")
    with pytest.raises(UnknownMonitorError, match="'nobody'"):
        store.incidents.acknowledge(["m", "nobody"], _at(2), "ann")
    assert not _attention(store, 2).is_acked


@pytest.mark.parametrize(
    ("ends", "last"),
    [
        ([], None),
        ([20], 20),
        ([20, 30], 30),
        ([30, 20], 30),
        ([20, None], None),
        ([None, 20], None),
    ],
)
def test_the_window_that_ends_last_says_how_long_it_is_quiet(
    store: Store, ends: list[int | None], last: int | None
) -> None:
    for number, end in enumerate(ends):
        end_us = None if end is None else _at(end)
        store.windows.add(Window(str(number), f"until {end}", "m", "", _at(0), end_us))
    store.windows.add(Window("x", "another's", "x", "", _at(0)))
    store.windows.add(Window("y", "tomorrow", "m", "", _at(1440), _at(1500)))
    _ping(store, "success", 1, "m")
    end_us = None if last is None else _at(last)
    name = f"until {last}" if ends else ""
    window_id = str(ends.index(last)) if ends else ""
    assert _attention(store, 2) == Attention(None, "", window_id, name, end_us)


def test_what_is_snoozed_is_told_again_when_that_is_over(store: Store) -> None:
    _ping(store, "fail", 1, "m")
    store.alerts.enqueue_flips(_at(2), _to_mail, remind_every_us=10 * _MINUTE)
    _deliver(store, 2)
    store.incidents.snooze(["m"], _at(3), _at(240), "ann")
    assert [store.reminders.enqueue(_at(n), 10 * _MINUTE, _to_mail) for n in (15, 100, 239)] == [
        0,
        0,
        0,
    ]
    assert store.reminders.enqueue(_at(240), 10 * _MINUTE, _to_mail) == 1


def test_the_others_hear_once_of_a_channel_that_fails_and_that_it_does_no_more(
    store: Store,
) -> None:
    _ping(store, "fail", 1, "m")
    _tell(store, 1)
    outgoing = _claim(store, 1)
    assert outgoing is not None
    store.notices.postpone(outgoing, _at(3), "refused", _at(1))
    assert store.channels.find_news(_at(5)) == []
    (news,) = store.channels.find_news(_at(6))
    assert store.channels.add_alert(news, [("chat", "it fails", 0, "")], _at(6)) == 1
    assert store.channels.add_alert(news, [("chat", "it fails", 0, "")], _at(6)) == 0
    assert store.channels.find_news(_at(7)) == []
    _deliver(store, 8)
    (news,) = store.channels.find_news(_at(8))
    assert news.failing_us is None
    assert store.channels.add_alert(news, [("chat", "it works", 0, "")], _at(8)) == 1
    assert store.channels.find_news(_at(9)) == []


def test_what_is_given_up_is_kept_with_why(store: Store) -> None:
    _ping(store, "fail", 1, "m")
    _tell(store, 1)
    outgoing = _claim(store, 1)
    assert outgoing is not None
    store.notices.settle(outgoing, GIVEN_UP, "answers 410", _at(1))
    (logged,) = store.notices.newest(9)
    assert (logged.fate, logged.answer) == (GIVEN_UP, "answers 410")
    assert store.alerts.waiting() == []
    # A channel that refuses for good delivers nothing, either.
    assert [health.error for health in store.channels.failing()] == ["answers 410"]


def test_of_each_monitor_is_told_what_it_heard_first() -> None:
    def alert(number: int, monitor: str, kind: str, held: str = "") -> Alert:
        return Alert(str(number), monitor, "", number, held, kind)

    down, other = alert(1, "a", "down"), alert(2, "b", "down")
    up, fault = alert(3, "a", "up"), alert(4, "b", "fault")
    assert choose([]) == []
    assert choose([down, other, up, fault]) == [down, other]
    assert choose([up, fault]) == [up]
    assert choose([down, other], alone=True) == [down]
    held = [alert(1, "a", "down", "quiet"), alert(2, "a", "up")]
    assert choose(held) == held
    several = [alert(1, "a", "up"), alert(2, "a", "down"), alert(3, "a", "up")]
    assert choose(several) == several
    assert choose([*several[:2], fault]) == several[:1]
    # A channel's own news is no monitor's.
    assert choose([alert(1, "", "channel"), alert(2, "", "channel")]) == [alert(1, "", "channel")]
