"""Monitors chosen by keys, globs and tags: the same in every command."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from radar_cli.cli import app
from radar_cli.cli.choosing import natural_order
from radar_cli.model.ping import Ping
from radar_cli.store.opening import open_embedded
from tests.cli.worlds import two_worlds
from tests.support.radar import run_radar

_READING = (
    *("status", "check", "monitors list", "monitors show"),
    *("monitors history", "monitors history --flips", "monitors output"),
)
_CHANGING = (
    *("monitors pause", "monitors resume", "monitors ack", "monitors snooze"),
    *("monitors delete --yes", "monitors update --grace 1m"),
)
_HOUR_US = 3_600_000_000


@pytest.fixture(autouse=True)
def _monitors(state_dir: Path) -> None:
    now_us = time.time_ns() // 1000
    with open_embedded(str(state_dir)) as store:
        for key, tags in (("db-1", "db nightly"), ("db-2", "db"), ("web", "")):
            store.monitors.create(key, {"every": "86400", "tags": tags}, now_us - _HOUR_US)
            store.pings.add(
                [Ping("success", key, time_us=now_us, body=f"{key} Said\n".encode())], now_us
            )


def call(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """What the command line says in this very process, which takes no time to start."""
    code = app.main([*words])
    out, err = capfd.readouterr()
    return code, out, err


def data(capfd: pytest.CaptureFixture[str], *words: str) -> Any:
    code, out, err = call(capfd, *words, "--json")
    assert code in (0, 1), err
    return json.loads(out)["data"]


@pytest.mark.parametrize("line", [*_READING, *_CHANGING])
def test_a_misspelt_monitor_is_the_same_error_everywhere(
    capfd: pytest.CaptureFixture[str], line: str
) -> None:
    words = line.split()
    code, _, err = call(capfd, *words, "bd-1")
    assert (code, err.splitlines()[-1]) == (2, "radar: no monitor 'bd-1' (did you mean 'db-1'?)")
    code, _, err = call(capfd, *words, "zz-*")
    complaint = "radar: no monitor like 'zz-*' (see 'radar monitors list')"
    assert (code, err.splitlines()[-1]) == (2, complaint)
    code, _, err = call(capfd, *words, "--tagged" if "update" in words else "--tag", "nobodys")
    assert (code, "radar: no monitor has --tag nobodys" in err) == (2, True)


@pytest.mark.parametrize("line", _READING)
@pytest.mark.parametrize(
    ("choice", "keys"),
    [
        ("db-*", ["db-1", "db-2"]),
        ("--tag db", ["db-1", "db-2"]),
        ("--tag db --tag nightly", ["db-1"]),
        ("db-[2-9] web", ["db-2", "web"]),
        ("* --tag nightly", ["db-1"]),
    ],
)
def test_it_takes_globs_and_tags(
    capfd: pytest.CaptureFixture[str], line: str, choice: str, keys: list[str]
) -> None:
    found = {entry["key"] for entry in data(capfd, *line.split(), *choice.split())}
    assert found == set(keys)


def test_it_changes_all_that_are_like_a_glob(capfd: pytest.CaptureFixture[str]) -> None:
    def statuses() -> dict[str, str]:
        return {entry["key"]: entry["status"] for entry in data(capfd, "status")}

    call(capfd, "monitors", "pause", "db-*")
    assert statuses() == {"db-1": "paused", "db-2": "paused", "web": "up"}
    code, _, err = call(capfd, "monitors", "resume", "*", "--tag", "nightly")
    assert (code, err) == (0, "")
    assert statuses() == {"db-1": "up", "db-2": "paused", "web": "up"}
    call(capfd, "monitors", "update", "--tagged", "db", "--grace", "7m", "--yes")
    graces = {entry["key"]: entry["grace_s"] for entry in data(capfd, "monitors", "list")}
    assert graces == {"db-1": 420, "db-2": 420, "web": 300}


def test_it_asks_before_it_changes_or_deletes_what_a_glob_chooses() -> None:
    for words, question in (
        (("update", "db-*", "--name", "x"), "Change 2 monitors?"),
        (("delete", "db-*"), "Delete 2 monitors and 2 pings for good?"),
    ):
        done = run_radar("monitors", *words, stdin=b"n\n", text=True)
        assert (done.returncode, question in done.stderr) == (130, True)
        assert run_radar("monitors", *words, stdin=b"y\n").returncode == 0


def test_it_goes_on_with_those_that_are_there(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capfd, "status", "web", "wbe")
    assert (code, out.splitlines()[1].split()[:2]) == (2, ["web", "up"])
    assert call(capfd, "check", "web", "wbe")[0] == 2
    run_radar("ping", "web", "fail")
    # What is bad is the answer, whatever else is wrong.
    assert call(capfd, "check", "web", "wbe")[0] == 1
    code, out, _ = call(capfd, "check", "web", "--tag", "x", "--format", "nagios")
    assert (code, "no monitor 'web' has --tag x" in out) == (3, True)


def test_it_wants_a_monitor_where_all_of_them_are_never_meant(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, _, err = call(capfd, "monitors", "delete", "--yes")
    assert (code, "no monitor is named" in err) == (2, True)


def test_it_searches_in_outputs_and_looks_back(capfd: pytest.CaptureFixture[str]) -> None:
    found = data(capfd, "monitors", "history", "*", "--search", "DB-")
    assert {(entry["key"], entry["found"]) for entry in found} == {
        ("db-1", "db-1 Said"),
        ("db-2", "db-2 Said"),
    }
    assert data(capfd, "monitors", "history", "*", "--search", "nobody") == []
    assert len(data(capfd, "monitors", "history", "web", "--since", "1h")) == 1
    assert data(capfd, "monitors", "history", "web", "--since", "0s") == []
    code, _, err = call(capfd, "monitors", "history", "web", "--since", "soon")
    assert (code, "--since: " in err) == (2, True)


@pytest.mark.slow
def test_it_chooses_and_searches_on_a_server_alike(tmp_path: Path) -> None:
    with two_worlds(tmp_path / "worlds") as worlds:
        for line in (
            "status --tag db",
            "monitors show pa* --json",
            "monitors pause p* --json",
            "monitors history * --search SPACE",
            "monitors history killed --search hand --json",
            "monitors history backup --since 60h --json",
            "monitors history * --flips --since 20h",
            "monitors output plain failed",
        ):
            here, there = worlds.say(*line.split())
            assert (here.code, here.stdout, here.stderr) == (there.code, there.stdout, there.stderr)
            assert here.stdout


def test_it_prints_several_outputs_with_their_keys() -> None:
    done = run_radar("monitors", "output", "db-*", text=True)
    assert done.stdout == "==> db-1 <==\ndb-1 Said\n==> db-2 <==\ndb-2 Said\n"


def test_it_counts_as_people_do() -> None:
    keys = ["db-10", "db-2", "db", "db-2-a", "a1b10", "a1b9"]
    assert sorted(keys, key=natural_order) == ["a1b9", "a1b10", "db", "db-2", "db-2-a", "db-10"]


def test_a_schedule_of_a_misspelt_monitor_is_that_error_too(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, _, err = call(capfd, "schedule", "next", "bd-1")
    assert (code, err) == (2, "radar: no monitor 'bd-1' (did you mean 'db-1'?)\n")
    code, _, err = call(capfd, "schedule", "explain", "*/5")
    assert (code, "an expression stands in quotes" in err) == (2, True)
