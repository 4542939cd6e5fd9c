"""Logging in with an API key, and out."""

from typing import Any

from fastapi import APIRouter, Request, Response

from radar_cli.server.api.depends import Served, address_of
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.sessions import LASTS_S, csrf_of, new_secret
from radar_cli.server.pages.visits import (
    LOGIN_COOKIE,
    SESSION_COOKIE,
    Form,
    PageRoute,
    PagesServed,
    Visitor,
    check_form,
    now_us,
)
from radar_cli.server.runtime.access import AccessError

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.get("/login")
def show_login(request: Request, pages: PagesServed, next: str = "") -> Response:  # noqa: A002 (its name in the address)
    """The form."""
    return _show_form(request, pages, next)


@routes.post("/login")
def log_in(request: Request, pages: PagesServed, service: Served, form: Form) -> Response:
    """Begin a session, if the key is good for looking at least."""
    check_form(request, form, request.cookies.get(LOGIN_COOKIE, ""))
    wanted = form.get("next", "")
    service.limits.check_address(address_of(request))
    key = service.access.find(form.get("key", "").strip())
    if key is None:
        # Only wrong ones count: whoever guesses must not keep out who knows.
        try:
            pages.guess_limits.check_address(address_of(request))
        except AccessError as refused:
            message = f"Too many wrong keys: try again in {refused.retry_after_s} s."
            answer = _show_form(request, pages, wanted, message, 429)
            answer.headers["Retry-After"] = str(refused.retry_after_s)
            return answer
        return _show_form(request, pages, wanted, "This key is wrong, or was revoked.", 401)
    if not key.may("read"):
        message = f"This key is for {key.scope} only: it can't look at monitors."
        return _show_form(request, pages, wanted, message, 403)
    session = pages.sessions.begin(key, now_us())
    path, _, query = onward(wanted).partition("?")
    answer = pages.redirect(path)
    if query:
        answer.headers["location"] += f"?{query}"
    _set_cookie(answer, request, pages, SESSION_COOKIE, session.secret, LASTS_S)
    return answer


@routes.post("/logout")
def log_out(request: Request, pages: PagesServed, session: Visitor, form: Form) -> Response:
    """End the session."""
    check_form(request, form, session.secret)
    pages.sessions.end(session)
    answer = pages.redirect("/login")
    _set_cookie(answer, request, pages, SESSION_COOKIE, "", 0)
    return answer


def _show_form(
    request: Request, pages: Pages, wanted: str, message: str = "", status: int = 200
) -> Response:
    secret = request.cookies.get(LOGIN_COOKIE, "") or new_secret()
    values: dict[str, Any] = {"csrf": csrf_of(secret), "next": onward(wanted), "message": message}
    answer = pages.page("login", values, status)
    _set_cookie(answer, request, pages, LOGIN_COOKIE, secret, None)
    return answer


def onward(wanted: str) -> str:
    """Return where to go next: a path of ours, whatever the address says."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_ours and wanted.isascii() and wanted.isprintable() else "/"


def _set_cookie(
    answer: Response, request: Request, pages: Pages, name: str, value: str, lasts_s: int | None
) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=lasts_s,
        path=pages.root or "/",
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
