"""States to the microsecond: where two things happen at once, and what is kept of what is over."""

from dataclasses import replace

import pytest

from radar_cli.model.monitor import Monitor, Pause
from radar_cli.model.ping import Ping
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.state import Reason, State, Status, advance, apply, evaluate, fold

_MINUTE = 60_000_000
_HOUR = 60 * _MINUTE
_BEGIN = 1_795_392_000_000_000  # a midnight in UTC
_HOURLY = Monitor("m", schedule=CronSchedule("0 * * * *"), created_us=_BEGIN, grace_s=300.0)
_UNWATCHED = Monitor("m", created_us=_BEGIN)


def _ping(kind: str, at_us: int, run_id: str = "", **fields: str) -> Ping:
    return Ping(kind, "m", run_id=run_id, time_us=_BEGIN + at_us, fields=fields)


def test_a_run_that_began_with_one_that_went_well_hangs_all_the_same() -> None:
    pings = [_ping("start", _HOUR, "a"), _ping("start", _HOUR, "b")]
    state = fold(_HOURLY, [*pings, _ping("success", _HOUR + 1, "a")])
    # It covers the slots that pass, until it hangs.
    view = evaluate(_HOURLY, state, _BEGIN + 2 * _HOUR + _MINUTE)
    assert (view.status, view.is_running) == (Status.UP, True)
    view = evaluate(_HOURLY, state, _BEGIN + 2 * _HOUR + 5 * _MINUTE + 1)
    assert (view.status, view.reason) == (Status.DOWN, Reason.HUNG)
    assert view.since_us == _BEGIN + 2 * _HOUR + 5 * _MINUTE


@pytest.mark.parametrize(
    ("begin_us", "end_us", "is_hung"),
    [
        (2 * _HOUR + 5 * _MINUTE, 3 * _HOUR - 1, False),
        (2 * _HOUR + 5 * _MINUTE + 1, 3 * _HOUR - 1, True),
        (2 * _HOUR, 2 * _HOUR + 5 * _MINUTE + 1, False),
        (2 * _HOUR, 2 * _HOUR + 5 * _MINUTE, True),
    ],
)
def test_a_run_hangs_in_a_pause_from_its_first_moment_to_before_its_last(
    begin_us: int, end_us: int, is_hung: bool
) -> None:
    monitor = replace(_HOURLY, pauses=(Pause(_BEGIN + begin_us, _BEGIN + end_us),))
    state = fold(monitor, [_ping("start", _HOUR, "a")])
    state = advance(monitor, state, _BEGIN + 3 * _HOUR)
    assert (state.reason == Reason.HUNG) == is_hung
    assert state.running == {}


def test_of_a_run_that_is_over_no_extension_is_kept() -> None:
    pings = [_ping("start", _HOUR, "a"), _ping("start", _HOUR, "b")]
    pings += [_ping("log", _HOUR + 1, run_id, extend="2h") for run_id in "ab"]
    state = fold(_HOURLY, [*pings, _ping("success", _HOUR + 2, "a")])
    assert [*state.extended] == ["b"]
    hung = advance(_HOURLY, state, _BEGIN + 4 * _HOUR)
    assert (hung.reason, hung.extended) == (Reason.HUNG, {})


def test_without_a_schedule_an_end_is_that_of_all_that_began_no_later() -> None:
    pings = [_ping("start", 1, "a"), _ping("start", 1, "b"), _ping("start", 2, "c")]
    state = fold(_UNWATCHED, [*pings, _ping("success", 3, "a")])
    assert [*state.running] == ["c"]


def test_a_success_mends_a_failure_of_the_same_moment() -> None:
    state = fold(_UNWATCHED, [_ping("fail", 5), _ping("success", 5)])
    assert state.status == Status.UP
    older = [_ping("start", _HOUR, "a"), _ping("fail", _HOUR + 5), _ping("success", _HOUR + 6, "a")]
    assert fold(_HOURLY, older).status == Status.DOWN


@pytest.mark.parametrize("extend", ["0", "soon", ""])
def test_a_log_that_extends_nothing_changes_nothing(extend: str) -> None:
    state = fold(_HOURLY, [_ping("start", _HOUR, "a")])
    assert apply(_HOURLY, state, _ping("log", _HOUR + 1, "a", extend=extend)) == state


def test_an_extension_of_no_run_changes_nothing() -> None:
    state = fold(_HOURLY, [_ping("success", _HOUR)])
    assert apply(_HOURLY, state, _ping("log", _HOUR + 1, extend="1h")) == state
    running = fold(_HOURLY, [_ping("start", _HOUR, "a")])
    assert apply(_HOURLY, running, _ping("log", _HOUR + 1, "b", extend="1h")) == running


def test_a_host_is_noted_for_the_newest_slot_alone() -> None:
    pings = [_ping("success", hour * _HOUR, host="web1") for hour in (1, 2)]
    state = fold(_HOURLY, pings)
    assert (state.slot_hosts, state.hosts_before) == ("web1", "web1")
    late = apply(_HOURLY, state, _ping("success", _HOUR + 1, host="web2"))
    assert (late.slot, late.slot_hosts) == (state.slot, "web1")
    unwatched = fold(_UNWATCHED, [_ping("success", 1, host="web1")])
    assert (unwatched.status, unwatched.slot_hosts) == (Status.UP, "")


class TestTwoHosts:
    """Of a monitor that two machines serve."""

    both = replace(_HOURLY, hosts=2)

    def test_an_end_without_a_host_is_that_of_whoever_began_the_run(self) -> None:
        pings = [_ping("start", _HOUR, "a", host="web1"), _ping("start", _HOUR, "b", host="web2")]
        state = fold(self.both, [*pings, _ping("success", _HOUR + 1, "b")])
        running = {host: [*own.running] for host, own in state.by_host.items()}
        assert {"web1": ["a"], "web2": []}.items() <= running.items()
        assert evaluate(self.both, state, _BEGIN + _HOUR + 2).is_running

    def test_a_log_makes_no_host(self) -> None:
        state = fold(self.both, [_ping("success", _HOUR, host="web1")])
        assert apply(self.both, state, _ping("log", _HOUR + 1, host="web2")) == state
        running = apply(self.both, state, _ping("start", _HOUR + 1, "a", host="web1"))
        longer = apply(self.both, running, _ping("log", _HOUR + 2, "a", host="web1", extend="3h"))
        assert longer.by_host["web1"].extended == {"a": _BEGIN + 4 * _HOUR + 2}

    def test_the_next_run_is_due_where_one_of_them_is_behind(self) -> None:
        pings = [_ping("success", _HOUR, host=host) for host in ("web1", "web2")]
        pings.append(_ping("success", 2 * _HOUR, host="web1"))
        state = fold(self.both, pings)
        view = evaluate(self.both, state, _BEGIN + 2 * _HOUR + _MINUTE)
        assert (view.status, view.expected_us) == (Status.LATE, _BEGIN + 2 * _HOUR)
        later = evaluate(self.both, state, _BEGIN + 2 * _HOUR)
        assert (later.status, later.since_us) == (Status.UP, _BEGIN + _HOUR)

    def test_it_is_late_since_the_first_of_them_is(self) -> None:
        pings = [_ping("success", 0, host="web1"), _ping("success", _HOUR, host="web2")]
        wide = replace(self.both, grace_s=3 * 3600.0)
        view = evaluate(wide, fold(wide, pings), _BEGIN + 2 * _HOUR + _MINUTE)
        assert (view.status, view.since_us) == (Status.LATE, _BEGIN + _HOUR)

    def test_the_one_too_many_that_goes_makes_it_down(self) -> None:
        pings = [_ping("success", _HOUR, host=f"web{number}") for number in (1, 2, 3)]
        pings.append(_ping("fail", _HOUR + 1, host="web1"))
        state = fold(self.both, pings)
        assert (state.status, state.since_us) == (Status.UP, _BEGIN + _HOUR)
        down = apply(self.both, state, _ping("fail", _HOUR + 2, host="web2"))
        assert (down.status, down.reason) == (Status.DOWN, Reason.FAILED)
        assert down.since_us == _BEGIN + _HOUR + 2
        up = apply(self.both, down, _ping("success", _HOUR + 3, host="web1"))
        assert (up.status, up.reason, up.since_us) == (Status.UP, None, _BEGIN + _HOUR + 3)

    def test_nobody_is_missed_once_both_are_there(self) -> None:
        pings = [_ping("success", _HOUR + each, host=f"web{each}") for each in (1, 2)]
        state = fold(self.both, pings)
        view = evaluate(self.both, state, _BEGIN + 2 * _HOUR - 1)
        assert (view.status, view.since_us) == (Status.UP, _BEGIN + _HOUR + 1)

    def test_a_start_alone_makes_nobody_well(self) -> None:
        state = fold(self.both, [_ping("start", _HOUR, "a", host="web1")])
        assert state.status == Status.NEW

    def test_of_more_names_than_machines_have_the_oldest_is_gone(self) -> None:
        pings = [_ping("success", number * _HOUR, host=f"c{number}") for number in range(1, 70)]
        state = fold(replace(self.both, hosts="each"), pings)
        assert len(state.by_host) == 64
        assert "c69" in state.by_host
        assert "c1" not in state.by_host


def test_what_nobody_was_ever_heard_of_is_new() -> None:
    assert fold(_HOURLY, []) == State(since_us=_BEGIN, covered_us=_BEGIN)


def test_a_schedule_that_never_matches_makes_nothing_late() -> None:
    monitor = replace(_HOURLY, schedule=CronSchedule("0 0 30 2 *"))
    view = evaluate(monitor, fold(monitor, [_ping("success", 0)]), _BEGIN + _HOUR)
    assert (view.status, view.expected_us, view.next_look_us) == (Status.UP, None, None)


def test_a_new_host_counts_from_its_first_ping() -> None:
    monitor = replace(_UNWATCHED, every_s=3600.0, hosts="each")
    state = fold(monitor, [_ping("success", _MINUTE, host="web1")])
    assert evaluate(monitor, state, _BEGIN + _MINUTE).expected_us == _BEGIN + _MINUTE + _HOUR


def test_a_host_is_noted_once_a_slot() -> None:
    state = fold(_HOURLY, [_ping("success", _HOUR + each, host="web1") for each in (1, 2)])
    assert state.slot_hosts == "web1"
