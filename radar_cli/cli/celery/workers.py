"""`radar celery workers`: the workers as they describe themselves, and what to tell them."""

import re
from typing import Any, TypedDict

import click

from radar_cli.celery.broker import Broker
from radar_cli.celery.check.seen import SeenWorker, read_workers
from radar_cli.celery.control import shut_down
from radar_cli.celery.inspect import Answers, Asking
from radar_cli.celery.project import Project
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.controlling import carry_out, control_options
from radar_cli.cli.celery.opening import with_broker
from radar_cli.cli.celery.options import broker_options, timeout_option
from radar_cli.cli.groups import Group
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Result, Table
from radar_cli.core.grammar import format_duration
from radar_cli.core.shapes import Seconds

_QUESTIONS: dict[str, dict[str, str]] = {
    name: {} for name in ("stats", "active", "active_queues", "reserved", "scheduled", "report")
}
_COLUMNS = (
    *("worker", "pool", "slots", "active", "reserved", "scheduled", "done", "prefetch"),
    *("queues", "cpu", "memory", "celery", "up"),
)


class WorkerFields(TypedDict):
    """A worker as it describes itself; null is what it doesn't tell."""

    worker: str
    pid: int | None
    pool: str
    slots: int | None
    active: int
    reserved: int
    scheduled: int
    done: int
    done_by_task: dict[str, int]
    prefetch: int | None
    queues: list[str] | None
    cpu_s: Seconds
    max_rss_bytes: int
    uptime_s: Seconds | None
    versions: dict[str, str]


@click.group(cls=Group, name="workers", invoke_without_command=True)
@broker_options
@timeout_option("5s")
@list_options
@answers(list[WorkerFields])
@pass_session
@click.pass_context
def command(context: click.Context, session: Session, /, **options: str) -> Result | None:
    """List the workers that answer: pool, load, queues, versions; or tell them something."""
    context.obj = session
    if context.invoked_subcommand is not None:
        return None
    replies = with_broker(options, _ask)
    data = [
        _describe(worker, replies) for _, worker in sorted(read_workers(replies.replies).items())
    ]
    rows = [_row(each) for each in data]
    silent = (replies.heard or 0) - len(replies.nodes())
    notes = (f"{silent} more heard the question and gave no answer",) if silent > 0 else ()
    return Result(data, Table(_COLUMNS, rows, "no worker answers"), notes=notes)


def _ask(broker: Broker, _project: Project, left_s: float) -> Answers:
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        return asking.ask(_QUESTIONS, timeout_s=min(1.0, left_s))


def _describe(worker: SeenWorker, replies: Answers) -> WorkerFields:
    stats = replies.replies["stats"][worker.node]
    usage = stats.get("rusage") or {}
    report = replies.replies["report"].get(worker.node)
    text = str(report.get("ok", "")) if isinstance(report, dict) else ""
    return {
        "worker": worker.node,
        "pid": stats.get("pid"),
        "pool": worker.pool,
        "slots": worker.slots,
        "active": len(worker.active),
        "reserved": worker.reserved,
        "scheduled": worker.scheduled,
        "done": worker.total,
        "done_by_task": stats.get("total", {}),
        "prefetch": worker.prefetch,
        "queues": None if worker.queues is None else list(worker.queues),
        "cpu_s": usage.get("utime", 0) + usage.get("stime", 0),
        "max_rss_bytes": usage.get("maxrss", 0) * 1024,
        "uptime_s": stats.get("uptime"),
        "versions": dict(re.findall(r"\b(celery|kombu|py|billiard):(\S+)", text)),
    }


def _row(data: WorkerFields) -> tuple[Any, ...]:
    up = data["uptime_s"]
    return (
        *(data[key] for key in ("worker", "pool", "slots", "active", "reserved", "scheduled")),
        *(data["done"], data["prefetch"], ", ".join(data["queues"] or ())),
        f"{data['cpu_s']:.4g} s",
        f"{data['max_rss_bytes'] / 1e6:.0f} MB",
        data["versions"].get("celery", ""),
        "" if up is None else format_duration(up),
    )


@command.command(name="shutdown")
@control_options
@click.pass_context
def shutdown(context: click.Context, /, **options: Any) -> Result:
    """End workers, as soon as the tasks that they run have ended."""
    return carry_out(context, options, "Shut {} down?", "shutdown", {}, shut_down)


@command.command(name="grow")
@click.argument("slots", metavar="N", type=click.IntRange(1))
@control_options
@click.pass_context
def grow(context: click.Context, /, slots: int, **options: Any) -> Result:
    """Add N slots to the pool of workers."""
    return carry_out(context, options, f"Add {slots} slots to {{}}?", "pool_grow", {"n": slots})


@command.command(name="shrink")
@click.argument("slots", metavar="N", type=click.IntRange(1))
@control_options
@click.pass_context
def shrink(context: click.Context, /, slots: int, **options: Any) -> Result:
    """Take N slots from the pool of workers."""
    question = f"Take {slots} slots from {{}}?"
    return carry_out(context, options, question, "pool_shrink", {"n": slots})


@command.command(name="restart")
@click.option("--reload", "reloads", is_flag=True, help="Import the tasks' modules again.")
@control_options
@click.pass_context
def restart(context: click.Context, /, reloads: bool, **options: Any) -> Result:
    """Restart the pool of workers; their worker_pool_restarts has to allow it."""
    question = "Restart the pool of {}? Running tasks are killed."
    return carry_out(context, options, question, "pool_restart", {"reload": reloads})


@command.command(name="autoscale")
@click.argument("most", metavar="MAX", type=click.IntRange(1))
@click.argument("least", metavar="MIN", type=click.IntRange(0))
@control_options
@click.pass_context
def autoscale(context: click.Context, /, most: int, least: int, **options: Any) -> Result:
    """Change the bounds of workers that were started with --autoscale."""
    question = f"Have {{}} scale from {least} to {most} slots?"
    return carry_out(context, options, question, "autoscale", {"max": most, "min": least})


@command.command(name="add-consumer")
@click.argument("queue")
@control_options
@click.pass_context
def add_consumer(context: click.Context, /, queue: str, **options: Any) -> Result:
    """Have workers consume a queue, too, until they end."""
    question = f"Have {{}} consume {queue!r}?"
    return carry_out(context, options, question, "add_consumer", {"queue": queue})


@command.command(name="cancel-consumer")
@click.argument("queue")
@control_options
@click.pass_context
def cancel_consumer(context: click.Context, /, queue: str, **options: Any) -> Result:
    """Have workers consume a queue no more, until they end."""
    question = f"Have {{}} consume {queue!r} no more?"
    return carry_out(context, options, question, "cancel_consumer", {"queue": queue})
