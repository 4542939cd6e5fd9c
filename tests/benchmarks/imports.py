"""Where a run's time goes before it does anything: what is imported on the way to two pings."""

import subprocess
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

from tests.benchmarks.workplace import Workplace


@dataclass(frozen=True)
class Import:
    """A module that a run imports beyond what bare Python does."""

    name: str
    own_us: int
    bytecode_bytes: int

    @property
    def is_ours(self) -> bool:
        return self.name.partition(".")[0] == "radar_cli"


def imports_of_a_run(place: Workplace) -> list[Import]:
    """What `radar run job -- true` imports on the plain path over http, the dearest first."""
    env = place.server_environment(place.server("plain"))
    bare = _import_times([place.python, "-X", "importtime", "-c", "pass"], env)
    words = [place.python, "-X", "importtime", str(place.radar), "run", "job", "--", "true"]
    _import_times(words, env)  # the bytecode is cached from now on
    script = "import radar_cli; print(radar_cli.__path__[0])"
    done = subprocess.run(
        [place.python, "-c", script], env=env, capture_output=True, check=True, text=True
    )
    root = Path(done.stdout.strip()).parent
    found = [
        Import(name, own_us, _bytecode_bytes(root, name))
        for name, own_us in _import_times(words, env).items()
        if name not in bare
    ]
    return sorted(found, key=lambda each: -each.own_us)


def _import_times(words: list[str], env: dict[str, str]) -> dict[str, int]:
    done = subprocess.run(words, env=env, capture_output=True, check=True, text=True)
    times = {}
    for line in done.stderr.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        if own.strip().isdigit():
            times[rest.partition("|")[2].strip()] = int(own)
    return times


def _bytecode_bytes(root: Path, name: str) -> int:
    """How much bytecode a module of radar's has; 0 for any other."""
    stem = root.joinpath(*name.split("."))
    for source in (stem / "__init__.py", stem.with_suffix(".py")):
        cached = Path(cache_from_source(str(source)))
        if cached.exists():
            return cached.stat().st_size
    return 0
