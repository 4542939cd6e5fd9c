"""An alias: the old key of a monitor that was renamed, which still counts for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alias:
    """A key that a monitor had, and when a ping last came by it. Unix time in microseconds."""

    key: str
    monitor: str
    made_us: int
    used_us: int | None
