"""When jobs should run, held against cronsim."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given, settings
from hypothesis import strategies as st

from radar_cli.model.schedule import (
    BadScheduleError,
    CronSchedule,
    is_repeated,
    is_skipped,
    load_schedule,
)

_ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "UTC",
)
# One deliberate difference to cronsim 2.7: where clocks change by half an hour, its search goes
# past slots later on that day (`26 */20 * * *` past 20:26). There, jobs that run by the real clock
# are held against the real clock itself, minute by minute.
_HALF_HOURS = ("Australia/Lord_Howe",)
_TYPICAL = (
    *("* * * * *", "*/5 * * * *", "0 * * * *", "30 1 * * *", "0,30 1 * * *", "15 2 * * *"),
    *("30 1,2 * * *", "*/30 1 * * *", "*/15 1-3 * * *", "0 */2 * * *", "5 4 * * sun"),
    *("0 0 1,15 * 3", "0 0 */2 * 1", "0 0 1 jan *", "0 22 * * mon-fri", "23 0-23/2 * * *"),
    *("0 0 29 2 *", "0 0 31 * *", "45 2 29 3 *", "59 23 31 12 *", "30 2 * 3,10,11 0", "0 0 * * 7"),
)


def _random_expressions(count: int) -> list[str]:
    """Expressions of every shape, the same ones in every run.

    cronsim reads `5-5/2` as `5/2`, which means 5, 7, 9, ...; crontab(5) has it as 5 alone, and so
    does radar: it isn't generated here.
    """
    chance = random.Random(20261123)

    def item(low: int, high: int) -> str:
        first = chance.randint(low, high - 1)
        if chance.random() < 0.5:
            return str(first)
        step = f"/{chance.randint(1, high)}" if chance.random() < 0.3 else ""
        return f"{first}-{chance.randint(first + 1, high)}{step}"

    def field(low: int, high: int) -> str:
        shape = chance.random()
        if shape < 0.35:
            return "*"
        if shape < 0.5:
            return f"*/{chance.randint(1, high - low)}"
        return ",".join(item(low, high) for _ in range(chance.choice((1, 1, 2, 3))))

    def expression() -> str:
        return " ".join(
            (
                *(field(0, 59), field(0, 23), field(1, 31)),
                *(chance.choice(("*", field(1, 12))), chance.choice(("*", field(0, 6)))),
            )
        )

    return [expression() for _ in range(count)]


def _changes(zone: ZoneInfo) -> list[datetime]:
    """The moments within two years at which the clocks of a zone change, to the hour."""
    hours = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(24 * 731))
    offsets = ((hour, hour.astimezone(zone).utcoffset()) for hour in hours)
    return [after[0] for before, after in itertools.pairwise(offsets) if before[1] != after[1]]


def _expected(expression: str, zone: ZoneInfo, start: datetime, until: datetime) -> list[datetime]:
    """The slots up to a moment, and at least 12."""
    oracle = CronSim(expression, start.astimezone(zone))
    slots: list[datetime] = []
    for slot in oracle:
        slots.append(slot.astimezone(UTC))
        if len(slots) >= 12 and slots[-1] >= until:
            break
    return slots


@pytest.mark.parametrize("name", _ZONES)
def test_it_agrees_with_cronsim_across_every_clock_change(name: str) -> None:
    zone = ZoneInfo(name)
    # From long before it for what is rare, and all of what is frequent from one side to the other.
    quiet = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
    spans = [(quiet, quiet)]
    for change in _changes(zone):
        spans.append((change - timedelta(hours=30), change - timedelta(hours=30)))
        spans.append((change - timedelta(minutes=150), change + timedelta(hours=4)))
    compared = 0
    for expression in (*_TYPICAL, *_random_expressions(300)):
        schedule = CronSchedule(expression, name)
        for start, until in spans:
            if name in _HALF_HOURS and schedule.runs_by_real_clock:
                continue  # see _HALF_HOURS
            try:
                expected = _expected(expression, zone, start, until)
            except CronSimError:  # it never matches, as February 30
                assert schedule.next_after(start) is None
                continue
            slots = itertools.islice(schedule.slots_after(start), len(expected))
            assert list(slots) == expected, (
                expression,
                start,
            )
            compared += 1
    assert compared > 300


@pytest.mark.slow
@pytest.mark.parametrize("name", _HALF_HOURS)
def test_it_runs_by_the_real_clock_where_clocks_change_by_half_an_hour(name: str) -> None:
    zone = ZoneInfo(name)
    compared = 0
    for change in _changes(zone):
        start = change - timedelta(hours=30)
        minutes = [start + timedelta(minutes=n) for n in range(1, 4 * 1440)]
        shown = {minute: minute.astimezone(zone).replace(tzinfo=None) for minute in minutes}
        for expression in (*_TYPICAL, *_random_expressions(300)):
            schedule = CronSchedule(expression, name)
            if not schedule.runs_by_real_clock:
                continue
            matching = _shown_times_that_match(expression, shown[minutes[0]], shown[minutes[-1]])
            expected = [minute for minute in minutes if shown[minute] in matching]
            slots = itertools.islice(schedule.slots_after(start), len(expected))
            assert list(slots) == expected, (expression, start)
            following = next(schedule.slots_after(minutes[-1]), None)
            assert following is None or following > minutes[-1]
            compared += bool(expected)
    assert compared > 300


def _shown_times_that_match(expression: str, first: datetime, last: datetime) -> set[datetime]:
    """The local times between two, of clocks that never change, that cronsim has match."""
    try:
        oracle = CronSim(expression, first - timedelta(hours=2))
        return set(itertools.takewhile(lambda time: time <= last + timedelta(hours=2), oracle))
    except CronSimError:
        return set()


@settings(deadline=None)
@given(
    st.sampled_from([*_TYPICAL, *_random_expressions(40)]),
    st.sampled_from(_ZONES),
    st.integers(0, 2 * 365 * 86400).map(lambda s: datetime.fromtimestamp(1767225600 + s, UTC)),
)
def test_the_last_slot_is_the_one_before_the_next(
    expression: str, zone: str, moment: datetime
) -> None:
    schedule = CronSchedule(expression, zone)
    last, following = schedule.last_before(moment), schedule.next_after(moment)
    assert (last is None) == (following is None)
    if last is not None and following is not None:
        assert last <= moment < following
        assert schedule.next_after(last) == following


def test_a_fixed_time_that_is_skipped_runs_once_right_after() -> None:
    schedule = CronSchedule("0,30 1 * * *", "Europe/London")
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert list(itertools.islice(schedule.slots_after(before), 2)) == [
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 0, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("alias", "expression"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ],
)
@pytest.mark.parametrize("zone", ["Europe/London", "America/Havana"])
def test_an_alias_is_what_it_stands_for(alias: str, expression: str, zone: str) -> None:
    start = datetime(2026, 2, 27, tzinfo=UTC)
    slots = [
        list(itertools.islice(CronSchedule(text, zone).slots_after(start), 40))
        for text in (alias, expression)
    ]
    assert slots[0] == slots[1]


def test_a_star_stands_for_each() -> None:
    schedule = CronSchedule("* * * * *")
    assert (schedule.minutes, schedule.hours) == ([*range(60)], [*range(24)])
    assert (schedule.days, schedule.months) == ([*range(1, 32)], [*range(1, 13)])
    assert schedule.weekdays == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("expression", "meant"),
    [
        ("0 12-12 * * *", "0 12 * * *"),
        ("5-5/2 * * * *", "5 * * * *"),
        ("0 1-3,12-12 * * *", "0 1-3,12 * * *"),
    ],
)
def test_a_range_of_one_is_that_one(expression: str, meant: str) -> None:
    start = datetime(2026, 2, 27, tzinfo=UTC)
    slots = [
        list(itertools.islice(CronSchedule(text).slots_after(start), 8))
        for text in (expression, meant)
    ]
    assert slots[0] == slots[1]


class _Searching(CronSchedule):
    """A schedule that counts how often it searches."""

    searches = 0

    def next_after(self, moment: datetime) -> datetime | None:
        self.searches += 1
        return super().next_after(moment)


def _us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_the_next_slot_is_remembered_until_it_has_come() -> None:
    schedule = _Searching("0 * * * *")
    noon = datetime(2026, 2, 27, 12, tzinfo=UTC)
    hour_us = 3600 * 1_000_000
    for moment_us in (_us(noon), _us(noon) + 1, _us(noon) + hour_us - 1, _us(noon)):
        assert schedule.next_us(moment_us) == _us(noon) + hour_us
    assert schedule.searches == 1
    assert schedule.next_us(_us(noon) + hour_us) == _us(noon) + 2 * hour_us
    assert schedule.next_us(_us(noon) - 1) == _us(noon)
    assert schedule.searches == 3


def test_few_of_the_next_slots_are_remembered() -> None:
    schedule = _Searching("0 * * * *")
    hours_us = [_us(datetime(2026, 2, 27, hour, tzinfo=UTC)) for hour in range(5)]
    for moment_us in (*hours_us[:4], *hours_us[:4]):
        schedule.next_us(moment_us)
    assert schedule.searches == 4
    for moment_us in (hours_us[4], hours_us[1], hours_us[0]):
        schedule.next_us(moment_us)
    assert schedule.searches == 6, "the oldest one is forgotten, and it alone"


def test_what_never_matches_has_no_next_slot() -> None:
    assert CronSchedule("0 0 30 2 *").next_us(_us(datetime(2026, 2, 27, tzinfo=UTC))) is None


def test_a_schedule_is_loaded_once() -> None:
    assert load_schedule("0 0 * * *", "UTC") is load_schedule("0 0 * * *", "UTC")
    assert load_schedule("0 0 * * *", "UTC").expression == "0 0 * * *"


def test_a_leap_day_on_a_weekday_comes_once_in_28_years() -> None:
    schedule = CronSchedule("0 0 29 2 */6")  # Saturday or Sunday
    slots = itertools.islice(schedule.slots_after(datetime(2026, 1, 1, tzinfo=UTC)), 3)
    assert [slot.year for slot in slots] == [2032, 2048, 2060]


def test_the_calendar_has_two_ends() -> None:
    schedule = CronSchedule("0 0 * * *")
    first, last = datetime(1971, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)
    assert schedule.last_before(first) == first
    assert schedule.last_before(first - timedelta(minutes=1)) is None
    assert list(schedule.slots_after(last - timedelta(minutes=1))) == [last]


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 31 4,6 *"])
def test_it_knows_what_never_matches(expression: str) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert CronSchedule(expression).next_after(now) is None
    assert CronSchedule(expression).last_before(now) is None


@pytest.mark.parametrize(
    "expression", ["61 * * * *", "* * * *", "* * * * * *", "@reboot", "0 0 L * *", "5-1 * * * *"]
)
def test_it_refuses_what_is_no_expression(expression: str) -> None:
    with pytest.raises(BadScheduleError, match="bad schedule"):
        CronSchedule(expression)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "\0"])
def test_it_refuses_what_is_no_timezone(name: str) -> None:
    with pytest.raises(BadScheduleError, match="no timezone"):
        CronSchedule("0 0 * * *", name)


def test_it_tells_skipped_and_repeated_times() -> None:
    london = ZoneInfo("Europe/London")
    assert is_skipped(datetime(2026, 3, 29, 1, 30, tzinfo=london))
    assert not is_skipped(datetime(2026, 3, 29, 2, 0, tzinfo=london))
    assert is_repeated(datetime(2026, 10, 25, 1, 30, tzinfo=london))
    assert is_repeated(datetime(2026, 10, 25, 1, 30, tzinfo=london, fold=1))
    assert not is_repeated(datetime(2026, 10, 25, 2, 0, tzinfo=london))
