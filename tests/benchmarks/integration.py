"""What `radar_cli.celery`'s integration costs a worker: tasks a second with it and without."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from celery import Celery

from tests.benchmarks.measure import Costs, ratios, take_turns
from tests.benchmarks.results import Result
from tests.benchmarks.workplace import Workplace
from tests.support import hanging, redis
from tests.support.ports import free_port
from tests.support.waiting import wait_until

_WORK_MS = 5
_APP = """
import json, os, time
import redis
from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.task_ignore_result = True
app.conf.worker_hijack_root_logger = False
app.conf.broker_connection_retry_on_startup = True
done = redis.Redis.from_url(os.environ["BENCH_BROKER"])
if os.environ.get("BENCH_WITH"):
    from radar_cli.celery import CronRadarMiddleware
    app.steps["worker"].add(CronRadarMiddleware)
    app.conf.cronradar_monitors = {"bench.work": "work", "bench.nothing": "nothing"}


@app.task(name="bench.work")
def work(counter, milliseconds):
    until = time.process_time() + milliseconds / 1000
    while time.process_time() < until:
        json.dumps({str(n): n for n in range(50)})
    done.incr(counter)


@app.task(name="bench.nothing")
def nothing(counter, _):
    done.incr(counter)
"""


class Worker:
    """A worker with a queue of its own, and what a batch of tasks costs it."""

    def __init__(self, place: Workplace, broker: str, name: str, **env: str) -> None:
        self._app = Celery("bench", broker=broker, set_as_current=False)
        self._broker, self.name = broker, name
        log = place.folder / f"{name}.log"
        more = {"BENCH_BROKER": broker, "C_FORCE_ROOT": "1", "PYTHONPATH": str(place.folder)}
        state = str(place.folder / f"state-{name}")
        words = ["-Q", name, "-n", f"{name}@bench", "-c", "2", "-l", "INFO"]
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                [Path(place.python).parent / "celery", "-A", "bench_app", "worker", *words],
                cwd=place.folder,
                env={**place.environment(**more), "RADAR_STATE_DIR": state, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        place.at_exit(self.end)
        wait_until(lambda: b" ready." in log.read_bytes(), 60, f"{name} is ready")

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def run(self, task: str, count: int) -> Costs:
        """Have it do so many tasks, and return what that took."""
        import redis as client

        done = client.Redis.from_url(self._broker)
        counter, staged = f"done-{self.name}", f"staged-{self.name}"
        done.delete(counter)
        with self._app.connection_for_write() as connection:
            for _ in range(count):
                self._app.send_task(task, (counter, _WORK_MS), queue=staged, connection=connection)
        cpu_s, started = self._cpu_s(), time.monotonic()
        # All at once: sending takes longer than tasks that do nothing.
        done.rename(staged, self.name)
        wait_until(lambda: int(done.get(counter) or 0) >= count, 300, task, every_s=0.002)
        wall_s = time.monotonic() - started
        # Ticks are coarse: none has passed in too small a batch.
        return {"wall": wall_s, "cpu": max(self._cpu_s() - cpu_s, 0.01)}

    def _cpu_s(self) -> float:
        """The time of the worker's process and of its pool's."""
        ticks = 0
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError):
                    fields = (folder / "stat").read_text().rpartition(")")[2].split()
                    if int(fields[3]) == self.process.pid:  # its session
                        ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def integration(place: Workplace, rounds: int, quick: bool) -> list[Result]:
    """A worker whose server answers in 100 ms, hangs or is dead, against one without radar."""
    (place.folder / "bench_app.py").write_text(_APP)
    count = 60 if quick else 400
    results: list[Result] = []
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(redis.running()).url()
        late = stack.enter_context(hanging.listening(partial(hanging.answering, pause_s=0.1)))
        hung = stack.enter_context(hanging.listening(hanging.nothing))
        ports = {"answers in 100 ms": late, "hangs": hung, "is dead": free_port()}
        workers = {"without": Worker(place, url, "without")}
        for name, port in ports.items():
            workers[name] = Worker(
                place,
                url,
                name.replace(" ", "-"),
                BENCH_WITH="1",
                RADAR_SERVER=f"http://127.0.0.1:{port}",
                RADAR_API_KEY="rk_0123456789abcdef0123456789abcdef",
            )
        for task, what in (("work", f"{_WORK_MS} ms of work"), ("nothing", "no work at all")):
            size = count if task == "work" else 5 * count
            contestants = {each: _batch(worker, task, size) for each, worker in workers.items()}
            costs = take_turns(contestants, rounds, warm_ups=1)
            results += _compare(costs, ports, what, is_real=task == "work")
        for worker in workers.values():
            worker.end()
    return results


def _batch(worker: Worker, task: str, count: int) -> Callable[[], Costs]:
    return lambda: worker.run(f"bench.{task}", count)


def _compare(
    costs: Mapping[str, list[Costs]], ports: Mapping[str, int], what: str, *, is_real: bool
) -> list[Result]:
    found = []
    for name in ports:
        title = f"tasks with {what}, server {name}"
        # As time, of which 1/0.97 is allowed for 0.97 of the tasks a second.
        wall = ratios(costs[name], costs["without"], "wall")
        found.append(Result(f"{title}, wall", wall, 1 / 0.97 if is_real else None))
        found.append(Result(f"{title}, cpu", ratios(costs[name], costs["without"], "cpu")))
    return found
