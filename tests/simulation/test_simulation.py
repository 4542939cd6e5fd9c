"""Radar keeps its law through years of crashes, outages, late pings and dead channels.

Each world has fifty monitors and one seed; `python -m tests.simulation --seed N --years Y` lives
through it once more, and says the same.
"""

import os
import random

import pytest

from tests.simulation.living import is_embedded, live
from tests.simulation.mutants import MUTANTS
from tests.support.depth import at_night, depth

_PARTS = 10
_MUTANT_YEARS = 100
# Of different kinds, and found soon.
_DAILY_MUTANTS = ("forgiven", "told-anew", "embedded-moves")
_HIGHEST_SEED = 10**9
# Worlds in which something was found, and how many of their years that took.
_FOUND = {21: 1.0, 1006: 0.02, 30026: 1.0, 30055: 1.0}


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("part", range(_PARTS))
def test_it_keeps_the_law(part: int) -> None:
    """Ten years of worlds that are known each day, a thousand of new ones each night."""
    years = depth(1, 100)
    first = part + 1
    if years > 1:
        first = random.SystemRandom().randrange(_HIGHEST_SEED)
    for seed in range(first, first + years):
        print(f"seed {seed}")
        lived = live(seed)
        assert not lived.failure, lived.failure
        assert min(lived.world.witness.seen[what] for what in ("pings", "flips", "alerts")) > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 1006, at_night(30026), at_night(30055)])
def test_what_was_found_once_is_not_found_again(seed: int) -> None:
    lived = live(seed, _FOUND[seed])
    assert not lived.failure, lived.failure


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4])
def test_a_seed_makes_the_same_world_each_time(seed: int) -> None:
    one, other = live(seed, 0.1).world, live(seed, 0.1).world
    assert (one.log, one.steps, one.true) == (other.log, other.steps, other.true)
    assert one.witness.seen == other.witness.seen
    assert one.log != live(seed + 4, 0.1).world.log


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_each_fault_of_old_can_still_be_put_back(name: str) -> None:
    with MUTANTS[name].alive():
        pass


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(MUTANTS) if os.environ.get("TESTS_NIGHTLY") else _DAILY_MUTANTS
)
def test_it_finds_a_fault_of_old(name: str) -> None:
    """Some in the first world each day, each of them within a hundred years each night.

    It is the fault that is found: the same world without it keeps the law.
    """
    mutant, years = MUTANTS[name], depth(1, _MUTANT_YEARS)
    seeds = [seed for seed in range(1, 4 * years + 1) if is_embedded(seed) == mutant.embedded]
    found = next((seed for seed in seeds[:years] if live(seed, mutant=name).failure), None)
    assert found is not None, f"{mutant.fault}: not found in {years} years"
    print(f"{mutant.fault}: found in the world of seed {found}")
    lived = live(found)
    assert not lived.failure, lived.failure
