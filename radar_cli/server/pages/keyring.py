"""`/keys`: the API keys of the server, for who may change everything; never their secrets."""

from typing import Any

from fastapi import APIRouter, Response

from radar_cli.server.api.depends import Served
from radar_cli.server.pages.overview import frame
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.visits import (
    ChangeForm,
    PageError,
    PageRoute,
    PagesServed,
    Visitor,
    now_us,
)
from radar_cli.server.runtime.keys import SCOPES, ApiKey, check_new
from radar_cli.server.runtime.service import Service

_EMPTY = {"name": "", "scope": "ping", "monitors": "*"}

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.get("/keys")
def list_keys(session: Visitor, service: Served, pages: PagesServed) -> Response:
    """Every key, those in use first, and a form for another one."""
    _expect_keeper(session)
    return _render(session, service, pages, _EMPTY)


@routes.post("/keys")
def create_key(session: Visitor, service: Served, pages: PagesServed, form: ChangeForm) -> Response:
    """Make a key and show it, once: nobody can read it again."""
    _expect_keeper(session)
    texts = {name: form.get(name, "").strip() for name in _EMPTY}
    try:
        check_new(texts["scope"], texts["monitors"], texts["name"])
    except ValueError as error:
        return _render(session, service, pages, texts, error=str(error), status=422)
    made = service.keys.create(now_us(), **texts)
    return _render(session, service, pages, _EMPTY, made=made)


@routes.get("/keys/{key_id}/revoke")
def ask_to_revoke(key_id: str, session: Visitor, service: Served, pages: PagesServed) -> Response:
    """Say what ends with the key, and ask."""
    key = _find(session, service, key_id)
    values = {
        **frame(session, service, now_us()),
        "key": key,
        "is_own": key.id == session.key.id,
        "is_last": not any(_is_keeper(each) and each.id != key.id for each in service.keys.list()),
    }
    return pages.page("revoke", values)


@routes.post("/keys/{key_id}/revoke")
def revoke_key(
    key_id: str, session: Visitor, service: Served, pages: PagesServed, _form: ChangeForm
) -> Response:
    """Take it out of use for good; whoever revokes their own is logged out."""
    service.keys.revoke(_find(session, service, key_id).id, now_us())
    service.access.ask_anew()
    return pages.redirect("/keys")


def _render(
    session: Session,
    service: Service,
    pages: Pages,
    texts: dict[str, str],
    *,
    made: str = "",
    error: str = "",
    status: int = 200,
) -> Response:
    keys = service.keys.list()
    values: dict[str, Any] = {
        **frame(session, service, now_us()),
        "keys": sorted(keys, key=lambda key: key.revoked_us is not None),
        "scopes": SCOPES,
        "texts": texts,
        "made": made,
        "error": error,
    }
    answer = pages.page("keys", values, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _find(session: Session, service: Service, key_id: str) -> ApiKey:
    """A key that is in use. PageError: there is none, or it is none of the visitor's business."""
    _expect_keeper(session)
    # PostgreSQL takes no NUL, not even to look for it.
    found = service.keys.find_by_id(key_id) if key_id.isascii() and key_id.isalnum() else None
    if found is None:
        raise PageError(404, "There is no such key in use.", "It may have been revoked.")
    return found


def _expect_keeper(session: Session) -> None:
    if not _is_keeper(session.key):
        hint = "Log in with an admin key for all monitors."
        raise PageError(403, "Your key can't look after keys.", hint)


def _is_keeper(key: ApiKey) -> bool:
    # Who may change some monitors only must not make a key that may change others.
    return key.revoked_us is None and key.may("admin") and key.monitors == "*"
