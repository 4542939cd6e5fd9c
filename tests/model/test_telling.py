"""When people are told: gaps between notices, flapping, reminders, quiet hours and windows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.model.notice_timing import (
    DAY,
    DAYS,
    FLAPS,
    FLAPS_WITHIN_US,
    GATHERED_US,
    HOUR,
    MINUTE,
    REMIND_AFTER_US,
    SECOND,
    SETTLED_AFTER_US,
    QuietHours,
    Window,
    count_burst,
    may_send_us,
    read_quiet,
    remind_after_us,
    settles_us,
)

_MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
_TIMES = st.integers(1_790_000_000 * SECOND, 1_830_000_000 * SECOND)
_HOURS = st.integers(0, 23)


def _at(moment: datetime) -> int:
    return round(moment.timestamp() * SECOND)


# Gaps


def test_notices_that_follow_each_other_come_ever_more_rarely() -> None:
    sent_us, burst, gaps = 0, 0, []
    now_us = 1_000 * DAY
    for _ in range(8):
        due_us = may_send_us(now_us, sent_us, burst)
        burst = count_burst(due_us, sent_us, burst)
        gaps.append(due_us - sent_us)
        sent_us = now_us = due_us
    assert [gap // SECOND for gap in gaps[1:]] == [5, 10, 20, 40, 60, 60, 60]


@given(_TIMES, st.integers(0, 30), st.integers(0, 3 * HOUR))
def test_what_waits_is_told_within_a_minute(first_us: int, burst: int, ago_us: int) -> None:
    due_us = may_send_us(first_us, first_us - ago_us, burst)
    assert first_us + GATHERED_US <= due_us <= first_us + max(GATHERED_US, MINUTE)


# Flapping


@given(_TIMES, st.lists(st.integers(0, 2 * FLAPS_WITHIN_US), max_size=8))
def test_it_flaps_with_so_many_changes_within_the_time(now_us: int, ago_us: list[int]) -> None:
    recent = [each for each in ago_us if each <= FLAPS_WITHIN_US]
    found = settles_us(now_us, [now_us - each for each in ago_us], None)
    assert found == (now_us + SETTLED_AFTER_US if len(recent) >= FLAPS else None)


def test_who_flaps_for_hours_is_told_of_now_and_then() -> None:
    now_us = 1_000 * DAY
    assert settles_us(now_us, [], now_us - MINUTE) == now_us + SETTLED_AFTER_US
    held_since_us = now_us - 6 * HOUR + MINUTE
    assert settles_us(now_us, [], held_since_us) == now_us + MINUTE


# Reminders


def test_reminders_grow_rarer() -> None:
    assert [remind_after_us(count) for count in range(5)] == [*REMIND_AFTER_US, DAY, DAY]
    assert [remind_after_us(count, MINUTE) // MINUTE for count in range(4)] == [1, 4, 24, 24]


# Quiet hours


@pytest.mark.parametrize(
    ("texts", "quiet", "loud"),
    [
        (["22:00-07:00"], ["mon 22:00", "tue 06:59", "mon 00:00"], ["mon 07:00", "mon 21:59"]),
        (["sat-sun"], ["sat 00:00", "sun 23:59"], ["fri 23:59", "mon 00:00"]),
        (
            ["mon-fri 18:00-08:00"],
            ["fri 18:00", "sat 07:59", "tue 03:00"],
            ["sat 08:00", "sun 20:00"],
        ),
        (["sun 20:00-04:00"], ["sun 20:00", "mon 03:59"], ["mon 04:00", "sun 19:59"]),
        (["fri-mon 12:00-13:00"], ["sun 12:30", "mon 12:00"], ["tue 12:30", "sun 13:00"]),
        (["mon,wed 00:00-24:00"], ["mon 23:59", "wed 00:00"], ["tue 00:00", "thu 00:00"]),
        ([], [], ["mon 12:00"]),
    ],
)
def test_it_is_quiet_then_and_not_before_or_after(
    texts: list[str], quiet: list[str], loud: list[str]
) -> None:
    hours = read_quiet(texts, "Europe/Berlin")
    for moments, expected in ((quiet, True), (loud, False)):
        for moment in moments:
            day, _, clock = moment.partition(" ")
            hour, minute = map(int, clock.split(":"))
            there = _MONDAY.replace(tzinfo=ZoneInfo("Europe/Berlin"), hour=hour, minute=minute)
            at_us = _at(there + timedelta(days=DAYS.index(day)))
            assert (hours.end_us(at_us) is not None) == expected, moment


@given(_TIMES, _HOURS, _HOURS, st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"]))
def test_the_end_of_the_quiet_is_the_first_moment_that_is_not(
    at_us: int, begin: int, end: int, tz: str
) -> None:
    if begin == end:
        return
    hours = read_quiet([f"{begin:02}:00-{end:02}:00"], tz)
    end_us = hours.end_us(at_us)
    if end_us is None:
        return
    assert at_us < end_us <= at_us + DAY + 2 * HOUR
    assert hours.end_us(end_us) is None
    assert hours.end_us(end_us - 1) == end_us


@pytest.mark.parametrize(
    "text",
    [
        *("", "night", "22:00", "22:00-22:00", "25:00-26:00", "22:61-23:00", "22:00-07:00 sat"),
        *("sat sun mon", "mon-xyz", "mon 8-9", "²2:00-07:00", "mon-sun"),
    ],
)
def test_what_is_no_quiet_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"quiet|days"):
        read_quiet([text], "UTC")


def test_nothing_is_quiet_without_hours() -> None:
    assert QuietHours().end_us(_at(_MONDAY)) is None


# Maintenance windows


def test_a_window_once_is_on_from_its_begin_to_its_end() -> None:
    window = Window("1", "move", "db-*", "", 100 * SECOND, 200 * SECOND)
    assert [window.covers(at * SECOND) for at in (99, 100, 199, 200)] == [False, True, True, False]
    assert window.span_at(150 * SECOND) == (100 * SECOND, 200 * SECOND)
    assert (window.next_us(50 * SECOND), window.next_us(100 * SECOND)) == (100 * SECOND, None)
    assert (window.is_over(199 * SECOND), window.is_over(200 * SECOND)) == (False, True)
    assert not Window("2", "", "*", "", 0).is_over(DAY)


@pytest.mark.parametrize(
    ("pattern", "tag", "is_concerned"),
    [
        *(("*", "", True), ("db-*", "", True), ("web-*", "", False)),
        *(("*", "night", True), ("db-*", "day", False), ("web-*", "night", False)),
    ],
)
def test_a_window_is_for_keys_and_tags(pattern: str, tag: str, is_concerned: bool) -> None:
    assert Window("1", "", pattern, tag, 0).concerns("db-1", ["night", "eu"]) == is_concerned


@given(st.integers(0, 40 * 24 * 60), st.integers(1, 48 * 60))
def test_a_recurring_window_is_on_for_its_length_from_each_slot(minute: int, length: int) -> None:
    begin_us = _at(_MONDAY)
    window = Window(
        *("1", "", "*", "", begin_us), schedule="0 2 * * *", tz="UTC", length_us=length * MINUTE
    )
    at_us = begin_us + minute * MINUTE
    slots = [begin_us + day * DAY + 2 * HOUR for day in range(-3, 42)]
    on = [slot for slot in slots if slot <= at_us < slot + length * MINUTE]
    assert window.covers(at_us) == bool(on)
    if on:
        assert window.span_at(at_us) == (on[-1], on[-1] + length * MINUTE)
    assert window.next_us(at_us) == next(slot for slot in slots if slot > at_us)
