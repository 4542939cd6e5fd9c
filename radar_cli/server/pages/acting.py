"""`/act`: what a signed link in a notice opens, so that whoever got it can see to an outage.

No login is needed. Opening it changes nothing, so that programs which look at the links of a mail
do no harm: it takes a button.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from radar_cli.core.grammar import format_duration
from radar_cli.model.attention import Attention
from radar_cli.model.record import MonitorRecord
from radar_cli.model.sentences import local_time
from radar_cli.notify.signing import Link, LinkError
from radar_cli.server.api.depends import Served, address_of
from radar_cli.server.pages.attending import SNOOZES_S
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.visits import (
    Form,
    PageError,
    PageRoute,
    PagesServed,
    is_from_here,
    now_us,
)
from radar_cli.server.runtime.log import log
from radar_cli.server.runtime.service import Service

_NAME_MAX = 60
_HINT = "The monitor's page, for who has a key, can do the same."

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Outage:
    """The outage that a link leads to."""

    link: Link
    known: MonitorRecord
    attention: Attention
    is_over: bool


@routes.get("/act")
def show_link(
    request: Request, service: Served, pages: PagesServed, t: str = "", done: str = ""
) -> Response:
    """Show what is down, who sees to it, and the buttons."""
    return _show(pages, _open(request, service, t), t, done=done in ("ack", "snooze"))


@routes.post("/act")
def act(request: Request, service: Served, pages: PagesServed, form: Form) -> Response:
    """Say that somebody sees to it, or have nothing told of it for a while."""
    if not is_from_here(request):
        raise PageError(403, "This form was sent from another site.")
    token = form.get("t", "")
    outage = _open(request, service, token)
    if outage.is_over or outage.attention.is_acked:
        return _show(pages, outage, token, status=409)
    key, by = outage.known.key, _name(form.get("who", ""), outage.link)
    wanted = form.get("do", "")
    if wanted == "ack":
        if not service.store.incidents.acknowledge_one(key, outage.link.incident, now_us(), by):
            return _show(pages, _open(request, service, token), token, status=409)
    elif wanted in map(str, SNOOZES_S):
        if outage.attention.is_silenced:
            return _show(pages, outage, token, status=409)
        now = now_us()
        service.store.incidents.snooze([key], now, now + int(wanted) * 1_000_000, by)
        wanted = "snooze"
    else:
        raise PageError(400, "This isn't what the form sends.")
    log.info("%s: %s, by %s", key, wanted, by)
    return pages.redirect("/act", {"t": token, "done": wanted})


def _open(request: Request, service: Service, token: str) -> _Outage:
    """PageError: the link is good for nothing."""
    service.limits.check_address(address_of(request))
    now = now_us()
    if service.signer is None:
        raise PageError(404, "There are no such links here.", "The server has no --public-url.")
    try:
        link = service.signer.read(token, now / 1e6)
    except LinkError as wrong:
        raise PageError(403, str(wrong), _HINT) from None
    service.store.monitors.judge(now)
    known = service.store.aliases.find_monitor(link.monitor)
    if known is None:
        raise PageError(410, "There is no such monitor any more.")
    is_over = service.store.incidents.find(known.key) != link.incident
    attention = service.store.incidents.attention([known], now)[known.key]
    return _Outage(link, known, attention, is_over)


def _show(
    pages: Pages, outage: _Outage, token: str, *, done: bool = False, status: int = 200
) -> Response:
    known, attention = outage.known, outage.attention
    is_silenced = attention.is_silenced and not outage.is_over
    until = "" if attention.until_us is None else f" until {local_time(attention.until_us)}"
    values: dict[str, Any] = {
        "name": known.monitor.name or known.key,
        "key": known.key,
        "view": known.view,
        "is_over": outage.is_over,
        "acked_by": attention.acked_by if attention.is_acked and not outage.is_over else "",
        "acked_us": attention.acked_us,
        "silenced": f"No notices of it are sent{until}: {attention.why}." if is_silenced else "",
        "token": token,
        "done": done,
        "snoozes": [(seconds, format_duration(seconds)) for seconds in SNOOZES_S],
    }
    return pages.page("acting", values, status)


def _name(given: str, link: Link) -> str:
    """Name who acts: the name that they give, and which notice the link was in."""
    name = "".join(character for character in given.strip() if character.isprintable())
    through = f"a notice through {link.channel}"
    return f"{name[:_NAME_MAX]} ({through})" if name else through
