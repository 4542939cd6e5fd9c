"""Renaming a monitor by the API, and the aliases by which its old keys go on counting."""

import time

from fastapi import APIRouter, Response

from radar_cli.client.wire import encode_alias
from radar_cli.core.errors import UsageError
from radar_cli.core.ids import check_key, is_key
from radar_cli.model.alias import Alias
from radar_cli.server.api.depends import (
    AdminKey,
    ChangeableMonitor,
    ReadableMonitor,
    ReadKey,
    Served,
)
from radar_cli.server.api.models import AliasAnswer, AliasPage, MonitorAnswer, RenameRequest
from radar_cli.server.api.monitors import show
from radar_cli.server.runtime.access import check
from radar_cli.server.runtime.answers import errors
from radar_cli.server.runtime.keys import ApiKey
from radar_cli.server.runtime.service import Service

routes = APIRouter(prefix="/api/v1", tags=["monitors"])


class UnknownAliasError(UsageError):
    """A key that is no alias of a monitor."""

    slug = "unknown-alias"


@routes.post("/monitors/{key}/rename", responses=errors(404, 409))
def rename_monitor(
    known: ChangeableMonitor,
    given: RenameRequest,
    response: Response,
    service: Served,
    api_key: AdminKey,
) -> MonitorAnswer:
    """Give a monitor another key: its pings, flips, tokens and notices stay with it.

    The old key goes on counting for it, unless `keep_alias` is false: what jobs and outboxes still
    send under it is the monitor's.
    """
    try:
        new = check_key(given.key)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
    check(api_key, "admin", new)
    now_us = time.time_ns() // 1000
    service.store.aliases.rename(known.key, new, now_us, keeps_alias=given.keep_alias)
    return show(service, new, response)


@routes.get("/monitors/{key}/aliases", responses=errors(404))
def list_aliases(known: ReadableMonitor, service: Served) -> AliasPage:
    """The keys that a monitor had before and that still count for it, the newest first."""
    found = service.store.aliases.of(known.key)
    return AliasPage(aliases=[AliasAnswer.model_validate(encode_alias(each)) for each in found])


@routes.get("/aliases/{alias}", responses=errors(404))
def show_alias(alias: str, service: Served, api_key: ReadKey) -> AliasAnswer:
    """An old key, and the monitor that had it."""
    return AliasAnswer.model_validate(encode_alias(_find(service, api_key, alias)))


@routes.delete("/aliases/{alias}", responses=errors(404))
def drop_alias(alias: str, service: Served, api_key: AdminKey) -> AliasAnswer:
    """Remove an old key: what is still sent under it is no longer the monitor's."""
    found = _find(service, api_key, alias)
    service.store.aliases.drop(alias)
    return AliasAnswer.model_validate(encode_alias(found))


def _find(service: Service, api_key: ApiKey, key: str) -> Alias:
    """An alias of a monitor that the key is for. UnknownAliasError: there is none."""
    found = service.store.aliases.find(key) if is_key(key) else None
    if found is None or not api_key.covers(found.monitor):
        raise UnknownAliasError(f"no alias {key[:60]!r}")
    return found
