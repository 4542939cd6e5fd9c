"""`radar monitors history|output`: the runs of monitors, and what they said."""

import sys
<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
from typing import Any, TypedDict

import click

from radar_cli.cli.answers import answers
=======
import time
from dataclasses import dataclass
from typing import Any, Iterable, Iterator

import click

from radar_cli.cli.choosing import Choice, monitors_argument
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd
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
    iso,
    summarize_run,
)
from radar_cli.core import exits
from radar_cli.core.errors import UsageError
<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
from radar_cli.core.grammar import format_duration
from radar_cli.core.shapes import Moment, Seconds
=======
from radar_cli.core.grammar import format_duration, parse_duration
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd
from radar_cli.core.text import lines
from radar_cli.model.flip import Flip
from radar_cli.model.port import MonitorStore
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run
from radar_cli.model.sentences import (
    UNREAD,
    exit_in_words,
    local_time,
    origin_in_words,
    size_in_words,
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
    """Which runs are to be listed."""

    choice: Choice
    limit: int
    since_us: int | None = None  # how far back
    search: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A run of a monitor, what became of it, and the line of its output that was looked for."""

    key: str
    run: Run
    outcome: str
    line: str = ""


class FlipFields(TypedDict):
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
@answers(list[RunSummaryFields] | list[FlipFields])
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
<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
        store, notes = opened.store, opened.notes
        find_monitors(store, [key])
        store.judge(opened.now_us())
        (known,) = find_monitors(store, [key])
        runs = store.runs(key, limit)[::-1]
    data = [summarize_run(run, known.state.running) for run in runs]
    rows = [_row(run, entry["outcome"]) for run, entry in zip(runs, data, strict=True)]
    table = Table(_COLUMNS, rows, "no runs yet")
    return Result(data, table, notes=tuple(notes), shape=RunSummaryFields)
=======
        listed = _list(opened, wanted)
        notes = opened.notes
    listed.sort(key=lambda each: each.run.first_us, reverse=True)
    is_one = choice.is_one
    data = [_describe(each, is_one=is_one, is_searched=bool(search)) for each in listed]
    show = _for_people if session.format == "table" else _for_programs
    rows = [_row(each, show, wanted, is_one=is_one) for each in listed]
    empty = "no run is like that" if search or since else "no runs yet"
    return Result(data, _make_table(wanted, rows, empty, is_one=is_one), notes=tuple(notes))


def _read_since(text: str) -> int:
    try:
        return round(parse_duration(text) * 1e6)
    except ValueError as error:
        message, _, hint = str(error).partition(": ")
        raise UsageError(f"--since: {message}", hint) from None


def _list(opened: Opened, wanted: Wanted) -> list[Listed]:
    store, now_us = opened.store, opened.now_us()
    find_monitors(store, wanted.choice)
    store.judge(now_us)
    from_us = 0 if wanted.since_us is None else now_us - wanted.since_us
    listed = []
    for known in find_monitors(store, wanted.choice):
        for run in _find_runs_of(store, known, wanted):
            if run.first_us >= from_us:
                outcome = _find_outcome(run, known)
                listed.append(Listed(known.key, run, outcome, _find_line(run, wanted.search)))
    return listed


def _find_runs_of(store: MonitorStore, known: MonitorRecord, wanted: Wanted) -> list[Run]:
    if wanted.search:
        return store.search_runs(known.key, wanted.search, wanted.limit)
    return store.runs(known.key, wanted.limit)


def _find_line(run: Run, text: str) -> str:
    """The last line that has the text in it."""
    if not text:
        return ""
    said = [run.message, *lines(run.output.decode("utf-8", "replace").expandtabs())]
    return next((line.strip() for line in reversed(said) if text.lower() in line.lower()), "")


def _find_outcome(run: Run, known: MonitorRecord) -> str:
    return str(encode_run(run, known.state.running)["outcome"])


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
        rows = [_row(each, _for_people, wanted, is_one=False) for each in new]
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
    return listed.key, listed.run.run_id, listed.run.ended_us or 0
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd


@click.command(name="output")
@monitors_argument()
@click.option("--run", "run_id", metavar="ID", help="Of this run; the end of its id is enough.")
@common_options
@answers(RunFields | None)
@pass_session
def print_output(session: Session, choice: Choice, run_id: str | None) -> Result | int:
    """Print the output of a monitor's last run that ended, or of another run.

    Into a pipe or a file it goes as the job wrote it, byte for byte; that of several monitors has
    a line with each one's key before it. Exits with 1 if there is no such run.
    """
    with open_monitors(session) as opened:
<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
        store, notes = opened.store, opened.notes
        (known,) = find_monitors(store, [key])
        run = _find_run(store, key, run_id)
=======
        notes = opened.notes
        found = [known.key for known in find_monitors(opened.store, choice)]
        runs = [(key, _find_run(opened.store, key, run_id)) for key in found]
    if choice.is_one:
        return _print_one(session, *runs[0], run_id, notes)
    return _print_several(session, runs, run_id, notes)


def _print_one(
    session: Session, key: str, run: Run | None, run_id: str | None, notes: list[str]
) -> Result | int:
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd
    if run is None:
        return Result(None, notes=(*notes, _miss(key, run_id)), exit_code=exits.BAD)
    notes = [*notes, *_remark(run)]
    if session.format == "json" or is_terminal(sys.stdout):
<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
        # expandtabs counts its columns from a carriage return, too.
        text = "\n".join(lines(run.output.decode("utf-8", "replace").expandtabs()))
        return Result(encode_run(run, known.state.running), text=text, notes=tuple(notes))
=======
        return Result(describe_run(run), text=_as_text(run), notes=tuple(notes))
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd
    for note in notes:
        complain(note)
    _write_raw([run.output])
    return exits.OK


def _print_several(
    session: Session, runs: list[tuple[str, Run | None]], run_id: str | None, notes: list[str]
) -> Result | int:
    there = [(key, run) for key, run in runs if run is not None]
    notes = [*notes, *(_miss(key, run_id) for key, run in runs if run is None)]
    notes += [f"{key}: {remark}" for key, run in there for remark in _remark(run)]
    code = exits.OK if there else exits.BAD
    if session.format == "json" or is_terminal(sys.stdout):
        data = [{"key": key, **describe_run(run)} for key, run in there]
        text = "\n".join(f"==> {key} <==\n{_as_text(run)}" for key, run in there)
        return Result(data, text=text, notes=tuple(notes), exit_code=code)
    for note in notes:
        complain(note)
    for key, run in there:
        is_ended = run.output.endswith(b"\n") or not run.output
        _write_raw([f"==> {key} <==\n".encode(), run.output, b"" if is_ended else b"\n"])
    return code


def _write_raw(parts: Iterable[bytes]) -> None:
    if sys.stdout is not None:
        sys.stdout.flush()
        for part in parts:
            sys.stdout.buffer.write(part)


def _miss(key: str, run_id: str | None) -> str:
    return f"no run of {key} has ended yet" if run_id is None else f"no run {run_id[:60]!r}"


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
    found = [] if run_id == "" else store.find_runs(key, run_id)
    if run_id is not None and (not run_id or len({run.run_id for run in found}) > 1):
        raise UsageError(f"several runs end in {run_id[:60]!r}", "give more of the id")
    return found[-1] if found else None


<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
def _row(run: Run, outcome: str) -> tuple[Any, ...]:
=======
def _describe(listed: Listed, *, is_one: bool, is_searched: bool) -> dict[str, Any]:
    """A run for programs; its output is what `radar monitors output` prints."""
    entry = {**describe_run(listed.run), "outcome": listed.outcome}
    del entry["output"]
    if is_searched:
        entry["found"] = listed.line
    return entry if is_one else {"key": listed.key, **entry}


def _row(listed: Listed, show: Any, wanted: Wanted, *, is_one: bool) -> tuple[Any, ...]:
    row: tuple[Any, ...] = show(listed.run, listed.outcome)
    row = row if is_one else (listed.key, *row)
    return (*row, listed.line) if wanted.search else row


def _for_people(run: Run, outcome: str) -> tuple[Any, ...]:
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd
    started_us = run.started_us if run.started_us is not None else run.ended_us
    return (
        "" if started_us is None else local_time(started_us),
        _duration(run.duration_s),
        Cell(outcome, _STYLES.get(outcome, "")),
        exit_in_words(run),
        run.reason,
        _duration(run.cpu_s),
        "" if run.max_rss_bytes is None else size_in_words(run.max_rss_bytes),
        _output_in_words(run),
        run.tries if run.tries > 1 else "",
        run.host,
        origin_in_words(run.origin),
        run.run_id[-_SHORT_ID:],
    )


<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
=======
def _output_in_words(run: Run) -> str:
    if run.is_unread:
        return UNREAD
    return "" if run.output_bytes is None else size_in_words(run.output_bytes)


def _for_programs(run: Run, outcome: str) -> tuple[Any, ...]:
    """The same columns with times in ISO 8601, seconds and bytes."""
    return (
        iso(run.started_us),
        run.duration_s,
        outcome,
        exit_in_words(run),
        run.reason,
        run.cpu_s,
        run.max_rss_bytes,
        run.output_bytes,
        run.tries,
        run.host,
        "" if run.origin is None else run.origin.address,
        run.run_id,
    )


>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd
def _duration(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(seconds)


def list_flips(session: Session, choice: Choice, limit: int, since_us: int | None) -> Result:
    """The changes of monitors' statuses, the newest first; `since_us` is how far back."""
    with open_monitors(session) as opened:
        store, now_us = opened.store, opened.now_us()
        keys = [known.key for known in find_monitors(store, choice)]
        store.judge(now_us)
        flips = [flip for key in keys for flip in _with_ends(store.flips(key, limit), now_us)]
    if since_us is not None:
        flips = [each for each in flips if each[0].time_us >= now_us - since_us]
    flips.sort(key=lambda each: each[0].time_us, reverse=True)
    is_one = choice.is_one
    data, rows = [], []
    for flip, lasted_s in flips:
        entry = _describe_flip(flip, lasted_s)
        row = _flip_for_people(flip, lasted_s) if session.format == "table" else _flip_row(entry)
        data.append(entry if is_one else {"key": flip.monitor, **entry})
        rows.append(row if is_one else (flip.monitor, *row))
    columns: tuple[str, ...] = ("since", "status", "reason", "for", "before", "noticed")
    columns = columns if is_one else ("monitor", *columns)
    least = ("noticed", "before", "reason")
    whole = columns[: 2 if is_one else 3]
    table = Table(columns, rows, "its status never changed", least=least, whole=whole)
    return Result(data, table, notes=tuple(opened.notes))


def _with_ends(flips: list[Flip], now_us: int) -> Iterator[tuple[Flip, float]]:
    """Each flip, the newest first, and for how long it was so, in seconds."""
    until_us = now_us
    for flip in flips:
<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
        lasted_s = max(0.0, (until_us - flip.time_us) / 1e6)
        data.append(_describe_flip(flip, lasted_s))
        rows.append(_flip_row(flip, lasted_s))
        until_us = flip.time_us
    columns = ("since", "status", "reason", "for", "before", "noticed")
    table = Table(columns, rows, "its status never changed")
    return Result(data, table, notes=tuple(opened.notes), shape=FlipFields)
=======
        yield flip, max(0.0, (until_us - flip.time_us) / 1e6)
        until_us = flip.time_us
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd


def _describe_flip(flip: Flip, lasted_s: float) -> FlipFields:
    return {
        "since": iso(flip.time_us),
        "status": flip.status,
        "reason": flip.reason or None,
        "lasted_s": lasted_s,
        "previous": flip.previous,
        "noticed_at": iso(flip.noticed_us),
    }


<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
def _flip_row(flip: Flip, lasted_s: float) -> tuple[Any, ...]:
=======
def _flip_row(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.values())


def _flip_for_people(flip: Flip, lasted_s: float) -> tuple[Any, ...]:
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd
    noticed = local_time(flip.noticed_us)
    return (
        local_time(flip.time_us),
        Cell(flip.status, STYLES[flip.status]),
        flip.reason,
        format_duration(lasted_s),
        flip.previous,
        "" if noticed == local_time(flip.time_us) else noticed,
    )
