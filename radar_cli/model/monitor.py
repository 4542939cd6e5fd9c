"""A monitor: what is expected of a job."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Iterable, Mapping

from radar_cli.model.declaring import read_declared
from radar_cli.model.fault import Fault
from radar_cli.model.schedule import CronSchedule, load_schedule

GRACE_S = 300.0
# A run that begins this much before its slot is still that slot's (clocks differ a little).
_EARLY_US = 60_000_000
# After an outage outboxes and retries need time to deliver, and a long grace isn't for that.
_DELIVERY_AT_LEAST_US = 60_000_000
_DELIVERY_AT_MOST_US = 900_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which nothing is expected, its ends included: Unix time in microseconds."""

    begin_us: int
    end_us: int | None = None  # None: until a person resumes it

    def is_over(self, now_us: int) -> bool:
        """Whether it has ended before `now_us`."""
        return self.end_us is not None and self.end_us < now_us


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which no server looked, so that no ping could arrive: Unix time in microseconds.

    Its begin is the last look before it, its end the first one after it.
    """

    begin_us: int
    end_us: int

    def covers(self, time_us: int) -> bool:
        """Whether nobody looked at `time_us`."""
        return self.begin_us <= time_us < self.end_us


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor's expectations: a cron schedule, an interval, or nothing. Times in seconds."""

    key: str
    name: str = ""
    schedule: CronSchedule | None = None
    every_s: float | None = None
    grace_s: float = GRACE_S
    max_runtime_s: float | None = None
    failure_tolerance: int = 0
    tags: tuple[str, ...] = ()
    notes: str = ""  # some lines for whoever is told that it is down
    pauses: tuple[Pause, ...] = ()  # in the order of time, none within another
    outages: tuple[Outage, ...] = ()  # in the order of time, none within another
    created_us: int = 0
    hosts: int | str = ""  # how many serve its slots; each, any, or "" where nobody said it
    faults: tuple[Fault, ...] = ()  # what of its declaration can't be used

    @property
    def is_watched(self) -> bool:
        """Whether its silence would be noticed."""
        return self.schedule is not None or self.every_s is not None

    @property
    def counts_hosts(self) -> bool:
        """Whether more than one machine is expected to serve each slot."""
        return self.hosts not in ("", "any", 1)

    def pause_at(self, now_us: int) -> Pause | None:
        """The pause that is on at `now_us`."""
        for pause in self.pauses:
            if pause.begin_us <= now_us and not pause.is_over(now_us):
                return pause
        return None

    def outage_at(self, time_us: int) -> Outage | None:
        """The outage that a moment fell into."""
        return next((outage for outage in self.outages if outage.covers(time_us)), None)

    def judged_us(self, deadline_us: int) -> int:
        """Return when a deadline is judged: later, once, if it fell into an outage.

        A deadline that has been moved isn't moved again by another outage, and one that lies
        after an outage stays, though its slot fell into it.
        """
        if (outage := self.outage_at(deadline_us)) is None:
            return deadline_us
        wait_us = min(round(self.grace_s * 1e6), _DELIVERY_AT_MOST_US)
        return outage.end_us + max(wait_us, _DELIVERY_AT_LEAST_US)

    def expected_after(self, seen_us: int) -> int | None:
        """The time of the first run that is due after `seen_us`; None if none ever is.

        For an interval that is the time of the last run's beginning, for a cron schedule the end
        of what the last run has covered (see `covered_by_start`).
        """
        if self.every_s is not None:
            return seen_us + round(self.every_s * 1e6)
        return None if self.schedule is None else self.schedule.next_us(seen_us)

    def slot_of(self, start_us: int) -> int | None:
        """Return a number for the slot of a run, which is higher the later that is."""
        if self.every_s is not None:
            return start_us // max(1, round(self.every_s * 1e6))
        if self.schedule is None:
            return None
        return self.schedule.next_us(self.covered_by_start(start_us))

    def covered_by_start(self, start_us: int) -> int:
        """Up to when no other run is due once one has begun at `start_us`.

        A start up to a minute before a slot, or half the period of a quicker schedule, is that
        slot's.
        """
        if self.schedule is None:
            return start_us
        first_us = self.schedule.next_us(start_us)
        if first_us is None or first_us - start_us > _EARLY_US:
            return start_us
        second_us = self.schedule.next_us(first_us)
        # The slot itself has to be behind what is covered, so that the next one is due.
        reaches = second_us is not None and first_us - start_us <= (second_us - first_us) / 2
        return first_us if reaches else start_us

    def covered_by_run(self, start_us: int, end_us: int) -> int:
        """Up to when no other run is due once one that ran from start to end has ended."""
        if self.every_s is not None:
            period_us = max(1, round(self.every_s * 1e6))
            return start_us + (end_us - start_us) // period_us * period_us
        return max(start_us, end_us)


def from_declared(
    key: str,
    declared: Mapping[str, str],
    created_us: int,
    pauses: Iterable[Pause] = (),
    outages: Iterable[Outage] = (),
) -> Monitor:
    """Return the monitor that these fields declare; what can't be used in them is a fault.

    The fields are those of a ping (docs/reference/http.md), failure_tolerance and notes.
    """
    read, faults = read_declared(declared)
    schedule = None
    if "schedule" in read:
        schedule = load_schedule(read["schedule"], read.get("tz") or "UTC")

    def seconds(name: str) -> float | None:
        return float(read[name]) if name in read else None

    every_s, grace_s = None if schedule else seconds("every"), seconds("gracePeriod")
    hosts = read.get("hosts", "")
    return Monitor(
        key,
        name=declared.get("name", ""),
        schedule=schedule,
        every_s=every_s,
        grace_s=default_grace_s(schedule, every_s) if grace_s is None else grace_s,
        max_runtime_s=seconds("max_runtime"),
        failure_tolerance=int(read.get("failure_tolerance", "0")),
        hosts=int(hosts) if hosts.isdigit() else hosts,
        tags=tuple(declared.get("tags", "").split()),
        notes=declared.get("notes", ""),
        pauses=tuple(pauses),
        outages=tuple(outages),
        created_us=created_us,
        faults=tuple(faults),
    )


def default_grace_s(schedule: CronSchedule | None, every_s: float | None) -> float:
    """Return the grace that hides no missed run: 5 min, or half the gap of a quicker job."""
    gap_s = every_s if schedule is None else schedule.shortest_gap_s
    return GRACE_S if gap_s is None else min(GRACE_S, gap_s / 2)


def to_us(moment: datetime) -> int:
    """Microseconds of Unix time, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _to_datetime(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)
