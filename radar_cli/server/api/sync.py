"""`POST /api/sync`: monitors as a program declares them (CronRadar's documentation, "Sync API")."""

from typing import Any, Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from radar_cli.core.ids import KEY_MAX, check_key
from radar_cli.model.declaring import LONGEST_NOTES, read_declared, warn_of_unknown
from radar_cli.server.api.depends import PingKey, Served
from radar_cli.server.pings.requests import SCHEDULE_MAX
from radar_cli.server.runtime.access import AccessError, check
from radar_cli.server.runtime.answers import errors
from radar_cli.store.declaring import Declarer

_MONITORS_MAX = 100
# The values of the fields of a cron expression: minute, hour, day, month, weekday.
_FIELDS = tuple(
    {str(value) for value in values}
    for values in (range(60), range(24), range(1, 32), range(1, 13), range(7))
)

routes = APIRouter()


class SyncedMonitor(BaseModel):
    """One monitor of a program's schedule; `gracePeriod` in seconds."""

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if self.schedule is None and self.every is None:
            raise ValueError("a monitor needs a schedule, or every")
        return self

    key: str = Field(max_length=KEY_MAX)
    schedule: str | None = Field(None, max_length=SCHEDULE_MAX)
    # Radar's own: an interval in seconds, for what has no cron expression.
    every: int | float | str | None = None
    name: str | None = Field(None, max_length=200)
    # What can't be read is the monitor's fault, and no reason to refuse all the others.
    gracePeriod: int | float | str | None = None  # noqa: N815 (CronRadar's name)
    tz: str | None = Field(None, max_length=100)
    notes: str | None = Field(None, max_length=LONGEST_NOTES)


class SyncRequest(BaseModel):
    """A program's declaration. With `mode` reconcile these are all of its monitors."""

    source: str = Field(min_length=1, max_length=200)
    version: str | None = Field(None, max_length=200)
    mode: Literal["reconcile"] | None = None
    monitors: list[SyncedMonitor] = Field(max_length=_MONITORS_MAX)


class SyncAnswer(BaseModel):
    """The result of a declaration."""

    status: str
    synced: int
    created: int
    updated: int
    errors: list[str]
    retired: list[str] = []


@routes.post("/api/sync", responses=errors(), tags=["pings"])
def sync(request: SyncRequest, key: PingKey, service: Served) -> SyncAnswer:
    """Create and change the monitors of a source; with `mode` reconcile, retire all others of it.

    These are the monitors that the same source has declared with the same key: another key's are
    not changed, and named in `errors` if they are declared here, too. A retired monitor is watched
    no more, and stays with what it tells. What a person has set stays as it is.
    """
    declared: dict[str, dict[str, str]] = {}
    errors = []
    for monitor in request.monitors:
        try:
            check(key, "ping", check_key(monitor.key))
        except (ValueError, AccessError) as wrong:
            errors.append(f"{monitor.key[:60]}: {wrong}")
            continue
        fields: dict[str, Any] = {}
        if monitor.schedule is not None:
            fields["schedule"] = _without_lists_of_all(monitor.schedule)
        if monitor.every is not None:
            fields["every"] = str(monitor.every)
        if monitor.tz:
            fields["tz"] = monitor.tz
        if monitor.name is not None:
            fields["name"] = monitor.name
        if monitor.notes is not None:
            fields["notes"] = monitor.notes
        if monitor.gracePeriod is not None:
            fields["gracePeriod"] = str(monitor.gracePeriod)
        for name, value in (monitor.model_extra or {}).items():
            errors.append(f"{monitor.key}: {warn_of_unknown(name, str(value), fields)}")
        _, faults = read_declared(fields)
        errors += [f"{monitor.key}: {fault.message}" for fault in faults]
        declared[monitor.key] = fields
    kept = None
    if request.mode == "reconcile":
        # What could not be read this time is there all the same.
        kept = {monitor.key for monitor in request.monitors}
    now_us = service.clock.now_us()
    most = service.settings.most_monitors(key)
    declarer = Declarer(request.source, key.id, most, key.covers)
    done = service.store.declarations.declare(declarer, declared, now_us, kept=kept)
    errors += [f"{each}: it belongs to the set of another API key" for each in done.foreign]
    errors += [f"{each}: this key may make {most} monitors, and no more" for each in done.beyond]
    return SyncAnswer(
        status="success",
        synced=len(declared) - len(done.foreign) - len(done.beyond),
        created=done.created,
        updated=done.updated,
        errors=errors,
        retired=done.retired,
    )


def _without_lists_of_all(schedule: str) -> str:
    """A schedule with `*` for a field that lists each of its values, as cronradar-celery has it.

    It isn't only shorter: Celery wants days that match the day and the weekday, but cron those
    that match either, unless one of them is `*`.
    """
    words = schedule.split()
    if len(words) == len(_FIELDS):
        words = [
            "*" if set(word.split(",")) == values else word
            for word, values in zip(words, _FIELDS, strict=True)
        ]
    return " ".join(words)
