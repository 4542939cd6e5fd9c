"""The ASGI application: pings by an endpoint of their own, all else by FastAPI."""

import contextlib
from typing import TYPE_CHECKING, AsyncIterator

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from radar_cli import __version__
from radar_cli.core.errors import RadarError
from radar_cli.model.declaring import FieldError
from radar_cli.server.api.batches import routes as batch_routes
from radar_cli.server.api.glance import routes as glance_routes
from radar_cli.server.api.health import routes as health_routes
from radar_cli.server.api.history import routes as history_routes
from radar_cli.server.api.maintenance import routes as maintenance_routes
from radar_cli.server.api.monitors import routes as monitor_routes
from radar_cli.server.api.notices import routes as notice_routes
from radar_cli.server.api.openapi import describe_pings
from radar_cli.server.api.renaming import routes as renaming_routes
from radar_cli.server.api.sync import routes as sync_routes
from radar_cli.server.api.tokens import routes as token_routes
from radar_cli.server.pages.mounting import mount_pages
from radar_cli.server.pages.visits import PageRoute, pages_of
from radar_cli.server.pings.endpoint import PREFIX, PingEndpoint
from radar_cli.server.runtime.access import AccessError
from radar_cli.server.runtime.answers import CRASH, add_server_time, error
from radar_cli.server.runtime.bodies import limit_bodies
from radar_cli.server.runtime.service import Service

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_ROUTERS = (
    *(health_routes, sync_routes, glance_routes, monitor_routes),
    *(batch_routes, history_routes, token_routes, maintenance_routes, notice_routes),
    renaming_routes,
)
_STATUSES = {
    "UNKNOWN_MONITOR": 404,
    "UNKNOWN_ALIAS": 404,
    "UNKNOWN_RUN": 404,
    "UNKNOWN_WINDOW": 404,
    "MONITOR_EXISTS": 409,
    "KEY_TAKEN": 409,
    "CHANGED_MEANWHILE": 412,
    "STATE": 503,
}


def make_app(service: Service) -> "ASGIApp":
    """The application of a service, which it starts and stops."""
    api = add_server_time(limit_bodies(_make_api(service)))
    pings = PingEndpoint(service)

    async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "http":
            path: str = scope["path"].removeprefix(scope.get("root_path", ""))
            if path.startswith(PREFIX):
                await pings(scope, receive, send)
                return
        await api(scope, receive, send)

    return app


def _make_api(service: Service) -> FastAPI:
    @contextlib.asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.stop()

    api = FastAPI(title="radar", version=__version__, lifespan=live, docs_url=None, redoc_url=None)
    api.state.service = service
    for router in _ROUTERS:
        api.include_router(router)
    describe_pings(api)
    mount_pages(api, service)
    api.add_exception_handler(AccessError, _refuse)
    api.add_exception_handler(RadarError, _fail)
    api.add_exception_handler(HTTPException, _miss)
    api.add_exception_handler(RequestValidationError, _reject)
    api.add_exception_handler(Exception, _crash)
    return api


async def _refuse(_: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, AccessError)  # noqa: S101 (for mypy: that is what it handles)
    headers = {"WWW-Authenticate": 'Basic realm="radar", Bearer'} if refused.status == 401 else {}
    if refused.status == 429:
        headers["Retry-After"] = str(refused.retry_after_s)
    return JSONResponse(error(refused.slug, refused.message), refused.status, headers)


async def _fail(request: Request, broken: Exception) -> JSONResponse:
    """An error of radar's own: what the client asked for, or the database."""
    assert isinstance(broken, RadarError)  # noqa: S101 (as above)
    slug = broken.slug.upper().replace("-", "_")
    status = _STATUSES.get(slug, 400)
    if isinstance(broken, FieldError):
        return JSONResponse(error("INVALID_REQUEST", broken.line()), 422)
    if status == 503:
        request.app.state.service.note_fault(broken)
        content = error("UNAVAILABLE", "the database can't be used")
        return JSONResponse(content, status, {"Retry-After": "5"})
    return JSONResponse(error(slug, broken.line()), status)


async def _miss(_: Request, missed: Exception) -> JSONResponse:
    assert isinstance(missed, HTTPException)  # noqa: S101 (as above)
    slug = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(missed.status_code, "INVALID_REQUEST")
    return JSONResponse(error(slug, str(missed.detail)), missed.status_code, missed.headers)


async def _crash(request: Request, _: Exception) -> Response:
    """Answer a bug of ours: it is raised on, and noted there."""
    if isinstance(request.scope.get("route"), PageRoute):
        return pages_of(request).error(500, "Something went wrong here.", "The log says what.")
    return JSONResponse(CRASH, 500)


async def _reject(_: Request, rejected: Exception) -> JSONResponse:
    assert isinstance(rejected, RequestValidationError)  # noqa: S101 (as above)
    wrong = rejected.errors()[0]
    place = ".".join(str(part) for part in wrong["loc"])
    return JSONResponse(error("INVALID_REQUEST", f"{place}: {wrong['msg']}"), 422)
