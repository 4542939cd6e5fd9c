"""How long a monitor was up and down in each month."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from radar_cli.model.uptime import Month, sum_months

_HOUR, _DAY = 3600.0, 86_400.0


@dataclass(frozen=True)
class _Change:
    status: str
    time_us: int


def _at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def _changes(*told: tuple[str, str]) -> list[_Change]:
    return [_Change(status, _at(text)) for text, status in told]


def _figures(month: Month) -> tuple[float, float, float, int]:
    return month.up_s, month.down_s, month.unknown_s, month.downs


def test_of_a_monitor_that_never_changed_nothing_is_known() -> None:
    assert sum_months([], _at("2026-11-10"), 3) == []


def test_a_month_is_unknown_before_the_first_change() -> None:
    changes = _changes(("2026-11-05", "up"))
    (month,) = sum_months(changes, _at("2026-11-10"), 3, zone=UTC)
    assert _figures(month) == (5 * _DAY, 0, 4 * _DAY, 0)
    assert month.share == 1
    assert month.begin_us == _at("2026-11-01")
    assert month.end_us == _at("2026-11-10")


def test_a_silence_over_the_end_of_a_month_is_in_both() -> None:
    changes = _changes(("2026-10-01", "up"), ("2026-10-31T12:00", "down"), ("2026-11-02", "up"))
    november, october = sum_months(changes, _at("2026-11-11"), 2, zone=UTC)
    assert _figures(october) == (30.5 * _DAY, 0.5 * _DAY, 0, 1)
    # It went down in October, and only then.
    assert _figures(november) == (9 * _DAY, _DAY, 0, 0)
    assert november.share == pytest.approx(0.9)


def test_it_goes_back_as_far_as_is_asked_and_known() -> None:
    changes = _changes(("2026-01-15", "up"))
    now = _at("2026-04-01T01:00")
    assert len(sum_months(changes, now, 12, zone=UTC)) == 4
    assert len(sum_months(changes, now, 2, zone=UTC)) == 2
    april = sum_months(changes, now, 1, zone=UTC)[0]
    assert _figures(april) == (_HOUR, 0, 0, 0)


def test_a_monitor_is_not_up_while_nobody_looks() -> None:
    changes = _changes(("2026-11-01", "up"), ("2026-11-05", "down"), ("2026-11-07", "up"))
    blind = [
        (_at("2026-11-02"), _at("2026-11-03")),
        (_at("2026-11-02T12:00"), _at("2026-11-03T12:00")),  # a pause over its end
        (_at("2026-11-06"), _at("2026-11-07")),  # it is down before and after
        (_at("2026-11-10"), _at("2026-11-12")),
    ]
    (month,) = sum_months(changes, _at("2026-11-11"), 1, zone=UTC, blind_us=blind)
    assert _figures(month) == (5.5 * _DAY, 2 * _DAY, 2.5 * _DAY, 1)


def test_one_that_is_new_again_is_unknown() -> None:
    changes = _changes(("2026-11-01", "down"), ("2026-11-02", "new"), ("2026-11-04", "up"))
    (month,) = sum_months(changes, _at("2026-11-05"), 1, zone=UTC)
    assert _figures(month) == (_DAY, _DAY, 2 * _DAY, 1)


def test_of_a_month_without_a_known_moment_there_is_no_share() -> None:
    changes = _changes(("2026-10-31T23:00", "up"))
    blind = [(_at("2026-11-01"), _at("2026-11-30"))]
    november, october = sum_months(changes, _at("2026-11-03"), 2, zone=UTC, blind_us=blind)
    assert (november.share, _figures(november)) == (None, (0, 0, 2 * _DAY, 0))
    assert october.share == 1


def test_months_are_those_of_the_zone_and_have_its_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    changes = _changes(("2026-09-30T22:00", "up"))
    months = sum_months(changes, _at("2026-10-31T23:30"), 2, zone=zone)
    assert [month.up_s for month in months] == [0.5 * _HOUR, 31 * _DAY + _HOUR]
    # In UTC all of it but two hours are October.
    months = sum_months(changes, _at("2026-10-31T23:30"), 2, zone=UTC)
    assert [month.up_s for month in months] == [30 * _DAY + 23.5 * _HOUR, 2 * _HOUR]


def test_changes_of_one_moment_count_as_the_last() -> None:
    changes = _changes(("2026-11-01", "up"), ("2026-11-02", "down"), ("2026-11-02", "up"))
    (month,) = sum_months(changes, _at("2026-11-03"), 1, zone=UTC)
    assert _figures(month) == (2 * _DAY, 0, 0, 1)


def test_december_ends_with_the_year() -> None:
    changes = _changes(("2025-12-31", "up"))
    january, december = sum_months(changes, _at("2026-01-02"), 2, zone=UTC)
    assert (january.up_s, december.up_s) == (_DAY, _DAY)
