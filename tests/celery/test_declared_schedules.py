"""What Beat declares its entries as: due when Celery itself says so, or by interval and said."""

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.schedules import crontab, schedule

from radar_cli.celery.integration.schedules import declare_schedule
from radar_cli.model.schedule import CronSchedule
from tests.celery.test_crontab import celery_says
from tests.support.depth import depth

_START = datetime(2026, 1, 1, tzinfo=UTC)
_TWO_YEARS = timedelta(days=730)
_ZONES = ("UTC", "Asia/Kolkata", "Europe/London", "America/New_York", "Australia/Lord_Howe")
_FIELDS: dict[str, tuple[Any, ...]] = {
    "minute": (0, "5", "*/7", "*/15", "0,30", "10-20", "55-5", [1, 31], "*"),
    "hour": ("*", 2, "0", "*/4", "8-18", "22-2", "1,13", {6, 18}),
    "day_of_week": ("*", "mon", "mon-fri", "sat,sun", 0, "5", "fri-mon", "*/2"),
    "day_of_month": ("*", 1, "15", "1-7", "*/10", "31", "28-31"),
    "month_of_year": ("*", "*/3", "jan-mar", 6, "nov-feb"),
}
_BY_HAND: tuple[dict[str, Any], ...] = (
    {"minute": 0, "hour": 0, "day_of_month": 13, "day_of_week": 5},
    {"minute": 0, "hour": 3, "day_of_month": "1-7", "day_of_week": "mon"},
    {"minute": 0, "hour": 0, "day_of_month": 29, "month_of_year": 2},
    {"minute": 30, "hour": 1},
    {"minute": 30, "hour": 2},
    {},
)


def crontabs(count: int) -> Iterator[tuple[str, dict[str, Any], str]]:
    """So many crontabs of all kinds of fields, the same ones in each run."""
    chance = random.Random(15)
    for number in range(count):
        fields = {name: chance.choice(values) for name, values in _FIELDS.items()}
        if number < len(_BY_HAND) * len(_ZONES):
            fields = _BY_HAND[number // len(_ZONES)]
        if fields.get("month_of_year") == 6 and fields["day_of_month"] == "31":
            fields["day_of_month"] = "30"  # Celery 5.7 refuses what is never due
        yield f"{number}", fields, _ZONES[number % len(_ZONES)]


def is_change(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks are changed about then: Celery leaves out the hour that is shown twice."""
    around = (moment + timedelta(hours=hours) for hours in (-26, 26))
    return len({each.astimezone(zone).utcoffset() for each in around}) > 1


@pytest.mark.parametrize("part", range(4))
def test_two_years_of_runs_are_celerys_own_or_it_says_by_interval(part: int) -> None:
    differing: list[Any] = []
    compared = by_interval = 0
    for number, fields, zone_name in itertools.islice(crontabs(220), part, None, 4):
        app = Celery("app", set_as_current=False)
        app.conf.timezone = zone_name
        timing = crontab(**fields, app=app)
        declared = declare_schedule(timing)
        if "schedule" not in declared.fields:
            assert declared.note, fields
            by_interval += 1
            continue
        zone = ZoneInfo(zone_name)
        assert declared.fields["tz"] == zone_name
        mine = CronSchedule(declared.fields["schedule"], zone_name)
        steps = depth(12, 400)
        for step in range(steps):
            moment = _START + _TWO_YEARS * step / steps + timedelta(seconds=int(number))
            for _ in range(3):
                theirs = celery_says(timing, moment.astimezone(zone))
                if theirs > _START + _TWO_YEARS or is_change(theirs, zone):
                    break
                if is_change(moment, zone):
                    break
                compared += 1
                if mine.next_after(moment) != theirs:
                    differing.append((fields, zone_name, moment, theirs, mine.next_after(moment)))
                moment = theirs
    assert not differing, (len(differing), differing[:3])
    assert compared > 300
    assert by_interval > 0


class sun:  # noqa: N801 (as Celery's `solar`, which needs ephem to be made)
    """Due by the sun."""

    event, lat, lon = "sunset", 51.5, -0.1


@pytest.mark.parametrize(
    ("timing", "every_s", "note"),
    [
        (schedule(timedelta(minutes=10)), 600.0, ""),
        (schedule(1.5), 1.5, ""),
        (schedule(90, relative=True), 90.0, ""),
        (30, 30.0, ""),
        (12.5, 12.5, ""),
        (timedelta(days=3), 259_200.0, ""),
        (sun(), 86_400.0, "by the sun"),
    ],
)
def test_intervals_are_what_they_are_and_the_sun_is_watched_by_one(
    timing: Any, every_s: float, note: str
) -> None:
    declared = declare_schedule(timing)
    assert float(declared.fields["every"]) == every_s
    assert note in declared.note
    assert bool(note) == bool(declared.note)


class clocked:  # noqa: N801 (that of django-celery-beat)
    """Due once."""

    clocked_time = datetime(2027, 1, 1, tzinfo=UTC)


class BusinessHours:
    """A schedule of somebody's own."""


@pytest.mark.parametrize(
    ("timing", "note"),
    [
        (clocked(), "due once"),
        (BusinessHours(), "of a kind that radar doesn't know (BusinessHours)"),
    ],
)
def test_what_cannot_be_watched_says_so(timing: Any, note: str) -> None:
    declared = declare_schedule(timing)
    assert not declared.is_watched
    assert note in declared.note
