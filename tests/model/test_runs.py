"""Runs made of pings."""

from hypothesis import given
from hypothesis import strategies as st

from radar_cli.model.ping import Ping
from radar_cli.model.run import Origin, Run, fold_runs


def _ping(kind: str, time_us: int, run_id: str = "", **fields: str) -> Ping:
    return Ping(kind, "backup", run_id=run_id, time_us=time_us, fields=fields)


def test_it_joins_start_and_end_by_run_id_where_runs_overlap() -> None:
    runs = fold_runs(
        [
            _ping("start", 1_000_000, "a"),
            _ping("start", 2_000_000, "b"),
            _ping("success", 5_000_000, "a", exit="0", duration="4.0"),
            _ping("fail", 6_000_000, "b", exit="2"),
        ]
    )
    assert [(run.run_id, run.outcome, run.exit_code, run.duration_s) for run in runs] == [
        ("a", "success", 0, 4.0),
        ("b", "fail", 2, 4.0),
    ]


def test_it_joins_pings_without_run_id_in_their_order() -> None:
    pings = [_ping("start", 1), _ping("success", 2), _ping("success", 3), _ping("start", 4)]
    runs = fold_runs(pings)
    assert [(run.started_us, run.ended_us) for run in runs] == [(1, 2), (None, 3), (4, None)]
    assert [run.is_running for run in runs] == [False, False, True]


def test_a_start_without_run_id_begins_another_run_though_the_last_has_no_end() -> None:
    runs = fold_runs([_ping("start", 1), _ping("start", 2), _ping("fail", 3)])
    assert [(run.started_us, run.outcome) for run in runs] == [(1, ""), (2, "fail")]


def test_it_takes_an_end_that_comes_before_its_start() -> None:
    (run,) = fold_runs([_ping("success", 9, "a", duration="2"), _ping("start", 7, "a")])
    assert (run.started_us, run.ended_us, run.outcome, run.duration_s) == (7, 9, "success", 2.0)


def test_it_survives_numbers_that_are_none() -> None:
    (run,) = fold_runs([_ping("fail", 1, "a", exit="x", duration="", signal="9", rss="lots")])
    assert (run.exit_code, run.duration_s, run.signal, run.max_rss_bytes) == (None, None, 9, None)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["start", "success", "fail", "log"]), st.sampled_from(["", "a", "b"])
        )
    )
)
def test_every_outcome_ends_one_run_and_every_run_has_a_ping(pings: list[tuple[str, str]]) -> None:
    runs = fold_runs([_ping(kind, time, run_id) for time, (kind, run_id) in enumerate(pings)])
    anonymous_ends = sum(1 for kind, run_id in pings if kind in ("success", "fail") and not run_id)
    assert sum(1 for run in runs if not run.run_id and run.outcome) == anonymous_ends
    named = {run_id for kind, run_id in pings if run_id and kind != "log"}
    assert sorted(run.run_id for run in runs if run.run_id) == sorted(named)
    for run in runs:
        assert run.started_us is not None or run.ended_us is not None


def test_it_keeps_all_that_the_last_ping_said() -> None:
    begun, ended = Origin("10.0.0.1", "POST", "curl"), Origin("10.0.0.2", "GET", "radar")
    start = _ping("start", 1_000_000, "a", host="web1", url="https://ci/1")
    said = {
        "cpu": "1.5",
        "rss": "4096",
        "output": "30",
        "omitted": "20",
        "tries": "3",
        "reason": "timeout",
        "message": "slow",
        "signal": "9",
    }
    end = _ping("fail", 5_000_000, "a", **said)
    start.origin, end.origin, end.body = begun, ended, b"tail"
    (run,) = fold_runs([start, end])
    assert run == Run(
        run_id="a",
        started_us=1_000_000,
        ended_us=5_000_000,
        outcome="fail",
        duration_s=4.0,
        signal=9,
        reason="timeout",
        cpu_s=1.5,
        max_rss_bytes=4096,
        tries=3,
        host="web1",
        message="slow",
        url="https://ci/1",
        output=b"tail",
        output_bytes=30,
        omitted_bytes=20,
        origin=ended,
    )
    assert run.first_us == 1_000_000


def test_what_was_not_said_stays_as_it_was() -> None:
    begun = Origin("10.0.0.1", "POST", "curl")
    start = _ping("start", 5_000_000, "a")
    start.origin = begun
    (run,) = fold_runs([start, _ping("success", 4_000_000, "a")])
    # The end is dated before the start: a clock was set back.
    assert run == Run("a", 5_000_000, 4_000_000, "success", 0.0, origin=begun)
    assert (run.first_us, run.tries, run.omitted_bytes) == (4_000_000, 1, 0)
