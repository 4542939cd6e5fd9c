"""Telling workers what to do, and what they say to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from radar_cli.celery.broker import Broker
from radar_cli.celery.inspect import Asking


@dataclass(frozen=True, slots=True)
class Answer:
    """One worker's answer to a command; None: it gave none."""

    node: str
    is_ok: bool | None
    text: str


def find_nodes(broker: Broker, *, timeout_s: float) -> list[str]:
    """The workers that answer."""
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        answers = asking.ask({"active_queues": {}}, timeout_s=timeout_s)
    replies = answers.replies["active_queues"]
    return sorted(node for node, reply in replies.items() if isinstance(reply, list))


def command(
    broker: Broker,
    name: str,
    arguments: Mapping[str, Any],
    nodes: Iterable[str],
    *,
    timeout_s: float,
) -> list[Answer]:
    """Have all these nodes carry out a command, and return what each says."""
    wanted = list(nodes)
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        answers = asking.ask({name: arguments}, destinations=wanted, timeout_s=timeout_s)
    replies = answers.replies[name]
    return [read_answer(node, replies.get(node)) for node in wanted]


def shut_down(broker: Broker, nodes: Iterable[str]) -> list[Answer]:
    """Have these nodes end, as soon as their running tasks have. They answer nothing to that."""
    wanted = list(nodes)
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        asking.cast("shutdown", {}, wanted)
    return [Answer(node, True, "asked to shut down") for node in wanted]


def read_answer(node: str, reply: Any) -> Answer:
    """Read a worker's reply: `{"ok": ...}` or `{"error": ...}`."""
    if reply is None:
        return Answer(node, None, "no answer")
    if isinstance(reply, dict) and "error" in reply:
        return Answer(node, False, str(reply["error"]))
    content = reply.get("ok", reply) if isinstance(reply, dict) else reply
    return Answer(node, True, str(content))
