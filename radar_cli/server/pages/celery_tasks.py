"""`/celery/tasks` and `/celery/failures`: tasks by what one looks for, and why some failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from radar_cli.celery.failures import group_failures
from radar_cli.celery.recorded import as_ended
from radar_cli.model.ledger import ENDED, TaskRecord, TaskState, describe_stage
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.celery_overview import DAY_US, celery_frame
from radar_cli.server.pages.visits import PageError, PageRoute, PagesServed, Visitor, now_us
from radar_cli.store.ledger import Place, TaskSearch

_A_PAGE = 50
_TEXT_MAX = 300
_RELATED = 50
_FAILURES = 2_000
_GROUPS = 100
_PERIODS = {"1h": DAY_US // 24, "24h": DAY_US, "7d": 7 * DAY_US, "30d": 30 * DAY_US}
FAILED = frozenset({TaskState.FAILURE, TaskState.LOST, TaskState.EXPIRED, TaskState.REVOKED})

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Step:
    """A step on a task's way; `after_us` is the time since the one before."""

    name: str
    time_us: int | None
    after_us: int | None
    detail: str = ""


@routes.get("/celery/tasks")
def list_tasks(
    session: Visitor,
    service: Served,
    pages: PagesServed,
    q: str = "",
    state: str = "",
    worker: str = "",
    queue: str = "",
    entry: str = "",
    since: Annotated[str, Query(alias="from")] = "",
    until: str = "",
    before: str = "",
) -> Response:
    """A page of tasks, the newest first; `q` is a name, a pattern of names, or an id."""
    values = celery_frame(session, service, now_us())
    ledger = service.store.ledger
    asked = {
        "q": _clean(q),
        "state": state if state in (*TaskState, "broken") else "",
        "worker": _clean(worker),
        "queue": _clean(queue),
        "entry": _clean(entry),
        "from": _clean(since),
        "until": _clean(until),
    }
    if asked["q"] and ledger.find_task(asked["q"]) is not None:
        return pages.redirect(f"/celery/tasks/{asked['q']}")
    since_us, until_us = _read_time(asked["from"]), _read_time(asked["until"])
    search = TaskSearch(
        name=asked["q"],
        states=(asked["state"],) if asked["state"] not in ("", "broken") else (),
        worker=asked["worker"],
        queue=asked["queue"],
        entry=asked["entry"],
        since_us=since_us or 0,
        until_us=until_us or 0,
        broken=asked["state"] == "broken",
    )
    found = ledger.find_page(search, _A_PAGE, before=_read_place(before))
    values |= {
        "asked": asked,
        "is_filtered": any(asked.values()),
        "unread": [
            asked[name]
            for name, time_us in (("from", since_us), ("until", until_us))
            if asked[name] and time_us is None
        ],
        "states": list(TaskState),
        "nodes": [each.node for each in ledger.workers()],
        "queue_names": [each.name for each in ledger.queues()],
        "tasks": found.tasks,
        "cut_us": found.next[0] if found.next is not None and found.is_cut else None,
        "is_first": not before,
        "first_link": pages.url("/celery/tasks", **asked),
        "older_link": found.next is not None
        and pages.url("/celery/tasks", **asked, before=f"{found.next[0]}.{found.next[1]}"),
    }
    return pages.page("celery_tasks", values)


@routes.get("/celery/tasks/{task_id:path}")
def show_task(task_id: str, session: Visitor, service: Served, pages: PagesServed) -> Response:
    """One task: its way through the stages, how it ended, and which tasks belong to it."""
    values = celery_frame(session, service, now_us())
    ledger = service.store.ledger
    task = ledger.find_task(task_id) if task_id and "\0" not in task_id else None
    if task is None:
        hint = "The ledger may have forgotten it, or the watch never heard of it."
        raise PageError(404, "There is no such task.", hint)
    values |= {
        "task": task,
        "steps": _find_steps(task),
        "why": describe_stage(task.stage) if task.stage else "",
        "is_failed": task.state in FAILED,
        "is_live": task.state not in ENDED,
        "related": [each for each in ledger.relatives(task, _RELATED) if each.id != task.id],
    }
    return pages.page("celery_task", values)


@routes.get("/celery/failures")
def list_failures(
    session: Visitor, service: Served, pages: PagesServed, task: str = "", since: str = "24h"
) -> Response:
    """Failures by their exception and the innermost line of the app's own code."""
    now = now_us()
    values = celery_frame(session, service, now)
    since = since if since in _PERIODS else "24h"
    name = _clean(task)
    found = service.store.ledger.failures(now - _PERIODS[since], name=name, limit=_FAILURES)
    groups = group_failures(map(as_ended, found))
    values |= {
        "groups": groups[:_GROUPS],
        "more_groups": max(0, len(groups) - _GROUPS),
        "looked_at": _FAILURES if len(found) == _FAILURES else 0,
        "asked": {"task": name, "since": since},
        "periods": [*_PERIODS],
    }
    return pages.page("celery_failures", values)


def _find_steps(task: TaskRecord) -> list[Step]:
    """The way of a task, with what lies between; a step that nobody saw has no time."""
    times: Sequence[tuple[str, int | None, str]] = (
        ("sent", task.sent_us, f"to queue {task.queue}" if task.queue else ""),
        ("due", task.eta_us, "its ETA"),
        ("received", task.received_us, f"by {task.worker}" if task.worker else ""),
        ("started", task.started_us, ""),
        (str(task.state) if task.is_ended else "", task.ended_us, ""),
    )
    steps: list[Step] = []
    last: int | None = None
    for name, time_us, detail in times:
        if name == "due" and time_us is None:
            continue
        if not name or (time_us is None and not any(each for _, each, _ in times[3:])):
            continue
        after = time_us - last if time_us is not None and last is not None else None
        steps.append(Step(name, time_us, after, detail if time_us is not None else ""))
        last = time_us if time_us is not None else last
    return steps


def _clean(text: str) -> str:
    return text[:_TEXT_MAX].replace("\0", "").strip()


def _read_time(text: str) -> int | None:
    """A moment as a browser's field writes it, by the server's clock; None if it is none."""
    try:
        return int(datetime.fromisoformat(text).astimezone().timestamp() * 1e6)
    except (ValueError, OverflowError, OSError):
        return None


def _read_place(text: str) -> Place | None:
    time, mark, task_id = text.partition(".")
    if not mark or not (time.isascii() and time.isdigit()) or len(time) > 18 or "\0" in task_id:
        return None
    return int(time), task_id
