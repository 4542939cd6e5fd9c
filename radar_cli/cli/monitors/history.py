"""`radar monitors history|output`: the runs of monitors, and what they said."""

import sys
import time
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.choosing import Choice, monitors_argument
from radar_cli.cli.monitors.described import find_monitors
from radar_cli.cli.opening import Opened, open_monitors
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import (
    Cell,
    Result,
    Table,
    complain,
    draw,
    emit,
    is_terminal,
    screen_width,
    wants_color,
)
from radar_cli.cli.status import STYLES
from radar_cli.client.wire import (
    HUNG,
    RUNNING,
    ReasonWord,
    RunFields,
    RunSummaryFields,
    StatusWord,
    encode_run,
    find_outcome,
    iso,
    summarize_run,
)
from radar_cli.core import exits
from radar_cli.core.errors import BadValueError, UsageError
from radar_cli.core.grammar import format_duration, parse_duration
from radar_cli.core.shapes import Moment, Seconds
from radar_cli.core.text import lines
from radar_cli.model.flip import Flip
from radar_cli.model.port import MonitorStore
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run
from radar_cli.model.sentences import (
    UNREAD,
    describe_exit,
    describe_origin,
    format_size,
    local_time,
)

_COLUMNS = (
    *("started", "took", "outcome", "exit", "reason"),
    *("cpu", "memory", "output", "tries", "host", "from", "run"),
)
_LEAST = ("from", "tries", "memory", "cpu", "output", "found", "host", "reason", "exit", "took")
_STYLES = {"success": "green", "fail": "bold red", HUNG: "bold red", RUNNING: "cyan"}
# The end of a run's id is its random part, and enough for people to name it.
_SHORT_ID = 8
_LIMIT, _MOST = 20, 1000
_FOLLOWED_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The runs that are to be listed."""

    choice: Choice
    limit: int
    since_us: int | None = None  # how far back
    search: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A run of a monitor, what became of it, and the line of its output that was looked for."""

    known: MonitorRecord
    run: Run
    outcome: str
    line: str | None = None


class KeyFields(TypedDict):
    """The monitor that a row is of."""

    key: str


class ListedRunFields(KeyFields, RunSummaryFields):
    """A run of a monitor; `found` is the line of its output that has --search's text in it."""

    found: str | None


class PrintedRunFields(KeyFields, RunFields):
    """A run of a monitor, with its output: where several monitors are named."""


class FlipFields(KeyFields):
    """A change of a monitor's status; `lasted_s` is how long it lasted, or has by now."""

    since: Moment | None
    status: StatusWord
    reason: ReasonWord | None
    lasted_s: Seconds
    previous: StatusWord
    noticed_at: Moment | None


@click.command(name="history")
@monitors_argument()
@click.option("--limit", metavar="N", type=int, help="How many of each monitor (20).")
@click.option("--since", metavar="DURATION", help="Only what began in this time, as 1d.")
@click.option("--search", metavar="TEXT", default="", help="Only runs whose output has TEXT in it.")
@click.option("--follow", "-f", "follows", is_flag=True, help="Go on with runs as they end.")
@click.option("--flips", "is_of_flips", is_flag=True, help="Print when it went up and down.")
@list_options
@answers(list[ListedRunFields] | list[FlipFields])
@pass_session
def list_runs(
    session: Session,
    choice: Choice,
    limit: int | None,
    since: str | None,
    search: str,
    follows: bool,
    is_of_flips: bool,
) -> Result | int:
    """Print the last runs of monitors, the newest first, or their changes of status."""
    if limit is not None and limit < 1:
        raise UsageError(f"bad number of runs {limit}", "at least 1")
    since_us = None if since is None else _read_since(since)
    most = limit or (_LIMIT if since_us is None else _MOST)
    if is_of_flips:
        if follows or search:
            raise UsageError("--flips excludes --follow and --search")
        return list_flips(session, choice, most, since_us)
    wanted = Wanted(choice, most, since_us, search)
    if follows:
        if session.format != "table" or search:
            raise UsageError("--follow is a table for people, of all runs")
        return _follow(session, wanted)
    with open_monitors(session) as opened:
        listed = _list(opened, wanted)
        notes = opened.notes
    listed.sort(key=lambda each: each.run.first_us, reverse=True)
    data: list[ListedRunFields] = [_describe(each) for each in listed]
    rows = [_row(each, wanted, is_one=choice.is_one) for each in listed]
    empty = "no run is like that" if search or since else "no runs yet"
    table = _make_table(wanted, rows, empty, is_one=choice.is_one)
    return Result(data, table, notes=tuple(notes), shape=ListedRunFields)


def _read_since(text: str) -> int:
    try:
        return round(parse_duration(text) * 1e6)
    except BadValueError as error:
        raise error.as_usage_error("--since") from None


def _list(opened: Opened, wanted: Wanted) -> list[Listed]:
    store, now_us = opened.store, opened.now_us()
    find_monitors(store, wanted.choice)
    store.monitors.judge(now_us)
    from_us = 0 if wanted.since_us is None else now_us - wanted.since_us
    listed = []
    for known in find_monitors(store, wanted.choice):
        for run in _find_runs_of(store, known, wanted):
            if run.first_us >= from_us:
                outcome = find_outcome(run, known.state.running)
                line = _find_line(run, wanted.search)
                listed.append(Listed(known, run, outcome, line))
    return listed


def _find_runs_of(store: MonitorStore, known: MonitorRecord, wanted: Wanted) -> list[Run]:
    if wanted.search:
        return store.history.search_runs(known.key, wanted.search, wanted.limit)
    return store.history.runs(known.key, wanted.limit)


def _find_line(run: Run, text: str) -> str | None:
    """The last line that has the text in it, None if none was looked for."""
    if not text:
        return None
    output = [run.message, *lines(run.output.decode("utf-8", "replace").expandtabs())]
    return next((line.strip() for line in reversed(output) if text.lower() in line.lower()), "")


def _make_table(wanted: Wanted, rows: list[tuple[Any, ...]], empty: str, *, is_one: bool) -> Table:
    columns = (*(() if is_one else ("monitor",)), *_COLUMNS)
    if wanted.search:
        columns = (*columns, "found")
    whole = ("started", "outcome", "run", *(() if is_one else ("monitor",)))
    least = tuple(name for name in _LEAST if name in columns)
    return Table(columns, rows, empty, least=least, whole=whole)


def _follow(session: Session, wanted: Wanted) -> int:
    """Print runs as they end, each in a line, until interrupted."""
    is_color_wanted = wants_color(session.color, sys.stdout)
    printed: set[tuple[str, str, int]] = set()
    is_first = True
    while True:
        with open_monitors(session) as opened:
            for note in opened.notes if is_first else ():
                complain(note)
            listed = [each for each in _list(opened, wanted) if not each.run.is_running]
        listed.sort(key=lambda each: each.run.ended_us or 0)
        places = {_place(each): each for each in listed}
        new = [each for place, each in places.items() if place not in printed]
        rows = [_row(each, wanted, is_one=False) for each in new]
        width = None
        if is_terminal(sys.stdout) and not session.is_wide:
            width = screen_width(1)
        if rows or is_first:
            table = _make_table(wanted, rows, "", is_one=False)
            drawn = draw(table, width, is_color_wanted=is_color_wanted)
            emit("".join(f"{line}\n" for line in drawn[0 if is_first else 1 :]))
            if sys.stdout is not None:
                sys.stdout.flush()
        printed |= places.keys()
        is_first = False
        time.sleep(_FOLLOWED_EVERY_S)


def _place(listed: Listed) -> tuple[str, str, int]:
    return listed.known.key, listed.run.run_id, listed.run.ended_us or 0


@click.command(name="output")
@monitors_argument()
@click.option("--run", "run_id", metavar="ID", help="Of this run; the end of its id is enough.")
@common_options
@answers(RunFields | list[PrintedRunFields] | None)
@pass_session
def print_output(session: Session, choice: Choice, run_id: str | None) -> Result | int:
    """Print the output of a monitor's last run that ended, or of another run.

    Into a pipe or a file it goes as the job wrote it, byte for byte; that of several monitors has
    a line with each one's key before it. Exits with 1 if there is no such run.
    """
    with open_monitors(session) as opened:
        notes = opened.notes
        found = find_monitors(opened.store, choice)
        runs = [(known, _find_run(opened.store, known.key, run_id)) for known in found]
    if choice.is_one:
        return _print_one(session, *runs[0], run_id, notes)
    return _print_several(session, runs, run_id, notes)


def _print_one(
    session: Session, known: MonitorRecord, run: Run | None, run_id: str | None, notes: list[str]
) -> Result | int:
    if run is None:
        return Result(None, notes=(*notes, _miss(known.key, run_id)), exit_code=exits.BAD)
    notes = [*notes, *_remark(run)]
    if session.format == "json" or is_terminal(sys.stdout):
        data = encode_run(run, known.state.running)
        return Result(data, text=_as_text(run), notes=tuple(notes))
    for note in notes:
        complain(note)
    _write_raw([run.output])
    return exits.OK


def _print_several(
    session: Session,
    runs: list[tuple[MonitorRecord, Run | None]],
    run_id: str | None,
    notes: list[str],
) -> Result | int:
    there = [(known, run) for known, run in runs if run is not None]
    notes = [*notes, *(_miss(known.key, run_id) for known, run in runs if run is None)]
    notes += [f"{known.key}: {remark}" for known, run in there for remark in _remark(run)]
    code = exits.OK if there else exits.BAD
    if session.format == "json" or is_terminal(sys.stdout):
        data: list[PrintedRunFields] = [
            {"key": known.key, **encode_run(run, known.state.running)} for known, run in there
        ]
        text = "\n".join(f"==> {known.key} <==\n{_as_text(run)}" for known, run in there)
        return Result(data, text=text, notes=tuple(notes), exit_code=code)
    for note in notes:
        complain(note)
    for known, run in there:
        is_ended = run.output.endswith(b"\n") or not run.output
        _write_raw([f"==> {known.key} <==\n".encode(), run.output, b"" if is_ended else b"\n"])
    return code


def _write_raw(parts: Iterable[bytes]) -> None:
    if sys.stdout is not None:
        sys.stdout.flush()
        for part in parts:
            sys.stdout.buffer.write(part)


def _miss(key: str, run_id: str | None) -> str:
    if run_id is None:
        return f"no run of {key} has ended yet"
    return f"{key} has no run {run_id[:60]!r} (see 'radar history {key}')"


def _remark(run: Run) -> list[str]:
    remarks = []
    if run.omitted_bytes:
        remarks.append(f"{run.omitted_bytes} bytes before this were not kept")
    if run.is_unread:
        remarks.append(f"{UNREAD}: --capture reads it there, too")
    elif not run.output:
        remarks.append("it has no output" + (" yet" if run.is_running else ""))
    return remarks


def _as_text(run: Run) -> str:
    # expandtabs counts its columns from a carriage return, too.
    return "\n".join(lines(run.output.decode("utf-8", "replace").expandtabs()))


def _find_run(store: MonitorStore, key: str, run_id: str | None) -> Run | None:
    """The newest run that ended, or the one whose id ends like this. UsageError: several do."""
    # "" is the end of every id.
    found = [] if run_id == "" else store.history.find_runs(key, run_id)
    if run_id is not None and (not run_id or len({run.run_id for run in found}) > 1):
        raise UsageError(f"several runs end in {run_id[:60]!r}", "give more of the id")
    return found[-1] if found else None


def _describe(listed: Listed) -> ListedRunFields:
    """A run for programs; its output is what `radar monitors output` prints."""
    entry = summarize_run(listed.run, listed.known.state.running)
    return {"key": listed.known.key, **entry, "found": listed.line}


def _row(listed: Listed, wanted: Wanted, *, is_one: bool) -> tuple[Any, ...]:
    row = _for_people(listed.run, listed.outcome)
    row = row if is_one else (listed.known.key, *row)
    return (*row, listed.line) if wanted.search else row


def _for_people(run: Run, outcome: str) -> tuple[Any, ...]:
    started_us = run.started_us if run.started_us is not None else run.ended_us
    return (
        "" if started_us is None else local_time(started_us),
        _duration(run.duration_s),
        Cell(outcome, _STYLES.get(outcome, "")),
        describe_exit(run),
        run.reason,
        _duration(run.cpu_s),
        "" if run.max_rss_bytes is None else format_size(run.max_rss_bytes),
        _describe_output(run),
        run.tries if run.tries > 1 else "",
        run.host,
        describe_origin(run.origin),
        run.run_id[-_SHORT_ID:],
    )


def _describe_output(run: Run) -> str:
    if run.is_unread:
        return UNREAD
    return "" if run.output_bytes is None else format_size(run.output_bytes)


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(seconds)


def list_flips(session: Session, choice: Choice, limit: int, since_us: int | None) -> Result:
    """The changes of monitors' statuses, the newest first; `since_us` is how far back."""
    with open_monitors(session) as opened:
        store, now_us = opened.store, opened.now_us()
        keys = [known.key for known in find_monitors(store, choice)]
        store.monitors.judge(now_us)
        flips = [
            flip for key in keys for flip in _with_ends(store.history.flips(key, limit), now_us)
        ]
    if since_us is not None:
        flips = [each for each in flips if each[0].time_us >= now_us - since_us]
    flips.sort(key=lambda each: each[0].time_us, reverse=True)
    is_one = choice.is_one
    data = [_describe_flip(flip, lasted_s) for flip, lasted_s in flips]
    rows = [_flip_row(flip, lasted_s) for flip, lasted_s in flips]
    if not is_one:
        rows = [(flip.monitor, *row) for (flip, _), row in zip(flips, rows, strict=True)]
    columns: tuple[str, ...] = ("since", "status", "reason", "for", "before", "noticed")
    columns = columns if is_one else ("monitor", *columns)
    least = ("noticed", "before", "reason")
    whole = columns[: 2 if is_one else 3]
    table = Table(columns, rows, "its status never changed", least=least, whole=whole)
    return Result(data, table, notes=tuple(opened.notes), shape=FlipFields)


def _with_ends(flips: list[Flip], now_us: int) -> Iterator[tuple[Flip, float]]:
    """Each flip, the newest first, and for how long it was so, in seconds."""
    until_us = now_us
    for flip in flips:
        yield flip, max(0.0, (until_us - flip.time_us) / 1e6)
        until_us = flip.time_us


def _describe_flip(flip: Flip, lasted_s: float) -> FlipFields:
    return {
        "key": flip.monitor,
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
