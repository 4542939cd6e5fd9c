"""`/api/v1/batch`: several monitors in one change, which is made of all of them or of none."""

import time

from fastapi import APIRouter

from radar_cli.server.access import check
from radar_cli.server.depends import AdminKey, Served, find
from radar_cli.server.errors import errors
from radar_cli.server.keys import ApiKey
from radar_cli.server.models import (
    BatchPauseRequest,
    BatchRequest,
    DeletedAnswer,
    PausedAnswer,
    ResumedAnswer,
)
from radar_cli.server.monitors import end_of
from radar_cli.server.service import Service

routes = APIRouter(prefix="/api/v1/batch", tags=["monitors"])


@routes.post("/pause", responses=errors(404))
def pause_monitors(given: BatchPauseRequest, service: Served, api_key: AdminKey) -> PausedAnswer:
    """Pause monitors, for a while or until they are resumed."""
    keys = _expect(service, api_key, given)
    now_us = time.time_ns() // 1000
    service.store.pause(keys, now_us, end_of(given, now_us))
    return PausedAnswer(paused=keys)


@routes.post("/resume", responses=errors(404))
def resume_monitors(given: BatchRequest, service: Served, api_key: AdminKey) -> ResumedAnswer:
    """Expect runs of monitors again, from now on."""
    keys = _expect(service, api_key, given)
    return ResumedAnswer(resumed=service.store.resume(keys, time.time_ns() // 1000))


@routes.post("/delete", responses=errors(404))
def delete_monitors(given: BatchRequest, service: Served, api_key: AdminKey) -> DeletedAnswer:
    """Delete monitors with all their pings, for good."""
    keys = _expect(service, api_key, given)
    pings = service.store.delete(keys)
    return DeletedAnswer(deleted=keys, pings=pings)


def _expect(service: Service, api_key: ApiKey, given: BatchRequest) -> list[str]:
    """The keys of a request, each once. AccessError, UnknownMonitorError: one is impossible."""
    keys = list(dict.fromkeys(given.keys))
    for key in keys:
        check(api_key, "admin", key)
    return [find(service, api_key, key).key for key in keys]
