"""Flips: changes of a monitor's status between new, up and down, each noticed once."""

from itertools import accumulate
from typing import Any, Sequence

from radar_cli.core.ids import new_id
from radar_cli.model.flip import Flip
from radar_cli.store.database import Change

# A monitor's version orders its flips, with room for those of one change.
_FLIPS_OF_A_CHANGE = 100_000


def add_flips(change: Change, version: int, flips: Sequence[Flip], noticed_us: int) -> None:
    """Keep what the change of a monitor to this version has noticed, in its order.

    A story that was told anew may have one begin earlier than what was noticed before: none is
    older than the one before it.
    """
    if not flips:
        return
    before = change.read(
        "SELECT time_us FROM flip WHERE monitor = ? ORDER BY number DESC LIMIT 1",
        (flips[0].monitor,),
    )
    known_us = [time_us for (time_us,) in before]
    times_us = list(accumulate([*known_us, *(flip.time_us for flip in flips)], max))
    change.execute_many(
        "INSERT INTO flip (id, monitor, number, previous, status, reason, time_us, noticed_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(new_id(noticed_us), flip.monitor, version * _FLIPS_OF_A_CHANGE + number),
                *(flip.previous, flip.status, flip.reason, time_us, noticed_us),
            )
            for number, (flip, time_us) in enumerate(
                zip(flips, times_us[len(known_us) :], strict=True)
            )
        ],
    )


def read_flip(row: tuple[Any, ...]) -> Flip:
    """The flip in a row of id, monitor, previous, status, reason, time_us, noticed_us."""
    return Flip(*row)
