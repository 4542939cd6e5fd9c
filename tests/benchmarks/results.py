"""A part of the table, and a line of it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.measure import Ratios
from tests.benchmarks.workplace import Workplace


@dataclass(frozen=True)
class Result:
    """One line of the table. Without ratios, `note` says why."""

    what: str
    ratios: Ratios | None = None
    to_hold: float | None = None
    note: str = ""

    @property
    def is_held(self) -> bool | None:
        """None if there is nothing to hold, or no ratio."""
        if self.ratios is None or self.to_hold is None:
            return None
        return self.ratios.median <= self.to_hold


@dataclass(frozen=True)
class Row:
    """A part of the table that can be measured by itself; rounds in full and with --quick."""

    name: str
    measure: Callable[[Workplace, int, bool], list[Result]]
    rounds: int
    quick_rounds: int
