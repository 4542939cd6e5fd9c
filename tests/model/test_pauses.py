"""Pauses: nothing is expected meanwhile, and they end by themselves."""

from radar_cli.model.monitor import Monitor, Pause
from radar_cli.model.ping import Ping
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.state import Reason, Status, View, advance, evaluate, fold

_MINUTE = 60_000_000
_MIDNIGHT = 20_000 * 1440 * _MINUTE


def _at(minute: int) -> int:
    return _MIDNIGHT + minute * _MINUTE


def _hourly(*pauses: tuple[int, int | None], **changes: object) -> Monitor:
    values = {
        "schedule": CronSchedule("0 * * * *"),
        "created_us": _at(1),
        "pauses": tuple(Pause(_at(begin), end and _at(end)) for begin, end in pauses),
        **changes,
    }
    return Monitor("m", **values)  # type: ignore[arg-type]  # each test gives the right ones


def _ping(kind: str, minute: int, run_id: str = "r") -> Ping:
    return Ping(kind, "m", run_id=run_id, time_us=_at(minute))


def _look(monitor: Monitor, minute: int, *pings: Ping) -> View:
    return evaluate(monitor, fold(monitor, pings), _at(minute))


def test_it_lasts_from_its_first_moment_to_its_last() -> None:
    monitor = _hourly((70, 130))
    statuses = [
        evaluate(monitor, fold(monitor, [_ping("success", 60)]), now_us).status
        for now_us in (_at(70) - 1, _at(70), _at(130), _at(130) + 1)
    ]
    assert statuses == [Status.UP, Status.PAUSED, Status.PAUSED, Status.UP]


def test_it_has_to_be_looked_at_when_it_ends_and_before_it_begins() -> None:
    monitor = _hourly((70, 130))
    assert _look(monitor, 100).next_look_us == _at(130)
    assert _look(_hourly((70, None)), 100).next_look_us is None
    assert _look(_hourly((40, 50)), 20).next_look_us == _at(40) - 1
    down = _look(_hourly((200, None)), 100)
    assert (down.status, down.next_look_us) == (Status.DOWN, _at(200) - 1)


def test_what_fell_due_meanwhile_is_not_missed() -> None:
    monitor = _hourly((50, 190))
    view = _look(monitor, 191)
    assert (view.status, view.expected_us) == (Status.NEW, _at(240))
    assert _look(monitor, 246).reason == Reason.MISSED


def test_what_was_late_when_it_began_is_not_missed_either() -> None:
    monitor = _hourly((62, 90))
    assert _look(monitor, 61).status == Status.LATE
    assert _look(monitor, 91).status == Status.NEW


def test_what_was_down_before_is_down_after() -> None:
    monitor = _hourly((70, 90))
    view = _look(monitor, 91)
    assert (view.status, view.reason, view.since_us) == (Status.DOWN, Reason.MISSED, _at(65))


def test_a_run_whose_end_was_due_meanwhile_does_not_hang() -> None:
    monitor = _hourly((70, 130), max_runtime_s=1800.0)
    start = _ping("start", 60)
    view = _look(monitor, 131, start)
    assert (view.status, view.is_running) == (Status.NEW, False)
    assert _look(monitor, 140, start, _ping("success", 135)).status == Status.UP
    assert _look(_hourly((70, 80), max_runtime_s=1800.0), 91, start).reason == Reason.HUNG


def test_an_interval_has_its_whole_time_after_it() -> None:
    monitor = _hourly((50, 100), schedule=None, every_s=3600.0)
    assert _look(monitor, 101).expected_us == _at(160)


def test_it_tells_when_the_next_run_is_due_if_it_has_an_end() -> None:
    assert _look(_hourly((50, 190)), 100).expected_us == _at(240)
    assert _look(_hourly((50, None)), 100).expected_us is None


def test_pings_are_heard_meanwhile() -> None:
    monitor = _hourly((50, 130))
    assert _look(monitor, 100, _ping("fail", 60)).status == Status.PAUSED
    assert _look(monitor, 131, _ping("fail", 60)).reason == Reason.FAILED
    assert _look(monitor, 131, _ping("fail", 60), _ping("success", 120)).status == Status.UP


def test_passing_it_again_changes_nothing() -> None:
    monitor = _hourly((50, 130), (200, 210))
    state = advance(monitor, fold(monitor, [_ping("start", 40)]), _at(300))
    assert advance(monitor, state, _at(300)) == state
