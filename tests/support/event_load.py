"""A load of Celery's events, as workers send them: batches over a real broker, at a rate."""

import sys
import time
import uuid

from celery import Celery

_BATCH = 5  # tasks whose events go together: workers buffer 20 events


def send_events(url: str, tasks: int, events_per_s: float, node: str = "load@test") -> int:
    """Send four events of each of so many tasks; return how many that were."""
    app = Celery("load", broker=url, set_as_current=False)
    sent = 0
    started = time.monotonic()
    with app.connection_for_write() as connection:
        dispatcher = app.events.Dispatcher(
            connection, hostname=node, buffer_group={"task"}, buffer_limit=4 * _BATCH
        )
        with dispatcher:
            for number in range(tasks):
                task = str(uuid.uuid4())
                name = {"name": f"load.task_{number % 20}", "args": f"({number},)", "kwargs": "{}"}
                known = {"uuid": task, "root_id": task, "parent_id": None, "retries": 0}
                queue = {"queue": "celery", "exchange": "", "routing_key": "celery"}
                dispatcher.send("task-sent", **known, **name, **queue, eta=None, expires=None)
                dispatcher.send("task-received", **known, **name, eta=None, expires=None)
                dispatcher.send("task-started", uuid=task)
                dispatcher.send("task-succeeded", uuid=task, result="None", runtime=0.001)
                sent += 4
                early_s = started + sent / events_per_s - time.monotonic()
                if early_s > 0.05:
                    time.sleep(early_s)
            dispatcher.flush()
    app.close()
    return sent


if __name__ == "__main__":
    send_events(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
