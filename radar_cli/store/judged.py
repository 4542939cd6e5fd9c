"""A monitor as it was last judged: its state, so that not every look tells its story anew."""

import json
from dataclasses import asdict
from functools import cached_property
from typing import Any, Iterable

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
from radar_cli.pings.ping import Ping

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
    ) -> None:
        self.key = key
        self.declared = declared
        self.created_us = created_us
        self.pauses = pauses
        self.settled = settled  # what of it a person has set: no ping changes that
        known: dict[str, Any] = json.loads(judged) if judged else {}
        self._state = _read_state(known["state"]) if known else None
        self._view = _read_view(known["view"]) if known else None
        # The newest ping that the state knows of, as `in_order` has it.
        self.newest: tuple[int, str] = tuple(known["newest"]) if known else (0, "")
        # The state has last changed because that moment had come.
        self.passed_us: int = known["passed_us"] if known else 0

    @cached_property
    def monitor(self) -> Monitor:
        """What is expected of the job."""
        return from_declared(self.key, self.declared, self.created_us, self.pauses)

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
        if merged == self.declared:
            return self
        return Judged(self.key, merged, self.created_us, "", self.pauses, self.settled)

    def is_before(self, ping: Ping) -> bool:
        """Whether a ping is newer than all that the state knows of, time that passed included."""
        return self.newest < in_order(ping) and self.passed_us <= ping.time_us

    def take(self, pings: Iterable[Ping]) -> "Judged":
        """Take newer pings in, in the order of their events."""
        for ping in pings:
            state = advance(self.monitor, self.state, ping.time_us)
            self._state = apply(self.monitor, state, ping)
            self.newest = in_order(ping)
        self._view = evaluate(self.monitor, self.state, self.newest[0])
        return self

    def retell(self, pings: list[Ping], *, from_us: int | None) -> "Judged":
        """Begin anew with these pings, in the order of their events."""
        self._state = fold(self.monitor, (), from_us=from_us)
        self.passed_us = 0
        return self.take(pings)

    def pass_time(self, now_us: int) -> "Judged":
        """Let time pass until `now_us`."""
        state = advance(self.monitor, self.state, now_us)
        if state != self.state:
            self._state, self.passed_us = state, now_us
        self._view = evaluate(self.monitor, state, now_us)
        return self

    def with_pauses(self, pauses: Iterable[Pause]) -> "Judged":
        """The same monitor, and what is known of it, with other pauses."""
        return Judged(self.key, self.declared, self.created_us, self.encode(), tuple(pauses))

    def encode(self) -> str:
        """The JSON that `judged` is kept as."""
        return json.dumps(
            {
                "state": asdict(self.state),
                "view": asdict(self.view),
                "newest": self.newest,
                "passed_us": self.passed_us,
            }
        )


def in_order(ping: Ping) -> tuple[int, str]:
    """The order in which events are told."""
    return ping.time_us, ping.id


def read_pauses(text: str) -> tuple[Pause, ...]:
    """The pauses that `write_pauses` wrote."""
    return tuple(Pause(begin_us, end_us) for begin_us, end_us in json.loads(text))


def write_pauses(pauses: Iterable[Pause]) -> str:
    """The JSON that pauses are kept as: a list of beginnings and ends."""
    return json.dumps([[pause.begin_us, pause.end_us] for pause in pauses])


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
