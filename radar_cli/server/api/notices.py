"""`/api/v1/notices`: what people were told, when, through which channel, and what it answered."""

from typing import Annotated

from fastapi import APIRouter, Query

from radar_cli.client.wire import encode_notice, from_iso
from radar_cli.core.errors import UsageError
from radar_cli.server.api.depends import ReadKey, Served
from radar_cli.server.api.models import NoticeAnswer, NoticePage
from radar_cli.server.runtime.access import check
from radar_cli.server.runtime.answers import errors

_PAGE_MAX = 500
_LONGEST_NAME = 60

routes = APIRouter(prefix="/api/v1", tags=["notices"])


@routes.get("/notices", responses=errors(400))
def list_notices(
    service: Served,
    api_key: ReadKey,
    before: Annotated[str, Query(max_length=60, pattern="^[!-~]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 50,
    monitor: Annotated[str, Query(max_length=200, pattern="^[a-z0-9._-]*$")] = "",
    channel: Annotated[str, Query(max_length=_LONGEST_NAME, pattern="^[A-Za-z0-9_-]*$")] = "",
    since: Annotated[str, Query(max_length=40)] = "",
) -> NoticePage:
    """Notices, the newest first: all, or those of a monitor, or through a channel.

    A key for some monitors sees of a notice only these. Asked on with `before`, a page may be
    short or empty and still have a `next`.
    """
    if monitor:
        check(api_key, "read", monitor)
    try:
        since_us = from_iso(since or None) or 0
    except (ValueError, OverflowError):
        raise UsageError("since is no time", "like 2026-12-24T18:00:00+00:00") from None
    found = service.store.notices.newest(
        limit,
        monitor=monitor,
        channel=channel,
        since_us=since_us,
        pattern=api_key.monitors,
        before=before,
    )
    seen = (each for each in found if each.monitors or api_key.monitors == "*")
    answers = [NoticeAnswer.model_validate(encode_notice(each)) for each in seen]
    return NoticePage(notices=answers, next=found[-1].id if len(found) == limit else None)
