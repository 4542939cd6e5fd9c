"""What watching Celery costs, against the tools that come with it."""

from tests.benchmarks import measure
from tests.benchmarks.measure import ratios, take_turns
from tests.benchmarks.results import Result
from tests.benchmarks.workplace import Workplace
from tests.support import celery_app, redis
from tests.support.waiting import wait_until


def celery_check(place: Workplace, rounds: int, _quick: bool) -> list[Result]:
    """All four layers, against what people ask one of them with."""
    with redis.running() as broker:
        url, schedule = broker.url(), place.folder / "beat-schedule"
        worker = celery_app.Worker(url, place.folder, queues="celery,reports")
        place.at_exit(worker.process.kill)
        beat = celery_app.start(url, place.folder / "beat.log", "beat", "-s", str(schedule))
        place.at_exit(beat.kill)
        worker.wait()
        # The kind of dbm decides what follows the name.
        wait_until(lambda: any(place.folder.glob("beat-schedule*")), 60, "Beat's schedule")
        words = ["celery", "check", "-b", url, "--beat", str(schedule), "--worker", worker.node]
        celery = place.radar.parent / "celery"
        env = place.environment()
        costs = take_turns(
            {
                "inspect": lambda: measure.run(
                    [celery, "-b", url, "inspect", "ping"], env, place.output
                ),
                "radar": lambda: measure.run([place.radar, *words], env, place.output),
            },
            rounds,
        )
        for process in (worker.process, beat):
            process.kill()
            process.wait()
    what = "radar celery check, to inspect ping"
    return [
        Result(f"{what}, wall", ratios(costs["radar"], costs["inspect"], "wall"), 0.7),
        Result(f"{what}, cpu", ratios(costs["radar"], costs["inspect"], "cpu")),
    ]
