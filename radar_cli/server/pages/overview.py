"""`/`: all monitors, those with trouble first."""

import time
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.server.api.depends import Reached, Served
from radar_cli.server.pages.rendering import Pages, local_path
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.visits import PageRoute, PagesServed, Visitor, now_us
from radar_cli.server.runtime.service import STUCK_AFTER_S, Service
from radar_cli.store.arranging import ARRANGED_MAX, ORDERS, Group, Order, arrange
from radar_cli.store.searching import GROUPS, Cursor, Wanted, search

_ROWS = 100
_RUNS = 24
# An outage is worth a line for so long.
_OUTAGE_SHOWN_US = 86_400 * 1_000_000
_WORDS_MAX, _TAGS_MAX, _TEXT_MAX = 5, 5, 200
# In the order in which they matter.
_STATUSES = (Status.DOWN, Status.LATE, Status.UP, Status.NEW, Status.PAUSED)

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.get("/")
def list_monitors(
    request: Request,
    session: Visitor,
    service: Served,
    pages: PagesServed,
    reached: Reached,
    q: str = "",
    tag: Annotated[list[str] | None, Query()] = None,
    status: Annotated[list[str] | None, Query()] = None,
    sort: str = "",
    group: str = "",
    page: str = "",
    after: str = "",
    before: str = "",
) -> Response:
    """A page of monitors, with what is looked for in plain parameters."""
    now = now_us()
    service.store.monitors.judge(now)
    wanted = Wanted(
        " ".join(q[:_TEXT_MAX].replace("\0", " ").split()[:_WORDS_MAX]),
        tuple(dict.fromkeys(each.strip()[:_TEXT_MAX] for each in tag or () if each.strip()))[
            :_TAGS_MAX
        ],
        tuple(each for each in _STATUSES if each in (status or ())),
        session.key.monitors,
    )
    order = _read_order(sort, group)
    counts = pages.tally.count(wanted.pattern)
    asked = {
        "q": wanted.words,
        "tag": list(wanted.tags),
        "status": list(map(str, wanted.statuses)),
        "sort": _write_order(order),
        "group": "tag" if order.by_tag else "",
    }
    listed = _list(service, pages, wanted, order, asked, _Place(page, after, before))
    monitors = [known for _, known in listed.monitors]
    shown = pages.shelf.show_all(service.store, monitors, now, _RUNS)
    values = {
        **frame(session, service, now),
        "rows": [*zip((group for group, _ in listed.monitors), shown, strict=True)],
        "counts": [(str(each), counts[each]) for each in _STATUSES],
        "total": sum(counts.values()),
        "asked": asked,
        "reached": reached,
        "is_filtered": bool(wanted.words or wanted.tags or wanted.statuses),
        "here": local_path(request),
        **listed.links,
        **_links(pages, asked),
    }
    return pages.page("overview", values)


@dataclass(frozen=True, slots=True)
class _Place:
    """The page that is asked for: its number or, in a list that isn't sorted, where it begins."""

    page: str
    after: str
    before: str


@dataclass(frozen=True, slots=True)
class _Listed:
    """The monitors of a page, each with its group, and the links to the pages beside it."""

    monitors: list[tuple[Group | None, MonitorRecord]]
    links: dict[str, Any]


def _list(
    service: Service,
    pages: Pages,
    wanted: Wanted,
    order: Order,
    asked: dict[str, Any],
    place: _Place,
) -> _Listed:
    """The page that is asked for, sorted if there aren't too many monitors for that."""
    database = service.store.database
    number = int(place.page) if place.page.isascii() and place.page.isdigit() else 1
    number = min(max(1, number), ARRANGED_MAX)
    arranged = arrange(database, wanted, order, _ROWS, (number - 1) * _ROWS)
    if arranged is not None:
        pages_beside = {
            "before_link": number > 1
            and pages.url("/", **asked, page=number - 1 if number > 2 else ""),
            "after_link": arranged.has_more and pages.url("/", **asked, page=number + 1),
        }
        return _Listed(arranged.monitors, {"is_sorted": True, **pages_beside})
    found = search(
        *(database, wanted, _ROWS),
        after=_read_cursor(place.after),
        before=_read_cursor(place.before),
    )
    cursors = {
        "before_link": found.before and pages.url("/", **asked, before=_write_cursor(found.before)),
        "after_link": found.after and pages.url("/", **asked, after=_write_cursor(found.after)),
    }
    return _Listed([(None, each) for each in found.monitors], {"is_sorted": False, **cursors})


def _read_order(sort: str, group: str) -> Order:
    """The order that parameters name; trouble first if they name none."""
    by = sort.removeprefix("-")
    is_known = by in ORDERS
    return Order(by if is_known else ORDERS[0], is_known and by != sort, group == "tag")


def _write_order(order: Order) -> str:
    if order.by == ORDERS[0] and not order.is_reversed:
        return ""
    return f"-{order.by}" if order.is_reversed else order.by


def frame(session: Session, service: Service, now: int) -> dict[str, Any]:
    """Return what every page shows of the server and of who looks."""
    outage = service.store.outages.last()
    if outage is not None and now - outage.end_us > _OUTAGE_SHOWN_US:
        outage = None
    idle_s = time.monotonic() - service.evaluator.last_tick
    return {
        "session": session,
        "csrf": session.csrf,
        "now": now,
        "outage": outage,
        # How many of all the monitors were due is not for a key that sees only some of them.
        "sees_all": session.key.monitors == "*",
        "has_celery": session.key.monitors == "*" and service.store.ledger.last_look() is not None,
        "idle_s": idle_s if idle_s >= STUCK_AFTER_S else 0,
        "alerts_waiting": service.store.alerts.count_waiting(session.key.monitors),
        "channels": len(service.channels),
        # Whom they tell, and why not, is for who sees all.
        "failing": service.store.channels.failing({each.table.name for each in service.channels})
        if session.key.monitors == "*"
        else [],
    }


def _links(pages: Pages, asked: dict[str, Any]) -> dict[str, Any]:
    """The same list by each status, without a tag, in another order, and by tags or not."""
    chosen = asked["status"]
    by_status = {
        str(each): pages.url("/", **{**asked, "status": [] if chosen == [each] else [str(each)]})
        for each in _STATUSES
    }
    without_tag = {
        tag: pages.url("/", **{**asked, "tag": [each for each in asked["tag"] if each != tag]})
        for tag in asked["tag"]
    }
    return {
        "status_links": by_status,
        "without_tag": without_tag,
        "first_link": pages.url("/", **asked),
        "sort_links": {each: _sort_link(pages, asked, each) for each in ORDERS},
        "group_link": pages.url("/", **{**asked, "group": "" if asked["group"] else "tag"}),
    }


def _sort_link(pages: Pages, asked: dict[str, Any], by: str) -> str:
    """The list by this; the other way round if it is by this already."""
    now = asked["sort"] or ORDERS[0]
    wanted = f"-{by}" if now == by else by
    return pages.url("/", **{**asked, "sort": "" if wanted == ORDERS[0] else wanted})


def _read_cursor(text: str) -> Cursor | None:
    """The place that a parameter names; None if it names none."""
    group, mark, key = text.partition(".")
    if not mark or group not in map(str, range(len(GROUPS))) or not key.isascii():
        return None
    return Cursor(int(group), key[:_TEXT_MAX].replace("\0", ""))


def _write_cursor(cursor: Cursor) -> str:
    return f"{cursor.group}.{cursor.key}"
