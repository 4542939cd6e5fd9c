"""`/celery`: workers, queues and tasks as `radar celery watch` has recorded them."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from radar_cli.model.ledger import QueueSample
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.curve import Curve, draw_curve
from radar_cli.server.pages.overview import frame
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.visits import PageError, PageRoute, PagesServed, Visitor, now_us
from radar_cli.server.runtime.service import Service

_SECOND_US = 1_000_000
_HOUR_US = 3600 * _SECOND_US
DAY_US = 24 * _HOUR_US
# A watch writes each second or so.
_SILENT_US = 120 * _SECOND_US
_HISTORY_US = 6 * _HOUR_US
_TREND_US = 600 * _SECOND_US
_QUEUES, _WORKERS, _RUNNING, _BLIND = 50, 500, 20, 3
# Of the newest tasks so many are counted by their names.
_COUNTED = 20_000

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ShownQueue:
    """A queue with its history. `trend` is how much longer it is than ten minutes ago."""

    sample: QueueSample
    curve: Curve | None
    trend: int | None


@routes.get("/celery")
def show_celery(session: Visitor, service: Served, pages: PagesServed) -> Response:
    """Everything at a glance: workers, queues, what runs, and tasks by their names."""
    now = now_us()
    ledger = service.store.ledger
    values = {
        **celery_frame(session, service, now),
        "workers": ledger.workers()[:_WORKERS],
        "queues": [_show_queue(service, each, now) for each in ledger.queues()[:_QUEUES]],
        "running": ledger.running(_RUNNING),
        "summaries": ledger.summarize(now - _HOUR_US, _COUNTED),
        "counted": _COUNTED,
        "missed_events": ledger.missed_events(),
        "watched_since": ledger.watched_since(),
    }
    return pages.page("celery", values)


def celery_frame(session: Session, service: Service, now: int) -> dict[str, Any]:
    """Return what each page of Celery shows beside its own. PageError: the key may not see it.

    Tasks and workers belong to no monitor, so they are for keys that see all monitors.
    """
    if session.key.monitors != "*":
        hint = "Log in with a key for all monitors: tasks and workers belong to none of them."
        raise PageError(403, "Your key can't see Celery.", hint)
    ledger = service.store.ledger
    looked = ledger.last_look()
    return {
        **frame(session, service, now),
        "looked_us": looked,
        "is_silent": looked is not None and now - looked > _SILENT_US,
        "may_control": session.may_change and bool(service.settings.celery_broker),
        "blind": ledger.blindness(now - DAY_US)[:_BLIND],
    }


def _show_queue(service: Service, sample: QueueSample, now: int) -> ShownQueue:
    history = service.store.ledger.queue_history(sample.name, now - _HISTORY_US)
    before = [each for each in history if each.time_us <= sample.time_us - _TREND_US]
    trend = None
    if before and before[-1].depth is not None and sample.depth is not None:
        trend = sample.depth - before[-1].depth
    return ShownQueue(sample, draw_curve(history, now - _HISTORY_US, now), trend)
