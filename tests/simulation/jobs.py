"""The jobs of a simulated world: how they are declared, and how their runs go.

A job is what runs on some machine, by that machine's clock, which is always right. What it tells
of its runs are `Report`s; whether and when they arrive is the world's affair.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.simulation.hosts import JoinedStory
from tests.simulation.law import DAY, HOUR, MINUTE, SECOND, Slots, Story, shortest_gap

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney")
_RARE = (
    *("0 3 1 * *", "30 2 1,15 * *", "0 9 * * mon", "30 2 * * 0", "15 1 * * sun", "0 22 * * 5"),
    *("5 1 */10 * *", "45 2 29 3 *", "30 2 * 3,4,10,11 0", "0 0 13 * 5"),
)
_DAILY = ("30 2 * * *", "30 1,2 * * *", "0 */12 * * *", "0 6,18 * * 1-5", "10 0 * * *", "@daily")
_QUICK = ("*/15 * * * *", "0 * * * *", "7 */2 * * *", "*/30 1-3 * * *", "@hourly", "* * * * *")
_INTERVALS = (30 * DAY, 7 * DAY, DAY, 6 * HOUR, HOUR, 10 * MINUTE)
# A story is told whole each time, and radar tells no more than the last 200 pings anew.
_RUNS_OF_A_LIFE = (3, 12)


@dataclass
class Report:
    """One ping, as the job's machine keeps it until it has arrived."""

    kind: str
    run: str
    happened: int  # true time
    id: str  # "" for a client that gives none, nor a time
    extend: int = 0
    host: str = ""
    tries: int = 0


@dataclass
class Job:
    """A job, what its monitor is declared as, and what is known of it."""

    key: str
    story: Story
    declared: dict[str, str]
    by_person: dict[str, str] = field(default_factory=dict)  # what only a person can declare
    period: int = DAY  # the shortest
    has_starts: bool = True
    has_ids: bool = True
    is_plain: bool = False  # curl: what doesn't arrive at once is lost
    app: int | None = None  # which of the apps declares it
    clock_off: int = 0
    runs_left: int = 0
    outbox: list[Report] = field(default_factory=list)
    offline_until: int = 0
    is_flushing: bool = False
    is_there: bool = False  # as a monitor
    is_over: bool = False
    hosts: tuple[str, ...] = ("",)  # the machines that run it
    slots: Slots | None = None

    @property
    def tags(self) -> list[str]:
        """The tags of its monitor."""
        return self.declared.get("tags", "").split()

    def due_after(self, moment: int) -> int:
        """The true time at which the job begins to run next."""
        if self.story.cron is None:
            return moment + (self.story.every or DAY)
        if self.slots is None:
            self.slots = Slots(*self.story.cron)
        return self.slots.next(moment)

    def query(self, report: Report, now: int) -> str:
        """The query of the request that brings a report."""
        fields = {**self.declared} if not self.by_person and self.app is None else {}
        if report.run:
            fields["rid"] = report.run
        if report.extend:
            fields["extend"] = f"{report.extend // SECOND}"
        if report.host:
            fields["host"] = report.host
        if not self.is_plain:
            fields["id"] = report.id
            fields["ts"] = _seconds(report.happened + self.clock_off)
            fields["sent"] = _seconds(now + self.clock_off)
        return urlencode(fields)

    def path(self, report: Report) -> str:
        """The path of that request."""
        return self.key if report.kind == "success" else f"{self.key}/{report.kind}"


def _seconds(time: int) -> str:
    return f"{time // SECOND}.{time % SECOND:06d}"


def make_job(chance: random.Random, key: str, now: int, app: int | None) -> Job:
    """Make a job of some kind, which has not run yet."""
    story = Story(now)
    declared: dict[str, str] = {}
    if chance.random() < 0.65 or app is not None:
        pool = chance.choices((_RARE, _DAILY, _QUICK), (4, 4, 3))[0]
        expression, zone = chance.choice(pool), chance.choice(ZONES)
        story.cron = expression, zone
        declared |= {"schedule": expression, "tz": zone}
        period = shortest_gap(expression)
    else:
        period = story.every = chance.choice(_INTERVALS)
        declared["every"] = str(story.every // SECOND)
    if chance.random() < 0.6:
        longest = min(period * 0.9, 8 * HOUR)
        story.grace = round(longest * chance.random() ** 3 / SECOND) * SECOND
        declared["gracePeriod"] = str(story.grace // SECOND)
    if chance.random() < 0.5 and app is None:
        story.max_runtime = max(30, round(min(period, DAY) / SECOND * chance.uniform(0.1, 1.6)))
        story.max_runtime *= SECOND
        declared["max_runtime"] = str(story.max_runtime // SECOND)
    declared["tags"] = chance.choice(("", "night", "day night"))
    if not declared["tags"] or app is not None:
        del declared["tags"]
    job = Job(key, story, declared, period=period, app=app)
    if app is None and chance.random() < 0.4:
        job.by_person = {}
        if chance.random() < 0.6:
            story.tolerance = chance.randint(1, 2)
        job.by_person = {"failure_tolerance": str(story.tolerance)}
    job.has_starts = chance.random() < 0.8
    job.is_plain = chance.random() < 0.2
    job.has_ids = not job.is_plain and chance.random() < 0.9
    job.clock_off = chance.choice((0, 0, 0, -3600, 120, 30, -20)) * SECOND
    if app is None and not job.by_person and chance.random() < 0.15:
        _have_hosts(chance, job)
    job.runs_left = chance.randint(*_RUNS_OF_A_LIFE)
    return job


def _have_hosts(chance: random.Random, job: Job) -> None:
    """Have several machines run a job."""
    story = job.story
    job.hosts, job.has_ids, job.is_plain = ("web1", "web2"), True, False
    job.story = JoinedStory(
        *(story.created, story.cron, story.every, story.grace, story.max_runtime, story.tolerance),
        hosts=chance.choice(("each", 2)),
    )
    job.declared["hosts"] = str(job.story.hosts)


class Behaviour:
    """How the runs of a job go: each slot yields reports, with their true times."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._numbers = 0

    def reports(self, job: Job, slot: int) -> Iterator[Report]:
        """What the job tells of one slot, in no order."""
        for host in job.hosts:
            for report in self._reports_of_run(job, slot):
                report.host = host
                yield report

    def _reports_of_run(self, job: Job, slot: int) -> Iterator[Report]:
        chance, grace = self._chance, job.story.grace_us
        what = chance.random()
        if what < 0.07:
            return  # it didn't run
        begin = slot + round(chance.random() ** 2 * min(20 * SECOND, job.period / 4))
        if what < 0.12 and job.story.cron is not None:
            begin = slot - round(chance.random() * min(59 * SECOND, job.period / 2 - SECOND))
        elif what < 0.18:
            begin = slot + round(chance.random() * min(1.3 * grace, 0.9 * job.period))
        elif what < 0.21:
            # As near to the deadline as it gets.
            begin = slot + grace + chance.choice((-2, 2, -30, 30)) * SECOND
        begin += self._odd()
        run = self._new_run(job)
        lasts = round(min(job.period, DAY) * chance.random() ** 3 * 0.9) + 3 * SECOND
        outcome = "success" if chance.random() < 0.86 else "fail"
        if not job.has_starts or chance.random() < 0.03:
            yield self._report(job, outcome, run, begin + lasts)
            return
        yield self._report(job, "start", run, begin)
        dies = chance.random()
        if dies < 0.05:
            return
        if dies < 0.08:
            lasts = round(min(job.period, DAY) * chance.uniform(0.9, 2.5))
        if dies > 0.85 and job.story.max_runtime is not None and job.has_ids:
            yield from self._extended(job, run, begin, outcome)
            return
        yield self._report(job, outcome, run, begin + lasts + self._odd())
        if chance.random() < 0.05 and job.has_ids:
            yield from self._second(job, begin, lasts)

    def _extended(self, job: Job, run: str, begin: int, outcome: str) -> Iterator[Report]:
        """A run that says again and again that it needs more time, and may die in the end."""
        limit = job.story.max_runtime
        assert limit is not None
        at = begin
        for _ in range(self._chance.randint(1, 3)):
            at += round(limit * self._chance.uniform(0.5, 0.95)) + self._odd()
            yield self._report(job, "log", run, at, extend=max(SECOND, limit // SECOND * SECOND))
        if self._chance.random() < 0.8:
            yield self._report(job, outcome, run, at + limit // 2 + self._odd())

    def _second(self, job: Job, begin: int, lasts: int) -> Iterator[Report]:
        """Another run that overlaps the first one."""
        run, chance = self._new_run(job), self._chance
        yield self._report(job, "start", run, begin + lasts // 3 + self._odd())
        if chance.random() < 0.8:
            outcome = chance.choice(("success", "success", "fail"))
            yield self._report(job, outcome, run, begin + round(lasts * chance.uniform(0.5, 2)))

    def _report(self, job: Job, kind: str, run: str, at: int, extend: int = 0) -> Report:
        self._numbers += 1
        ping_id = "" if job.is_plain else f"ping-{self._numbers:08d}"
        return Report(kind, run, at, ping_id, extend)

    def _new_run(self, job: Job) -> str:
        self._numbers += 1
        return f"00000000-0000-4000-8000-{self._numbers:012x}" if job.has_ids else ""

    def _odd(self) -> int:
        """No two moments are the same: their order would be chance."""
        self._numbers += 1
        return self._numbers % 99_991 + 1
