"""The tasks that workers have, in each of their states, from their replies. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Those of single tasks; workers also say which they have registered, and which ids are revoked.
STATES = ("active", "reserved", "scheduled")


@dataclass(frozen=True, slots=True)
class Task:
    """A task that a worker holds. `runs_s` is for how long it has run, `eta` when it is due."""

    state: str
    name: str
    id: str
    node: str
    queue: str
    runs_s: float | None
    eta: str
    args: str
    kwargs: str


def read_tasks(replies: Mapping[str, Mapping[str, Any]], now: float) -> list[Task]:
    """All tasks in `replies[state][node]`; what runs comes first, the longest before."""
    tasks = [
        _read(state, node, entry, now)
        for state in STATES
        for node, reply in replies.get(state, {}).items()
        for entry in (reply if isinstance(reply, list) else ())
        if isinstance(entry, dict)
    ]
    order = {state: number for number, state in enumerate(STATES)}
    return sorted(tasks, key=lambda task: (order[task.state], -(task.runs_s or 0), task.eta))


def _read(state: str, node: str, entry: Mapping[str, Any], now: float) -> Task:
    request = entry.get("request", entry)
    started = request.get("time_start")
    delivery = request.get("delivery_info") or {}
    return Task(
        state,
        str(request.get("name") or request.get("type") or ""),
        str(request.get("id") or ""),
        node,
        str(delivery.get("routing_key") or ""),
        max(0.0, now - started) if state == "active" and isinstance(started, float) else None,
        _moment(entry.get("eta")),
        str(request.get("args", "")),
        str(request.get("kwargs", "")),
    )


def _moment(text: Any) -> str:
    """A moment in ISO 8601, to the second; what is none stays as it is."""
    try:
        return datetime.fromisoformat(str(text)).isoformat(timespec="seconds") if text else ""
    except ValueError:
        return str(text)
