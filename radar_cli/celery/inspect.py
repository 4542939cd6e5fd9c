"""Asking workers by remote control, without their app and no longer than it takes.

The messages are those of kombu's pidbox (kombu/pidbox.py), unchanged in ten years. Unlike `celery
inspect` this doesn't wait for the whole timeout: Redis tells how many heard, and RabbitMQ returns
what reaches nobody.
"""

import time
import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Iterable, Mapping

from radar_cli.celery.addresses import without_password
from radar_cli.celery.broker_causes import BrokerError
from radar_cli.celery.receivers import Receivers

if TYPE_CHECKING:
    from kombu import Connection

_EXCHANGE = "celery"  # Celery's control_exchange, unless its conf says otherwise
_REPLY_QUEUE_EXPIRES_S = 60.0  # where nobody deletes it, since radar was killed
# How Celery names a Beat, unless -n of celery beat says otherwise.
BEAT_PREFIX = "celerybeat@"
# How long after the last reply another may come, where nothing tells how many there are.
_QUIET_S = 1.0
# How long after the expected number of replies one more may come, where that number is a guess.
_SETTLE_S = 0.1


@dataclass(slots=True)
class Answers:
    """The replies to some commands: `replies[command][node]`.

    `heard` is how many nodes got the questions, if the broker tells.
    """

    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    heard: int | None = None
    beats: set[str] = field(default_factory=set)  # that answered a ping; they are no workers
    is_to_all: bool = True
    counts: dict[tuple[str, str], int] = field(default_factory=dict)  # by command and node

    def twins(self) -> dict[str, int]:
        """Return how many answer by each name by which more than one does."""
        most: dict[str, int] = {}
        for (_, node), count in self.counts.items():
            most[node] = max(count, most.get(node, 0))
        return {node: count for node, count in most.items() if count > 1}

    def count(self, command: str) -> int:
        """Return how many have answered a command."""
        return sum(count for (each, _), count in self.counts.items() if each == command)

    def nodes(self) -> list[str]:
        """The nodes that answered anything."""
        return sorted({node for replies in self.replies.values() for node in replies})


@dataclass(frozen=True, slots=True)
class TaskBack:
    """A task whose callback has come back to radar."""

    at: float  # monotonic
    origin: str


class Asking:
    """A reply queue and its consumer, for one or more questions; a context manager.

    `tasks` are those whose callbacks came to this queue, by their root's id, and `returned` the
    routing keys of messages that RabbitMQ could bring nowhere.
    """

    def __init__(self, connection: "Connection", *, exchange: str = _EXCHANGE) -> None:
        self._connection = connection
        self._exchange = exchange
        self._pending: dict[str, tuple[str, Answers]] = {}  # by ticket
        self.returned: set[str] = set()
        self.tasks: dict[str, TaskBack] = {}
        self._blocked = ""  # why RabbitMQ takes nothing from this connection

    def __enter__(self) -> "Asking":
        from kombu import Consumer, Exchange, Queue

        _hear_of_blocks(self._connection.connection, self._note_block)
        self._channel = self._connection.channel()
        self._oid = str(uuid.uuid4())
        name = f"reply.{self._exchange}.pidbox"
        self._queue = Queue(
            f"{self._oid}.{name}",
            # Declared as workers declare it: RabbitMQ refuses any difference.
            exchange=Exchange(name, "direct", durable=False, delivery_mode="transient"),
            routing_key=self._oid,
            durable=False,
            exclusive=True,
            auto_delete=True,
            expires=_REPLY_QUEUE_EXPIRES_S,
        )
        self._reply_exchange = name
        self._consumer = Consumer(
            self._channel,
            [self._queue],
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
        if self._blocked:
            return  # whatever is said now, RabbitMQ doesn't read it
        # The answers are in: a broker that goes away now makes no difference.
        with suppress(Exception):
            self._consumer.cancel()
            if hasattr(self._channel, "events"):
                self._channel.close()  # and the queue goes with its consumer
            else:
                # close() would wait for the end of a BRPOP, up to a second.
                self._channel.queue_delete(self._queue.name)

    def ask(
        self,
        questions: Mapping[str, Mapping[str, Any]],
        *,
        destinations: Iterable[str] = (),
        timeout_s: float = 1.0,
        expect: int | None = None,
    ) -> Answers:
        """Send each command with its arguments to all nodes or to `destinations`.

        Returns as soon as all replies are in that are expected: one of each destination, else of
        each node that heard, else `expect` and those that come right after; where nothing tells how
        many, a second after the last. Raises what the broker's library does.
        """
        names = list(destinations)
        self.returned.clear()
        answers = Answers({command: {} for command in questions}, is_to_all=not names)
        if not names:
            # A Beat of Celery 5.7 hears every question and answers a ping alone: without that it
            # would pass for a worker that is silent.
            questions = {**questions, "ping": questions.get("ping", {})}
        deadline = time.monotonic() + timeout_s
        tickets = []
        for command, arguments in questions.items():
            ticket = str(uuid.uuid4())
            tickets.append(ticket)
            self._pending[ticket] = (command, answers)
            heard = self._send(command, arguments, names, ticket, timeout_s)
            if heard is not None:
                answers.heard = max(heard, answers.heard or 0)
        try:
            self._collect(answers, names, deadline, expect)
        finally:
            for ticket in tickets:
                del self._pending[ticket]
        if self._blocked:
            shown = without_password(self._connection.as_uri())
            raise BrokerError(
                "alarm",
                shown,
                f"takes no messages: {self._blocked}",
                "free what it is low on, or raise its limit: see alarms in 'rabbitmqctl status'",
            )
        if answers.heard is not None:
            answers.heard -= len(answers.beats)
        return answers

    def cast(
        self, command: str, arguments: Mapping[str, Any], destinations: Iterable[str] = ()
    ) -> None:
        """Send a command without asking for replies; kombu's word for it."""
        self._send(command, arguments, list(destinations), None, 60.0)

    def publish_task(
        self, queue: str, body: Any, headers: Mapping[str, Any], *, expires_s: float | None = None
    ) -> None:
        """Put a task into a queue, as Celery's protocol 2 has it, for so long (in RabbitMQ).

        Without that it is as good as any that an app sends: it survives a restart of the broker.
        """
        self._producer().publish(
            body,
            exchange="",
            routing_key=queue,
            headers=dict(headers),
            serializer="json",
            mandatory=True,
            retry=False,
            correlation_id=headers["id"],
            delivery_mode=2 if expires_s is None else 1,
            expiration=expires_s,
        )

    def callback_options(self) -> dict[str, str]:
        """Return the options that lead a task's callback to this queue."""
        # Not the default exchange: Celery would put its default queue in the place of the key.
        return {
            "exchange": self._reply_exchange,
            "exchange_type": "direct",
            "routing_key": self._oid,
        }

    def wait_for_tasks(self, roots: Collection[str], timeout_s: float) -> None:
        """Wait until the callbacks of all these are back, at most so long."""
        deadline = time.monotonic() + timeout_s
        while not set(roots) <= self.tasks.keys() and (left_s := deadline - time.monotonic()) > 0:
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=min(left_s, 0.2))

    def _collect(
        self, answers: Answers, names: list[str], deadline: float, expect: int | None
    ) -> None:
        is_guess = not names and answers.heard is None
        wanted = len(names) or (answers.heard if answers.heard is not None else expect)
        is_open, seen, until = wanted is None, 0, deadline
        while (left_s := until - time.monotonic()) > 0:
            if self._blocked:
                return
            if answers.heard is None and self.returned:
                answers.heard = 0
                return
            if names:
                is_complete = all(set(names) <= set(got) for got in answers.replies.values())
            else:
                is_complete = wanted is not None and all(
                    answers.count(command) >= wanted - len(answers.beats)
                    for command in answers.replies
                )
            if is_complete:
                if not is_guess:
                    return
                until = min(deadline, time.monotonic() + _SETTLE_S)
                is_guess, wanted = True, None
                continue
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=min(left_s, 0.2))
            if is_open and (count := sum(map(len, answers.replies.values()))) > seen:
                until, seen = min(deadline, time.monotonic() + _QUIET_S), count

    def _take(self, body: Any, message: Any) -> None:
        """Keep a reply, `{node: reply}`; late ones of an earlier question count no more."""
        if (root := message.headers.get("root_id")) is not None:
            self.tasks[root] = TaskBack(time.monotonic(), str(message.headers.get("origin", "")))
            return
        pending = self._pending.get(message.headers.get("ticket"))
        if pending is not None and isinstance(body, dict):
            command, answers = pending
            for name, reply in body.items():
                node = str(name)
                if node.startswith(BEAT_PREFIX):
                    answers.beats.add(node)
                if command in answers.replies and not (
                    node.startswith(BEAT_PREFIX) and answers.is_to_all
                ):
                    answers.replies[command][node] = reply
                    which = command, node
                    answers.counts[which] = answers.counts.get(which, 0) + 1

    def _send(
        self,
        command: str,
        arguments: Mapping[str, Any],
        names: list[str],
        ticket: str | None,
        timeout_s: float,
    ) -> int | None:
        """Publish one command. Returns how many nodes got it, if the broker tells."""
        from kombu import Exchange

        message: dict[str, Any] = {
            "method": command,
            "arguments": dict(arguments),
            "destination": names or None,
            "pattern": None,
            "matcher": None,
        }
        if ticket is not None:
            message["ticket"] = ticket
            message["reply_to"] = {"exchange": self._reply_exchange, "routing_key": self._oid}
        name = f"{self._exchange}.pidbox"
        with Receivers(self._channel) as receivers:
            self._producer().publish(
                message,
                exchange=name,
                declare=[Exchange(name, "fanout", durable=False, delivery_mode="transient")],
                headers={"clock": 1, "expires": time.time() + timeout_s},
                serializer="json",
                mandatory=True,
                retry=False,
            )
        return receivers.count

    def _producer(self) -> Any:
        from kombu import Producer

        # Redis's channels know of no returned messages.
        on_return = self._note_return if hasattr(self._channel, "events") else None
        return Producer(self._channel, auto_declare=False, on_return=on_return)

    def _note_block(self, reason: Any = "") -> None:
        """RabbitMQ reads nothing from connections that publish, while an alarm lasts."""
        self._blocked = str(reason or "an alarm")[:100]

    def _note_return(self, *returned: Any) -> None:
        _exception, _exchange, routing_key, _message = returned
        self.returned.add(str(routing_key or ""))


def _hear_of_blocks(raw: Any, note: Callable[[Any], None]) -> None:
    """Have a connection of py-amqp tell that RabbitMQ blocks it, and why."""
    if not hasattr(raw, "on_blocked"):
        return
    raw.on_blocked = note
    # It drops the reason, which is the method's only argument (amqp/connection.py).
    with suppress(Exception):
        from amqp import spec

        blocked = spec.Connection.Blocked
        raw._callbacks[blocked] = note
        raw._METHODS = {**raw._METHODS, blocked: spec.method(blocked, "s")}


def ask(
    connection: "Connection",
    command: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    destinations: Iterable[str] = (),
    timeout_s: float = 1.0,
    expect: int | None = None,
    exchange: str = _EXCHANGE,
) -> dict[str, Any]:
    """Ask one thing; what each node replied, by its name (see `Asking.ask`)."""
    with Asking(connection, exchange=exchange) as asking:
        answers = asking.ask(
            {command: arguments or {}},
            destinations=destinations,
            timeout_s=timeout_s,
            expect=expect,
        )
    return answers.replies[command]
