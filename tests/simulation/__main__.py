"""Live through simulated worlds: `python -m tests.simulation --seed N --years Y`."""

import argparse
import sys
import time

from tests.simulation.living import live
from tests.simulation.mutants import MUTANTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first world")
    parser.add_argument("--years", type=float, default=1.0, help="of each world")
    parser.add_argument("--worlds", type=int, default=1, help="how many, each of the next seed")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="", help="a fault of old")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell what befalls it")
    given = parser.parse_args()
    code = 0
    for seed in range(given.seed, given.seed + given.worlds):
        began = time.process_time()
        lived = live(seed, given.years, given.mutant)
        took = time.process_time() - began
        if lived.failure:
            code = 1
            print(f"seed {seed}, after {took:.1f} s: {lived.failure}")
            continue
        if given.verbose:
            print("\n".join(lived.world.log))
        print(f"seed {seed}: {took:.1f} s, {lived.world.steps} steps, {lived.world.witness.seen}")
    return code


if __name__ == "__main__":
    sys.exit(main())
