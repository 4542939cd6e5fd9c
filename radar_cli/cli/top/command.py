"""`radar top`: the monitors, live in the terminal."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

from radar_cli.cli.choosing import Choice, find_mistake, monitors_argument, natural_order
from radar_cli.cli.monitors.managing import read_pause, who
from radar_cli.cli.monitors.showing import describe_one
from radar_cli.cli.notify import COLUMNS as NOTICE_COLUMNS
from radar_cli.cli.notify import make_row as make_notice_row
from radar_cli.cli.opening import Opened, open_monitors
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Cell
from radar_cli.cli.status import (
    COLUMNS,
    StatusFields,
    Wanted,
    by_status,
    make_row,
    name_unknown,
    take_look,
)
from radar_cli.cli.top.feed import Feed
from radar_cli.cli.top.pane import Action, Desk, Page, Pane, Row
from radar_cli.cli.top.starting import check_screen, interval_option, read_interval, run_board
from radar_cli.client.wire import from_iso
from radar_cli.core.text import lines
from radar_cli.model.sentences import UNREAD, how_it_went, local_time
from radar_cli.service.look import look

_NOTICES = 200
_RUNS = 20
_OUTPUT_LINES = 500
_URGENT = ("down", "late", "new", "up", "paused")


@click.command(name="top")
@monitors_argument(required=False)
@interval_option
@common_options
@pass_session
def command(session: Session, choice: Choice, interval: str) -> int:
    """Show the monitors live, down first: open one, pause, resume, acknowledge; ? shows the keys.

    Those of this machine's store, or of a server; all, or just those named by keys, globs or tags.
    """
    check_screen(session, "radar status")
    from radar_cli.cli.top.board import Plan

    session.load_profile()  # what is wrong with it is told before there is a screen
    monitors = _Monitors(session, choice, read_interval(interval))
    return run_board(
        session,
        Plan("radar top", monitors.panes(), monitors.feeds, monitors.headline, monitors.notes),
    )


@dataclass(slots=True)
class _Seen:
    """Monitors as they are now, and what is to be remarked of them."""

    now_us: int = 0
    data: list[StatusFields] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _Monitors:
    """The lists of monitors and notices, and what is done about a monitor."""

    def __init__(self, session: Session, choice: Choice, every_s: float) -> None:
        self._session = session
        self._choice = choice
        self._monitors = Feed("monitors", self._look, every_s=every_s)
        self._notices = Feed("notices", self._look_at_notices, every_s=every_s)

    @property
    def feeds(self) -> tuple[Feed[Any], ...]:
        """What looks again and again."""
        return (self._monitors, self._notices)

    def panes(self) -> list[Pane]:
        """Return the lists."""
        monitors = Pane(
            "monitors",
            COLUMNS,
            self._rows,
            lambda: "no monitors yet: try 'radar run hello -- echo hello'",
            least=("last output", "took", "exit", "schedule", "last run"),
            open=self._open,
            actions=self._actions(),
        )
        notices = Pane(
            "notices",
            NOTICE_COLUMNS,
            lambda: self._notices.value or (),
            lambda: "no notices",
            least=("answer", "tries", "channel"),
        )
        return [monitors, notices]

    def _open(self, row: Row) -> Page:
        actions = tuple(each.about(row) for each in self._actions())
        return Page(row.key, lambda: self._describe(row.key), actions)

    def headline(self) -> str:
        """Return the whole in a line."""
        seen = self._monitors.value
        if seen is None:
            return ""
        words = [entry["status"] for entry in seen.data]
        counts = [f"{words.count(each)} {each}" for each in _URGENT if each in words]
        count = f"{len(words)} monitor{'' if len(words) == 1 else 's'}"
        return f"{count}: {', '.join(counts)}" if counts else count

    def notes(self) -> list[str]:
        """Return what is to be remarked of the whole."""
        seen = self._monitors.value
        own = [self._monitors.remark(), *(seen.notes if seen is not None else ())]
        return [note for note in own if note]

    def _look(self) -> _Seen:
        glance = take_look(self._session, Wanted(self._choice, "status"))
        found = [entry["key"] for entry in glance.data]
        mistake = find_mistake(self._choice, found, lambda key: glance.hints.get(key, ""))
        notes = [*name_unknown(glance.unknown), *glance.notes]
        notes[:0] = [mistake.line()] if mistake is not None else []
        return _Seen(glance.now_us, sorted(glance.data, key=by_status), notes)

    def _rows(self) -> list[Row]:
        seen = self._monitors.value
        return [] if seen is None else [_make(entry, seen.now_us) for entry in seen.data]

    def _look_at_notices(self) -> list[Row]:
        with open_monitors(self._session) as opened:
            found = opened.store.notices.newest(_NOTICES)
        rows = []
        for each in found:
            cells = make_notice_row(each)
            texts = [cell.value if isinstance(cell, Cell) else cell for cell in cells]
            rows.append(Row(each.id, cells, (-each.created_us, *texts[1:]), each))
        return rows

    def _describe(self, key: str) -> list[Any]:
        """Return all about a monitor: how it is and why, its last runs and its last output."""
        with open_monitors(self._session) as opened:
            now_us = opened.now_us()
            seen = next(iter(look(opened.store, now_us, [key])), None)
            if seen is None:
                return ["it is gone"]
            found: list[Any] = _without_output(describe_one(opened.store, seen, now_us))
            runs = opened.store.history.runs(key, _RUNS)
        found.append(("", ""))
        for number, run in enumerate(reversed(runs)):
            went = how_it_went(run) if run.outcome else "running, or it hangs"
            style = "bold red" if run.outcome == "fail" else ""
            label = "" if number else "history"
            found.append((label, Cell(f"{local_time(run.first_us)}  {went}", style)))
        last = seen.last_ended
        said = [] if last is None else lines(last.output.decode("utf-8", "replace"))
        if said:
            found += ["", "the end of its last output:"]
            found += [f"  {line.expandtabs()}" for line in said[-_OUTPUT_LINES:]]
        return found

    def _actions(self) -> tuple[Action, ...]:
        return (
            Action("p", "pause", "expect nothing of it, for a while or until resumed", self._pause),
            Action("r", "resume", "expect its runs again", self._resume),
            Action("a", "ack", "say that you see to it: no more reminders", self._acknowledge),
            Action("z", "snooze", "tell nobody anything of it for a while", self._snooze),
        )

    def _pause(self, desk: Desk, row: Row | None) -> None:
        key = _key(row)

        def go_on(text: str) -> None:
            def pause(opened: Opened) -> str:
                length_us = None if text == "-" else read_pause(text)
                now_us = opened.now_us()
                until_us = None if length_us is None else now_us + length_us
                opened.store.monitors.judge(now_us)
                opened.store.monitors.pause([key], now_us, until_us)
                end = "it is resumed" if until_us is None else local_time(until_us)
                return f"{key} is paused until {end}"

            self._work(desk, f"pausing {key}", pause)

        desk.ask(f"Pause {key} for how long? As in 2h; - is until it is resumed", go_on)

    def _resume(self, desk: Desk, row: Row | None) -> None:
        key = _key(row)

        def resume(opened: Opened) -> str:
            now_us = opened.now_us()
            opened.store.monitors.judge(now_us)
            done = opened.store.monitors.resume([key], now_us)
            return f"{key} is resumed" if done else f"{key} wasn't paused"

        desk.confirm(
            f"Resume {key}, from now on?", lambda: self._work(desk, f"resuming {key}", resume)
        )

    def _acknowledge(self, desk: Desk, row: Row | None) -> None:
        key = _key(row)

        def acknowledge(opened: Opened) -> str:
            done = opened.store.incidents.acknowledge([key], opened.now_us(), who())
            return f"{key}: no more reminders until it is up" if done else f"{key} isn't down"

        desk.confirm(
            f"Say that you see to {key}?",
            lambda: self._work(desk, f"acknowledging {key}", acknowledge),
        )

    def _snooze(self, desk: Desk, row: Row | None) -> None:
        key = _key(row)

        def go_on(text: str) -> None:
            def snooze(opened: Opened) -> str:
                now_us = opened.now_us()
                until_us = now_us + read_pause(text)
                opened.store.incidents.snooze([key], now_us, until_us, who())
                return f"{key} is snoozed until {local_time(until_us)}"

            self._work(desk, f"snoozing {key}", snooze)

        desk.ask(f"Tell nobody of {key} for how long?", go_on, "4h")

    def _work(self, desk: Desk, what: str, function: Callable[[Opened], str]) -> None:
        def work() -> str:
            with open_monitors(self._session) as opened:
                return function(opened)

        desk.work(what, work)


def _without_output(rows: list[tuple[Any, ...]]) -> list[Any]:
    """Leave out the last lines of output: all of it stands below."""
    kept: list[Any] = []
    is_output = False
    for row in rows:
        is_output = (row[0] == "output" and row[1] != UNREAD) or (is_output and not row[0])
        if not is_output:
            kept.append(row)
    return kept


def _make(entry: StatusFields, now_us: int) -> Row:
    last = entry["last_run"]
    ended_us = from_iso(last["ended_at"]) if last is not None else None
    cells = make_row(entry, now_us)
    order = (
        natural_order(entry["key"]),
        by_status(entry),
        None if ended_us is None else -ended_us,
        None if last is None else last["duration_s"],
        *(cell.value if isinstance(cell, Cell) else cell for cell in cells[4:]),
    )
    return Row(entry["key"], cells, order, entry)


def _key(row: Row | None) -> str:
    return "" if row is None else row.key
