r"""Looking into a queue, and taking one message out of it.

Redis: the next message is at the right end of a list, of the lists of a queue that of the lowest
number first (kombu/transport/redis.py). RabbitMQ shows a message only to whoever fetches it; given
back, it is where it was, marked as delivered before.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from radar_cli.celery.broker import Broker
from radar_cli.celery.queues import redis_of
from radar_cli.celery.watch.events import describe_call
from radar_cli.core.redaction import Redactor

_PRIORITIES = range(10)
# So many are fetched at once from RabbitMQ, which hides them from workers meanwhile.
_FETCHED_MOST = 50


@dataclass(frozen=True, slots=True)
class Message:
    """A message that waits in a queue; `called` are its task's arguments, without secrets."""

    id: str
    name: str
    called: str = ""
    eta: str = ""
    retries: int = 0
    priority: int = 0
    origin: str = ""
    raw: bytes = b""  # as Redis has it


def peek(broker: Broker, queue: str, most: int = 100) -> list[Message]:
    """Return the messages that are next in a queue, in their order."""
    redactor = Redactor([], [], "redact", [])
    if broker.kind == "redis":
        return [_read_raw(raw, redactor, step) for step, raw in _waiting(broker, queue, most)]
    with broker.connection.channel() as channel:
        return [
            _read(got.headers, got.properties, got.body, redactor)
            for got in _fetch(channel, queue, min(most, _FETCHED_MOST))
        ]


def take_out(broker: Broker, queue: str, message: Message) -> bool:
    """Remove a message from a queue; False: it isn't there any more."""
    if broker.kind == "redis":
        client, channel = redis_of(broker)
        for key in _keys(broker, channel, queue).values():
            if client.lrem(key, 1, message.raw):
                return True
        return False
    with broker.connection.channel() as channel:
        for got in _fetch(channel, queue, _FETCHED_MOST):
            if str((got.headers or {}).get("id", "")) == message.id:
                channel.basic_ack(got.delivery_tag)
                return True
    return False


def _fetch(channel: Any, queue: str, most: int) -> Iterator[Any]:
    """Fetch messages; those that aren't acknowledged are given back when the channel closes."""
    for _ in range(most):
        got = channel.basic_get(queue, no_ack=False)
        if got is None:
            return
        yield channel.message_to_python(got)


def _keys(broker: Broker, channel: Any, queue: str) -> dict[int, str]:
    start = broker.key_prefix + queue
    return {step: start + (f"{channel.sep}{step}" if step else "") for step in _PRIORITIES}


def _waiting(broker: Broker, queue: str, most: int) -> Iterator[tuple[int, bytes]]:
    client, channel = redis_of(broker)
    for step, key in _keys(broker, channel, queue).items():
        for raw in reversed(client.lrange(key, -most, -1)):
            yield step, raw
            most -= 1
        if most <= 0:
            return


def _read_raw(raw: bytes, redactor: Redactor, priority: int) -> Message:
    try:
        message = json.loads(raw)
        body = base64.b64decode(message.get("body") or "")
        found = _read(message.get("headers"), message.get("properties"), body, redactor)
    except (ValueError, TypeError, AttributeError):
        return Message("", "no message of Celery's", raw=raw, priority=priority)
    return Message(
        *(found.id, found.name, found.called, found.eta, found.retries, priority, found.origin),
        raw=raw,
    )


def _read(headers: Any, properties: Any, body: Any, redactor: Redactor) -> Message:
    headers = headers if isinstance(headers, Mapping) else {}
    properties = properties if isinstance(properties, Mapping) else {}
    if "task" in headers:
        return Message(
            str(headers.get("id") or ""),
            str(headers["task"]),
            describe_call(redactor, headers.get("argsrepr"), headers.get("kwargsrepr")),
            str(headers.get("eta") or ""),
            int(headers.get("retries") or 0),
            int(properties.get("priority") or 0),
            str(headers.get("origin") or ""),
        )
    # Protocol 1 has all of it in its body.
    try:
        told = json.loads(body)
    except (ValueError, TypeError):
        told = None
    if not isinstance(told, Mapping) or "task" not in told:
        return Message("", "no message of Celery's")
    called = describe_call(redactor, told.get("args"), told.get("kwargs"))
    return Message(str(told.get("id") or ""), str(told["task"]), called, str(told.get("eta") or ""))
