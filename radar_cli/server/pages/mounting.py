"""Putting the dashboard into the application."""

from fastapi import APIRouter, FastAPI, Response

from radar_cli.server.pages import (
    acting,
    attending,
    badges,
    bulk,
    celery_control,
    celery_overview,
    celery_schedule,
    celery_tasks,
    changing,
    channels,
    editing,
    forecast,
    keyring,
    login,
    monitors,
    notices,
    overview,
    renaming,
    sharing,
)
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.visits import PageError, PageRoute, PagesServed
from radar_cli.server.runtime.service import Service

_files = APIRouter(route_class=PageRoute, include_in_schema=False)


@_files.get("/static/{name}")
def send_file(name: str, pages: PagesServed) -> Response:
    """The style sheet, or the script."""
    if name not in pages.static:
        raise PageError(404, "There is no such file.")
    return pages.file(name)


_ROUTERS = (
    _files,
    login.routes,
    acting.routes,
    attending.routes,
    overview.routes,
    editing.routes,
    changing.routes,
    bulk.routes,
    renaming.routes,
    forecast.routes,
    sharing.routes,
    keyring.routes,
    channels.routes,
    notices.routes,
    celery_control.routes,
    celery_overview.routes,
    celery_tasks.routes,
    celery_schedule.routes,
    monitors.routes,
    badges.routes,
)


def mount_pages(api: FastAPI, service: Service) -> None:
    """Add all pages."""
    api.state.pages = Pages(service)
    for router in _ROUTERS:
        api.include_router(router)
