"""Radar is installed by every installer from wheel and sdist, runs a job, and leaves no trace."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import radar_cli
from tests.support.depth import depth
from tests.support.pings import kinds
from tests.support.radar import environment
from tests.support.requirements import require

_CHECKOUT = Path(__file__).parent.parent.parent
_OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
_PYTHONS = ("3.11", "3.12", "3.13")
_NEWER = "9.9.9"
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
    """A wheel and an sdist of the checkout, and the wheel of a newer version."""
    folder = tmp_path_factory.mktemp("artefacts")
    hatchling = Path(sys.executable).parent / "hatchling"
    require(hatchling.exists(), "hatchling is not installed (tests/run installs it)")
    build: list[str | Path] = [hatchling, "build", "-d"]
    subprocess.run([*build, folder], cwd=_CHECKOUT, check=True)
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "dist", "tests")
    shutil.copytree(_CHECKOUT, folder / "copy", ignore=ignored)
    init = folder / "copy/radar_cli/__init__.py"
    init.write_text(init.read_text().replace(f'"{radar_cli.__version__}"', f'"{_NEWER}"'))
    newer = folder / "newer"
    subprocess.run([*build, newer, "-t", "wheel"], cwd=folder / "copy", check=True)
    found = {"wheel": folder.glob("*.whl"), "sdist": folder.glob("*.tar.gz")}
    found["newer"] = newer.glob("*.whl")
    return {kind: next(paths) for kind, paths in found.items()}


def test_the_wheel_is_for_every_python(artefacts: dict[str, Path]) -> None:
    assert artefacts["wheel"].name.endswith("-py3-none-any.whl")


def test_both_hold_man_pages_and_completions(artefacts: dict[str, Path]) -> None:
    pages = {path.name for path in (_CHECKOUT / "docs/man").iterdir()}
    with zipfile.ZipFile(artefacts["wheel"]) as wheel:
        shared = [n.partition(".data/data/")[2] for n in wheel.namelist() if ".data/data/" in n]
    assert {Path(n).name for n in shared if n.startswith("share/man/man1/")} == pages
    assert set(shared) >= {
        "share/bash-completion/completions/radar",
        "share/zsh/site-functions/_radar",
        "share/fish/vendor_completions.d/radar.fish",
    }
    with tarfile.open(artefacts["sdist"]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names >= {f"docs/man/{name}" for name in pages} | {"completions/radar.bash"}


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
    own = environment(measured=False, RADAR_CONFIG=None, RADAR_SYSTEM_CONFIG=None)
    doctor = subprocess.run([radar, "doctor", "--json"], env=own, capture_output=True, check=False)
    remarks = json.loads(doctor.stdout)["data"]
    assert [remark for remark in remarks if remark["state"] == "bad"] == []

    *_, upgrade = steps(installer, python, artefacts["newer"], tmp_path)[0]
    again = {"uv tool": ["--force"], "pipx": ["--force"]}.get(installer, [])
    subprocess.run([*upgrade, *again], env=env, cwd=tmp_path, check=True, timeout=600)
    shown = subprocess.check_output([radar, "--version"], env=own, text=True)
    assert shown == f"radar {_NEWER}\n"

    subprocess.run(uninstall, env=env, cwd=tmp_path, check=True, timeout=600)
    shutil.rmtree(tmp_path / "state")  # the user's own
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
