"""The history of a monitor: its pings, runs, outputs and flips."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response

from radar_cli.client.wire import encode_flip, encode_ping, encode_run
from radar_cli.core.errors import UsageError
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run
from radar_cli.server.api.depends import ReadableMonitor, Served
from radar_cli.server.api.models import (
    FlipAnswer,
    FlipPage,
    PingAnswer,
    PingPage,
    RunAnswer,
    RunPage,
)
from radar_cli.server.runtime.answers import errors, errors_beside_text

_LAST = "last"
_PAGE_MAX = 1000
_FOUND_MAX = 200
Before = Annotated[str, Query(max_length=60, pattern="^[!-~]*$")]

routes = APIRouter(prefix="/api/v1/monitors/{key}", tags=["history"])


class UnknownRunError(UsageError):
    """A run that isn't kept."""

    slug = "unknown-run"


@routes.get("/pings", responses=errors(404))
def list_pings(
    known: ReadableMonitor,
    service: Served,
    before: Before = "",
    limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 100,
    output: Annotated[bool, Query()] = False,
) -> PingPage:
    """The pings of a monitor, the newest first; `output` has their bodies with them."""
    found = service.store.pings.find(known.key, before) if before else None
    place = (found.time_us, found.id) if found is not None else None
    if before and place is None:
        return PingPage(pings=[], next=None)
    pings = service.store.pings.before(known.key, place, limit)[::-1]
    entries = [
        encode_ping(ping) if output else {**encode_ping(ping), "output": ""} for ping in pings
    ]
    following = pings[-1].id if len(pings) == limit else None
    return PingPage(pings=[PingAnswer.model_validate(each) for each in entries], next=following)


@routes.get("/runs", responses=errors(404))
def list_runs(
    known: ReadableMonitor,
    service: Served,
    before: Annotated[str, Query(max_length=60, pattern=r"^(\d{1,17}\.[!-~]*)?$")] = "",
    limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 20,
    ending: Annotated[str | None, Query(max_length=100)] = None,
    ended: Annotated[bool, Query()] = False,
    search: Annotated[str, Query(max_length=200)] = "",
) -> RunPage:
    """The runs of a monitor, the newest first.

    With `search` those whose output or message has it in it, at most 200, each with its output.

    With `ending` those whose ids end like this, with `ended` the newest one that ended: then the
    first of the answer has its output, and there is no other page.
    """
    following = None
    if search:
        runs = service.store.history.search_runs(known.key, search, min(limit, _FOUND_MAX))
    elif ending is not None:
        runs = service.store.history.find_runs(known.key, ending)[-limit:]
    elif ended:
        runs = service.store.history.find_runs(known.key)
    else:
        if before:
            time, _, run_id = before.partition(".")
            runs = service.store.history.runs_before(known.key, (int(time), run_id), limit)
        else:
            runs = service.store.history.runs(known.key, limit)
        if len(runs) == limit:
            following = f"{runs[0].first_us}.{runs[0].run_id}"
    return RunPage(runs=[_encode(known, run) for run in reversed(runs)], next=following)


@routes.get(
    "/runs/{run_id}/output",
    response_class=PlainTextResponse,
    responses={
        **errors_beside_text(404),
        200: {"content": {"text/plain": {}}, "description": "The output."},
    },
)
def show_output(known: ReadableMonitor, run_id: str, service: Served) -> Response:
    """The end of a run's output as the job wrote it; `last` is the newest run that ended.

    `Radar-Omitted-Bytes` says how much before it was not kept.
    """
    found = service.store.history.find_runs(known.key, None if run_id == _LAST else run_id)
    if not found or run_id not in (_LAST, found[-1].run_id):
        raise UnknownRunError(f"no run {run_id[:60]!r}")
    run = found[-1]
    headers = {"Radar-Omitted-Bytes": str(run.omitted_bytes)}
    return PlainTextResponse(run.output, headers=headers)


@routes.get("/flips", responses=errors(404))
def list_flips(
    known: ReadableMonitor,
    service: Served,
    before: Before = "",
    limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 100,
) -> FlipPage:
    """Return when a monitor went down and when it was up again, the newest first."""
    flips = service.store.history.flips(known.key, limit, before=before)
    answers = [FlipAnswer.model_validate(encode_flip(flip)) for flip in flips]
    return FlipPage(flips=answers, next=flips[-1].id if len(flips) == limit else None)


def _encode(known: MonitorRecord, run: Run) -> RunAnswer:
    return RunAnswer.model_validate(encode_run(run, known.state.running))
