"""`radar monitors list|show`, as people and programs see them."""

import csv
import io
import os
import re
from pathlib import Path

from tests.cli.monitors import data, remember, show
from tests.support.radar import Word, environment, radar_path, run_radar, spool_files, start_radar
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until


def _rows(text: str) -> dict[str, str]:
    """The lines of `show` by their labels; of several with one label the last."""
    return {
        label.strip(): rest for label, _, rest in (x.partition("  ") for x in text.splitlines())
    }


def test_it_lists_what_is_declared() -> None:
    run_radar("monitors", "create", "nightly", "--schedule", "5 2 * * *", "--tz", "Asia/Kolkata")
    run_radar("monitors", "create", "often", "--every", "90s", "--grace", "2m", "--tag", "x,y")
    run_radar("monitors", "create", "none", "--name", "No plan")
    run_radar("monitors", "pause", "none")
    head, *lines = show("list").splitlines()
    assert head.split("  ")[0] == "monitor"
    cells = [re.split(r"  +", line) for line in lines]
    assert cells == [
        ["nightly", "5 2 * * *", "Asia/Kolkata", "5 min", "new"],
        ["none", "No plan", "unwatched", "5 min", "paused"],
        ["often", "every 1 min 30 s", "2 min", "x, y", "new"],
    ]


def test_it_lists_only_those_of_a_tag_or_in_a_status() -> None:
    for key, tags in (("a", "x"), ("b", "x,y"), ("c", "")):
        run_radar("monitors", "create", key, "--tag", tags)
    run_radar("monitors", "pause", "a")
    run_radar("run", "c", "--", "false")

    def keys(*words: str) -> list[str]:
        return [entry["key"] for entry in data("list", *words)]

    assert keys("--tag", "x") == ["a", "b"]
    assert keys("--tag", "x", "--tag", "y") == ["b"]
    assert keys("--status", "paused", "--status", "down") == ["a", "c"]
    assert keys("--status", "up") == []
    nothing = run_radar("monitors", "list", "--tag", "z", text=True)
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert nothing.stderr == "radar: no monitor has --tag z (see 'radar monitors list')\n"
    nothing = run_radar("monitors", "list", "--status", "up", text=True)
    assert (nothing.returncode, nothing.stderr) == (0, "radar: no monitor is like that\n")


def test_it_lists_for_spreadsheets() -> None:
    run_radar("monitors", "create", "a", "--every", "1h", "--name", 'say "hi", all', "--tag", "x,y")
    (row,) = csv.DictReader(io.StringIO(show("list", "--format", "csv")))
    assert (row["key"], row["name"], row["every_s"]) == ("a", 'say "hi", all', "3600.0")
    assert (row["grace_s"], row["tags"], row["status"]) == ("300.0", '["x", "y"]', "new")


def test_it_shows_everything_about_a_monitor(state_dir: Path) -> None:
    declared = {"every": "3600", "gracePeriod": "600", "name": "My job", "tags": "a b"}
    remember(
        state_dir,
        ("start", 5.1, declared),
        ("success", 5.0, {}),
        ("start", 2.1, {}),
        ("fail", 2.0, {"exit": "3", "said": "one\ntwo\n"}),
    )
    rows = _rows(show("show", "job"))
    assert rows["monitor"].strip() == "job"
    assert rows["status"].strip() == "down (missed)"
    assert re.fullmatch(r" *\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, 3 h 56 min ago", rows["since"])
    assert rows["why"].strip() == "no run since it was due"
    assert rows["name"].strip() == "My job"
    assert rows["schedule"].strip() == "every 1 h"
    assert rows["grace"].strip() == "10 min"
    assert rows["tags"].strip() == "a, b"
    assert re.fullmatch(
        r" *\u2713__\u2717_  1 well \u2713, 1 failed \u2717, 3 missed _", rows["runs"]
    )
    assert rows["took"].strip().startswith("\u2588\u2588  6 min")
    assert rows["last run"].strip().startswith("fail (exit 3) in 6 min, ")
    assert rows["last run"].endswith("2 h ago")
    assert data("show", "job")["strip"] == ["success", "missed", "missed", "fail", "missed"]


def test_it_shows_the_end_of_the_last_output() -> None:
    run_radar("run", "job", "--", "seq", "30")
    lines = [line.split() for line in show("show", "job").splitlines()]
    at = next(index for index, words in enumerate(lines) if words[0] == "output")
    assert lines[at][1] == "..."
    assert lines[at + 1 :] == [[str(number)] for number in range(21, 31)]
    run = data("show", "job")["last_run"]
    assert run["output"].splitlines()[-1] == "30"


def test_it_cuts_a_line_that_is_too_long_to_look_at() -> None:
    run_radar("run", "job", "--", "printf", "%05000d", "7")
    shown = show("show", "job")
    assert max(map(len, shown.splitlines())) < 200
    assert "('radar monitors output job' prints all)" in shown


def test_it_says_of_a_long_silence_that_it_is_longer_than_it_looks(state_dir: Path) -> None:
    declared = {"every": "60", "gracePeriod": "60"}
    remember(state_dir, ("start", 5.1, declared), ("success", 5.0, {}))
    rows = _rows(show("show", "job"))
    assert rows["runs"].strip() == "\u2713__________  1 well \u2713, 10+ missed _"


def test_it_shows_a_schedule_in_words_and_what_may_surprise() -> None:
    options = ("--schedule", "30 2 * * *", "--tz", "America/New_York")
    run_radar("monitors", "create", "job", *options)
    shown = show("show", "job")
    rows = _rows(shown)
    assert "30 2 * * *  at 02:30 every day, by the clock of America/New_York" in shown
    assert re.fullmatch(
        r" *\d{4}-\d\d-\d\d 0[123]:\d0:00 E[SD]T, here \d{4}-\d\d-\d\d 0\d:\d0:00 UTC", rows["next"]
    )
    assert "clocks of America/New_York skip 02:30: it runs once at 03:00 instead" in rows["beware"]
    assert rows["last run"].strip() == "none yet"
    assert len(data("show", "job")["warnings"]) == 1


def test_it_shows_a_run_that_goes_on(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job = start_radar("run", "long", "--", "cat", gate)
    wait_until(spool_files)
    rows = _rows(show("show", "long"))
    assert rows["status"].strip() == "new, running"
    assert rows["runs"].strip() == "\u25b8  1 running \u25b8"
    (run,) = data("history", "long")
    assert (run["outcome"], run["ended_at"], run["duration_s"]) == ("running", None, None)
    gate.write_text("go\n")
    assert job.wait(30) == 0


def test_it_draws_with_what_the_terminal_canshow() -> None:
    run_radar("run", "job", "--", "true")
    run_radar("run", "job", "--", "false")
    shown = show("show", "job", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert shown.isascii()
    assert _rows(shown)["runs"].strip() == "+x  1 well +, 1 failed x"


def test_it_shows_people_colours_unless_they_want_none() -> None:
    run_radar("run", "job", "--", "true")
    run_radar("run", "job", "--", "false")
    words: list[Word] = [radar_path(), "monitors", "show", "job"]
    for no_color, colours in ((None, True), ("1", False)):
        with Terminal(words, environment(NO_COLOR=no_color), columns=120) as terminal:
            assert terminal.wait(30) == 0
            screen = terminal.screen.decode()
        drawn = "\x1b[32m\u2713\x1b[0m\x1b[1;31m\u2717\x1b[0m" in screen
        assert drawn is colours
        assert ("\x1b[" in screen) is colours
        assert "1 well \u2713, 1 failed \u2717" in screen


def test_it_never_lets_a_ping_reach_the_terminal_as_commands(state_dir: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202e"
    fields = {"name": evil, "tags": evil, "schedule": evil, "tz": evil, "every": evil}
    said = {"reason": evil, "host": evil, "message": evil, "said": evil, "exit": evil}
    said |= {"signal": "inf", "cpu": "nan", "rss": "inf", "duration": "nan", "tries": "-inf"}
    remember(state_dir, ("start", 1.0, fields), ("fail", 0.9, said))
    for words in (("list",), ("show", "job"), ("history", "job")):
        shown = show(*words)
        assert "owned" in shown
        assert all(line.isprintable() for line in shown.splitlines())
        assert show(*words, "--json").isascii()
    assert run_radar("status").returncode == 0
    with Terminal([radar_path(), "monitors", "output", "job"], environment()) as terminal:
        assert terminal.wait(30) == 0
        assert b"owned" in terminal.screen
        assert b"\x1b" not in terminal.screen
