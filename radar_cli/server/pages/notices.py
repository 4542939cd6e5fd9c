"""`/notices`: what people were told, when, by which channel, and with which answer."""

from typing import Any

from fastapi import APIRouter, Response

from radar_cli.core.ids import is_key
from radar_cli.model.notice_log import Logged
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.overview import frame
from radar_cli.server.pages.visits import PageRoute, PagesServed, Visitor, now_us
from radar_cli.store.store import Store

_A_PAGE = 50
_ID_MAX = 100

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.get("/notices")
def list_notices(
    session: Visitor,
    service: Served,
    pages: PagesServed,
    monitor: str = "",
    channel: str = "",
    before: str = "",
) -> Response:
    """A page of notices, the newest first; only those of a monitor, or by a channel."""
    monitor = monitor.strip()
    sees_all = session.key.monitors == "*"
    channel = channel if sees_all and len(channel) <= _ID_MAX and channel.isprintable() else ""
    found: list[Logged] = []
    if not monitor or (is_key(monitor) and session.key.covers(monitor)):
        place = before if len(before) <= _ID_MAX and before.isascii() else ""
        place = place if place.isprintable() else ""
        found = _read(service.store, session.key.monitors, monitor, channel, place)
    shown = found[:_A_PAGE]
    asked = {"monitor": monitor, "channel": channel}
    names = {each.table.name for each in service.channels} if sees_all else set()
    values: dict[str, Any] = {
        **frame(session, service, now_us()),
        "notices": shown,
        "asked": asked,
        "names": sorted(names | ({channel} if channel else set())),
        "is_first": not before,
        "first_link": pages.url("/notices", **asked),
        "older_link": len(found) > _A_PAGE and pages.url("/notices", **asked, before=shown[-1].id),
    }
    return pages.page("notices", values)


def _read(store: Store, pattern: str, monitor: str, channel: str, before: str) -> list[Logged]:
    """One more than a page has, if there are as many."""
    found = store.notices.newest(
        _A_PAGE + 1, monitor=monitor, channel=channel, pattern=pattern, before=before
    )
    # What LIKE lets through is at least what the pattern does; a channel's own news has no monitor.
    return [each for each in found if each.monitors or pattern == "*"]
