"""A finding: one thing that is ok, bad or unknown, with its cause and what to do."""

from dataclasses import dataclass, field
from typing import Any, Iterable, Literal, TypedDict

from radar_cli.core import exits

Layer = Literal["broker", "workers", "queues", "schedule", "tasks"]
State = Literal["ok", "bad", "unknown"]

LAYERS: tuple[Layer, ...] = ("broker", "workers", "queues", "schedule", "tasks")
EXIT_CODES: dict[State, int] = {
    "ok": exits.OK,
    "bad": exits.BAD,
    "unknown": exits.UNREACHABLE,
}
# From what must wake somebody to what needn't.
_ORDER: tuple[State, ...] = ("bad", "unknown", "ok")


class FindingFields(TypedDict):
    """A finding; `data` is what was measured, and message, cause and hint are for people."""

    layer: Layer
    subject: str
    state: State
    message: str
    cause: str | None
    hint: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding on a broker, worker, queue or entry of the schedule.

    `cause` is why it is so, in words, as far as anything proves it; `hint` what to do about it.
    `data` is for programs: what was measured, in seconds and counts.
    """

    layer: Layer
    subject: str
    state: State
    message: str
    cause: str = ""
    hint: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def describe(self) -> FindingFields:
        """The finding for programs."""
        return {
            "layer": self.layer,
            "subject": self.subject,
            "state": self.state,
            "message": self.message,
            "cause": self.cause or None,
            "hint": self.hint or None,
            "data": self.data,
        }


def verdict(findings: Iterable[Finding]) -> State:
    """The worst of all states; without any finding nothing is known."""
    states = {finding.state for finding in findings}
    return next((state for state in _ORDER if state in states), "unknown")


def by_urgency(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, what is bad first; within a state in the order of the layers."""
    return sorted(findings, key=lambda f: (_ORDER.index(f.state), LAYERS.index(f.layer)))
