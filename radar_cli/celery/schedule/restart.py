"""A schedule right after Beat was started, when what fell due before looks overdue.

Beat writes when it starts, and again once it has sent the first entry; what it sends right after
that is written 3 minutes later. Until then the others look as overdue as they were.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from radar_cli.celery.processes import BeatProcess, keeps
from radar_cli.celery.schedule.entry import Beat, Entry

# How long after its process Beat begins to send, at the worst: an app takes time to import.
_STARTING = timedelta(minutes=2)
_SYNC_EVERY = timedelta(seconds=180)
_JUST_SENT = timedelta(seconds=10)
_SHORTEST_LAG_S = 300.0


def excuse_restart(
    entries: Sequence[Entry],
    beats: Sequence[Beat],
    now: datetime,
    *,
    started_at: datetime | None = None,
    changed_before: datetime | None = None,
    grace_s: float = 60.0,
) -> list[Entry]:
    """Return the entries, of which none is overdue that a Beat just started will have sent.

    `started_at` is when its process was, if that is known; `changed_before` is when its schedule
    was written before, as an earlier check saw it. Where neither is known and all looks like a
    restart, whether an entry is overdue can't be told.
    """
    found = list(entries)
    if len(beats) != 1 or beats[0].seen_at is None or not beats[0].is_alive(now):
        return found
    beat, synced = beats[0], beats[0].seen_at
    if beat.lag_s < _SHORTEST_LAG_S:
        return found  # a source that is written at once
    is_restart = started_at is not None and synced - started_at < _STARTING
    if changed_before is not None and (synced - changed_before).total_seconds() > beat.lag_s:
        is_restart = True
    if is_restart:
        return [replace(each, overdue_s=0.0) for each in found]
    if started_at is not None or not _looks_restarted(found, synced, grace_s):
        return found
    until = synced + _SYNC_EVERY
    fault = f"overdue unless Beat has just been started: look again after {until:%H:%M:%S} UTC"
    return [
        replace(each, overdue_s=0.0, fault=fault) if each.overdue_s > grace_s else each
        for each in found
    ]


def started_at(path: str, processes: Sequence[BeatProcess]) -> datetime | None:
    """Return when the Beat of a schedule's file was started, if it runs on this machine."""
    found = [each.started_at for each in processes if keeps(path, each)]
    return datetime.fromtimestamp(max(found), UTC) if found else None


def _looks_restarted(entries: Sequence[Entry], synced: datetime, grace_s: float) -> bool:
    """Whether one entry has just been sent, and all others that were due are overdue."""
    live = [each for each in entries if each.enabled and each.next_due is not None]
    overdue = [each for each in live if each.overdue_s > grace_s]
    sent = [
        each
        for each in live
        if each.has_run and each.last_run_at is not None and each not in overdue
    ]
    recent = (
        [
            each.last_run_at
            for each in sent
            if each.last_run_at is not None
            and (synced - each.last_run_at).total_seconds()
            < max(each.overdue_s for each in overdue)
        ]
        if overdue
        else []
    )
    return len(overdue) > 1 and len(recent) == 1 and abs(synced - recent[0]) < _JUST_SENT
