"""Living through a world: the one way in which tests and people do it, so that each is replayed."""

import contextlib
import io
from dataclasses import dataclass

from tests.simulation.embedded import EmbeddedWorld
from tests.simulation.mutants import MUTANTS
from tests.simulation.peopled import PeopledWorld
from tests.simulation.served import ServedWorld
from tests.simulation.world import YEAR

_EVERY_FOURTH = 4
_LINES_SHOWN = 40


@dataclass(frozen=True)
class Lived:
    """How it went: `failure` says what broke the law, when, and how to see it again."""

    seed: int
    world: PeopledWorld
    failure: str = ""


def make_world(seed: int) -> PeopledWorld:
    """Make the world of a seed; every fourth has no server."""
    return EmbeddedWorld(seed) if is_embedded(seed) else ServedWorld(seed)


def is_embedded(seed: int) -> bool:
    """Whether the world of a seed has no server."""
    return seed % _EVERY_FOURTH == 0


def live(seed: int, years: float = 1.0, mutant: str = "") -> Lived:
    """Live through the world of a seed, with radar as it is or with a fault of old."""
    world = make_world(seed)
    fault = MUTANTS[mutant].alive() if mutant else contextlib.nullcontext()
    # What radar says on stderr of channels that fail is as it should be.
    with fault, contextlib.redirect_stderr(io.StringIO()):
        try:
            world.run(round(years * YEAR))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what was found)
            again = f"python -m tests.simulation --seed {seed} --years {years:g}"
            again += f" --mutant {mutant}" if mutant else ""
            lines = (*world.log[-_LINES_SHOWN:], str(error) or repr(error), f"once more: {again}")
            return Lived(seed, world, "\n".join(lines))
    return Lived(seed, world)
