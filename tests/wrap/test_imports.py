"""The import budget: what is loaded at the instant of the spawn delays every job."""

import subprocess
from pathlib import Path

import pytest

from tests.support.radar import environment, in_own_environment

# A module that Python imports before anything of radar's, and that leaves no trace of its own.
HOOK = """
import sys, os
def hook(event, args):
    # The first: the process that searches for --fail-on follows the job.
    if event == "os.posix_spawn" and not os.path.exists(os.environ["LOADED_TO"]):
        with open(os.environ["LOADED_TO"], "a") as file:
            file.write("\\n".join(sorted(sys.modules)) + "\\n")
sys.addaudithook(hook)
"""
HEAVY = {
    "argparse", "click", "collections", "contextlib", "dataclasses", "datetime", "difflib", "enum",
    "fcntl", "functools", "http", "httpx", "inspect", "json", "logging", "pathlib", "pickle", "pwd",
    "re", "resource", "rich", "select", "selectors", "shlex", "shutil", "signal", "socket", "ssl",
    "struct", "subprocess", "tempfile", "threading", "tomllib", "traceback", "types", "typing",
    "urllib", "uuid", "warnings", "zoneinfo", "_socket", "_ssl", "_struct",
}  # fmt: skip
FIRST_RING = {
    "radar_cli",
    "radar_cli.core",
    "radar_cli.core.exits",
    "radar_cli.core.ids",
    "radar_cli.launch",
    "radar_cli.launch.command",
    "radar_cli.wrap",
    "radar_cli.wrap.child",
    "radar_cli.wrap.signals",
    "radar_cli.wrap.options",
    "radar_cli.wrap.run",
    "radar_cli.wrap.streams",
}
BUILT_IN = {"_signal", "gc", "time"}
# What an option needs before the spawn, beside its value.
FOR_A_VALUE = {"radar_cli.core.grammar"}
FOR_A_LOCK = {
    "fcntl",
    "radar_cli.core.places",
    "radar_cli.wrap.lock",
    "radar_cli.wrap.unstarted",
}


def loaded_at_the_spawn(tmp_path: Path, *words: str, **variables: str) -> set[str]:
    """What `radar run job WORDS` has imported, beyond what Python itself starts with."""
    radar = in_own_environment(tmp_path, HOOK)
    found: list[set[str]] = []
    python = radar.parent / "python"
    bare = "import posix; posix.posix_spawn('/bin/true', ['true'], {})"
    starts: list[list[str]] = [
        [str(radar), "run", "job", *words, "--", "true"],
        [str(python), "-c", bare],
    ]
    for start in starts:
        to = tmp_path / f"loaded-{len(found)}"
        own = {"LOADED_TO": str(to), **variables}
        subprocess.run(start, env=environment(measured=False) | own, check=True)
        found.append(set(to.read_text().split()))
    return found[0] - found[1]


@pytest.mark.parametrize(
    ("words", "variables", "extra"),
    [
        ((), {}, set()),
        (("--schedule", "@daily", "--tag", "a", "--fail-on", "x", "--quiet"), {}, FOR_A_VALUE),
        (("--name", "A job", "--tz", "Europe/London", "--to", "a"), {}, set()),
        (("--timeout", "5m", "--grace", "1h"), {}, FOR_A_VALUE),
        ((), {"RADAR_GRACE": "10m", "RADAR_SERVER": "http://127.0.0.1:9"}, FOR_A_VALUE),
        ((), {"LC_ALL": "", "LANG": "C"}, set()),
        (("--lock", "skip"), {}, FOR_A_LOCK),
    ],
)
def test_it_has_imported_little_when_it_starts_the_job(
    tmp_path: Path, words: tuple[str, ...], variables: dict[str, str], extra: set[str]
) -> None:
    loaded = loaded_at_the_spawn(tmp_path, *words, **variables)

    assert not loaded & (HEAVY - extra)
    assert {name for name in loaded if name.startswith("radar_cli")} <= FIRST_RING | extra
    assert {name for name in loaded if not name.startswith("radar_cli")} <= BUILT_IN | extra


def test_it_looks_at_the_moment_of_the_spawn(tmp_path: Path) -> None:
    loaded = loaded_at_the_spawn(tmp_path)

    assert "radar_cli.wrap.run" in loaded
    assert "radar_cli.wrap.verdict" not in loaded
