"""Faults: what is wrong with a monitor's declaration, kept as state until it is mended.

A fault is `bad` where it leaves the monitor unwatched or with a value that nobody asked for, and
`beware` where what a person has set holds, or where what is declared is doubtful.
"""

from dataclasses import dataclass, replace
from typing import Iterable, Sequence

BAD, BEWARE = "bad", "beware"
# A job that declares something else each time, or one of two hosts that does: one notice a day.
_REMEMBERED_US = 86_400 * 1_000_000
_REMEMBERED_MAX = 20
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; times are Unix time in microseconds.

    `field` is what is declared, by its name in pings, and `text` what it was declared as.
    """

    field: str
    text: str
    message: str  # a line for people
    kind: str = BAD
    # It stays until that field is declared anew; what isn't refused is found in what is declared.
    is_refused: bool = True
    since_us: int = 0
    ended_us: int | None = None
    is_told: bool = False

    @property
    def is_active(self) -> bool:
        """Whether it goes on."""
        return self.ended_us is None


def refuse(field: str, text: str, message: str) -> Fault:
    """Return the fault of a declaration that can't be read."""
    return Fault(field, text[:_LONGEST_TEXT], message)


def doubt(field: str, text: str, message: str, *, kind: str = BEWARE) -> Fault:
    """Return the fault of a declaration that can be read, and is likely not what is meant."""
    return Fault(field, text[:_LONGEST_TEXT], message, kind, is_refused=False)


def update_faults(
    known: Sequence[Fault], current: Iterable[Fault], now_us: int
) -> tuple[Fault, ...]:
    """Return the faults that were known, as they are with those that there are at `now_us`.

    One that ended not long ago and is there again has been told already.
    """
    there = {(fault.field, fault.text): fault for fault in current}
    found = []
    for fault in known:
        now = there.pop((fault.field, fault.text), None)
        if now is None:
            found.append(fault if fault.ended_us is not None else replace(fault, ended_us=now_us))
            continue
        ended_us, is_told = fault.ended_us, fault.is_told and fault.kind == now.kind
        since_us = fault.since_us
        if ended_us is not None and now_us - ended_us > _REMEMBERED_US:
            since_us, is_told = now_us, False
        found.append(replace(now, since_us=since_us, is_told=is_told))
    found += [replace(fault, since_us=now_us) for fault in there.values()]
    kept = [
        fault
        for fault in found
        if fault.ended_us is None or 0 <= now_us - fault.ended_us <= _REMEMBERED_US
    ]
    over = max(0, len(kept) - _REMEMBERED_MAX)
    forgotten = [fault for fault in kept if not fault.is_active][:over]
    return tuple(fault for fault in kept if fault not in forgotten)


def worst(faults: Iterable[Fault]) -> str:
    """Return BAD, BEWARE or "": the worst of those that go on."""
    kinds = {fault.kind for fault in faults if fault.is_active}
    return BAD if BAD in kinds else BEWARE if BEWARE in kinds else ""
