"""The threads that judge and tell: in which order, and what stops none of them."""

import itertools
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from radar_cli.core.errors import RadarError, StateError
from radar_cli.model.ping import Ping
from radar_cli.notify.channel import ChannelError, Receipt
from radar_cli.notify.notice import Notice
from radar_cli.server.runtime import evaluator as module
from radar_cli.server.runtime.evaluator import Evaluator
from radar_cli.server.runtime.now import Clock
from radar_cli.service.composing import Composer
from radar_cli.settings.channels import ChannelTable
from radar_cli.settings.files import ConfigFile
from radar_cli.store.opening import open_embedded
from radar_cli.store.outages import NotedOutage
from radar_cli.store.store import Store
from tests.support.waiting import wait_until

_SECOND = 1_000_000
_BEGIN = 1_795_000_000 * _SECOND
_HOUR = 3600 * _SECOND


@pytest.mark.parametrize("reading", range(1, 8))
def test_a_clock_that_jumps_between_any_two_readings_costs_no_false_alarm(reading: int) -> None:
    """As that of a machine that sleeps for an hour: nothing could arrive meanwhile."""
    count = itertools.count(1)

    def read() -> int:
        return 1000 * (_BEGIN + (_HOUR if next(count) >= reading else 0))

    with tempfile.TemporaryDirectory() as folder, open_embedded(folder) as store:
        declared = {"every": "1800", "grace": "60"}
        store.pings.add([Ping("success", "m", time_us=_BEGIN, fields=declared)], _BEGIN)
        store.outages.keep_watch(_BEGIN)
        evaluator = Evaluator(
            store,
            [],
            Composer(store, [], "here"),
            clock=Clock(read),
            ingest=lambda: None,
            note_fault=lambda _: None,
            note_outage=lambda _: None,
        )
        evaluator.start()
        wait_until(lambda: store.outages.last() is not None, what="a noted outage")
        ticked = evaluator.last_tick
        wait_until(lambda: evaluator.last_tick > ticked, what="a look after it")
        evaluator.stop()
        assert [flip.status for flip in store.history.flips("m", 10)] == ["up"]


class _Pager:
    """A channel to this test's list, which refuses as long as it is told to."""

    place = "a list"

    def __init__(self, name: str = "pager") -> None:
        self.table = ChannelTable(name, ConfigFile("config.toml", "", {}, 0, 0o600))
        self.refusal = ""
        self.tries = 0
        self.heard: list[Notice] = []

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:  # noqa: ARG002
        self.tries += 1
        if self.refusal:
            raise ChannelError(self.refusal)
        self.heard.append(notice)
        return Receipt("heard")


class _Times:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_us = _BEGIN

    def __call__(self) -> int:
        return 1000 * self.now_us


class _Running:
    """An evaluator on a store of its own, with what it says and how often it looked."""

    def __init__(self, store: Store, *channels: _Pager, **more: Any) -> None:
        self.store = store
        self.times = _Times()
        self.looks = 0
        self.during: Callable[[], None] = lambda: None
        self.faults: list[RadarError] = []
        self.outages: list[NotedOutage] = []
        self.evaluator = Evaluator(
            store,
            channels,
            Composer(store, channels, "here"),
            clock=Clock(self.times),
            ingest=self._ingest,
            note_fault=self.faults.append,
            note_outage=self.outages.append,
            **more,
        )

    def _ingest(self) -> None:
        self.looks += 1
        self.during()

    def __enter__(self) -> "_Running":
        self.evaluator.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.evaluator.stop()
        assert {"evaluator", "pager"}.isdisjoint(each.name for each in threading.enumerate())

    def look_again(self) -> None:
        """Wait until all has been looked at that there is now."""
        looks = self.looks
        wait_until(lambda: self.looks > looks + 2, what="two more looks")

    def wait_for(self, happened: Callable[[], bool], most_s: int) -> None:
        """Let time pass, no more at once than a server may be busy with something else."""
        for _ in range(0, most_s, 20):
            self.times.now_us += 20 * _SECOND
            self.look_again()
            if happened():
                return
        wait_until(happened, what=f"what comes within {most_s} s")

    def fail(self, *keys: str) -> None:
        now_us = self.times.now_us
        self.store.pings.add([Ping("fail", key, time_us=now_us) for key in keys], now_us)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(module, "_TICK_S", 0.01)
    monkeypatch.setattr(module, "_AFTER_FAULT_S", 0.02)
    with tempfile.TemporaryDirectory() as folder, open_embedded(folder) as made:
        yield made


def test_what_falls_silent_is_told_and_how_often_is_logged(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "radar")
    pager = _Pager()
    running = _Running(store, pager)
    declared = {"every": "60", "gracePeriod": "5"}
    store.pings.add([Ping("success", "quiet", time_us=_BEGIN, fields=declared)], _BEGIN)
    with running:
        running.look_again()
        assert pager.heard == []
        running.times.now_us += 10 * _SECOND
        running.fail("loud")
        wait_until(lambda: len(pager.heard) == 1, what="a notice")
        running.wait_for(lambda: len(pager.heard) == 2, 120)
    assert [notice.monitor for notice in pager.heard] == ["loud", "quiet"]
    assert (running.outages, running.faults) == ([], [])
    assert caplog.text.count("1 notice through pager") == 2


def test_it_is_told_which_faults_a_monitor_has(store: Store) -> None:
    pager = _Pager()
    with _Running(store, pager):
        fields = {"schedule": "garbage"}
        store.pings.add([Ping("success", "m", time_us=_BEGIN, fields=fields)], _BEGIN)
        wait_until(lambda: len(pager.heard) == 1, what="a notice")
    assert pager.heard[0].kind == "fault"


def test_many_notices_are_counted_as_such(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "radar")
    pager = _Pager()
    pager.refusal = "no"
    with _Running(store, pager) as running:
        running.fail("a")
        wait_until(lambda: pager.tries == 1, what="a try")
        store.pings.add([Ping("success", "b", time_us=_BEGIN, fields={"schedule": "x"})], _BEGIN)
        running.look_again()
        pager.refusal = ""
        running.times.now_us += _HOUR
        wait_until(lambda: len(pager.heard) == 2, what="both notices")
        running.look_again()
    assert "2 notices through pager" in caplog.text


def test_an_outage_is_noted(store: Store) -> None:
    with _Running(store) as running:
        running.look_again()
        running.times.now_us += _HOUR
        wait_until(lambda: running.outages, what="a noted outage")
    assert len(running.outages) == 1


def test_what_flaps_is_told_when_it_settles(store: Store) -> None:
    pager = _Pager()
    with _Running(store, pager) as running:
        for number in range(12):
            running.times.now_us += 20 * _SECOND
            now_us = running.times.now_us
            kind = "success" if number % 2 else "fail"
            store.pings.add([Ping(kind, "m", time_us=now_us)], now_us)
            running.look_again()
        ((held,),) = store.database.read("SELECT count(*) FROM alert WHERE held != ''")
        assert held > 0


def test_one_channel_tells_that_another_is_dead(store: Store) -> None:
    dead, pager = _Pager("dead"), _Pager()
    dead.refusal = "no"
    with _Running(store, dead, pager) as running:
        running.fail("a")
        wait_until(lambda: dead.tries and pager.heard, what="a notice")
        running.wait_for(lambda: len(pager.heard) == 2, 600)
    assert pager.heard[1].kind == "channel"


def test_no_thread_keeps_a_process_alive(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STOP_PATIENCE_S", 0.05)
    pager, go_on = _Pager(), threading.Event()

    def hang(notice: Notice, *, timeout_s: float) -> Receipt:  # noqa: ARG001
        pager.tries += 1
        go_on.wait(60)
        return Receipt("late")

    pager.send = hang  # type: ignore[method-assign]  # it hangs
    running = _Running(store, pager)
    running.evaluator.start()
    running.fail("a")
    wait_until(lambda: pager.tries, what="a try")
    running.evaluator.stop()
    (left,) = (each for each in threading.enumerate() if each.name == "pager")
    assert left.daemon
    go_on.set()
    left.join()


def test_a_channel_that_fails_is_said_once_until_it_is_otherwise(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    pager = _Pager()
    pager.refusal = "no"
    with _Running(store, pager) as running:
        running.fail("a")
        for count in (1, 2, 3):
            wait_until(lambda: pager.tries == count, what="a try")  # noqa: B023 (called here)
            running.look_again()
            running.times.now_us += 600 * _SECOND
        assert caplog.text.count("channel pager: no") == 1
        pager.refusal = "never"
        running.times.now_us += 3600 * _SECOND
        wait_until(lambda: "channel pager: never" in caplog.text, what="another reason")
        pager.refusal = ""
        running.times.now_us += 3600 * _SECOND
        wait_until(lambda: pager.heard, what="a notice")
        running.look_again()
        pager.refusal = "never"
        running.times.now_us += 3600 * _SECOND
        running.fail("b")
        wait_until(lambda: caplog.text.count("channel pager: never") == 2, what="the same again")


def test_a_channel_that_hangs_holds_up_no_other(store: Store) -> None:
    slow, pager = _Pager("slow"), _Pager()
    go_on = threading.Event()

    def hang(notice: Notice, *, timeout_s: float) -> Receipt:  # noqa: ARG001
        go_on.wait(60)
        return Receipt("late")

    slow.send = hang  # type: ignore[method-assign]  # it hangs
    with _Running(store, slow, pager) as running:
        running.fail("a")
        wait_until(lambda: pager.heard, what="a notice through the other one")
        go_on.set()


def test_whatever_goes_wrong_it_looks_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with _Running(store) as running:
        running.look_again()

        def be_away() -> None:
            raise StateError("the database is away")

        running.during = be_away
        running.look_again()
        assert {str(fault) for fault in running.faults} == {"the database is away"}

        def be_poisoned() -> None:
            raise ValueError("a poisoned row")

        running.during = be_poisoned
        running.look_again()
        assert "evaluator: ValueError: a poisoned row" in caplog.text
        running.during = lambda: None
        ticked = running.evaluator.last_tick
        running.look_again()
        assert running.evaluator.last_tick > ticked


def test_a_fault_is_not_said_each_tick(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AFTER_FAULT_S", 3600.0)
    with _Running(store) as running:

        def be_away() -> None:
            raise StateError("the database is away")

        running.during = be_away
        wait_until(lambda: running.faults, what="a fault")
        looks = running.looks
        time.sleep(0.1)  # some ticks: what doesn't happen can't be waited for
        assert (running.looks, len(running.faults)) == (looks, 1)


def test_a_fault_at_the_end_is_none(store: Store) -> None:
    with _Running(store) as running:
        running.look_again()
        stopped, entered = threading.Event(), threading.Event()

        def be_gone() -> None:
            entered.set()
            stopped.wait(60)
            raise StateError("the database is closed")

        running.during = be_gone
        entered.wait(60)
        ending = threading.Thread(target=running.evaluator.stop)
        ending.start()
        wait_until(running.evaluator._stopping.is_set, what="the end")
        stopped.set()
        ending.join()
    assert running.faults == []


def test_what_stays_down_is_told_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMINDED_EVERY_S", 0.0)
    pager = _Pager()
    with _Running(store, pager, remind_every_s=120.0) as running:
        running.fail("a")
        wait_until(lambda: len(pager.heard) == 1, what="a notice")
        running.wait_for(lambda: len(pager.heard) == 2, 240)
        assert running.times.now_us - _BEGIN >= 120 * _SECOND


def test_nobody_is_reminded_without_being_asked(store: Store) -> None:
    pager = _Pager()
    with _Running(store, pager) as running:
        running.fail("a")
        wait_until(lambda: len(pager.heard) == 1, what="a notice")
        rows = store.database.read("SELECT remind_us FROM flip WHERE monitor = 'a'")
        assert rows == [(None,)]


def test_whoever_asks_later_is_reminded_of_what_was_told_before(store: Store) -> None:
    pager = _Pager()
    with _Running(store, pager) as running:
        running.fail("a")
        wait_until(lambda: len(pager.heard) == 1, what="a notice")
        wait_until(lambda: store.alerts.waiting() == [], what="a receipt")
    with _Running(store, pager, remind_every_s=3600.0) as running:
        ((remind_us,),) = store.database.read("SELECT remind_us FROM flip WHERE monitor = 'a'")
        assert remind_us == _BEGIN + _HOUR


def test_reminders_end_when_nobody_asks_for_them_any_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REMINDED_EVERY_S", 0.0)
    pager = _Pager()
    with _Running(store, pager, remind_every_s=60.0) as running:
        running.fail("a")
        wait_until(lambda: len(pager.heard) == 1, what="a notice")
        wait_until(lambda: store.alerts.waiting() == [], what="a receipt")
    with _Running(store, pager) as running:
        running.times.now_us += 50 * _SECOND
        for _ in range(4):
            running.times.now_us += 20 * _SECOND
            running.look_again()
    assert len(pager.heard) <= 2, "but for the one that was due, if any"
