"""`/api/v1/status`: the server at a glance."""

import time
from collections import Counter

from fastapi import APIRouter

from radar_cli import __version__
from radar_cli.api.wire import iso
from radar_cli.monitors.state import Status
from radar_cli.server.depends import ReadKey, Served
from radar_cli.server.errors import errors
from radar_cli.server.keys import ApiKey
from radar_cli.server.models import BlindnessAnswer, StatusAnswer
from radar_cli.server.service import Service

routes = APIRouter(prefix="/api/v1", tags=["monitors"])


@routes.get("/status", responses=errors())
def show_status(service: Served, api_key: ReadKey) -> StatusAnswer:
    """How many monitors say what, and when last nobody looked."""
    counts = _count(service, api_key)
    blind = service.store.last_blindness()
    return StatusAnswer.model_validate(
        {
            "version": __version__,
            "time": iso(time.time_ns() // 1000),
            "scope": api_key.scope,
            "key_monitors": api_key.monitors,
            "monitors": {str(each): counts[each, True] + counts[each, False] for each in Status},
            "unwatched": {str(each): counts[each, False] for each in Status},
            "blindness": None
            if blind is None
            else BlindnessAnswer(
                begin=iso(blind.begin_us) or "",
                end=iso(blind.end_us) or "",
                monitors=blind.monitors if api_key.monitors == "*" else None,
            ),
        }
    )


def _count(service: Service, api_key: ApiKey) -> Counter[tuple[str, bool]]:
    if api_key.monitors == "*":
        return Counter(service.store.count_by_status())
    return Counter(
        (str(known.view.status), known.is_watched)
        for known in service.store.monitors(pattern=api_key.monitors)
    )
