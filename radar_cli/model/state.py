"""A monitor's state, made of its pings, and what it says at a given time.

`fold(monitor, pings)` goes through the pings in the order of their events; between two of them
time may make the monitor down (`missed`, `hung`), and each ping may (`failed`) or may bring it up
again. `evaluate(monitor, state, now_us)` lets time pass until now. Both are pure.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any, Iterable, Iterator, NamedTuple

from radar_cli.core.grammar import parse_duration
from radar_cli.model.monitor import Monitor, Pause
from radar_cli.model.ping import Ping

_ENDS_REMEMBERED = 16
_HOSTS_REMEMBERED = 8
_LONGEST_HOST = 100
_HOSTS_MAX = 64
_NOBODY = "?"  # in place of a host that is expected and was never heard of


class Status(StrEnum):
    """The status of a monitor."""

    NEW = "new"
    UP = "up"
    LATE = "late"
    DOWN = "down"
    PAUSED = "paused"


class Reason(StrEnum):
    """The reason of a down."""

    MISSED = "missed"
    FAILED = "failed"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class State:
    """A monitor's state, made of the pings so far. Times are Unix time in microseconds."""

    status: Status = Status.NEW  # new, up or down: late and paused depend on the moment
    reason: Reason | None = None
    since_us: int = 0
    covered_us: int = 0  # the runs so far cover what was due up to here
    failures: int = 0  # in a row
    failed_start_us: int = 0  # when the newest run that failed had begun
    succeeded_start_us: int = 0  # and the newest that succeeded
    running: dict[str, int] = field(default_factory=dict)  # run id to start, in order
    extended: dict[str, int] = field(
        default_factory=dict
    )  # run id to when it hangs at the earliest
    # Hosts, apart by spaces, that ended runs of the newest slot and of the one before it, and
    # those of them that do so again and again.
    slot: int = 0
    slot_hosts: str = ""
    hosts_before: str = ""
    rivals: str = ""
    # Where several machines are to serve the slots: what each has made of it, by its name.
    by_host: "dict[str, State]" = field(default_factory=dict)
    # The newest runs whose end is known and whose start isn't, with the time of the end: where a
    # clock was set back, a run's start may be dated after its end.
    ended: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """A monitor's view at one moment, and when it has to be looked at again."""

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
    if not monitor.counts_hosts:
        return _advance(monitor, state, now_us)
    hosts = _hosts_of(state)
    advanced = {host: _advance(monitor, own, now_us) for host, own in hosts.items()}
    return state if advanced == hosts else _join(monitor, state, advanced)


def _advance(monitor: Monitor, state: State, now_us: int) -> State:
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
    while (deadline := _first_deadline(monitor, state)) is not None and deadline.at_us < now_us:
        since_us, run_id = deadline.since_us, deadline.run_id
        if run_id is None:
            state = replace(state, status=Status.DOWN, reason=Reason.MISSED, since_us=since_us)
            continue
        start_us = state.running[run_id]
        state = _without(state, run_id)
        # Where a later run has gone well, this one went down with its machine, long ago.
        if state.status != Status.DOWN and start_us >= state.succeeded_start_us:
            state = replace(state, status=Status.DOWN, reason=Reason.HUNG, since_us=since_us)
    return state


def _resume(monitor: Monitor, state: State, begin_us: int, end_us: int) -> State:
    """The state after a pause: its time is covered, and no run hung in it.

    A run whose end was due meanwhile may have gone down with the machine that was worked on.
    """
    for deadline in list(_run_deadlines(monitor, state)):
        if deadline.run_id is not None and begin_us <= deadline.at_us < end_us:
            state = _without(state, deadline.run_id)
    return replace(state, covered_us=max(state.covered_us, end_us))


def _without(state: State, run_id: str) -> State:
    return replace(
        state,
        running={known: start for known, start in state.running.items() if known != run_id},
        extended={known: until for known, until in state.extended.items() if known != run_id},
    )


def apply(monitor: Monitor, state: State, ping: Ping) -> State:
    """Apply a ping to a state in which its time has come."""
    if not monitor.counts_hosts:
        return _apply(monitor, state, ping)
    hosts = _hosts_of(state)
    # An end need not name the host that its start did.
    running = (host for host, own in hosts.items() if ping.run_id in own.running)
    host = "_".join(ping.fields.get("host", "").split())[:_LONGEST_HOST] or next(running, "")
    if host not in hosts and ping.kind == "log":
        return state
    # What fell due before a host was first heard of is no fault of its own.
    new = State(since_us=state.since_us, covered_us=ping.time_us - 1)
    if isinstance(monitor.hosts, int) and len(hosts.keys() - {_NOBODY}) < monitor.hosts:
        # But if it takes the place of one that was missed, it has to go well first.
        nobody = hosts.get(_NOBODY, new)
        new = replace(new, status=nobody.status, reason=nobody.reason, since_us=nobody.since_us)
    hosts = {**hosts, host: _apply(monitor, hosts.get(host, new), ping)}
    if len(hosts) > _HOSTS_MAX:
        # So many are names of containers: of those the oldest is gone.
        del hosts[min(hosts, key=lambda name: hosts[name].covered_us)]
    return _join(monitor, state, hosts)


def _apply(monitor: Monitor, state: State, ping: Ping) -> State:
    if ping.kind == "log":
        return _extend(state, ping)
    time_us = ping.time_us
    running = dict(state.running)
    if ping.kind == "start":
        ended = dict(state.ended)
        if ended.pop(ping.run_id, None) is None:
            running[ping.run_id] = time_us
        covered_us = max(state.covered_us, monitor.covered_by_start(time_us))
        return replace(state, running=running, ended=ended, covered_us=covered_us)
    start_us = running.pop(ping.run_id, None)
    # One `replace` an outcome: every ping comes along here.
    changes: dict[str, Any] = {}
    if start_us is None:
        # An end without a start counts as its beginning, too.
        start_us = time_us
        covered_us = max(state.covered_us, monitor.covered_by_start(time_us))
        if ping.run_id:
            ended = {**state.ended, ping.run_id: time_us}
            changes["ended"] = dict(list(ended.items())[-_ENDS_REMEMBERED:])
    else:
        covered_us = max(state.covered_us, monitor.covered_by_run(start_us, time_us))
    if not monitor.is_watched and monitor.max_runtime_s is None:
        # Nothing tells when an older run without an end has hung: it doesn't go on for ever.
        running = {run_id: began for run_id, began in running.items() if began > start_us}
    extended = state.extended
    if extended:
        extended = {run_id: until for run_id, until in extended.items() if run_id in running}
    if monitor.hosts != "any" and (host := ping.fields.get("host")):
        changes |= _note_host(monitor, state, start_us, host)
    if extended is not state.extended:
        changes["extended"] = extended
    changed = partial(replace, state, running=running, covered_us=covered_us, **changes)
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


def _extend(state: State, ping: Ping) -> State:
    """Give the run that a log ping is of, or else the newest, more time from then on."""
    extension_us = round(extension_s(ping) * 1e6)
    if not extension_us or not state.running:
        return state
    run_id = ping.run_id
    if not run_id and run_id not in state.running:
        run_id = max(state.running, key=lambda known: state.running[known])
    if run_id not in state.running:
        return state
    until_us = max(ping.time_us + extension_us, state.extended.get(run_id, 0))
    return replace(state, extended={**state.extended, run_id: until_us})


def _note_host(monitor: Monitor, state: State, start_us: int, host: str) -> dict[str, Any]:
    """Return what changes by noting which host ended a run of a slot.

    Two that do so twice in a row serve the same slots. A name that is seen once, as that of a
    container, is nobody's rival.
    """
    slot = monitor.slot_of(start_us)
    if slot is None or slot < state.slot:
        return {}
    host = "_".join(host.split())[:_LONGEST_HOST]
    before, hosts, rivals = state.hosts_before, state.slot_hosts.split(), state.rivals
    if slot > state.slot:
        if rivals and len(set(hosts) & set(rivals.split())) < 2:
            rivals = ""
        before, hosts = state.slot_hosts, []
    if host in hosts and slot == state.slot:
        return {}
    hosts = [*hosts, host][:_HOSTS_REMEMBERED]
    both = sorted(set(hosts) & set(before.split()))
    if len(both) > 1:
        rivals = " ".join(both)
    return {
        "slot": slot,
        "slot_hosts": " ".join(hosts),
        "hosts_before": before,
        "rivals": rivals,
    }


def extension_s(ping: Ping) -> float:
    """Return for how long a log ping says that its run may go on; 0 for what isn't one."""
    try:
        return parse_duration(ping.fields.get("extend") or "0")
    except ValueError:
        return 0.0


def _hosts_of(state: State) -> "dict[str, State]":
    """The states of hosts, at first that of one of which nothing was ever heard."""
    nobody = State(since_us=state.since_us, covered_us=state.covered_us)
    return state.by_host or {_NOBODY: nobody}


def _join(monitor: Monitor, state: State, hosts: "dict[str, State]") -> State:
    """Make one state of those of all hosts.

    With `each` it is down if one of them is; with a number, if fewer than so many are not.
    """
    expected = _expected_hosts(monitor, hosts)
    down = [own for own in expected if own.status == Status.DOWN]
    if isinstance(monitor.hosts, int):
        is_down = len(expected) - len(down) < monitor.hosts
    else:
        # That a host fails is news even if it was never heard of before.
        down += [
            own
            for host, own in hosts.items()
            if host != _NOBODY and own.reason == Reason.FAILED and own not in down
        ]
        is_down = bool(down)
    running = {run_id: at_us for own in hosts.values() for run_id, at_us in own.running.items()}
    covered_us = min(own.covered_us for own in expected if own not in down or is_down)
    joined = replace(state, by_host=hosts, running=running, covered_us=covered_us)
    if is_down:
        if state.status == Status.DOWN:
            return joined
        # The last one to go makes it down; those before it were within the number.
        last = max(down, key=lambda own: own.since_us)
        return replace(joined, status=Status.DOWN, reason=last.reason, since_us=last.since_us)
    status = Status.UP if any(own.status == Status.UP for own in hosts.values()) else Status.NEW
    if status == state.status:
        return joined
    since_us = max(own.since_us for own in hosts.values() if own.status != Status.DOWN)
    return replace(joined, status=status, reason=None, since_us=since_us)


def _expected_hosts(monitor: Monitor, hosts: "dict[str, State]") -> "list[State]":
    """The states of those hosts whose silence counts.

    With `each` those that have served two slots, since a name that is seen once is a container's;
    with a number all, and so many of which nothing was ever heard.
    """
    known = [own for host, own in hosts.items() if host != _NOBODY]
    nobody = hosts.get(_NOBODY, State())
    if isinstance(monitor.hosts, int):
        return known + [nobody] * (monitor.hosts - len(known))
    settled = [own for own in known if own.hosts_before]
    return settled or known or [nobody]


def _is_covering(state: State) -> bool:
    """Whether a run in progress covers the slots that pass.

    One that began before a later one went well does not: it may have gone down with its machine.
    """
    return any(start_us >= state.succeeded_start_us for start_us in state.running.values())


def evaluate(monitor: Monitor, state: State, now_us: int) -> View:
    """Return the monitor's view at `now_us`, which is no earlier than its newest ping."""
    state = advance(monitor, state, now_us)
    if (pause := monitor.pause_at(now_us)) is not None:
        return _evaluate_paused(monitor, state, pause)
    expected_us = monitor.expected_after(state.covered_us) if monitor.is_watched else None
    status, since_us = state.status, state.since_us
    looks = []
    for own in _expected_hosts(monitor, _hosts_of(state)) if monitor.counts_hosts else [state]:
        if (deadline := _first_deadline(monitor, own)) is not None:
            looks.append(deadline.at_us)
        if not monitor.is_watched or own.status == Status.DOWN or _is_covering(own):
            continue
        if (due_us := monitor.expected_after(own.covered_us)) is None:
            continue
        if due_us >= now_us:
            looks.append(due_us)
        elif status != Status.DOWN:
            status, since_us = (
                Status.LATE,
                min(due_us, since_us) if status == Status.LATE else due_us,
            )
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


class _Deadline(NamedTuple):
    """A moment at which silence turns into down; `run_id` is None for a run that hasn't begun."""

    at_us: int  # when it is judged
    since_us: int  # since when it will have been so: earlier, if that fell into an outage
    run_id: str | None


def _first_deadline(monitor: Monitor, state: State) -> _Deadline | None:
    """Return the next deadline; None if nothing is expected."""
    deadlines = list(_run_deadlines(monitor, state)) if state.running else []
    if state.status != Status.DOWN and not _is_covering(state):
        expected_us = monitor.expected_after(state.covered_us)
        if expected_us is not None:
            deadlines.append(_first_missed(monitor, expected_us))
    return min(deadlines, key=lambda deadline: deadline[:2], default=None)


def _first_missed(monitor: Monitor, expected_us: int) -> _Deadline:
    """Return the deadline that is judged first of those of a slot and of the slots after it.

    Where the first one has been moved, a later one that lies after the outage may come before it.
    """
    grace_us = round(monitor.grace_s * 1e6)
    since_us = expected_us + grace_us
    first = _Deadline(monitor.judged_us(since_us), since_us, None)
    while monitor.schedule is not None and (outage := monitor.outage_at(since_us)) is not None:
        slot_us = monitor.schedule.next_us(outage.end_us - grace_us - 1)
        if slot_us is None or (since_us := slot_us + grace_us) >= first.at_us:
            break
        first = min(first, _Deadline(monitor.judged_us(since_us), since_us, None))
    return first


def _run_deadlines(monitor: Monitor, state: State) -> Iterator[_Deadline]:
    """Yield when each run in progress hangs; one that never does isn't among them."""
    for run_id, start_us in state.running.items():
        if monitor.max_runtime_s is not None:
            since_us = start_us + round(monitor.max_runtime_s * 1e6)
        else:
            expected_us = monitor.expected_after(monitor.covered_by_start(start_us))
            if expected_us is None:
                continue
            since_us = expected_us + round(monitor.grace_s * 1e6)
        since_us = max(since_us, state.extended.get(run_id, 0))
        yield _Deadline(monitor.judged_us(since_us), since_us, run_id)
