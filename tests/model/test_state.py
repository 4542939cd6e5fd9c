"""What pings and time make of a monitor."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from radar_cli.model.monitor import Monitor, Pause, from_declared, to_us
from radar_cli.model.ping import Ping
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.state import Reason, State, Status, View, evaluate, fold

_BEGIN = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


def _at(text: str) -> int:
    """`02:05` or `02:05:30` on the first day, `+1 02:05` on the next, in microseconds."""
    days, _, clock = text.rpartition(" ")
    parts = [int(part) for part in clock.split(":")]
    hours, minutes, seconds = [*parts, 0][:3]
    moment = timedelta(days=int(days or 0), hours=hours, minutes=minutes, seconds=seconds)
    return to_us(_BEGIN + moment)


def _ping(kind: str, at: str, run_id: str = "r") -> Ping:
    return Ping(kind, "backup", run_id=run_id, time_us=_at(at))


def _nightly(**changes: object) -> Monitor:
    values = {"schedule": CronSchedule("5 2 * * *"), "created_us": _at("00:00"), **changes}
    return Monitor("backup", **values)  # type: ignore[arg-type]  # each test gives the right ones


def _look(monitor: Monitor, now: str, *pings: Ping) -> View:
    return evaluate(monitor, fold(monitor, pings), _at(now))


def test_a_monitor_is_new_until_something_is_due() -> None:
    view = _look(_nightly(), "02:05")
    assert (view.status, view.expected_us, view.next_look_us) == (
        Status.NEW,
        _at("02:05"),
        _at("02:05"),
    )


@pytest.mark.parametrize(
    ("now", "status", "reason"),
    [
        ("02:05:01", Status.LATE, None),
        ("02:10:00", Status.LATE, None),
        ("02:10:01", Status.DOWN, Reason.MISSED),
        ("+3 12:00", Status.DOWN, Reason.MISSED),
    ],
)
def test_silence_makes_it_late_and_then_down(
    now: str, status: Status, reason: Reason | None
) -> None:
    view = _look(_nightly(), now)
    assert (view.status, view.reason) == (status, reason)


def test_a_run_on_time_keeps_it_up_until_the_next_is_due() -> None:
    pings = [_ping("start", "02:05:02"), _ping("success", "02:20")]
    assert _look(_nightly(), "+1 02:05", *pings).status == Status.UP
    assert _look(_nightly(), "+1 02:06", *pings).status == Status.LATE
    view = _look(_nightly(), "+1 02:11", *pings)
    assert (view.status, view.reason, view.since_us) == (
        Status.DOWN,
        Reason.MISSED,
        _at("+1 02:10"),
    )


def test_a_start_shortly_before_its_slot_is_that_slots() -> None:
    pings = [_ping("start", "02:04:30"), _ping("success", "02:04:50")]
    assert _look(_nightly(), "03:00", *pings).status == Status.UP
    pings = [_ping("start", "02:03:30"), _ping("success", "02:03:50")]
    assert _look(_nightly(), "03:00", *pings).reason == Reason.MISSED


def test_a_run_in_progress_covers_the_slots_that_pass() -> None:
    hourly = _nightly(schedule=CronSchedule("0 * * * *"), max_runtime_s=4 * 3600.0)
    start = _ping("start", "01:00")
    view = _look(hourly, "03:30", start)
    assert (view.status, view.is_running) == (Status.NEW, True)
    assert _look(hourly, "04:00", start, _ping("success", "03:50")).status == Status.UP
    assert _look(hourly, "04:06", start, _ping("success", "03:50")).reason == Reason.MISSED


def test_a_run_without_end_hangs_at_its_max_runtime() -> None:
    view = _look(_nightly(max_runtime_s=3600.0), "03:05:01", _ping("start", "02:05"))
    assert (view.status, view.reason, view.is_running) == (Status.DOWN, Reason.HUNG, False)


def test_a_run_without_end_hangs_by_default_when_the_next_is_missed() -> None:
    start = _ping("start", "02:05")
    assert _look(_nightly(), "+1 02:10", start).status == Status.NEW
    assert _look(_nightly(), "+1 02:10:01", start).reason == Reason.HUNG


def test_a_hung_run_that_ends_well_brings_it_up() -> None:
    pings = [_ping("start", "02:05"), _ping("success", "04:00")]
    monitor = _nightly(max_runtime_s=600.0)
    assert _look(monitor, "03:00", *pings[:1]).reason == Reason.HUNG
    assert _look(monitor, "04:01", *pings).status == Status.UP


def test_a_run_that_went_down_with_its_machine_is_forgotten_once_a_later_one_went_well() -> None:
    cut_off = [_ping("start", "02:05", "a")]
    later = [_ping("start", "+1 02:05", "b"), _ping("success", "+1 02:06", "b")]
    assert _look(_nightly(), "+1 12:00", *cut_off, *later).status == Status.UP
    assert _look(_nightly(), "+1 12:00", *cut_off, later[0]).reason == Reason.HUNG


def test_a_run_without_end_covers_nothing_once_a_later_one_went_well() -> None:
    """A machine went down in its nightly run; its next run, the last one ever, went well."""
    monitor = _nightly(max_runtime_s=7 * 86_400.0)
    cut_off = _ping("start", "02:05", "a")
    later = [_ping("start", "+1 02:05", "b"), _ping("success", "+1 02:06", "b")]
    assert _look(monitor, "+2 02:06", cut_off).status == Status.NEW  # it may still go on
    assert _look(monitor, "+2 02:06", cut_off, *later).status == Status.LATE
    view = _look(monitor, "+2 02:11", cut_off, *later)
    assert (view.reason, view.since_us) == (Reason.MISSED, _at("+2 02:10"))
    # It is no news that it hangs, nor when it ends after all.
    assert _look(monitor, "+8 00:00", cut_off, *later).since_us == _at("+2 02:10")
    end = _ping("success", "+1 03:00", "a")
    assert _look(monitor, "+2 02:11", cut_off, *later, end).reason == Reason.MISSED


def test_a_later_run_that_failed_or_goes_on_takes_no_ones_cover() -> None:
    monitor = _nightly(schedule=CronSchedule("0 * * * *"), max_runtime_s=6 * 3600.0)
    running, other = _ping("start", "01:00", "a"), _ping("start", "02:00", "b")
    assert _look(monitor, "03:30", running, other).status == Status.NEW
    tolerant = _nightly(
        schedule=CronSchedule("0 * * * *"), max_runtime_s=6 * 3600.0, failure_tolerance=1
    )
    failed = _ping("fail", "02:01", "b")
    assert _look(tolerant, "03:30", running, other, failed).status == Status.NEW


def _extend(at: str, extend: str, run_id: str = "r") -> Ping:
    return Ping("log", "backup", run_id=run_id, time_us=_at(at), fields={"extend": extend})


def test_a_log_gives_a_run_more_time() -> None:
    monitor = _nightly(max_runtime_s=3600.0)
    start, more = _ping("start", "02:05"), _extend("03:00", "30m")
    assert _look(monitor, "03:05:01", start).reason == Reason.HUNG
    assert _look(monitor, "03:30", start, more).is_running
    view = _look(monitor, "03:30:01", start, more)
    assert (view.reason, view.since_us) == (Reason.HUNG, _at("03:30"))
    again = _extend("03:25", "1h30m")
    assert _look(monitor, "04:55", start, more, again, again).is_running
    assert _look(monitor, "04:55:01", start, more, again, again).reason == Reason.HUNG


def test_a_log_takes_no_time_from_a_run() -> None:
    monitor = _nightly(max_runtime_s=3600.0)
    pings = [_ping("start", "02:05"), _extend("02:06", "30m"), _extend("02:07", "5m")]
    assert _look(monitor, "03:05", *pings).is_running
    pings = [_ping("start", "02:05"), _extend("03:00", "1h"), _extend("03:01", "1m")]
    assert _look(monitor, "04:00", *pings).is_running


@pytest.mark.parametrize("extend", ["", "soon", "-5m", "0", "1e9", "m", "1y"])
def test_a_log_that_says_no_time_gives_none(extend: str) -> None:
    monitor = _nightly(max_runtime_s=3600.0)
    pings = [_ping("start", "02:05"), _extend("03:00", extend)]
    assert _look(monitor, "03:05:01", *pings).reason == Reason.HUNG


def test_a_log_of_no_run_gives_the_newest_more_time_and_one_of_another_run_gives_none() -> None:
    monitor = _nightly(max_runtime_s=3600.0)
    starts = [_ping("start", "02:05", "a"), _ping("start", "02:06", "b")]
    view = _look(monitor, "03:06:01", *starts, _extend("03:00", "30m", ""))
    assert (view.reason, view.since_us, view.is_running) == (Reason.HUNG, _at("03:05"), True)
    assert not _look(monitor, "03:06:01", *starts, _extend("03:00", "30m", "c")).is_running
    # What has ended, or hung, isn't brought back.
    late = _extend("03:10", "30m", "a")
    assert _look(monitor, "03:20", starts[0], late).reason == Reason.HUNG
    assert not _look(monitor, "03:20", starts[0], late).is_running


def test_an_unwatched_monitor_does_not_run_for_ever() -> None:
    monitor = _nightly(schedule=None)
    pings = [
        _ping("start", "01:00", "a"),
        _ping("start", "02:00", "b"),
        _ping("fail", "02:01", "b"),
    ]
    assert _look(monitor, "02:00", *pings[:2]).is_running
    assert not _look(monitor, "02:02", *pings).is_running


def test_a_failure_is_down_at_once_and_a_success_is_up() -> None:
    failed = [_ping("start", "02:05", "a"), _ping("fail", "02:06", "a")]
    view = _look(_nightly(), "02:07", *failed)
    assert (view.status, view.reason, view.since_us) == (
        Status.DOWN,
        Reason.FAILED,
        _at("02:06"),
    )
    again = [_ping("start", "02:30", "b"), _ping("success", "02:31", "b")]
    assert _look(_nightly(), "02:32", *failed, *again).status == Status.UP


def test_failures_are_tolerated_as_often_as_it_says() -> None:
    monitor = _nightly(failure_tolerance=2, schedule=None)
    fails = [_ping("fail", f"0{hour}:00", str(hour)) for hour in range(1, 4)]
    assert [_look(monitor, "05:00", *fails[:count]).status for count in (1, 2, 3)] == [
        Status.NEW,
        Status.NEW,
        Status.DOWN,
    ]
    success = _ping("success", "02:30", "x")
    assert _look(monitor, "05:00", *fails[:2], success, fails[2]).status == Status.UP


def test_the_success_of_a_run_older_than_the_failure_does_not_mend_it() -> None:
    pings = [
        _ping("start", "02:05", "old"),
        _ping("start", "02:10", "new"),
        _ping("fail", "02:11", "new"),
        _ping("success", "02:20", "old"),
    ]
    assert _look(_nightly(), "02:21", *pings).reason == Reason.FAILED


def test_a_missed_monitor_is_up_with_the_next_success_not_with_its_start() -> None:
    start, success = _ping("start", "09:00"), _ping("success", "09:10")
    view = _look(_nightly(), "09:05", start)
    assert (view.reason, view.is_running) == (Reason.MISSED, True)
    assert _look(_nightly(), "09:11", start, success).status == Status.UP


def test_an_interval_counts_from_start_to_start() -> None:
    monitor = _nightly(schedule=None, every_s=3600.0)
    pings = [_ping("start", "01:00"), _ping("success", "01:30")]
    assert _look(monitor, "02:00", *pings).status == Status.UP
    assert _look(monitor, "02:01", *pings).status == Status.LATE
    assert _look(monitor, "02:06", *pings).reason == Reason.MISSED


def test_a_long_run_of_an_interval_leaves_time_for_the_next() -> None:
    monitor = _nightly(schedule=None, every_s=3600.0, max_runtime_s=86400.0)
    pings = [_ping("start", "01:00"), _ping("success", "03:30")]
    assert _look(monitor, "03:59", *pings).status == Status.UP
    assert _look(monitor, "04:06", *pings).reason == Reason.MISSED


def test_nothing_watches_over_a_monitor_without_a_schedule() -> None:
    monitor = _nightly(schedule=None)
    assert _look(monitor, "+300 00:00", _ping("success", "01:00")).status == Status.UP
    assert not monitor.is_watched


def test_a_paused_monitor_says_so_and_is_never_missed() -> None:
    view = _look(_nightly(pauses=(Pause(_at("01:00")),)), "+9 00:00")
    assert (view.status, view.since_us, view.next_look_us) == (Status.PAUSED, _at("01:00"), None)


def test_what_a_ping_declares_wrongly_is_a_fault_and_the_rest_counts() -> None:
    declared = {"schedule": "61 * * * *", "every": "3600", "gracePeriod": "-5", "tags": "a b"}
    monitor = from_declared("x", declared, 0)
    assert (monitor.every_s, monitor.grace_s, monitor.tags) == (3600.0, 300.0, ("a", "b"))
    assert len(monitor.faults) == 2


@pytest.mark.parametrize("kind", ["success", "fail"])
def test_an_end_that_is_dated_before_its_start_ends_the_run(kind: str) -> None:
    monitor = _nightly(max_runtime_s=600.0)
    back = (_ping(kind, "02:00"), _ping("start", "02:05"))
    view = _look(monitor, "04:00", *back)
    assert not view.is_running
    assert view.status == (Status.UP if kind == "success" else Status.DOWN)
    assert view.reason == (None if kind == "success" else Reason.FAILED)
    # The slot is covered by it, and the next run is one of its own.
    again = (_ping("start", "+1 02:05", "s"),)
    assert _look(monitor, "+1 02:10", *back, *again).is_running
    assert _look(monitor, "+1 04:00", *back, *again).reason == (
        Reason.HUNG if kind == "success" else Reason.FAILED
    )


def test_what_is_remembered_of_ends_is_bounded_and_survives_being_kept() -> None:
    monitor = _nightly()
    ends = [_ping("success", "02:05", f"r{number}") for number in range(1000)]
    state = fold(monitor, ends)
    assert len(state.ended) < 50
    assert "r999" in state.ended
    assert State(**json.loads(json.dumps(asdict(state)))).ended == state.ended
