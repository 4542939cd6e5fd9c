"""The app that the tests' workers run: `celery -A shop`, in this folder."""

import os
import time
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_ready
from kombu import Queue

app = Celery("shop", broker=os.environ["SHOP_BROKER"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    beat_sync_every=1,
    beat_max_loop_interval=1,
    beat_schedule={
        "report": {"task": "shop.quick", "schedule": 1.0, "options": {"queue": "reports"}},
    },
)

if more := os.environ.get("SHOP_MORE"):
    nightly = {"task": "shop.quick", "schedule": crontab(hour=int(more), minute=0)}
    app.conf.beat_schedule["nightly"] = nightly
    if more == "2":
        weekly = {"task": "shop.quick", "schedule": crontab(0, 0, day_of_week="sun")}
        app.conf.beat_schedule["weekly"] = weekly
app.conf.task_acks_late = bool(os.environ.get("SHOP_LATE"))
if seconds := os.environ.get("SHOP_VISIBILITY"):  # after which a Redis delivers anew
    app.conf.broker_transport_options = {"visibility_timeout": int(seconds)}
if backend := os.environ.get("SHOP_RESULTS"):
    app.conf.update(
        task_ignore_result=False,
        result_backend=backend,
        result_backend_transport_options={"retry_policy": {"max_retries": 1, "timeout": 1.0}},
    )
app.conf.task_send_sent_event = bool(os.environ.get("SHOP_SENT"))

if name := os.environ.get("SHOP_QUORUM"):
    quorum = {"x-queue-type": "quorum"}
    app.conf.broker_native_delayed_delivery_queue_type = "classic"  # 28 of them: quicker
    app.conf.task_queues = [Queue(name, routing_key=name, queue_arguments=quorum)]


@app.task  # type: ignore[untyped-decorator]  # Celery has no types
def quick() -> None:
    """Done at once."""


@app.task  # type: ignore[untyped-decorator]  # Celery has no types
def nap(seconds: float) -> None:
    time.sleep(seconds)


@worker_ready.connect  # type: ignore[untyped-decorator]  # as above
def lose_consumers(sender: Any, **_: Any) -> None:
    """End the consumers behind Celery's back: what a lost connection has done to workers."""
    if os.environ.get("SHOP_CATATONIC"):
        consumer = sender.task_consumer
        for tag in list(consumer._active_tags.values()):
            consumer.channel.basic_cancel(tag)
