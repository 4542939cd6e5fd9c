"""`radar celery failures`: why tasks failed, grouped by exception and line."""

import os
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypedDict

import click

from radar_cli.celery.broker import Broker
from radar_cli.celery.failures import Ended, Group, group_failures
from radar_cli.celery.project import Project
from radar_cli.celery.recorded import read_recorded
from radar_cli.celery.reported import NOTHING_REPORTED, read_reported, read_traceback
from radar_cli.celery.results import PREFIX, read_results
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.opening import open_ledger, with_broker
from radar_cli.cli.celery.options import broker_options, read_period, timeout_option
from radar_cli.cli.opening import Opened, open_monitors
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Result, Table, clean
from radar_cli.core.errors import RadarError
from radar_cli.core.shapes import Moment
from radar_cli.model.sentences import local_time

_COLUMNS = ("failed", "exception", "line", "tasks", "first", "last", "example")
_LINES = 12  # of an example's traceback


class ExampleFields(TypedDict):
    """One failed run of a group; message, call and traceback are as its task wrote them."""

    task: str | None
    run_id: str
    monitor: str | None
    message: str | None
    called: str | None
    traceback: str | None
    source: str


class FailuresFields(TypedDict):
    """The failed runs of one exception at one line; `tasks` counts them by task."""

    failed: int
    exception: str
    line: str | None
    tasks: dict[str, int]
    first_at: Moment | None
    last_at: Moment | None
    example: ExampleFields | None


@click.command(name="failures")
@broker_options
@click.option(
    "--results",
    metavar="URL",
    default=lambda: os.environ.get("RADAR_CELERY_RESULTS", ""),
    help="The result backend, a Redis; else that of -A, or of -b.",
)
@click.option("--task", metavar="TASK", default="", help="Only of this task.")
@click.option("--since", metavar="DURATION", default="24h", show_default=True, help="How far back.")
@timeout_option("10s")
@list_options
@answers(list[FailuresFields])
@pass_session
def command(session: Session, /, results: str, task: str, since: str, **options: str) -> Result:
    """Show failed runs of tasks, grouped by exception and the innermost line of your own code.

    From what workers with setup_radar have reported, for as long as pings are kept, from what
    'radar celery watch' has recorded, and from the result backend where -A, -b or --results names
    one in Redis.
    """
    since_s = read_period("--since", since)
    since_us = time.time_ns() // 1000 - int(since_s * 1e6)
    with ExitStack() as stack:
        ended, notes, opened = _read_reported(session, since_us, stack)
        recorded, cut = _read_recorded(since_us)
        if recorded:
            notes = [note for note in notes if note != NOTHING_REPORTED]
        more, remarks = _read_results(results, options, since_us)
        ended, notes = ended + recorded + more, notes + cut + remarks
        wanted = [each for each in ended if task in ("", each.task)]
        groups = group_failures(wanted)
        for group in groups:
            _complete(group, opened)
    unnamed = sum(1 for each in more if not each.task and each.is_failure)
    if unnamed:
        message = "left out" if task else "shown without it"
        notes.append(
            f"{unnamed} results don't say of which task they are ({message}): result_extended=True"
        )
    data = [_describe(group) for group in groups]
    empty = f"no failed run of {task or 'any task'} is known of the last {since}"
    if session.format == "table" and groups:
        text = "\n\n".join(_in_full(group) for group in groups)
        return Result(data, text=text, notes=tuple(notes))
    return Result(data, Table(_COLUMNS, [_row(each) for each in data], empty), notes=tuple(notes))


def _read_reported(
    session: Session, since_us: int, stack: ExitStack
) -> tuple[list[Ended], list[str], Opened | None]:
    try:
        opened = stack.enter_context(open_monitors(session))
        ended, notes = read_reported(opened.store, opened.now_us(), since_us)
    except RadarError as error:
        return [], [f"what was reported isn't known: {error.line()}"], None
    return ended, [*opened.notes, *notes], opened


def _read_recorded(since_us: int) -> tuple[list[Ended], list[str]]:
    try:
        with open_ledger() as ledger:
            return ([], []) if ledger is None else read_recorded(ledger, since_us)
    except RadarError as error:
        return [], [f"the ledger can't be read: {error.line()}"]


def _read_results(
    results: str, options: dict[str, str], since_us: int
) -> tuple[list[Ended], list[str]]:
    if not (results or options["broker"] or options["app"]):
        return [], []

    def read(broker: Broker, project: Project, _left_s: float) -> tuple[list[Ended], list[str]]:
        named = project.results
        if broker.kind != "redis" and not results and not named:
            return [], ["no result backend is named: --results URL"]
        if named and not results and not named.startswith(("redis://", "rediss://")):
            kind = named.partition(":")[0]
            return [], [f"a result backend of the kind {kind[:30]!r} can't be listed by radar"]
        import redis

        client = redis.Redis(connection_pool=broker.connection.default_channel.pool)
        return read_results(client, project.results_prefix + PREFIX, since_us)

    chosen = {**options, "broker": results or options["broker"]}
    if not results and options["app"]:
        from radar_cli.celery.project import project_of

        timeout_s = read_period("--timeout", options["timeout"])
        project = project_of("", options["app"], key_prefix="", timeout_s=timeout_s)
        if project.results.startswith(("redis://", "rediss://")):
            chosen["broker"] = project.results
    try:
        return with_broker(chosen, read)
    except RadarError as error:
        return [], [f"the result backend can't be read: {error.line()}"]


def _complete(group: Group, opened: Opened | None) -> None:
    """Fetch the traceback of a group's example, which a list of runs doesn't hold."""
    example = group.example
    if example is None or example.traceback or opened is None:
        return
    group.example = replace(example, traceback=read_traceback(opened.store, example))


def _describe(group: Group) -> FailuresFields:
    return {
        "failed": group.count,
        "exception": group.kind,
        "line": group.place or None,
        "tasks": {task or "?": count for task, count in group.tasks.most_common()},
        "first_at": _iso(group.first_us),
        "last_at": _iso(group.last_us),
        "example": None if group.example is None else _describe_example(group.example),
    }


def _describe_example(example: Ended) -> ExampleFields:
    return {
        "task": example.task or None,
        "run_id": example.run_id,
        "monitor": example.monitor or None,
        "message": example.text or None,
        "called": example.called or None,
        "traceback": example.traceback or None,
        "source": example.source,
    }


def _row(data: FailuresFields) -> tuple[Any, ...]:
    example: Any = data["example"] or {}
    return (
        *(data[key] for key in ("failed", "exception", "line")),
        ", ".join(data["tasks"]),
        *(data["first_at"], data["last_at"], example.get("called") or example.get("message")),
    )


def _in_full(group: Group) -> str:
    where = f" at {group.place}" if group.place else ""
    tasks = ", ".join(
        f"{task or 'of a task that the result backend does not name'} ({count})"
        for task, count in group.tasks.most_common(5)
    )
    lines = [
        f"{group.count} x {group.kind}{where}",
        f"  tasks: {tasks}",
        f"  first {local_time(group.first_us)}, last {local_time(group.last_us)}",
    ]
    example = group.example
    if example is not None:
        lines += [f"  {text}" for text in (example.text, example.called) if text]
        shown = example.traceback.rstrip().splitlines()
        if len(shown) > _LINES:
            lines.append(f"    ... ({len(shown) - _LINES} lines; --json has all)")
        lines += [f"    {line}" for line in shown[-_LINES:]]
    return "\n".join(clean(line) for line in lines)


def _iso(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="milliseconds")
