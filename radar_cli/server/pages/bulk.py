"""Changes to several monitors of the list at once: pause, resume, and delete after asking."""

from fastapi import APIRouter, Response

from radar_cli.core.grammar import parse_duration
from radar_cli.core.ids import is_key
from radar_cli.model.port import UnknownMonitorError
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.login import onward
from radar_cli.server.pages.overview import frame
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.visits import (
    ChangeForm,
    Fields,
    PageError,
    PageRoute,
    PagesServed,
    Visitor,
    now_us,
)
from radar_cli.server.runtime.service import Service

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.post("/bulk")
def change_several(
    session: Visitor, service: Served, pages: PagesServed, form: ChangeForm
) -> Response:
    """Change the monitors that were chosen, all of them or none, and go back to the list."""
    keys = _read_keys(session, form)
    do, now = form.get("do", ""), now_us()
    service.store.monitors.judge(now)
    try:
        match do:
            case "pause":
                length_us = _read_length(form.get("for", ""))
                service.store.monitors.pause(
                    keys, now, None if length_us is None else now + length_us
                )
            case "resume":
                service.store.monitors.resume(keys, now)
            case "delete" if not form.get("sure"):
                return _ask(session, service, pages, keys, form)
            case "delete":
                service.store.monitors.delete(keys)
            case _:
                raise PageError(400, "This isn't what the form sends.")
    except UnknownMonitorError:
        hint = "Somebody has deleted or renamed it. Go back and load the list again."
        raise PageError(404, "One of these monitors isn't there any more.", hint) from None
    path, _, query = onward(form.get("back", "")).partition("?")
    answer = pages.redirect(path)
    if query:
        answer.headers["location"] += f"?{query}"
    return answer


def _read_keys(session: Session, form: Fields) -> list[str]:
    """The monitors that were chosen. PageError: none, or one that this key must not change."""
    keys = form.every("key")
    if not keys:
        raise PageError(422, "No monitor was chosen.", "Go back and tick those that you mean.")
    if not all(is_key(key) and session.key.covers(key) for key in keys):
        raise PageError(404, "One of these monitors isn't there any more.")
    return keys


def _read_length(text: str) -> int | None:
    """For how long to pause; None: until somebody resumes. PageError: it is no duration."""
    if not text.strip():
        return None
    try:
        length_us = round(parse_duration(text.strip()) * 1e6)
    except ValueError as error:
        raise PageError(422, f"{str(error)[:200]}", "Durations are 30m, 2h or 1d.") from None
    if length_us <= 0:
        raise PageError(422, "A pause has to be longer than that.")
    return length_us


def _ask(
    session: Session, service: Service, pages: Pages, keys: list[str], form: Fields
) -> Response:
    """Say what would go, and ask."""
    values = {
        **frame(session, service, now_us()),
        "keys": keys,
        "pings": service.store.history.count_pings(*keys),
        "back": onward(form.get("back", "")),
    }
    return pages.page("delete_several", values)
