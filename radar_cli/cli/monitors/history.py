"""`radar monitors history|output`: the runs of a monitor, and what they said."""

import sys
from typing import Any, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.monitors.described import find_monitors
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, complain, is_terminal
from radar_cli.cli.status import STYLES
from radar_cli.client.wire import (
    HUNG,
    RUNNING,
    ReasonWord,
    RunFields,
    RunSummaryFields,
    StatusWord,
    encode_run,
    iso,
    summarize_run,
)
from radar_cli.core import exits
from radar_cli.core.errors import UsageError
from radar_cli.core.grammar import format_duration
from radar_cli.core.shapes import Moment, Seconds
from radar_cli.core.text import lines
from radar_cli.model.flip import Flip
from radar_cli.model.port import MonitorStore
from radar_cli.model.run import Run
from radar_cli.model.sentences import exit_in_words, local_time, origin_in_words, size_in_words

_COLUMNS = (
    *("started", "took", "outcome", "exit", "reason"),
    *("cpu", "memory", "tries", "host", "from", "run"),
)
_STYLES = {"success": "green", "fail": "bold red", HUNG: "bold red", RUNNING: "cyan"}
# The end of a run's id is its random part, and enough for people to name it.
_SHORT_ID = 8


class FlipFields(TypedDict):
    """A change of a monitor's status; `lasted_s` is how long it lasted, or has by now."""

    since: Moment | None
    status: StatusWord
    reason: ReasonWord | None
    lasted_s: Seconds
    previous: StatusWord
    noticed_at: Moment | None


@click.command(name="history")
@click.argument("key", metavar="MONITOR")
@click.option("--limit", metavar="N", default=20, show_default=True, help="How many of them.")
@click.option("--flips", "is_of_flips", is_flag=True, help="Print when it went up and down.")
@list_options
@answers(list[RunSummaryFields] | list[FlipFields])
@pass_session
def list_runs(session: Session, key: str, limit: int, is_of_flips: bool) -> Result:
    """Print the last runs of a monitor, the newest first, or its changes of status."""
    if limit < 1:
        raise UsageError(f"bad number of runs {limit}", "at least 1")
    if is_of_flips:
        return list_flips(session, key, limit)
    with open_monitors(session) as opened:
        store, notes = opened.store, opened.notes
        find_monitors(store, [key])
        store.judge(opened.now_us())
        (known,) = find_monitors(store, [key])
        runs = store.runs(key, limit)[::-1]
    data = [summarize_run(run, known.state.running) for run in runs]
    rows = [_row(run, entry["outcome"]) for run, entry in zip(runs, data, strict=True)]
    table = Table(_COLUMNS, rows, "no runs yet")
    return Result(data, table, notes=tuple(notes), shape=RunSummaryFields)


@click.command(name="output")
@click.argument("key", metavar="MONITOR")
@click.option("--run", "run_id", metavar="ID", help="Of this run; the end of its id is enough.")
@common_options
@answers(RunFields | None)
@pass_session
def print_output(session: Session, key: str, run_id: str | None) -> Result | int:
    """Print the output of a monitor's last run that ended, or of another run.

    Into a pipe or a file it goes as the job wrote it, byte for byte. Exits with 1 if there is no
    such run.
    """
    with open_monitors(session) as opened:
        store, notes = opened.store, opened.notes
        (known,) = find_monitors(store, [key])
        run = _find_run(store, key, run_id)
    if run is None:
        words = f"no run of {key} has ended yet" if run_id is None else f"no run {run_id[:60]!r}"
        return Result(None, notes=(*notes, words), exit_code=exits.BAD)
    if run.omitted_bytes:
        notes.append(f"{run.omitted_bytes} bytes before this were not kept")
    if not run.output:
        notes.append("it has no output" + (" yet" if run.is_running else ""))
    if session.format == "json" or is_terminal(sys.stdout):
        # expandtabs counts its columns from a carriage return, too.
        text = "\n".join(lines(run.output.decode("utf-8", "replace").expandtabs()))
        return Result(encode_run(run, known.state.running), text=text, notes=tuple(notes))
    for note in notes:
        complain(note)
    if sys.stdout is not None:
        sys.stdout.flush()
        sys.stdout.buffer.write(run.output)
    return exits.OK


def _find_run(store: MonitorStore, key: str, run_id: str | None) -> Run | None:
    """The newest run that ended, or the one whose id ends like this. UsageError: several do."""
    # "" is the end of every id.
    found = [] if run_id == "" else store.find_runs(key, run_id)
    if run_id is not None and (not run_id or len({run.run_id for run in found}) > 1):
        raise UsageError(f"several runs end in {run_id[:60]!r}", "give more of the id")
    return found[-1] if found else None


def _row(run: Run, outcome: str) -> tuple[Any, ...]:
    started_us = run.started_us if run.started_us is not None else run.ended_us
    return (
        "" if started_us is None else local_time(started_us),
        _duration(run.duration_s),
        Cell(outcome, _STYLES.get(outcome, "")),
        exit_in_words(run),
        run.reason,
        _duration(run.cpu_s),
        "" if run.max_rss_bytes is None else size_in_words(run.max_rss_bytes),
        run.tries if run.tries > 1 else "",
        run.host,
        origin_in_words(run.origin),
        run.run_id[-_SHORT_ID:],
    )


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(seconds)


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
        data.append(_describe_flip(flip, lasted_s))
        rows.append(_flip_row(flip, lasted_s))
        until_us = flip.time_us
    columns = ("since", "status", "reason", "for", "before", "noticed")
    table = Table(columns, rows, "its status never changed")
    return Result(data, table, notes=tuple(opened.notes), shape=FlipFields)


def _describe_flip(flip: Flip, lasted_s: float) -> FlipFields:
    return {
        "since": iso(flip.time_us),
        "status": flip.status,
        "reason": flip.reason or None,
        "lasted_s": lasted_s,
        "previous": flip.previous,
        "noticed_at": iso(flip.noticed_us),
    }


def _flip_row(flip: Flip, lasted_s: float) -> tuple[Any, ...]:
    noticed = local_time(flip.noticed_us)
    return (
        local_time(flip.time_us),
        Cell(flip.status, STYLES[flip.status]),
        flip.reason,
        format_duration(lasted_s),
        flip.previous,
        "" if noticed == local_time(flip.time_us) else noticed,
    )
