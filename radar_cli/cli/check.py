"""`radar check`: judge the monitors now, for people, cron, Nagios and Prometheus."""

import itertools
import os
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from typing import Any, Callable, Iterable, Iterator

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.apart import Ask, Looked, look_apart, read_limit, refuse
from radar_cli.cli.choosing import Choice, find_hints, find_mistake, monitors_argument
from radar_cli.cli.everybody import Place, all_users_option, find_places
from radar_cli.cli.nagios import NAMED, format_unknown, format_verdict
from radar_cli.cli.notifying import Deliveries, People, find_people, notify_people
from radar_cli.cli.opening import Opened, open_monitors
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, is_terminal
from radar_cli.cli.status import (
    GlanceFields,
    ago,
    describe_glance,
    describe_unknown,
    name_unknown,
)
from radar_cli.cli.timers import take_timers
from radar_cli.client.wire import RunSummaryFields, iso, summarize_run
from radar_cli.core import exits
from radar_cli.core.errors import BadValueError, RadarError, StateError
from radar_cli.core.grammar import parse_duration
from radar_cli.core.prometheus import Sample
from radar_cli.model.fault import BAD, Fault
from radar_cli.model.overview import ALARMING, MonitorOverview
from radar_cli.model.record import MonitorRecord
from radar_cli.model.sentences import what_happened
from radar_cli.model.state import Status
from radar_cli.service.look import look, look_at_alarming
from radar_cli.service.metrics import Metrics

FORMATS = ("table", "json", "nagios", "prometheus")
# All of them count; more rows than that are nobody's to read.
_FAULTY_SHOWN = 200
_STYLES = {Status.LATE: "yellow", Status.DOWN: "bold red"}


class CheckFields(GlanceFields):
    """A monitor that was judged; `what_happened` is why it is late or down, for people."""

    last_run: RunSummaryFields | None
    what_happened: str | None


@click.command(name="check")
@monitors_argument(required=False)
@click.option("--strict", is_flag=True, help="A monitor that is late is bad, too.")
@click.option(
    "--notify",
    "notifies",
    is_flag=True,
    help="Tell people of what has changed, by the channels of the config files.",
)
@click.option(
    "--remind",
    metavar="DURATION",
    default=lambda: os.environ.get("RADAR_REMIND", ""),
    show_default="RADAR_REMIND",
    help="With --notify: remind of what is still down.",
)
@click.option(
    "--timers",
    "takes_timers",
    is_flag=True,
    help="Watch systemd's timers, too: how each ran last, and when it is due.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    help="How to say it; nagios has Nagios's exit codes.",
)
@all_users_option
@common_options
@answers(list[CheckFields])
@pass_session
def command(
    session: Session,
    choice: Choice,
    strict: bool,
    notifies: bool,
    remind: str,
    takes_timers: bool,
    form: str,
    all_users: bool,
) -> Result:
    """Judge all monitors now, or just those named by keys, globs or tags.

    Exits with 0 if all is well, with 1 if a monitor is down (with --strict, or late) or declared
    so that it can't be watched as it should be, and with 3 if all is well but people could not be
    told of what was. With --notify, a line of cron prints nothing about monitors: a notice is sent
    once, when something changes.
    """
    if form == "table":
        form = session.format
    elif form == "json":
        session.format = "json"
    remind_every_us = _read_reminders(remind)
    round_ = Round(choice, form, remind_every_us, takes_timers=takes_timers)
    try:
        find = cache(lambda: find_people(session)) if notifies else None
        if all_users:
            deliveries = _check_all(session, round_, find)
        else:
            with open_monitors(session) as opened:
                deliveries = round_.check(opened, find)
    except RadarError as error:
        if form != "nagios":
            raise
        return format_unknown(error.line())
    if form == "nagios":
        result = round_.for_nagios(_bad(strict=strict))
    else:
        result = round_.result(_bad(strict=strict), session, is_quiet=notifies)
    return _add_deliveries(result, deliveries, is_verbose=session.verbose)


def _check_all(session: Session, round_: "Round", find: Callable[[], People] | None) -> Deliveries:
    """Check everybody's stores: one that can't be used is noted, and the rest goes on."""
    own, others = find_places()
    deliveries = Deliveries()
    try:
        with open_monitors(session, own) as opened:
            deliveries = round_.check(opened, find)
        round_.metrics.add_store("", is_judged=True)
    except StateError as error:
        round_.unknown.append(("", error.line()))
        round_.metrics.add_store("", is_judged=False)
    people = find and find()  # as root, whose channels they are

    def look_in(place: Place, ask: Ask) -> dict[str, Any]:
        with open_monitors(session, place) as opened:
            found = Round(round_.choice, round_.form, round_.remind_every_us)
            there = found.check(opened, partial(people.through, ask) if people else None)
            return {"round": found.pack(), "told": asdict(there)}

    answer = people.answer if people else refuse
    for looked in look_apart(others, look_in, answer, limit_s=read_limit()):
        deliveries = deliveries.and_also(round_.absorb(looked))
    return deliveries


def _read_reminders(text: str) -> int:
    try:
        return round(parse_duration(text) * 1e6) if text else 0
    except BadValueError as error:
        raise error.as_usage_error("--remind") from None


def _bad(*, strict: bool) -> set[Status]:
    return {Status.DOWN, Status.LATE} if strict else {Status.DOWN}


def _add_deliveries(result: Result, deliveries: Deliveries, *, is_verbose: bool) -> Result:
    """The result, and what became of the notices."""
    notes = [*result.notes, *deliveries.failures]
    if is_verbose or is_terminal(sys.stderr):
        if deliveries.delivered:
            notes.append(
                f"{deliveries.delivered} notice{'' if deliveries.delivered == 1 else 's'} delivered"
            )
        notes += deliveries.by_others
    code = result.exit_code or (exits.UNREACHABLE if deliveries.failures else exits.OK)
    return result.but(notes=tuple(notes), exit_code=code)


@dataclass
class Round:
    """One look at the stores, each in its turn, for one of FORMATS."""

    choice: Choice
    form: str
    remind_every_us: int = 0
    takes_timers: bool = False
    counts: Counter[Status] = field(default_factory=Counter)
    unwatched: int = 0
    rows: list[tuple[object, ...]] = field(default_factory=list)
    entries: list[CheckFields] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    alarming: list[tuple[str, Status, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    hints: dict[str, str] = field(default_factory=dict)  # on what was named in vain
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    is_elsewhere: bool = False
    is_lost: bool = False
    unknown: list[tuple[str, str]] = field(default_factory=list)  # whose can't be judged, and why

    def check(self, opened: Opened, find: Callable[[], People] | None) -> Deliveries:
        """Judge one store, and first tell those whom `find` finds."""
        # One moment for both: what is bad by the exit code has been told.
        now_us = opened.now_us()
        if self.takes_timers:
            opened.notes += take_timers(opened)
        opened.note_check(now_us)
        deliveries = Deliveries()
        if find is not None:
            deliveries = notify_people(find, opened, now_us, remind_every_us=self.remind_every_us)
        elif self.form == "table":
            # Not with --notify: cron would mail it again and again.
            self.notes += self._find_unheard(opened)
        self.look_at(opened, now_us)
        return deliveries

    def _find_unheard(self, opened: Opened) -> list[str]:
        if self.choice.is_everything:
            return opened.find_unheard()
        keys = [known.key for known in self.choice.find(opened.store)]
        return opened.find_unheard(keys) if keys else []

    def look_at(self, opened: Opened, now_us: int) -> None:
        """Judge the monitors of one store, and read of them what the format needs."""
        opened.store.monitors.judge(now_us)
        is_some = not self.choice.is_everything
        chosen = {each.key: each for each in self.choice.find(opened.store)} if is_some else {}
        self.found |= chosen.keys()
        if not opened.user:
            self.hints = find_hints(opened.store, self.choice.find_missing(chosen))
        if loss := opened.store.find_loss():
            self.is_lost = True
            self.notes.append(f"{opened.store.place}: {loss}")
        self.notes += opened.remarks()
        self.is_elsewhere |= opened.is_elsewhere
        faulty = [*chosen.values()] if is_some else opened.store.monitors.faulty(_FAULTY_SHOWN)
        owner = f"{opened.user}/" if opened.user else ""
        self.faults += [
            (owner + known.key, fault) for known in faulty for fault in known.active_faults
        ]
        if self.form == "nagios":
            self._name_alarming(opened, now_us, chosen)
        elif self.form == "table":
            self.rows += [
                _row(seen, opened.user, now_us) for seen in self._alarming(opened, now_us, chosen)
            ]
            self.rows += [
                _fault_row(known.key, fault, opened.user, now_us)
                for known in faulty
                for fault in known.active_faults
            ]
        elif chosen or not is_some:
            for seen in look(opened.store, now_us, [*chosen], output_of=ALARMING):
                if self.form == "prometheus":
                    self.metrics.add(seen, opened.user)
                else:
                    self.entries.append(_describe(seen, opened.user))
        self._count(opened, now_us, chosen)

    def pack(self) -> dict[str, Any]:
        """Return what was found in one store, as JSON can hold it."""
        return {
            "counts": self.counts,
            "unwatched": self.unwatched,
            "rows": [
                [[cell.value, cell.style] if isinstance(cell, Cell) else cell for cell in row]
                for row in self.rows
            ],
            "entries": self.entries,
            "samples": self.metrics.samples(),
            "alarming": self.alarming,
            "notes": self.notes,
            "found": sorted(self.found),
            "is_lost": self.is_lost,
            "faults": [[owned, asdict(fault)] for owned, fault in self.faults],
        }

    def absorb(self, looked: Looked) -> Deliveries:
        """Add what was found in another user's store, if there is one; nothing of it is trusted."""
        user, deliveries = looked.place.user, Deliveries()
        if looked.found is None and not looked.fault:
            return deliveries
        fault = looked.fault
        try:
            if not fault:
                deliveries = self._unpack(**looked.found["round"], delivered=looked.found["told"])
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            fault = f"the process that looked at its store makes no sense: {error}"
        if fault:
            self.unknown.append((user, fault))
        self.metrics.add_store(user, is_judged=not fault)
        return deliveries

    def _unpack(
        self,
        *,
        counts: dict[str, int],
        unwatched: int,
        rows: list[list[Any]],
        entries: list[CheckFields],
        samples: dict[str, list[Sample]],
        alarming: list[tuple[str, str, str]],
        notes: list[str],
        found: list[str],
        is_lost: bool,
        faults: list[tuple[str, dict[str, Any]]],
        delivered: dict[str, Any],
    ) -> Deliveries:
        some_counts = {Status(status): int(count) for status, count in counts.items()}
        some_rows = [
            tuple(Cell(*cell) if isinstance(cell, list) else cell for cell in row) for row in rows
        ]
        some_alarming = [(key, Status(status), words) for key, status, words in alarming]
        some_faults = [(owned, Fault(**fault)) for owned, fault in faults]
        deliveries = Deliveries(
            int(delivered["delivered"]),
            tuple(delivered["failures"]),
            tuple(delivered["by_others"]),
        )
        self.metrics.absorb(samples)
        self.counts.update(some_counts)
        self.unwatched += unwatched
        self.rows += some_rows
        self.entries += entries
        self.alarming += some_alarming
        self.notes += notes
        self.found |= set(found)
        self.is_lost |= bool(is_lost)
        self.faults += some_faults
        return deliveries

    def result(self, bad: set[Status], session: Session, *, is_quiet: bool) -> Result:
        """Return the result for all formats but Nagios's; nothing that cron would mail in vain."""
        result = self._result(bad, session, is_quiet=is_quiet)
        mistake = self._find_mistake()
        if not self.unknown:
            if mistake is not None and result.exit_code:
                mistake.exit_code = result.exit_code
            return result.but(failure=mistake)
        # What is bad is the answer; what can't be judged is never well.
        notes = result.notes if mistake is None else (*result.notes, mistake.line())
        failure = describe_unknown(self.unknown, result.exit_code)
        return result.but(failure=failure, notes=notes)

    def _find_mistake(self) -> RadarError | None:
        return find_mistake(self.choice, self.found, lambda key: self.hints.get(key, ""))

    def _result(self, bad: set[Status], session: Session, *, is_quiet: bool) -> Result:
        notes = self._notes()
        is_bad = any(self.counts[status] for status in bad)
        is_bad |= self.is_lost or any(fault.kind == BAD for _, fault in self.faults)
        code = exits.BAD if is_bad else exits.OK
        if self.form == "prometheus":
            return Result(None, text=self.metrics.text(), notes=notes, exit_code=code)
        if self.form == "json":
            return Result(self.entries, notes=notes, exit_code=code)
        if (
            not self.rows
            and not notes
            and not self.unknown
            and self._find_mistake() is None
            and (session.verbose or is_terminal(sys.stderr))
        ):
            notes = (self._all_well(),)
        columns: tuple[str, ...] = ("monitor", "status", "since", "what happened", "look at")
        if any(row[0] for row in self.rows):
            columns = ("user", *columns)
        else:
            self.rows = [row[1:] for row in self.rows]
        is_shown = session.verbose or not is_quiet or is_terminal(sys.stdout)
        table = Table(
            columns,
            self.rows if is_shown else [],
            least=("since",),
            whole=("monitor", "status"),
            wrapped=("what happened",),
            hint="look at",
        )
        return Result(None, table, notes=notes, exit_code=code)

    def for_nagios(self, bad: set[Status]) -> Result:
        """The verdict as Nagios has it."""
        if mistake := self._find_mistake():
            return format_unknown(mistake.message)
        # Another user's state directory, or a server that knows instead: who says all is well?
        nothing_known = not (self.counts.total() or self.unknown)
        if self.is_elsewhere or self.is_lost or nothing_known:
            return format_unknown("; ".join(self._notes()) or "no monitors here")
        unknown = "; ".join(line for line in name_unknown(self.unknown))
        return format_verdict(self.alarming, self.counts, bad, self.faults, unknown)

    def _alarming(
        self, opened: Opened, now_us: int, chosen: dict[str, MonitorRecord]
    ) -> Iterator[MonitorOverview]:
        if self.choice.is_everything:
            return look_at_alarming(opened.store, now_us)
        some = look(opened.store, now_us, [*chosen], output_of=ALARMING) if chosen else ()
        return (seen for seen in some if seen.view.status in ALARMING)

    def _name_alarming(self, opened: Opened, now_us: int, chosen: dict[str, MonitorRecord]) -> None:
        """As many as are named, of either kind, without reading what they said."""
        owner = f"{opened.user}/" if opened.user else ""
        named = [known for _, known in sorted(chosen.items())]
        for status in ALARMING[::-1]:
            some: Iterable[MonitorRecord] = (
                known for known in named if known.view_at(now_us).status == status
            )
            if self.choice.is_everything:
                some = opened.store.monitors.all([status])
            self.alarming += [
                (owner + known.key, view.status, str(view.reason or view.status))
                for known in itertools.islice(some, NAMED)
                if (view := known.view_at(now_us))
            ]

    def _count(self, opened: Opened, now_us: int, chosen: dict[str, MonitorRecord]) -> None:
        if self.choice.is_everything:
            for (status, is_watched), count in opened.store.monitors.count_by_status().items():
                self.counts[Status(status)] += count
                self.unwatched += 0 if is_watched else count
            return
        for known in chosen.values():
            self.counts[known.view_at(now_us).status] += 1

    def _notes(self) -> tuple[str, ...]:
        return (*self.notes, *(name_unknown(self.unknown) if self.form != "nagios" else ()))

    def _all_well(self) -> str:
        total = self.counts.total()
        message = f"all well: {total} monitor{'' if total == 1 else 's'}"
        return message + (
            f", {self.unwatched} without a schedule to watch" if self.unwatched else ""
        )


def _row(seen: MonitorOverview, user: str, now_us: int) -> tuple[object, ...]:
    view = seen.view
    message = str(view.status) + (f" ({view.reason})" if view.reason else "")
    # Root's own radar wouldn't find it.
    look_at = f"sudo -iu {user} radar" if user else "radar"
    return (
        user,
        seen.known.key,
        Cell(message, _STYLES[view.status]),
        ago(iso(view.since_us) or "", now_us),
        what_happened(seen.view, seen.last_ended),
        f"{look_at} status -v {seen.known.key}",
    )


def _fault_row(key: str, fault: Fault, user: str, now_us: int) -> tuple[object, ...]:
    look_at = f"sudo -iu {user} radar" if user else "radar"
    return (
        user,
        key,
        Cell("declared wrongly", "bold red") if fault.kind == BAD else Cell("beware", "yellow"),
        ago(iso(fault.since_us) or "", now_us),
        fault.message,
        f"{look_at} monitors show {key}",
    )


def _describe(seen: MonitorOverview, user: str) -> CheckFields:
    """A monitor for programs; `radar status --json` has the output, too."""
    last = seen.last_ended
    return {
        **describe_glance(seen, user),
        "last_run": None if last is None else summarize_run(last),
        "what_happened": what_happened(seen.view, last) if seen.view.status in ALARMING else None,
    }
