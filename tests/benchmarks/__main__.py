"""Measure what radar costs and print it as ratios: `python -m tests.benchmarks --help`."""

import argparse
import os
import signal
import sys
import time

import pytest

from tests.benchmarks.imports import imports_of_a_run
from tests.benchmarks.measure import UnmeasurableError
from tests.benchmarks.results import Result, Row
from tests.benchmarks.rows import ROWS
from tests.benchmarks.workplace import Workplace, installed

_DESCRIPTION = """
What radar costs, as ratios to what it replaces, measured in turns within this run. To be started
in the checkout, by the Python of an environment in which radar's wheel and the dependency group
`dev` are installed (and `bench`, for sentry-cli). A figure is held if the median is not above it.
"""
_HEADINGS = ("what", "ratio", "to hold", "", "quartiles", "extremes", "of minima", "noise", "cost")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=_DESCRIPTION)
    names = [row.name for row in ROWS]
    parser.add_argument("--only", action="append", choices=names, help="measure just this row")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of each row's own number")
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds, less output")
    parser.add_argument("--profile", action="store_true", help="show what a run imports instead")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # cleaning up on the way
    try:
        with Workplace() as place:
            if arguments.profile:
                show_imports(place)
                return 0
            print(f"radar_cli {installed(place, place.environment())}")
            print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, {_load()}\n")
            started = time.monotonic()
            show_headings()
            for row in ROWS:
                if not arguments.only or row.name in arguments.only:
                    rounds = row.quick_rounds if arguments.quick else row.rounds
                    for result in measured(row, place, arguments.rounds or rounds, arguments.quick):
                        show(result)
            print(f"\n{time.monotonic() - started:.0f} s, {_load()}")
    except pytest.fail.Exception as problem:  # from tests.support: no wheel, no compiler
        print(f"tests.benchmarks: {problem}", file=sys.stderr)
        return 2
    return 0


def measured(row: Row, place: Workplace, rounds: int, quick: bool) -> list[Result]:
    """The row's results; one that can't be measured is no reason to stop."""
    try:
        return row.measure(place, rounds, quick)
    except (UnmeasurableError, pytest.skip.Exception) as reason:
        return [Result(row.name, note=str(reason))]


def show_headings() -> None:
    print(_line(_HEADINGS), flush=True)
    print(_line(["-" * len(heading) for heading in _HEADINGS]))


def show(result: Result) -> None:
    found, to_hold = result.ratios, result.to_hold
    if found is None:
        print(f"{result.what:<40} not measured: {result.note}", flush=True)
        return
    mark = {True: "held", False: "NOT HELD", None: ""}[result.is_held]
    cells = [
        result.what,
        f"{found.median:.3f}",
        "" if to_hold is None else f"{to_hold:g}",
        mark,
        "{:.2f}-{:.2f}".format(*found.quartiles),
        "{:.2f}-{:.2f}".format(*found.extremes),
        f"{found.of_minima:.3f}",
        f"{found.noise:.0%}",
        f"{_amount(found.cost)} : {_amount(found.baseline)}, {found.rounds} rounds",
    ]
    print(_line(cells), flush=True)


def _line(cells: "list[str] | tuple[str, ...]") -> str:
    what, ratio, to_hold, mark, quartiles, extremes, of_minima, noise, cost = cells
    return (
        f"{what:<40} {ratio:>7} {to_hold:>8} {mark:<9} {quartiles:<11} {extremes:<11}"
        f" {of_minima:>9} {noise:>6}  {cost}"
    )


def _amount(value: float) -> str:
    """Seconds, or bytes, which are always more than anything here takes seconds."""
    return f"{value / 1e6:.1f} MB" if value > 1e5 else f"{value * 1e3:.1f} ms"


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


def show_imports(place: Workplace) -> None:
    found = imports_of_a_run(place)
    print(f"{'module':<40} {'own time':>9} {'bytecode':>9}")
    for each in found:
        size = f"{each.bytecode_bytes} B" if each.is_ours else ""
        print(f"{each.name:<40} {each.own_us:>6} us {size:>9}")
    ours = [each for each in found if each.is_ours]
    total_us, total_bytes = sum(e.own_us for e in found), sum(e.bytecode_bytes for e in ours)
    print(f"\n{len(ours)} modules of radar with {total_bytes} bytes of bytecode, ", end="")
    print(f"{len(found) - len(ours)} others, {total_us} us in all beyond bare Python")


if __name__ == "__main__":
    sys.exit(main())
