"""Findings on a schedule: a silent Beat, entries that are overdue, drift from the workers."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

from radar_cli.celery.findings import Finding, State
from radar_cli.celery.processes import BeatProcess
from radar_cli.celery.schedule.entry import Beat, Entry
from radar_cli.core.grammar import format_duration
from radar_cli.core.shapes import Moment, Seconds

# Beat sends one task a tick: of many that are due at once, the last goes out a bit later.
GRACE_S = 60.0


class EntryFields(TypedDict):
    """An entry of Beat's schedule; `known_since` is of one that was never tried."""

    name: str
    task: str
    schedule: str
    last_attempt_at: Moment | None
    known_since: Moment | None
    total_run_count: int
    enabled: bool
    next_due_at: Moment | None
    overdue_s: Seconds
    queue: str | None
    source: str
    fault: str | None


def judge_schedule(
    entries: Iterable[Entry],
    beats: Iterable[Beat],
    now: datetime,
    *,
    registered: Collection[str] | None = None,
    consumed: Collection[str] | None = None,
    grace_s: float = GRACE_S,
) -> list[Finding]:
    """A finding on each Beat and on each entry.

    `registered` are the tasks that workers know and `consumed` the queues that they take from;
    None: nobody asked them.
    """
    known = list(beats)
    findings = judge_beats(known, now)
    silence = ""
    if known and not any(beat.is_alive(now) for beat in known):
        silence = "Beat is silent"
    for entry in entries:
        findings.append(_judge_entry(entry, now, registered, consumed, grace_s, silence))
    return findings


def judge_processes(beats: Sequence[BeatProcess]) -> list[Finding]:
    """A finding on each app of which more than one Beat runs on this machine."""
    groups: dict[tuple[str, ...], list[BeatProcess]] = {}
    for beat in beats:
        # Of RedBeats one holds the lock, and the others wait for it.
        if "redbeat" not in beat.scheduler.lower():
            groups.setdefault((beat.app, *beat.world), []).append(beat)
    return [
        Finding(
            "schedule",
            f"Beats of {group[0].app or 'one app'}",
            "bad",
            f"{len(group)} run on this machine: processes {', '.join(str(b.pid) for b in group)}",
            "each sends every task, so all run more than once",
            "stop all but one",
            {"pids": [beat.pid for beat in group]},
        )
        for group in groups.values()
        if len(group) > 1
    ]


def judge_vanished(names: Iterable[str]) -> list[Finding]:
    """A finding on each entry that an earlier check saw and that is gone."""
    return [
        Finding(
            *("schedule", name, "bad", "was in the schedule at an earlier check, and is gone"),
            cause="it was removed, or Redis evicted it (maxmemory-policy)",
            hint="put it back; if that is right: radar celery check --forget",
        )
        for name in names
    ]


def judge_beats(beats: Iterable[Beat], now: datetime) -> list[Finding]:
    """A finding on each Beat, and one more if two of them are alive."""
    known = list(beats)
    findings = [_judge_beat(beat, now) for beat in known]
    return findings + judge_several([beat for beat in known if beat.is_alive(now)])


def judge_several(alive: Iterable[Beat]) -> list[Finding]:
    """A finding if more than one Beat is alive."""
    names = [beat.name for beat in alive]
    if len(names) < 2:
        return []
    return [
        Finding(
            "schedule",
            "Beat",
            "bad",
            f"{len(names)} Beats are alive: {', '.join(names)}",
            "each sends every task, so all run more than once",
            "stop all but one",
            {"beats": names},
        )
    ]


def _judge_beat(beat: Beat, now: datetime) -> Finding:
    data: dict[str, Any] = {
        "seen_at": _iso(beat.seen_at),
        "lag_s": beat.lag_s,
        "how": beat.how,
        "silent_s": None if beat.seen_at is None else beat.silent_s(now),
    }
    if beat.seen_at is None:
        hint = "is it running, and on this broker?"
        return Finding("schedule", beat.name, "unknown", beat.fault or "never seen", "", hint, data)
    silent = format_duration(beat.silent_s(now))
    if beat.is_alive(now):
        message = f"last seen {silent} ago, by {beat.how}"
        return Finding("schedule", beat.name, "ok", message, data=data)
    return Finding(
        "schedule",
        beat.name,
        "bad",
        f"silent for {silent}, by {beat.how}",
        f"a living Beat gives a sign every {format_duration(beat.lag_s)} at least",
        "it has ended, hangs, waits for its broker, or keeps its schedule elsewhere",
        data,
    )


def _judge_entry(
    entry: Entry,
    now: datetime,
    registered: Collection[str] | None,
    consumed: Collection[str] | None,
    grace_s: float,
    silence: str,
) -> Finding:
    data = dict[str, Any](describe(entry))

    def found(state: State, message: str, cause: str = "", hint: str = "") -> Finding:
        return Finding("schedule", entry.name, state, message, cause, hint, data)

    if not entry.enabled:
        return found("ok", "disabled")
    if entry.overdue_s > grace_s and entry.next_due is not None:
        cause = silence or "Beat is alive and didn't send it"
        ran = "" if entry.has_run else ", and it never ran"
        overdue = format_duration(entry.overdue_s)
        return found("bad", f"overdue by {overdue}{ran}", cause, "see Beat's log")
    if registered is not None and entry.task not in registered:
        hint = "deploy the workers, or correct the name in the schedule"
        return found(
            "bad", f"no worker knows the task {entry.task}", "a worker that gets it drops it", hint
        )
    if consumed is not None and entry.queue and entry.queue not in consumed:
        hint = f"start a worker with -Q {entry.queue}"
        return found("bad", f"no worker takes from its queue {entry.queue}", "it waits", hint)
    if entry.fault:
        return found("unknown", entry.fault)
    if entry.next_due is None:
        return found("ok", "it is not due again")
    first = "" if entry.has_run else "it never ran yet; "
    if entry.next_due <= now:
        # It fell due after the source's last word.
        return found("ok", f"{first}due at {entry.next_due:%Y-%m-%d %H:%M:%S} UTC")
    return found("ok", f"{first}due in {format_duration((entry.next_due - now).total_seconds())}")


def describe(entry: Entry) -> EntryFields:
    """The entry for programs."""
    return {
        "name": entry.name,
        "task": entry.task,
        "schedule": entry.schedule_words,
        "last_attempt_at": _iso(entry.last_run_at) if entry.has_run else None,
        "known_since": None if entry.has_run else _iso(entry.last_run_at),
        "total_run_count": entry.total_run_count,
        "enabled": entry.enabled,
        "next_due_at": _iso(entry.next_due),
        "overdue_s": entry.overdue_s,
        "queue": entry.queue or None,
        "source": entry.source,
        "fault": entry.fault or None,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")
