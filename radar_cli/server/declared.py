"""What a request declares a monitor as, in the fields that the store keeps."""

from typing import Mapping

from radar_cli.api.wire import decode_declared
from radar_cli.errors import UsageError
from radar_cli.monitors.schedule import CronSchedule, load_timezone
from radar_cli.server.models import MonitorFields


def read_changes(given: MonitorFields, declared: Mapping[str, str]) -> dict[str, str | None]:
    """What a request changes in what is declared; None takes a field out.

    A schedule takes the place of an interval and the other way round; without a timezone it goes
    by UTC. UsageError, BadScheduleError: it is impossible.
    """
    changes = decode_declared(given.model_dump(exclude_unset=True, exclude={"key"}))
    if changes.get("schedule") and changes.get("every"):
        raise UsageError("schedule and every_s exclude each other", "give the one that is meant")
    if changes.get("schedule"):
        changes["every"] = None
    if changes.get("every"):
        changes["schedule"] = None
    if changes.get("tz"):
        load_timezone(str(changes["tz"]))
    merged = {**declared, **changes}
    if schedule := merged.get("schedule"):
        known = CronSchedule(schedule, merged.get("tz") or "UTC")
        changes["tz"] = known.tz.key
        if changes.get("schedule"):
            changes["schedule"] = known.expression
    # What is so already, or isn't there anyway, is no change.
    return {field: value for field, value in changes.items() if declared.get(field) != value}
