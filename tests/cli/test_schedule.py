"""`radar schedule next|explain`."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.radar import run_radar


def test_it_prints_the_next_runs_in_both_timezones() -> None:
    shown = run_radar("schedule", "next", "5 2 * * 1", "--tz", "Asia/Tokyo", "-n", "3", text=True)
    assert shown.returncode == 0
    header, *lines = shown.stdout.splitlines()
    assert header.startswith("in Asia/Tokyo")
    assert "here (" in header
    assert len(lines) == 3
    assert all(line.startswith("Mon ") and " 02:05 JST" in line for line in lines)


def test_it_tells_programs_moments_in_utc() -> None:
    shown = run_radar("schedule", "next", "@hourly", "--tz", "UTC", "--json")
    moments = [datetime.fromisoformat(s["at"]) for s in json.loads(shown.stdout)["data"]]
    assert len(moments) == 5
    assert moments[0] > datetime.now(UTC)
    assert {b - a for a, b in itertools.pairwise(moments)} == {timedelta(hours=1)}


def test_it_explains_in_words_with_warnings() -> None:
    shown = run_radar("schedule", "explain", "30 1 * * *", "--tz", "Europe/London", text=True)
    assert shown.returncode == 0
    assert shown.stdout.startswith("at 01:30 every day, by the clock of Europe/London\nnext: ")
    assert "it runs once at 02:00 instead" in shown.stderr


def test_it_warns_by_the_grace_that_is_given() -> None:
    words = ("schedule", "explain", "*/5 * * * *")
    assert "goes unnoticed" in run_radar(*words, text=True).stderr
    assert run_radar(*words, "--grace", "1m", text=True).stderr == ""


def test_what_never_runs_is_bad() -> None:
    for name in ("next", "explain"):
        shown = run_radar("schedule", name, "0 0 30 2 *", text=True)
        assert shown.returncode == 1
        assert "never matches" in shown.stderr


def test_it_knows_the_schedules_of_monitors() -> None:
    run_radar("run", "job", "--schedule", "7 3 * * *", "--tz", "Asia/Tokyo", "--", "true")
    run_radar("run", "plain", "--", "true")
    shown = run_radar("schedule", "explain", "job", text=True)
    assert shown.stdout.startswith("at 03:07 every day, by the clock of Asia/Tokyo\n")
    assert "no cron schedule" in run_radar("schedule", "explain", "plain", text=True).stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("61 * * * *",), "bad minute '61'"),
        (("* * * * * *",), "it has 6 fields"),
        (("5 2 * * *", "--tz", "Mars/Base"), "no timezone 'Mars/Base'"),
        (("5 2 * * *", "-n", "0"), "bad number of runs 0"),
        (("nobody",), "no monitor 'nobody'"),
        (("5 2 * * *\x1b[2J",), "bad "),
    ],
)
def test_bad_input_gets_one_clear_line(words: tuple[str, ...], hint: str) -> None:
    shown = run_radar("schedule", "next", *words)
    assert shown.returncode == 2
    assert shown.stdout == b""
    assert len(shown.stderr.splitlines()) == 1
    assert hint in shown.stderr.decode()
    assert b"\x1b" not in shown.stderr


def test_a_monitor_with_an_interval_is_shown_elsewhere() -> None:
    run_radar("monitors", "create", "sync", "--every", "1h")
    shown = run_radar("schedule", "next", "sync", text=True)
    assert shown.returncode == 2
    hint = "('radar monitors show sync' shows what is expected of it)"
    assert shown.stderr == f"radar: monitor 'sync' has no cron schedule {hint}\n"
