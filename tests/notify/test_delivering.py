"""Couriers: what becomes of an alert that a channel takes, refuses or can't understand."""

import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run
from radar_cli.notify.channel import ChannelError, Receipt
from radar_cli.notify.notice import Notice, decode_notice, encode_notice, rehearse
from radar_cli.service.delivering import deliver_alerts, deliver_in_turn
from radar_cli.settings.channels import ChannelTable
from radar_cli.settings.files import ConfigFile
from radar_cli.store.channels import lock_channel, note_failure
from radar_cli.store.opening import open_embedded
from radar_cli.store.store import Store
from tests.notify.notices import NOTICE

_SECOND = 1_000_000
_WEEK = 7 * 86_400 * _SECOND


class _Pager:
    """A channel to this test's list, which refuses as long as it is told to."""

    place = "a list"

    def __init__(
        self, name: str = "pager", *, refusal: str | Exception = "", remark: str = "", **values: Any
    ) -> None:
        self.table = ChannelTable(name, ConfigFile("config.toml", "", {}, 0, 0o600), values=values)
        self.refusal = ChannelError(refusal) if isinstance(refusal, str) and refusal else refusal
        self.remark = remark
        self.heard: list[Notice] = []
        self.patience: list[float] = []
        self.was_daemon = False

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        self.patience.append(timeout_s)
        self.was_daemon = threading.current_thread().daemon
        if isinstance(self.refusal, Exception):
            raise self.refusal
        self.heard.append(notice)
        return Receipt("heard", self.remark)


@pytest.fixture
def store() -> Iterator[Store]:
    """A store in which the monitors `a` and `b` are down, and the channel `pager` is to hear."""
    with tempfile.TemporaryDirectory() as folder, open_embedded(folder) as made:
        now_us = time.time_ns() // 1000
        made.pings.add([Ping("fail", key, time_us=now_us - 1000) for key in "ab"], now_us)
        made.alerts.enqueue_flips(now_us, _compose)
        yield made


def _add(store: Store, key: str) -> None:
    """A monitor that is down, and of which the pager is to hear."""
    now_us = time.time_ns() // 1000
    store.pings.add([Ping("fail", key, time_us=now_us - 1)], now_us)
    store.alerts.enqueue_flips(now_us, lambda *_: [("pager", encode_notice(NOTICE))])


def _compose(known: MonitorRecord, _: Flip) -> list[tuple[str, str]]:
    return [("pager", encode_notice(NOTICE) if known.key == "b" else '{"odd": 1}')]


def _deadline(seconds: float = 20.0) -> float:
    return time.monotonic() + seconds


@pytest.mark.parametrize("is_threaded", [True, False])
def test_what_is_due_is_sent_and_what_makes_no_sense_given_up(
    store: Store, is_threaded: bool
) -> None:
    pager, other = _Pager(), _Pager("other")
    deliver = deliver_alerts if is_threaded else deliver_in_turn
    done = deliver(store, [other, pager], _deadline())
    assert done.count == 1
    assert done.failures == ["channel pager: a notice of a can't be sent: KeyError: 'last_run'"]
    assert [notice.monitor for notice in pager.heard] == [NOTICE.monitor]
    assert pager.heard[0].key
    assert other.heard == []
    assert store.alerts.waiting() == []
    again = deliver(store, [pager], _deadline())
    assert (again.count, again.failures, len(pager.heard)) == (0, [], 1)


def test_a_try_has_the_time_that_is_left(store: Store) -> None:
    pager = _Pager()
    assert deliver_in_turn(store, [pager], time.monotonic() - 1).count == 0
    assert pager.patience == []
    assert deliver_in_turn(store, [pager], _deadline(1000)).count == 1
    assert pager.patience == [30.0]


def test_the_last_try_has_a_second_at_least(store: Store) -> None:
    pager = _Pager()
    deliver_in_turn(store, [pager], _deadline(0.9))
    assert pager.patience == [1.0]


def test_what_is_refused_waits_longer_each_time_and_a_week_at_most(store: Store) -> None:
    pager = _Pager(refusal="no")
    begin_us = time.time_ns() // 1000
    now_us, waits = begin_us, []
    for _ in range(2):  # the one that can't be understood is out of the way then
        deliver_in_turn(store, [pager], _deadline(), now_us=partial(int, now_us))
    assert len(pager.patience) == 1
    while store.alerts.waiting():
        due_us = _next_try(store)
        waits.append((due_us - now_us) // _SECOND)
        for early_us in (due_us - 1, due_us):
            now_us = early_us
            done = deliver_in_turn(store, [pager], _deadline(), now_us=partial(int, now_us))
            assert len(done.failures) == (early_us == due_us)
    assert waits[:9] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert len(waits) > 24
    assert set(waits[8:]) == {3600}
    assert done.failures == ["channel pager: a notice of b is given up after a week: no"]
    assert _WEEK < now_us - begin_us <= _WEEK + 3600 * _SECOND


def test_one_that_refuses_is_not_asked_again_at_once(store: Store) -> None:
    now_us = time.time_ns() // 1000
    store.pings.add([Ping("fail", "c", time_us=now_us - 1)], now_us)
    store.alerts.enqueue_flips(now_us, lambda *_: [("pager", encode_notice(NOTICE))])
    pager = _Pager(refusal="no")
    done = deliver_in_turn(store, [pager], _deadline())
    assert (done.count, done.failures[-1], len(pager.patience)) == (0, "channel pager: no", 1)
    # The other one is told with it, in the same notice.
    assert [error for _, _, error, _ in store.alerts.waiting()].count("no") == 2


def test_a_notice_is_kept_whole_but_for_a_long_output() -> None:
    assert decode_notice(encode_notice(NOTICE), NOTICE.key) == NOTICE


def test_a_week_to_the_microsecond_is_no_end_of_it(store: Store) -> None:
    begin_us = time.time_ns() // 1000
    pager = _Pager(refusal="no")
    for waited_us in (0, 0, _WEEK):  # the first is of the one that can't be understood
        deliver_in_turn(store, [pager], _deadline(), now_us=partial(int, begin_us + waited_us))
    assert len(pager.patience) == 2
    assert [error for _, _, error, _ in store.alerts.waiting()] == ["no"]


@pytest.mark.parametrize(
    ("refusal", "tries", "waiting", "failure"),
    [
        # Whom nobody wants to hear of: the next may differ.
        (ChannelError("gone", is_retriable=False), 2, 0, "a notice of {} is given up: gone"),
        (ValueError("odd"), 2, 0, "a notice of {} can't be sent: ValueError: odd"),
        # What would be so with the next one, too.
        (ChannelError("no"), 1, 2, "no"),
        (OSError("no more files"), 1, 2, "OSError: no more files"),
    ],
)
def test_what_says_nothing_of_the_channel_stops_no_other(
    store: Store, refusal: Exception, tries: int, waiting: int, failure: str
) -> None:
    store.monitors.delete(["a"])
    _add(store, "c")
    pager = _Pager(refusal=refusal, together=False)
    done = deliver_in_turn(store, [pager], _deadline())
    assert (done.count, len(pager.patience)) == (0, tries)
    expected = [f"channel pager: {failure.format(key)}" for key in ("b", "c")[:tries]]
    assert done.failures == expected
    assert len(store.alerts.waiting()) == waiting


@pytest.mark.parametrize(
    ("keys", "whose"), [("c", "c"), ("cd", "c and 1 more"), ("cde", "c and 2 more")]
)
def test_a_failure_names_one_monitor_and_counts_the_others(
    store: Store, keys: str, whose: str
) -> None:
    for key in "ab":
        store.monitors.delete([key])
    for key in keys:
        _add(store, key)
    pager = _Pager(refusal=ChannelError("gone", is_retriable=False))
    done = deliver_in_turn(store, [pager], _deadline())
    assert done.failures == [f"channel pager: a notice of {whose} is given up: gone"]


def test_a_failure_to_tell_of_a_channel_names_no_monitor(store: Store) -> None:
    now_us = time.time_ns() // 1000
    with store.database.change() as change:
        lock_channel(change, "chat")
        note_failure(change, "chat", "refused", now_us)
    (health,) = store.channels.failing()
    store.channels.add_alert(health, [("other", encode_notice(NOTICE), 0, "")], now_us)
    pager = _Pager("other", refusal=ChannelError("gone", is_retriable=False))
    done = deliver_in_turn(store, [pager], _deadline())
    assert done.failures == ["channel other: a notice of a channel is given up: gone"]


def test_a_remark_on_how_it_was_told_is_reported_and_kept(store: Store) -> None:
    done = deliver_in_turn(store, [_Pager(remark="too long")], _deadline())
    assert (done.count, done.remarks) == (1, ["channel pager: too long"])
    assert {each.answer for each in store.notices.newest(9)} >= {"heard; too long"}
    done = deliver_in_turn(store, [_Pager("other", remark="too long")], _deadline())
    assert done.remarks == []


def test_no_remark_is_none(store: Store) -> None:
    assert deliver_in_turn(store, [_Pager()], _deadline()).remarks == []


def test_who_hears_of_each_by_itself_waits_for_no_others(store: Store) -> None:
    for together, count in ((True, 0), (False, 1)):
        pager = _Pager(together=together)
        assert deliver_in_turn(store, [pager], _deadline(), waits=True).count == count


def test_without_threads_channels_are_told_one_after_the_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as poor:
        poor.setattr(threading.Thread, "start", start)
        assert deliver_alerts(store, [_Pager("other"), _Pager()], _deadline()).count == 1


def test_nothing_is_begun_at_the_deadline(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as stopped:
        stopped.setattr(time, "monotonic", lambda: 5.0)
        done = deliver_in_turn(store, [_Pager()], 5.0)
    assert (done.count, done.failures) == (0, [])


def test_a_courier_keeps_no_process_from_its_end(store: Store) -> None:
    pager = _Pager()
    deliver_alerts(store, [pager], _deadline())
    assert pager.was_daemon


def test_a_rehearsal_goes_the_way_of_all_notices() -> None:
    rehearsal = rehearse("key", "db-1", 5)
    assert (rehearsal.kind, rehearsal.noticed_us) == ("test", 5)
    assert decode_notice(encode_notice(rehearsal), "key") == rehearsal


def test_an_outage_and_what_is_left_out_of_an_output_are_kept() -> None:
    run = Run("r", 1, 2, "fail", output=b"x" * 9_000, omitted_bytes=5)
    notice = replace(NOTICE, outage_us=(3, 4), last_run=run)
    kept = decode_notice(encode_notice(notice), NOTICE.key)
    assert kept == replace(notice, last_run=replace(run, output=b"x" * 8_000, omitted_bytes=1_005))


def _next_try(store: Store) -> int:
    ((due_us,),) = store.database.read(
        "SELECT next_try_us FROM alert WHERE next_try_us IS NOT NULL"
    )
    return int(due_us)
