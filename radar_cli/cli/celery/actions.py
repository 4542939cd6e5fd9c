"""What `radar celery top` does about workers, queues and tasks, each after a question."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from radar_cli.celery.addresses import REDIS_SCHEMES, scheme_of
from radar_cli.celery.broker import Broker
from radar_cli.celery.control import Answer, find_nodes, shut_down
from radar_cli.celery.control import command as command_nodes
from radar_cli.celery.messages import Message, peek, take_out
from radar_cli.celery.resending import (
    DEFAULT_QUEUE,
    Call,
    UnknownCallError,
    read_call,
    read_kept_call,
    send_again,
)
from radar_cli.celery.tasks import Task
from radar_cli.celery.watch.events import describe_call
from radar_cli.cli.celery.snapshots import Access
from radar_cli.cli.render import Cell
from radar_cli.cli.top.pane import Action, Desk, Page, Pane, Row
from radar_cli.core.errors import BadValueError, RadarError
from radar_cli.core.grammar import format_duration, parse_period
from radar_cli.core.redaction import Redactor
from radar_cli.model.ledger import TaskRecord, describe_stage
from radar_cli.model.sentences import local_time
from radar_cli.store.ledger import Ledger

_PEEKED = 200
_FIRINGS = 100
_LATE_US = 1_000_000
_DAY_US = 86_400_000_000
_AMQP_REMARK = "RabbitMQ shows messages by handing them out: each is marked as delivered before"


class Actions:
    """Makes the actions, and the pages that rows open."""

    def __init__(self, access: Access) -> None:
        self._access = access

    # What can be done about each kind of row.

    def for_workers(self) -> tuple[Action, ...]:
        """Return the commands to workers."""
        return (
            Action("+", "grow", "add slots to the worker's pool", self._grow),
            Action("-", "shrink", "take slots from its pool", self._shrink),
            Action("A", "", "change the bounds of its autoscaling (MAX MIN)", self._autoscale),
            Action("c", "consume", "have it consume a queue, too", self._consume),
            Action("x", "", "have it consume a queue no more", self._consume_no_more),
            Action("R", "", "restart its pool (worker_pool_restarts)", self._restart_pool),
            Action("D", "down", "shut it down, as soon as its tasks have ended", self._shut_down),
        )

    def for_queues(self) -> tuple[Action, ...]:
        """Return what is done about a queue."""
        return (
            Action("c", "consume", "have all workers consume it", self._consume_queue),
            Action("x", "stop", "have all workers consume it no more", self._leave_queue),
        )

    def for_tasks(self) -> tuple[Action, ...]:
        """Return what is done about a task that a worker holds."""
        return (
            Action("r", "revoke", "have workers drop it if it doesn't run yet", self._revoke),
            Action("K", "kill", "kill the process that runs it, and revoke it", self._kill),
            Action("l", "limit", "limit how often tasks of its name run (10/m)", self._limit_rate),
            Action("t", "", "limit how long tasks of its name run (SOFT HARD)", self._limit_time),
        )

    def for_failures(self) -> tuple[Action, ...]:
        """Return what is done about a task that failed."""
        return (Action("r", "retry", "send it again with the same arguments", self._retry),)

    # Workers.

    def _grow(self, desk: Desk, row: Row | None) -> None:
        self._resize(desk, row, "Add {} to {}?", "pool_grow")

    def _shrink(self, desk: Desk, row: Row | None) -> None:
        self._resize(desk, row, "Take {} from {}?", "pool_shrink")

    def _resize(self, desk: Desk, row: Row | None, question: str, command: str) -> None:
        node = _key(row)

        def go_on(text: str) -> None:
            if not text.isdigit() or not int(text):
                desk.remark(f"{text[:20]!r} is no number of slots")
                return
            slots = "a slot" if int(text) == 1 else f"{int(text)} slots"
            words = question.format(slots, node)
            self._control(desk, words, command, {"n": int(text)}, [node])

        desk.ask("How many slots?", go_on, "1")

    def _autoscale(self, desk: Desk, row: Row | None) -> None:
        node = _key(row)

        def go_on(text: str) -> None:
            words = text.split()
            if len(words) != 2 or not all(map(str.isdigit, words)):
                desk.remark("two numbers are needed: MAX MIN, as in 8 2")
                return
            most, least = map(int, words)
            question = f"Have {node} scale from {least} to {most} slots?"
            self._control(desk, question, "autoscale", {"max": most, "min": least}, [node])

        desk.ask("Scale up to how many slots, and down to how many?", go_on)

    def _consume(self, desk: Desk, row: Row | None) -> None:
        self._name_queue(desk, row, "Have {} consume {!r}?", "add_consumer")

    def _consume_no_more(self, desk: Desk, row: Row | None) -> None:
        self._name_queue(desk, row, "Have {} consume {!r} no more?", "cancel_consumer")

    def _name_queue(self, desk: Desk, row: Row | None, question: str, command: str) -> None:
        node = _key(row)

        def go_on(queue: str) -> None:
            words = question.format(node, queue)
            self._control(desk, words, command, {"queue": queue}, [node])

        desk.ask("Which queue?", go_on)

    def _restart_pool(self, desk: Desk, row: Row | None) -> None:
        node = _key(row)
        question = f"Restart the pool of {node}? Running tasks are killed."
        self._control(desk, question, "pool_restart", {"reload": False}, [node])

    def _shut_down(self, desk: Desk, row: Row | None) -> None:
        node = _key(row)
        self._control(desk, f"Shut {node} down?", "shutdown", {}, [node])

    # Queues.

    def _consume_queue(self, desk: Desk, row: Row | None) -> None:
        queue = _key(row)
        question = f"Have all workers consume {queue!r}?"
        self._control(desk, question, "add_consumer", {"queue": queue})

    def _leave_queue(self, desk: Desk, row: Row | None) -> None:
        queue = _key(row)
        question = f"Have all workers consume {queue!r} no more?"
        self._control(desk, question, "cancel_consumer", {"queue": queue})

    def look_into(self, queue: str) -> Pane:
        """Return the list of the messages that wait in a queue."""

        def remove(desk: Desk, row: Row | None) -> None:
            message: Message | None = row.item if row is not None else None
            if message is None:
                return
            what = f"{message.name} {message.id}"
            desk.confirm(
                f"Take {what} out of {queue!r}? It will never run.",
                lambda: desk.work(f"taking {what} out", lambda: self._remove(queue, message)),
            )

        pane = Pane(
            f"queue {queue}",
            ("next", "task", "waits", "arguments", "priority", "due", "id"),
            tuple,
            lambda: "nothing waits in it",
            least=("id", "priority", "due", "arguments", "waits"),
            open=lambda row: Page(
                f"message {row.item.id}", lambda: self._describe_message(queue, row.item)
            ),
            actions=(Action("d", "take out", "take the message out of the queue", remove),),
            look=lambda: self._peek(queue),
        )
        if scheme_of(self._access.project.broker) in REDIS_SCHEMES:
            return pane
        # Looking isn't without effect there: once, and after a question.
        fetched: list[Row] = []

        def fetch() -> str:
            fetched[:] = self._peek(queue)
            return f"{len(fetched)} fetched from {queue!r}, and given back"

        def ask(desk: Desk, _: Row | None) -> None:
            question = f"Fetch what is next in {queue!r}, and give it back?"
            desk.confirm(f"{question} {_AMQP_REMARK}.", lambda: desk.work("fetching", fetch))

        return replace(
            pane,
            rows=lambda: fetched,
            empty=lambda: f"g fetches them. {_AMQP_REMARK}",
            actions=(Action("g", "fetch", "fetch what is next", ask, False), *pane.actions),
            look=None,
        )

    def _peek(self, queue: str) -> list[Row]:
        messages = self._access.ask(lambda broker, _: peek(broker, queue, _PEEKED))
        ids = [message.id for message in messages if message.id]
        known: Mapping[str, TaskRecord] = {}
        try:
            known = self._access.read(lambda ledger: ledger.find_tasks(ids), {})
        except RadarError:
            known = {}  # its feed says so
        now = time.time()
        rows = []
        for number, message in enumerate(messages, 1):
            task = known.get(message.id)
            sent_us = None if task is None else task.sent_us
            age_s = None if sent_us is None else now - sent_us / 1e6
            waits = "" if age_s is None else format_duration(max(0, int(age_s)))
            cells = (
                *(number, message.name, waits, message.called, message.priority or ""),
                *(message.eta, message.id),
            )
            order = (
                *(number, message.name, age_s, message.called, message.priority),
                *(message.eta, message.id),
            )
            rows.append(Row(message.id or str(number), cells, order, message))
        return rows

    def _remove(self, queue: str, message: Message) -> str:
        what = f"{message.name} {message.id}"
        is_gone = self._access.ask(lambda broker, _: take_out(broker, queue, message))
        return f"{what} is out of {queue!r}" if is_gone else f"{what} isn't in {queue!r} any more"

    def _describe_message(self, queue: str, message: Message) -> list[Any]:
        rows: list[Any] = [
            ("task", message.name),
            ("id", message.id),
            ("arguments", message.called or "none"),
            ("queue", queue),
            ("sent by", message.origin),
            ("due", message.eta or "at once"),
            ("retries", message.retries),
        ]
        task = self._find(message.id)
        return rows + ([] if task is None else [("", ""), *describe_task(task)])

    # Tasks.

    def open_task(self, task: Task) -> Page:
        """Return the page of a task that a worker holds."""
        redactor = Redactor([], [], "redact", [])

        def look() -> list[Any]:
            rows: list[Any] = [
                ("task", task.name),
                ("id", task.id),
                ("state", "running" if task.state == "active" else task.state),
                ("worker", task.node),
                ("queue", task.queue),
                ("due", task.eta or "at once"),
                ("arguments", describe_call(redactor, task.args, task.kwargs) or "none"),
            ]
            known = self._find(task.id)
            stages = [] if known is None else describe_stages(known)
            return rows + [row for row in stages if row[0] not in ("worker", "queue")]

        actions = tuple(each.about(Row(task.id, (), (), task)) for each in self.for_tasks())
        return Page(f"{task.name} {task.id}", look, actions)

    def open_failure(self, task: TaskRecord) -> Page:
        """Return the page of a task that failed."""
        actions = tuple(each.about(Row(task.id, (), (), task)) for each in self.for_failures())

        def look() -> list[Any]:
            return describe_task(self._find(task.id) or task)

        return Page(f"{task.name} {task.id}", look, actions)

    def _revoke(self, desk: Desk, row: Row | None) -> None:
        task_id = _key(row)
        question = f"Revoke task {task_id} on all workers?"
        self._control(desk, question, "revoke", {"task_id": [task_id]})

    def _kill(self, desk: Desk, row: Row | None) -> None:
        task_id = _key(row)
        arguments = {"task_id": [task_id], "terminate": True, "signal": "TERM"}
        question = f"Kill the process that runs task {task_id}, and revoke it?"
        self._control(desk, question, "revoke", arguments)

    def _limit_rate(self, desk: Desk, row: Row | None) -> None:
        name = row.item.name if row is not None else ""

        def go_on(rate: str) -> None:
            question = f"Limit {name} to {rate} on each worker?"
            arguments = {"task_name": name, "rate_limit": rate}
            self._control(desk, question, "rate_limit", arguments)

        desk.ask(f"How often may {name} run? 10/s, 100/m, 5/h, or 0 for no limit", go_on)

    def _limit_time(self, desk: Desk, row: Row | None) -> None:
        name = row.item.name if row is not None else ""

        def go_on(text: str) -> None:
            try:
                periods = [None if word == "-" else parse_period(word) for word in text.split()]
                soft, hard = periods
            except (BadValueError, ValueError):
                desk.remark("two durations are needed: SOFT HARD, as in 30s 1m; - is no limit")
                return
            question = f"Limit {name} to {text} (soft, hard) on all workers?"
            arguments = {"task_name": name, "soft": soft, "hard": hard}
            self._control(desk, question, "time_limit", arguments)

        desk.ask(f"How long may {name} run? SOFT HARD, as in 30s 1m; - is no limit", go_on)

    def _retry(self, desk: Desk, row: Row | None) -> None:
        if row is None:
            return
        task: TaskRecord = row.item
        try:
            self._confirm_call(desk, read_call(task.name, task.queue, task.called))
        except UnknownCallError as error:
            if self._access.keeps_results:
                desk.fetch(
                    f"looking for the arguments of {task.id}",
                    lambda: read_kept_call(self._access.find_result(task.id), task.queue),
                    lambda call: self._confirm_call(desk, call),
                )
                return
            hint = "" if self._access.project.app else "; with -A the result backend may know them"
            desk.remark(f"{task.name or task.id} can't be sent again: {error.message}{hint}")

    def _confirm_call(self, desk: Desk, call: Call) -> None:
        """Ask, then send a task."""

        def confirm(queue: str) -> None:
            sent = replace(call, queue=queue)
            desk.confirm(
                f"Send {sent.describe()} to {queue!r} again?",
                lambda: desk.work(f"sending {sent.name}", lambda: self._send(sent)),
            )

        if call.queue:
            confirm(call.queue)
        else:
            desk.ask("Its queue isn't known. Which one?", confirm, DEFAULT_QUEUE)

    def _send(self, call: Call) -> str:
        number = self._access.ask(lambda broker, _: send_again(broker, call))
        return f"sent {call.name} again, as {number}"

    # The schedule.

    def describe_entry(self, entry: str) -> list[Any]:
        """Return what became of the last firings of an entry, a line for each."""

        def read(ledger: Ledger) -> list[Any]:
            since_us = time.time_ns() // 1000 - 30 * _DAY_US
            firings = ledger.firings(since_us, entry=entry, limit=_FIRINGS)
            rows: list[Any] = []
            for each in firings:
                became = describe_stage(each.stage) or each.state or "due"
                style = "bold red" if each.stage or each.state == "failure" else ""
                took = ""
                if each.ended_us is not None and each.started_us is not None:
                    took = f" in {format_duration((each.ended_us - each.started_us) / 1e6)}"
                late = ""
                late_us = (each.published_us or each.due_us) - each.due_us
                if late_us >= _LATE_US:
                    late = f", {format_duration(late_us // 1_000_000)} late"
                rows.append(
                    (f"due {local_time(each.due_us)}", Cell(f"{became}{took}{late}", style))
                )
            return rows

        found: list[Any] = self._access.read(read, [])
        return found or [("", "no firing of it is in the ledger: 'radar celery watch --beat'")]

    # What they share.

    def _find(self, task_id: str) -> TaskRecord | None:
        return self._access.read(lambda ledger: ledger.find_task(task_id), None)

    def _control(
        self,
        desk: Desk,
        question: str,
        name: str,
        arguments: Mapping[str, Any],
        nodes: Sequence[str] = (),
    ) -> None:
        """Ask, then tell these workers, or all that answer, and show what they say."""

        def tell(broker: Broker, left_s: float) -> list[Answer]:
            whom = nodes or find_nodes(broker, timeout_s=min(1.0, left_s))
            if name == "shutdown":
                return shut_down(broker, whom)
            return command_nodes(broker, name, arguments, whom, timeout_s=min(2.0, left_s))

        def work() -> str:
            answers = self._access.ask(tell)
            return "; ".join(map(_describe_answer, answers)) or "no worker answers"

        desk.confirm(question, lambda: desk.work(question.rstrip("?"), work))


def describe_task(task: TaskRecord) -> list[Any]:
    """Return all that the ledger knows of a task, a line for each."""
    rows: list[Any] = [
        ("task", task.name or "?"),
        ("id", task.id),
        ("state", Cell(str(task.state), "" if not task.exception else "bold red")),
    ]
    if task.exception:
        rows.append(("why", Cell(f"{task.exception}: {task.message}".rstrip(": "), "bold red")))
    elif task.message:
        rows.append(("why", task.message))
    if task.stage:
        rows.append(("broke", Cell(describe_stage(task.stage), "bold red")))
    rows += [("line", task.place)] if task.place else []
    rows += [("arguments", task.called or "none, or not told"), *describe_stages(task)]
    rows += [("retries", task.retries)] if task.retries else []
    rows += [("entry", task.entry)] if task.entry else []
    rows += [("root", task.root)] if task.root not in ("", task.id) else []
    rows += [("parent", task.parent)] if task.parent else []
    printed = task.traceback.strip("'\"\n").splitlines()
    if printed:
        rows += ["", *printed]
    return rows


def describe_stages(task: TaskRecord) -> list[Any]:
    """Return its way through the stages, with what it took from one to the next."""
    rows: list[Any] = [("worker", task.worker), ("queue", task.queue)]
    before_us: int | None = None
    for label in ("sent", "received", "started", "ended"):
        moment_us: int | None = getattr(task, f"{label}_us")
        if moment_us is None:
            continue
        moment = datetime.fromtimestamp(moment_us / 1e6, UTC).astimezone()
        words = f"{moment:%Y-%m-%d %H:%M:%S}.{moment_us // 1000 % 1000:03d}"
        if before_us is not None:
            words += f"  {format_duration(max(0.0, round((moment_us - before_us) / 1e6, 3)))} later"
        rows.append((label, words))
        before_us = moment_us
    return [row for row in rows if row[1]]


def _describe_answer(answer: Answer) -> str:
    if answer.is_ok is None:
        return f"{answer.node} gave no answer"
    return f"{answer.node} {'says' if answer.is_ok else 'refused'}: {answer.text}"


def _key(row: Row | None) -> str:
    return "" if row is None else row.key
