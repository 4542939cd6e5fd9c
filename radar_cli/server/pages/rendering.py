"""Pages out of templates, with the headers that keep them harmless."""

import hashlib
from importlib import resources
from typing import Any, Mapping
from urllib.parse import quote, urlencode

import jinja2
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from radar_cli import __version__
from radar_cli.core.zone import local_zone
from radar_cli.server.pages.sessions import Sessions
from radar_cli.server.pages.showing import FILTERS, Shelf
from radar_cli.server.pages.strips import draw_mark, draw_strip
from radar_cli.server.pages.tally import Tally
from radar_cli.server.runtime.limits import Limits
from radar_cli.server.runtime.service import Service

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    # Not `no-referrer`: with that, browsers send `Origin: null` along with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# A person mistypes a few times. Programs that guess need no more patience than that.
GUESSES_A_MINUTE = 20
_STATIC = {"radar.css": "text/css; charset=utf-8", "radar.js": "text/javascript; charset=utf-8"}


class Pages:
    """The templates and static files of a service, and who is logged in to see them."""

    def __init__(self, service: Service) -> None:
        self.root = service.settings.root_path.rstrip("/")
        self.shelf = Shelf()
        self.tally = Tally(service.store.database)
        self.sessions = Sessions(service.store.database, service.keys)
        # A proxy may stand on this machine: its clients are limited, too.
        rate = min(service.settings.rate_limit, GUESSES_A_MINUTE)
        self.guess_limits = Limits(rate, limits_loopback=True)
        package = resources.files(__package__)
        self.static = {name: (package / "static" / name).read_bytes() for name in _STATIC}
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader(__package__),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(
            url=self.url,
            strip=draw_strip,
            mark=draw_mark,
            static=self._static_url,
            version=__version__,
            server_zone=local_zone(),
        )

    def page(self, template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """A page with its headers."""
        text = self._environment.get_template(f"{template}.html").render(values)
        return HTMLResponse(text, status, HEADERS)

    def error(self, status: int, message: str, hint: str = "") -> HTMLResponse:
        """A page that says what is wrong."""
        return self.page("error", {"status": status, "message": message, "hint": hint}, status)

    def redirect(self, path: str, query: Mapping[str, str] | None = None) -> RedirectResponse:
        """To another page of ours, by GET."""
        return RedirectResponse(self.url(path, **(query or {})), 303, HEADERS)

    def url(self, path: str, /, **query: Any) -> str:
        """The address of a page of ours; of the query, what is empty is left out."""
        given = {name: value for name, value in query.items() if value not in ("", None, [])}
        asked = urlencode(given, doseq=True)
        return self.root + quote(path) + (f"?{asked}" if asked else "")

    def file(self, name: str) -> Response:
        """A static file, which never changes under its address."""
        return Response(
            self.static[name],
            media_type=_STATIC[name],
            headers={**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"},
        )

    def _static_url(self, name: str) -> str:
        return self.url(f"/static/{name}", v=hashlib.sha256(self.static[name]).hexdigest()[:12])


def local_path(request: Request) -> str:
    """The path and query of a request, without what a proxy puts before it."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", "")) or "/"
    query = request.scope["query_string"].decode("latin-1")
    return quote(path) + (f"?{query}" if query else "")
