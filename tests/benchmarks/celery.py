"""What watching Celery costs, against the tool that comes with it."""

from collections.abc import Callable

from tests.benchmarks import measure
from tests.benchmarks.measure import Costs, UnmeasurableError, Words, ratios, take_turns
from tests.benchmarks.results import Result
from tests.benchmarks.workplace import Workplace
from tests.support import celery_app, redis
from tests.support.waiting import wait_until


def celery(place: Workplace, rounds: int, _quick: bool) -> list[Result]:
    """All four layers, against what people ask one of them with; and the liveness probe."""
    env = place.environment()

    def run(words: Words) -> Costs:
        return measure.run(words, env, place.output)

    with redis.running() as broker:
        url, schedule = broker.url(), place.folder / "beat-schedule"
        worker = celery_app.Worker(url, place.folder, queues="celery,reports")
        place.at_exit(worker.process.kill)
        beat = celery_app.start(url, place.folder / "beat.log", "beat", "-s", str(schedule))
        place.at_exit(beat.kill)
        worker.wait()
        # The kind of dbm decides what follows the name.
        wait_until(lambda: any(place.folder.glob("beat-schedule*")), 60, "Beat's schedule")
        sign = place.folder / "worker-sign"
        sign.write_text("a sign of life")
        inspect: Words = [place.radar.parent / "celery", "-b", url, "inspect", "ping"]
        at_worker: Words = [*inspect, "-d", worker.node]
        at_beat = ("--beat", str(schedule), "--worker", worker.node)
        check: Words = [place.radar, "celery", "check", "-b", url, *at_beat]
        alive: Words = [place.radar, "celery", "alive", "--file", sign, "--max-age", "1d"]
        wait_until(lambda: _succeeds(run, at_worker), 60, "the worker's answer")
        costs = take_turns(
            {
                "inspect": lambda: run(inspect),
                "inspect -d": lambda: run(at_worker),
                "check": lambda: run(check),
                "alive": lambda: run(alive),
            },
            rounds,
        )
        for process in (worker.process, beat):
            process.kill()
            process.wait()
    what = "radar celery check, to inspect ping"
    probe = "radar celery alive, to inspect ping -d"
    return [
        Result(f"{what}, wall", ratios(costs["check"], costs["inspect"], "wall"), 0.7),
        Result(f"{what}, cpu", ratios(costs["check"], costs["inspect"], "cpu")),
        Result(f"{probe}, cpu", ratios(costs["alive"], costs["inspect -d"], "cpu"), 1 / 50),
        Result(f"{probe}, wall", ratios(costs["alive"], costs["inspect -d"], "wall")),
    ]


def _succeeds(run: Callable[[Words], Costs], words: Words) -> bool:
    try:
        run(words)
    except UnmeasurableError:
        return False
    return True
