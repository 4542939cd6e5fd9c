"""Radar is removed, or replaced by another version, while a job runs: the job doesn't notice."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import radar_cli
from tests.support import processes
from tests.support.answers import delayed, hang
from tests.support.pings import kinds, read_pings
from tests.support.radar import environment, run_radar
from tests.support.server import Server
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
        ((), "sleep 3 & exit 6", 6),
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
    with (tmp_path / "said").open("wb") as said:
        radar = processes.remember(subprocess.Popen(words, env=env, stdout=said, stderr=said))
    wait_until(lambda: kinds() == ["start"])
    package.rename(tmp_path / "gone")
    (tmp_path / "go").touch()

    assert radar.wait(20) == code
    assert (tmp_path / "said").read_text() in ("", "much done\n")
    assert kinds() == ["start", "success" if code == 0 else "fail"]


def test_its_pings_are_kept_though_nothing_more_can_be_imported(
    tmp_path: Path, server: Server
) -> None:
    package = tmp_path / "here" / "radar_cli"
    shutil.copytree(Path(radar_cli.__path__[0]), package)
    own = {"PYTHONPATH": str(package.parent), "RADAR_SERVER": server.url, "RADAR_API_KEY": "k1"}
    env = environment(measured=False) | own
    server.behave(hang())
    run_radar("run", "left-behind", "--", "true", env=env | {"RADAR_PING_TIMEOUT": "0.1"})
    before = len(server.requests)
    server.behave(delayed(0.5))
    words = [sys.executable, "-P", "-m", "radar_cli", "run", "job", "--", "sleep", "2"]
    radar = processes.remember(
        subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    )
    wait_until(lambda: len(server.requests) > before)
    package.rename(tmp_path / "gone")

    _, said = radar.communicate(timeout=20)
    assert radar.returncode == 0
    expected = ("radar: job: pings are kept: Module", "radar: job: the outbox is not trimmed")
    assert all(line.startswith(expected) for line in said.decode().splitlines())
    assert [ping.kind for ping in server.accepted] == ["start"]
    assert [ping.kind for ping in read_pings() if ping.monitor == "job"] == ["success"]


def test_it_reports_the_outcome_though_the_output_can_no_longer_be_searched(
    tmp_path: Path,
) -> None:
    package = tmp_path / "here" / "radar_cli"
    shutil.copytree(Path(radar_cli.__path__[0]), package)
    env = environment(measured=False) | {"PYTHONPATH": str(package.parent)}
    script = f"until [ -e {tmp_path}/go ]; do sleep 0.02; done; echo card 4711; exit 3"
    run = [sys.executable, "-P", "-m", "radar_cli", "run", "job", "--redact", "card [0-9]+"]
    radar = processes.remember(subprocess.Popen([*run, "--", "sh", "-c", script], env=env))
    wait_until(lambda: kinds() == ["start"])
    package.rename(tmp_path / "gone")
    (tmp_path / "go").touch()

    assert radar.wait(20) == 3
    assert kinds() == ["start", "fail"]
    assert read_pings()[-1].fields["exit"] == "3"
    assert b"left out" in read_pings()[-1].body
    assert b"4711" not in read_pings()[-1].body
