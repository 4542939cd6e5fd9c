"""Celery's schedules, against Celery itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.schedules import crontab, schedule
from hypothesis import example, given
from hypothesis import strategies as st

from radar_cli.celery.schedule.crontab import Crontab, numbers
from radar_cli.celery.schedule.timing import Interval

_ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
_DAYS = ("sun", "Monday", "tues", "wed", "thursday", "FRI", "sat")
_MONTHS = ("jan", "February", "mar", "apr", "may", "june", "jul", "aug", "sep", "oct", "nov", "dec")
_INSTANTS = st.integers(0, 8 * 366 * 86400 * 1000).map(
    lambda ms: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)


def fields(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """A field of a crontab in any form that Celery takes."""
    number = st.integers(low, high)
    word = st.one_of(number.map(str), st.sampled_from(names)) if names else number.map(str)
    step = st.integers(1, high)
    part = st.one_of(
        st.just("*"),
        word,
        st.tuples(word, word).map("-".join),
        step.map(lambda n: f"*/{n}"),
        st.tuples(word, word, step).map(lambda t: f"{t[0]}-{t[1]}/{t[2]}"),
    )
    return st.one_of(
        st.just("*"),
        number,
        st.sets(number, min_size=1),
        st.lists(part, min_size=1, max_size=3).map(",".join),
    )


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    zone = ZoneInfo(draw(st.sampled_from(_ZONES)))
    return draw(_INSTANTS).astimezone(zone)


def celery_says(timing: Any, last: datetime) -> datetime:
    app = Celery("oracle", set_as_current=False)
    app.conf.timezone = last.tzinfo.key  # type: ignore[union-attr]
    timing.app = app
    timing.nowfun = lambda: last
    remaining: timedelta = timing.remaining_estimate(last)
    return last.astimezone(UTC) + remaining


@given(
    fields(0, 59),
    fields(0, 23),
    fields(0, 6, _DAYS),
    fields(1, 31),
    fields(1, 12, _MONTHS),
    moments(),
)
@example("0", "3", "monday", "1-7", "*", datetime(2026, 11, 25, tzinfo=ZoneInfo("UTC")))
@example("0", "2", "*", "29", "2", datetime(2026, 3, 1, tzinfo=ZoneInfo("UTC")))
@example("30", "2", "*", "*", "*", datetime(2026, 3, 8, 1, 59, tzinfo=ZoneInfo("America/New_York")))
@example("*", "*", "fri-mon", "*", "*", datetime(2026, 10, 25, 0, 59, tzinfo=ZoneInfo("UTC")))
def test_a_crontab_is_due_when_celery_says_so(
    minute: Any, hour: Any, weekday: Any, day: Any, month: Any, last: datetime
) -> None:
    try:
        oracle = crontab(minute, hour, weekday, day, month)
    except ValueError:
        return  # a day that its months don't have
    assert last.tzinfo is not None
    ours = Crontab.read(minute, hour, weekday, day, month, last.tzinfo)
    assert ours.words
    try:
        expected = celery_says(oracle, last)
    except RuntimeError:
        return  # Celery gives up on rare days
    due = ours.due_after(last)
    if expected <= last.astimezone(UTC):
        # In the repeated hour Celery is due at the first showing of a time, which is over.
        assert due is not None
        assert due > last
    else:
        assert due == expected


@given(fields(0, 59), fields(1, 31))
def test_it_understands_what_celery_understands(minute: Any, day: Any) -> None:
    oracle = crontab(minute=minute, day_of_month=day)
    assert set(numbers(minute, 0, 59)) == oracle.minute
    assert set(numbers(day, 1, 31)) == oracle.day_of_month


@pytest.mark.parametrize(
    "field", ["", "60", "-1", "1-", "*/0", "5/2", "x", "1,,2", "*/x", object(), []]
)
def test_it_refuses_what_is_no_field(field: Any) -> None:
    with pytest.raises(ValueError, match=r"crontab field|within"):
        numbers(field, 0, 59)


@given(st.timedeltas(timedelta(microseconds=1), timedelta(days=400)), moments())
def test_an_interval_is_due_when_celery_says_so(every: timedelta, last: datetime) -> None:
    assert Interval(every).due_after(last) == celery_says(schedule(every), last)


@given(
    st.sampled_from(
        [timedelta(seconds=30), timedelta(minutes=7), timedelta(hours=6), timedelta(days=2)]
    ),
    _INSTANTS,
    st.sampled_from(["UTC", "Asia/Kolkata"]),
)
def test_a_relative_interval_is_due_when_celery_says_so(
    every: timedelta, instant: datetime, zone: str
) -> None:
    last = instant.astimezone(ZoneInfo(zone))
    ours = Interval(every, relative=True, tz=ZoneInfo(zone))
    assert ours.due_after(last) == celery_says(schedule(every, relative=True), last)


def test_it_reads_as_people_speak() -> None:
    ours = Crontab.read("*/15", "8-18", "mon-fri", "*", "*", ZoneInfo("Europe/London"))
    assert ours.words == (
        "every 15 minutes in the hours 08 to 18 on Monday to Friday, by the clock of Europe/London"
    )
    both = Crontab.read(0, 3, "mon", "1-7", "*", UTC)
    assert "on day 1 to 7 of the month, if that is on Monday" in both.words
