"""A monitor's state against a small model, which looks at every second and every slot."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st

from radar_cli.model.monitor import Monitor, Pause, to_us
from radar_cli.model.ping import Ping
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.state import Reason, Status, evaluate, fold

_BEGIN = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
_BEGIN_US = to_us(_BEGIN)
_SECOND = 1_000_000


@st.composite
def _histories(draw: st.DrawFn) -> tuple[Monitor, list[Ping], int]:
    minutes = draw(st.sampled_from([2, 3, 5, 10, 15]))
    grace_s = draw(st.sampled_from([0, 30, 60, 299]))
    max_runtime_s = draw(st.sampled_from([None, 45, 200, 1000]))
    tolerance = draw(st.sampled_from([0, 0, 1, 2]))
    # Beginnings and ends in turn; the last pause may go on.
    edges = sorted(draw(st.lists(st.integers(1, 4300), unique=True, max_size=5)))
    monitor = Monitor(
        "m",
        pauses=tuple(
            Pause(_BEGIN_US + begin * _SECOND, end and _BEGIN_US + end * _SECOND)
            for begin, end in itertools.zip_longest(edges[::2], edges[1::2])
        ),
        schedule=CronSchedule(f"*/{minutes} * * * *"),
        grace_s=float(grace_s),
        max_runtime_s=None if max_runtime_s is None else float(max_runtime_s),
        failure_tolerance=tolerance,
        created_us=_BEGIN_US,
    )
    seconds = draw(st.lists(st.integers(1, 3600), unique=True, max_size=12).map(sorted))
    pings = [
        Ping(
            draw(st.sampled_from(["start", "start", "success", "fail"])),
            "m",
            run_id=draw(st.sampled_from(["a", "b"])),
            time_us=_BEGIN_US + second * _SECOND,
        )
        for second in seconds
    ]
    return monitor, pings, draw(st.integers(max([0, *seconds]), 4200))


@settings(max_examples=300, deadline=None)
@given(_histories())
def test_it_agrees_with_a_model_that_looks_at_every_second(
    history: tuple[Monitor, list[Ping], int],
) -> None:
    monitor, pings, now = history
    view = evaluate(monitor, fold(monitor, pings), _BEGIN_US + now * _SECOND)
    expected = _second_by_second(monitor, pings, now)
    event(str(expected))
    assert (view.status, view.reason) == expected


def _second_by_second(
    monitor: Monitor, pings: list[Ping], now: int
) -> tuple[Status, Reason | None]:
    """The same, slot by slot and second by second, as the design has it in words."""
    assert monitor.schedule is not None
    slots = [
        (to_us(slot) - _BEGIN_US) // _SECOND
        for slot in itertools.takewhile(
            lambda slot: slot < _BEGIN + timedelta(hours=4), monitor.schedule.slots_after(_BEGIN)
        )
    ]
    early = min(60, (slots[1] - slots[0]) // 2)
    grace = int(monitor.grace_s)
    pauses = [
        (
            (pause.begin_us - _BEGIN_US) // _SECOND,
            9999 if pause.end_us is None else (pause.end_us - _BEGIN_US) // _SECOND,
        )
        for pause in monitor.pauses
    ]
    by_second = {(ping.time_us - _BEGIN_US) // _SECOND: ping for ping in pings}
    covered: set[int] = set()  # slots that some run answers for
    open_runs: dict[str, int] = {}
    ended: set[str] = set()  # runs whose end came first, as where a clock was set back
    status: Status = Status.NEW
    reason: Reason | None = None
    failures, failed_start, succeeded_start = 0, -1, -1

    def cover(begin: int, end: int) -> None:
        covered.update(slot for slot in slots if slot <= end or begin < slot <= begin + early)

    def limit(start: int) -> int:
        if monitor.max_runtime_s is not None:
            return start + int(monitor.max_runtime_s)
        answered = max([s for s in slots if start < s <= start + early], default=start)
        return next(slot for slot in slots if slot > answered) + grace

    for second in range(now + 1):
        if any(end == second - 1 for _, end in pauses):
            # Nobody waits for what fell due meanwhile, a run's end included.
            covered.update(slot for slot in slots if slot < second)
            begin = next(begin for begin, end in pauses if end == second - 1)
            for run in [r for r, s in open_runs.items() if begin <= limit(s) < second - 1]:
                del open_runs[run]
        is_paused = any(begin <= second <= end for begin, end in pauses)
        hung = [run for run, start in open_runs.items() if limit(start) < second]
        # A later run has gone well: nobody waits for those any more.
        for run in [] if is_paused else [r for r in hung if open_runs[r] < succeeded_start]:
            del open_runs[run]
            hung.remove(run)
        # Whatever comes first makes it down.
        goes_on = any(start >= succeeded_start for start in open_runs.values())
        missed = [s for s in slots if s not in covered and s + grace < second and not goes_on]
        if is_paused:
            hung, missed = [], []
        if status != Status.DOWN and (hung or missed):
            status = Status.DOWN
            reason = Reason.HUNG if hung else Reason.MISSED
        for run in hung:
            del open_runs[run]
        ping = by_second.get(second)
        if ping is None:
            continue
        if ping.kind == "start":
            if ping.run_id in ended:
                ended.remove(ping.run_id)
            else:
                open_runs[ping.run_id] = second
            cover(second, second)
            continue
        if ping.run_id not in open_runs:
            ended.add(ping.run_id)
        start = open_runs.pop(ping.run_id, second)
        cover(start, second)
        if ping.kind == "fail":
            failures += 1
            failed_start = max(failed_start, start)
            if failures > monitor.failure_tolerance and status != Status.DOWN:
                status, reason = Status.DOWN, Reason.FAILED
            continue
        succeeded_start = max(succeeded_start, start)
        if start >= failed_start:
            failures = 0
            status, reason = Status.UP, None
    if is_paused:
        return Status.PAUSED, None
    due = [slot for slot in slots if slot not in covered and slot < now]
    goes_on = any(start >= succeeded_start for start in open_runs.values())
    if status != Status.DOWN and due and not goes_on:
        return Status.LATE, None
    return status, reason
