"""A monitor's state, made of its pings, and what it says at a given time.

`fold(monitor, pings)` goes through the pings in the order of their events; between two of them
time may make the monitor down (`missed`, `hung`), and each ping may (`failed`) or may bring it up
again. `evaluate(monitor, state, now_us)` lets time pass until now. Both are pure.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Iterable, Iterator

from radar_cli.model.ping import Ping
from radar_cli.monitors.monitor import Monitor, Pause

_ENDS_REMEMBERED = 16


class Status(StrEnum):
    """What a monitor says of its job."""

    NEW = "new"
    UP = "up"
    LATE = "late"
    DOWN = "down"
    PAUSED = "paused"


class Reason(StrEnum):
    """Why a monitor is down."""

    MISSED = "missed"
    FAILED = "failed"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class State:
    """What the pings so far have made of a monitor. Times are Unix time in microseconds."""

    status: Status = Status.NEW  # new, up or down: late and paused depend on the moment
    reason: Reason | None = None
    since_us: int = 0
    covered_us: int = 0  # the runs so far cover what was due up to here
    failures: int = 0  # in a row
    failed_start_us: int = 0  # when the newest run that failed had begun
    succeeded_start_us: int = 0  # and the newest that succeeded
    running: dict[str, int] = field(default_factory=dict)  # run id to start, in order
    # The newest runs whose end is known and whose start isn't, with the time of the end: where a
    # clock was set back, a run's start may be dated after its end.
    ended: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """What a monitor says at one moment, and when it has to be looked at again."""

    status: Status
    reason: Reason | None
    since_us: int
    is_running: bool
    expected_us: int | None  # when the next run is due, or the one that is late was
    next_look_us: int | None  # nothing changes before, unless a ping comes


def fold(monitor: Monitor, pings: Iterable[Ping], *, from_us: int | None = None) -> State:
    """The state that these pings, in the order of their events, make of a new monitor.

    `from_us` is when it began to be watched, where that is later than its creation.
    """
    began_us = monitor.created_us if from_us is None else from_us
    state = State(since_us=began_us, covered_us=began_us)
    for ping in pings:
        state = apply(monitor, advance(monitor, state, ping.time_us), ping)
    return state


def advance(monitor: Monitor, state: State, now_us: int) -> State:
    """Let time pass: whoever was due and didn't come, or came and doesn't end, is down.

    What falls due within a pause isn't missed, and a pause may be passed again: the state is the
    same then.
    """
    for pause in monitor.pauses:
        if now_us < pause.begin_us:
            break
        state = _let_pass(monitor, state, pause.begin_us)
        if pause.end_us is None or not pause.is_over(now_us):
            return state
        state = _resume(monitor, state, pause.begin_us, pause.end_us)
    return _let_pass(monitor, state, now_us)


def _let_pass(monitor: Monitor, state: State, now_us: int) -> State:
    # A run that hangs is taken from those that run; what ends next may hang, too.
    while (deadline := _first_deadline(monitor, state)) is not None and deadline[0] < now_us:
        at_us, run_id = deadline
        if run_id is None:
            if state.status == Status.DOWN:
                return state
            return replace(state, status=Status.DOWN, reason=Reason.MISSED, since_us=at_us)
        start_us = state.running[run_id]
        state = _without(state, run_id)
        # Where a later run has gone well, this one went down with its machine, long ago.
        if state.status != Status.DOWN and start_us >= state.succeeded_start_us:
            state = replace(state, status=Status.DOWN, reason=Reason.HUNG, since_us=at_us)
    return state


def _resume(monitor: Monitor, state: State, begin_us: int, end_us: int) -> State:
    """The state after a pause: its time is covered, and no run hung in it.

    A run whose end was due meanwhile may have gone down with the machine that was worked on.
    """
    for at_us, run_id in list(_run_deadlines(monitor, state)):
        if begin_us <= at_us < end_us:
            state = _without(state, run_id)
    return replace(state, covered_us=max(state.covered_us, end_us))


def _without(state: State, run_id: str) -> State:
    running = {known: start for known, start in state.running.items() if known != run_id}
    return replace(state, running=running)


def apply(monitor: Monitor, state: State, ping: Ping) -> State:
    """What a ping makes of a state in which its time has come."""
    if ping.kind == "log":
        return state
    time_us = ping.time_us
    running = dict(state.running)
    if ping.kind == "start":
        ended = dict(state.ended)
        if ended.pop(ping.run_id, None) is None:
            running[ping.run_id] = time_us
        covered_us = max(state.covered_us, monitor.covered_by_start(time_us))
        return replace(state, running=running, ended=ended, covered_us=covered_us)
    start_us = running.pop(ping.run_id, None)
    if start_us is None:
        # An end without a start counts as its beginning, too.
        start_us = time_us
        covered_us = max(state.covered_us, monitor.covered_by_start(time_us))
        if ping.run_id:
            ended = {**state.ended, ping.run_id: time_us}
            state = replace(state, ended=dict(list(ended.items())[-_ENDS_REMEMBERED:]))
    else:
        covered_us = max(state.covered_us, monitor.covered_by_run(start_us, time_us))
    if not monitor.is_watched and monitor.max_runtime_s is None:
        # Nothing tells when an older run without an end has hung: it doesn't go on for ever.
        running = {run_id: began for run_id, began in running.items() if began > start_us}
    # One `replace` an outcome: every ping comes along here.
    changed = partial(replace, state, running=running, covered_us=covered_us)
    if ping.kind == "success":
        succeeded_us = max(state.succeeded_start_us, start_us)
        if start_us < state.failed_start_us:
            # The run that failed is newer: it isn't mended by this one.
            return changed(succeeded_start_us=succeeded_us)
        if state.status == Status.UP:
            return changed(succeeded_start_us=succeeded_us, failures=0)
        return changed(
            succeeded_start_us=succeeded_us,
            failures=0,
            status=Status.UP,
            reason=None,
            since_us=time_us,
        )
    failures, failed_us = state.failures + 1, max(state.failed_start_us, start_us)
    if failures <= monitor.failure_tolerance or state.status == Status.DOWN:
        return changed(failures=failures, failed_start_us=failed_us)
    return changed(
        failures=failures,
        failed_start_us=failed_us,
        status=Status.DOWN,
        reason=Reason.FAILED,
        since_us=time_us,
    )


def evaluate(monitor: Monitor, state: State, now_us: int) -> View:
    """What the monitor says at `now_us`, which is no earlier than its newest ping."""
    state = advance(monitor, state, now_us)
    if (pause := monitor.pause_at(now_us)) is not None:
        return _evaluate_paused(monitor, state, pause)
    expected_us = monitor.expected_after(state.covered_us) if monitor.is_watched else None
    deadline = _first_deadline(monitor, state)
    status, since_us = state.status, state.since_us
    looks = [] if deadline is None else [deadline[0]]
    if expected_us is not None and not state.running and status != Status.DOWN:
        if expected_us < now_us:
            status, since_us = Status.LATE, expected_us
        else:
            looks.append(expected_us)
    if state.status == Status.DOWN and not state.running:
        looks.clear()
    # A late ping is judged by its own time, before a pause that has begun since. A view holds
    # to the end of its last moment, and a pause is on from its first.
    looks += [pause.begin_us - 1 for pause in monitor.pauses if now_us < pause.begin_us]
    return View(
        status=status,
        reason=state.reason if status == Status.DOWN else None,
        since_us=since_us,
        is_running=bool(state.running),
        expected_us=expected_us,
        next_look_us=min(looks, default=None),
    )


def _evaluate_paused(monitor: Monitor, state: State, pause: Pause) -> View:
    # Until somebody resumes it, nobody can say when the next run is due.
    expected_us = None
    if pause.end_us is not None and monitor.is_watched:
        expected_us = monitor.expected_after(max(state.covered_us, pause.end_us))
    return View(
        status=Status.PAUSED,
        reason=None,
        since_us=pause.begin_us,
        is_running=bool(state.running),
        expected_us=expected_us,
        next_look_us=pause.end_us,
    )


def _first_deadline(monitor: Monitor, state: State) -> tuple[int, str | None] | None:
    """The next moment at which silence turns into down, and whose: a run's, or None's."""
    if state.running:
        # A run in progress covers the slots that pass.
        return min(_run_deadlines(monitor, state), default=None)
    expected_us = monitor.expected_after(state.covered_us)
    return None if expected_us is None else (expected_us + round(monitor.grace_s * 1e6), None)


def _run_deadlines(monitor: Monitor, state: State) -> Iterator[tuple[int, str]]:
    """When each run in progress hangs; one that never does isn't among them."""
    for run_id, start_us in state.running.items():
        if monitor.max_runtime_s is not None:
            yield start_us + round(monitor.max_runtime_s * 1e6), run_id
            continue
        expected_us = monitor.expected_after(monitor.covered_by_start(start_us))
        if expected_us is not None:
            yield expected_us + round(monitor.grace_s * 1e6), run_id
