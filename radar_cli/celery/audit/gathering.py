"""The facts to judge: of running workers by remote control, or of an app by its configuration."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from radar_cli.celery.audit.facts import Facts
from radar_cli.celery.broker import Broker
from radar_cli.celery.inspect import Asking
from radar_cli.celery.project import Project

_QUESTIONS: Mapping[str, Mapping[str, Any]] = {
    "conf": {"with_defaults": True},
    "stats": {},
    "scheduled": {},
}
_SCHEMES = {"redis": "redis", "rediss": "redis", "sentinel": "redis", "amqp": "amqp"}


def ask_workers(broker: Broker, *, timeout_s: float) -> list[Facts]:
    """Of each worker that answers in time. Secrets come masked: Celery sees to it."""
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        replies = asking.ask(_QUESTIONS, timeout_s=timeout_s).replies
    server = _server_settings(broker)
    stats, scheduled = replies["stats"], replies["scheduled"]
    return [
        _worker(node, conf, stats.get(node), scheduled.get(node), broker, server)
        for node, conf in sorted(replies["conf"].items())
        if isinstance(conf, Mapping)
    ]


def read_app(project: Project) -> Facts:
    """Of an imported app: its settings with their defaults."""
    from celery.app.defaults import NAMESPACES, flatten

    conf = project.app.conf
    settings = {}
    for name, _ in flatten(NAMESPACES):
        value = conf.get(name)
        settings[name] = value
    scheme = project.broker.partition("://")[0].partition("+")[0]
    return Facts(
        settings,
        _SCHEMES.get(scheme, "amqp" if scheme in ("pyamqp", "amqps") else "other"),
        str(conf.worker_pool or "prefork").rpartition(".")[2],
        int(conf.worker_concurrency or 0),
    )


def _worker(
    node: str,
    conf: Mapping[str, Any],
    stats: Any,
    scheduled: Any,
    broker: Broker,
    server: Mapping[str, str],
) -> Facts:
    pool = stats.get("pool") if isinstance(stats, Mapping) else None
    pool = pool if isinstance(pool, Mapping) else {}
    slots = pool.get("max-concurrency")
    return Facts(
        conf,
        broker.kind,
        _pool_name(str(pool.get("implementation") or conf.get("worker_pool") or "prefork")),
        slots if isinstance(slots, int) else 0,
        max(_etas(scheduled), default=0.0),
        server,
        node,
    )


def _pool_name(implementation: str) -> str:
    """The name of `celery.concurrency.thread:TaskPool` and the like, as -P has it."""
    module = implementation.partition(":")[0].rpartition(".")[2]
    return "threads" if module == "thread" else module


def _etas(scheduled: Any) -> Iterator[float]:
    """Return how many seconds ahead each task with an ETA lies."""
    for each in scheduled if isinstance(scheduled, list) else ():
        try:
            eta = datetime.fromisoformat(str(each["eta"]))
        except (KeyError, TypeError, ValueError):
            continue
        yield (eta if eta.tzinfo else eta.replace(tzinfo=UTC)).timestamp() - time.time()


def _server_settings(broker: Broker) -> dict[str, str]:
    """Ask Redis what it does when its memory is full; nothing without a limit or the right."""
    if broker.kind != "redis":
        return {}
    try:
        found = broker.connection.default_channel.client.config_get("maxmemory*")
    except Exception:  # noqa: BLE001  (most hosted ones forbid CONFIG, each in its own words)
        return {}
    if str(found.get("maxmemory", "0")) == "0":
        return {}
    return {"maxmemory-policy": str(found.get("maxmemory-policy", "noeviction"))}
