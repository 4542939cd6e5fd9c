"""A worker that tells radar of its tasks needs no more memory after many of them."""

import json
import os
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis as Client

from tests.support import hanging
from tests.support.celery_app import Worker
from tests.support.depth import depth
from tests.support.waiting import wait_until

# So much more than after the first tasks, which fill Celery's own bounded memories.
_MORE_BYTES = 12_000_000
_BATCH = 5_000
_FIRST, _ALL = depth(500, 50_000), depth(2_000, 1_000_000)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("pool", ["prefork", "threads"][: depth(1, 2)])
def test_a_million_tasks_leave_nothing_behind(redis_url: str, tmp_path: Path, pool: str) -> None:
    with (
        hanging.listening(partial(hanging.answering)) as port,
        Client.from_url(redis_url, decode_responses=True) as queue,
    ):
        worker = Worker(
            redis_url,
            tmp_path,
            pool=pool,
            slots=1,
            app="watched",
            WATCHED_MONITORS=json.dumps({"watched.well": "well"}),
            WATCHED_CONF=json.dumps({"worker_prefetch_multiplier": 50}),
            RADAR_SERVER=f"http://127.0.0.1:{port}",
            RADAR_API_KEY="rk_0123456789abcdef0123456789abcdef",
        ).wait()
        message = _message(redis_url, queue)
        _run(queue, message, _FIRST)
        before = _memory_bytes(worker.pid)
        _run(queue, message, _ALL - _FIRST)
        after = _memory_bytes(worker.pid)
    assert after.keys() == before.keys()
    grown = {pid: after[pid] - before[pid] for pid in before}
    assert max(grown.values()) < _MORE_BYTES, grown
    with (tmp_path / "w.log").open() as log:  # of two lines for each task
        assert not any("radar: a task's run can't be told" in line for line in log)


def _message(url: str, queue: Client) -> dict[str, Any]:
    """A task's message as kombu keeps it in Redis."""
    with Celery("watched", broker=url, set_as_current=False) as app:
        app.send_task("watched.well", queue="model")
    message: dict[str, Any] = json.loads(str(queue.lpop("model")))
    message["properties"]["delivery_info"]["routing_key"] = "celery"
    return message


def _run(queue: Client, message: dict[str, Any], count: int) -> None:
    """Have so many tasks done, each with an id of its own."""
    for begun in range(0, count, _BATCH):
        texts = []
        for _ in range(min(_BATCH, count - begun)):
            number = str(uuid.uuid4())
            message["headers"]["id"] = message["headers"]["root_id"] = number
            message["properties"]["correlation_id"] = number
            message["properties"]["delivery_tag"] = number
            texts.append(json.dumps(message))
        queue.lpush("celery", *texts)
        wait_until(lambda: not queue.llen("celery") and not queue.hlen("unacked"), 600, every_s=0.1)


def _memory_bytes(pid: int) -> dict[int, int]:
    """The resident memory of a worker's process and of its pool's."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = {}
    for each in (pid, *map(int, children)):
        pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
        found[each] = pages * os.sysconf("SC_PAGE_SIZE")
    return found
