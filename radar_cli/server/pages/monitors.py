"""`/monitors/{key}`: everything about one monitor; and one of its runs."""

from typing import Any

from fastapi import APIRouter, Request, Response

from radar_cli.core.grammar import parse_run_id
from radar_cli.model.fault import BAD
from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.pitfalls import warn_of
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run, fold_runs
from radar_cli.model.sentences import describe_next
from radar_cli.model.state import Status
from radar_cli.model.uptime import Month, sum_months
from radar_cli.server.api.depends import Served, url_for
from radar_cli.server.pages.attending import describe_attention
from radar_cli.server.pages.overview import frame
from radar_cli.server.pages.plot import draw
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.showing import Shelf, outcome_of, ref_of
from radar_cli.server.pages.text import whole
from radar_cli.server.pages.visits import (
    MonitorSeen,
    PageError,
    PageRoute,
    PagesServed,
    Visitor,
    now_us,
)
from radar_cli.server.runtime.service import Service
from radar_cli.store.store import Store
from radar_cli.store.tokens import BADGE

_STRIP = 60
_RUNS_A_PAGE = 25
_FLIPS = 15
_FLIPS_SUMMED = 5000
_MONTHS = 12
_LOGS = 10
_NOTICES = 5
_TAIL_LINES = 40
# More than the store keeps, unless somebody wants it to.
_MOST_PINGS = 20_000
_PINGS_WITH_OUTPUT = 12
_ALWAYS_US = 2**62

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.get("/monitors/{key}")
def show_monitor(
    request: Request,
    session: Visitor,
    known: MonitorSeen,
    service: Served,
    pages: PagesServed,
    page: int = 1,
) -> Response:
    """Show what is expected of a monitor, its status, runs, flips and last output."""
    return render_monitor(request, session, known, service, pages, page=page)


def render_monitor(
    request: Request,
    session: Session,
    known: MonitorRecord,
    service: Service,
    pages: Pages,
    *,
    page: int = 1,
    more: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The page, with `more` that a form has to say."""
    now, store = now_us(), service.store
    store.monitors.judge(now)
    known = store.monitors.find(known.key) or known
    shown = Shelf().show(store, known, now, _STRIP)
    page = min(max(1, page), _MOST_PINGS)
    runs, has_more = _page_of_runs(store, known.key, page)
    view, monitor = shown.view, known.monitor
    pause = monitor.pause_at(now) if view.status == Status.PAUSED else None
    badge = store.tokens.find(known.key, BADGE)
    values = {
        **frame(session, service, now),
        "shown": shown,
        "monitor": monitor,
        "expression": known.declared.get("schedule", ""),
        "pause_until_us": None if pause is None else pause.end_us,
        "next_words": describe_next(monitor, view.expected_us),
        "faults": known.active_faults,
        "warnings": [
            line
            for line in warn_of(monitor, known.active_faults, now)
            if line not in {fault.message for fault in known.active_faults if fault.kind == BAD}
        ],
        "plot": draw(shown.runs, known.state.running, now, monitor.max_runtime_s),
        "runs": [(run, outcome_of(run, known.state.running)) for run in runs],
        "page": page,
        "has_more": has_more,
        "flips": _with_lengths(store.history.flips(known.key, _FLIPS), now),
        "logs": store.pings.newest_logs(known.key, _LOGS),
        "aliases": store.aliases.of(known.key),
        "months": _sum_months(store, known, now),
        "notices": store.notices.newest_of(known.key, _NOTICES, pattern=session.key.monitors),
        **_last_output(store, known.key),
        **describe_attention(store, known, now),
        "public_url": url_for(request),
        "badge": badge,
        "ping_token": "",
        "pause_error": "",
        "pause_for": "",
        "is_live": not more,
        **(more or {}),
    }
    return pages.page("monitor", values, status)


@routes.get("/monitors/{key}/runs/{ref}")
def show_run(
    ref: str,
    session: Visitor,
    known: MonitorSeen,
    service: Served,
    pages: PagesServed,
) -> Response:
    """A run with all that is kept of its output."""
    found = _find_run(service.store, known.key, ref)
    if found is None:
        hint = "Runs are forgotten after a while; see keep_pings in the settings."
        raise PageError(404, "There is no such run.", hint)
    run, logs = found
    values = {
        **frame(session, service, now_us()),
        "known": known,
        "run": run,
        "outcome": outcome_of(run, known.state.running),
        "output": whole(run.output),
        "logs": logs,
    }
    return pages.page("run", values)


def _sum_months(store: Store, known: MonitorRecord, now: int) -> list[Month]:
    """Sum how long it was up and down in the last months."""
    blind_us = [(each.begin_us, each.end_us) for each in store.outages.newest() if each.is_servers]
    blind_us += [
        (each.begin_us, now if each.end_us is None else each.end_us) for each in known.pauses
    ]
    flips = store.history.flips(known.key, _FLIPS_SUMMED)[::-1]
    return sum_months(flips, now, _MONTHS, blind_us=blind_us)


def _page_of_runs(store: Store, key: str, page: int) -> tuple[list[Run], bool]:
    """The runs of a page, the newest first, and whether there are older ones."""
    last = page * _RUNS_A_PAGE
    # A run has two pings, and some are only one: a few more, for those that were cut off.
    pings = store.pings.newest_of_runs(key, min(2 * last + 100, _MOST_PINGS))
    runs = fold_runs(pings)[::-1]
    return runs[last - _RUNS_A_PAGE : last], len(runs) > last


def _last_output(store: Store, key: str) -> dict[str, Any]:
    """The last run that ended, and the end of what it said."""
    runs = fold_runs(store.pings.newest(key, _PINGS_WITH_OUTPUT))
    run = next((run for run in reversed(runs) if not run.is_running), None)
    lines = whole(run.output).split("\n") if run is not None and run.output else []
    return {
        "last": run,
        "tail": "\n".join(lines[-_TAIL_LINES:]),
        "is_cut": len(lines) > _TAIL_LINES or bool(run and run.omitted_bytes),
    }


def _with_lengths(flips: list[Flip], now: int) -> list[tuple[Flip, float]]:
    """Each flip, and for how many seconds its status lasted."""
    ends = [now, *(flip.time_us for flip in flips)]
    return [
        (flip, max(0.0, (end - flip.time_us) / 1e6)) for flip, end in zip(flips, ends, strict=False)
    ]


def _find_run(store: Store, key: str, ref: str) -> tuple[Run, list[Ping]] | None:
    """A run with its output, and the log pings that belong to it."""
    try:
        run_id = parse_run_id(ref)
    except ValueError:
        run_id = ""
        if not ref.startswith("at-"):
            return None
    runs = fold_runs(store.pings.newest_of_runs(key, _MOST_PINGS))
    found = next((run for run in reversed(runs) if ref_of(run) in (ref, run_id)), None)
    if found is None:
        return None
    times_us = [at_us for at_us in (found.started_us, found.ended_us) if at_us is not None]
    # What it said by hand may have come after its end.
    last_us = _ALWAYS_US if run_id else max(times_us)
    pings = store.pings.of_run(key, run_id, (min(times_us), last_us))
    # Outputs are read only now. Of runs without an id there may be several in that time.
    run = next((run for run in fold_runs(pings) if run.ended_us == found.ended_us), found)
    return run, [ping for ping in pings if ping.kind == "log"] if run_id else []
