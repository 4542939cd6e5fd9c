"""Causes that a watch over Celery has recorded of a run that is missed or hangs."""

from collections.abc import Iterable

from radar_cli.model.flip import Flip
from radar_cli.model.ledger import TaskRecord, TaskState, describe_stage
from radar_cli.model.monitor import Monitor
from radar_cli.model.run import Run
from radar_cli.model.state import Reason
from radar_cli.store.ledger import Ledger

# A firing may seem to be due a little before its slot: clocks differ.
_EARLY_US = 2_000_000


def find_cause(ledger: Ledger, monitor: Monitor, flip: Flip, runs: Iterable[Run]) -> str:
    """Return what is known of why a run didn't begin or end; "" if nothing is.

    The id of a run of Celery's is that of its task, and the name of its monitor that of its entry.
    """
    if flip.reason not in (Reason.MISSED, Reason.HUNG) or ledger.last_look() is None:
        return ""
    if flip.reason == Reason.HUNG:
        going = [run for run in runs if run.is_running]
        task = ledger.find_task(going[-1].run_id) if going else None
        return "" if task is None else _describe(task)
    since_us = flip.time_us - round(monitor.grace_s * 1e6) - _EARLY_US
    for firing in ledger.firings(since_us, entry=monitor.name, limit=100):
        if firing.stage and firing.due_us <= flip.time_us:
            return describe_stage(firing.stage)
    return ""


def _describe(task: TaskRecord) -> str:
    where = f" on {task.worker}" if task.worker else ""
    if task.stage:
        return describe_stage(task.stage) + (f" ({task.worker})" if task.worker else "")
    if task.is_ended and task.state != TaskState.UNSEEN:
        return f"the watch over Celery saw it end ({task.state}){where}, and no report of that came"
    if task.state == TaskState.STARTED:
        return f"by the watch over Celery its task still runs{where}"
    return ""
