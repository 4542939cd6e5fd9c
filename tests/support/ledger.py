"""A ledger as a watch over a small shop would have written it, for pages and pictures."""

import random

from radar_cli.model.ledger import (
    Batch,
    Blindness,
    Firing,
    QueueSample,
    Stage,
    TaskRecord,
    TaskState,
    WorkerRecord,
)
from radar_cli.store.ledger import Ledger

SECOND_US = 1_000_000
_TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/srv/shop/tasks.py", line 41, in pay\n'
    "    charge(order)\n"
    "shop.errors.CardDeclined: card declined for order 4711\n"
)


def plant_ledger(ledger: Ledger, now_us: int, *, prefix: str = "") -> None:
    """Write two hours of a shop: one worker gone, one queue that grows, and Beat's firings."""
    chance = random.Random(1)
    batch = Batch(missed_events=2)
    for name, gone_s in (("web1", None), ("web2", None), ("batch1", 900)):
        batch.workers.append(
            WorkerRecord(
                f"{prefix}celery@{name}",
                now_us - (gone_s or 1) * SECOND_US,
                now_us - 7200 * SECOND_US,
                pool="prefork",
                slots=4,
                active=2,
                processed=chance.randrange(1000, 9000),
                queues=("celery", "mail") if name != "batch1" else ("reports",),
                gone_us=None if gone_s is None else now_us - gone_s * SECOND_US,
            )
        )
    for minute in range(120):
        at_us = now_us - (119 - minute) * 60 * SECOND_US
        late = max(0, minute - 104)
        batch.queues += [
            QueueSample(f"{prefix}celery", at_us, chance.randrange(12), 3, 2),
            QueueSample(f"{prefix}mail", at_us, chance.randrange(40), 0, 2),
            QueueSample(f"{prefix}reports", at_us, late * 31, 0, 0 if late else 1),
        ]
    for number in range(200):
        sent_us = now_us - number * 30 * SECOND_US - 5 * SECOND_US
        batch.tasks.append(_task(f"{prefix}{number:04d}", sent_us, chance))
    batch.blind.append(
        Blindness(now_us - 5000 * SECOND_US, now_us - 4880 * SECOND_US, "the watch was not running")
    )
    for number in range(1, 30):
        due_us = (now_us // (300 * SECOND_US) - number) * 300 * SECOND_US
        batch.firings.append(_firing(f"{prefix}invoices", due_us, number))
        if number % 6 == 0:
            batch.firings.append(
                Firing(f"{prefix}cleanup", due_us, "shop.cleanup", stage=str(Stage.NOT_ATTEMPTED))
            )
    ledger.write(batch, now_us)


def _task(task_id: str, sent_us: int, chance: random.Random) -> TaskRecord:
    name, queue = chance.choice((("shop.pay", "celery"), ("shop.mail", "mail")))
    waited_us, took_us = chance.randrange(20_000, 900_000), chance.randrange(5_000, 4_000_000)
    task = TaskRecord(
        task_id,
        name,
        TaskState.SUCCESS,
        worker=chance.choice(("celery@web1", "celery@web2")),
        queue=queue,
        sent_us=sent_us,
        received_us=sent_us + waited_us // 2,
        started_us=sent_us + waited_us,
        ended_us=sent_us + waited_us + took_us,
        runtime_us=took_us,
        called=f"{chance.randrange(10_000)}, notify=True",
        changed_us=sent_us + waited_us + took_us,
    )
    number = int(task_id[-4:])
    if number < 2:
        task.state, task.ended_us, task.runtime_us = TaskState.STARTED, None, None
    elif number % 23 == 5:
        task.state, task.exception = TaskState.FAILURE, "shop.errors.CardDeclined"
        task.place, task.message = "shop/tasks.py:41 (pay)", "card declined for order 4711"
        task.traceback = _TRACEBACK
    elif number == 60:
        task.state, task.stage = TaskState.LOST, str(Stage.WORKER_GONE)
    return task


def _firing(entry: str, due_us: int, number: int) -> Firing:
    if number == 3:
        stage = str(Stage.NOT_RECEIVED)
        return Firing(
            *(entry, due_us, "shop.invoices", "0003", due_us + 2_000, due_us + 9_000), stage=stage
        )
    return Firing(
        *(entry, due_us, "shop.invoices", f"{number:04d}", due_us + 2_000, due_us + 9_000),
        *(due_us + 30_000, due_us + 41_000, due_us + 3_041_000, str(TaskState.SUCCESS)),
    )
