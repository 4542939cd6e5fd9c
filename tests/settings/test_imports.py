import json
import subprocess
import sys
from pathlib import Path

import pytest

# What the wrapper must not pay for beside a running job.
HEAVY = {"re", "json", "typing", "tomllib", "subprocess", "shlex", "difflib", "pathlib", "enum"}
HEAVY |= {"dataclasses", "logging", "urllib", "click", "functools", "collections", "contextlib"}

PROGRAM = """
import sys
from radar_cli.settings.profiles import load
from radar_cli.core.places import state_directory
environ = dict(item.split("=", 1) for item in sys.argv[1:])
state_directory(environ)
config = load(environ)
profile = config.profile(None, explicit=False)
profile.api_key()
warnings = config.warnings
loaded = set(sys.modules)  # before json, which imports re
import json
print(json.dumps([sorted(loaded), profile.server, warnings]))
"""


def modules_after_loading(*variables: str) -> tuple[set[str], str, list[str]]:
    """What an interpreter has imported once the settings are read.

    `-S`, because a site-packages directory may import modules of its own at the start.
    """
    package_parent = Path(sys.modules["radar_cli"].__path__[0]).parent
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM, *variables],
        env={"PYTHONPATH": str(package_parent), "COVERAGE_PROCESS_START": ""},
        capture_output=True,
        check=True,
        timeout=30,
    )
    loaded, server, warnings = json.loads(done.stdout)
    return set(loaded), server, warnings


@pytest.fixture
def no_files(tmp_path: Path) -> list[str]:
    return [f"RADAR_CONFIG={tmp_path}/none.toml", "RADAR_SYSTEM_CONFIG=/dev/null"]


def test_it_imports_nothing_heavy_without_a_config_file(no_files: list[str]) -> None:
    loaded, server, warnings = modules_after_loading(
        *no_files, "RADAR_SERVER=https://radar.example", "RADAR_API_KEY=k", "RADAR_TAIL=20k"
    )
    assert server == "https://radar.example"
    assert warnings == []
    assert not loaded & HEAVY


def test_it_imports_tomllib_only_for_a_config_file(no_files: list[str], tmp_path: Path) -> None:
    (tmp_path / "none.toml").write_text("server = 'https://radar.example'\n")
    loaded, server, _ = modules_after_loading(*no_files)
    assert server == "https://radar.example"
    assert "tomllib" in loaded
    assert not loaded & {"subprocess", "shlex", "difflib", "json", "urllib", "click"}


def test_it_imports_difflib_only_for_a_mistake(no_files: list[str], tmp_path: Path) -> None:
    (tmp_path / "none.toml").write_text("servr = 'https://radar.example'\n")
    loaded, _, warnings = modules_after_loading(*no_files)
    assert "difflib" in loaded
    assert "did you mean 'server'?" in warnings[0]
