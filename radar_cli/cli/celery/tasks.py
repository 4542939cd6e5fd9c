"""`radar celery tasks`: what workers hold, and what to do with it."""

import time
from typing import Any, TypedDict

import click

from radar_cli.celery.broker import Broker
from radar_cli.celery.inspect import Answers, Asking
from radar_cli.celery.project import Project
from radar_cli.celery.tasks import STATES, Task, read_tasks
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.controlling import carry_out, control_options
from radar_cli.cli.celery.opening import with_broker
from radar_cli.cli.celery.options import broker_options, read_period, timeout_option
from radar_cli.cli.groups import Group
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Result, Table
from radar_cli.core.errors import UsageError
from radar_cli.core.grammar import format_duration
from radar_cli.core.shapes import Seconds

_COLUMNS = ("state", "task", "id", "worker", "queue", "runs for", "due")


class TaskFields(TypedDict):
    """A task that a worker holds; `eta` is when it is due, as the worker tells it."""

    state: str
    name: str
    id: str
    node: str
    queue: str
    runs_s: Seconds | None
    eta: str | None
    args: str
    kwargs: str


class RevokedFields(TypedDict):
    """The id of a revoked task, and the workers that know of it."""

    id: str
    workers: list[str]


class RegisteredFields(TypedDict):
    """The name of a task, and the workers that have it."""

    task: str
    workers: list[str]


@click.group(cls=Group, name="tasks", invoke_without_command=True)
@broker_options
@click.option(
    "--state", type=click.Choice((*STATES, "revoked", "registered")), help="Only those, not all."
)
@timeout_option("5s")
@list_options
@answers(list[TaskFields] | list[RevokedFields] | list[RegisteredFields])
@pass_session
@click.pass_context
def command(
    context: click.Context, session: Session, /, state: str | None, **options: str
) -> Result | None:
    """List the tasks that workers run, hold and wait with; or do something about them.

    The arguments of tasks are only in --json and with -v.
    """
    context.obj = session
    if context.invoked_subcommand is not None:
        return None
    wanted = STATES if state is None else (state,)

    def ask(broker: Broker, _project: Project, left_s: float) -> Answers:
        with Asking(broker.connection, exchange=broker.exchange) as asking:
            return asking.ask({each: {} for each in wanted}, timeout_s=min(1.0, left_s))

    replies = with_broker(options, ask).replies
    if state in ("revoked", "registered"):
        return _list_names(state, replies[state])
    tasks = read_tasks(replies, time.time())
    rows = [
        (
            *(task.state, task.name, task.id, task.node, task.queue),
            "" if task.runs_s is None else format_duration(task.runs_s),
            task.eta,
            *((task.args, task.kwargs) if session.verbose else ()),
        )
        for task in tasks
    ]
    columns = (*_COLUMNS, *(("args", "kwargs") if session.verbose else ()))
    data = [_describe(task) for task in tasks]
    return Result(data, Table(columns, rows, "no task is there"), shape=TaskFields)


def _describe(task: Task) -> TaskFields:
    return {
        "state": task.state,
        "name": task.name,
        "id": task.id,
        "node": task.node,
        "queue": task.queue,
        "runs_s": task.runs_s,
        "eta": task.eta or None,
        "args": task.args,
        "kwargs": task.kwargs,
    }


def _list_names(state: str, replies: dict[str, Any]) -> Result:
    """Names of tasks, or ids of revoked ones, each with the workers that have it."""
    nodes: dict[str, list[str]] = {}
    for node, reply in sorted(replies.items()):
        for name in reply if isinstance(reply, list) else ():
            nodes.setdefault(str(name), []).append(node)
    column = "id" if state == "revoked" else "task"
    rows = [(name, ", ".join(some)) for name, some in sorted(nodes.items())]
    data = [{column: name, "workers": some} for name, some in sorted(nodes.items())]
    table = Table((column, "workers"), rows, f"nothing is {state}")
    return Result(data, table, shape=RevokedFields if state == "revoked" else RegisteredFields)


@command.command(name="revoke")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@control_options
@click.pass_context
def revoke(context: click.Context, /, ids: tuple[str, ...], **options: Any) -> Result:
    """Have workers drop tasks that don't run yet; each forgets that when it ends."""
    what = _name(ids)
    return carry_out(context, options, f"Revoke {what} on {{}}?", "revoke", {"task_id": list(ids)})


@command.command(name="terminate")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option(
    "--signal",
    "number",
    metavar="NAME",
    default="TERM",
    show_default=True,
    help="The signal that ends them.",
)
@control_options
@click.pass_context
def terminate(
    context: click.Context, /, ids: tuple[str, ...], number: str, **options: Any
) -> Result:
    """Kill the processes that run tasks, and revoke these; a last resort, for prefork only."""
    arguments = {"task_id": list(ids), "terminate": True, "signal": number.upper()}
    return carry_out(context, options, f"Terminate {_name(ids)} on {{}}?", "revoke", arguments)


@command.command(name="rate-limit")
@click.argument("task")
@click.argument("rate")
@control_options
@click.pass_context
def rate_limit(context: click.Context, /, task: str, rate: str, **options: Any) -> Result:
    """Limit how often a task runs on each worker: 10/s, 100/m, 5/h, or 0 for no limit."""
    arguments = {"task_name": task, "rate_limit": rate}
    return carry_out(context, options, f"Limit {task} to {rate} on {{}}?", "rate_limit", arguments)


@command.command(name="time-limit")
@click.argument("task")
@click.option("--soft", metavar="DURATION", help="Raise SoftTimeLimitExceeded in it after this.")
@click.option("--hard", metavar="DURATION", help="Kill it after this.")
@control_options
@click.pass_context
def time_limit(
    context: click.Context, /, task: str, soft: str | None, hard: str | None, **options: Any
) -> Result:
    """Limit how long a task may run, from its next run on."""
    if soft is None and hard is None:
        raise UsageError("no limit is given", "use --soft, --hard or both")
    limits = {
        "soft": None if soft is None else read_period("--soft", soft),
        "hard": None if hard is None else read_period("--hard", hard),
    }
    words = " and ".join(f"{kind} {value:g} s" for kind, value in limits.items() if value)
    arguments = {"task_name": task, **limits}
    return carry_out(context, options, f"Limit {task} to {words} on {{}}?", "time_limit", arguments)


def _name(ids: tuple[str, ...]) -> str:
    return f"task {ids[0]}" if len(ids) == 1 else f"{len(ids)} tasks"
