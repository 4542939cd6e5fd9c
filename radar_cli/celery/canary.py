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
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from radar_cli.celery.broker import Broker
from radar_cli.celery.inspect import Asking
from radar_cli.celery.queues import remove_newest

_TASK = "celery.accumulate"


@dataclass(frozen=True, slots=True)
class Flight:
    """A canary's way through one queue; `took_s` is None if it isn't back."""

    queue: str
    took_s: float | None
    by: str = ""  # which process ran it
    is_queue_missing: bool = False


class Canaries:
    """Those on their way. `flights()` may be asked at any time, also while a broker hangs."""

    def __init__(self) -> None:
        self._sent: dict[str, tuple[str, float]] = {}
        self._asking: Asking | None = None

    def fly(self, broker: Broker, queues: Iterable[str], *, timeout_s: float) -> None:
        """Send one through each queue at once, and wait for them no longer than `timeout_s`.

        One that isn't back by then is taken out of its queue again; what a worker has fetched
        by then, it drops as expired.
        """
        with Asking(broker.connection, exchange=broker.exchange) as asking:
            self._asking = asking
            for queue in dict.fromkeys(queues):
                sent_at = time.monotonic()
                self._sent[_send(asking, queue, timeout_s)] = (queue, sent_at)
            asking.wait_for_tasks(self._sent, timeout_s)
        for number, (queue, _) in self._sent.items():
            if number not in asking.tasks:
                with suppress(Exception):  # a broker that goes away makes no difference now
                    remove_newest(broker, queue, number)

    def flights(self) -> list[Flight]:
        """Return what became of each canary that was sent."""
        asking = self._asking
        # A copy: one that hangs may still be sending.
        return [self._flight(asking, number) for number in list(self._sent)] if asking else []

    def _flight(self, asking: Asking, number: str) -> Flight:
        queue, sent_at = self._sent[number]
        back = asking.tasks.get(number)
        return Flight(
            queue,
            None if back is None else max(0.0, back.at - sent_at),
            "" if back is None else back.origin,
            queue in asking.returned,
        )


def _send(asking: Asking, queue: str, timeout_s: float) -> str:
    number = str(uuid.uuid4())
    headers = _headers(number, timeout_s)
    asking.publish_task(queue, _body(asking), headers, expires_s=timeout_s)
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
