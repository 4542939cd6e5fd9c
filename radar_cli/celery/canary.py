"""A canary through a queue: how long a task really waits, without a line of the user's code.

The task is Celery's own `celery.accumulate`, which every worker has. Its callback (`link`) is sent
by the worker to radar's reply queue, so that no result backend is needed. The message is that of
Celery's task protocol 2.
"""

import os
import socket
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from radar_cli.celery.broker import Broker
from radar_cli.celery.inspect import Asking

_TASK = "celery.accumulate"


@dataclass(frozen=True, slots=True)
class Flight:
    """A canary's way through one queue; `took_s` is None if it isn't back."""

    queue: str
    took_s: float | None
    by: str = ""  # which process ran it
    is_queue_missing: bool = False


def fly(broker: Broker, queues: Iterable[str], *, timeout_s: float) -> list[Flight]:
    """Send a canary through each queue at once, and wait for them no longer than `timeout_s`.

    One that isn't back by then expires: a worker that takes it later drops it.
    """
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        sent: dict[str, tuple[str, float]] = {}
        for queue in dict.fromkeys(queues):
            sent[_send(asking, queue, timeout_s)] = (queue, time.monotonic())
        asking.wait_for_tasks(sent, timeout_s)
        flights = []
        for number, (queue, at) in sent.items():
            back = asking.tasks.get(number)
            flights.append(
                Flight(
                    queue,
                    None if back is None else max(0.0, back.at - at),
                    "" if back is None else back.origin,
                    queue in asking.returned,
                )
            )
    return flights


def _send(asking: Asking, queue: str, timeout_s: float) -> str:
    number = str(uuid.uuid4())
    asking.publish_task(queue, _body(asking), _headers(number, timeout_s))
    return number


def _body(asking: Asking) -> list[Any]:
    callback: dict[str, Any] = {
        "task": _TASK,
        "args": [],
        "kwargs": {"index": 0},
        "options": asking.callback_options(),
        "subtask_type": None,
        "immutable": False,
    }
    embedded: dict[str, Any] = {
        "callbacks": [callback],
        "errbacks": None,
        "chain": None,
        "chord": None,
    }
    return [[1], {"index": 0}, embedded]


def _headers(number: str, timeout_s: float) -> Mapping[str, Any]:
    expires = datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=timeout_s)
    return {
        "lang": "py",
        "task": _TASK,
        "id": number,
        "root_id": number,
        "parent_id": None,
        "group": None,
        "shadow": "radar.canary",
        "expires": expires.isoformat(),
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": "(1,)",
        "kwargsrepr": "{'index': 0}",
        "origin": f"radar{os.getpid()}@{socket.gethostname()}",
        "ignore_result": True,
    }
