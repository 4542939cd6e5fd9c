"""Months of a job's life in seconds: runs, failures, silence, pauses, late pings, odd clocks.

The store is the real one; the clock is handed to it. What it says is held against `Story`.
"""

import itertools
import json
import math
import tempfile

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
from radar_cli.store.notices import DELIVERED
from radar_cli.store.opening import open_embedded
from radar_cli.store.retention import Retention
from tests.model.story import GRACE, HOUR, MAX_RUNTIME, SECOND, Run, Story
from tests.store.claiming import claim, settle

_DAY = 24 * HOUR
_BEGIN = 20_000 * _DAY
_SCHEDULES = {6: "0 */6 * * *", 12: "0 */12 * * *", 24: "0 0 * * *"}
_MINUTES = st.integers(0, 170).map(lambda minute: minute * 60 * SECOND)
_OUTCOMES = st.sampled_from(["success"] * 5 + ["fail"])
_EITHER = st.sampled_from(["success", "fail"])


class Year(RuleBasedStateMachine):
    """One monitor, what happens to it, and what is known of that."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_embedded(self.folder.name)
        self.now = _BEGIN + 3 * HOUR
        self.latest = self.now  # what the clock has ever shown
        self.story = Story(self.now, 6, 0)
        self.numbers = itertools.count(1)
        self.on_their_way: list[Ping] = []
        self.told: list[str] = []
        declared = {"schedule": _SCHEDULES[6], "tz": "UTC", "gracePeriod": f"{GRACE // SECOND}"}
        self.store.monitors.create(
            "m", {**declared, "max_runtime": f"{MAX_RUNTIME // SECOND}"}, self.now
        )

    def teardown(self) -> None:
        event(f"{min(12, (self.latest - _BEGIN) // (30 * _DAY))} months")
        self.store.close()
        self.folder.cleanup()

    # What happens

    @rule(early=st.booleans(), late=_MINUTES, lasts=st.integers(1, 7000), outcome=_OUTCOMES)
    def run(self, early: bool, late: int, lasts: int, outcome: str) -> None:
        """In time, a little early, or too late."""
        self._to_next_slot(-30 * SECOND if early else late)
        self._begin_and_end(lasts * SECOND, outcome)

    @rule(count=st.integers(20, 90), outcome=_OUTCOMES)
    def season(self, count: int, outcome: str) -> None:
        """Many runs in time, of which the last may fail."""
        for number in range(count):
            self._to_next_slot(SECOND)
            run = next(self.numbers)
            start = self._ping("start", run)
            self._pass(600 * SECOND)
            end = self._ping(outcome if number == count - 1 else "success", run)
            self._send([start, end])

    @rule(late=_MINUTES, outcome=_OUTCOMES)
    def end_without_start(self, late: int, outcome: str) -> None:
        self._to_next_slot(late)
        self._send([self._ping(outcome, next(self.numbers))])

    @rule(late=_MINUTES, ends_after=st.sampled_from([None, None, 3 * HOUR]))
    def hang(self, late: int, ends_after: int | None) -> None:
        self._to_next_slot(min(late, HOUR))
        run = next(self.numbers)
        self._send([self._ping("start", run)])
        if ends_after is not None:
            self._pass(ends_after)
            self._send([self._ping("success", run)])

    @precondition(lambda self: self.is_sure)
    @rule(waits=st.integers(1, 119), hours=st.sampled_from([1, 3]), ends=st.booleans())
    def go_down_with_the_machine_that_is_worked_on(
        self, waits: int, hours: int, ends: bool
    ) -> None:
        """The end of a run is due in a pause."""
        self._to_next_slot(SECOND)
        run = next(self.numbers)
        self._send([self._ping("start", run)])
        self._pass(waits * 60 * SECOND)
        self.pause(hours)
        self._pass(3 * HOUR + SECOND)
        if ends:
            self._send([self._ping("success", run)])

    @rule(outcomes=st.tuples(_EITHER, _EITHER), is_first_first=st.booleans())
    def overlap(self, outcomes: tuple[str, str], is_first_first: bool) -> None:
        """Two runs at once: what the older one did is no news of the newer one."""
        self._to_next_slot(SECOND)
        runs = (next(self.numbers), next(self.numbers))
        for run in runs:
            self._send([self._ping("start", run)])
            self._pass(60 * SECOND)
        ends = list(zip(outcomes, runs, strict=True))
        for outcome, run in ends if is_first_first else ends[::-1]:
            self._send([self._ping(outcome, run)])
            self._pass(60 * SECOND)

    @rule(late=_MINUTES, lasts=st.integers(1, 7000), outcome=_OUTCOMES, is_start=st.booleans())
    def run_without_network(self, late: int, lasts: int, outcome: str, is_start: bool) -> None:
        """Its pings come later, or those of its end do."""
        self._to_next_slot(late)
        run = next(self.numbers)
        start = self._ping("start", run)
        if is_start:
            self._send([start])
        else:
            self.on_their_way.append(start)
        self._pass(lasts * SECOND)
        self.on_their_way.append(self._ping(outcome, run))

    @precondition(lambda self: self.on_their_way)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        pings = data.draw(st.permutations(self.on_their_way))
        count = data.draw(st.integers(1, len(pings)))
        self.on_their_way = pings[count:]
        self._send(pings[:count])

    @rule(hours=st.integers(1, 200), minutes=st.integers(0, 59))
    def silence(self, hours: int, minutes: int) -> None:
        self._pass(hours * HOUR + minutes * 60 * SECOND)

    @rule(minutes=st.integers(1, 400))
    def a_little_while(self, minutes: int) -> None:
        self._pass(minutes * 60 * SECOND)

    @rule(minutes=st.integers(1, 40))
    def it_is_due(self, minutes: int) -> None:
        self._to_next_slot(minutes * 60 * SECOND)

    @rule(minutes=st.integers(1, 300))
    def clock_steps_back(self, minutes: int) -> None:
        self.now -= minutes * 60 * SECOND

    # What people do

    @precondition(lambda self: self.is_sure)
    @rule(hours=st.sampled_from([None, 1, 5, 30]))
    def pause(self, hours: int | None) -> None:
        self._pass(SECOND)
        end = None if hours is None else self.now + hours * HOUR
        self.store.monitors.pause(["m"], self.now, end)
        pauses, begin = self.story.pauses, self.now
        if pauses and pauses[-1][1] >= self.now:
            begin, _ = pauses.pop()
        pauses.append((begin, math.inf if end is None else end))

    @precondition(lambda self: self.is_sure)
    @rule()
    def resume(self) -> None:
        self._pass(SECOND)
        pauses = self.story.pauses
        is_paused = bool(pauses) and pauses[-1][1] >= self.now
        assert self.store.monitors.resume(["m"], self.now) == (["m"] if is_paused else [])
        if is_paused:
            pauses[-1] = (pauses[-1][0], self.now - 1)

    @rule(period=st.sampled_from(sorted(_SCHEDULES)), tolerance=st.integers(0, 2))
    def reschedule(self, period: int, tolerance: int) -> None:
        changes = {"schedule": _SCHEDULES[period], "failure_tolerance": str(tolerance)}
        self.store.monitors.update("m", changes, self.now)
        self.story.period, self.story.tolerance = period, tolerance

    @rule()
    def look(self) -> None:
        self.store.monitors.judge(self.now)
        self.store.sweep(self.now, Retention(), every_us=_DAY)
        if self.is_sure:
            flips = self._flips()
            said = (flips[-1].status, flips[-1].reason or None) if flips else ("new", None)
            status, reason = self.story.verdict(self.now)
            assert said[0] == status
            assert said[1] is None or reason is not None

    @precondition(lambda self: self.is_sure)
    @rule()
    def tell(self) -> None:
        """After it people believe what is so, unless they wait for the end of a pause."""
        self.store.monitors.judge(self.now)
        self.store.alerts.enqueue_flips(self.now, _compose)
        while (alert := claim(self.store, self.now, HOUR, "people")) is not None:
            self.told.append(json.loads(alert.notice))
            settle(self.store, alert, DELIVERED)
        if self.story.says(self.now)[0] != "paused":
            believed = self.told[-1:] == ["down"]
            assert believed == (self.story.verdict(self.now)[0] == "down")
        assert all((a == "down") != (b == "down") for a, b in itertools.pairwise(self.told))
        event(f"told {min(len(self.told), 6)} times")

    # What holds

    @property
    def is_sure(self) -> bool:
        """Whether the clock shows what it never showed before: else it says what it said then."""
        return self.now >= self.latest

    @invariant()
    def it_says_what_is_so(self) -> None:
        if self.is_sure:
            view = self._known().view_at(self.now)
            assert (view.status, view.reason) == self.story.says(self.now)
            event(f"{view.status} {view.reason or ''}")

    @invariant()
    def flips_lead_to_what_is_so(self) -> None:
        flips = self._flips()
        assert (flips[-1].status if flips else "new") == self._known().state.status
        assert all(a.status == b.previous for a, b in itertools.pairwise(flips))
        assert all(flip.status != flip.previous for flip in flips)
        assert all(a.time_us <= b.time_us for a, b in itertools.pairwise(flips))

    # How it is done

    def _known(self) -> MonitorRecord:
        known = self.store.monitors.find("m")
        assert known is not None
        return known

    def _flips(self) -> list[Flip]:
        return self.store.history.flips("m", 10_000)[::-1]

    def _pass(self, time: int) -> None:
        self.now += time
        self.latest = max(self.latest, self.now)

    def _to_next_slot(self, offset: int) -> None:
        """To a moment near the next slot that is still to come."""
        period = self.story.period * HOUR
        slot = (self.now - offset) // period * period + period
        self._pass(slot + offset - self.now)

    def _begin_and_end(self, lasts: int, outcome: str) -> None:
        run = next(self.numbers)
        self._send([self._ping("start", run)])
        self._pass(lasts)
        self._send([self._ping(outcome, run)])

    def _ping(self, kind: str, run: int) -> Ping:
        """No two are of the same moment: their order would be chance."""
        self._pass(next(self.numbers) % 997 + 1)
        return Ping(kind, "m", run_id=f"r{run}", time_us=self.now)

    def _send(self, pings: list[Ping]) -> None:
        self.store.pings.add(pings, self.now)
        for ping in pings:
            run = self.story.runs.get(ping.run_id, Run(None, None, ""))
            if ping.kind == "start":
                run = run._replace(start=ping.time_us)
            else:
                run = run._replace(end=ping.time_us, outcome=ping.kind)
            self.story.runs[ping.run_id] = run


def _compose(_known: MonitorRecord, flip: Flip) -> list[tuple[str, str]]:
    return [("people", json.dumps(flip.status))]


Year.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestYear = pytest.mark.slow(Year.TestCase)
