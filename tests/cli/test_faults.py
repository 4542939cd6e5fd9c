"""Faults of what a line of a crontab declares, with the store on this machine."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.radar import environment, run_radar


def _faults(key: str) -> list[tuple[str, str, str]]:
    shown = json.loads(run_radar("monitors", "show", key, "--json").stdout)["data"]
    return [(fault["field"], fault["text"], fault["kind"]) for fault in shown["faults"]]


def _notices(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize(
    ("words", "variables", "fault"),
    [
        (("--schedule", "5 2 * *"), {}, ("schedule", "5 2 * *", "bad")),
        (("--every", "1h", "--tz", "Mars/Olympus"), {}, ("tz", "Mars/Olympus", "bad")),
        (("--every", "1h"), {"RADAR_GRACE": "soon"}, ("grace_s", "soon", "bad")),
        ((), {"RADAR_EVERY": "often"}, ("every_s", "often", "bad")),
        ((), {"RADAR_SCHEDULE": "@fortnightly"}, ("schedule", "@fortnightly", "bad")),
        (("--every", "1h"), {"RADAR_MAX_RUNTIME": "1h30"}, ("max_runtime_s", "1h30", "bad")),
        (("--every", "1h"), {"RADAR_HOSTS": "two"}, ("hosts", "two", "bad")),
    ],
)
def test_a_line_whose_stderr_nobody_reads_has_a_fault(
    words: tuple[str, ...], variables: dict[str, str], fault: tuple[str, str, str]
) -> None:
    env = environment() | variables
    for _ in range(2):
        done = run_radar("run", "job", *words, "--", "true", env=env, text=True)
        assert (done.returncode, done.stderr.count("is ignored")) == (0, 1)
    assert _faults("job") == [fault]
    assert run_radar("check").returncode == 1
    better = ("--every", "1h", "--tz", "UTC", "--grace", "1m")
    done = run_radar("run", "job", *better, "--", "true", text=True)
    assert (done.returncode, done.stderr) == (0, "")
    if fault[0] not in ("max_runtime_s", "hosts"):
        assert _faults("job") == []
        assert run_radar("check").returncode == 0


def test_it_is_told_once_through_the_channels(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = tmp_path / "tell"
    script.write_text(f"#!/bin/sh\ncat >>{told}\n")
    script.chmod(0o755)
    Path(os.environ["RADAR_CONFIG"]).write_text(f"[notify.people]\ncommand = ['{script}']\n")
    for _ in range(3):
        run_radar("run", "job", "--schedule", "garbage", "--", "true")
        checked = run_radar("check", "--notify", text=True)
        assert (checked.returncode, checked.stdout) == (1, "")
    (notice,) = _notices(told)
    assert (notice["kind"], notice["reason"], notice["monitor"]) == ("fault", "bad", "job")
    assert "declared wrongly: bad schedule 'garbage'" in notice["subject"]


def test_a_grace_that_hides_a_run_is_beware_and_no_reason_to_fail() -> None:
    run_radar("run", "job", "--every", "5m", "--grace", "1h", "--", "true")
    checked = run_radar("check", text=True)
    assert checked.returncode == 0
    assert "beware" in checked.stdout
    assert run_radar("check", "--format", "nagios").returncode == 1
    assert run_radar("check", "--format", "prometheus", text=True).stdout.count("_fault{") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--server", ""),
        ("check",),
        ("check", "--notify"),
        ("monitors", "list"),
        ("monitors", "show", "job"),
    ],
)
def test_a_config_that_cant_be_read_is_not_taken_for_none(words: tuple[str, ...]) -> None:
    run_radar("run", "job", "--", "true")
    Path(os.environ["RADAR_CONFIG"]).write_text("server = [\n")
    said = run_radar(*words, text=True)
    assert (said.returncode, said.stdout) == (2, "")
    assert os.environ["RADAR_CONFIG"] in said.stderr
    # A run goes on as ever.
    assert run_radar("run", "job", "--", "sh", "-c", "exit 3").returncode == 3
