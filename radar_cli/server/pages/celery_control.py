"""`/celery/control`: commands to workers and tasks, for admin keys, each after a question."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from radar_cli.celery.broker import Broker
from radar_cli.celery.calling import with_project
from radar_cli.celery.control import Answer, command, find_nodes, shut_down
from radar_cli.celery.project import Project
from radar_cli.celery.resending import Call, UnknownCallError, read_call, send_again
from radar_cli.core.errors import RadarError
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.celery_overview import celery_frame
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.visits import (
    ChangeForm,
    PageError,
    PageRoute,
    PagesServed,
    Visitor,
    now_us,
)
from radar_cli.server.runtime.service import Service
from radar_cli.store.ledger import Ledger

_TIMEOUT_S = 5.0
_TEXT_MAX = 300
_SLOTS_MAX = 1000
_HOW_MANY = "How many"

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done to which worker or task. `value` is what the form asks for."""

    target: str
    value: str
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Control:
    """A command that a page offers. `field` labels what it needs to know, "": nothing."""

    question: str
    remark: str
    button: str
    send: Callable[[Broker, Request, float], list[Answer]]
    field: str = ""
    default: str = ""

    @property
    def takes_number(self) -> bool:
        """Whether the form's value is a number of slots."""
        return self.field == _HOW_MANY


def _to_worker(name: str, argument: str = "") -> Callable[[Broker, Request, float], list[Answer]]:
    """Return what sends a command to the worker; `argument` is the name of the form's value."""

    def send(broker: Broker, request: Request, left_s: float) -> list[Answer]:
        value: Any = int(request.value) if argument == "n" else request.value
        given = {argument: value} if argument else {}
        return command(broker, name, given, [request.target], timeout_s=left_s)

    return send


def _shut_down(broker: Broker, request: Request, _left_s: float) -> list[Answer]:
    return shut_down(broker, [request.target])


def _to_all(more: dict[str, Any]) -> Callable[[Broker, Request, float], list[Answer]]:
    """Return what revokes the task at all workers."""

    def send(broker: Broker, request: Request, left_s: float) -> list[Answer]:
        nodes = find_nodes(broker, timeout_s=min(1.0, left_s / 2))
        given = {"task_id": [request.target], **more}
        return command(broker, "revoke", given, nodes, timeout_s=left_s / 2)

    return send


def _send_again(broker: Broker, request: Request, _left_s: float) -> list[Answer]:
    call = _find_call(request.ledger, request.target)
    return [Answer(call.queue, True, f"sent again as {send_again(broker, call)}")]


def _find_call(ledger: Ledger, task_id: str) -> Call:
    """Return what a task was called with. UnknownCallError: it can't be sent again."""
    task = ledger.find_task(task_id)
    if task is None:
        raise UnknownCallError("the ledger has no such task", "it may have forgotten it")
    if not task.queue:
        raise UnknownCallError("its queue isn't known", "send it from the app, or by celery top")
    return read_call(task.name, task.queue, task.called)


_NO_BEFORE = "A task that runs already goes on; terminate it to end that, too."
CONTROLS = {
    "shutdown": Control(
        *("Shut {} down?", "It ends when the tasks that it runs have ended.", "Shut down"),
        _shut_down,
    ),
    "grow": Control(
        *("Add slots to the pool of {}?", "Until it is started again.", "Add"),
        *(_to_worker("pool_grow", "n"), _HOW_MANY, "1"),
    ),
    "shrink": Control(
        *("Take slots from the pool of {}?", "Until it is started again.", "Take"),
        *(_to_worker("pool_shrink", "n"), _HOW_MANY, "1"),
    ),
    "add-consumer": Control(
        *("Have {} consume another queue?", "Until it is started again.", "Consume"),
        *(_to_worker("add_consumer", "queue"), "Queue"),
    ),
    "cancel-consumer": Control(
        *("Have {} consume a queue no more?", "Until it is started again.", "Stop consuming"),
        *(_to_worker("cancel_consumer", "queue"), "Queue"),
    ),
    "revoke": Control(
        *("Revoke the task {}?", _NO_BEFORE, "Revoke"),
        _to_all({}),
    ),
    "terminate": Control(
        *("Terminate the task {}?", "The process that runs it is killed: prefork only.", "Kill"),
        _to_all({"terminate": True, "signal": "TERM"}),
    ),
    "retry": Control(
        *("Send the task {} again?", "As a new task, with the same arguments.", "Send again"),
        _send_again,
    ),
}
WORKER_CONTROLS = ("grow", "shrink", "add-consumer", "cancel-consumer", "shutdown")


@routes.get("/celery/control/{name}")
def ask_first(
    name: str, session: Visitor, service: Served, pages: PagesServed, target: str = ""
) -> Response:
    """Show what is about to happen, and ask."""
    control = _find(session, service, name)
    more = {"value": control.default}
    if name == "retry":
        try:
            call = _find_call(service.store.ledger, target.replace("\0", ""))
            more["remark"] = f"As a new task, to the queue {call.queue}: {call.describe()}"
        except UnknownCallError as error:
            more["error"] = error.line()
    return _render(session, service, pages, name, control, target, **more)


@routes.post("/celery/control/{name}")
def carry_out(
    name: str, session: Visitor, service: Served, pages: PagesServed, form: ChangeForm
) -> Response:
    """Send the command, and show what workers answer."""
    control = _find(session, service, name)
    request = Request(
        form.get("target", "")[:_TEXT_MAX],
        form.get("value", "").strip()[:_TEXT_MAX],
        service.store.ledger,
    )
    if not request.target or (control.field and not request.value):
        raise PageError(400, "This isn't what the form sends.")
    if control.takes_number:
        _check_number(request.value)
    project = Project(service.settings.celery_broker)
    try:
        answers = with_project(
            project, _TIMEOUT_S, lambda broker, _, left_s: control.send(broker, request, left_s)
        )
    except RadarError as error:
        again = {"error": error.line(), "value": request.value}
        return _render(session, service, pages, name, control, request.target, **again)
    answered = {"answers": answers, "value": request.value}
    return _render(session, service, pages, name, control, request.target, **answered)


def _find(session: Session, service: Service, name: str) -> Control:
    """Return a control. PageError: there is none, or it isn't for this visitor or this server."""
    if name not in CONTROLS:
        raise PageError(404, "There is no such command.")
    if not session.may_change:
        raise PageError(403, "Your key is for looking only.", "Log in with an admin key.")
    if not service.settings.celery_broker:
        hint = "Start it with --celery-broker URL, or file:PATH, or use 'radar celery' there."
        raise PageError(409, "This server knows no broker of Celery.", hint)
    return CONTROLS[name]


def _render(
    session: Session,
    service: Service,
    pages: Pages,
    name: str,
    control: Control,
    target: str,
    **more: Any,
) -> Response:
    values = {
        **celery_frame(session, service, now_us()),
        "name": name,
        "control": control,
        "target": target[:_TEXT_MAX],
        "back": "/celery" if name in WORKER_CONTROLS else f"/celery/tasks/{target}",
        "answers": None,
        "remark": control.remark,
        "error": "",
        **more,
    }
    return pages.page("celery_control", values)


def _check_number(text: str) -> None:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) <= _SLOTS_MAX):
        raise PageError(400, "This is no number of slots.")
