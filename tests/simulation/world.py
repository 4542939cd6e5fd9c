"""A simulated world: time that jumps, and processes of radar that work on one database.

Nothing waits: the clock jumps to the next moment at which anything happens. Each step is one thing
that one process does, perhaps interrupted by another process, perhaps until it is killed; after
each the witness compares what is kept and told with the law.
"""

import functools
import heapq
import itertools
import random
from collections.abc import Callable
from typing import Protocol
from unittest import mock

from radar_cli.core import ids
from radar_cli.core.errors import RadarError
from radar_cli.server.runtime import evaluator
from radar_cli.service import delivering
from radar_cli.store.store import Store
from tests.simulation.channels import SimulatedChannel
from tests.simulation.database import CrashError, Disk, SimulatedDatabase
from tests.simulation.hosts import JoinedStory
from tests.simulation.jobs import Job
from tests.simulation.law import DAY, HOUR, SECOND
from tests.simulation.witness import BrokenLawError, Expected, Witness

YEAR = 365 * DAY
BEGIN = 1_790_000_000 * SECOND
TICK = SECOND // 5
_INSTANT = 100  # a step reads the clock several times, and each time it shows more
_AFTER_FAULT = 5 * SECOND
_IDLE_LOOKS_MAX = 300


class Clock(Protocol):
    """What a process has for a clock."""

    def now_us(self) -> int:
        """Unix time in microseconds."""


class Process(Protocol):
    """A process of radar's, from its start until it ends or is killed."""

    number: int
    database: SimulatedDatabase
    hangs: set[str]  # the channels whose threads wait

    @property
    def clock(self) -> Clock:
        """Its clock."""

    @property
    def has_reminded(self) -> bool:
        """Whether its last look was for reminders, too."""

    def look(self) -> None:
        """Look at everything once."""

    def deliver(self, channel: SimulatedChannel) -> None:
        """Send what a channel is to tell."""


class World:
    """All of it, made of one seed. What befalls it, and who lives in it, is said by others."""

    remind_every = 60 * DAY
    settles_in = 3 * HOUR  # the longest that a notice waits for another try, and more

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        # What was thought of later has chances of its own: the worlds of old go on as they did.
        self.later_chance = random.Random(f"later {seed}")
        self.true = BEGIN + self.chance.randrange(3 * YEAR)
        self.offset = 0  # of the clocks that radar reads
        self.disk = Disk()
        self.channels = self._make_channels()
        self.witness = Witness(self.disk, self.channels, self.remind_every)
        self.processes: list[Process] = []
        self.steps = 0
        self.log: list[str] = []
        self._looker = Store(SimulatedDatabase(self.disk, lambda: None))
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._counter = itertools.count()
        self._now = 0  # the latest that radar has been shown
        self._interrupt_in = 0
        self._interrupted: Process | None = None
        self._idle_looks = 0
        self._broken: BrokenLawError | None = None  # what a channel has kept from us
        self._quiet_until: dict[int, int] = {}  # by number of a process

    def _make_channels(self) -> list[SimulatedChannel]:
        return [
            SimulatedChannel("all", self.chance, self._hang),
            SimulatedChannel("downs", self.chance, self._hang, on=["down"]),
            SimulatedChannel("night", self.chance, self._hang, tags=["night"]),
        ]

    # Time

    @property
    def raw(self) -> int:
        """What the servers' clocks show."""
        return self.true + self.offset

    @property
    def alive(self) -> list[Process]:
        """The processes of radar that run."""
        return [process for process in self.processes if not process.database.is_dead]

    def at(self, time: int, call: Callable[[], None]) -> None:
        """Call at a true time, or now if that has passed."""
        heapq.heappush(self._events, (max(time, self.true), next(self._counter), call))

    def after(self, time: float, call: Callable[[], None]) -> None:
        """Call so much later."""
        self.at(self.true + round(time), call)

    def run(self, length: int) -> None:
        """Let so much time pass, and then all that is on its way arrive."""
        with (
            mock.patch.object(evaluator, "time", self),
            mock.patch.object(delivering, "time", self),
            mock.patch.object(ids, "os", self),
        ):
            try:
                self._begin()
                self._run_until(self.true + length)
                self._end()
            finally:
                self.disk.connection.close()

    def _run_until(self, end: int) -> None:
        while True:
            if self._broken is not None:
                raise self._broken
            wake = self._wake()
            if wake is not None and (not self._events or wake[0] < self._events[0][0]):
                time, call = wake
            elif self._events:
                time, _, call = self._events[0]
            else:
                break
            if time > end:
                break
            if wake is None or call is not wake[1]:
                heapq.heappop(self._events)
                self._idle_looks = 0
            # While a channel hangs, what waits for it waits for as long.
            elif time <= self.true + TICK and not any(each.hangs for each in self.alive):
                self._idle_looks += 1
                if self._idle_looks > _IDLE_LOOKS_MAX:
                    raise BrokenLawError("there is always something to do, and it is never done")
            self._live_on(time)
            self.steps += 1
            call()
        self._live_on(end)

    def _live_on(self, time: int) -> None:
        """Let time pass in which nothing happens."""
        self.true = max(self.true, time)

    def _wake(self) -> tuple[int, Callable[[], None]] | None:
        """When a process that looks all the time next finds something to do."""
        if not self.alive:
            return None
        awake = [s for s in self.alive if self._quiet_until.get(s.number, 0) <= self.true]
        if not awake:
            return min(self._quiet_until[each.number] for each in self.alive), self._look
        found: tuple[int, Callable[[], None]] | None = None
        for moment, call in zip(
            self._find_moments(), (self._look, self._look, self._deliver), strict=True
        ):
            if moment is not None:
                time = max(moment + 1 - self.offset, self.true + TICK)
                if found is None or time < found[0]:
                    found = time, call
        return found

    def _find_moments(self) -> tuple[int | None, ...]:
        """When the store has something to judge, to remind of and to deliver."""
        moments = self.disk.read(
            "SELECT (SELECT min(next_look_us) FROM monitor WHERE next_look_us IS NOT NULL),"
            " (SELECT min(remind_us) FROM flip WHERE remind_us IS NOT NULL),"
            " (SELECT min(try_us) FROM (SELECT min(next_try_us) AS try_us FROM notice"
            " UNION ALL SELECT min(next_try_us) FROM alert WHERE told_in = ''"
            " AND NOT EXISTS (SELECT 1 FROM alert AS older WHERE older.monitor = alert.monitor"
            " AND older.channel = alert.channel AND older.next_try_us IS NOT NULL"
            " AND older.created_us < alert.created_us)))"
        )
        return moments[0]

    # For radar, in place of modules of the standard library

    def monotonic(self) -> float:
        """See `time.monotonic`."""
        # Some of what it is asked for is whether this is the same moment.
        return (self.true - BEGIN) / SECOND + next(self._counter) * 1e-7

    def urandom(self, size: int) -> bytes:
        """See `os.urandom`."""
        return self.chance.randbytes(size)

    # What the processes do

    def _op(
        self,
        process: Process,
        call: Callable[[], None],
        expected: Expected | None = None,
        *,
        looks: bool = False,
        watches: bool = True,
    ) -> bool:
        """Let a process do something, unless it is killed over it; True if it came through.

        Whatever it does it notes that it looks, but for what doesn't keep `watches`.
        """
        chance = self.chance
        if self._is_rough and chance.random() < 0.02:
            process.database.arm(chance.randint(1, 14))
        if chance.random() < 0.06:
            self._interrupt_in, self._interrupted = chance.randint(1, 8), process
        elif looks and self.later_chance.random() < 0.15:
            # Reminders are the last that a look is for.
            self._interrupt_in, self._interrupted = self.later_chance.randint(6, 12), process
        seen = self._see_before()
        came_through = True
        try:
            call()
        except CrashError:
            came_through = False
            self._say(f"process {process.number} is killed")
        except RadarError as error:
            came_through = False
            self._quiet_until[process.number] = self.true + _AFTER_FAULT
            self._say(f"process {process.number}: {error.line()}")
        process.database.arm(0)
        was_interrupted = self._interrupted is not None and self._interrupt_in <= 0
        self._interrupt_in, self._interrupted = 0, None
        self._now = max(self._now, self.raw, process.clock.now_us())
        self._see_that_it_looks(seen, came_through=came_through and watches)
        looked = looks and came_through
        touched = self.witness.observe(
            *(self._now, expected or {}),
            looked=looked,
            reminded=looked and process.has_reminded,
            was_interrupted=was_interrupted,
        )
        for job in touched:
            self._compare_view(job)
            self._watch_for(job)
        if process.database.is_dead:
            self._bury(process)
        return came_through

    def _see_before(self) -> tuple[int, int]:
        """What has to be known before a step to tell what it was about."""
        return 0, 0

    def _see_that_it_looks(self, seen: tuple[int, int], *, came_through: bool) -> None:
        """A process has looked."""

    def _bury(self, process: Process) -> None:
        """A process is dead."""
        raise NotImplementedError

    @property
    def _is_rough(self) -> bool:
        # A server that starts while a clock was set back believes it: it would be another story.
        return self._now <= self.raw + SECOND // 10

    def _compare_view(self, job: Job) -> None:
        known = self._looker.monitors.find(job.key)
        if known is None:
            raise BrokenLawError(f"{job.key} isn't there")
        # A person may just be about it, while another process looks or is killed.
        job.story.copy_pauses(known.pauses)
        view, said = known.view_at(self._now), job.story.says(self._now)
        # Of several machines that are down, any may be the reason.
        is_one = not isinstance(job.story, JoinedStory)
        reason = str(view.reason or "") if is_one else said.reason
        if (str(view.status), reason) != (said.status, said.reason):
            raise BrokenLawError(
                f"{job.key} is {said} at {self._now}, and radar shows {view};"
                f" {job.story.describe()}"
            )
        if is_one and said.status in ("down", "late") and view.since_us != said.since:
            raise BrokenLawError(f"{job.key} is {said}, and radar shows it since {view.since_us}")

    def _watch_for(self, job: Job) -> None:
        """Have somebody look right before and right after silence makes it down."""
        if not job.is_there:
            return
        change = job.story.next_change(self._now)
        if change < self._now + YEAR:
            time = int(change) - self.offset
            if self.chance.random() < 0.3:
                self.at(time - _INSTANT, self._look)
            self.at(time + TICK, self._look)

    def _look(self) -> None:
        awake = [s for s in self.alive if self._quiet_until.get(s.number, 0) <= self.true]
        if awake:
            process = self.chance.choice(awake)
            self._op(process, process.look, looks=True)

    def _deliver(self) -> None:
        for channel in self.channels:
            free = [each for each in self.alive if channel.table.name not in each.hangs]
            if free and self.alive:
                process, arrived = self.chance.choice(free), len(channel.arrived)
                if not self._op(
                    process, functools.partial(process.deliver, channel), watches=False
                ):
                    # Nobody noted that these have arrived.
                    channel.excused |= {notice.key for notice in channel.arrived[arrived:]}
        self.witness.check_arrivals()

    def _hang(self) -> None:
        """A channel answers after half a minute; all the others go on."""
        try:
            self._run_until(self.true + 30 * SECOND)
        except BrokenLawError as error:
            # For radar it is but a channel that fails.
            self._broken = error
            raise

    def _interrupt(self, process: Process) -> None:
        """Another process's turn may have come."""
        if not self._interrupt_in or process is not self._interrupted:
            return
        self._interrupt_in -= 1
        others = [other for other in self.alive if other is not process]
        if self._interrupt_in or not others:
            return
        other = self.chance.choice(others)
        other.look()
        if self.later_chance.random() < 0.5:
            for channel in self.channels:
                if channel.mood == "well":
                    other.deliver(channel)

    # The beginning and the end

    def _begin(self) -> None:
        raise NotImplementedError

    def _happen(self, trouble: Callable[[], None], mean: float) -> None:
        def again() -> None:
            trouble()
            self.after(self.chance.expovariate(1 / mean), again)

        self.after(self.chance.expovariate(1 / mean), again)

    def _end(self) -> None:
        """Let all troubles be over, and everything arrive."""
        self._events.clear()
        for channel in self.channels:
            channel.mood = "well"
        self._end_troubles()
        self._look()
        settled = self.raw
        self._run_until(self.true + self.settles_in)
        self._look()
        for job in self.witness.jobs:
            if job.is_there:
                self._compare_view(job)
        self.witness.check_end(settled)

    def _end_troubles(self) -> None:
        raise NotImplementedError

    def _say(self, line: str) -> None:
        self.log.append(f"{self.true} {line}")
