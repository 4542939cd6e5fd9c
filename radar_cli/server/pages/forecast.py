"""`/forecast`: a schedule in words and the next runs, for whoever is typing it into a form."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Mapping

from fastapi import APIRouter, Response

from radar_cli.core.grammar import format_duration
from radar_cli.core.zone import local_zone
from radar_cli.model.declaring import read
from radar_cli.model.monitor import GRACE_S, to_us
from radar_cli.model.pitfalls import find_pitfalls
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.sentences import explain
from radar_cli.server.pages.visits import PageRoute, PagesServed, Visitor, now_us

_RUNS = 5
_TEXT_MAX = 200
_FIELDS = ("schedule", "tz", "every", "grace")
_NAMES = {"grace": "gracePeriod"}

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast: the schedule in words, the next runs, and what may surprise; or what is wrong."""

    words: str = ""
    runs_us: tuple[int, ...] = ()
    zone: str = ""
    warnings: tuple[str, ...] = ()
    error: str = ""


@routes.get("/forecast")
def show_forecast(
    session: Visitor,  # noqa: ARG001 (somebody who is logged in)
    pages: PagesServed,
    schedule: str = "",
    tz: str = "",
    every: str = "",
    grace: str = "",
) -> Response:
    """The part of the form that tells it."""
    texts = dict(zip(_FIELDS, (schedule, tz, every, grace), strict=True))
    now = now_us()
    return pages.page("_forecast", {"forecast": foresee(texts, now), "now": now})


def foresee(texts: Mapping[str, str], now_us: int) -> Forecast:
    """Return what a monitor with these texts in its form would be expected to do."""
    given = {_NAMES.get(name, name): texts.get(name, "")[:_TEXT_MAX] for name in _FIELDS}
    if not (given["schedule"].strip() or given["every"].strip()):
        return Forecast()
    found = read(given, {})
    if found.errors:
        return Forecast(error=next(iter(found.errors.values())).line())
    if every := found.changes.get("every"):
        return Forecast(f"every {format_duration(float(every))}, counted from the last run")
    zone = found.changes.get("tz") or local_zone() or "UTC"
    schedule = CronSchedule(found.changes["schedule"] or "", zone)
    now = datetime.fromtimestamp(now_us / 1e6, UTC)
    grace_s = float(found.changes.get("gracePeriod") or GRACE_S)
    runs = itertools.islice(schedule.slots_after(now), _RUNS)
    return Forecast(
        f"{explain(schedule)}, by the clock of {zone}",
        tuple(to_us(each) for each in runs),
        zone,
        tuple(find_pitfalls(schedule, now, grace_s=grace_s)),
    )
