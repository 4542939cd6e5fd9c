"""`/api/v1/batch`: several monitors in one change, which is made of all of them or of none."""

import time

from fastapi import APIRouter

from radar_cli.server.api.depends import AdminKey, Served, find
from radar_cli.server.api.models import (
    AcknowledgedAnswer,
    BatchAckRequest,
    BatchPauseRequest,
    BatchRequest,
    BatchSnoozeRequest,
    DeletedAnswer,
    PausedAnswer,
    ResumedAnswer,
    SnoozedAnswer,
)
from radar_cli.server.api.monitors import end_of
from radar_cli.server.runtime.access import check
from radar_cli.server.runtime.answers import errors
from radar_cli.server.runtime.keys import ApiKey
from radar_cli.server.runtime.service import Service

routes = APIRouter(prefix="/api/v1/batch", tags=["monitors"])


@routes.post("/pause", responses=errors(404))
def pause_monitors(given: BatchPauseRequest, service: Served, api_key: AdminKey) -> PausedAnswer:
    """Pause monitors, for a while or until they are resumed."""
    keys = _expect(service, api_key, given)
    now_us = time.time_ns() // 1000
    service.store.monitors.pause(keys, now_us, end_of(given, now_us))
    return PausedAnswer(paused=keys)


@routes.post("/resume", responses=errors(404))
def resume_monitors(given: BatchRequest, service: Served, api_key: AdminKey) -> ResumedAnswer:
    """Expect runs of monitors again, from now on."""
    keys = _expect(service, api_key, given)
    return ResumedAnswer(resumed=service.store.monitors.resume(keys, time.time_ns() // 1000))


@routes.post("/ack", responses=errors(404))
def acknowledge_monitors(
    given: BatchAckRequest, service: Served, api_key: AdminKey
) -> AcknowledgedAnswer:
    """Note that somebody sees to monitors that are down: no reminder of them is told."""
    keys = _expect(service, api_key, given)
    by = given.by or api_key.name or api_key.id
    now_us = time.time_ns() // 1000
    return AcknowledgedAnswer(acknowledged=service.store.incidents.acknowledge(keys, now_us, by))


@routes.post("/snooze", responses=errors(404))
def snooze_monitors(given: BatchSnoozeRequest, service: Served, api_key: AdminKey) -> SnoozedAnswer:
    """Tell nothing of monitors for a while; what is still so is told at its end."""
    keys = _expect(service, api_key, given)
    by = given.by or api_key.name or api_key.id
    now_us = time.time_ns() // 1000
    service.store.incidents.snooze(keys, now_us, now_us + round(given.for_s * 1e6), by)
    return SnoozedAnswer(snoozed=keys)


@routes.post("/delete", responses=errors(404))
def delete_monitors(given: BatchRequest, service: Served, api_key: AdminKey) -> DeletedAnswer:
    """Delete monitors with all their pings, for good."""
    keys = _expect(service, api_key, given)
    pings = service.store.monitors.delete(keys)
    return DeletedAnswer(deleted=keys, pings=pings)


def _expect(service: Service, api_key: ApiKey, given: BatchRequest) -> list[str]:
    """The keys of a request, each once. AccessError, UnknownMonitorError: one is impossible."""
    keys = list(dict.fromkeys(given.keys))
    for key in keys:
        check(api_key, "admin", key)
    return [find(service, api_key, key).key for key in keys]
