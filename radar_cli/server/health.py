"""`/healthz` and `/metrics`: whether the server does what it is for."""

import time

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse

from radar_cli import __version__
from radar_cli.core.errors import RadarError
from radar_cli.server.depends import ReadKey, Served
from radar_cli.server.errors import errors_beside_text
from radar_cli.store.searching import count_by_status

# An evaluator that hasn't looked for that long is stuck.
STUCK_AFTER_S = 15.0

routes = APIRouter()


@routes.get(
    "/healthz",
    responses={503: {"description": "It can't store pings, doesn't judge, or lost its store."}},
    openapi_extra={"security": []},
)
def tell_health(service: Served) -> JSONResponse:
    """200 if pings can be stored and silence is noticed, else 503; no key is needed."""
    try:
        service.store.database.read("SELECT count(*) FROM mark")
        database = "ok"
    except RadarError:
        database = "bad"
    idle_s = time.monotonic() - service.evaluator.last_tick
    evaluator = "ok" if idle_s < STUCK_AFTER_S else "bad"
    loss = service.store.loss
    is_well = database == evaluator == "ok" and loss is None
    content = {
        "status": "ok" if is_well else "bad",
        "database": database,
        "evaluator": evaluator,
        # How many monitors there were is for those who have a key.
        "store": "ok" if loss is None else "it isn't the one that was known here",
        "outage": None if service.outage is None else service.outage.when(),
        "version": __version__,
        "uptime_s": round(time.monotonic() - service.started, 1),
    }
    return JSONResponse(content, 200 if is_well else 503)


@routes.get("/metrics", response_class=PlainTextResponse, responses=errors_beside_text())
def tell_metrics(service: Served, api_key: ReadKey) -> PlainTextResponse:
    """What the server did and what its monitors say, for Prometheus (text format 0.0.4).

    A key for some monitors hears of no others: how many pings there were of all isn't for it.
    """
    lines = []
    pattern = api_key.monitors

    def add(name: str, kind: str, help_text: str, samples: list[tuple[str, float]]) -> None:
        lines.append(f"# HELP radar_{name} {help_text}")
        lines.append(f"# TYPE radar_{name} {kind}")
        lines.extend(f"radar_{name}{labels} {value:.15g}" for labels, value in samples)

    counts = count_by_status(service.store.database, pattern)
    add(
        "monitors",
        "gauge",
        "monitors by what they say",
        [(f'{{status="{status}"}}', count) for status, count in sorted(counts.items())],
    )
    if pattern == "*":
        add(
            "pings_total",
            "counter",
            "pings stored since the start, by kind",
            [(f'{{kind="{kind}"}}', n) for kind, n in sorted(service.counters.pings.items())],
        )
    add(
        "alerts_waiting",
        "gauge",
        "alerts that wait for delivery",
        [("", service.store.count_waiting_alerts(pattern))],
    )
    idle_s = time.monotonic() - service.evaluator.last_tick
    add("evaluator_idle_seconds", "gauge", "time since monitors were last judged", [("", idle_s)])
    add(
        "uptime_seconds",
        "gauge",
        "time since the start",
        [("", time.monotonic() - service.started)],
    )
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")
