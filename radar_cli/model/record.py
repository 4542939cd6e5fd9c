"""A monitor as it was last judged: its state, so that not every look tells its story anew."""

import hashlib
import json
from dataclasses import asdict, fields, replace
from functools import cached_property
from operator import attrgetter
from typing import Any, Collection, Iterable, Mapping, Sequence

from radar_cli.model.declaring import read_declared
from radar_cli.model.fault import BAD, BEWARE, Fault, update_faults
from radar_cli.model.flip import Flip, find_flip
from radar_cli.model.monitor import Monitor, Outage, Pause, from_declared
from radar_cli.model.ping import Ping
from radar_cli.model.pitfalls import find_faults
from radar_cli.model.state import Reason, State, Status, View, advance, apply, evaluate, fold

_FAULT_FIELDS = tuple(field.name for field in fields(Fault))
_ENCODER = json.JSONEncoder(default=asdict)  # of the states of hosts
_STATE_FIELDS = tuple(field.name for field in fields(State))
_VIEW_FIELDS = tuple(field.name for field in fields(View))
_read_all_of_state, _read_all_of_view = attrgetter(*_STATE_FIELDS), attrgetter(*_VIEW_FIELDS)
# A story that is told anew reaches back no further than some hundred pings.
_KEPT_OUTAGES = 50
# Who sets one of these has said when the job runs: the others don't come from elsewhere.
_WHEN = frozenset(("schedule", "every", "tz"))
_WHETHER = frozenset(("schedule", "every"))


class MonitorRecord:
    """A row of the store. Most looks need no schedule: it is made when it is needed."""

    def __init__(
        self,
        key: str,
        declared: dict[str, str],
        created_us: int,
        judged: str,
        pauses: tuple[Pause, ...] = (),
        settled: frozenset[str] = frozenset(),
        version: int = 0,
        outages: tuple[Outage, ...] = (),
        faults: tuple[Fault, ...] = (),
    ) -> None:
        self.key = key
        self.declared = declared
        self.created_us = created_us
        self.pauses = pauses
        self.outages = outages  # those that may have moved a deadline of this one
        self.settled = settled  # what of it a person has set: no ping changes that
        self.version = version
        self.faults = faults  # also some that have ended, so that nobody is told twice
        known: dict[str, Any] = json.loads(judged) if judged else {}
        self._state = _read_state(known["state"]) if known else None
        self._view = _read_view(known["view"]) if known else None
        # What the store holds of it, to tell what has changed since.
        self._kept = self._state or State()
        self._flips: list[Flip] = []
        self._is_replayed = False
        # The newest ping that the state knows of, as `in_order` has it.
        self.newest: tuple[int, str] = tuple(known["newest"]) if known else (0, "")
        # The state has last changed because that moment had come.
        self.passed_us: int = known["passed_us"] if known else 0
        self._said: dict[str, str] | None = None  # what was last declared, and is so since
        # What the faults were last found in.
        self._reviewed: tuple[Monitor, str] | None = None
        # The oldest pings are forgotten: what was before those that are left isn't silence.
        self.has_no_beginning: bool = known.get("has_no_beginning", False)

    @cached_property
    def monitor(self) -> Monitor:
        """The expectations of the job."""
        return from_declared(self.key, self.declared, self.created_us, self.pauses, self.outages)

    @cached_property
    def declared_json(self) -> str:
        """The JSON that its declaration is kept as."""
        return json.dumps(self.declared)

    @property
    def fingerprint(self) -> str:
        """A short digest of all that a person can set of it; it changes whenever that does."""
        what = [self.declared, sorted(self.settled), write_pauses(self.pauses)]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]

    def extend_back_to(self, time_us: int) -> None:
        """It is as old as its first event, which need not be the first that came."""
        if time_us < self.created_us:
            self.created_us = time_us
            self.__dict__.pop("monitor", None)

    @property
    def state(self) -> State:
        """Its state, made of the pings so far."""
        if self._state is None:
            self._state = fold(self.monitor, ())
        return self._state

    @property
    def view(self) -> View:
        """Its view when it was last judged, which holds until `view.next_look_us`."""
        if self._view is None:
            self._view = evaluate(self.monitor, self.state, self.created_us)
        return self._view

    def view_at(self, now_us: int) -> View:
        """Return its view at `now_us`."""
        look_us = self.view.next_look_us
        if look_us is None or now_us <= look_us:
            return self.view
        return evaluate(self.monitor, self.state, now_us)

    def redeclare(self, said: Mapping[str, str], time_us: int, zone: str = "") -> "MonitorRecord":
        """Return the monitor as a newer ping declares it, save for what a person has set.

        What can't be read becomes a fault, and what was declared before stays. A new schedule
        without a timezone goes by `zone`, if one is given.
        """
        if said == self._said:
            return self  # as most pings, it says what the last one said
        declared, refused = read_declared(said)
        changes = {name: value for name, value in declared.items() if name not in self._held}
        if "schedule" in changes and "tz" not in changes:
            # The same schedule goes by the same clock.
            is_same = changes["schedule"] == self.declared.get("schedule")
            if tz := self.declared.get("tz", "") if is_same else zone:
                changes["tz"] = tz
        merged = {**self.declared, **changes}
        if changes.keys() & _WHETHER:
            # They exclude one another: the newer one counts.
            merged = {k: v for k, v in merged.items() if k in changes or k not in _WHEN}
        mended = declared.keys() | (_WHETHER if declared.keys() & _WHETHER else set())
        faults = self._without_faults_of(mended, time_us)
        if refused:
            others = [fault for fault in faults if fault.is_active]
            others = [o for o in others if o.field not in {fault.field for fault in refused}]
            faults = update_faults(faults, [*others, *refused], time_us)
        changed = self
        if merged != self.declared:
            changed = self.with_declared(merged, self.settled)
        if faults != self.faults:
            if changed is self:
                changed = self.with_declared(merged, self.settled)
            changed.faults = faults
        changed._said = {**said}
        return changed

    @property
    def _held(self) -> frozenset[str]:
        """The fields that no ping changes, since a person has set them."""
        return self.settled | (_WHEN if self.settled & _WHEN else frozenset())

    def mend(self, fields: Collection[str], now_us: int) -> "MonitorRecord":
        """End the faults of declarations of these fields: a person has set them."""
        self._said = None
        when = _WHEN if _WHEN.intersection(fields) else frozenset()
        self.faults = self._without_faults_of({*fields, *when}, now_us)
        return self

    def _without_faults_of(self, fields: Collection[str], now_us: int) -> tuple[Fault, ...]:
        """Return the faults with those ended that were refused for one of these fields."""
        return tuple(
            replace(fault, ended_us=now_us)
            if fault.is_refused and fault.is_active and fault.field in fields
            else fault
            for fault in self.faults
        )

    def review(self, now_us: int) -> "MonitorRecord":
        """Find the faults that there are now in what is declared, and in who runs it."""
        rivals = self.state.rivals
        if self._reviewed is None or self._reviewed[0] is not self.monitor:
            is_same = False
        else:
            is_same = self._reviewed[1] == rivals
        if not is_same:
            refused = [
                replace(fault, kind=BEWARE if fault.field in self._held else BAD)
                for fault in self.faults
                if fault.is_refused and fault.is_active
            ]
            found = find_faults(self.monitor, self.declared, rivals, now_us)
            if self.faults or refused or found:
                self.faults = update_faults(self.faults, [*refused, *found], now_us)
            self._reviewed = (self.monitor, rivals)
        return self

    @property
    def active_faults(self) -> list[Fault]:
        """The faults that go on, bad ones first."""
        return sorted((f for f in self.faults if f.is_active), key=lambda fault: fault.kind != BAD)

    def with_declared(self, declared: dict[str, str], settled: frozenset[str]) -> "MonitorRecord":
        """The same monitor as it is declared from now on; its story has to be told anew."""
        other = MonitorRecord(
            *(self.key, declared, self.created_us, "", self.pauses, settled),
            *(self.version, self.outages, self.faults),
        )
        other._kept, other.has_no_beginning = self._kept, self.has_no_beginning
        return other

    def is_before(self, ping: Ping) -> bool:
        """Whether a ping is newer than all that the state knows of, time that passed included."""
        return self.newest < in_order(ping) and self.passed_us <= ping.time_us

    def apply_pings(self, pings: Iterable[Ping]) -> "MonitorRecord":
        """Take newer pings in, in the order of their events."""
        for ping in pings:
            self._become(advance(self.monitor, self.state, ping.time_us))
            self._become(apply(self.monitor, self.state, ping))
            self.newest = in_order(ping)
        self._view = evaluate(self.monitor, self.state, self.newest[0])
        return self

    def replay(self, pings: list[Ping], now_us: int, *, from_us: int | None) -> "MonitorRecord":
        """Begin anew with these pings, in the order of their events, and go on until `now_us`.

        Only what is otherwise in the end is a flip.
        """
        self._is_replayed = True
        self._state = fold(self.monitor, (), from_us=from_us)
        self.passed_us = 0
        return self.apply_pings(pings).advance_to(max(now_us, self.newest[0]))

    def advance_to(self, now_us: int) -> "MonitorRecord":
        """Let time pass until `now_us`."""
        state = advance(self.monitor, self.state, now_us)
        if state != self.state:
            self._become(state)
            self.passed_us = now_us
        self._view = evaluate(self.monitor, state, now_us)
        return self

    @property
    def flips(self) -> list[Flip]:
        """The flips since the store last kept it."""
        if not self._is_replayed:
            return self._flips
        flip = find_flip(self.key, self._kept, self.state)
        return [] if flip is None else [flip]

    @property
    def is_watched(self) -> bool:
        """Whether its silence would be noticed, once a pause is over."""
        if self.view.status == Status.PAUSED:
            return self.monitor.is_watched
        return self.view.expected_us is not None

    def _become(self, state: State) -> None:
        if state is not self._state:
            flip = find_flip(self.key, self.state, state)
            if flip is not None:
                self._flips.append(flip)
            self._state = state

    def with_pauses(self, pauses: Iterable[Pause]) -> "MonitorRecord":
        """The same monitor, and what is known of it, with other pauses."""
        other = MonitorRecord(
            *(self.key, self.declared, self.created_us, self.encode(), tuple(pauses)),
            *(self.settled, self.version, self.outages, self.faults),
        )
        other._kept, other._flips = self._kept, self._flips
        return other

    def apply_outage(self, outage: Outage) -> "MonitorRecord":
        """Return the same monitor after an outage, which moves the deadlines that fell into it.

        It is as it was judged before the outage; what lies behind it is left to the next look. That
        somebody looked is noted only now and then: what was judged after that stays judged.
        """
        begin_us = max(outage.begin_us, self.passed_us)
        outages = (*self.outages, Outage(begin_us, outage.end_us))[-_KEPT_OUTAGES:]
        other = MonitorRecord(
            *(self.key, self.declared, self.created_us, self.encode(), self.pauses),
            *(self.settled, self.version, outages, self.faults),
        )
        other._kept, other._flips = self._kept, self._flips
        return other.advance_to(max(outage.begin_us, other.newest[0], other.passed_us))

    def note_outages(self, outages: Sequence[Outage]) -> None:
        """Move deadlines that fell into these outages, which end after what is yet to be taken in.

        An outage knows only what was due in it. A run of which is heard afterwards may be due in
        it, too.
        """
        ends_us = {outage.end_us for outage in self.outages}
        if missing := [outage for outage in outages if outage.end_us not in ends_us]:
            self.outages = tuple(
                sorted((*self.outages, *missing), key=lambda outage: outage.begin_us)
            )[-_KEPT_OUTAGES:]
            self.__dict__.pop("monitor", None)

    def mark_saved(self) -> None:
        """The store holds it as it is now, and its next version changes that."""
        self._kept = self.state
        self._flips = []
        self._is_replayed = False
        self.version += 1

    def encode(self) -> str:
        """The JSON that `judged` is kept as."""
        return _ENCODER.encode(
            {
                "state": dict(zip(_STATE_FIELDS, _read_all_of_state(self.state), strict=True)),
                "view": dict(zip(_VIEW_FIELDS, _read_all_of_view(self.view), strict=True)),
                "newest": self.newest,
                "passed_us": self.passed_us,
                "has_no_beginning": self.has_no_beginning,
            }
        )


def in_order(ping: Ping) -> tuple[int, str]:
    """The order in which events are told."""
    return ping.time_us, ping.id


def read_faults(text: str) -> tuple[Fault, ...]:
    """Return the faults that `write_faults` wrote."""
    return () if text == "[]" else tuple(Fault(**entry) for entry in json.loads(text))


def write_faults(faults: Sequence[Fault]) -> str:
    """Return the JSON that faults are kept as."""
    if not faults:
        return "[]"
    return json.dumps([{name: getattr(fault, name) for name in _FAULT_FIELDS} for fault in faults])


def read_outages(text: str) -> tuple[Outage, ...]:
    """Return the outages that `write_outages` wrote."""
    if text == "[]":
        return ()
    return tuple(Outage(begin_us, end_us) for begin_us, end_us in json.loads(text))


def write_outages(outages: Sequence[Outage]) -> str:
    """Return the JSON that outages are kept as: a list of begins and ends."""
    return json.dumps([[each.begin_us, each.end_us] for each in outages]) if outages else "[]"


def read_pauses(text: str) -> tuple[Pause, ...]:
    """The pauses that `write_pauses` wrote."""
    return tuple(Pause(begin_us, end_us) for begin_us, end_us in json.loads(text))


def write_pauses(pauses: Sequence[Pause]) -> str:
    """The JSON that pauses are kept as: a list of beginnings and ends."""
    return json.dumps([[pause.begin_us, pause.end_us] for pause in pauses]) if pauses else "[]"


def _read_state(values: dict[str, Any]) -> State:
    if by_host := values.get("by_host"):
        values = {**values, "by_host": {host: _read_state(own) for host, own in by_host.items()}}
    return State(**_with_words(values))


def _read_view(values: dict[str, Any]) -> View:
    return View(**_with_words(values))


def _with_words(values: dict[str, Any]) -> dict[str, Any]:
    reason = values["reason"]
    words = {
        "status": Status(values["status"]),
        "reason": None if reason is None else Reason(reason),
    }
    return {**values, **words}
