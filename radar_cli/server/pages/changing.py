"""Pausing, resuming and deleting a monitor: forms that post, and lead back to a page."""

from fastapi import APIRouter, Request, Response

from radar_cli.core.grammar import parse_duration
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.monitors import render_monitor
from radar_cli.server.pages.overview import frame
from radar_cli.server.pages.visits import (
    ChangeForm,
    MonitorSeen,
    PageError,
    PageRoute,
    PagesServed,
    Visitor,
    now_us,
)

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.post("/monitors/{key}/pause")
def pause(
    request: Request,
    session: Visitor,
    known: MonitorSeen,
    service: Served,
    pages: PagesServed,
    form: ChangeForm,
) -> Response:
    """Expect nothing of it for a while or, if the form names none, until it is resumed."""
    text = form.get("for", "").strip()
    try:
        pause_us = round(parse_duration(text) * 1e6) if text else None
    except ValueError as error:
        pause_us, message = 0, str(error)
    else:
        message = "A pause has to be longer than that."
    if pause_us is not None and pause_us <= 0:
        more = {"pause_error": message, "pause_for": text}
        return render_monitor(request, session, known, service, pages, more=more, status=422)
    now = now_us()
    service.store.monitors.judge(now)
    service.store.monitors.pause([known.key], now, None if pause_us is None else now + pause_us)
    return pages.redirect(f"/monitors/{known.key}")


@routes.post("/monitors/{key}/resume")
def resume(known: MonitorSeen, service: Served, pages: PagesServed, _form: ChangeForm) -> Response:
    """Expect runs of it again, from now on."""
    now = now_us()
    service.store.monitors.judge(now)
    service.store.monitors.resume([known.key], now)
    return pages.redirect(f"/monitors/{known.key}")


@routes.get("/monitors/{key}/delete")
def ask_to_delete(
    session: Visitor, known: MonitorSeen, service: Served, pages: PagesServed
) -> Response:
    """Say what would go, and ask."""
    if not session.may_change:
        raise PageError(403, "Your key is for looking only.", "Log in with an admin key.")
    pings = service.store.history.count_pings(known.key)
    values = {**frame(session, service, now_us()), "known": known, "pings": pings}
    return pages.page("delete", values)


@routes.post("/monitors/{key}/delete")
def delete(known: MonitorSeen, service: Served, pages: PagesServed, _form: ChangeForm) -> Response:
    """Delete it for good."""
    service.store.monitors.delete([known.key])
    return pages.redirect("/")
