"""What is news, to the microsecond, and what those who make alerts of it count."""

import json

import pytest

from radar_cli.model.fault import Fault
from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
from radar_cli.store.alerts import SILENT, PendingAlert, _enqueue, _How
from radar_cli.store.notices import DELIVERED
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.store.claiming import claim, settle

_MINUTE = 60_000_000
_DAY = 24 * 60 * _MINUTE
_BEGIN = 1_795_000_000_000_000


def _ping(kind: str, at_us: int, key: str = "m", **fields: str) -> Ping:
    return Ping(kind, key, time_us=_BEGIN + at_us, fields=fields)


def _to_mail(known: MonitorRecord, flip: Flip) -> list[tuple[str, str]]:
    return [("mail", json.dumps([known.key, flip.status]))]


def _of_fault(known: MonitorRecord, fault: Fault) -> list[tuple[str, str]]:
    return [("mail", json.dumps([known.key, fault.text]))]


def _tell(store: Store, at_us: int) -> list[str]:
    store.monitors.judge(_BEGIN + at_us)
    made = store.alerts.enqueue_flips(_BEGIN + at_us, _to_mail)
    told = []
    while (alert := claim(store, _BEGIN + at_us, _MINUTE, "mail")) is not None:
        told.append(json.loads(alert.notice)[1])
        settle(store, alert, DELIVERED)
    assert made == len(told)
    return told


@pytest.mark.parametrize(("later_us", "told"), [(0, ["down", "up"]), (1, [])])
def test_what_came_and_went_is_news_for_a_day(store: Store, later_us: int, told: list[str]) -> None:
    add(store, [_ping("success", 1)])
    add(store, [_ping("fail", 2)])
    add(store, [_ping("success", _MINUTE)])
    assert _tell(store, 2 + _DAY + later_us) == told


@pytest.mark.parametrize(("before_us", "told"), [(0, []), (1, ["down", "up"])])
def test_a_pause_excuses_from_its_first_moment(
    store: Store, before_us: int, told: list[str]
) -> None:
    add(store, [_ping("success", 1)])
    store.monitors.pause(["m"], _BEGIN + _MINUTE, _BEGIN + 3 * _MINUTE)
    add(store, [_ping("fail", _MINUTE - before_us)])
    add(store, [_ping("success", 2 * _MINUTE)])
    assert _tell(store, 4 * _MINUTE) == told


def test_nothing_is_made_for_who_is_paused(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    add(store, [_ping("fail", 1, schedule="garbage"), _ping("fail", 1, "n", schedule="garbage")])
    store.monitors.pause(["m"], _BEGIN + 2, None)
    assert store.alerts.enqueue_flips(_BEGIN + 3, _to_mail) == 1
    assert store.alerts.enqueue_faults(_BEGIN + 3, _of_fault) == 1
    assert store.alerts.enqueue_faults(_BEGIN + 4, _of_fault) == 0
    assert (store.alerts.count_waiting(), store.alerts.count_waiting("m*")) == (2, 0)
    store.monitors.resume(["m"], _BEGIN + 5)
    assert store.alerts.enqueue_flips(_BEGIN + 6, _to_mail) == 1
    assert store.alerts.enqueue_faults(_BEGIN + 6, _of_fault) == 1
    assert (store.alerts.count_waiting(), store.alerts.count_waiting("m")) == (4, 2)
    assert capsys.readouterr().err == ""


def test_a_poisoned_monitor_silences_no_other(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    def compose(known: MonitorRecord, flip: Flip) -> list[tuple[str, str]]:
        if known.key == "a":
            raise ValueError("poison")
        return _to_mail(known, flip)

    add(store, [_ping("fail", 1, "a"), _ping("fail", 1, "b")])
    assert store.alerts.enqueue_flips(_BEGIN + 2, compose) == 1
    assert capsys.readouterr().err == ("radar: monitor 'a' gets no notice: ValueError('poison')\n")


def test_faults_are_counted(store: Store) -> None:
    add(store, [_ping("success", 1, key, schedule="garbage") for key in ("a", "b", "c")])
    assert store.alerts.enqueue_faults(_BEGIN + 2, _of_fault) == 3


def test_what_is_late_is_composed_and_counted_once_however_many_there_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed = []

    def compose(known: MonitorRecord) -> list[PendingAlert]:
        composed.append(known.key)
        return [PendingAlert("mail", "{}"), PendingAlert("hook", "{}")]

    monkeypatch.setattr("radar_cli.store.alerts._LOOKED_AT_ONCE", 2)
    add(store, [_ping("success", 1, key, every="60", gracePeriod="600") for key in "abcde"])
    store.monitors.judge(_BEGIN + 2 * _MINUTE)
    for minute, made in ((2, 10), (3, 0)):
        at_us = _BEGIN + minute * _MINUTE
        assert store.alerts.enqueue_late(at_us, lambda _: ["mail", "hook"], compose) == made
    assert composed == [*"abcde"]
    assert store.alerts.count_waiting() == 10


def test_who_is_poisoned_is_told_of_once_however_many_there_are(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compose(known: MonitorRecord, flip: Flip) -> list[tuple[str, str]]:
        if known.key == "b":
            raise ValueError("poison")
        return _to_mail(known, flip)

    monkeypatch.setattr("radar_cli.store.alerts._LOOKED_AT_ONCE", 2)
    add(store, [_ping("fail", 1, key) for key in "abc"])
    assert store.alerts.enqueue_flips(_BEGIN + 2, compose) == 2
    assert capsys.readouterr().err.count("gets no notice") == 1


def test_nobody_is_reminded_of_what_was_told_just_now(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    store.alerts.enqueue_flips(_BEGIN + 2, _to_mail, remind_every_us=_MINUTE)
    alert = claim(store, _BEGIN + 2, _MINUTE, "mail")
    assert alert is not None
    settle(store, alert, DELIVERED)
    assert store.reminders.enqueue(_BEGIN + _MINUTE + 1, _MINUTE, _to_mail) == 0
    assert store.reminders.enqueue(_BEGIN + _MINUTE + 2, _MINUTE, _to_mail) == 1


def test_of_a_monitor_that_is_gone_meanwhile_nothing_is_told(store: Store) -> None:
    """As when somebody deletes it just after it was seen to have flips."""
    add(store, [_ping("fail", 1)])
    with store.database.change() as change:
        change.execute("DELETE FROM monitor WHERE key = ?", ("m",))
        assert _enqueue(change, "m", _How(_BEGIN, _to_mail, (), 0, calms_flaps=False)) == 0
        assert change.read("SELECT fate FROM flip WHERE monitor = ?", ("m",)) == [(SILENT,)]
