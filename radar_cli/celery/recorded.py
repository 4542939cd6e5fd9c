"""Ends of tasks as a standing watch has recorded them in its ledger."""

from radar_cli.celery.failures import Ended
from radar_cli.celery.results import as_run_id
from radar_cli.model.ledger import TaskRecord, TaskState
from radar_cli.store.ledger import Ledger, TaskSearch

# So many of the newest ends are looked at.
MOST = 10_000
SOURCE = "ledger"
_FAILED = frozenset({TaskState.FAILURE, TaskState.LOST, TaskState.EXPIRED, TaskState.REVOKED})
_ENDED = (TaskState.SUCCESS, *sorted(_FAILED))


def read_recorded(ledger: Ledger, since_us: int) -> tuple[list[Ended], list[str]]:
    """Return the tasks that ended since then, and remarks on what isn't known of that time.

    Nothing, and no remark, where no watch ever wrote.
    """
    looked_us = ledger.last_look()
    if looked_us is None:
        return [], []
    tasks = ledger.tasks(TaskSearch(states=tuple(map(str, _ENDED)), since_us=since_us), MOST)
    notes = []
    if len(tasks) >= MOST:
        notes.append(f"of the ledger only the newest {MOST} tasks were looked at")
    if blind := ledger.blindness(since_us):
        notes.append(f"the watch was blind {len(blind)} times since then: {blind[0].why}")
    return [as_ended(task) for task in tasks if (task.ended_us or 0) >= since_us], notes


def as_ended(task: TaskRecord) -> Ended:
    """Return the end of a task as failures are grouped by."""
    is_failure = task.state in _FAILED
    kind = task.exception or task.stage or str(task.state)
    where = f" on {task.worker}" if task.worker else ""
    return Ended(
        task.name,
        as_run_id(task.id),
        task.ended_us or 0,
        is_failure,
        kind if is_failure else "",
        task.place,
        task.message,
        f"{task.name}({task.called}){where}" if is_failure else "",
        task.traceback,
        source=SOURCE,
    )
