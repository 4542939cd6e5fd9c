"""Each system call by which radar writes is failed, cut short or the last one, in turn."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import pytest

from tests.faults.scenarios import SCENARIOS, Scenario, Sweep
from tests.support.depth import depth
from tests.support.faulty_calls import Fault, compile_library, faults, spread

_ALL = 1_000_000
# Nightly each of them; a day sees one of a few scenarios, and those that have found something.
_DAILY = 1
_AT_ONCE = 2
# Calls and ways of a scenario; -1 is the last of these calls.
_KNOWN = {
    "run": [("close", -1, "EIO"), ("fsync", -1, "EIO")],
    "run --quiet": [("close", 2, "EIO"), ("close", 3, "EIO")],
    "status": [("unlink", 1, "EROFS"), ("close", 2, "EIO")],
    "check --notify": [("thread", 1, "EAGAIN"), ("thread", 2, "EAGAIN")],
    "outbox flush": [("unlink", 1, "EIO")],
    "run, a dead server": [],
    "config set": [],
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_library(tmp_path_factory.mktemp("faulty_calls"))


@pytest.mark.nightly
@pytest.mark.parametrize(
    "scenario",
    [each for each in SCENARIOS if depth(each.name in _KNOWN, True)],
    ids=lambda scenario: scenario.name,
)
def test_no_call_that_fails_loses_or_doubles_what_was_acknowledged(
    scenario: Scenario,
    tmp_path: Path,
    library: Path,
    record_property: Callable[[str, object], None],
) -> None:
    sweep = Sweep(scenario, tmp_path / "sweep", library)
    counts = sweep.record()
    possible = faults(counts)
    chosen = list(spread(possible, depth(_DAILY, _ALL), offset=len(possible) // 2))
    known = [
        Fault(call, number if number > 0 else counts[call], way)
        for call, number, way in _KNOWN.get(scenario.name, [])
    ]
    chosen += [fault for fault in known if fault not in chosen]
    with ThreadPoolExecutor(_AT_ONCE) as several:
        outcomes = list(several.map(sweep.fail, chosen))
    reached = [fault for fault, said in zip(chosen, outcomes, strict=True) if said is not None]
    calls = len({(fault.call, fault.number) for fault in reached})
    summary = f"{scenario.name}: {calls} of {sum(counts.values())} calls, {len(reached)} faults"
    print(summary, counts)
    record_property("calls", calls)
    record_property("faults", len(reached))
    broken = [said for said in outcomes if said]
    assert not broken, f"{summary}, {len(broken)} of which break something:\n" + "\n".join(broken)
    # Threads take turns as they please, and so not every number is reached each time.
    assert len(reached) >= len(chosen) * 0.7
