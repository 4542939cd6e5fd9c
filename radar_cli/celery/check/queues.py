"""Judging queues: consumed, within bounds, moving; with the workers' share in the cause. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from radar_cli.celery.check.expected import Expected
from radar_cli.celery.check.seen import Look, SeenQueue, Unacked
from radar_cli.celery.check.workers import find_untouched_queue, is_full
from radar_cli.celery.findings import Finding, State
from radar_cli.celery.forecast import Flow, drains_in_s, flow, waits_s
from radar_cli.core.grammar import format_duration


def judge_queues(
    looks: Sequence[Look],
    expected: Expected,
    waited_s: Mapping[str, float],
    missed: Mapping[str, float] | None = None,
) -> list[Finding]:
    """One finding for each queue, and one for what is fetched and not acknowledged.

    `waited_s` is how long the same message is known to be the next of its queue: a lower bound.
    `missed` are queues that were consumed at an earlier look (Unix time) and aren't any more.
    """
    last = looks[-1]
    findings = [
        _judge_queue(queue, looks, expected, waited_s.get(queue.name))
        for queue in last.queues.values()
        if queue.name in expected.queues
        or queue.depth
        or last.consumers_of(queue.name)
        or queue.consumers
        or (queue.fault and queue.fault != "missing")
    ]
    bad = {finding.subject for finding in findings if finding.state == "bad"}
    for name, at in (missed or {}).items():
        if name not in bad:
            findings = [finding for finding in findings if finding.subject != name]
            findings.append(_judge_missed(name, at))
    if last.unacked is not None and last.unacked.count:
        findings.append(_judge_unacked(last.unacked, looks, expected))
    return findings


def _judge_missed(name: str, at: float) -> Finding:
    seen = datetime.fromtimestamp(at, UTC)
    return Finding(
        *("queues", name, "bad", "nobody consumes it any more"),
        cause=f"a worker did at {seen:%Y-%m-%d %H:%M:%S} UTC",
        hint=f"celery -A APP worker -Q {name}; if that is right: radar celery check --forget",
        data={"last_consumed": seen.isoformat()},
    )


def _judge_queue(
    queue: SeenQueue, looks: Sequence[Look], expected: Expected, waited_s: float | None
) -> Finding:
    last = looks[-1]
    if queue.fault == "missing":
        return Finding(
            *("queues", queue.name, "bad", "there is no such queue"),
            cause="no worker or publisher has declared it, or its name is different",
            hint="check --queue, and the workers' -Q",
        )
    seen_flow = find_flow(queue.name, looks)
    depth = queue.depth or 0
    drains_s, wait_s = drains_in_s(depth, seen_flow), waits_s(depth, seen_flow)
    if depth == 0:
        waited_s = 0.0
    data: dict[str, Any] = {
        "depth": queue.depth,
        "by_priority": {str(priority): n for priority, n in sorted(queue.by_priority.items())},
        "unacked": None if last.unacked is None else last.unacked.by_queue.get(queue.name, 0),
        "prefetched": _count_prefetched(queue.name, last),
        "consumers": count_consumers(queue, last),
        "waited_s": waited_s,
        "expected_wait_s": wait_s,
        "drains_in_s": drains_s,
    }
    message = _describe(queue, last, waited_s, seen_flow, drains_s)

    def find(state: State, cause: str = "", hint: str = "") -> Finding:
        return Finding("queues", queue.name, state, message, cause, hint, data)

    if queue.fault:
        return find("bad", f"Redis can't read it: {queue.fault}", f"see: TYPE {queue.name}")
    if queue.unread:
        which = ", ".join(map(str, sorted(queue.unread)))
        return find(
            "bad",
            f"priority {which} isn't in the workers' priority_steps: nobody takes it from there",
            "set the same priority_steps for publishers and workers, and move the messages",
        )
    why, is_proven = why_nobody_takes(queue, looks)
    if why and (depth or queue.name in expected.queues):
        return find("bad" if is_proven else "unknown", why, f"celery -A APP worker -Q {queue.name}")
    # What workers have fetched and not begun waits as well.
    waiting = depth + _count_prefetched(queue.name, last)
    if expected.max_depth is not None and waiting > expected.max_depth:
        return find("bad", *_why_slow(queue.name, looks, seen_flow))
    if expected.max_wait_s is not None and depth:
        longest_s = max(waited_s or 0.0, wait_s or 0.0)
        if longest_s > expected.max_wait_s:
            return find("bad", *_why_slow(queue.name, looks, seen_flow))
        if wait_s is None:
            return find(
                *("unknown", "nothing tells how long messages wait"),
                "radar celery canary measures it; a later check remembers what it saw",
            )
    busy = _why_slow(queue.name, looks, seen_flow)[0] if depth else ""
    return find("ok", busy)


def count_consumers(queue: SeenQueue, last: Look) -> int | None:
    """Count the consumers of a queue; None if silent workers may be among them."""
    if queue.consumers is not None:
        return queue.consumers
    known = len(last.consumers_of(queue.name))
    return known if known or (last.heard is not None and not last.silent) else None


def why_nobody_takes(queue: SeenQueue, looks: Sequence[Look]) -> tuple[str, bool]:
    """Explain why nobody takes messages from a queue, and whether that is proven; else empty."""
    last = looks[-1]
    workers = last.consumers_of(queue.name)
    consumers = count_consumers(queue, last)
    if consumers == 0:
        if workers:
            names = ", ".join(sorted(worker.node for worker in workers))
            return f"{names} says it consumes it, and the broker knows of no consumer", True
        return ("no worker is connected" if last.heard == 0 else "it has no consumer"), True
    if workers and all(find_untouched_queue(w, looks) == queue.name for w in workers):
        names = ", ".join(sorted(worker.node for worker in workers))
        return f"its consumers answer and take nothing: {names}", not last.silent
    if not workers and last.silent:
        return f"of its consumers none answers ({last.silent} silent)", False
    return "", False


def _why_slow(name: str, looks: Sequence[Look], seen_flow: Flow | None) -> tuple[str, str]:
    """Cause and hint of a queue that is consumed and full."""
    workers = looks[-1].consumers_of(name)
    if workers and all(is_full(worker) for worker in workers):
        tasks = sorted({task.name for worker in workers for task in worker.active})
        return (
            f"the pools of its workers are full of running tasks ({', '.join(tasks[:3])})",
            "more workers or slots; time limits; a queue of their own for long tasks",
        )
    if seen_flow is not None and seen_flow.growth > 0:
        return "more arrives than is done", "more workers, or fewer messages"
    return "", "more workers, or wait"


def _count_prefetched(name: str, last: Look) -> int:
    return sum(worker.prefetched.get(name, 0) for worker in last.workers.values())


def _find_orphans(looks: Sequence[Look]) -> dict[str, float]:
    """Return what nobody that answers holds, in each look: in one alone it may be on its way."""
    found = [dict(look.unacked.orphans) for look in looks if look.unacked is not None]
    return {number: at for number, at in found[-1].items() if all(number in each for each in found)}


def _judge_unacked(unacked: Unacked, looks: Sequence[Look], expected: Expected) -> Finding:
    last = looks[-1]
    age_s = unacked.oldest_age_s
    age = f", the oldest for {format_duration(age_s)}" if age_s is not None else ""
    message = f"{unacked.count} fetched and not acknowledged{age}"
    data: dict[str, Any] = {
        "unacked": unacked.count,
        "oldest_age_s": age_s,
        "by_queue": dict(unacked.by_queue),
        "visibility_timeout_s": expected.visibility_timeout_s,
    }
    limit = format_duration(expected.visibility_timeout_s)
    orphans = _find_orphans(looks)
    if orphans:
        first = datetime.fromtimestamp(min(orphans.values()) + expected.visibility_timeout_s, UTC)
        back = f"{first:%Y-%m-%d %H:%M:%S} UTC"
        data |= {"orphans": len(orphans), "back_at": first.isoformat()}
        if last.heard != 0:
            message += f"; of them {len(orphans)} by nobody that answers"
        if last.silent:
            cause = "a silent worker has them, or one that is gone"
            return Finding("queues", "unacked", "unknown", message, cause, "", data)
        cause = (
            f"their workers are gone; they come back from {back} on (visibility_timeout {limit})"
        )
        hint = "a living worker restores them then; a shorter visibility_timeout does so sooner"
        if last.heard == 0:
            hint = "start a worker: it restores them when their time has come"
        return Finding("queues", "unacked", "bad", message, cause, hint, data)
    if last.heard == 0:
        cause = f"their workers are gone; they come back after visibility_timeout ({limit})"
        hint = "start a worker: it restores them when their time has come"
        return Finding("queues", "unacked", "bad", message, cause, hint, data)
    if age_s is not None and age_s > expected.visibility_timeout_s:
        cause = f"older than visibility_timeout ({limit}): they are delivered, and run, again"
        hint = "a visibility_timeout above the longest task, rate limit and ETA"
        return Finding("queues", "unacked", "bad", message, cause, hint, data)
    return Finding("queues", "unacked", "ok", message, data=data)


def find_flow(name: str, looks: Sequence[Look]) -> Flow | None:
    """Return how a queue grows and is worked off between the first and the last of these looks."""
    depths = [
        (look.at, queue.depth)
        for look in looks
        if (queue := look.queues.get(name)) is not None and queue.depth is not None
    ]
    nodes = {worker.node for worker in looks[-1].consumers_of(name)}
    totals = [
        (look.at, sum(look.workers[node].total for node in nodes))
        for look in looks
        if nodes and nodes <= set(look.workers)
    ]
    return flow(depths, totals)


def _describe(
    queue: SeenQueue,
    last: Look,
    waited_s: float | None,
    seen_flow: Flow | None,
    drains_s: float | None,
) -> str:
    if queue.depth is None:
        return "its depth can't be read"
    words = [f"{queue.depth} waiting"]
    split = {priority: n for priority, n in queue.by_priority.items() if priority}
    if split:
        parts = (f"{n} of priority {priority}" for priority, n in sorted(split.items()))
        words[0] += f" ({', '.join(parts)})"
    if last.unacked is not None and (fetched := last.unacked.by_queue.get(queue.name)):
        words.append(f"{fetched} fetched")
    elif prefetched := _count_prefetched(queue.name, last):
        words.append(f"{prefetched} fetched")
    consumers = count_consumers(queue, last)
    if consumers is not None:
        words.append(f"{consumers or 'no'} consumer{'' if consumers == 1 else 's'}")
    if waited_s:
        words.append(f"the next for at least {format_duration(waited_s)}")
    if queue.depth and seen_flow is not None:
        if drains_s is not None:
            words.append(f"empty in about {format_duration(drains_s)}")
        elif seen_flow.growth > 0:
            words.append(f"growing by {seen_flow.growth:.1f}/s")
    return ", ".join(words)
