"""The tasks and queues of a schedule, as the workers know them."""

from dataclasses import dataclass

from radar_cli.celery.broker import Broker
from radar_cli.celery.inspect import Asking


@dataclass(frozen=True)
class Known:
    """The tasks that the answering workers have registered, and the queues they take from."""

    workers: tuple[str, ...]
    tasks: frozenset[str]
    queues: frozenset[str]


def ask_workers(broker: Broker, *, timeout_s: float) -> Known:
    """Ask all workers at once; those that don't answer in time are left out."""
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        answers = asking.ask(
            {"registered": {"builtins": True}, "active_queues": {}}, timeout_s=timeout_s
        )
    registered, active = answers.replies["registered"], answers.replies["active_queues"]
    lists = [reply for reply in registered.values() if isinstance(reply, list)]
    queues = [reply for reply in active.values() if isinstance(reply, list)]
    return Known(
        tuple(sorted(registered.keys() & active.keys())),
        # `registered` may show more behind a task's name: `tasks.add [rate_limit=10/m]`.
        frozenset(str(task).partition(" ")[0] for tasks in lists for task in tasks),
        frozenset(
            str(queue.get("name", ""))
            for each in queues
            for queue in each
            if isinstance(queue, dict)
        ),
    )
