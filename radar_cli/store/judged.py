"""A monitor as it was last judged: its state, so that not every look tells its story anew."""

import hashlib
import json
from dataclasses import fields
from functools import cached_property
from operator import attrgetter
from typing import Any, Iterable, Sequence

from radar_cli.model.ping import Ping
from radar_cli.monitors.monitor import Monitor, Pause, from_declared
from radar_cli.monitors.state import (
    Reason,
    State,
    Status,
    View,
    advance,
    apply,
    evaluate,
    fold,
)
from radar_cli.store.flips import Flip, find_flip

_STATE_FIELDS = tuple(field.name for field in fields(State))
_VIEW_FIELDS = tuple(field.name for field in fields(View))
_read_all_of_state, _read_all_of_view = attrgetter(*_STATE_FIELDS), attrgetter(*_VIEW_FIELDS)
# Who sets one of these has said when the job runs: the others don't come from elsewhere.
_WHEN = frozenset(("schedule", "every", "tz"))


class Judged:
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
    ) -> None:
        self.key = key
        self.declared = declared
        self.created_us = created_us
        self.pauses = pauses
        self.settled = settled  # what of it a person has set: no ping changes that
        self.version = version
        known: dict[str, Any] = json.loads(judged) if judged else {}
        self._state = _read_state(known["state"]) if known else None
        self._view = _read_view(known["view"]) if known else None
        # What the store holds of it, to tell what has changed since.
        self._kept = self._state or State()
        self._flips: list[Flip] = []
        self._is_retold = False
        # The newest ping that the state knows of, as `in_order` has it.
        self.newest: tuple[int, str] = tuple(known["newest"]) if known else (0, "")
        # The state has last changed because that moment had come.
        self.passed_us: int = known["passed_us"] if known else 0
        # The oldest pings are forgotten: what was before those that are left isn't silence.
        self.has_no_beginning: bool = known.get("has_no_beginning", False)

    @cached_property
    def monitor(self) -> Monitor:
        """What is expected of the job."""
        return from_declared(self.key, self.declared, self.created_us, self.pauses)

    @cached_property
    def declared_json(self) -> str:
        """The JSON that its declaration is kept as."""
        return json.dumps(self.declared)

    @property
    def fingerprint(self) -> str:
        """What a person can set of it, in short: it is another one once that is otherwise."""
        what = [self.declared, sorted(self.settled), write_pauses(self.pauses)]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]

    def is_from(self, time_us: int) -> None:
        """It is as old as its first event, which need not be the first that came."""
        if time_us < self.created_us:
            self.created_us = time_us
            self.__dict__.pop("monitor", None)

    @property
    def state(self) -> State:
        """What the pings so far have made of it."""
        if self._state is None:
            self._state = fold(self.monitor, ())
        return self._state

    @property
    def view(self) -> View:
        """What it said when it was last judged, which holds until `view.next_look_us`."""
        if self._view is None:
            self._view = evaluate(self.monitor, self.state, self.created_us)
        return self._view

    def view_at(self, now_us: int) -> View:
        """What it says at `now_us`."""
        look_us = self.view.next_look_us
        if look_us is None or now_us <= look_us:
            return self.view
        return evaluate(self.monitor, self.state, now_us)

    def redeclare(self, declared: dict[str, str]) -> "Judged":
        """The monitor as a newer ping declares it, save for what a person has set."""
        settled = self.settled | (_WHEN if self.settled & _WHEN else frozenset())
        changes = {name: value for name, value in declared.items() if name not in settled}
        merged = {**self.declared, **changes}
        if changes.keys() & {"schedule", "every"}:
            # They exclude one another: the newer one counts.
            merged = {k: v for k, v in merged.items() if k in changes or k not in _WHEN}
        return self if merged == self.declared else self.with_declared(merged, self.settled)

    def with_declared(self, declared: dict[str, str], settled: frozenset[str]) -> "Judged":
        """The same monitor as it is declared from now on; its story has to be told anew."""
        other = Judged(self.key, declared, self.created_us, "", self.pauses, settled, self.version)
        other._kept, other.has_no_beginning = self._kept, self.has_no_beginning
        return other

    def is_before(self, ping: Ping) -> bool:
        """Whether a ping is newer than all that the state knows of, time that passed included."""
        return self.newest < in_order(ping) and self.passed_us <= ping.time_us

    def take(self, pings: Iterable[Ping]) -> "Judged":
        """Take newer pings in, in the order of their events."""
        for ping in pings:
            self._become(advance(self.monitor, self.state, ping.time_us))
            self._become(apply(self.monitor, self.state, ping))
            self.newest = in_order(ping)
        self._view = evaluate(self.monitor, self.state, self.newest[0])
        return self

    def retell(self, pings: list[Ping], now_us: int, *, from_us: int | None) -> "Judged":
        """Begin anew with these pings, in the order of their events, and go on until `now_us`.

        Only what is otherwise in the end is a flip.
        """
        self._is_retold = True
        self._state = fold(self.monitor, (), from_us=from_us)
        self.passed_us = 0
        return self.take(pings).pass_time(max(now_us, self.newest[0]))

    def pass_time(self, now_us: int) -> "Judged":
        """Let time pass until `now_us`."""
        state = advance(self.monitor, self.state, now_us)
        if state != self.state:
            self._become(state)
            self.passed_us = now_us
        self._view = evaluate(self.monitor, state, now_us)
        return self

    @property
    def flips(self) -> list[Flip]:
        """What has changed since the store last kept it."""
        if not self._is_retold:
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

    def with_pauses(self, pauses: Iterable[Pause]) -> "Judged":
        """The same monitor, and what is known of it, with other pauses."""
        other = Judged(
            *(self.key, self.declared, self.created_us, self.encode(), tuple(pauses)),
            *(self.settled, self.version),
        )
        other._kept, other._flips = self._kept, self._flips
        return other

    def note_kept(self) -> None:
        """The store holds it as it is now, and its next version changes that."""
        self._kept = self.state
        self._flips = []
        self._is_retold = False
        self.version += 1

    def encode(self) -> str:
        """The JSON that `judged` is kept as."""
        return json.dumps(
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


def read_pauses(text: str) -> tuple[Pause, ...]:
    """The pauses that `write_pauses` wrote."""
    return tuple(Pause(begin_us, end_us) for begin_us, end_us in json.loads(text))


def write_pauses(pauses: Sequence[Pause]) -> str:
    """The JSON that pauses are kept as: a list of beginnings and ends."""
    return json.dumps([[pause.begin_us, pause.end_us] for pause in pauses]) if pauses else "[]"


def _read_state(values: dict[str, Any]) -> State:
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
