"""Reminders: what is still down is told again, each time once."""

import json
from collections.abc import Sequence

import pytest

from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
from radar_cli.store.notices import DELIVERED
from radar_cli.store.reminders import _How, _remind
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.store.claiming import claim, settle

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_BEGIN = 1_795_000_000 * _SECOND
_EVERY = 10 * _MINUTE


def _at(minute: float) -> int:
    return _BEGIN + round(minute * _MINUTE)


def _ping(kind: str, minute: float, key: str = "m") -> Ping:
    return Ping(kind, key, time_us=_at(minute))


def _to_mail(known: MonitorRecord, flip: Flip) -> Sequence[tuple[str, str]]:
    return [("mail", json.dumps([known.key, flip.previous, flip.status]))]


def _look(store: Store, minute: float) -> int:
    """What a server does at each tick; return how many reminders there were."""
    store.monitors.judge(_at(minute))
    store.alerts.enqueue_flips(_at(minute), _to_mail, remind_every_us=_EVERY)
    return store.reminders.enqueue(_at(minute), _EVERY, _to_mail)


def _deliver(store: Store, minute: float) -> list[tuple[str, str]]:
    """What people get to hear, with its idempotency key."""
    heard = []
    while (alert := claim(store, _at(minute), _MINUTE, "mail")) is not None:
        heard.append((alert.id, "-".join(json.loads(alert.notice)[1:])))
        settle(store, alert, DELIVERED)
    return heard


def test_what_is_down_is_told_every_so_often_until_it_is_up(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    heard = []
    for minute in range(2, 400):
        if minute == 345:
            add(store, [_ping("success", 345)])
        _look(store, minute)
        heard += [(minute, *each) for each in _deliver(store, minute)]
    assert [(minute, what) for minute, _, what in heard] == [
        (2, "new-down"),
        # After 10 minutes, 40 more, and then 24 times 10.
        *((minute, "down-down") for minute in (12, 52, 292)),
        (345, "down-up"),
    ]
    assert len({key for _, key, _ in heard}) == len(heard)


def test_nobody_is_reminded_while_it_is_paused(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    assert _look(store, 2) == 0
    _deliver(store, 2)
    store.monitors.pause(["m"], _at(5), None)
    assert [_look(store, minute) for minute in range(6, 40)] == [0] * 34
    store.monitors.resume(["m"], _at(40))
    assert sum(_look(store, minute) for minute in range(41, 54)) == 1


def test_a_channel_that_has_yet_to_get_the_last_one_gets_no_pile(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    _look(store, 2)
    assert [_look(store, minute) for minute in (13, 24, 35)] == [0, 0, 0]
    assert len(_deliver(store, 36)) == 1
    assert _look(store, 46) == 1


def test_after_a_long_time_one_reminder_is_enough(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    _look(store, 2)
    _deliver(store, 2)
    assert _look(store, 500) == 1
    assert _look(store, 501) == 0


def test_what_went_up_and_down_again_is_told_of_anew(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    _look(store, 2)
    add(store, [_ping("success", 5)])
    add(store, [_ping("fail", 6)])
    _look(store, 7)
    _deliver(store, 7)
    assert _look(store, 13) == 0
    assert _look(store, 17.5) == 1


def test_without_the_setting_nobody_is_reminded(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    store.alerts.enqueue_flips(_at(2), _to_mail)
    _deliver(store, 2)
    assert store.reminders.enqueue(_at(500), _EVERY, _to_mail) == 0
    # One that begins to remind does so of what was down before.
    store.reminders.begin(_at(500), _EVERY)
    assert store.reminders.enqueue(_at(505), _EVERY, _to_mail) == 0
    assert store.reminders.enqueue(_at(510), _EVERY, _to_mail) == 1


def test_a_monitor_that_was_deleted_is_forgotten(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    _look(store, 2)
    _deliver(store, 2)
    store.monitors.delete(["m"])
    assert _look(store, 30) == 0


def test_one_poisoned_monitor_silences_no_other(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    add(store, [_ping("fail", 1, key) for key in ("a", "odd", "z")])
    _look(store, 2)
    _deliver(store, 2)

    def compose(known: MonitorRecord, flip: Flip) -> Sequence[tuple[str, str]]:
        if known.key == "odd":
            raise OverflowError("date value out of range")
        return _to_mail(known, flip)

    assert store.reminders.enqueue(_at(13), _EVERY, compose) == 2
    assert "odd" in capsys.readouterr().err
    assert store.reminders.enqueue(_at(14), _EVERY, compose) == 0


def test_many_are_each_reminded_of(store: Store) -> None:
    add(store, [_ping("fail", 1, f"m{number}") for number in range(120)])
    _look(store, 2)
    assert len(_deliver(store, 2)) == 120
    assert _look(store, 13) == 120
    assert _look(store, 14) == 0


def test_a_look_that_comes_too_late_reminds_of_nothing(store: Store) -> None:
    """As when another server has just done it, or somebody has deleted the monitor."""
    add(store, [_ping("fail", 1)])
    _look(store, 2)
    _deliver(store, 2)
    (flip,) = store.history.flips("m", 9)
    with store.database.change() as change:
        assert _remind(change, flip.id, "m", _How(_at(12) - 1, _EVERY, _to_mail, ())) == 0
        assert _remind(change, flip.id, "m", _How(_at(12), _EVERY, _to_mail, ())) == 1
        assert _remind(change, flip.id, "m", _How(_at(12), _EVERY, _to_mail, ())) == 0
        change.execute("DELETE FROM monitor WHERE key = ?", ("m",))
        assert _remind(change, flip.id, "m", _How(_at(60), _EVERY, _to_mail, ())) == 0
        assert change.read("SELECT remind_us FROM flip WHERE id = ?", (flip.id,)) == [(None,)]


def test_who_is_paused_is_looked_at_again_and_makes_none(store: Store) -> None:
    add(store, [_ping("fail", 1)])
    _look(store, 2)
    _deliver(store, 2)
    store.monitors.pause(["m"], _at(5), None)
    (flip,) = store.history.flips("m", 9)
    with store.database.change() as change:
        assert _remind(change, flip.id, "m", _How(_at(12), _EVERY, _to_mail, ())) == 0
        again = change.read("SELECT remind_us FROM flip WHERE id = ?", (flip.id,))
    assert again == [(_at(22),)]


def test_who_is_poisoned_is_complained_of_each_time_and_no_oftener(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    def compose(_known: MonitorRecord, _flip: Flip) -> Sequence[tuple[str, str]]:
        raise OverflowError("date value out of range")

    add(store, [_ping("fail", 1, key) for key in ("a", "b")])
    _look(store, 2)
    _deliver(store, 2)
    for minute, complaints in ((12, 2), (13, 0), (21.5, 0), (22, 2)):
        assert store.reminders.enqueue(_at(minute), _EVERY, compose) == 0
        assert capsys.readouterr().err.count("gets no notice") == complaints
