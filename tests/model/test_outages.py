"""Deadlines that fell into an outage: each moves once, and only as long as outboxes need."""

import pytest

from radar_cli.model.monitor import Monitor, Outage
from radar_cli.model.ping import Ping
from radar_cli.model.run import Run
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.state import Reason, Status, View, evaluate, fold
from radar_cli.model.strip import Mark, find_marks

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_MIDNIGHT = 20_000 * 1440 * _MINUTE


def _at(minute: float) -> int:
    return _MIDNIGHT + round(minute * _MINUTE)


def _hourly(*outages: tuple[float, float], grace: float = 5, **changes: object) -> Monitor:
    values = {
        "schedule": CronSchedule("0 * * * *"),
        "created_us": _at(1),
        "grace_s": grace * 60.0,
        "outages": tuple(Outage(_at(begin), _at(end)) for begin, end in outages),
        **changes,
    }
    return Monitor("m", **values)  # type: ignore[arg-type]  # each test gives the right ones


def _ping(kind: str, minute: float, run_id: str = "r") -> Ping:
    return Ping(kind, "m", run_id=run_id, time_us=_at(minute))


def _look(monitor: Monitor, minute: float, *pings: Ping) -> View:
    return evaluate(monitor, fold(monitor, pings), _at(minute))


@pytest.mark.parametrize(
    ("grace", "wait"),
    [(0, 1), (0.5, 1), (1, 1), (5, 5), (14, 14), (15, 15), (30, 15), (39, 15)],
)
def test_a_deadline_within_an_outage_moves_to_its_end_and_a_wait(grace: float, wait: float) -> None:
    monitor = _hourly((55, 100), grace=grace)
    assert _look(monitor, 100 + wait).status == Status.LATE
    view = _look(monitor, 100 + wait + 0.01)
    # It is down since it was overdue, whenever that is found.
    assert (view.reason, view.since_us) == (Reason.MISSED, _at(60 + grace))


@pytest.mark.parametrize(("begin", "end"), [(10, 64), (58, 65), (65.01, 200), (66, 67)])
def test_a_deadline_outside_an_outage_stays_though_its_slot_fell_into_it(
    begin: float, end: float
) -> None:
    assert _look(_hourly((begin, end)), 65.01).reason == Reason.MISSED


def test_a_deadline_moves_once() -> None:
    monitor = _hourly((62, 66), (67, 300), (301, 302))
    assert _look(monitor, 70.9).status == Status.LATE
    assert _look(monitor, 71.01).reason == Reason.MISSED
    assert monitor.judged_us(_at(65)) == _at(71)


@pytest.mark.parametrize(
    ("grace", "end", "judged"), [(5, 122, 125), (5, 184, 185), (30, 140, 150), (0.5, 119.8, 120.5)]
)
def test_a_deadline_after_an_outage_does_not_wait_for_an_older_one_that_has_moved(
    grace: float, end: float, judged: float
) -> None:
    monitor = _hourly((55, end), grace=grace)
    view = _look(monitor, judged)
    assert (view.status, view.next_look_us) == (Status.LATE, _at(judged))
    view = _look(monitor, judged + 0.01)
    assert (view.reason, view.since_us) == (Reason.MISSED, _at(judged))


def test_a_later_deadline_that_fell_into_another_outage_has_moved_as_well() -> None:
    monitor = _hourly((55, 122), (124, 130))
    assert _look(monitor, 127).status == Status.LATE
    assert _look(monitor, 127.01).since_us == _at(65)


def test_the_end_of_a_run_moves_as_well() -> None:
    monitor = _hourly((65, 300), max_runtime_s=600.0)
    start = _ping("start", 60)
    assert _look(monitor, 304.9, start).is_running
    view = _look(monitor, 305.01, start)
    assert (view.reason, view.since_us) == (Reason.HUNG, _at(70))


def test_what_arrives_after_an_outage_counts_as_if_it_had_come_in_time() -> None:
    monitor = _hourly((55, 130))
    pings = [_ping("success", 61, "a"), _ping("success", 121, "b")]
    assert _look(monitor, 132, *pings).status == Status.UP
    assert _look(monitor, 136, *pings).status == Status.UP
    assert _look(monitor, 186, *pings).reason == Reason.MISSED


def test_it_has_to_be_looked_at_when_a_moved_deadline_is_judged() -> None:
    assert _look(_hourly((55, 130)), 131).next_look_us == _at(135)


def test_a_strip_marks_no_gap_before_it_is_judged() -> None:
    monitor = _hourly((55, 130))
    run = Run("a", started_us=_at(2), ended_us=_at(3), outcome="success")
    strips = [
        find_marks(monitor, [run], _at(minute), running=(), limit=20) for minute in (134, 136)
    ]
    assert strips[0] == [Mark.SUCCESS]
    assert strips[1] == [Mark.SUCCESS, Mark.MISSED, Mark.MISSED]
