"""When somebody looked last, to the microsecond, and what is said of a time without anybody."""

import pytest

from radar_cli.model.ping import Ping
from radar_cli.store.outages import NotedOutage
from radar_cli.store.store import Store

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_BEGIN = 1_795_000_000_000_000


@pytest.mark.parametrize(
    ("outage", "words"),
    [
        (NotedOutage(_BEGIN, _BEGIN + 1_200 * _SECOND, is_servers=False), "for 20 min, until "),
        (NotedOutage(_BEGIN, _BEGIN + 60 * _SECOND, 1), ": 1 monitor was due meanwhile, and "),
        (NotedOutage(_BEGIN, _BEGIN + 60 * _SECOND, 2), ": 2 monitors were due meanwhile, and "),
        (NotedOutage(_BEGIN, _BEGIN + 5, 0), "for 1 s, until "),
    ],
)
def test_it_says_for_how_long_and_what_was_due(outage: NotedOutage, words: str) -> None:
    assert words in outage.words()
    assert ("due meanwhile" in outage.words()) == outage.is_servers


def test_a_server_notes_that_it_looks_every_five_seconds(store: Store) -> None:
    noted = []
    for at_us in (0, 5 * _SECOND - 1, 5 * _SECOND, 7 * _SECOND, 10 * _SECOND, 9 * _SECOND):
        store.outages.keep_watch(_BEGIN + at_us)
        last_us = store.outages.last_look()
        assert last_us is not None
        noted.append(last_us - _BEGIN)
    # The last is that of a clock which was set back.
    assert noted == [each * _SECOND for each in (0, 0, 5, 5, 10, 9)]
    store.outages.leave(_BEGIN + 11 * _SECOND)
    assert store.outages.last_look() == _BEGIN + 11 * _SECOND


@pytest.mark.parametrize(
    ("looks_us", "is_outage"),
    [
        ((0, 900 * _SECOND), False),
        ((0, 900 * _SECOND + 1), True),
        ((0, _DAY, 3 * _DAY), False),
        ((0, _DAY, 3 * _DAY + 1), True),
        # What was usual is forgotten by halves.
        ((0, _DAY, _DAY + _MINUTE, _DAY + _MINUTE + 20 * _HOUR), False),
        ((0, _DAY, _DAY + _MINUTE, _DAY + _MINUTE + 24 * _HOUR + 1), True),
    ],
)
def test_a_check_tells_what_is_longer_than_usual(
    store: Store, looks_us: tuple[int, ...], is_outage: bool
) -> None:
    found = [store.outages.note_check(_BEGIN + at_us) for at_us in looks_us]
    assert (found[-1] is not None) == is_outage
    assert store.outages.last_look() == _BEGIN + looks_us[-1]
    assert store.outages.last() is None  # of a server


def test_nobody_is_said_to_be_missing_after_more_than_an_hour(store: Store) -> None:
    declared = {"every": "60"}
    store.pings.add([Ping("success", "m", time_us=_BEGIN, fields=declared)], _BEGIN)
    assert store.outages.find_neglect(_BEGIN + _HOUR) is None
    assert store.outages.find_neglect(_BEGIN + _HOUR + 1) == _BEGIN
    store.outages.note_check(_BEGIN + _HOUR)
    assert store.outages.find_neglect(_BEGIN + 2 * _HOUR) is None


def test_all_that_were_due_are_counted_but_for_who_is_poisoned(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radar_cli.store.outages._AT_ONCE", 2)
    store.outages.keep_watch(_BEGIN)
    pings = [
        Ping("success", key, time_us=_BEGIN, fields={"every": "60", "grace": "1"})
        for key in "abcde"
    ]
    store.pings.add(pings, _BEGIN)
    with store.database.change() as change:
        change.execute("UPDATE monitor SET judged = ? WHERE key = ?", ("{", "b"))
    outage = store.outages.keep_watch(_BEGIN + 5 * _MINUTE)
    assert outage is not None
    assert (outage.monitors, outage.is_servers) == (4, True)
    assert "radar: monitor 'b' can't be judged" in capsys.readouterr().err
