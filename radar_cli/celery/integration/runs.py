"""Telling of tasks' runs, from Celery's signals: start, and success or failure, once each.

Where they come from differs by pool and version (see tests/celery/test_integration.py). An end
that two processes tell of, as the child that leaves and the worker that loses it, has one id, made
of what both know; the server counts it once. What ended is known from `task_postrun`'s state,
`task_failure`, and, for `sys.exit()`, from the exception that is on its way when postrun comes.
"""

import functools
import hashlib
import os
import signal
import sys
import time
import uuid
import weakref
from collections import OrderedDict
from datetime import datetime
from typing import Any, Callable, Mapping

from celery import Celery, signals
from celery.exceptions import Ignore, Reject, Retry
from celery.utils.log import get_logger
from celery.utils.saferepr import saferepr

from radar_cli.celery.integration.targets import SENT_HEADER, Target, Targets, is_skipped
from radar_cli.core.blame import describe_exception, format_traceback
from radar_cli.core.credentials import is_secret_name
from radar_cli.core.grammar import format_duration, format_seconds
from radar_cli.delivery.courier import Courier
from radar_cli.model.ping import Ping

_REASON_CHARACTERS = 500
_MESSAGE_CHARACTERS = 2000
_ARGUMENTS_CHARACTERS = 500
_REPORTED_MAX = 10_000
_TASK_CHARACTERS = 200
_RETRY_MARGIN_S = 300.0
_MASKED = "[redacted]"
_NESTED_MAX = 4
_logger = get_logger(__name__)
_KEEP = {"weak": False}


class Execution:
    """One try of a task in a worker, as far as both its processes know it."""

    def __init__(self, task: str, facts: Mapping[str, Any], pid: int) -> None:
        self.task = task
        self.facts = facts
        self.id = str(facts.get("id") or "")
        self.retries = int(facts.get("retries") or 0)
        self.node = str(facts.get("hostname") or "")
        is_again = bool((facts.get("delivery_info") or {}).get("redelivered"))
        self._mark = "\0".join((self.node, str(pid), self.id, str(self.retries), str(is_again)))

    @functools.cached_property
    def run_id(self) -> str:
        """The run's id: a retry, and a message that is delivered again, go on with it."""
        try:
            return str(uuid.UUID(self.id))
        except ValueError:
            return str(uuid.uuid5(uuid.NAMESPACE_URL, f"celery:{self.id}"))

    def ping_id(self, what: str) -> str:
        """The id of a ping: the same in each process that tells of it."""
        raw = f"{self._mark}\0{what}".encode("utf-8", "replace")
        return str(uuid.UUID(bytes=hashlib.blake2b(raw, digest_size=16).digest()))

    def wait_s(self, started: float) -> float | None:
        """For how long it was ready and not begun, if its sender says when it was sent."""
        sent = self.facts.get(SENT_HEADER)
        if not isinstance(sent, (int, float)):
            return None
        try:
            eta = datetime.fromisoformat(str(self.facts["eta"])).timestamp()
        except (KeyError, ValueError):
            eta = 0.0
        return max(0.0, started - max(float(sent), eta))


class RunReporter:
    """Tells of the runs of an app's tasks. Its receivers never raise."""

    def __init__(self, app: Celery, courier: Courier, targets: Callable[[], Targets]) -> None:
        self._app = app
        self._courier = courier
        self._read_targets = targets
        self._targets: Targets | None = None
        # By task and try: in a pool of threads a retry begins before the try before it has ended.
        self._started: dict[tuple[str, int], tuple[float, float, Execution, Target]] = {}
        self._reported: OrderedDict[str, None] = OrderedDict()
        # Of the worker's main process: what it has received, for as long as it holds it.
        self._requests: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()

    @property
    def targets(self) -> Targets:
        """The monitors, read once the app is configured."""
        if self._targets is None:
            self._targets = self._read_targets()
            for target in self._targets.named.values():
                if target.destination is not None:
                    self._courier.serve(target.destination)
        return self._targets

    def connect(self) -> None:
        """Listen to Celery, from before the pool is forked."""
        for each, receive in (
            (signals.task_received, self._receive),
            (signals.task_prerun, self._begin),
            (signals.task_postrun, self._end),
            (signals.task_failure, self._fail),
            (signals.task_internal_error, self._fail_inside),
            (signals.task_revoked, self._revoke),
            (signals.task_unknown, self._miss),
            (signals.worker_ready, self._get_ready),
            (signals.worker_shutdown, self._leave),
        ):
            each.connect(_guarded(receive), **_KEEP)

    def _receive(self, request: Any, **_: Any) -> None:
        if self.targets.find(request.type, request.request_dict) is not None:
            self._requests[request.id] = request

    def _begin(self, task: Any, task_id: str, **_: Any) -> None:
        # Most tasks are nobody's business, and pay for no more than this.
        if self.targets.find(task.name, vars(task.request)) is None:
            return
        found = self._find(task, task_id)
        if found is None:
            return
        execution, target = found
        begun = time.monotonic(), time.time(), execution, target
        self._started[task_id, execution.retries] = begun
        if not execution.retries:
            self._post(target, execution, "start", {})

    def _end(self, task: Any, task_id: str, state: Any, retval: Any, **_: Any) -> None:
        begun = self._started.pop((task_id, task.request.retries), None)
        if begun is None:
            return
        execution, target = begun[2:]
        fields = _measure(begun)
        pending = sys.exc_info()
        if state in ("SUCCESS", "IGNORED"):
            if pending[1] is None:  # else its result couldn't be stored
                words = "it raised Ignore" if state == "IGNORED" else ""
                self._report_end(target, execution, "success", {**fields, "message": words})
        elif state == "REJECTED":
            if getattr(retval, "requeue", False):
                return  # it will be delivered again
            reason = describe_exception(retval, getattr(retval, "__traceback__", None))
            self._report_end(target, execution, "fail", {**fields, "reason": reason})
        elif state == "RETRY":
            self._report_retry(target, execution, retval)
        elif state is None and pending[1] is not None and not _is_from_pool(pending[1]):
            self._report_failure(target, execution, pending[1], fields)

    def _report_retry(self, target: Target, execution: Execution, retry: Any) -> None:
        cause = getattr(retry, "exc", None)
        words = f"retry {execution.retries + 1}"
        if isinstance(cause, BaseException):
            words += f" after {describe_exception(cause, cause.__traceback__)}"
        fields = {"message": words}
        when = getattr(retry, "when", None)
        if isinstance(when, (int, float)):
            fields["extend"] = format_seconds(float(when) + _RETRY_MARGIN_S)
        self._post(target, execution, "log", fields, what=f"retry {execution.retries}")

    def _fail(self, sender: Any, task_id: str, exception: Any, **more: Any) -> None:
        if isinstance(exception, (Retry, Ignore)):
            return
        found = self._find(sender, task_id)
        if found is None:
            return
        execution, target = found
        begun = self._started.get((task_id, execution.retries))
        fields = _measure(begun) if begun is not None else {}
        if isinstance(exception, Reject):
            reason = describe_exception(exception, None)
            self._report_end(target, execution, "fail", {**fields, "reason": reason})
            return
        where = more.get("traceback")
        self._report_failure(
            target,
            execution,
            exception,
            fields,
            where if hasattr(where, "tb_frame") else exception.__traceback__,
            (more.get("args"), more.get("kwargs")),
        )

    def _fail_inside(self, sender: Any, request: Any, exception: Any, **more: Any) -> None:
        """Report a task whose work is lost, as where its result can't be stored."""
        execution = Execution(sender.name, request or {"id": more.get("task_id")}, os.getpid())
        target = None if is_skipped(sender) else self.targets.find(sender.name, execution.facts)
        if target is not None:
            self._report_failure(target, execution, exception, {})

    def _revoke(
        self, sender: Any, request: Any, terminated: bool, signum: Any, expired: bool, **_: Any
    ) -> None:
        found = self._find(sender, request.id, request)
        if found is None:
            return
        execution, target = found
        self._started.pop((request.id, execution.retries), None)
        reason = "revoked before it began"
        if expired:
            reason = f"expired at {request.expires}: no worker was free before"
        elif terminated:
            reason = "terminated while it ran" + (f" ({_signal_name(signum)})" if signum else "")
        self._report_end(target, execution, "fail", {"reason": reason})

    def _miss(self, name: str, id: str, message: Any, **_: Any) -> None:  # noqa: A002 (Celery's)
        headers = getattr(message, "headers", None) or {}
        target = self.targets.find(name, headers)
        if target is not None:
            execution = Execution(name, {**headers, "id": id}, os.getpid())
            reason = f"no worker knows the task {name}: it was dropped"
            self._report_end(target, execution, "fail", {"reason": reason})

    def _get_ready(self, **_: Any) -> None:
        """The pool is forked, so there may be a thread; and all tasks are known by now."""
        self._courier.start()
        entries = self._app.conf.beat_schedule or {}
        for name, target in self.targets.named.items():
            if name in self._app.tasks or name in entries:
                continue
            _logger.error(
                "radar: cronradar_monitors names %s, and no task has that name: its monitor "
                "gets no pings",
                name,
            )
            fields = {"task": f"{name} (no task has that name)"[:_TASK_CHARACTERS]}
            ping = Ping("log", target.monitor, time_us=_now_us(), fields=fields)
            self._courier.post(ping, extra=target.destination)

    def _leave(self, **_: Any) -> None:
        self._courier.close()

    def _find(
        self, task: Any, task_id: str, request: Any = None
    ) -> tuple[Execution, Target] | None:
        """The execution that a signal is about, and its monitor; None: there is none."""
        own = task.request
        if own.id == task_id and (begun := self._started.get((task_id, own.retries))) is not None:
            return begun[2], begun[3]
        pid = os.getpid()
        facts: Mapping[str, Any] | None = None
        received = self._requests.get(task_id)
        if received is not None:
            # Celery 5.7 gives its main process a task.request, too, and that knows no child.
            facts, pid = received.request_dict, received.worker_pid or pid
        elif request is not None:
            facts = vars(request)
        elif own.id == task_id:
            facts = vars(own)
        if facts is None:
            facts = {"id": task_id}
        if facts.get("is_eager") or facts.get("called_directly") or is_skipped(task):
            return None
        target = self.targets.find(task.name, facts)
        return None if target is None else (Execution(task.name, dict(facts), pid), target)

    def _report_failure(
        self,
        target: Target,
        execution: Execution,
        error: BaseException,
        fields: dict[str, str],
        where: Any = None,
        arguments: tuple[Any, Any] | None = None,
    ) -> None:
        if where is None:
            where = error.__traceback__
        args, kwargs = arguments or (execution.facts.get("args"), execution.facts.get("kwargs"))
        called = f"{execution.task}({_describe_arguments(execution.facts, args, kwargs)})"
        fields = {
            **fields,
            "reason": describe_exception(error, where),
            "message": f"{called} on {execution.node}" if execution.node else called,
        }
        if waited := fields.pop("waited", ""):
            fields["message"] += waited
        if isinstance(error, SystemExit):
            fields["exit"] = str(error.code & 255) if isinstance(error.code, int) else "1"
        self._report_end(target, execution, "fail", fields, format_traceback(error, where))

    def _report_end(
        self,
        target: Target,
        execution: Execution,
        kind: str,
        fields: dict[str, str],
        printed: bytes = b"",
    ) -> None:
        """Report the end of a task, if this process hasn't done so."""
        ping_id = execution.ping_id("end")
        if ping_id in self._reported:
            return
        self._reported[ping_id] = None
        if len(self._reported) > _REPORTED_MAX:
            self._reported.popitem(last=False)
        if waited := fields.pop("waited", ""):
            node = f"on {execution.node}" if execution.node else ""
            fields["message"] = (fields.get("message", "") + f" {node}{waited}").strip()
        if execution.retries:
            fields["tries"] = str(execution.retries + 1)
        self._post(target, execution, kind, fields, printed, what="end")

    def _post(
        self,
        target: Target,
        execution: Execution,
        kind: str,
        fields: dict[str, str],
        printed: bytes = b"",
        *,
        what: str = "start",
    ) -> None:
        courier = self._courier
        lengths = {"reason": _REASON_CHARACTERS, "message": _MESSAGE_CHARACTERS}
        fields = {
            name: courier.clean_line(text, lengths[name]) if name in lengths else text
            for name, text in fields.items()
            if text
        }
        body = courier.clean(printed) if printed else b""
        if printed:
            fields["output"] = str(len(printed))
            if len(printed) > len(body):
                fields["omitted"] = str(len(printed) - len(body))
        fields["task"] = execution.task[:_TASK_CHARACTERS]
        ping = Ping(
            kind,
            target.monitor,
            run_id=execution.run_id,
            time_us=_now_us(),
            fields=fields,
            body=body,
            ping_id=execution.ping_id(what),
        )
        courier.post(ping, extra=target.destination)


def _guarded(receive: Callable[..., None]) -> Callable[..., None]:
    """A receiver that never raises: what goes wrong in it is logged, and the task goes on."""

    def receive_safely(*arguments: Any, **options: Any) -> None:
        try:
            receive(*arguments, **options)
        except Exception:
            _logger.exception("radar: a task's run can't be reported")

    return receive_safely


def _measure(begun: tuple[float, float, Execution, Target]) -> dict[str, str]:
    """Measure how long a task ran, and how long it waited before."""
    started, started_at, execution, _ = begun
    fields = {"duration": f"{time.monotonic() - started:.6f}"}
    waited_s = execution.wait_s(started_at)
    if waited_s is not None:
        fields["waited"] = f", after {format_duration(waited_s)} in the queue"
    return fields


def _is_from_pool(error: BaseException) -> bool:
    """Whether an exception is how a pool ends a task: its worker tells why."""
    if type(error).__module__.partition(".")[0] in ("gevent", "eventlet", "greenlet"):
        return True
    code = error.code if isinstance(error, SystemExit) else None
    if isinstance(code, int) and -256 < code < 0:  # billiard's, of a signal to a child
        return True
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    return where is not None and where.tb_frame.f_code.co_name == "_shutdown_cleanup"


def _signal_name(signum: Any) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:  # a name already, or a real-time signal
        return str(signum)


def _describe_arguments(facts: Mapping[str, Any], args: Any, kwargs: Any) -> str:
    """The arguments as they may be shown: as the sender wants it, and without secrets."""
    try:
        shown_args, shown_kwargs = facts.get("argsrepr"), facts.get("kwargsrepr")
        words = []
        if args:
            own = saferepr(tuple(args))
            is_own = not shown_args or shown_args == own
            words.append((own if is_own else str(shown_args)).strip("()[],"))
        if kwargs:
            own = saferepr(dict(kwargs))
            if shown_kwargs and shown_kwargs != own:
                words.append(str(shown_kwargs))
            else:
                words += [f"{name}={_show(name, each, 0)}" for name, each in kwargs.items()]
        return ", ".join(words)[:_ARGUMENTS_CHARACTERS]
    except Exception as fault:  # noqa: BLE001 (a repr is anybody's code)
        return f"... ({type(fault).__name__})"


def _show(name: Any, value: Any, depth: int) -> str:
    if is_secret_name(str(name)):
        return _MASKED
    if isinstance(value, dict) and depth < _NESTED_MAX:
        inner = (f"{key!r}: {_show(key, each, depth + 1)}" for key, each in value.items())
        return "{" + ", ".join(inner) + "}"
    return str(saferepr(value))


def _now_us() -> int:
    return time.time_ns() // 1000
