"""`radar monitors list`: what is expected of each job."""

from typing import Any

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.choosing import Choice, monitors_argument
from radar_cli.cli.monitors.described import find_monitors, local_moment
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table
from radar_cli.cli.status import STYLES
from radar_cli.client.wire import MonitorFields, describe_monitor
from radar_cli.core.grammar import format_duration
from radar_cli.model.state import Status

_COLUMNS = (
    *("monitor", "name", "schedule", "tz", "grace", "max runtime"),
    *("tolerance", "tags", "status", "paused until"),
)


@click.command(name="list")
@monitors_argument(required=False)
@click.option(
    "--status",
    "statuses",
    type=click.Choice([str(status) for status in Status]),
    multiple=True,
    help="Only those that are in this status.",
)
@list_options
@answers(list[MonitorFields])
@pass_session
def list_monitors(session: Session, choice: Choice, statuses: tuple[str, ...]) -> Result:
    """Print what each monitor is declared as, or those named by keys, globs or tags.

    With several --tag those that have all of them, with several --status those in any of them.
    """
    with open_monitors(session) as opened:
        store, notes, now_us = opened.store, opened.notes, opened.now_us()
        store.monitors.judge(now_us)
        data = [
            describe_monitor(known, known.view_at(now_us), now_us)
            for known in find_monitors(store, choice)
        ]
        is_empty = not data
        if is_empty:
            notes = [*notes, *opened.find_server_database()]
    data = [entry for entry in data if not statuses or entry["status"] in statuses]
    rows = [_row(entry) for entry in data]
    hint = "no monitors yet: try 'radar run hello -- echo hello'"
    table = Table(
        _COLUMNS,
        rows,
        hint if is_empty else "no monitor is like that",
        least=(
            "paused until",
            "tz",
            "tolerance",
            "max runtime",
            "grace",
            "tags",
            "name",
            "schedule",
        ),
        whole=("monitor", "status"),
    )
    return Result(data, table, notes=tuple(notes))


def _row(entry: MonitorFields) -> tuple[Any, ...]:
    schedule = entry["schedule"] or ""
    if entry["every_s"] is not None:
        schedule = f"every {format_duration(entry['every_s'])}"
    runtime_s, until = entry["max_runtime_s"], entry["paused_until"]
    status = entry["status"] + (f" ({entry['reason']})" if entry["reason"] else "")
    return (
        entry["key"],
        entry["name"],
        schedule or Cell("unwatched", "yellow"),
        entry["tz"] if entry["schedule"] else "",
        format_duration(entry["grace_s"]),
        "" if runtime_s is None else format_duration(runtime_s),
        entry["failure_tolerance"] or "",
        ", ".join(entry["tags"]),
        Cell(status, STYLES[entry["status"]]),
        "" if until is None else local_moment(until),
    )
