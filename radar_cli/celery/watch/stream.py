"""The stream of Celery's events from a broker, and turning them on at workers."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from radar_cli.celery.broker import Broker, leave
from radar_cli.celery.inspect import Asking
from radar_cli.core.ids import new_id

# RabbitMQ keeps events for so long while nobody takes them: Celery's own default is 5 s.
_KEPT_S = 120.0
_KEPT_MAX = 200_000
# How long one read may wait for the next event.
_WAIT_S = 0.1


class EventStream:
    """The events of all workers and clients on a broker, from now on; a context manager."""

    def __init__(self, broker: Broker, exchange: str = "celeryev") -> None:
        self._broker = broker
        self._exchange = exchange
        self._waiting: list[Mapping[str, Any]] = []

    def __enter__(self) -> "EventStream":
        from celery.events.event import get_exchange
        from kombu import Consumer, Queue

        connection = self._broker.connection
        queue = Queue(
            f"celeryev.radar.{new_id(0)}",
            exchange=get_exchange(connection, name=self._exchange),
            routing_key="#",
            auto_delete=True,
            durable=False,
            message_ttl=_KEPT_S,
            max_length=_KEPT_MAX,
            expires=_KEPT_S,
        )
        self._consumer = Consumer(
            connection.channel(),
            [queue],
            callbacks=[self._take],
            accept=["json"],
            no_ack=True,
            on_decode_error=lambda *_: None,
        )
        self._consumer.consume()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(Exception):
            self._consumer.cancel()
        leave(self._broker.connection)

    def read(self, at_most: int) -> list[Mapping[str, Any]]:
        """Return the events that are there, after waiting a moment for one.

        About `at_most`: messages hold several. Raises what the broker's library does.
        """
        with suppress(TimeoutError):
            self._broker.connection.drain_events(timeout=_WAIT_S)
            while len(self._waiting) < at_most:
                self._broker.connection.drain_events(timeout=0.001)
        found, self._waiting = self._waiting, []
        return found

    def _take(self, body: Any, _message: Any) -> None:
        if isinstance(body, list):  # workers send what is buffered together
            self._waiting += [event for event in body if isinstance(event, dict)]
        elif isinstance(body, dict):
            self._waiting.append(body)


def enable_events(broker: Broker, nodes: Iterable[str] = ()) -> None:
    """Have workers send the events of their tasks: all that hear it, or some."""
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        asking.cast("enable_events", {}, nodes)
