"""Radar is removed, or replaced by another version, while a job runs: the job doesn't notice."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import radar_cli
from tests.support import processes
from tests.support.pings import kinds
from tests.support.radar import environment
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    ("options", "end", "code"),
    [
        ((), "exit 0", 0),
        ((), "echo much done; exit 3", 3),
        ((), "kill -9 $$", -9),
        (("--timeout", "1s"), "sleep 60", 124),
        (
            ("--timeout", "1s", "--kill-after", "0.1s"),
            "trap '' TERM; sleep 60 & wait; sleep 60",
            124,
        ),
        (("--schedule", "@daily", "--grace", "10m"), "exit 5", 5),
    ],
)
def test_the_job_ends_as_it_would(
    tmp_path: Path, options: tuple[str, ...], end: str, code: int
) -> None:
    package = tmp_path / "here" / "radar_cli"
    shutil.copytree(Path(radar_cli.__path__[0]), package)
    env = environment(measured=False) | {"PYTHONPATH": str(package.parent)}
    script = f"until [ -e {tmp_path}/go ]; do sleep 0.02; done; {end}"
    run = [sys.executable, "-P", "-m", "radar_cli", "run", "job", *options]
    words = [*run, "--", "sh", "-c", script]
    radar = processes.remember(
        subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    )
    wait_until(lambda: kinds() == ["start"])
    package.rename(tmp_path / "gone")
    (tmp_path / "go").touch()

    _, said = radar.communicate(timeout=20)
    assert (radar.returncode, said) == (code, b"")
    assert kinds() == ["start", "success" if code == 0 else "fail"]
