"""`/healthz` and `/metrics`: whether the server does what it is for."""

import time
from itertools import islice
from typing import Iterator

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse

from radar_cli import __version__
from radar_cli.core.prometheus import Sample, format_family
from radar_cli.model.overview import MonitorOverview
from radar_cli.server.api.depends import ReadKey, Served
from radar_cli.server.runtime.answers import errors_beside_text
from radar_cli.server.runtime.service import Service
from radar_cli.service.metrics import Metrics
from radar_cli.store.searching import count_by_status

# Each has ten lines: more would be nobody's to read, and take the server's time.
MONITORS_LISTED = 10_000

routes = APIRouter()


@routes.get(
    "/healthz",
    responses={503: {"description": "It can't store pings, doesn't judge, or lost its store."}},
    openapi_extra={"security": []},
)
def show_health(service: Served) -> JSONResponse:
    """200 if pings can be stored and silence is noticed, else 503; no key is needed."""
    health = service.health()
    is_well = all(state == "ok" for state in health.values())
    content = {
        "status": "ok" if is_well else "bad",
        **health,
        "outage": None if service.outage is None else service.outage.when(),
        "version": __version__,
        "uptime_s": round(time.monotonic() - service.started, 1),
    }
    return JSONResponse(content, 200 if is_well else 503)


@routes.get("/metrics", response_class=PlainTextResponse, responses=errors_beside_text())
def show_metrics(service: Served, api_key: ReadKey) -> PlainTextResponse:
    """Show the server's work and its monitors as metrics for Prometheus (text format 0.0.4).

    A key for some monitors hears of no others: how many pings and requests there were of all isn't
    for it.
    """
    pattern = api_key.monitors
    counts = count_by_status(service.store.database, pattern)
    failing = {health.name for health in service.failing_channels()}
    idle_s = time.monotonic() - service.evaluator.last_tick
    uptime_s = time.monotonic() - service.started
    gauges: list[tuple[str, str, list[Sample]]] = [
        (
            "monitors",
            "monitors by what they say",
            [({"status": status}, n) for status, n in sorted(counts.items())],
        ),
        (
            "alerts_waiting",
            "alerts that wait for delivery",
            [({}, service.store.alerts.count_waiting(pattern))],
        ),
        (
            "channel_failing",
            "1 if a channel delivers nothing",
            [
                ({"channel": channel.table.name}, float(channel.table.name in failing))
                for channel in service.channels
            ],
        ),
        ("evaluator_idle_seconds", "time since monitors were last judged", [({}, idle_s)]),
        (
            "store_lost",
            "1 if the store isn't the one that was known",
            [({}, float(service.store.loss is not None))],
        ),
        ("uptime_seconds", "time since the start", [({}, uptime_s)]),
    ]
    parts = [format_family(name, "gauge", text, samples) for name, text, samples in gauges]
    if pattern == "*":
        parts += _count_work(service)
    listed = Metrics()
    for seen in islice(_see(service, pattern), MONITORS_LISTED):
        listed.add(seen)
    unlisted = max(0, sum(counts.values()) - MONITORS_LISTED)
    text = "monitors that have no metrics of their own: there are too many"
    parts += [format_family("monitors_unlisted", "gauge", text, [({}, unlisted)]), listed.text()]
    return PlainTextResponse("\n".join(parts) + "\n", media_type="text/plain; version=0.0.4")


def _see(service: Service, pattern: str) -> Iterator[MonitorOverview]:
    return service.store.overviews(service.clock.now_us(), output_of=(), pattern=pattern)


def _count_work(service: Service) -> Iterator[str]:
    """Count the work of the whole server."""
    pings: list[Sample] = [
        ({"kind": kind}, n) for kind, n in sorted(service.counters.pings.items())
    ]
    yield format_family("pings_total", "counter", "pings stored since the start, by kind", pings)
    # Copied at once: requests come meanwhile.
    requests = sorted(service.counters.requests.copy().items())
    samples: list[Sample] = [
        ({"method": method, "route": route, "status": str(status)}, float(n))
        for (method, route, status), n in requests
    ]
    yield format_family("requests_total", "counter", "requests answered since the start", samples)
