"""Monitors and runs as the templates show them."""

import itertools
import math
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Callable, Sequence

from markupsafe import Markup

from radar_cli.core.grammar import format_duration
from radar_cli.model.monitor import Monitor
from radar_cli.model.overview import ALARMING
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run
from radar_cli.model.schedule import load_timezone
from radar_cli.model.sentences import (
    describe_exit,
    describe_origin,
    describe_schedule,
    find_links,
    format_size,
    local_time,
    what_happened,
)
from radar_cli.model.state import Reason, View
from radar_cli.model.strip import Mark, Place, find_places
from radar_cli.server.pages.text import one_line, plain, whole
from radar_cli.store.store import Store

MARK_WORDS = {
    Mark.SUCCESS: "well",
    Mark.FAIL: "failed",
    Mark.RUNNING: "running",
    Mark.HUNG: "hung",
    Mark.MISSED: "missed",
}
_SHORT_ID = 8
_WHY_MAX = 160
_MINUTE_US = 60_000_000
_KEPT_MAX = 1000


@dataclass(frozen=True, slots=True)
class Tick:
    """A place of a strip, and what is said of it."""

    kind: str
    title: str
    ref: str = ""  # of its run


@dataclass(frozen=True, slots=True)
class Shown:
    """A monitor as a row or a page begins with it. Times are Unix time in microseconds."""

    known: MonitorRecord
    view: View
    now_us: int
    runs: list[Run]  # the newest last, without outputs
    ticks: list[Tick]
    why: str  # of what is late or down

    @property
    def key(self) -> str:
        """Its key."""
        return self.known.key

    @property
    def name(self) -> str:
        """Its name, if it has one that isn't its key."""
        name = one_line(self.known.monitor.name)
        return "" if name == self.key else name

    @property
    def status_s(self) -> float:
        """For how long it has said what it says."""
        return max(0.0, (self.now_us - self.view.since_us) / 1e6)

    @property
    def running_s(self) -> float | None:
        """For how long the newest of the runs that go on has gone on."""
        began = max(self.known.state.running.values(), default=None)
        return None if began is None else max(0.0, (self.now_us - began) / 1e6)

    @property
    def tags(self) -> list[str]:
        """Its tags, as they are declared."""
        return list(self.known.monitor.tags)

    @property
    def status(self) -> str:
        """Its status, as a word."""
        return str(self.view.status)

    @property
    def reason(self) -> str:
        """The reason of a down, as a word."""
        return str(self.view.reason or "")

    @property
    def last_ended(self) -> Run | None:
        """The newest run whose end is known."""
        return next((run for run in reversed(self.runs) if not run.is_running), None)

    @property
    def expectation(self) -> str:
        """Return when its runs are expected, in a few words."""
        return describe_schedule(self.known.monitor)

    @property
    def strip_text(self) -> str:
        """The strip for those who don't see it: `24 runs: 22 well, 1 failed, 1 missed`."""
        kinds = [tick.kind for tick in self.ticks]
        counts = [f"{kinds.count(mark)} {MARK_WORDS[mark]}" for mark in Mark if mark in kinds]
        return f"last {len(kinds)} runs: {', '.join(counts)}" if kinds else "no runs yet"


class Shelf:
    """Monitors with their runs, of which most have nothing new when a page is asked for again.

    What is known of one is as old as its row: each ping makes another version of that. Whether a
    run was missed since then is looked at every minute.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[int, ...], list[Run], list[Tick]]] = {}
        self._lock = threading.Lock()

    def show(self, store: Store, known: MonitorRecord, now_us: int, limit: int) -> Shown:
        """A monitor with its newest runs, at most `limit`."""
        return self.show_all(store, [known], now_us, limit)[0]

    def show_all(
        self, store: Store, several: Sequence[MonitorRecord], now_us: int, limit: int
    ) -> list[Shown]:
        """The same for several."""
        minute = now_us // _MINUTE_US
        states = {each.key: (each.version, each.created_us, limit, minute) for each in several}
        with self._lock:
            kept = {key: self._kept[key] for key in states if key in self._kept}
        missing = [k for k in several if k.key not in kept or kept[k.key][0] != states[k.key]]
        if missing:
            # One whose start was cut off is older than what is shown.
            runs = store.history.last_runs([known.key for known in missing], limit)
            for known in missing:
                own = runs[known.key][-limit:]
                kept[known.key] = (states[known.key], own, _find_ticks(known, own, now_us, limit))
            with self._lock:
                if len(self._kept) > _KEPT_MAX:
                    self._kept.clear()
                self._kept.update({known.key: kept[known.key] for known in missing})
        return [_show(store, known, *kept[known.key][1:], now_us) for known in several]


def _find_ticks(known: MonitorRecord, runs: list[Run], now_us: int, limit: int) -> list[Tick]:
    places = find_places(known.monitor, runs, now_us, running=known.state.running, limit=limit)
    return [_tick(place) for place in places]


def _show(
    store: Store, known: MonitorRecord, runs: list[Run], ticks: list[Tick], now_us: int
) -> Shown:
    view = known.view_at(now_us)
    why = ""
    if view.status in ALARMING:
        last = next((run for run in reversed(runs) if not run.is_running), None)
        if last is not None and view.reason == Reason.FAILED:
            last = store.history.with_output(known.key, last)
        why = one_line(what_happened(view, last, _WHY_MAX), _WHY_MAX)
    return Shown(known, view, now_us, runs, ticks, why)


def outcome_of(run: Run, running: Sequence[str] | dict[str, int]) -> str:
    """`success`, `fail`, `running` or `hung`."""
    return run.outcome or ("running" if run.run_id in running else "hung")


def ref_of(run: Run) -> str:
    """Return a run's name in a path: its id or, without one, when it ended or began."""
    return run.run_id or f"at-{run.ended_us or run.started_us}"


def began_us(run: Run) -> int | None:
    """Return when a run began, as far as that is known."""
    return run.started_us if run.started_us is not None else run.ended_us


def how(run: Run) -> str:
    """The exit code, the signal, or nothing."""
    words = describe_exit(run)
    return f"exit {words}" if words.isdigit() else words


def _tick(place: Place) -> Tick:
    run, word = place.run, MARK_WORDS[place.mark]
    if run is None:
        return Tick(place.mark, f"{word}, due {local_time(place.at_us)}")
    parts = [word]
    if run.duration_s is not None:
        parts.append(f"took {format_duration(run.duration_s)}")
    if place.mark == Mark.FAIL:
        parts += [how(run), one_line(run.reason, 100)]
    parts.append(local_time(place.at_us))
    return Tick(place.mark, ", ".join(part for part in parts if part), ref_of(run))


def relative(time_us: int, now_us: int) -> str:
    """`3 min ago`, `in 2 h 10 min`, `now`."""
    seconds = (now_us - time_us) / 1e6
    if abs(seconds) < 1:
        return "now"
    length = rough(abs(seconds))
    return f"{length} ago" if seconds > 0 else f"in {length}"


def rough(seconds: float) -> str:
    """A duration as exactly as people say it: `37 min`, `1 h 12 min`, `13 h`, `3 d 4 h`."""
    for size in (86_400, 3600):
        if seconds >= 10 * size:
            return format_duration(seconds // size * size)
    if seconds >= 120:
        return format_duration(seconds // 60 * 60)
    return format_duration(max(1, int(seconds)))


def brief(time_us: int, now_us: int, zone: tzinfo | None = None) -> str:
    """`14:05 CET` of today, `Thu 02:05 CET` of this week, else `26 Nov 02:05`, or with its year."""
    moment = datetime.fromtimestamp(time_us / 1e6).astimezone(zone)
    today = datetime.fromtimestamp(now_us / 1e6).astimezone(zone)
    days = abs((moment.date() - today.date()).days)
    day = "" if not days else "%a " if days < 6 else "%-d %b " if days < 300 else "%Y-%m-%d "
    return moment.strftime(f"{day}%H:%M %Z")


def day(time_us: int, zone: str) -> str:
    """`Thu 2026-11-26 02:05 CET`, by the clock of a zone."""
    moment = datetime.fromtimestamp(time_us / 1e6, UTC).astimezone(load_timezone(zone))
    return f"{moment:%a %Y-%m-%d %H:%M %Z}"


def stamp(time_us: int, text: str = "") -> Markup:
    """A moment as an element, which the reader's browser tells in its own timezone."""
    shown = text or local_time(time_us)
    return Markup('<time datetime="{}" data-as="exact">{}</time>').format(_iso(time_us), shown)


def percent(share: float) -> str:
    """`99.95 %`; never 100 of what was down for a moment, nor 0 of what was up."""
    hundredths = share * 10_000
    shown = math.floor(hundredths) if share > 0.5 else math.ceil(hundredths)
    return f"{shown / 100:.2f} %".replace(".00 ", " ")


def zone_of(monitor: Monitor) -> tzinfo | None:
    """The timezone that a monitor's schedule goes by; None without a schedule."""
    return None if monitor.schedule is None else monitor.schedule.tz


def _iso(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="seconds")


FILTERS: dict[str, Callable[..., Any]] = {
    "day": day,
    "duration": format_duration,
    "month": lambda time_us: f"{datetime.fromtimestamp(time_us / 1e6).astimezone():%b %Y}",
    "groupby_first": lambda rows: [
        [*some] for _, some in itertools.groupby(rows, key=lambda row: row[0])
    ],
    "percent": percent,
    "stamp": stamp,
    "exact": local_time,
    "how": how,
    "iso": _iso,
    "line": one_line,
    "linked": find_links,
    "plain": plain,
    "origin": describe_origin,
    "ref": ref_of,
    "relative": relative,
    "rough": rough,
    "short": lambda run_id: run_id[-_SHORT_ID:],
    "size": format_size,
    "whole": whole,
    "began": began_us,
    "brief": brief,
    "zone": zone_of,
}
