"""`radar check`: judge the monitors now, for people, cron, Nagios and Prometheus."""

import sys
import time
from collections import Counter
from typing import Any, Iterable

import click

from radar_cli import exits
from radar_cli.cli.local import Here, open_here, shorten
from radar_cli.cli.nagios import say_unknown, say_verdict
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.prometheus import write_metrics
from radar_cli.cli.render import Cell, Result, Table, is_terminal
from radar_cli.cli.status import ago, describe, iso, last_words
from radar_cli.errors import RadarError
from radar_cli.monitors.state import Reason, Status
from radar_cli.store.overview import ALARMING, Seen, look, look_at_alarming

FORMATS = ("table", "json", "nagios", "prometheus")
_STYLES = {Status.LATE: "yellow", Status.DOWN: "bold red"}


@click.command(name="check")
@click.argument("keys", metavar="[MONITOR]...", nargs=-1)
@click.option("--strict", is_flag=True, help="A monitor that is late is bad, too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    help="How to say it; nagios has Nagios's exit codes.",
)
@common_options
@pass_session
def command(session: Session, keys: tuple[str, ...], strict: bool, form: str) -> Result:
    """Judge all monitors now, or just those named.

    Exits with 0 if all is well, and with 1 if a monitor is down (with --strict, or late).
    """
    if form == "json":
        session.format = "json"
    now_us = time.time_ns() // 1000
    bad = {Status.DOWN, Status.LATE} if strict else {Status.DOWN}
    try:
        with open_here(session) as here:
            if form == "nagios":
                return _for_nagios(here, keys, bad, now_us)
            judge = _for_people if session.format == "table" and form == "table" else _for_programs
            result = judge(here, keys, bad, now_us, session, form)
    except RadarError as error:
        if form != "nagios":
            raise
        return say_unknown(error.line())
    return result


def _for_people(
    here: Here, keys: tuple[str, ...], bad: set[Status], now_us: int, session: Session, _: str
) -> Result:
    """Only what alarms is read, and nothing is said if nothing does: cron would mail it."""
    seen = _alarming(here, keys, now_us)
    rows = [_row(each, now_us) for each in seen]
    notes = here.notes_about(keys)
    if not rows and not notes and (session.verbose or is_terminal(sys.stderr)):
        notes = (_all_well(here.store.count_by_status()),)
    columns = ("monitor", "status", "since", "what happened", "look at")
    code = _exit_code((each.view.status for each in seen), bad, here.missing(keys))
    return Result(None, Table(columns, rows), notes=notes, exit_code=code)


def _for_programs(
    here: Here, keys: tuple[str, ...], bad: set[Status], now_us: int, session: Session, form: str
) -> Result:
    del session
    statuses: Counter[Status] = Counter()

    def counted() -> Iterable[Seen]:
        for seen in look(here.store, now_us, keys, output_of=ALARMING):
            statuses[seen.view.status] += 1
            yield seen

    data, text = None, ""
    if form == "prometheus":
        text = write_metrics(counted())
    else:
        data = [_describe(seen) for seen in counted()]
    code = _exit_code(statuses, bad, here.missing(keys))
    return Result(data, text=text, notes=here.notes_about(keys), exit_code=code)


def _for_nagios(here: Here, keys: tuple[str, ...], bad: set[Status], now_us: int) -> Result:
    if missing := here.missing(keys):
        return say_unknown(f"no monitor {', '.join(map(shorten, missing))}")
    seen = _alarming(here, keys, now_us)
    counts: Counter[str] = Counter()
    if keys:
        counts.update(str(s.view.status) for s in look(here.store, now_us, keys, output_of=()))
    else:
        for (status, _), count in here.store.count_by_status().items():
            counts[status] += count
    # Another user's state directory, or a server that knows instead: all well is what it isn't.
    if here.is_elsewhere or not counts.total():
        return say_unknown("; ".join(here.notes_about(keys)) or "no monitors here")
    return say_verdict(seen, counts, bad)


def _alarming(here: Here, keys: tuple[str, ...], now_us: int) -> list[Seen]:
    if not keys:
        return list(look_at_alarming(here.store, now_us))
    return [each for each in look(here.store, now_us, keys) if each.view.status in ALARMING]


def _exit_code(statuses: Iterable[Status], bad: set[Status], missing: list[str]) -> int:
    return exits.BAD if missing or any(status in bad for status in statuses) else exits.OK


def _all_well(counts: dict[tuple[str, bool], int]) -> str:
    total = sum(counts.values())
    unwatched = sum(count for (_, watched), count in counts.items() if not watched)
    words = f"all well: {total} monitor{'' if total == 1 else 's'}"
    return words + (f", {unwatched} without a schedule to watch" if unwatched else "")


def _row(seen: Seen, now_us: int) -> tuple[object, ...]:
    view = seen.view
    words = str(view.status) + (f" ({view.reason})" if view.reason else "")
    return (
        seen.known.key,
        Cell(words, _STYLES[view.status]),
        ago(iso(view.since_us) or "", now_us),
        what_happened(seen),
        f"radar status -v {seen.known.key}",
    )


def _describe(seen: Seen) -> dict[str, Any]:
    """A monitor for programs; `radar status --json` has the output, too."""
    entry = describe(seen)
    if entry["last_run"] is not None:
        del entry["last_run"]["output"]
    is_alarming = seen.view.status in ALARMING
    return {**entry, "what_happened": what_happened(seen) if is_alarming else None}


def what_happened(seen: Seen) -> str:
    """In a line: what was expected, and what came instead."""
    view, last = seen.view, seen.last_ended
    if view.status == Status.LATE or view.reason == Reason.MISSED:
        return "no run since it was due"
    if view.reason == Reason.HUNG:
        return "a run began and didn't end"
    return "" if last is None else last_words(last)
