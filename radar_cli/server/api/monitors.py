"""`/api/v1/monitors`: listing, creating, changing, pausing and deleting monitors."""

import time
from typing import Annotated, Any, Iterator, Literal, Mapping

from fastapi import APIRouter, Header, Query, Response

from radar_cli.client.wire import (
    DECLARED,
    decode_declared,
    describe_attention,
    encode_monitor,
    encode_run,
)
from radar_cli.core.errors import UsageError
from radar_cli.core.ids import check_key
from radar_cli.model.declaring import read_changes
from radar_cli.model.overview import ALARMING
from radar_cli.model.port import MonitorExistsError, UnknownMonitorError
from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.server.api.depends import (
    AdminKey,
    ChangeableMonitor,
    ReadableMonitor,
    ReadKey,
    Served,
)
from radar_cli.server.api.models import (
    STATUSES,
    DeletedAnswer,
    KeyPage,
    MonitorAnswer,
    MonitorFields,
    MonitorPage,
    NewMonitor,
    PauseRequest,
)
from radar_cli.server.runtime.access import check
from radar_cli.server.runtime.answers import errors
from radar_cli.server.runtime.keys import ApiKey
from radar_cli.server.runtime.service import Service

# A filter that lets few monitors through looks at so many for one page.
_LOOKED_AT_MAX = 10_000
_PAGE_MAX = 1000
_KEY_PAGE_MAX = 10_000

routes = APIRouter(prefix="/api/v1", tags=["monitors"])

After = Annotated[str, Query(pattern="^[a-z0-9._-]*$", max_length=200)]


@routes.get("/monitors", responses=errors())
def list_monitors(
    service: Served,
    api_key: ReadKey,
    after: After = "",
    limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 100,
    key: Annotated[list[str] | None, Query(max_length=_PAGE_MAX)] = None,
    tag: Annotated[list[str] | None, Query()] = None,
    status: Annotated[list[STATUSES] | None, Query()] = None,
    search: Annotated[str, Query(max_length=200)] = "",
    runs: Annotated[int, Query(ge=0, le=50)] = 0,
    output: Annotated[Literal["0", "1", "alarming"], Query()] = "0",
    pings: Annotated[bool, Query()] = False,
    fault: Annotated[bool, Query()] = False,
) -> MonitorPage:
    """Monitors by key: all that the API key sees, or those with one of these keys.

    With several `tag` those that have all of them, with several `status` those in any of them;
    `search` is looked for in keys, names and tags. `runs` has each monitor's last runs with it,
    so many at least if there are as many; `output` the output of the last one that ended
    (`alarming`: only where it is late or down); `pings` how many pings are kept. With `fault` only
    those that have one, the bad ones first, in one page.
    """
    now_us = time.time_ns() // 1000
    wanted = frozenset(tag or ()), search.casefold()
    found: list[tuple[MonitorRecord, dict[str, Any]]] = []
    last, looked_at, following = "", 0, None
    for known in _choose(service, api_key, after, key, status, has_fault=fault):
        last, looked_at = known.key, looked_at + 1
        if _is_like(known, *wanted):
            entry = encode_monitor(known, now_us)
            if pings:
                entry["pings"] = service.store.history.count_pings(known.key)
            found.append((known, entry))
        if len(found) >= limit or looked_at >= _LOOKED_AT_MAX:
            following = last
            break
    attention = service.store.incidents.attention([known for known, _ in found], now_us)
    for known, entry in found:
        entry.update(describe_attention(attention[known.key]))
    if runs:
        _add_runs(service, found, runs, output)
    if fault:
        following = None
    answers = [MonitorAnswer.model_validate(entry) for _, entry in found]
    return MonitorPage(monitors=answers, next=following)


@routes.get("/monitor-keys", responses=errors())
def list_keys(
    service: Served,
    api_key: ReadKey,
    after: After = "",
    limit: Annotated[int, Query(ge=1, le=_KEY_PAGE_MAX)] = _KEY_PAGE_MAX,
    prefix: After = "",
) -> KeyPage:
    """The keys of all monitors that the API key sees, in order; `prefix` is how they begin."""
    keys = service.store.monitors.keys_after(after, limit, prefix=prefix, pattern=api_key.monitors)
    # The cursor is a key that is seen: that of another one would tell its name.
    return KeyPage(keys=keys, next=keys[-1] if len(keys) == limit else None)


@routes.post("/monitors", status_code=201, responses=errors(400, 409))
def create_monitor(
    given: NewMonitor, response: Response, service: Served, api_key: AdminKey
) -> MonitorAnswer:
    """Create a monitor: its silence counts from now on, before any run of it."""
    try:
        key = check_key(given.key)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
    check(api_key, "admin", key)
    changes = _read(given, {}, service.store.zone.name)
    declared = {field: value for field, value in changes.items() if value is not None}
    if not service.store.monitors.create(key, declared, _now_us()):
        raise MonitorExistsError(f"monitor {key!r} is there already")
    response.headers["Location"] = f"{service.settings.root_path.rstrip('/')}/api/v1/monitors/{key}"
    return show(service, key, response)


@routes.get("/monitors/{key}", responses=errors(404))
def show_monitor(known: ReadableMonitor, response: Response, service: Served) -> MonitorAnswer:
    """One monitor; its ETag, for If-Match, is another one once anybody has changed it.

    Pings don't change it, unless the job declares something else.
    """
    return _answer(service, known, response)


@routes.patch("/monitors/{key}", responses=errors(400, 404, 412))
def change_monitor(
    known: ChangeableMonitor,
    given: MonitorFields,
    response: Response,
    service: Served,
    if_match: Annotated[str | None, Header()] = None,
) -> MonitorAnswer:
    """Change what is given; null clears. No ping ever changes what was set here.

    It is then judged anew from its pings.
    """
    fingerprints = _read_fingerprints(if_match)
    changes = _read(given, known.declared, service.store.zone.name)
    if changes or fingerprints is not None:
        known = service.store.monitors.update(
            known.key, changes, _now_us(), fingerprints=fingerprints
        )
    return _answer(service, known, response)


@routes.delete("/monitors/{key}", responses=errors(404, 412))
def delete_monitor(
    known: ChangeableMonitor,
    service: Served,
    if_match: Annotated[str | None, Header()] = None,
) -> DeletedAnswer:
    """Delete a monitor with all its pings, for good."""
    pings = service.store.monitors.delete([known.key], fingerprints=_read_fingerprints(if_match))
    return DeletedAnswer(deleted=[known.key], pings=pings)


@routes.post("/monitors/{key}/pause", responses=errors(404))
def pause_monitor(
    known: ChangeableMonitor,
    response: Response,
    service: Served,
    given: PauseRequest | None = None,
) -> MonitorAnswer:
    """Expect nothing of a monitor for a while, or until it is resumed; its pings are kept."""
    now_us = _now_us()
    service.store.monitors.pause([known.key], now_us, end_of(given, now_us))
    return show(service, known.key, response)


@routes.post("/monitors/{key}/resume", responses=errors(404))
def resume_monitor(known: ChangeableMonitor, response: Response, service: Served) -> MonitorAnswer:
    """Expect runs again from now on; of one that isn't paused nothing changes."""
    service.store.monitors.resume([known.key], _now_us())
    return show(service, known.key, response)


def end_of(pause: PauseRequest | None, now_us: int) -> int | None:
    """Return when a pause that begins now ends."""
    if pause is None or pause.for_s is None:
        return None
    return now_us + round(pause.for_s * 1e6)


def _choose(
    service: Service,
    api_key: ApiKey,
    after: str,
    keys: list[str] | None,
    statuses: list[STATUSES] | None,
    *,
    has_fault: bool,
) -> Iterator[MonitorRecord]:
    """Monitors that the API key is for: none of the others is even counted, or named."""
    if has_fault:
        for known in service.store.monitors.faulty(_LOOKED_AT_MAX, pattern=api_key.monitors):
            if (not keys or known.key in keys) and (not statuses or known.view.status in statuses):
                yield known
        return
    if keys is None:
        yield from service.store.monitors.all(statuses or (), after=after, pattern=api_key.monitors)
        return
    asked = [key for key in keys if key.isascii() and key.isprintable() and api_key.covers(key)]
    found = service.store.monitors.find_all(asked)
    for key in sorted(found):
        known = found[key]
        if key > after and (not statuses or known.view.status in statuses):
            yield known


def _add_runs(
    service: Service, found: list[tuple[MonitorRecord, dict[str, Any]]], count: int, output: str
) -> None:
    """Add to each monitor its last runs, and to these what the last one wrote, if it is wanted."""
    store = service.store
    runs = store.history.last_runs([known.key for known, _ in found], count)
    for known, entry in found:
        last = runs[known.key]
        if output == "1" or (output == "alarming" and _is_alarming(entry)):
            last = store.history.with_last_output(known.key, last)
        entry["runs"] = [encode_run(run, known.state.running) for run in last]


def _is_like(known: MonitorRecord, tags: frozenset[str], search: str) -> bool:
    declared = known.declared
    if not tags <= set(declared.get("tags", "").split()):
        return False
    texts = (known.key, declared.get("name", ""), declared.get("tags", ""))
    return not search or any(search in text.casefold() for text in texts)


def _is_alarming(entry: dict[str, Any]) -> bool:
    return Status(entry["status"]) in ALARMING


def _read(given: MonitorFields, declared: Mapping[str, str], zone: str) -> dict[str, str | None]:
    """Read what a request changes; a schedule without a timezone goes by `zone`."""
    texts = decode_declared(given.model_dump(exclude_unset=True, exclude={"key"}))
    return read_changes(texts, declared, DECLARED, zone or "UTC")


def _read_fingerprints(if_match: str | None) -> frozenset[str] | None:
    """The fingerprints that If-Match asks for (RFC 9110, 13.1.1); None: any."""
    if if_match is None or if_match.strip() == "*":
        return None
    # What is no tag of ours matches nothing.
    given = (tag.strip() for tag in if_match.split(","))
    return frozenset(tag[1:-1] for tag in given if len(tag) > 1 and tag[0] == tag[-1] == '"')


def show(service: Service, key: str, response: Response) -> MonitorAnswer:
    """Return what a monitor is now, with its ETag."""
    known = service.store.monitors.find(key)
    if known is None:
        raise UnknownMonitorError(f"no monitor {key[:60]!r}")
    return _answer(service, known, response)


def _answer(service: Service, known: MonitorRecord, response: Response) -> MonitorAnswer:
    now_us = _now_us()
    attention = service.store.incidents.attention([known], now_us)[known.key]
    response.headers["ETag"] = f'"{known.fingerprint}"'
    return MonitorAnswer.model_validate(encode_monitor(known, now_us, attention))


def _now_us() -> int:
    return time.time_ns() // 1000
