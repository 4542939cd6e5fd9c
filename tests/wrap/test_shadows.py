"""An application's modules, on PYTHONPATH or in the current directory, are none of radar's."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pings import last_ping
from tests.support.radar import environment, in_own_environment, radar_path

PYTHON = radar_path().parent / "python"


def shadow_everything(folder: Path, beside: str) -> None:
    """A broken module for each of the standard library's, and for each that radar depends on.

    Those that Python itself needs for `beside` are left out: with them it doesn't start.
    """
    bare: list[str | Path] = [PYTHON, "-c", f"{beside}\nimport sys; print(*sys.modules)"]
    env = environment(measured=False)
    needed = subprocess.run(bare, env=env, capture_output=True, text=True, check=True)
    ours = ("click", "rich", "httpx", "croniter", "tomli_w")
    folder.mkdir()
    names = {*sys.stdlib_module_names, *ours} - set(needed.stdout.split())
    # Nothing stands before the ones that are another system's: `_winapi`, say.
    for name in filter(importlib.util.find_spec, names):
        (folder / f"{name}.py").write_text(f"raise RuntimeError('not the real {name}')\n")


@pytest.mark.parametrize(
    "start", [[radar_path()], [PYTHON, "-m", "radar_cli"]], ids=["radar", "python -m"]
)
@pytest.mark.parametrize("way", ["PYTHONPATH", "directory"])
def test_no_module_of_the_job_is_taken_for_one_of_ours(
    start: list[str | Path], way: str, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    shadow_everything(app, "import runpy, importlib.util" if len(start) > 1 else "")
    env = environment(measured=False, **({"PYTHONPATH": str(app)} if way == "PYTHONPATH" else {}))

    def radar(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*start, *words], env=env, cwd=app, capture_output=True, check=False)

    line = "echo out; sleep 0.1; echo err >&2; echo $PYTHONPATH; exit 3"
    done = radar("run", "real", "--fail-on", "x", "--schedule", "@daily", "-c", line)
    assert (done.returncode, done.stderr) == (3, b"err\n")
    assert done.stdout == f"out\n{app if way == 'PYTHONPATH' else ''}\n".encode()
    assert sorted(last_ping().body.splitlines())[-2:] == [b"err", b"out"]
    assert last_ping().fields["cpu"]
    done = radar("run", "real", "-c", "kill -TERM $$")
    assert (done.returncode, done.stderr) == (-15, b"")
    done = radar("ping", "real", "--message", "hello")
    assert (done.returncode, done.stderr) == (0, b"")
    done = radar("status", "--json")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("line", "code"), [("exit 3", 3), ("kill -TERM $$", -15)])
@pytest.mark.parametrize("fake", ["None", "object()"])
def test_without_the_module_for_resource_use_the_exit_code_is_the_jobs(
    fake: str, line: str, code: int, tmp_path: Path
) -> None:
    radar = in_own_environment(tmp_path, f"import sys; sys.modules['resource'] = {fake}\n")
    done = subprocess.run(
        [radar, "run", "job", "-c", f"echo out; {line}"],
        env=environment(measured=False),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (code, b"out\n", b"")
    assert last_ping().body == b"out\n"
    assert "cpu" not in last_ping().fields
