"""Seeing to a monitor from its page: acknowledging, and having nothing told of it for a while."""

from typing import Any

from fastapi import APIRouter, Response

from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.visits import (
    ChangeForm,
    MonitorSeen,
    PageError,
    PageRoute,
    PagesServed,
    Visitor,
    now_us,
)
from radar_cli.store.store import Store

SNOOZES_S = (3600, 4 * 3600, 86_400)

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


def describe_attention(store: Store, known: MonitorRecord, now: int) -> dict[str, Any]:
    """Return what the page shows of who sees to a monitor."""
    return {
        "attention": store.incidents.attention([known], now)[known.key],
        "is_down": known.state.status == Status.DOWN,
        "snoozes": SNOOZES_S,
    }


@routes.post("/monitors/{key}/ack")
def acknowledge(
    session: Visitor, known: MonitorSeen, service: Served, pages: PagesServed, _form: ChangeForm
) -> Response:
    """Note that whoever is logged in sees to what is down."""
    service.store.incidents.acknowledge([known.key], now_us(), _name(session))
    return pages.redirect(f"/monitors/{known.key}")


@routes.post("/monitors/{key}/snooze")
def snooze(
    session: Visitor, known: MonitorSeen, service: Served, pages: PagesServed, form: ChangeForm
) -> Response:
    """Tell nobody of it for a while; with no length, end what was set so."""
    now, length = now_us(), form.get("for_s", "")
    if not length:
        for window in service.store.windows.not_over(now):
            # One for others, too, is ended with `radar monitors maintenance end`.
            if window.monitors == known.key and window.covers(now):
                service.store.windows.end(window.id, now)
    elif length in map(str, SNOOZES_S):
        service.store.incidents.snooze(
            [known.key], now, now + int(length) * 1_000_000, _name(session)
        )
    else:
        raise PageError(400, "This isn't what the form sends.")
    return pages.redirect(f"/monitors/{known.key}")


def _name(session: Session) -> str:
    return session.key.name or session.key.id
