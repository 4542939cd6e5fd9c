"""The witness: it holds what radar has kept and told against the law, after each step.

It sees what every committed transaction has inserted, and nothing of how radar came to it.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.channels import SimulatedChannel
from tests.simulation.database import Disk
from tests.simulation.hosts import JoinedStory
from tests.simulation.jobs import Job, Report
from tests.simulation.law import DAY, SECOND, Known

# Reports on their way, by the id of their ping or else their monitor, each with its job and the
# time at which it happened by the clock that counts.
Expected = dict[str, tuple[Job, Report, int]]
# The server takes clocks that are off by less for right, and orders the ends of a run.
_SLACK = 10 * SECOND + 100_000
_READINGS = 20
_CLOSE = 100_000
# Reminders grow rarer: the last of them come after so many times the first one's wait.
_RARELY = 24


class BrokenLawError(AssertionError):
    """Radar said or did what it should not have."""


@dataclass
class Flip:
    """A row of the table, as it was inserted."""

    id: str
    monitor: str
    previous: str
    status: str
    reason: str
    time: int
    noticed: int
    is_settled: bool = False
    told: dict[str, int] = field(default_factory=dict)  # by channel, when it was last told


@dataclass
class _Memory:
    """What the witness knows of one monitor besides its story."""

    job: Job
    noticed: str = "new"
    flips: list[Flip] = field(default_factory=list)
    last_told: str = ""
    remind_at: int | None = None
    next_change: float = math.inf

    @property
    def unsettled(self) -> list[Flip]:
        """The flips of which nobody has decided whether they are told."""
        return [flip for flip in self.flips[-40:] if not flip.is_settled]


@dataclass
class _Alert:
    monitor: str
    channel: str
    created: int


class Witness:
    """Knows what should be so; complains of what isn't."""

    def __init__(self, disk: Disk, channels: list[SimulatedChannel], remind_every: int) -> None:
        self._disk = disk
        self._channels = channels
        self._remind_every = remind_every
        self._memories: dict[str, _Memory] = {}
        self._forgotten: set[str] = set()
        self._alerts: dict[str, _Alert] = {}
        self._faults: set[tuple[str, str, str]] = set()
        self._delivered: dict[str, list[str]] = {}
        self.stored: dict[str, str] = {}  # all pings that ever came, with their monitors
        self.seen: dict[str, int] = {"pings": 0, "flips": 0, "alerts": 0, "reminders": 0}

    def add(self, job: Job) -> None:
        """There is a new monitor."""
        self._memories[job.key] = _Memory(job)

    def forget(self, job: Job) -> None:
        """It is nobody's any more, and will be deleted: what is told of it now is no matter."""
        self._memories.pop(job.key, None)
        self._forgotten.add(job.key)

    @property
    def jobs(self) -> list[Job]:
        """Those whose monitors there are."""
        return [memory.job for memory in self._memories.values()]

    def next_change(self, key: str) -> float:
        """When silence next makes it down."""
        return self._memories[key].next_change

    def refresh(self, job: Job, now: int) -> None:
        """People have said something else of a monitor."""
        self._memories[job.key].next_change = job.story.next_change(now)

    def note_outage(self, begin: int, end: int, judged: Callable[[str], int]) -> None:
        """All servers were away from a look on, and what was noticed after it, to another look.

        `judged` is until when a monitor was judged after that look: not all of it is a flip.
        """
        for key, memory in self._memories.items():
            noticed = memory.flips[-1].noticed if memory.flips else 0
            memory.job.story.outages.append((max(begin, noticed, judged(key)), end))
            memory.job.story.look_again()

    # After each step

    def observe(
        self,
        now: int,
        expected: Expected,
        *,
        looked: bool = False,
        reminded: bool = False,
        was_interrupted: bool = False,
    ) -> list[Job]:
        """Take in what a step has written, and complain of what is wrong with it.

        `expected` are the reports that were on their way; `looked` says that a look at everything
        was completed, and `reminded` that it looked for reminders, too. If the step
        `was_interrupted`, another process may have looked before its pings were stored. Return the
        jobs of which there was something new.
        """
        written = self._disk.written.take()
        paths: dict[str, list[str]] = {}
        if was_interrupted:
            for monitor in {row[1] for row in written.pings} & self._memories.keys():
                paths[monitor] = [self._memories[monitor].job.story.verdict(now).status]
        for row in sorted(written.pings, key=lambda row: (row[4], row[0])):
            self._learn(row, now, expected, paths)
        flips: dict[str, list[Flip]] = {}
        for row in written.flips:
            flip = Flip(row[0], row[1], row[3], row[4], row[5], row[6], row[7])
            flips.setdefault(flip.monitor, []).append(flip)
            self.seen["flips"] += 1
        touched = {**dict.fromkeys(paths), **dict.fromkeys(flips)}
        if looked:
            for key, memory in self._memories.items():
                if memory.next_change < now:
                    touched[key] = None
        for key in touched:
            if key in self._memories and self._memories[key].job.is_there:
                path = paths.get(key, [])
                self._compare(self._memories[key], now, path, flips.get(key, []), looked=looked)
        self._hear(written.alerts, now)
        self._settle(now, looked=looked)
        if reminded:
            self._expect_reminders(now)
        jobs = [self._memories[key].job for key in touched if key in self._memories]
        return [job for job in jobs if job.is_there]

    def _learn(
        self,
        row: tuple[Any, ...],
        now: int,
        expected: Expected,
        paths: dict[str, list[str]],
    ) -> None:
        ping_id, monitor, kind, run, time = row[:5]
        found = expected.get(ping_id) or expected.get(monitor)
        if found is None:
            raise BrokenLawError(f"{ping_id} of {monitor} came from nowhere")
        job, report, happened = found
        if (report.kind, report.run) != (kind, run) or ping_id in self.stored:
            raise BrokenLawError(f"{ping_id} was kept as {kind}, once more or as another one")
        happened = min(now, happened)
        if not (time <= now and abs(time - happened) <= _SLACK):
            raise BrokenLawError(
                f"{ping_id} happened {(time - happened) / SECOND} s later, radar says"
            )
        self.stored[ping_id] = monitor
        if monitor not in self._memories:
            return  # what came late of one that is deleted
        self.seen["pings"] += 1
        story, memory = job.story, self._memories[monitor]
        path = paths.setdefault(monitor, [])
        path.append(story.verdict(time - 1).status)
        if not job.is_there:
            job.is_there, story.created = True, time
        extend = report.extend if kind == "log" else 0
        story.learn(Known(time, ping_id, kind, run, extend, report.host))
        path.append(story.verdict(time).status)
        memory.next_change = -1

    def _compare(
        self, memory: _Memory, now: int, path: list[str], flips: list[Flip], *, looked: bool
    ) -> None:
        """Compare what was noticed with what should be so."""
        story, key = memory.job.story, memory.job.key
        said = story.verdict(now)
        possible, noticed = [*path, said.status], memory.noticed
        for flip in flips:
            if flip.previous != noticed:
                raise BrokenLawError(f"{key} was {noticed}, and flips from {flip.previous}: {flip}")
            if flip.status not in possible or flip.status == noticed:
                raise BrokenLawError(
                    f"{key} is {said} at {now}, by way of {possible}, and radar flips: {flip};"
                    f" {story.describe()}"
                )
            possible = possible[possible.index(flip.status) :]
            noticed = flip.status
            memory.flips.append(flip)
        # Between two looks it may be as it was at the time of the last ping.
        allowed = {said.status} if looked else {said.status, noticed if not path else path[-1]}
        # A look reads the clock before it ends, and each reading shows a microsecond more.
        allowed.add(story.verdict(now - _READINGS).status)
        if noticed not in allowed:
            raise BrokenLawError(
                f"{key} is {said} at {now}, by way of {path}, and radar has it {noticed};"
                f" {story.describe()}"
            )
        memory.noticed = noticed
        if flips and noticed == said.status and said.status == "down":
            flip = flips[-1]
            is_since = flip.time == said.since or (flip.time > said.since and len(memory.flips) > 1)
            # Of several machines that are down, any may be the reason.
            is_one = not isinstance(story, JoinedStory)
            if is_one and (flip.reason != said.reason or not is_since):
                raise BrokenLawError(
                    f"{key} is {said}, and radar tells another story: {flip}; {story.describe()}"
                )
        memory.next_change = story.next_change(now)

    # Notices

    def _hear(self, rows: list[tuple[Any, ...]], now: int) -> None:
        for row in rows:
            self.seen["alerts"] += 1
            if row[1].startswith("channel:"):  # that it fails, or does no more: of no monitor
                self._alerts[row[0]] = _Alert("", row[2], row[4])
                continue
            alert_id, flip_id, monitor, channel, notice_text, created, *_ = row
            notice = json.loads(notice_text)
            if alert_id in self._alerts or notice["monitor"] != monitor:
                raise BrokenLawError(f"alert {alert_id} of {monitor} is not one of its own")
            self._alerts[alert_id] = _Alert(monitor, channel, created)
            memory = self._memories.get(monitor)
            if memory is None and monitor in self._forgotten:
                continue
            if memory is None:
                raise BrokenLawError(f"{monitor} isn't there, and is told of")
            if flip_id.startswith("fault:"):
                fault = (monitor, flip_id + notice["happened"], channel)
                if fault in self._faults:
                    raise BrokenLawError(f"{fault} is told twice")
                self._faults.add(fault)
                continue
            flip = next((each for each in memory.flips[::-1] if each.id == flip_id), None)
            if flip is None or (notice["status"], notice["reason"]) != (flip.status, flip.reason):
                raise BrokenLawError(f"{monitor} is told to be what it isn't: {notice} {flip}")
            if channel not in {each.table.name for each in self._hearing(memory, flip.status)}:
                raise BrokenLawError(f"{channel} doesn't want to hear of {flip}")
            before = flip.told.get(channel)
            if flip.told and flip.is_settled:
                self.seen["reminders"] += 1
                last = max(flip.told.values()) if before is None else before
                if flip.status != "down" or created - last < self._remind_every - _CLOSE:
                    raise BrokenLawError(f"{channel} is reminded too early of {flip}")
                memory.remind_at = self._next_reminder(flip, now)
            elif before is not None:
                raise BrokenLawError(f"{channel} is told twice of {flip}")
            flip.told[channel] = created

    def _hearing(self, memory: _Memory, status: str) -> list[SimulatedChannel]:
        kind = "down" if status == "down" else "up"
        return [each for each in self._channels if each.table.hears(kind, memory.job.tags)]

    def _settle(self, now: int, *, looked: bool) -> None:
        """Compare who was told of flips with who had to be, once radar has decided that."""
        for memory in self._memories.values():
            if not memory.flips or memory.flips[-1].is_settled:
                continue
            unsettled = memory.unsettled
            fates: dict[str, str] = dict(
                self._disk.read(
                    f"SELECT id, fate FROM flip WHERE fate != '' AND id IN ({_marks(unsettled)})",
                    [flip.id for flip in unsettled],
                )
            )
            story = memory.job.story
            if not fates:
                if looked and story.says(now).status != "paused":
                    raise BrokenLawError(f"{unsettled[0]} is kept from people")
                continue
            decided = [flip for flip in unsettled if flip.id in fates]
            for flip in decided:
                is_news = self._is_news(memory, flip, now, is_last=flip is decided[-1])
                if abs(flip.noticed + DAY - now) < _CLOSE:
                    # A day old to the microsecond: radar has read its clock a moment before us.
                    is_news = fates[flip.id] == "told"
                hearing = {each.table.name for each in self._hearing(memory, flip.status)}
                if is_news != (fates[flip.id] == "told") or {*flip.told} != (
                    hearing if is_news else set()
                ):
                    raise BrokenLawError(f"news {is_news}, fate {fates[flip.id]}: {flip}")
                flip.is_settled = True
                if is_news:
                    memory.last_told = flip.status
                    is_down = flip.status == "down"
                    memory.remind_at = now + self._remind_every if is_down else None
            if looked and (memory.last_told == "down") != (story.verdict(now).status == "down"):
                raise BrokenLawError(
                    f"people believe that {memory.job.key} is {memory.last_told or 'well'},"
                    f" and it is {story.verdict(now)} at {now}: {memory.flips[-4:]};"
                    f" {story.describe()}"
                )

    def _is_news(self, memory: _Memory, flip: Flip, now: int, *, is_last: bool) -> bool:
        """Whether people are to hear of a flip: what is over by now may be too old for that."""
        pauses = memory.job.story.pauses
        if not is_last and (
            flip.noticed < now - DAY or any(begin <= flip.time <= end for begin, end in pauses)
        ):
            return False
        return (flip.status == "down") != (memory.last_told == "down")

    def _expect_reminders(self, now: int) -> None:
        for memory in self._memories.values():
            if memory.remind_at is None or memory.remind_at > now - _CLOSE:
                continue
            key, story = memory.job.key, memory.job.story
            if memory.noticed != "down":
                memory.remind_at = None
                continue
            flip = next(flip for flip in memory.flips[::-1] if flip.is_settled and flip.told)
            is_paused = "paused" in (story.says(memory.remind_at).status, story.says(now).status)
            memory.remind_at = self._next_reminder(flip, now)
            if is_paused:
                continue
            waiting = {
                channel
                for (channel,) in self._disk.read(
                    "SELECT channel FROM alert WHERE monitor = ? AND next_try_us IS NOT NULL",
                    (key,),
                )
            }
            for channel in self._hearing(memory, "down"):
                name = channel.table.name
                if name not in waiting and flip.told.get(name, 0) < now - _CLOSE:
                    raise BrokenLawError(
                        f"nobody reminds {name} at {now} that {key} is down: {memory.flips[-4:]};"
                        f" {memory.job.story.describe()}"
                    )

    def _next_reminder(self, flip: Flip, now: int) -> int:
        """When it is to be told again, which is not later than it should be."""
        ((remind_at,),) = self._disk.read("SELECT remind_us FROM flip WHERE id = ?", [flip.id])
        if remind_at is None or not now < remind_at <= now + _RARELY * self._remind_every:
            raise BrokenLawError(f"{flip} is told again at {remind_at}, and it is {now}")
        return int(remind_at)

    # What arrives

    def check_arrivals(self) -> None:
        """Complain of what a channel got twice without an excuse, in another order, or made up."""
        for channel in self._channels:
            name = channel.table.name
            for notice in channel.arrived:
                alert = self._alerts.get(notice.key)
                if alert is None or (alert.monitor, alert.channel) != (notice.monitor, name):
                    raise BrokenLawError(f"{name} got what nobody sent: {notice}")
                got = self._delivered.setdefault(f"{name} {notice.monitor}", [])
                if notice.key in got:
                    if notice.key not in channel.excused:
                        raise BrokenLawError(f"{name} got a notice twice: {notice}")
                    continue
                got.append(notice.key)
            channel.arrived.clear()

    def check_end(self, settled: int) -> None:
        """Complain of what was acknowledged or announced, and isn't there in the end.

        Announced up to a moment, after which there was time enough.
        """
        self.check_arrivals()
        sent: dict[str, list[str]] = {}
        for alert_id, alert in self._alerts.items():
            if alert.monitor in self._memories and alert.created < settled:
                sent.setdefault(f"{alert.channel} {alert.monitor}", []).append(alert_id)
        for whom, ids in sent.items():
            if (got := self._delivered.get(whom, [])[: len(ids)]) != ids:
                raise BrokenLawError(f"{whom}: {len(ids)} notices were made, {len(got)} came")
        there: dict[str, str] = dict(self._disk.read("SELECT id, monitor FROM ping"))
        for ping_id, monitor in self.stored.items():
            if monitor in self._memories and there.get(ping_id) != monitor:
                raise BrokenLawError(f"{ping_id} of {monitor} is lost")
        if strange := there.keys() - self.stored.keys():
            raise BrokenLawError(f"nobody sent {sorted(strange)[:3]}")


def _marks(values: list[Flip]) -> str:
    return ", ".join("?" * len(values))
