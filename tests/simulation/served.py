"""A simulated world with two servers on one database, and a network between them and the jobs.

In between two steps the servers have looked five times a second and found nothing to do, but for
noting that they look: that is made up for before each step (`_live_on`), as far as they did note it
before.
"""

import itertools
import json
from collections.abc import Callable

from radar_cli.server.runtime.keys import Keys
from radar_cli.store.declaring import Declarer
from radar_cli.store.store import Store
from tests.simulation.jobs import Job, Report, make_job
from tests.simulation.law import DAY, HOUR, MINUTE, SECOND
from tests.simulation.peopled import PeopledWorld
from tests.simulation.server import SimulatedServer
from tests.simulation.witness import BrokenLawError
from tests.simulation.world import TICK, YEAR, Process

_NOTED_EVERY = 5 * SECOND
_OUTAGE_FROM = 30 * SECOND
_SERVERS, _APPS, _OF_APPS = 2, 2, 6
_SLOTS_AWAY = 3
_ALIVE, _OUTAGES = "alive", "outages"


class ServedWorld(PeopledWorld):
    """Servers that crash and restart, clocks that step, networks that lose what is sent."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._servers: list[SimulatedServer] = []
        self._apps: list[str] = []  # the ids of their keys
        self._last_look = 0  # as the servers' clocks have it
        self._noted = 0  # when a look was last noted, for all to see
        self._outages_seen = 0

    def _begin(self) -> None:
        keys = Keys(self._looker.database)
        for number in range(_APPS):
            keys.create(self.raw, scope="ping", name=f"app {number}")
        self._apps = [key.id for key in keys.list()]
        for number in range(_SERVERS):
            self._start(number)
        super()._begin()
        for app in range(_APPS):
            self.after(self.chance.randrange(DAY), lambda app=app: self._report_again(app))  # type: ignore[misc]
        for trouble, per_year in (
            (self._kill_one, 14),
            (self._kill_all, 14),
            (self._restart_again_and_again, 1),
            (self._step_clock, 8),
            (self._lose_network, 12),
        ):
            self._happen(trouble, YEAR / per_year)

    def _end_troubles(self) -> None:
        if self.offset:
            self._set_clock(0)
        if not self._is_rough:
            self._run_until(self.true + self._now - self.raw + SECOND)
        for number in range(_SERVERS):
            self._start(number)
            self._run_until(self.true + SECOND)
        for job in self._jobs:
            job.offline_until = 0
            self._flush(job)

    # That somebody looks

    def _live_on(self, time: int) -> None:
        """Let time pass in which nothing happens but that the servers look."""
        super()._live_on(time)
        looked = self.raw - TICK - 1
        passed = looked - self._last_look
        if not self.alive or passed <= 0:
            return
        self._last_look = looked
        noted = looked - self.chance.randrange(_NOTED_EVERY)
        # What isn't noted while all are awake is not noted while they look in vain.
        changed = self.disk.connection.execute(
            "UPDATE mark SET value = CAST(max(CAST(value AS INTEGER), ? - (? - value)) AS TEXT)"
            " WHERE name = ?",
            (noted, self._noted, _ALIVE),
        ).rowcount
        if changed:
            self._noted = max(noted, self._noted)
            for server in self._alive_servers:
                if server.store.outages._noted_us:
                    server.store.outages._noted_us = self._noted

    def _see_before(self) -> tuple[int, int]:
        """When a server last looked, as far as that can be proved by what it noticed; and now."""
        noted = self._noted_on_disk()
        rows = self.disk.read(
            "SELECT max(noticed_us) FROM flip WHERE noticed_us BETWEEN ? AND ?",
            (noted, noted + _NOTED_EVERY),
        )
        return max(noted, rows[0][0] or 0), self.raw

    def _see_that_it_looks(self, seen: tuple[int, int], *, came_through: bool) -> None:
        """Somebody looks, which has to be noted, and nobody did for so long before."""
        self._see_outages(*seen)
        self._noted = self._noted_on_disk()
        if came_through:
            self._last_look = max(self._last_look, self.raw)
            if not self._now - _NOTED_EVERY - SECOND <= self._noted:
                raise BrokenLawError(f"it isn't noted that somebody looks at {self._now}")

    def _noted_on_disk(self) -> int:
        rows = self.disk.read("SELECT value FROM mark WHERE name = ?", (_ALIVE,))
        return int(rows[0][0]) if rows else self.raw

    def _see_outages(self, begin: int, now: int) -> None:
        """What radar takes for an outage has to be one, and the other way round."""
        rows = self.disk.read("SELECT value FROM mark WHERE name = ?", (_OUTAGES,))
        outages = json.loads(rows[0][0]) if rows else []
        is_noted = self._noted_on_disk() > self._noted
        if now - begin >= _OUTAGE_FROM and is_noted:
            found = tuple(outages[0][:2]) if outages else (0, 0)
            if found[0] != begin or abs(found[1] - self.raw) > SECOND:
                raise BrokenLawError(f"nobody looked from {begin} to {self.raw}: {outages[:1]}")
            self._outages_seen += 1
            self._say(f"outage from {found[0]} to {found[1]}")

            def judged(key: str) -> int:
                known = self._looker.monitors.find(key)
                outage = known.outages[-1] if known is not None and known.outages else None
                if outage is None or outage.end_us != found[1]:
                    return 0
                return outage.begin_us if outage.begin_us <= begin + _NOTED_EVERY else 0

            self.witness.note_outage(begin, found[1], judged)
            for job in self.witness.jobs:
                self._watch_for(job)
        if len(outages) != min(self._outages_seen, 100):
            raise BrokenLawError(f"{len(outages)} outages, where there were {self._outages_seen}")

    # How servers come and go

    @property
    def _alive_servers(self) -> list[SimulatedServer]:
        return [server for server in self._servers if not server.database.is_dead]

    def _start(self, number: int) -> None:
        if any(server.number == number for server in self.alive):
            return
        if not self._is_rough:
            self.after(self._now - self.raw + SECOND, lambda: self._start(number))
            return
        server = SimulatedServer(
            number,
            self.disk,
            self.channels,
            lambda: self.raw * 1000,
            self._interrupt,
            self.remind_every,
        )
        self._servers = [*self._alive_servers, server]
        self.processes = [*self._servers]
        self._quiet_until[number] = 0
        if self._op(server, server.start):
            self.after(TICK, self._look)

    def _bury(self, process: Process) -> None:
        self._servers = self._alive_servers
        self.processes = [*self._servers]
        self.after(self._time_away(), lambda: self._start(process.number))

    def _time_away(self) -> int:
        return round(SECOND * 2 * 10 ** self.chance.uniform(0, 2.5))

    def _kill_one(self) -> None:
        if len(self._alive_servers) > 1 and self._is_rough:
            self._end_server(self.chance.choice(self._alive_servers), self._time_away())

    def _end_server(self, server: SimulatedServer, away: int) -> None:
        if self.chance.random() < 0.4:
            self._op(server, server.stop)
        server.database.is_dead = True
        self._servers = self._alive_servers
        self.processes = [*self._servers]
        self.after(away, lambda: self._start(server.number))

    def _kill_all(self) -> None:
        """An outage, often about a slot or a deadline."""
        chance = self.chance
        away = round(SECOND * 5 * 10 ** chance.uniform(0, 4.5))
        moments = []
        for job in self.witness.jobs:
            if (change := self.witness.next_change(job.key)) < self._now + 5 * DAY:
                moments.append(int(change) - self.offset)
                moments.append(int(change) - job.story.grace_us - self.offset)
        moments = [moment for moment in moments if moment > self.true + away]
        begin = self.true
        if moments and chance.random() < 0.8:
            begin = chance.choice(moments) - round(away * chance.random())
        self.at(begin, lambda: self._end_all(away))

    def _plan(self, job: Job, after: int, number: int) -> None:
        super()._plan(job, after, number)
        is_frequent = job.story.cron is not None and job.period <= 12 * HOUR
        if is_frequent and job.runs_left > _SLOTS_AWAY and self.later_chance.random() < 0.1:
            self._plan_outage(job, after)

    def _plan_outage(self, job: Job, after: int) -> None:
        """An outage over deadlines of a job and until shortly before another; no run is heard."""
        chance, grace = self.later_chance, job.story.grace_us
        first = last = job.due_after(job.due_after(after))
        for _ in range(chance.randint(1, _SLOTS_AWAY)):
            before, last = last, job.due_after(last)
        begin = first + grace - round(SECOND * 5 * 10 ** chance.uniform(0, 2))
        end = last + grace - round(chance.uniform(0, min(15 * MINUTE, last - before)))
        if SECOND < end - begin < DAY:
            job.offline_until = last + grace + 2 * MINUTE
            self.at(begin, lambda: self._end_all(end - begin))

    def _end_all(self, away: int) -> None:
        if not self._is_rough:
            return
        self._say(f"all servers are away for {away / SECOND} s")
        for server in self._alive_servers:
            self._end_server(server, round(away * self.chance.uniform(1, 1.2)))

    def _restart_again_and_again(self) -> None:
        for restart in range(self.chance.randint(5, 60)):
            self.after(restart * 2 * MINUTE, lambda: self._end_all(46 * SECOND))

    def _step_clock(self) -> None:
        if not self._is_open or self.offset:
            return
        step = round(SECOND * 10 ** self.chance.uniform(0, 3.8))
        if self.chance.random() < 0.5:
            self._set_clock(step)
            self.after(self.chance.uniform(60 * SECOND, 5 * HOUR), lambda: self._set_clock(0))
        else:
            self._set_clock(-step)
            self.after(step + self.chance.uniform(0, HOUR), lambda: self._set_clock(0))

    def _set_clock(self, offset: int) -> None:
        self._say(f"the servers' clocks are set from {self.offset} to {offset}")
        for server in self.alive:
            self._op(server, server.look, looks=True)
        self.offset = offset
        for job in self.witness.jobs:
            self._watch_for(job)
        self._look()

    # Apps and people

    def _make_job(self, number: int) -> Job:
        app = number % _APPS if number < _OF_APPS else None
        return make_job(self.chance, f"job-{number}-{next(self._counter)}", self.raw, app)

    def _introduce(self, job: Job) -> None:
        if job.app is not None:
            self._reconcile(job.app)
        else:
            super()._introduce(job)

    def _abandon(self, job: Job) -> None:
        if job.app is not None:
            self._reconcile(job.app)

    def _report_again(self, app: int) -> None:
        self._reconcile(app)
        self.after(self.chance.uniform(5, 60) * DAY, lambda: self._report_again(app))

    def _reconcile(self, app: int) -> None:
        """An app says again what its complete set is; both call themselves alike."""
        if not self._is_open:
            self.after(HOUR, lambda: self._reconcile(app))
            return
        jobs = [job for job in self._jobs if job.app == app and not job.is_over]
        new = [job for job in jobs if not job.is_there]
        declarer = Declarer("celery", self._apps[app])
        declared = {job.key: job.declared for job in jobs}

        def declare(store: Store, now: int) -> None:
            for job in new:
                if store.monitors.find(job.key) is None:
                    job.story.created = now
            store.declarations.declare(declarer, declared, now, kept={*declared})

        self._do(declare, *new)

    def _do(self, deed: Callable[[Store, int], object], *jobs: Job) -> None:
        is_done = False
        while not is_done:
            if not self._alive_servers:
                # The last one was killed over it: it is done as if it had come through.
                deed(self._looker, max(self._now, self.raw))
                break
            server = self.chance.choice(self._alive_servers)

            def do(server: SimulatedServer = server) -> None:
                server.store.outages.keep_watch(server.clock.now_us())
                deed(server.store, server.clock.now_us())

            is_done = self._op(server, do)
        for job in jobs:
            if not job.is_there and not job.is_over:
                self._set_up(job)

    # The network

    def _lose_network(self) -> None:
        until = self.true + round(SECOND * 10 * 10 ** self.chance.uniform(0, 4.5))
        for job in self._jobs:
            if self.chance.random() < 0.5:
                job.offline_until = until

    def _emit(self, job: Job, report: Report) -> None:
        if not job.is_over:
            job.outbox.append(report)
            self.after(self.chance.randrange(2 * SECOND), lambda: self._flush(job))

    def _flush(self, job: Job) -> None:
        """Send what waits, the oldest first or, after trouble, in any order."""
        chance = self.chance
        if job.is_over or not job.outbox:
            return
        if not self.alive or job.offline_until > self.true or chance.random() < 0.03:
            if job.is_plain:
                job.outbox.clear()
                return
            self.after(chance.uniform(20 * SECOND, 20 * MINUTE), lambda: self._flush(job))
            return
        if len(job.outbox) > 1 and chance.random() < 0.3 and not job.is_plain:
            chance.shuffle(job.outbox)
        count = 1 if job.is_plain else chance.choice((1, 1, 1, 5))
        reports = job.outbox[:count]
        server = chance.choice(self._alive_servers)
        requests = [(job.path(report), job.query(report, self.true)) for report in reports]
        now = max(self.raw, self._now)
        expected = {
            report.id or job.key: (
                *(job, report),
                now if job.is_plain else now - self.true + report.happened,
            )
            for report in reports
        }
        answers: list[bool | Exception | None] = []
        self._op(server, lambda: answers.extend(server.receive(requests)), expected)
        for report, answer in itertools.zip_longest(reports, answers):
            if isinstance(answer, Exception) and (job.is_there or job.has_ids):
                self._say(f"{job.key}: {answer!r}")
            is_lost = chance.random() < 0.02 and not job.is_plain
            if (answer in (True, False) and not is_lost) or job.is_plain:
                if report in job.outbox:
                    job.outbox.remove(report)
                if not job.is_plain and report.id not in self.witness.stored:
                    raise BrokenLawError(f"{report.id} is acknowledged, and isn't there")
        if job.outbox:
            self.after(chance.uniform(SECOND // 100, 20 * SECOND), lambda: self._flush(job))
