"""A simulated world with jobs, and with people who set them up, pause and rename them."""

from collections.abc import Callable

from radar_cli.store.store import Store
from tests.simulation.jobs import Behaviour, Job, Report, make_job
from tests.simulation.law import DAY, HOUR, MINUTE
from tests.simulation.world import YEAR, World

_MONITORS = 50


class PeopledWorld(World):
    """Fifty monitors at any time: where a job is over, another one begins."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._behaviour = Behaviour(self.chance)
        self._jobs: list[Job] = []

    def _begin(self) -> None:
        for number in range(_MONITORS):
            self._employ(number)
        for trouble, per_year in (
            (self._disturb_channel, 14),
            (self._pause_some, 14),
            (self._rename_some, 8),
        ):
            self._happen(trouble, YEAR / per_year)

    # What is otherwise from world to world

    def _make_job(self, number: int) -> Job:
        """Make a job for one of the places; how many there are of it is the world's affair."""
        key = f"job-{number}-{next(self._counter)}"
        return make_job(self.chance, key, self.raw, app=None)

    def _introduce(self, job: Job) -> None:
        """Set up the monitor of a new job, if that is not left to its first ping."""
        if job.by_person:

            def create(store: Store, now: int) -> None:
                if store.monitors.find(job.key) is None:
                    job.story.created = now
                    store.monitors.create(job.key, {**job.declared, **job.by_person}, now)

            self._do(create, job)

    def _abandon(self, job: Job) -> None:
        """A job is no more."""

    def _emit(self, job: Job, report: Report) -> None:
        """A job reports something."""
        raise NotImplementedError

    def _do(self, deed: Callable[[Store, int], object], *jobs: Job) -> None:
        """Let some process do to the store what a person wants; again, if it is killed over it.

        After it there are the monitors of these jobs.
        """
        raise NotImplementedError

    @property
    def _is_open(self) -> bool:
        """Whether anybody can do anything now."""
        return bool(self.alive) and self._is_rough

    # Jobs

    def _employ(self, number: int) -> None:
        """Somebody sets up a job in place of one that is over."""
        if not self._is_open:
            self.after(HOUR, lambda: self._employ(number))
            return
        job = self._make_job(number)
        self._jobs.append(job)
        self.witness.add(job)
        self._introduce(job)
        self._plan(job, self.true, number)

    def _plan(self, job: Job, after: int, number: int) -> None:
        job.runs_left -= 1
        if job.runs_left < 0:
            wait = job.period * self.chance.uniform(1, 4) + self.chance.expovariate(1 / (500 * DAY))
            ending = self.chance.choice((self._nothing, self._nothing, self._pause_for_good))
            self.after(job.period * self.chance.uniform(0.5, 2), lambda: ending(job))
            self.after(wait, lambda: self._dismiss(job, number))
            return
        slot = job.due_after(after)
        if self.chance.random() < 0.01:
            slot = job.due_after(slot + 2 * job.period)  # it is off for a while

        def run() -> None:
            for report in self._behaviour.reports(job, slot):
                self.at(report.happened, lambda report=report: self._emit(job, report))  # type: ignore[misc]
            self._plan(job, slot, number)

        self.at(slot - MINUTE, run)

    @staticmethod
    def _nothing(job: Job) -> None:
        """It stops without a word."""

    def _dismiss(self, job: Job, number: int) -> None:
        if not self._is_open:
            self.after(HOUR, lambda: self._dismiss(job, number))
            return
        job.is_over = True
        job.outbox.clear()
        self._jobs.remove(job)
        self.witness.forget(job)
        if job.is_there:
            self._abandon(job)
            self._do(
                lambda store, _: store.monitors.find(job.key) and store.monitors.delete([job.key])
            )
        self._employ(number)

    def _set_up(self, job: Job) -> None:
        """There is a monitor now that no ping has made."""
        job.is_there = True
        self.witness.refresh(job, self._now)
        self._watch_for(job)

    # People

    def _choose(self) -> Job | None:
        there = [job for job in self.witness.jobs if job.is_there and not job.is_over]
        return self.chance.choice(there) if there and self._is_open else None

    def _pause_some(self) -> None:
        if (job := self._choose()) is not None:
            length = self.chance.choice((None, HOUR, DAY, 9 * DAY))
            self._pause(job, length)
            if length is None or self.chance.random() < 0.3:
                resumed = self.chance.uniform(0.01, 2) * (length or 20 * DAY)
                self.after(resumed, lambda: self._resume(job))

    def _pause_for_good(self, job: Job) -> None:
        if job.is_there and not job.is_over and self._is_open:
            self._pause(job, None)

    def _pause(self, job: Job, length: int | None) -> None:
        def pause(store: Store, now: int) -> None:
            store.monitors.pause([job.key], now, None if length is None else now + length)

        self._look()
        self._do(pause, job)
        self._copy_pauses(job)

    def _resume(self, job: Job) -> None:
        if not job.is_over and self._is_open:
            # What waits is taken in while it is still paused.
            self._look()
            self._do(lambda store, now: store.monitors.resume([job.key], now), job)
            self._copy_pauses(job)

    def _copy_pauses(self, job: Job) -> None:
        """When people pause something isn't the law's to say."""
        known = self._looker.monitors.find(job.key)
        if known is None:
            return
        job.story.copy_pauses(known.pauses)
        self.witness.refresh(job, self._now)
        self._watch_for(job)
        self._look()

    def _rename_some(self) -> None:
        """Its story is told anew, and is the same."""
        if (job := self._choose()) is not None:
            name = f"name {next(self._counter)}"
            self._do(lambda store, now: store.monitors.update(job.key, {"name": name}, now), job)

    def _disturb_channel(self) -> None:
        channel = self.chance.choice(self.channels)
        channel.mood = self.chance.choice(("fails", "hangs"))
        length = MINUTE * 10 ** self.chance.uniform(0, 3.3)

        def mend() -> None:
            channel.mood = "well"

        self.after(length, mend)
