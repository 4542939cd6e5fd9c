"""Schedules in words, and what may surprise in them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.model.pitfalls import find_pitfalls
from radar_cli.model.schedule import BadScheduleError, CronSchedule
from radar_cli.model.sentences import explain

_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("5 2 * * *", "at 02:05 every day"),
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("0 * * * *", "every hour, on the hour"),
        ("1 * * * *", "at 1 minute past every hour"),
        ("*/7 * * * *", "at 0, 7, 14, 21, 28, 35, 42, 49 and 56 minutes past every hour"),
        ("0,30 9 * * mon-fri", "at 09:00 and 09:30 on Monday to Friday"),
        ("*/10 9-17 * * *", "every 10 minutes in the hours 09 to 17 every day"),
        ("30 */2 * * *", "every 2 hours, at 30 minutes past, every day"),
        ("0 0 1,15 * *", "at 00:00 on day 1 and 15 of the month"),
        ("0 9 13 * 5", "at 09:00 on day 13 of the month, and on Friday"),
        ("0 9 1-7 * */7", "at 09:00 on day 1 to 7 of the month, if that is on Sunday"),
        ("0 0 1 jan,jul *", "at 00:00 on day 1 of the month in January and July"),
        ("@weekly", "at 00:00 on Sunday"),
        ("@yearly", "at 00:00 on day 1 of the month in January"),
        ("0 12 * * 0,6", "at 12:00 on Sunday and Saturday"),
    ],
)
def test_it_says_when_it_runs(expression: str, words: str) -> None:
    assert explain(CronSchedule(expression)) == words


@pytest.mark.parametrize(
    ("expression", "zone", "pitfalls"),
    [
        ("5 2 * * *", "UTC", []),
        ("0 0 30 2 *", "UTC", ["it never matches any date"]),
        (
            "*/5 * * * *",
            "Asia/Kolkata",
            [
                "some of its runs are 5 min apart, within its grace of 5 min: a single missed"
                " run goes unnoticed"
            ],
        ),
        (
            "30 1 * * *",
            "Europe/London",
            [
                "on 2027-03-28 the clocks of Europe/London skip 01:30: it runs once at 02:00"
                " instead",
                "on 2027-10-31 the clocks of Europe/London show 01:30 twice: it runs the first"
                " time",
            ],
        ),
        (
            "*/30 1 * * *",
            "Europe/London",
            [
                "on 2027-03-28 the clocks of Europe/London skip 01:00: it doesn't run then",
                "on 2027-10-31 the clocks of Europe/London show 01:00 twice: it runs both times",
            ],
        ),
        ("0 */1 * * *", "Europe/London", []),
    ],
)
def test_it_says_what_may_surprise(expression: str, zone: str, pitfalls: list[str]) -> None:
    schedule = CronSchedule(expression, zone)
    assert list(find_pitfalls(schedule, _NOW, grace_s=300)) == pitfalls


@given(st.from_regex(r"\A[0-9*/,-]{1,6}( [0-9*/,-]{1,5}){4}\Z"))
def test_whatever_is_a_schedule_can_be_said(expression: str) -> None:
    try:
        schedule = CronSchedule(expression)
    except BadScheduleError:
        return
    assert explain(schedule)
