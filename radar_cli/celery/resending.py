"""Sending a task again: with the arguments that the ledger or the result backend has of it.

The message is that of Celery's task protocol 2, in JSON.
"""

import ast
import json
import os
import socket
import uuid
from dataclasses import dataclass, field
from typing import Any

from radar_cli.celery.broker import Broker
from radar_cli.celery.inspect import Asking
from radar_cli.celery.queues import read_queues
from radar_cli.celery.watch.events import CALLED_CHARACTERS
from radar_cli.core.credentials import is_secret_name
from radar_cli.core.errors import RadarError

DEFAULT_QUEUE = "celery"
_MASKED = "[redacted]"


class UnknownCallError(RadarError):
    """A task that can't be sent again, since its arguments aren't known."""

    slug = "unknown-call"


@dataclass(frozen=True, slots=True)
class Call:
    """A task with its arguments, and the queue that it went through, "" if that isn't known."""

    name: str
    queue: str
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)

    def describe(self) -> str:
        """Return it as Python has it, without what is named like a secret."""
        words = [repr(each) for each in self.args]
        words += [
            f"{name}={_MASKED if is_secret_name(name) else repr(value)}"
            for name, value in self.kwargs.items()
        ]
        return f"{self.name}({', '.join(words)})"


def read_call(name: str, queue: str, called: str) -> Call:
    """Return the call whose arguments the ledger shows as `called`. UnknownCallError: not all."""
    if not name:
        raise UnknownCallError("the task's name isn't known", "send it from the app")
    if _MASKED in called:
        raise _unknown("a secret among them isn't kept")
    if len(called) >= CALLED_CHARACTERS or "..." in called or "…" in called:
        raise _unknown("they are kept in part only")
    try:
        tree = ast.parse(f"f({called})", mode="eval").body
        if not isinstance(tree, ast.Call) or any(each.arg is None for each in tree.keywords):
            raise ValueError(called)
        args = [ast.literal_eval(each) for each in tree.args]
        kwargs = {str(each.arg): ast.literal_eval(each.value) for each in tree.keywords}
        # In and out of JSON they are what they were: a tuple has become a list on its way before.
        [args, kwargs] = json.loads(json.dumps([args, kwargs], allow_nan=False))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise _unknown("some are no values that JSON has") from None
    return Call(name, queue, args, kwargs)


def read_kept_call(kept: bytes | None, queue: str) -> Call:
    """Return the call that a result backend keeps of a task (result_extended=True).

    `kept` is the value as Celery's JSON has it. UnknownCallError: it doesn't tell.
    """
    try:
        found = json.loads(kept or b"")
        name, args, kwargs = found["name"], found["args"], found["kwargs"]
    except (ValueError, TypeError, KeyError):
        raise _unknown("the result backend doesn't keep them (result_extended)") from None
    if not (name and isinstance(args, list) and isinstance(kwargs, dict)):
        raise _unknown("the result backend keeps none")
    return Call(str(name), queue or str(found.get("queue") or ""), args, kwargs)


def send_again(broker: Broker, call: Call) -> str:
    """Send a task, through Celery's default queue if its own isn't known; return its new id.

    UnknownCallError: that queue isn't there (RabbitMQ).
    """
    queue = call.queue or DEFAULT_QUEUE
    seen = read_queues(broker, [queue])[queue]
    if seen.fault:
        raise UnknownCallError(f"the queue {queue!r} can't be used: {seen.fault}")
    number = str(uuid.uuid4())
    headers = {
        "lang": "py",
        "task": call.name,
        "id": number,
        "root_id": number,
        "parent_id": None,
        "group": None,
        "shadow": None,
        "eta": None,
        "expires": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": repr(tuple(call.args)),
        "kwargsrepr": repr(call.kwargs),
        "origin": f"radar{os.getpid()}@{socket.gethostname()}",
        "ignore_result": False,
    }
    nothing = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        asking.publish_task(queue, [call.args, call.kwargs, nothing], headers)
    return number


def _unknown(why: str) -> UnknownCallError:
    return UnknownCallError(f"its arguments aren't known: {why}", "send it from the app")
