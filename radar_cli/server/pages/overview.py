"""`/`: all monitors, those with trouble first."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from radar_cli.model.state import Status
from radar_cli.server.api.depends import Reached, Served
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.showing import show_all
from radar_cli.server.pages.visits import PageRoute, PagesServed, Visitor, now_us
from radar_cli.server.runtime.service import STUCK_AFTER_S, Service
from radar_cli.store.searching import GROUPS, Cursor, Found, Wanted, search

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
    session: Visitor,
    service: Served,
    pages: PagesServed,
    reached: Reached,
    q: str = "",
    tag: Annotated[list[str] | None, Query()] = None,
    status: Annotated[list[str] | None, Query()] = None,
    after: str = "",
    before: str = "",
) -> Response:
    """A page of monitors, with what is looked for in plain parameters."""
    now = now_us()
    service.store.judge(now)
    wanted = Wanted(
        " ".join(q[:_TEXT_MAX].replace("\0", " ").split()[:_WORDS_MAX]),
        tuple(dict.fromkeys(each.strip()[:_TEXT_MAX] for each in tag or () if each.strip()))[
            :_TAGS_MAX
        ],
        tuple(each for each in _STATUSES if each in (status or ())),
        session.key.monitors,
    )
    found = search(
        *(service.store.database, wanted, _ROWS),
        after=_read_cursor(after),
        before=_read_cursor(before),
    )
    counts = pages.tally.count(wanted.pattern)
    asked = {"q": wanted.words, "tag": list(wanted.tags), "status": list(map(str, wanted.statuses))}
    values = {
        **frame(session, service, now),
        "rows": show_all(service.store, found.monitors, now, _RUNS),
        "counts": [(str(each), counts[each]) for each in _STATUSES],
        "total": sum(counts.values()),
        "asked": asked,
        "reached": reached,
        "is_filtered": any(asked.values()),
        **_links(pages, asked, found),
    }
    return pages.page("overview", values)


def frame(session: Session, service: Service, now: int) -> dict[str, Any]:
    """Return what every page shows of the server and of who looks."""
    outage = service.store.last_outage()
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
        "idle_s": idle_s if idle_s >= STUCK_AFTER_S else 0,
        "alerts_waiting": service.store.count_waiting_alerts(session.key.monitors),
        "channels": len(service.channels),
    }


def _links(pages: Pages, asked: dict[str, Any], found: Found) -> dict[str, Any]:
    """The pages before and behind this one, and the same list by each status or without a tag."""
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
        "before_link": found.before and pages.url("/", **asked, before=_write_cursor(found.before)),
        "after_link": found.after and pages.url("/", **asked, after=_write_cursor(found.after)),
    }


def _read_cursor(text: str) -> Cursor | None:
    """The place that a parameter names; None if it names none."""
    group, mark, key = text.partition(".")
    if not mark or group not in map(str, range(len(GROUPS))) or not key.isascii():
        return None
    return Cursor(int(group), key[:_TEXT_MAX].replace("\0", ""))


def _write_cursor(cursor: Cursor) -> str:
    return f"{cursor.group}.{cursor.key}"
