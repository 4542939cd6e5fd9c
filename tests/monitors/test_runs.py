"""Runs made of pings."""

from hypothesis import given
from hypothesis import strategies as st

from radar_cli.model.ping import Ping
from radar_cli.monitors.runs import fold_runs


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
