"""Requests for pages: who asks, and what a form says, if it is one of ours."""

import asyncio
import time
from typing import Annotated, Any, Callable, Coroutine, Sequence
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from radar_cli.core.errors import RadarError
from radar_cli.core.ids import is_key
from radar_cli.model.record import MonitorRecord
from radar_cli.server.api.depends import Served, address_of
from radar_cli.server.pages.rendering import HEADERS, Pages, local_path
from radar_cli.server.pages.sessions import Session, is_csrf_of
from radar_cli.server.runtime.access import AccessError

SESSION_COOKIE = "radar_session"
LOGIN_COOKIE = "radar_login"
_FORM_MAX_BYTES = 64_000
_FORM_PATIENCE_S = 15.0
_FIELDS_MAX = 300  # of a page of monitors all may be chosen


class PageError(Exception):
    """A page that can't be shown: the status, and a sentence for people."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint


class RenamedError(Exception):
    """A page of a monitor that has another key now."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class LoginNeededError(Exception):
    """A page for those only who are logged in."""


class PageRoute(APIRoute):
    """A route whose errors are pages, too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, for FastAPI."""
        handle = super().get_route_handler()

        async def handle_all(request: Request) -> Response:
            pages = pages_of(request)
            try:
                return await handle(request)
            except LoginNeededError:
                return _send_to_login(request, pages)
            except RenamedError as renamed:
                old = quote(request.path_params["key"])
                path = local_path(request).replace(f"/{old}", f"/{quote(renamed.key)}", 1)
                return RedirectResponse(pages.root + path, 303, HEADERS)
            except PageError as error:
                return pages.error(error.status, error.message, error.hint)
            except AccessError as error:
                answer = pages.error(error.status, error.message)
                if error.retry_after_s:
                    answer.headers["Retry-After"] = str(error.retry_after_s)
                return answer
            except RadarError as error:
                if error.slug != "state":
                    return pages.error(400, error.message, error.hint)
                request.app.state.service.note_fault(error)
                return pages.error(503, "The database can't be used.", "The server's log says why.")

        return handle_all


def pages_of(request: Request) -> Pages:
    """The pages of the application that a request is for."""
    pages: Pages = request.app.state.pages
    return pages


def now_us() -> int:
    """Unix time in microseconds."""
    return time.time_ns() // 1000


def _session_of(request: Request, service: Served, pages: "PagesServed") -> Session:
    """Find the session of a request. LoginNeededError: nobody is logged in."""
    secret = request.cookies.get(SESSION_COOKIE, "")
    service.limits.check_address(address_of(request))
    found = pages.sessions.find(secret, now_us()) if secret else None
    if found is None:
        raise LoginNeededError
    service.limits.check_key(found.key.id, address_of(request))
    return found


class Fields(dict[str, str]):
    """The fields of a form; of one that stands in it more than once the last value."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def every(self, name: str) -> list[str]:
        """Return all values of a field, each once."""
        return list(dict.fromkeys(value for each, value in self._pairs if each == name))


async def _read_form(request: Request) -> Fields:
    """The fields of a form. PageError: it is none, or too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", "application/x-www-form-urlencoded"):
        raise PageError(415, "This isn't what the form sends.")
    body = bytearray()
    try:
        async with asyncio.timeout(_FORM_PATIENCE_S):
            async for part in request.stream():
                body += part
                if len(body) > _FORM_MAX_BYTES:
                    raise PageError(413, "This is more than the form takes.")
    except TimeoutError:
        raise PageError(408, "The form did not arrive in time.") from None
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS_MAX
        )
    except ValueError:
        raise PageError(400, "This isn't what the form sends.") from None
    return Fields([(name, value.replace("\0", "\ufffd")) for name, value in pairs])


def check_form(request: Request, form: dict[str, str], secret: str) -> None:
    """PageError: the form was not sent from a page that this browser got from here."""
    if not is_from_here(request):
        raise PageError(403, "This form was sent from another site.")
    if not is_csrf_of(secret, form.get("csrf", "")):
        hint = "Go back, load the page again, and try once more."
        raise PageError(403, "This form is not from this session.", hint)


def is_from_here(request: Request) -> bool:
    """Whether a browser says that the page with the form came from this server.

    Programs that aren't browsers say nothing; the token is what they need all the same.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    public = request.app.state.service.settings.public_url
    # The scheme may be another behind a proxy that we weren't told to trust.
    ours = {request.headers.get("host", "").lower(), urlsplit(public).netloc.lower()} - {""}
    return urlsplit(origin).netloc.lower() in ours


PagesServed = Annotated[Pages, Depends(pages_of)]
Visitor = Annotated[Session, Depends(_session_of)]
Form = Annotated[Fields, Depends(_read_form)]


def _check_change(request: Request, session: Visitor, form: Form) -> Fields:
    """The form of somebody who may change things. PageError: they may not."""
    check_form(request, form, session.secret)
    if not session.may_change:
        raise PageError(403, "Your key is for looking only.", "Log in with an admin key.")
    return form


ChangeForm = Annotated[Fields, Depends(_check_change)]


def _find_monitor(request: Request, key: str, session: Visitor, service: Served) -> MonitorRecord:
    """The monitor that a page is about. PageError: there is none that this key may see.

    RenamedError: it was called so.
    """
    # What a key doesn't cover isn't there: it tells nobody which monitors there are.
    found = service.store.monitors.find(key) if is_key(key) and session.key.covers(key) else None
    if found is None and request.method == "GET" and is_key(key):
        alias = service.store.aliases.find(key)
        if alias is not None and session.key.covers(alias.monitor):
            raise RenamedError(alias.monitor)
    if found is None:
        raise PageError(404, "There is no such monitor.", "It may have been deleted.")
    return found


MonitorSeen = Annotated[MonitorRecord, Depends(_find_monitor)]


def _send_to_login(request: Request, pages: Pages) -> Response:
    """To the login, and from there back to where they wanted to go."""
    path = local_path(request) if request.method == "GET" else "/"
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        # A link in a mail: the browser keeps a SameSite=Strict cookie back until a page of ours
        # leads it on.
        return pages.page("onward", {"path": path})
    return pages.redirect("/login", {"next": path} if path != "/" else {})
