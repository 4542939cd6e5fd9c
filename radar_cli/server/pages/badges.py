"""`/badge/{token}.svg`: a monitor's name and status, for a README or a wiki."""

from fastapi import APIRouter, Request, Response

from radar_cli.server.api.depends import Served, address_of
from radar_cli.server.pages.text import one_line
from radar_cli.server.pages.visits import PageRoute, PagesServed, now_us
from radar_cli.server.pings.paths import is_token
from radar_cli.store.tokens import BADGE

_NAME_MAX = 40
_FRESH_S = 30
# Of Verdana at 11 px, the font of all badges; the text is fitted into what it makes.
_NARROW, _WIDE = frozenset("iljtf.,:;'|!I()[] "), frozenset("mwMW@%")

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@routes.get("/badge/{token}.svg")
def show_badge(request: Request, token: str, service: Served, pages: PagesServed) -> Response:
    """The badge; an unknown token has one, too, which says so."""
    service.limits.check_address(address_of(request))
    is_known, name, status = False, "radar", "unknown"
    if is_token(token):
        key = service.store.tokens.find_monitor(token.lower(), BADGE)
        known = service.store.monitors.find(key) if key is not None else None
        if known is not None:
            is_known, name = True, one_line(known.monitor.name or known.key, _NAME_MAX)
            status = str(known.view_at(now_us()).status)
    widths = _width(name), _width(status)
    values = {"name": name, "status": status, "widths": widths, "total": sum(widths)}
    answer = pages.page("badge.svg", values, 200 if is_known else 404)
    answer.headers["content-type"] = "image/svg+xml; charset=utf-8"
    # Nothing of it runs anything; it is an image on other people's pages.
    answer.headers["content-security-policy"] = "default-src 'none'"
    answer.headers["cross-origin-resource-policy"] = "cross-origin"
    answer.headers["cache-control"] = f"public, max-age={_FRESH_S}"
    return answer


def _width(text: str) -> int:
    """Of a text with its margins, in pixels."""
    letters = sum(
        4.2 if c in _NARROW else 10.2 if c in _WIDE or not c.isascii() else 6.9 for c in text
    )
    return round(letters) + 14
