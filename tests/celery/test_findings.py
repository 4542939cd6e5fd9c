"""Verdicts, forecasts, priorities and judgements: what needs no broker."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from radar_cli.celery.addresses import without_password
from radar_cli.celery.check.expected import Expected
from radar_cli.celery.check.looking import find_orphans
from radar_cli.celery.check.memory import (
    Memory,
    News,
    compare,
    compare_entries,
    forget,
    load_memory,
    save_memory,
)
from radar_cli.celery.check.queues import judge_queues
from radar_cli.celery.check.seen import Look, SeenQueue, SeenTask, SeenWorker, Unacked
from radar_cli.celery.check.waits import remember_waits
from radar_cli.celery.check.workers import judge_workers, name_silent
from radar_cli.celery.findings import EXIT_CODES, LAYERS, Finding, by_urgency, verdict
from radar_cli.celery.forecast import Flow, drains_in_s, flow, waits_s
from radar_cli.celery.processes import Process, node_of
from radar_cli.celery.queues import split_priorities

_states = st.sampled_from(["ok", "bad", "unknown"])
_findings = st.lists(st.builds(Finding, st.sampled_from(LAYERS), st.text(), _states, st.text()))


@given(_findings)
def test_a_verdict_is_the_worst_of_all(findings: list[Finding]) -> None:
    states = {finding.state for finding in findings}
    found = verdict(findings)
    assert found == ("bad" if "bad" in states else "unknown" if states != {"ok"} else "ok")
    assert EXIT_CODES[found] == {"ok": 0, "bad": 1, "unknown": 3}[found]
    assert sorted(map(id, by_urgency(findings))) == sorted(map(id, findings))


@given(_findings, _findings)
def test_more_findings_never_make_it_better(some: list[Finding], more: list[Finding]) -> None:
    badness = {"ok": 0, "unknown": 1, "bad": 2}
    if some:
        assert badness[verdict([*some, *more])] >= badness[verdict(some)]


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 10**6)), st.sets(st.integers(0, 9)))
def test_no_priority_is_lost(lengths: dict[int, int], steps: set[int]) -> None:
    waiting, unread = split_priorities(lengths, steps)
    assert sum(waiting.values()) == sum(lengths.values())
    assert unread == {p: n for p, n in waiting.items() if p and p not in steps}


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.integers(0, 10**6)), max_size=5, unique_by=lambda p: p[0]
    )
)
def test_a_forecast_is_never_negative(points: list[tuple[float, int]]) -> None:
    ordered = sorted(points)
    seen = flow(ordered)
    depth = ordered[-1][1] if ordered else 3
    drains_s = drains_in_s(depth, seen)
    assert drains_s is None or drains_s >= 0
    if seen is not None and seen.growth >= 0 and depth:
        assert drains_s is None
    assert drains_in_s(0, seen) == 0


@given(st.integers(1, 10**6), st.floats(0.001, 1e6))
def test_what_drains_at_a_rate_is_empty_after_depth_by_rate(depth: int, rate: float) -> None:
    assert drains_in_s(depth, Flow(-rate)) == depth / rate
    assert waits_s(depth, Flow(0, rate)) == depth / rate
    assert waits_s(depth, Flow(0, 0.0)) is None


def _worker(node: str = "w@h", **changes: Any) -> SeenWorker:
    values: dict[str, Any] = {
        "total": 5,
        "pool": "prefork",
        "slots": 2,
        "prefetch": 8,
        "active": (),
        "reserved": 0,
        "scheduled": 0,
        "queues": ("celery",),
    } | changes
    return SeenWorker(node, **values)


def _look(at: float, depth: int, *workers: SeenWorker, **changes: Any) -> Look:
    queues: Mapping[str, SeenQueue] = {"celery": SeenQueue("celery", depth)}
    values: dict[str, Any] = {"heard": len(workers)} | changes
    return Look(at, queues, {worker.node: worker for worker in workers}, **values)


def _judge(looks: list[Look], **expected: Any) -> dict[str, Finding]:
    findings = judge_workers(
        looks, Expected(**expected), 1000.0, lambda _: None, lambda _: None
    ) + judge_queues(looks, Expected(**expected), {})
    return {finding.subject: finding for finding in findings}


def test_an_idle_worker_before_a_queue_that_waits_is_bad_only_if_nothing_moves() -> None:
    stuck = _judge([_look(0, 3, _worker()), _look(1, 3, _worker())])
    assert (stuck["w@h"].state, stuck["celery"].state) == ("bad", "bad")
    for change in ({"total": 6}, {"active": (SeenTask("t", "1", 990.0),)}, {"reserved": 1}):
        moving = _judge([_look(0, 3, _worker()), _look(1, 3, _worker(**change))])
        assert moving["w@h"].state == "ok"
    assert _judge([_look(0, 0, _worker()), _look(1, 3, _worker())])["w@h"].state == "ok"


def test_held_tasks_that_dont_start_are_unknown_unless_they_have_an_eta() -> None:
    held = [_look(at, 0, _worker(reserved=2)) for at in (0, 1)]
    assert _judge(held)["w@h"].state == "unknown"
    due = [_look(at, 0, _worker(reserved=2, scheduled=2)) for at in (0, 1)]
    assert _judge(due)["w@h"].state == "ok"


def test_a_backlog_is_told_by_what_arrives_and_what_is_done() -> None:
    looks = [_look(0, 100, _worker(total=0)), _look(1, 120, _worker(total=10))]
    finding = _judge(looks, max_depth=50)["celery"]
    assert (finding.state, finding.cause) == ("bad", "more arrives than is done")
    assert finding.data["expected_wait_s"] == 12
    assert "growing by 20.0/s" in finding.message
    draining = [_look(0, 100, _worker(total=0)), _look(1, 90, _worker(total=10))]
    assert _judge(draining)["celery"].data["drains_in_s"] == 9
    assert _judge(draining, max_wait_s=60)["celery"].state == "ok"
    assert _judge(draining, max_wait_s=5)["celery"].state == "bad"


def test_silence_is_unknown_and_names_who_it_may_be() -> None:
    looks = [_look(0, 0, _worker(), heard=2, known_nodes=frozenset({"w@h", "x@h"}))]
    assert _judge(looks)["x@h"].state == "unknown"
    crowd = frozenset({"w@h", "x@h", "y@h"})
    assert _judge([_look(0, 0, _worker(), heard=2, known_nodes=crowd)])["silent"].state == "unknown"
    counted = _judge([_look(0, 0, _worker(), heard=2)], worker_count=2)
    assert counted["count"].state == "unknown"
    assert _judge([_look(0, 0, _worker())], worker_count=2)["count"].state == "bad"


def test_what_is_older_than_the_visibility_timeout_is_delivered_again() -> None:
    looks = [_look(0, 0, _worker(), unacked=Unacked(1, 4000.0))]
    assert "again" in _judge(looks)["unacked"].cause
    assert _judge(looks, visibility_timeout_s=7200.0)["unacked"].state == "ok"


def test_a_message_that_stays_the_next_has_waited(tmp_path: Path) -> None:
    def queue(oldest: str) -> dict[str, SeenQueue]:
        return {"celery": SeenQueue("celery", 1, oldest=oldest)}

    folder = tmp_path / "waits"
    assert remember_waits(folder, "redis://a", queue("m1"), 100.0) == {"celery": 0.0}
    assert remember_waits(folder, "redis://b", queue("m1"), 130.0) == {"celery": 0.0}
    assert remember_waits(folder, "redis://a", queue("m1"), 160.0) == {"celery": 60.0}
    assert remember_waits(folder, "redis://a", queue("m2"), 170.0) == {"celery": 0.0}
    assert remember_waits(folder, "redis://a", queue(""), 180.0) == {}
    for place in folder.iterdir():
        place.write_text("[1, 2")
    assert remember_waits(folder, "redis://b", queue("m1"), 190.0) == {"celery": 0.0}


def test_a_password_is_never_shown() -> None:
    for url in (
        "redis://:s3cret@host:6379/0",
        "amqp://user:s3cret@host//",
        "amqp://user:s3/c@r?et@host/vhost?ssl=1",
        "redis://host/0?password=s3cret",
    ):
        assert "s3" not in without_password(url), url
    assert without_password("redis://host:1/0") == "redis://host:1/0"


def test_a_command_line_tells_which_node_it_starts() -> None:
    host = "web1.example.com"
    for line, node in {
        "python /venv/bin/celery -A app worker": "celery@web1.example.com",
        "celery -A app worker -n a@%h -P solo": "a@web1.example.com",
        "celery -A app worker --hostname=a": "a@web1.example.com",
        "celery -A app worker -na@%d": "a@example.com",
        "python -m celery.__main__ worker -n x@y": "x@y",
        "celery -A app beat": "",
        "vim celery-worker.txt": "",
        "[celeryd: a@b:MainProcess] -active- (worker -A app)": "a@b",
        "[celeryd: a@b:ForkPoolWorker-1]": "",
    }.items():
        assert node_of(line.split(), host) == node, line


def _compare(
    before: Memory, look: Look, now: float = 200.0, *, silent: tuple[str, ...] = (), **how: bool
) -> tuple[News, Memory]:
    return compare(before, look, silent, now, tells_goodbye=how.get("tells_goodbye", True))


def test_a_worker_that_went_without_a_goodbye_is_missed_until_it_is_back_or_forgotten() -> None:
    both = frozenset({"w@h", "x@h"})
    x_only = {"total": 1, "queues": ("mail",)}
    _, memory = _compare(
        Memory(), _look(0, 0, _worker(), _worker("x@h", **x_only), known_nodes=both), 100.0
    )
    assert set(memory.workers) == both
    # Its name stays in Redis if it was killed.
    news, after = _compare(memory, _look(1, 0, _worker(), known_nodes=both))
    assert (dict(news.workers), dict(news.queues)) == ({"x@h": 100.0}, {"mail": 100.0})
    news, _ = _compare(after, _look(1, 0, _worker(), known_nodes=both))
    assert list(news.workers) == ["x@h"]
    judged = judge_workers(
        [_look(1, 0, _worker(), known_nodes=both)],
        Expected(),
        1000.0,
        lambda _: None,
        lambda _: None,
        news=news,
    )
    [missed] = [each for each in judged if each.subject == "x@h"]
    assert missed.state == "bad"
    assert "without a goodbye" in missed.cause
    # One that ended by itself took its name with it; in RabbitMQ nothing tells the two apart.
    gone = _look(1, 0, _worker(), known_nodes=frozenset({"w@h"}))
    assert not _compare(memory, gone)[0].workers
    assert list(_compare(memory, gone, tells_goodbye=False)[0].workers) == ["x@h"]
    # It hears and doesn't answer: it isn't gone.
    silent = _look(1, 0, _worker(), heard=2, known_nodes=both)
    assert not _compare(memory, silent, silent=("x@h",))[0].workers
    assert not _compare(memory, silent)[0].workers
    # Another does all of its work.
    stand_in = _look(1, 0, _worker(), _worker("y@h", queues=("mail", "fast")), known_nodes=both)
    news, after = _compare(memory, stand_in)
    assert (dict(news.workers), dict(news.queues), set(after.workers)) == ({}, {}, {"w@h", "y@h"})
    back = _look(2, 0, _worker(), _worker("x@h", **x_only), known_nodes=both)
    assert not _compare(_compare(memory, gone)[1], back)[0].workers
    assert not _compare(forget(memory), _look(1, 0, _worker(), known_nodes=both))[0].workers


def test_a_full_pool_is_bad_if_it_does_nothing_while_something_waits() -> None:
    tasks = (SeenTask("shop.loops", "1", 100.0), SeenTask("shop.loops", "2", 130.0))
    full = _worker(active=tasks, reserved=3, prefetched={"celery": 3})
    _, memory = _compare(Memory(), _look(0, 0, full), 600.0)
    news, after = _compare(memory, _look(1, 0, full), 601.0)
    assert set(news.stuck_s) == {"w@h"}

    def judge(now: float, news: News, worker: SeenWorker = full, **expected: Any) -> Finding:
        looks = [_look(1, 0, worker)]
        bound = (lambda _: None, lambda _: None)
        return judge_workers(looks, Expected(**expected), now, *bound, news=news)[0]

    stuck = judge(601.0, news)
    assert (stuck.state, stuck.data["waiting"]) == ("bad", 3)
    assert "the same tasks run for" in stuck.cause
    assert judge(400.0, news).state == "ok"  # the younger one runs for 270 s
    assert judge(601.0, News()).state == "ok"  # a first look proves nothing
    assert judge(601.0, news, max_runtime_s=3600.0).state == "ok"
    assert judge(601.0, news, _worker(active=tasks)).state == "ok"  # nothing waits
    other = _worker(active=(tasks[0], SeenTask("shop.loops", "3", 602.0)), reserved=3)
    assert not _compare(after, _look(2, 0, other), 603.0)[0].stuck_s
    # What is fetched waits as well as what isn't.
    assert judge_queues([_look(1, 2, full)], Expected(max_depth=4), {})[0].state == "bad"
    assert judge_queues([_look(1, 2, full)], Expected(max_depth=5), {})[0].state == "ok"


def test_a_clock_that_is_off_is_told_by_what_cannot_be() -> None:
    ahead = _worker(active=(SeenTask("t", "1", 8200.0),))
    finding = _judge([_look(0, 0, ahead)])["w@h"]
    assert (finding.state, finding.data["clock_off_s"]) == ("bad", 7200.0)
    assert finding.message == "its clock is 2 h ahead of this machine's"
    _, memory = _compare(Memory(), _look(0, 0, _worker()), 1000.0)
    behind = _worker(active=(SeenTask("t", "1", 400.0),), total=6)
    news, after = _compare(memory, _look(1, 0, behind), 1010.0)
    assert dict(news.behind_s) == {"w@h": 600.0}
    bound = (lambda _: None, lambda _: None)
    [told] = judge_workers([_look(1, 0, behind)], Expected(), 1010.0, *bound, news=news)
    assert told.message == "its clock is 10 min behind this machine's"
    # It was known then: it is merely long.
    assert not _compare(after, _look(2, 0, behind), 1020.0)[0].behind_s
    # Started anew since: nothing is known of what ran then.
    anew = _worker(active=(SeenTask("t", "2", 400.0),), total=1)
    assert not _compare(memory, _look(1, 0, anew), 1010.0)[0].behind_s


def test_what_nobody_that_answers_holds_is_an_orphan_and_comes_back() -> None:
    before = Unacked(2, 60.0, {"celery": 2}, {"1": 900.0, "2": 950.0})
    lost = find_orphans(before, before, frozenset({"2"}))
    assert lost is not None
    assert dict(lost.orphans) == {"1": 900.0}
    done = Unacked(1, 60.0, {"celery": 1}, {"2": 950.0})
    assert find_orphans(before, done, frozenset({"2"})) == done  # it was acknowledged meanwhile
    looks = [_look(at, 0, _worker(), unacked=lost) for at in (0, 1)]
    finding = _judge(looks)["unacked"]
    assert (finding.state, finding.data["orphans"]) == ("bad", 1)
    assert "they come back from 1970-01-01 01:15:00 UTC on" in finding.cause
    # On its way from one list to another it stands in none of them.
    moving = [_look(0, 0, _worker(), unacked=lost), _look(1, 0, _worker(), unacked=before)]
    assert _judge(moving)["unacked"].state == "ok"
    silent = [_look(at, 0, _worker(), unacked=lost, heard=2) for at in (0, 1)]
    assert _judge(silent)["unacked"].state == "unknown"


def test_two_workers_of_one_name_are_no_silent_one() -> None:
    finding = _judge([_look(0, 0, _worker(), heard=2, twins={"w@h": 2})])
    assert set(finding) == {"w@h", "celery"} or set(finding) == {"w@h"}
    assert finding["w@h"].message == "2 workers answer by that name"


def test_stale_names_in_redis_hide_no_silent_worker() -> None:
    here = socket.gethostname()
    names = frozenset({f"old@{here}", f"older@{here}", f"new@{here}", "far@away"})
    look = _look(0, 0, _worker(), heard=2, known_nodes=names)

    def find(node: str) -> Process | None:
        return Process(77, False, "prefork") if node.startswith("new") else None

    assert name_silent(look, Expected(), lambda _: None, find) == [f"new@{here}"]
    # No process of this machine's: it is the one elsewhere.
    assert name_silent(look, Expected(), lambda _: None, lambda _: None) == ["far@away"]


def test_what_a_check_remembers_outlives_it_and_a_broken_file_is_none(tmp_path: Path) -> None:
    _, memory = _compare(Memory(), _look(0, 0, _worker()), 100.0)
    missed, memory = compare_entries(memory, "beat", ["a", "b"])
    assert missed == []
    save_memory(tmp_path / "new", "redis://a", memory)
    assert load_memory(tmp_path / "new", "redis://a") == memory
    assert load_memory(tmp_path / "new", "redis://b") == Memory()
    missed, memory = compare_entries(memory, "beat", ["a"])
    assert missed == ["b"]
    assert compare_entries(memory, "beat", ["a"])[0] == ["b"]
    for place in (tmp_path / "new").iterdir():
        place.write_text('{"workers": 7}')
    assert load_memory(tmp_path / "new", "redis://a") == Memory()
