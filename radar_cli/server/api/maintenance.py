"""`/api/v1/maintenance`: times in which no notices of some monitors are sent."""

import time
from typing import Annotated

from fastapi import APIRouter, Path

from radar_cli.client.wire import describe_window, from_iso
from radar_cli.core.errors import UsageError
from radar_cli.core.ids import new_id
from radar_cli.model.notice_timing import Window, check_window
from radar_cli.server.api.depends import AdminKey, ReadKey, Served
from radar_cli.server.api.models import EndedAnswer, NewWindow, WindowAnswer, WindowPage
from radar_cli.server.runtime.access import AccessError
from radar_cli.server.runtime.answers import errors
from radar_cli.server.runtime.keys import ApiKey
from radar_cli.store.windows import UnknownWindowError

_WILD = frozenset("*?[")

routes = APIRouter(prefix="/api/v1/maintenance", tags=["notices"])


@routes.get("", responses=errors())
def list_windows(service: Served, api_key: ReadKey) -> WindowPage:
    """The maintenance windows that aren't over, for monitors that the key sees; snoozes, too."""
    now_us = time.time_ns() // 1000
    windows = [
        WindowAnswer.model_validate(describe_window(window, now_us))
        for window in service.store.windows.not_over(now_us)
        if may_silence(api_key, window.monitors)
    ]
    return WindowPage(windows=windows)


@routes.post("", status_code=201, responses=errors(400))
def add_window(given: NewWindow, service: Served, api_key: AdminKey) -> WindowAnswer:
    """Add a maintenance window: one time, or each time that a schedule says.

    The monitors are judged as ever, and no notices of them are sent; what is still so at its end is
    told then.
    """
    if not may_silence(api_key, given.monitors):
        raise AccessError(403, f"this key is for monitors like {api_key.monitors!r}")
    now_us = time.time_ns() // 1000
    begin_us = _read_time(given.begin, "begin")
    begin_us = now_us if begin_us is None else begin_us
    end_us = _read_time(given.end, "end")
    if given.for_s is not None and not given.schedule:
        end_us = begin_us + round(given.for_s * 1e6)
    length_us = round((given.for_s or 0) * 1e6) if given.schedule else 0
    window = Window(
        *(new_id(now_us), given.name, given.monitors, given.tag, begin_us, end_us),
        *(given.schedule, given.tz or service.store.zone.name or "UTC", length_us),
    )
    check_window(window, now_us)
    service.store.windows.add(window)
    return WindowAnswer.model_validate(describe_window(window, now_us))


@routes.delete("/{window_id}", responses=errors(404))
def end_window(
    window_id: Annotated[str, Path(max_length=60)], service: Served, api_key: AdminKey
) -> EndedAnswer:
    """End a maintenance window now, and what would come of it."""
    now_us = time.time_ns() // 1000
    windows = {each.id: each for each in service.store.windows.not_over(now_us)}
    window = windows.get(window_id)
    if window is None or not may_silence(api_key, window.monitors):
        raise UnknownWindowError(f"no maintenance window {window_id!r}")
    service.store.windows.end(window_id, now_us)
    return EndedAnswer(ended=window_id)


def may_silence(api_key: ApiKey, pattern: str) -> bool:
    """Whether a pattern is for no monitors but those that a key is for.

    Of one pattern within another it is only known where both begin alike, or the inner is a key.
    """
    if api_key.monitors in ("*", pattern):
        return True
    if _WILD.isdisjoint(pattern):
        return api_key.covers(pattern)
    prefix = api_key.monitors.removesuffix("*")
    return prefix != api_key.monitors and _WILD.isdisjoint(prefix) and pattern.startswith(prefix)


def _read_time(text: str | None, name: str) -> int | None:
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{name} is no time", "like 2026-12-24T18:00:00+00:00") from None
