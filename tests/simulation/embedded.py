"""A simulated machine without a server: jobs leave pings on its disk, and `radar check` looks.

No outage moves a deadline here: what is on the disk when somebody looks is all that there is. So
it is judged at once, however long nobody has looked.
"""

import tempfile
from collections.abc import Callable, Sequence

from radar_cli.delivery.destinations import STORE, Destination
from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Outbox
from radar_cli.server.runtime.now import Clock
from radar_cli.service.composing import Composer
from radar_cli.service.delivering import deliver_in_turn
from radar_cli.service.intake import ingest
from radar_cli.store.store import Store
from tests.simulation.channels import SimulatedChannel
from tests.simulation.database import Disk, SimulatedDatabase
from tests.simulation.jobs import Job, Report
from tests.simulation.law import DAY, HOUR, MINUTE, SECOND
from tests.simulation.peopled import PeopledWorld
from tests.simulation.witness import BrokenLawError, Expected
from tests.simulation.world import YEAR, Process

_HERE = Destination(STORE, profile="default")
_DELIVERY_S = 60.0
_STARTS_IN = 1_234_567
_NEVER = 1000 * YEAR


class SimulatedCheck:
    """`radar check --notify`, from one line of cron's to the next."""

    has_reminded = False

    def __init__(
        self,
        disk: Disk,
        outbox: Outbox,
        channels: Sequence[SimulatedChannel],
        world: "EmbeddedWorld",
        interrupt: Callable[[Process], None],
    ) -> None:
        self.number = 0
        self.database = SimulatedDatabase(disk, lambda: interrupt(self))
        self.store = Store(self.database)
        self.store.zone.name = "UTC"
        self.hangs: set[str] = set()
        self.clock = Clock(lambda: world.raw * 1000)
        self._outbox = outbox
        self._channels = channels
        self._compose = Composer(self.store, channels, "simulated")
        self._world = world

    def look(self) -> None:
        """One check, but for the notices."""
        now_us = self.clock.now_us()
        ingest(self.store, self._outbox, _HERE, now_us)
        self.store.outages.note_check(now_us)
        self.store.monitors.judge(now_us)
        self.store.alerts.enqueue_flips(now_us, self._compose)
        self.store.alerts.enqueue_faults(now_us, self._compose.compose_fault)

    def deliver(self, channel: SimulatedChannel) -> None:
        """What a check does in the end."""
        deadline = self._world.monotonic() + _DELIVERY_S
        self.hangs.add(channel.table.name)
        try:
            deliver_in_turn(self.store, [channel], deadline, now_us=self.clock.now_us)
        finally:
            self.hangs.discard(channel.table.name)


class EmbeddedWorld(PeopledWorld):
    """A line of cron's checks each minute, hour or day; sometimes it is commented out for long."""

    remind_every = _NEVER
    settles_in = 4 * DAY

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._folder = tempfile.TemporaryDirectory()
        self._outbox = Outbox(self._folder.name)
        self._waiting: Expected = {}
        self._every = self.chance.choice((MINUTE, 5 * MINUTE, HOUR, DAY))
        self._blind_until = 0

    def run(self, length: int) -> None:
        """See `World`."""
        with self._folder:
            super().run(length)

    def _begin(self) -> None:
        self._start()
        super()._begin()
        self._happen(self._look_away, YEAR / 8)

    def _end_troubles(self) -> None:
        self._blind_until = 0

    def _start(self) -> None:
        check = SimulatedCheck(self.disk, self._outbox, self.channels, self, self._interrupt)
        # A person's check may run beside cron's.
        other = SimulatedCheck(self.disk, self._outbox, self.channels, self, self._interrupt)
        self.processes = [check, other]

    def _bury(self, process: Process) -> None:
        del process
        self._start()

    def _interrupt(self, process: Process) -> None:
        spools = self._outbox.spools()
        if any(spool.is_held(name) for spool in spools for name in spool.names()):
            return  # who comes now waits until these are in the store
        super()._interrupt(process)

    def _look_away(self) -> None:
        self._blind_until = self.true + round(MINUTE * 20 * 10 ** self.chance.uniform(0, 3.5))
        self._say(f"nobody looks until {self._blind_until}")

    def _wake(self) -> tuple[int, Callable[[], None]] | None:
        """When the next check comes that finds something to do."""
        moments = [moment for moment in self._find_moments() if moment is not None]
        if self._waiting:
            moments.append(self.true)
        if not moments:
            return None
        next_look = max(min(moments), self._blind_until, self.true + SECOND)
        # It takes a moment to start, and is never there at the very moment of a deadline.
        return -(-next_look // self._every) * self._every + _STARTS_IN, self._check

    def _check(self) -> None:
        self._look()
        self._deliver()

    def _watch_for(self, job: Job) -> None:
        """Nobody looks but the line of cron's."""

    def _look(self) -> None:
        process = self.chance.choice(self.alive)
        if self._op(process, process.look, looks=True) and self._waiting:
            raise BrokenLawError(f"{[*self._waiting][:5]} are on the disk, and not taken in")

    def _op(
        self,
        process: Process,
        call: Callable[[], None],
        expected: Expected | None = None,
        *,
        looks: bool = False,
        watches: bool = True,
    ) -> bool:
        came_through = super()._op(
            process, call, expected or self._waiting, looks=looks, watches=watches
        )
        for ping_id in [each for each in self._waiting if each in self.witness.stored]:
            del self._waiting[ping_id]
        return came_through

    def _do(self, deed: Callable[[Store, int], object], *jobs: Job) -> None:
        is_done = False
        while not is_done:
            check = SimulatedCheck(self.disk, self._outbox, self.channels, self, self._interrupt)
            self.processes = [check]

            def do(check: SimulatedCheck = check) -> None:
                # Whoever opens the store takes in what waits for it.
                ingest(check.store, self._outbox, _HERE, check.clock.now_us())
                deed(check.store, check.clock.now_us())

            is_done = self._op(check, do)
        self._start()
        for job in jobs:
            if not job.is_there and not job.is_over:
                self._set_up(job)

    def _emit(self, job: Job, report: Report) -> None:
        if job.is_over:
            return
        fields = {} if job.by_person else {**job.declared}
        if report.extend:
            fields["extend"] = f"{report.extend // SECOND}"
        if report.host:
            fields["host"] = report.host
        # A job without a network of its own to lose has only its disk; each ping has its time.
        report.id = report.id or f"disk-{next(self._counter):08d}"
        job.is_plain = False
        self._outbox.put(
            Ping(
                report.kind,
                job.key,
                run_id=report.run,
                time_us=report.happened,
                fields=fields,
                ping_id=report.id,
            ),
            {},
            durable=False,
        )
        self._waiting[report.id] = (job, report, report.happened)
