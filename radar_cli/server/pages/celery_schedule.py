"""`/celery/schedule`: what was due of Beat's entries, and what came of it."""

from collections.abc import Collection
from dataclasses import dataclass

from fastapi import APIRouter, Response

from radar_cli.celery.schedule.entry import entry_key
from radar_cli.core.grammar import format_duration
from radar_cli.model.ledger import UNSENT, Firing, TaskState, describe_stage
from radar_cli.model.sentences import local_time
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.celery_overview import DAY_US, celery_frame
from radar_cli.server.pages.celery_tasks import FAILED
from radar_cli.server.pages.showing import Tick
from radar_cli.server.pages.visits import PageRoute, PagesServed, Visitor, now_us

_FIRINGS = 5_000
_LISTED = 100
_TICKS = 40
_DAYS = 7
_ENTRIES = 500
_NAME_MAX = 300

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry with its newest firings. `monitor` is the key of its monitor, "" if it has none."""

    name: str
    task: str
    last: Firing
    ticks: list[Tick]
    counts: str
    monitor: str


@routes.get("/celery/schedule")
def show_schedule(
    session: Visitor, service: Served, pages: PagesServed, entry: str = ""
) -> Response:
    """Each entry with a strip of its firings, and the newest firings with all of their stages."""
    now = now_us()
    values = celery_frame(session, service, now)
    entry = entry[:_NAME_MAX].replace("\0", "")
    firings = service.store.ledger.firings(now - _DAYS * DAY_US, entry=entry, limit=_FIRINGS)
    by_entry: dict[str, list[Firing]] = {}
    for each in firings:
        by_entry.setdefault(each.entry, []).append(each)
    names = sorted(by_entry)[:_ENTRIES]
    known = service.store.monitors.find_all({entry_key(name) for name in names}).keys()
    values |= {
        "entry": entry,
        "entries": [_show_entry(name, by_entry[name], known) for name in names],
        "firings": [(each, _kind_of(each), _describe_end(each)) for each in firings[:_LISTED]],
        "is_cut": len(firings) == _FIRINGS,
        "days": _DAYS,
        "slots": _TICKS,
    }
    return pages.page("celery_schedule", values)


def _show_entry(name: str, firings: list[Firing], known: Collection[str]) -> ShownEntry:
    """`firings` begin with the newest."""
    kinds = [_kind_of(each) for each in firings]
    words = {"success": "well", "fail": "failed", "missed": "not sent", "running": "on its way"}
    counts = [f"{kinds.count(kind)} {text}" for kind, text in words.items() if kind in kinds]
    ticks = [_tick(each) for each in reversed(firings[:_TICKS])]
    key = entry_key(name)
    return ShownEntry(
        name, firings[0].task, firings[0], ticks, ", ".join(counts), key if key in known else ""
    )


def _tick(firing: Firing) -> Tick:
    parts = [f"due {local_time(firing.due_us)}", _describe_end(firing)]
    if firing.started_us is not None and firing.ended_us is not None:
        took_s = max(0, firing.ended_us - firing.started_us) / 1e6
        parts.append(f"took {format_duration(took_s)}")
    return Tick(_kind_of(firing), ", ".join(parts))


def _kind_of(firing: Firing) -> str:
    """Return the kind of a firing's mark in a strip."""
    if firing.stage in UNSENT:
        return "missed"
    if firing.stage or firing.state in FAILED:
        return "fail"
    return "success" if firing.state == TaskState.SUCCESS else "running"


def _describe_end(firing: Firing) -> str:
    if firing.stage:
        return describe_stage(firing.stage)
    if firing.state:
        return firing.state
    for name, time_us in (
        ("started", firing.started_us),
        ("received", firing.received_us),
        ("published", firing.published_us),
    ):
        if time_us is not None:
            return name
    return "due"
