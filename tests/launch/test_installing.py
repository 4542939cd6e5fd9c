"""Radar is installed by every installer from wheel and sdist, runs a job, and leaves no trace."""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.depth import depth
from tests.support.pings import kinds
from tests.support.radar import environment
from tests.support.requirements import require

_CHECKOUT = Path(__file__).parent.parent.parent
_OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
_PYTHONS = ("3.11", "3.12", "3.13")
_INSTALLERS = ("old pip", "pip", "uv pip", "uv tool", "pipx")
# The installers' settings on this machine, such as a proxy or certificates.
_MACHINES = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE", "PYTHON"))}
# The daily sibling of the nightly table.
_DAILY = {("pip", "wheel", _OWN), ("uv tool", "sdist", _OWN)}
_ALL = {
    (i, kind, python) for i in _INSTALLERS for kind in ("wheel", "sdist") for python in _PYTHONS
}


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A wheel and an sdist of the checkout."""
    folder = tmp_path_factory.mktemp("artefacts")
    hatchling = Path(sys.executable).parent / "hatchling"
    require(hatchling.exists(), "hatchling is not installed (tests/run installs it)")
    subprocess.run([str(hatchling), "build", "-d", str(folder)], cwd=_CHECKOUT, check=True)
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


def test_the_wheel_is_for_every_python(artefacts: dict[str, Path]) -> None:
    assert artefacts["wheel"].name.endswith("-py3-none-any.whl")


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize(
    ("installer", "kind", "version"), sorted((depth(1, 0) and _DAILY) or _ALL), ids=str
)
def test_it_is_installed_runs_a_job_and_is_uninstalled(
    installer: str, kind: str, version: str, artefacts: dict[str, Path], tmp_path: Path
) -> None:
    python = interpreter(version)
    install, radar, uninstall = steps(installer, python, artefacts[kind], tmp_path)
    env = _MACHINES | {"HOME": str(tmp_path / "home"), "UV_PYTHON_DOWNLOADS": "never"}
    env |= {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "home/.local/bin")}
    for words in install:
        subprocess.run(words, env=env, cwd=tmp_path, check=True, timeout=600)

    run = [str(radar), "run", "job", "--", "sh", "-c", "exit 3"]
    done = subprocess.run(run, env=environment(measured=False), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (3, b"")
    assert kinds() == ["start", "fail"]
    subprocess.run([str(radar), "--version"], env=environment(measured=False), check=True)

    subprocess.run(uninstall, env=env, cwd=tmp_path, check=True, timeout=600)
    left = [path for path in tmp_path.rglob("*radar*") if "cache" not in str(path)]
    assert [path for path in left if path.suffix != ".lock"] == []  # pipx keeps its own


def interpreter(version: str) -> Path:
    """The interpreter of this version that the tests run with, or that pyenv or the system has."""
    if version == _OWN:
        return Path(sys.base_prefix, "bin", f"python{version}")
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # HOME is the test's own
    found = sorted(home.glob(f".pyenv/versions/{version}.*/bin/python"))
    path = found[-1] if found else shutil.which(f"python{version}")
    require(path is not None, f"Python {version} is not installed")
    return Path(str(path))


def steps(
    installer: str, python: Path, artefact: Path, folder: Path
) -> tuple[list[list[str | Path]], Path, list[str | Path]]:
    """The commands that install, the path of `radar` then, and the command that uninstalls."""
    tools = Path(sys.executable).parent
    venv = folder / "venv"
    make: list[str | Path] = [python, "-m", "venv", venv]
    if installer in ("pip", "old pip"):
        # 22.3 came with the first 3.11, and runs on no later one; 23.2 came with 3.12.
        old = "pip==22.3.*" if "3.11" in str(python) else "pip==23.2.*"
        pip: list[str | Path] = [venv / "bin/python", "-m", "pip"]
        change: list[str | Path] = [*pip, "install", "-q", old if "old" in installer else "pip>=25"]
        install: list[str | Path] = [*pip, "install", "-q", artefact]
        uninstall: list[str | Path] = [*pip, "uninstall", "-qy", "radar-cli"]
        return [make, change, install], venv / "bin/radar", uninstall
    if installer == "uv pip":
        install = [tools / "uv", "pip", "install", "-q", "--python", venv / "bin/python", artefact]
        uninstall = [tools / "uv", "pip", "uninstall", "-q", "--python", venv / "bin/python"]
        return [make, install], venv / "bin/radar", [*uninstall, "radar-cli"]
    if installer == "uv tool":
        install = [tools / "uv", "tool", "install", "-q", "--python", python, artefact]
        radar = folder / "home/.local/bin/radar"
        return [install], radar, [tools / "uv", "tool", "uninstall", "-q", "radar-cli"]
    install = [tools / "pipx", "install", "-q", "--python", python, artefact]
    radar = folder / "home/.local/bin/radar"
    return [install], radar, [tools / "pipx", "uninstall", "radar-cli"]
