"""A flip: a change of a monitor's status between new, up and down."""

from dataclasses import dataclass

from radar_cli.model.state import State, Status


@dataclass(frozen=True, slots=True)
class Flip:
    """A monitor's status changed at `time_us`, which was noticed at `noticed_us` (Unix time)."""

    id: str
    monitor: str
    previous: str
    status: str
    reason: str  # of a down: missed, failed or hung
    time_us: int
    noticed_us: int = 0


def find_flip(monitor: str, before: State, after: State) -> Flip | None:
    """Return the flip between two states of a monitor, if there is one.

    What late pings correct is never older than what it corrects. That a monitor is new corrects
    nothing: nobody was told, and a ping that comes late may make it older than it was.
    """
    if before.status == after.status:
        return None
    time_us = after.since_us
    if before.status != Status.NEW:
        time_us = max(before.since_us, time_us)
    return Flip(
        "",
        monitor,
        str(before.status),
        str(after.status),
        str(after.reason or ""),
        time_us,
    )
