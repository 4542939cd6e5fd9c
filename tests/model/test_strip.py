"""The last runs as marks: what came, and what is missing."""

from radar_cli.model.monitor import Monitor, Pause
from radar_cli.model.run import Run
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.strip import GAPS_IN_A_ROW, Mark, find_marks

_MINUTE = 60_000_000
# Midnight in UTC, 20000 days after the epoch.
_MIDNIGHT = 20_000 * 1440 * _MINUTE


def _hourly(**changes: object) -> Monitor:
    values = {"schedule": CronSchedule("0 * * * *"), "created_us": _at(-30), **changes}
    return Monitor("m", **values)  # type: ignore[arg-type]  # each test gives the right ones


def _at(minute: int) -> int:
    return _MIDNIGHT + minute * _MINUTE


def _run(minute: int, outcome: str = "success", *, took: int = 2, run_id: str = "") -> Run:
    ended_us = _at(minute + took) if outcome else None
    return Run(run_id or str(minute), started_us=_at(minute), ended_us=ended_us, outcome=outcome)


def _marks(monitor: Monitor, now: int, *runs: Run, running: str = "", limit: int = 20) -> str:
    marks = find_marks(monitor, runs, _at(now), running={running}, limit=limit)
    return "".join(
        {Mark.SUCCESS: "+", Mark.FAIL: "x", Mark.MISSED: "_"}.get(m, m[0]) for m in marks
    )


def test_it_marks_what_came() -> None:
    assert _marks(_hourly(), 130, _run(0), _run(60, "fail"), _run(120)) == "+x+"


def test_it_marks_what_is_missing_between_runs_and_since_the_last() -> None:
    assert _marks(_hourly(), 310, _run(0), _run(180)) == "+__+__"


def test_it_marks_no_gap_before_its_grace_is_over() -> None:
    assert _marks(_hourly(), 125, _run(60)) == "+"
    assert _marks(_hourly(), 126, _run(60)) == "+_"


def test_a_run_that_came_too_late_was_missed_and_came() -> None:
    assert _marks(_hourly(), 90, _run(0), _run(70)) == "+_+"


def test_it_tells_a_run_that_goes_on_from_one_that_hangs() -> None:
    runs = (_run(0, "", run_id="a"), _run(60, "", run_id="b"))
    assert _marks(_hourly(), 62, *runs, running="b") == "hr"


def test_a_long_run_covers_what_fell_due_meanwhile() -> None:
    assert _marks(_hourly(), 250, _run(0, took=200), _run(240)) == "++"
    assert _marks(_hourly(), 250, _run(0, "", run_id="a"), running="a") == "r"


def test_nothing_of_a_pause_is_missing() -> None:
    monitor = _hourly(pauses=(Pause(_at(50), _at(200)),))
    assert _marks(monitor, 310, _run(0)) == "+__"
    assert _marks(_hourly(pauses=(Pause(_at(50)),)), 900, _run(0)) == "+"


def test_it_marks_what_was_due_since_it_was_created() -> None:
    assert _marks(_hourly(), 70) == "__"


def test_a_year_of_silence_leaves_room_for_the_runs() -> None:
    minutely = _hourly(schedule=CronSchedule("* * * * *"))
    assert _marks(minutely, 525_600, _run(0)) == "+" + "_" * GAPS_IN_A_ROW
    assert _marks(minutely, 525_603, _run(0), _run(525_600), limit=4) == "___+"


def test_an_interval_is_missed_once_each_time_it_passes() -> None:
    monitor = _hourly(schedule=None, every_s=3600.0)
    assert _marks(monitor, 200, _run(0)) == "+___"


def test_without_a_schedule_nothing_is_missing() -> None:
    assert _marks(_hourly(schedule=None), 5000, _run(0)) == "+"
