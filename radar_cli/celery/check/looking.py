"""Looking at queues and workers over a broker, as often as it takes to see progress."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from radar_cli.celery.broker import Broker
from radar_cli.celery.check.seen import Look, Unacked, read_workers
from radar_cli.celery.inspect import Answers, Asking
from radar_cli.celery.queues import find_names, read_queues, read_unacked

_QUESTIONS: dict[str, dict[str, str]] = {
    "stats": {},
    "active": {},
    "active_queues": {},
    "reserved": {},
    "scheduled": {},
}
# How far two looks are apart where messages wait: a healthy idle worker takes one in milliseconds.
_INTERVAL_S = 1.0
_REPLY_S = 1.0
_DEFAULT_QUEUE = "celery"


class Looker:
    """Takes looks at one broker; a context manager. `registered` are the tasks workers know.

    `answers` are the workers' own words of the last look.
    """

    def __init__(self, broker: Broker, queues: Iterable[str]) -> None:
        self._broker = broker
        self._wanted = tuple(queues)
        self.registered: frozenset[str] | None = None
        self.beats: set[str] = set()  # those that answered
        self.answers = Answers({})
        self._asking = Asking(broker.connection, exchange=broker.exchange)

    def __enter__(self) -> "Looker":
        self._asking.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._asking.__exit__(None, None, None)

    def want(self, queues: Iterable[str]) -> None:
        """Look at these queues, too, from now on."""
        self._wanted = tuple(dict.fromkeys((*self._wanted, *filter(None, queues))))

    def look(
        self, left_s: Callable[[], float], *, with_tasks: bool = False, workers: int = 0
    ) -> Look:
        """Look once; workers have a second to answer, or less if less is left.

        So many `workers` are known to be there: where nobody tells, no more are waited for.
        """
        queues, nodes = find_names(self._broker)
        unacked = read_unacked(self._broker)
        names = [*self._wanted, *sorted(queues)] or [_DEFAULT_QUEUE]
        seen = read_queues(self._broker, names)
        # Where the broker doesn't tell who hears, its consumers are as many as will answer.
        most = max((queue.consumers or 0 for queue in seen.values()), default=0) or workers
        # Celery's own, too: an entry of the schedule may be celery.backend_cleanup.
        tasks = {"registered": {"builtins": True}} if with_tasks else {}
        answers = self._asking.ask(
            {**_QUESTIONS, **tasks},
            timeout_s=max(0.1, min(_REPLY_S, left_s())),
            expect=most or None,
        )
        self.answers = answers
        found = read_workers(answers.replies)
        if len(found) < most:
            # Whoever has gone meanwhile isn't silent: RabbitMQ counts it no more.
            seen |= read_queues(self._broker, sorted(seen))
        consumed = {name for worker in found.values() for name in worker.queues or ()}
        seen |= read_queues(self._broker, sorted(consumed - seen.keys()))
        if with_tasks:
            self._read_registered(answers)
        beats = [node for node in answers.nodes() if node not in found]
        heard = None if answers.heard is None else max(0, answers.heard - len(beats))
        held = frozenset(number for worker in found.values() for number in worker.held)
        unacked = find_orphans(unacked, read_unacked(self._broker), held)
        known = frozenset(nodes)
        self.beats |= set(beats)
        return Look(time.monotonic(), seen, found, heard, unacked, known, answers.twins())

    def look_for_progress(
        self, left_s: Callable[[], float], *, with_tasks: bool = False
    ) -> list[Look]:
        """One look, and where something waits or is held a second one, to see whether it moves."""
        first = self.look(left_s, with_tasks=with_tasks)
        waits = any(queue.depth for queue in first.queues.values())
        holds = any(worker.reserved and not worker.active for worker in first.workers.values())
        lost = first.unacked is not None and first.unacked.orphans
        if not (waits or holds or lost) or not first.workers or left_s() < _INTERVAL_S:
            return [first]
        time.sleep(_INTERVAL_S)
        return [first, self.look(left_s, workers=len(first.workers))]

    def _read_registered(self, answers: Answers) -> None:
        lists = [r for r in answers.replies["registered"].values() if isinstance(r, list)]
        # More may stand behind a task's name: `tasks.add [rate_limit=10/m]`.
        self.registered = frozenset(str(task).partition(" ")[0] for some in lists for task in some)


def find_orphans(
    before: Unacked | None, after: Unacked | None, held: frozenset[str]
) -> Unacked | None:
    """Return what is fetched, with what none of those holds that were asked in between.

    What was fetched before they were asked, they have told of, unless it is acknowledged by now.
    """
    if before is None or after is None:
        return after
    lost = {
        number: at
        for number, at in before.fetched_at.items()
        if number in after.fetched_at and number not in held
    }
    return replace(after, orphans=lost)
