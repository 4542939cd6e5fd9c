"""Who is told when: quiet hours, what is told only if it lasts, what is late, and windows.

Channels are as config files have them, and the clock is moved by hand.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from radar_cli.model.notice_timing import Window
from radar_cli.model.ping import Ping
from radar_cli.notify.channels import find_channels
from radar_cli.service.composing import Composer, enqueue_news, join
from radar_cli.service.delivering import deliver_in_turn
from radar_cli.settings.profiles import load
from radar_cli.store.holding import _release
from radar_cli.store.notices import DELIVERED
from radar_cli.store.store import Store
from tests.store.arrivals import add

_MINUTE = 60_000_000
# A Wednesday, 21:00.
_BEGIN = round(datetime(2026, 11, 18, 21, tzinfo=UTC).timestamp()) * 1_000_000
_NIGHT = "quiet = ['22:00-07:00']\ntz = 'UTC'\n"
_MORNING = 10 * 60
_FOREVER = float("inf")


def _at(minute: float) -> int:
    return _BEGIN + round(minute * _MINUTE)


class Office:
    """A store, the channels that a config file describes, and what each of them got."""

    def __init__(self, store: Store, tables: dict[str, str]) -> None:
        self.store = store
        path = Path(os.environ["RADAR_CONFIG"])
        lines = (f"[notify.{name}]\ncommand = ['true']\n{more}\n" for name, more in tables.items())
        path.write_text("".join(lines))
        config = load(os.environ)
        self.channels = find_channels(config)
        assert config.warnings == []
        self._compose = Composer(store, self.channels, "here")

    def ping(self, kind: str, minute: float, *keys: str, **fields: str) -> None:
        add(self.store, [Ping(kind, key, time_us=_at(minute), fields=fields) for key in keys])

    def look(self, minute: float, *, remind: float = 0) -> dict[str, list[str]]:
        """Look as a server does, and deliver: what each channel is told, in order."""
        now_us, every_us = _at(minute), round(remind * _MINUTE)
        self.store.monitors.judge(now_us)
        enqueue_news(self.store, self._compose, now_us, remind_every_us=every_us)
        if every_us:
            self.store.reminders.enqueue(now_us, every_us, self._compose.at(now_us))
        told: dict[str, list[str]] = {}
        for channel in self.channels:
            name, quiet = channel.table.name, channel.table.quiet
            if quiet is not None and quiet.is_quiet(now_us):
                # A courier doesn't even look (see test_a_courier_rests_in_quiet_hours).
                continue
            while (outgoing := self.store.notices.claim(now_us, _MINUTE, name)) is not None:
                notice = join(outgoing)
                keys = ",".join(each.monitor for each in notice.all)
                told.setdefault(name, []).append(f"{notice.kind} {keys}".strip())
                self.store.notices.settle(outgoing, DELIVERED, "", now_us)
        return told


NewOffice = Callable[..., Office]


@pytest.fixture
def new_office(store: Store) -> NewOffice:
    return lambda **tables: Office(store, tables)


def test_what_is_still_so_when_the_quiet_ends_is_told_then_in_one_notice(
    new_office: NewOffice,
) -> None:
    office = new_office(mail="", phone=_NIGHT)
    office.ping("fail", 0, "before")
    assert office.look(1) == {"mail": ["down before"], "phone": ["down before"]}
    office.ping("fail", 70, "a", "b", "c")
    assert office.look(71) == {"mail": ["down a,b,c"]}
    office.ping("success", 80, "a", "before")
    assert office.look(81) == {"mail": ["up a,before"]}
    assert office.look(_MORNING - 1) == {}
    # It was told that `before` is down, and never that `a` was.
    assert office.look(_MORNING) == {"phone": ["down b,c", "up before"]}
    assert office.look(_MORNING + 1) == {}
    office.ping("success", _MORNING + 5, "b", "c")
    assert office.look(_MORNING + 6) == {"mail": ["up b,c"], "phone": ["up b,c"]}


def test_what_goes_up_and_down_again_in_the_quiet_is_as_it_was_told(new_office: NewOffice) -> None:
    office = new_office(phone=_NIGHT)
    office.ping("fail", 0, "m")
    assert office.look(1) == {"phone": ["down m"]}
    for minute, kind in ((100, "success"), (200, "fail"), (300, "success"), (400, "fail")):
        office.ping(kind, minute, "m")
        office.look(minute + 1)
    assert office.look(_MORNING) == {}
    office.ping("success", _MORNING + 1, "m")
    assert office.look(_MORNING + 2) == {"phone": ["up m"]}


def test_what_goes_up_and_down_in_one_look_is_as_two_quiet_channels_were_told(
    new_office: NewOffice,
) -> None:
    office = new_office(one=_NIGHT, two=_NIGHT)
    office.ping("fail", 0, "m")
    assert office.look(1) == {"one": ["down m"], "two": ["down m"]}
    office.ping("success", 100, "m")
    office.ping("fail", 101, "m")
    assert office.look(102) == {}
    assert office.look(_MORNING) == {}


def test_a_change_in_the_quiet_takes_nothing_of_a_fault_back(new_office: NewOffice) -> None:
    office = new_office(phone=_NIGHT)
    office.ping("success", 100, "m", schedule="61 * * * *")
    assert office.look(101) == {}
    office.ping("fail", 110, "m")
    assert office.look(111) == {}
    assert office.look(_MORNING) == {"phone": ["fault m", "down m"]}


def test_what_goes_down_and_up_in_one_look_is_nothing_in_the_quiet(new_office: NewOffice) -> None:
    office = new_office(phone=_NIGHT)
    office.ping("fail", 100, "m")
    office.ping("success", 101, "m")
    office.ping("fail", 102, "n")
    office.ping("success", 103, "n")
    office.ping("fail", 104, "n")
    assert office.look(105) == {}
    assert office.look(_MORNING) == {"phone": ["down n"]}


def test_a_reminder_waits_for_the_morning_and_is_needless_if_it_is_up(
    new_office: NewOffice,
) -> None:
    office = new_office(phone=_NIGHT)
    office.ping("fail", 0, "m", "n", "o")
    assert office.look(1, remind=90) == {"phone": ["down m,n,o"]}
    assert office.look(95, remind=90) == {}
    office.ping("success", 120, "n")
    assert office.store.incidents.acknowledge(["o"], _at(121), "ann") == ["o"]
    office.look(122, remind=90)
    assert office.look(_MORNING, remind=90) == {"phone": ["down m", "up n"]}


def test_only_what_lasts_is_told_to_who_hears_of_it_later(new_office: NewOffice) -> None:
    office = new_office(mail="", boss="after = '30m'")
    office.ping("fail", 0, "short", "long", "seen")
    assert office.look(1) == {"mail": ["down long,seen,short"]}
    office.ping("success", 10, "short")
    assert office.look(11) == {"mail": ["up short"]}
    assert office.store.alerts.count_waiting() == 2
    office.store.incidents.acknowledge(["seen"], _at(12), "ann")
    assert office.store.alerts.count_waiting() == 1
    assert office.look(30) == {}
    assert office.look(31) == {"boss": ["down long"]}
    office.ping("success", 60, "long", "seen")
    assert office.look(61) == {"mail": ["up long,seen"], "boss": ["up long"]}


def test_who_hears_later_hears_nothing_of_what_somebody_saw_to_at_once(
    new_office: NewOffice,
) -> None:
    office = new_office(boss="after = '30m'")
    office.ping("fail", 0, "m")
    office.store.incidents.acknowledge(["m"], _at(0.1), "ann")
    assert [office.look(1), office.look(31)] == [{}, {}]


def test_who_was_quiet_hears_that_it_is_down_though_somebody_sees_to_it(
    new_office: NewOffice,
) -> None:
    office = new_office(phone=_NIGHT)
    office.ping("fail", 100, "m")
    office.look(101)
    office.store.incidents.acknowledge(["m"], _at(102), "ann")
    assert office.look(_MORNING) == {"phone": ["down m"]}


def test_only_what_is_let_out_counts_and_nothing_is_said_of_the_rest(
    new_office: NewOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    office = new_office(boss="after = '30m'")
    office.ping("fail", 0, "paused", "so", "up")
    office.look(1)
    store = office.store
    store.monitors.pause(["paused"], _at(2), None)
    add(store, [Ping("success", "up", time_us=_at(3))])
    ((alert_id,),) = store.database.read("SELECT id FROM alert WHERE monitor = 'so'")
    assert store.held_alerts.release(_at(31), ["boss"]) == 1
    with store.database.change() as change:
        # Another server may have let it out.
        assert _release(change, alert_id, "so", _at(31), ()) == 0
    assert capsys.readouterr().err == ""
    waiting = [monitor for monitor, *_ in store.alerts.waiting()]
    assert sorted(waiting) == ["paused", "so"]


def test_who_hears_later_hears_each_outage_by_itself(new_office: NewOffice) -> None:
    """It was told of one outage, and not of the next, short one."""
    office = new_office(boss="after = '30m'")
    office.ping("fail", 0, "m")
    office.look(1)
    assert office.look(31) == {"boss": ["down m"]}
    office.ping("success", 40, "m")
    assert office.look(41) == {"boss": ["up m"]}
    office.ping("fail", 50, "m")
    office.look(51)
    office.ping("success", 60, "m")
    assert office.look(61) == {}
    assert office.look(99) == {}


def test_who_hears_later_hears_of_an_end_and_a_beginning_in_one_look(
    new_office: NewOffice,
) -> None:
    office = new_office(boss="after = '30m'")
    office.ping("fail", 0, "m")
    office.look(1)
    assert office.look(31) == {"boss": ["down m"]}
    office.ping("success", 40, "m")
    office.ping("fail", 41, "m")
    assert office.look(42) == {"boss": ["up m"]}
    assert office.look(72) == {"boss": ["down m"]}


def test_who_hears_later_and_was_reminded_in_the_quiet_hears_of_the_end(
    new_office: NewOffice,
) -> None:
    """The reminder waits for the morning, and is no reason to think that nothing was told."""
    office = new_office(boss="after = '5m'\n" + _NIGHT)
    office.ping("fail", 40, "m")
    office.look(41, remind=60)
    assert office.look(46, remind=60) == {"boss": ["down m"]}
    assert office.look(102, remind=60) == {}
    assert office.store.alerts.count_waiting() == 1
    office.ping("success", 120, "m")
    office.look(121, remind=60)
    assert office.look(_MORNING, remind=60) == {"boss": ["up m"]}


def test_who_hears_later_hears_nothing_of_what_ends_before_it_is_sent(
    new_office: NewOffice,
) -> None:
    """It stayed down for long enough, but the channel has yet to get to it: it may be busy."""
    office = new_office(boss="after = '30m'")
    office.ping("fail", 0, "m", "n")
    office.look(1)
    assert office.store.held_alerts.release(_at(31), ["boss"]) == 2
    office.ping("success", 31.1, "m")
    assert office.look(31.2) == {"boss": ["down n"]}
    office.ping("success", 40, "n")
    assert office.look(41) == {"boss": ["up n"]}


def test_who_hears_later_and_is_quiet_is_told_nothing_of_what_is_as_it_was(
    new_office: NewOffice,
) -> None:
    office = new_office(boss="after = '5m'\n" + _NIGHT)
    office.ping("fail", 40, "m")
    office.look(41)
    assert office.look(46) == {"boss": ["down m"]}
    office.ping("success", 100, "m")
    office.look(101)
    office.ping("fail", 200, "m")
    office.look(201)
    assert office.look(_MORNING) == {}


def test_who_hears_later_and_is_quiet_then_hears_of_it_after_that(new_office: NewOffice) -> None:
    office = new_office(boss="after = '30m'\n" + _NIGHT)
    office.ping("fail", 45, "m", "n")
    office.look(46)
    assert office.look(80) == {}
    office.ping("success", 90, "n")
    office.look(91)
    assert office.look(_MORNING) == {"boss": ["down m"]}
    # It was told that it is down: in the next night it comes up, and goes down, and comes up.
    for minute, kind in ((1560, "success"), (1570, "fail"), (1580, "success")):
        office.ping(kind, minute, "m")
        assert office.look(minute + 1) == {}
    assert office.look(_MORNING + 1440) == {"boss": ["up m"]}


def test_what_flaps_is_told_to_who_hears_later_only_if_it_stays_down(
    new_office: NewOffice,
) -> None:
    office = new_office(boss="after = '5m'")
    for minute in range(40):
        office.ping("success" if minute % 2 else "fail", minute, "m")
        assert office.look(minute + 0.5) == {}
    assert office.look(60) == {}
    office.ping("fail", 70, "m")
    office.look(70)
    assert office.look(75) == {"boss": ["down m"]}


def test_each_channel_hears_of_its_own_monitors(new_office: NewOffice) -> None:
    office = new_office(
        web="monitors = ['web-*', 'proxy']",
        db="monitors = ['db-*']\ntags = ['prod']",
        rest="on = ['up']",
    )
    office.ping("fail", 0, "web-1", "proxy", "db-2", "x")
    office.ping("fail", 0, "db-1", tags="prod big")
    assert office.look(1) == {"web": ["down proxy,web-1"], "db": ["down db-1"]}
    office.ping("success", 2, "x")
    assert office.look(3) == {"rest": ["up x"]}


def test_what_is_late_is_told_once_to_who_asked_for_it(new_office: NewOffice) -> None:
    office = new_office(mail="", eager="on = ['late', 'down']")
    office.ping("success", 0, "m", "n", "o", every="600", gracePeriod="300")
    office.store.monitors.pause(["o"], _at(1), None)
    assert office.look(9) == {}
    assert office.look(11) == {"eager": ["late m,n"]}
    assert office.look(12) == {}
    office.ping("success", 13, "m")
    assert office.look(16) == {"mail": ["down n"], "eager": ["down n"]}
    # The next slot is another one.
    assert office.look(24) == {"eager": ["late m"]}


def test_what_is_late_is_told_later_only_if_it_still_is(new_office: NewOffice) -> None:
    office = new_office(eager="on = ['late']\nafter = '5m'")
    office.ping("success", 0, "m", "n", every="600", gracePeriod="3000")
    assert office.look(11) == {}
    office.ping("success", 13, "m")
    assert office.look(16) == {"eager": ["late n"]}


def test_a_fault_that_is_mended_in_the_quiet_is_told_to_nobody(new_office: NewOffice) -> None:
    office = new_office(phone=_NIGHT)
    office.ping("success", 100, "m", "n", schedule="61 * * * *")
    assert office.look(101) == {}
    office.ping("success", 110, "m", schedule="1 0 1 1 *")
    office.look(111)
    assert office.look(_MORNING) == {"phone": ["fault n"]}


def test_what_waits_goes_on_to_wait_in_a_window_and_after_a_pause(new_office: NewOffice) -> None:
    office = new_office(boss="after = '30m'")
    office.ping("fail", 0, "m", "n", "gone")
    office.look(1)
    office.store.windows.add(Window("w", "upgrade", "m", "", _at(10), _at(60)))
    office.store.monitors.pause(["n"], _at(10), _at(50))
    office.store.monitors.delete(["gone"])
    assert office.look(31) == {}
    assert office.look(52) == {"boss": ["down n"]}
    assert office.look(59) == {}
    assert office.look(61) == {"boss": ["down m"]}


def test_a_channel_that_fails_and_does_no_more_is_nothing_in_the_quiet(
    new_office: NewOffice,
) -> None:
    office = new_office(chat="monitors = ['m']", phone=_NIGHT)
    office.ping("fail", 70, "m")
    now_us = _at(71)
    office.store.monitors.judge(now_us)
    enqueue_news(office.store, Composer(office.store, office.channels, "here"), now_us)
    outgoing = office.store.notices.claim(now_us, _MINUTE, "chat")
    assert outgoing is not None
    office.store.notices.postpone(outgoing, _at(90), "refused", now_us)
    assert office.look(80) == {}
    assert office.look(91) == {"chat": ["down m"]}
    assert office.look(92) == {}
    assert office.look(_MORNING) == {"phone": ["down m"]}


def test_a_courier_rests_in_quiet_hours_even_with_what_was_made_before(
    new_office: NewOffice,
) -> None:
    office = new_office(phone=_NIGHT)
    office.ping("fail", 59, "m")
    now_us = _at(59.9)
    enqueue_news(office.store, Composer(office.store, office.channels, "here"), now_us)

    def deliver(minute: float) -> int:
        at = _at(minute)
        return deliver_in_turn(office.store, office.channels, _FOREVER, now_us=lambda: at).count

    assert [deliver(minute) for minute in (60, 300, _MORNING - 0.1, _MORNING)] == [0, 0, 0, 1]


def test_one_poisoned_monitor_holds_no_other_back(
    new_office: NewOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    office = new_office(boss="after = '30m'")
    office.ping("fail", 0, "a", "odd", "z")
    office.look(1)
    with office.store.database.change() as change:
        change.execute("UPDATE monitor SET declared = '!' WHERE key = 'odd'")
    assert office.store.held_alerts.release(_at(31), ["boss"]) == 2
    assert "'odd' gets no notice" in capsys.readouterr().err
    waiting = office.store.alerts.waiting()
    assert sorted(monitor for monitor, *_ in waiting) == ["a", "odd", "z"]
    assert (
        office.store.held_alerts.release(_at(31), ["boss"]) == 0
    )  # it is looked at again a little later
