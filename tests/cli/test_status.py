"""`radar status`, as people and programs see it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Outbox
from tests.support.radar import environment, run_radar, spool_files, start_radar
from tests.support.waiting import wait_until


def _status(*words: str) -> list[dict[str, Any]]:
    shown = run_radar("status", *words, "--json")
    assert shown.returncode == 0
    data: list[dict[str, Any]] = json.loads(shown.stdout)["data"]
    return data


def test_it_says_what_to_try_when_there_is_nothing_yet() -> None:
    shown = run_radar("status", text=True)
    assert (shown.returncode, shown.stdout) == (0, "")
    assert "radar run hello -- echo hello" in shown.stderr


def test_it_says_where_the_monitors_of_a_server_on_another_database_are(tmp_path: Path) -> None:
    env = environment(RADAR_DATABASE=f"sqlite://{tmp_path}/other.db")
    for words in (("status",), ("monitors", "list")):
        assert (
            "RADAR_DATABASE is where a server keeps" in run_radar(*words, env=env).stderr.decode()
        )
        assert b"RADAR_DATABASE" not in run_radar(*words).stderr
    run_radar("run", "here", "--", "true")
    assert b"RADAR_DATABASE" not in run_radar("status", env=env).stderr


def test_it_shows_what_the_last_run_of_each_monitor_did() -> None:
    run_radar("run", "good", "--every", "6h", "--", "echo", "done")
    run_radar("run", "bad", "--", "sh", "-c", "echo no space; exit 5")
    run_radar("run", "killed", "--", "sh", "-c", "kill -9 $$")
    lines = run_radar("status", text=True).stdout.splitlines()
    assert lines[0].split("  ")[0] == "monitor"
    bad, killed, good = lines[1:]
    assert "down (failed)" in bad
    assert "5" in bad.split()
    assert bad.endswith("unwatched  no space")
    assert "up" in good.split()
    assert good.endswith("every 6 h  done")
    assert "SIGKILL" in killed


def test_it_tells_programs_everything() -> None:
    run_radar("run", "job", "--tag", "a,b", "--name", "My job", "--", "sh", "-c", "echo x; exit 7")
    (job,) = _status()
    assert (job["status"], job["reason"], job["watched"]) == ("down", "failed", False)
    assert (job["name"], job["tags"]) == ("My job", ["a", "b"])
    run = job["last_run"]
    assert (run["exit_code"], run["signal"], run["output"]) == (7, None, "x\n")
    assert run["started_at"] < run["ended_at"]
    assert run["cpu_s"] >= 0
    assert run["host"] == os.uname().nodename


def test_it_shows_a_run_that_goes_on(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job = start_radar("run", "long", "--", "cat", gate)
    wait_until(spool_files)
    (long,) = _status()
    assert (long["status"], long["running"], long["last_run"]) == ("new", 1, None)
    gate.write_text("go\n")
    assert job.wait(30) == 0
    (long,) = _status()
    assert (long["status"], long["running"]) == ("up", 0)
    assert long["last_run"]["output"] == "go\n"


def test_it_shows_only_the_named_monitors() -> None:
    for key in ("a", "b"):
        run_radar("run", key, "--", "true")
    assert [monitor["key"] for monitor in _status("b")] == ["b"]
    missing = run_radar("status", "c", text=True)
    assert "no monitor 'c'" in missing.stderr


def test_it_shows_the_tail_with_verbose() -> None:
    run_radar("run", "job", "--", "seq", "30")
    shown = run_radar("status", "-v", text=True).stdout
    assert "    ...\n    11\n" in shown
    assert shown.endswith("    30\n")


def test_it_keeps_the_columns_of_the_output() -> None:
    run_radar("run", "job", "--", "printf", r"1\tone\n22\ttwo\n")
    assert "    1       one\n    22      two\n" in run_radar("status", "-v", text=True).stdout
    assert "22      two" in run_radar("status", text=True).stdout


def test_it_never_lets_output_reach_the_terminal_as_commands() -> None:
    run_radar("run", "job", "--", "printf", r"\033]0;owned\007\033[2J\n")
    for words in (("status",), ("status", "-v")):
        shown = run_radar(*words).stdout
        assert b"owned" in shown
        assert b"\x1b" not in shown
        assert b"\x07" not in shown


def test_it_says_how_many_pings_are_not_delivered(state_dir: Path) -> None:
    Outbox(str(state_dir)).put(
        Ping("fail", "x", time_us=1), {"server": "https://radar.example"}, durable=False
    )
    assert "1 ping is not delivered yet" in run_radar("status", text=True).stderr


def test_it_says_where_pings_go_if_not_here() -> None:
    env = environment(CRONRADAR_API_KEY="k", CRONRADAR_BASE_URL="http://127.0.0.1:9")
    shown = run_radar("status", env=env, text=True)
    assert shown.returncode == 0
    assert "pings go to http://127.0.0.1:9" in shown.stderr


@pytest.mark.parametrize("content", [b"x" * 5000])
def test_it_says_in_one_line_that_the_store_is_broken(state_dir: Path, content: bytes) -> None:
    state_dir.mkdir()
    (state_dir / "radar.db").write_bytes(content)
    run_radar("run", "job", "--", "true")
    shown = run_radar("status", text=True)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert len(shown.stderr.splitlines()) == 1
    assert "move it away" in shown.stderr
    assert len(spool_files()) == 2  # nothing is lost
    (state_dir / "radar.db").unlink()
    assert [monitor["status"] for monitor in _status()] == ["up"]
