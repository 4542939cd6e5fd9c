"""The ledger in the long run: what goes through it, and not what went, decides its size."""

import itertools
import time
from pathlib import Path

import pytest

from radar_cli.model.ledger import Batch, QueueSample, TaskRecord, TaskState
from radar_cli.store.ledger import Ledger, LedgerRetention, TaskSearch
from radar_cli.store.opening import open_embedded
from tests.support.depth import depth

_SECOND = 1_000_000
_BEGIN = 1_795_000_000 * _SECOND
_A_BATCH = 1_000
_APART_US = 2_000  # 500 tasks a second


def _batch(first: int) -> Batch:
    tasks = []
    for number in range(first, first + _A_BATCH):
        at_us = _BEGIN + number * _APART_US
        task = TaskRecord(f"{number * 2654435761 % 2**32:08x}-{number:08x}", f"shop.{number % 20}")
        task.state, task.worker, task.queue = TaskState.SUCCESS, f"w{number % 4}@h", "celery"
        task.sent_us, task.started_us, task.ended_us = at_us - 9_000, at_us - 5_000, at_us
        task.runtime_us, task.changed_us, task.called = 5_000, at_us, f"{number}, notify=True"
        if number % 50 == 0:
            task.state, task.exception, task.message = TaskState.FAILURE, "ValueError", "x" * 200
        tasks.append(task)
    return Batch(tasks, queues=[QueueSample("celery", tasks[-1].changed_us, first % 90, 0, 2)])


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_its_disk_and_its_memory_do_not_grow(tmp_path: Path) -> None:
    tasks, kept = depth(20_000, 10_000_000), depth(4_000, 1_000_000)
    retention = LedgerRetention(tasks=kept, samples_for_us=kept * _APART_US)
    sizes, memory = [], []
    for fifth in range(5):
        with open_embedded(str(tmp_path)) as store:
            for first in range(fifth * tasks // 5, (fifth + 1) * tasks // 5, _A_BATCH):
                batch = _batch(first)
                now_us = batch.tasks[-1].changed_us
                store.ledger.write(batch, now_us)
                while store.ledger.sweep(now_us, retention) >= _A_BATCH:
                    pass
            assert sum(store.ledger.count_tasks(TaskSearch()).values()) <= kept + _A_BATCH
            _print_times(store.ledger)
            memory.append(_memory_kb())
        # What was written last stands in a file beside it until the store is closed.
        sizes.append((tmp_path / "radar.db").stat().st_size)
    print("sizes", sizes, "memory in kB", memory)
    assert max(sizes[1:]) < 1.3 * min(sizes[1:])
    assert all(later < earlier + 20_000 for earlier, later in itertools.pairwise(memory[1:]))


def _memory_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def _print_times(ledger: Ledger) -> None:
    for search in (
        TaskSearch(),
        TaskSearch(name="shop.3"),
        TaskSearch(states=("failure",)),
        TaskSearch(name="nothing.*"),
        TaskSearch(name="shop.3", worker="nobody"),
    ):
        began = time.perf_counter()
        found = ledger.find_page(search, 50)
        print(f"{(time.perf_counter() - began) * 1000:.1f} ms: {search} ({len(found.tasks)})")
