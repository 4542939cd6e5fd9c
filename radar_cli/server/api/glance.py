"""`/api/v1/status`: the server at a glance."""

import time
from collections import Counter

from fastapi import APIRouter

from radar_cli import __version__
from radar_cli.client.wire import describe_channel, iso
from radar_cli.model.fault import BAD, BEWARE, worst
from radar_cli.model.state import Status
from radar_cli.server.api.depends import ReadKey, Served
from radar_cli.server.api.models import OutageAnswer, StatusAnswer
from radar_cli.server.runtime.answers import errors
from radar_cli.server.runtime.keys import ApiKey
from radar_cli.server.runtime.service import Service

_FAULTY_MAX = 10_000

routes = APIRouter(prefix="/api/v1", tags=["monitors"])


@routes.get("/status", responses=errors())
def show_status(service: Served, api_key: ReadKey) -> StatusAnswer:
    """Show how many monitors say what, and when last nobody looked."""
    now_us = time.time_ns() // 1000
    counts = _count(service, api_key)
    outage = service.store.outages.last()
    return StatusAnswer.model_validate(
        {
            "version": __version__,
            "time": iso(now_us),
            "scope": api_key.scope,
            "key_monitors": api_key.monitors,
            "monitors": {str(each): counts[each, True] + counts[each, False] for each in Status},
            "unwatched": {str(each): counts[each, False] for each in Status},
            "faults": _count_faults(service, api_key),
            "looked_at": iso(service.store.outages.last_look()),
            "unlooked_since": iso(service.store.outages.find_neglect(now_us)),
            "loss": _describe_loss(service, api_key),
            "channels": len(service.channels),
            "failing_channels": [describe_channel(h) for h in service.failing_channels()],
            "unheard": service.find_unheard(api_key.monitors),
            "outage": None
            if outage is None
            else OutageAnswer(
                begin=iso(outage.begin_us) or "",
                end=iso(outage.end_us) or "",
                monitors=outage.monitors if api_key.monitors == "*" else None,
            ),
        }
    )


def _describe_loss(service: Service, api_key: ApiKey) -> str | None:
    loss = service.store.loss
    if loss is None:
        return None
    return loss.line() if api_key.monitors == "*" else "it isn't the store that was known"


def _count_faults(service: Service, api_key: ApiKey) -> dict[str, int]:
    if api_key.monitors == "*":
        counts = service.store.monitors.count_faults()
    else:
        faulty = service.store.monitors.faulty(_FAULTY_MAX, pattern=api_key.monitors)
        counts = Counter(worst(known.faults) for known in faulty)
    return {kind: counts.get(kind, 0) for kind in (BAD, BEWARE)}


def _count(service: Service, api_key: ApiKey) -> Counter[tuple[str, bool]]:
    if api_key.monitors == "*":
        return Counter(service.store.monitors.count_by_status())
    return Counter(
        (str(known.view.status), known.is_watched)
        for known in service.store.monitors.all(pattern=api_key.monitors)
    )
