"""The log of notices: what a channel got and how it fares."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Logged:
    """A notice as the log has it."""

    id: str
    channel: str
    kind: str
    monitors: tuple[str, ...]  # the first of them, for one of many
    count: int
    created_us: int
    settled_us: int | None
    next_try_us: int | None
    tries: int
    fate: str  # "" on its way, delivered or given up
    answer: str


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """A channel's health: since when it fails, how often it did, and why."""

    name: str
    delivered_us: int | None
    failing_us: int | None
    failures: int
    error: str
