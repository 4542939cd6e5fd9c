"""A monitor's secret ping URL and its badge: shown or made when somebody asks."""

from fastapi import APIRouter, Request, Response

from radar_cli.server.api.depends import Served
from radar_cli.server.pages.monitors import render_monitor
from radar_cli.server.pages.visits import (
    ChangeForm,
    MonitorSeen,
    PageRoute,
    PagesServed,
    Visitor,
)
from radar_cli.store.tokens import BADGE, PING

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.post("/monitors/{key}/ping-url")
def reveal_ping_url(
    request: Request,
    session: Visitor,
    known: MonitorSeen,
    service: Served,
    pages: PagesServed,
    form: ChangeForm,
) -> Response:
    """Show the URL that needs no key, or make a new one, which ends the old one."""
    if form.get("new"):
        service.store.tokens.drop(known.key, PING)
    more = {"ping_token": service.store.tokens.make(known.key, PING)}
    return render_monitor(request, session, known, service, pages, more=more)


@routes.post("/monitors/{key}/badge")
def switch_badge(
    known: MonitorSeen, service: Served, pages: PagesServed, form: ChangeForm
) -> Response:
    """Make a badge that anybody may see who knows its address, or take it away."""
    if form.get("on"):
        service.store.tokens.make(known.key, BADGE)
    else:
        service.store.tokens.drop(known.key, BADGE)
    answer = pages.redirect(f"/monitors/{known.key}")
    answer.headers["location"] += "#badge"
    return answer
