"""A monitor in words for people and in fields for programs."""

from datetime import datetime
from typing import Any, Sequence

from radar_cli.cli.status import iso
from radar_cli.monitors.sentences import local_time
from radar_cli.monitors.state import Status, View
from radar_cli.store.judged import Judged
from radar_cli.store.managing import UnknownMonitorError
from radar_cli.store.store import Store


def find_monitors(store: Store, keys: Sequence[str]) -> list[Judged]:
    """The monitors with these keys, each once. UnknownMonitorError: one isn't there."""
    return [_find(store, key) for key in dict.fromkeys(keys)]


def _find(store: Store, key: str) -> Judged:
    # SQLite doesn't even look for bytes that are no UTF-8.
    known = store.find(key) if key.isascii() else None
    if known is not None:
        return known
    from radar_cli.config.layers import closest

    # A key of 10,000 characters is nobody's slip of the finger, and takes long to compare.
    close = closest(key, store.keys()) if len(key) <= 200 else ""
    hint = f"did you mean {close!r}?" if close else "see 'radar monitors list'"
    shown = key if len(key) <= 60 else key[:57] + "..."
    raise UnknownMonitorError(f"no monitor {shown!r}", hint)


def describe_monitor(known: Judged, view: View, now_us: int) -> dict[str, Any]:
    """What is declared and what it says, for programs: ISO 8601 in UTC, durations in seconds."""
    monitor, declared = known.monitor, known.declared
    pause = monitor.pause_at(now_us)
    return {
        "key": known.key,
        "name": monitor.name,
        "schedule": declared.get("schedule"),
        "every_s": monitor.every_s,
        "tz": declared.get("tz"),
        "grace_s": monitor.grace_s,
        "max_runtime_s": monitor.max_runtime_s,
        "failure_tolerance": monitor.failure_tolerance,
        "tags": list(monitor.tags),
        "status": str(view.status),
        "reason": None if view.reason is None else str(view.reason),
        "since": iso(view.since_us),
        "running": view.is_running,
        "expected_at": iso(view.expected_us),
        "paused": view.status == Status.PAUSED,
        "paused_until": iso(pause.end_us) if pause is not None else None,
        "created_at": iso(known.created_us),
        "faults": list(monitor.faults),
    }


def local_moment(text: str) -> str:
    """The same of a time in ISO 8601."""
    return local_time(round(datetime.fromisoformat(text).timestamp() * 1e6))
