"""Giving a monitor another key, and removing the old ones that still count for it."""

from fastapi import APIRouter, Response

from radar_cli.core.ids import check_key, is_key
from radar_cli.model.port import MonitorExistsError, UnknownMonitorError
from radar_cli.model.record import MonitorRecord
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.overview import frame
from radar_cli.server.pages.rendering import Pages
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
from radar_cli.server.runtime.service import Service

_KEY_MAX = 400

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.get("/monitors/{key}/rename")
def ask_for_key(
    session: Visitor, known: MonitorSeen, service: Served, pages: PagesServed
) -> Response:
    """The form."""
    if not session.may_change:
        raise PageError(403, "Your key is for looking only.", "Log in with an admin key.")
    return _render(session, service, pages, known, known.key)


@routes.post("/monitors/{key}/rename")
def rename(
    session: Visitor, known: MonitorSeen, service: Served, pages: PagesServed, form: ChangeForm
) -> Response:
    """Give it the key, if nothing else has it."""
    new, keeps_alias = form.get("key", "").strip(), bool(form.get("alias"))
    try:
        check_key(new)
        if not session.key.covers(new):
            raise ValueError(f"your key is for monitors like {session.key.monitors!r}")
        service.store.aliases.rename(known.key, new, now_us(), keeps_alias=keeps_alias)
    except UnknownMonitorError:
        raise PageError(404, "There is no such monitor.", "It may have been deleted.") from None
    except MonitorExistsError as error:
        return _render(session, service, pages, known, new, error.message, keeps_alias=keeps_alias)
    except ValueError as error:
        return _render(session, service, pages, known, new, str(error), keeps_alias=keeps_alias)
    return pages.redirect(f"/monitors/{new}")


@routes.post("/monitors/{key}/unalias")
def unalias(known: MonitorSeen, service: Served, pages: PagesServed, form: ChangeForm) -> Response:
    """Remove an old key of this monitor."""
    old = form.get("alias", "")
    alias = service.store.aliases.find(old) if is_key(old) else None
    if alias is not None and alias.monitor == known.key:
        service.store.aliases.drop(old)
    return pages.redirect(f"/monitors/{known.key}")


def _render(
    session: Session,
    service: Service,
    pages: Pages,
    known: MonitorRecord,
    new: str,
    error: str = "",
    *,
    keeps_alias: bool = True,
) -> Response:
    values = {
        **frame(session, service, now_us()),
        "known": known,
        "new": new[:_KEY_MAX],
        "error": error,
        "keeps_alias": keeps_alias,
    }
    return pages.page("rename", values, 422 if error else 200)
