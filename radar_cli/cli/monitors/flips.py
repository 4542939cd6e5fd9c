"""`radar monitors history --flips`: when a monitor went down, and when it was up again."""

from typing import Any

from radar_cli.api.wire import iso
from radar_cli.cli.monitors.described import find_monitors
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session
from radar_cli.cli.render import Cell, Result, Table
from radar_cli.cli.status import STYLES
from radar_cli.core.grammar import format_duration
from radar_cli.monitors.sentences import local_time
from radar_cli.store.flips import Flip


def list_flips(session: Session, key: str, limit: int) -> Result:
    """The changes of a monitor's status, the newest first."""
    with open_monitors(session) as opened:
        store, now_us = opened.store, opened.now_us()
        find_monitors(store, [key])
        store.judge(now_us)
        flips = store.flips(key, limit)
    data, rows = [], []
    until_us = now_us
    for flip in flips:
        lasted_s = max(0.0, (until_us - flip.time_us) / 1e6)
        data.append(_describe(flip, lasted_s))
        rows.append(_for_people(flip, lasted_s) if session.format == "table" else _row(data[-1]))
        until_us = flip.time_us
    columns = ("since", "status", "reason", "for", "before", "noticed")
    return Result(data, Table(columns, rows, "its status never changed"), notes=tuple(opened.notes))


def _describe(flip: Flip, lasted_s: float) -> dict[str, Any]:
    return {
        "since": iso(flip.time_us),
        "status": flip.status,
        "reason": flip.reason or None,
        "lasted_s": lasted_s,
        "previous": flip.previous,
        "noticed_at": iso(flip.noticed_us),
    }


def _row(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.values())


def _for_people(flip: Flip, lasted_s: float) -> tuple[Any, ...]:
    noticed = local_time(flip.noticed_us)
    return (
        local_time(flip.time_us),
        Cell(flip.status, STYLES[flip.status]),
        flip.reason,
        format_duration(lasted_s),
        flip.previous,
        "" if noticed == local_time(flip.time_us) else noticed,
    )
