"""The law by itself, in cases that a person can count out."""

import math

import pytest

from tests.simulation.hosts import JoinedStory
from tests.simulation.law import DAY, HOUR, MINUTE, SECOND, Known, Said, Slots, Story, shortest_gap

_MIDNIGHT = 20_000 * DAY
_HOURLY = ("0 * * * *", "UTC")


def _at(minute: float) -> int:
    return _MIDNIGHT + round(minute * MINUTE)


def _story(*pings: tuple[str, float], outages: tuple[tuple[float, float], ...] = ()) -> Story:
    story = Story(_at(1), cron=_HOURLY)
    for number, (kind, minute) in enumerate(pings):
        story.learn(Known(_at(minute), f"{number}", kind, f"{number // 2}"))
    story.outages = [(_at(begin), _at(end)) for begin, end in outages]
    return story


def _said(said: Said) -> tuple[str, str, float]:
    return said.status, said.reason, (said.since - _MIDNIGHT) / MINUTE


def test_a_slot_is_missed_after_its_grace() -> None:
    story = _story(("start", 2), ("success", 3))
    assert [story.says(_at(minute)).status for minute in (2, 3, 60, 60.1, 65)] == [
        *("new", "up", "up", "late", "late")
    ]
    assert _said(story.says(_at(65) + 1)) == ("down", "missed", 65)
    assert story.next_change(_at(4)) == _at(65)
    assert story.next_change(_at(66)) == math.inf


def test_what_comes_late_tells_it_otherwise() -> None:
    story = _story(("start", 2), ("success", 3))
    assert story.verdict(_at(70)).status == "down"
    story.learn(Known(_at(61), "late", "success", ""))
    assert _said(story.verdict(_at(70))) == ("up", "", 3)


def test_a_deadline_within_an_outage_moves_and_one_after_it_stays() -> None:
    within = _story(("start", 2), ("success", 3), outages=((50, 110), (111, 112)))
    assert within.next_change(_at(4)) == _at(115)
    after = _story(("start", 2), ("success", 3), outages=((50, 64),))
    assert after.next_change(_at(4)) == _at(65)
    both = _story(("start", 2), ("success", 3), outages=((50, 122),))
    assert _said(both.verdict(_at(125) + 1)) == ("down", "missed", 125)


def test_a_run_without_an_end_covers_until_it_hangs_or_a_later_one_has_gone_well() -> None:
    story = _story(("start", 59))
    story.max_runtime = 3 * HOUR
    assert [story.says(_at(minute)).status for minute in (66, 200, 239.5)] == ["new", "new", "down"]
    story.learn(Known(_at(121), "9", "success", "other"))
    assert _said(story.verdict(_at(185.1))) == ("down", "missed", 185)
    story.learn(Known(_at(181), "8", "success", "another"))
    assert story.verdict(_at(239.9)).status == "up"


def test_the_success_of_an_older_run_brings_nothing_up() -> None:
    pings = [
        ("start", 10, "old"),
        ("start", 20, "new"),
        ("fail", 21, "new"),
        ("success", 30, "old"),
    ]
    story = Story(_at(1), cron=_HOURLY)
    for minute, kind, run in ((minute, kind, run) for kind, minute, run in pings):
        story.learn(Known(_at(minute), f"{minute}", kind, run))
    assert _said(story.verdict(_at(40))) == ("down", "failed", 21)


@pytest.mark.parametrize(("hosts", "status"), [("each", "up"), (2, "down")])
def test_machines_are_joined(hosts: int | str, status: str) -> None:
    story = JoinedStory(_at(1), cron=_HOURLY, hosts=hosts)
    story.learn(Known(_at(60), "1", "success", "a", host="web1"))
    assert story.verdict(_at(66)).status == status
    story.learn(Known(_at(67), "2", "start", "b", host="web2"))
    assert story.verdict(_at(68)).status == status
    story.learn(Known(_at(69), "3", "success", "b", host="web2"))
    assert story.verdict(_at(70)).status == "up"


def test_a_machine_s_log_may_come_before_the_start_of_its_run() -> None:
    story = JoinedStory(_at(0), cron=_HOURLY, hosts="each", max_runtime=10 * MINUTE)
    story.learn(Known(_at(9), "1", "log", "a", extend=30 * MINUTE, host="web1"))
    story.learn(Known(_at(1), "2", "start", "a", host="web1"))
    assert story.next_change(_at(10)) == _at(39)


def test_slots_are_found_in_any_order() -> None:
    slots = Slots("30 2 * * *", "Europe/Berlin")
    assert [(slots.next(_at(day * 1440)) - _MIDNIGHT) / HOUR for day in (90, 0, 90.5, 1)] == [
        *(90 * 24 + 1.5, 0.5, 91 * 24 + 1.5, 24.5)
    ]
    assert shortest_gap("*/15 * * * *") == 15 * MINUTE
    assert shortest_gap("0 9 * * mon") == 7 * DAY
    assert shortest_gap("@hourly") == 3600 * SECOND
