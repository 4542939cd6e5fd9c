"""`radar top` in a real terminal, and what both live screens need."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from radar_cli.cli.render import Cell
from radar_cli.cli.top.pane import Order, Row
from radar_cli.cli.top.question import Question, Typing
from radar_cli.model.ping import Ping
from radar_cli.store.opening import open_embedded
from tests.cli.test_screens import populate
from tests.support.radar import environment, in_own_environment, radar_path, run_radar
from tests.support.radar_server import serving
from tests.support.screen import Screen
from tests.support.terminal import Terminal


def test_monitors_are_live_and_can_be_worked_with(state_dir: Path) -> None:
    populate(state_dir, 12)
    with Screen([radar_path(), "top", "--interval", "1s"], environment()) as screen:
        shown = screen.until(r"^12 monitors: 2 down, 10 up", r"^sync-2 +down \(failed\)")
        rows = shown.splitlines()[3:]
        assert rows[0].startswith(("queue-9", "sync-2")), "what is down comes first"
        assert len(shown.splitlines()) <= 24
        now_us = time.time_ns() // 1000
        with open_embedded(str(state_dir)) as store:
            store.pings.add([Ping("fail", "db-1", time_us=now_us, body=b"no disk")], now_us)
        screen.until(r"^12 monitors: 3 down", r"^db-1 +down \(failed\).* no disk")
        screen.keys("End", "PPage", "NPage", "Up", "Tab")
        screen.until(r"\[2 notices", "no notices")
        screen.keys("Left", "?")
        screen.until(r"^p +expect nothing of it", r"^\? +these keys")
        screen.keys("Down", "End", "Home", "Escape")
        screen.until(r"\[1 monitors")
        screen.keys("/")
        screen.write("db-1 x")
        screen.until("no row has 'db-1 x'")
        screen.keys("BSpace")
        screen.until(r"1 have 'db-1 '|2 have 'db-1 '")
        screen.keys("Enter", "Home", "Enter")
        screen.until(r"^\[db-1\]", r"^why +fail: no disk", r"^history ", r"^  no disk")
        screen.keys("a")
        screen.until(r"Say that you see to db-1\?")
        screen.keys("y")
        screen.until("db-1: no more reminders until it is up", r"^seen to +by ")
        screen.keys("Escape")
        screen.until(r"\[1 monitors")
        screen.keys("p")
        screen.until("Pause db-1 for how long")
        screen.write("2h")
        screen.keys("Enter")
        screen.until("db-1 is paused until ", r"^db-1 +paused")
        screen.keys("r")
        screen.until("Resume db-1")
        screen.keys("y")
        screen.until("db-1 is resumed")
        screen.keys("z")
        screen.until("Tell nobody of db-1 for how long")
        screen.keys("Enter")
        screen.until("db-1 is snoozed until", "silenced")
        screen.keys("2")
        screen.until("no notices")
        screen.keys("q")
        assert screen.exit_code() == 0


def test_a_server_that_hangs_is_a_line(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        server.ping("backup/fail", b"no disk", create="1")
        env = environment(RADAR_SERVER=server.url, RADAR_API_KEY=server.key)
        with Screen([radar_path(), "top", "--interval", "1s"], env, columns=200, rows=50) as screen:
            screen.until(r"^1 monitor: 1 down", r"^backup +down \(failed\).* no disk")
            os.kill(server.pid, signal.SIGSTOP)
            screen.until("^monitors: no answer for|^monitors: .*http", r"^backup +down")
            screen.keys("?")
            screen.until(r"^p +expect nothing of it")
            os.kill(server.pid, signal.SIGCONT)
            screen.keys("q")
            assert screen.exit_code() == 0


def test_it_says_what_it_needs(tmp_path: Path) -> None:
    done = run_radar("top", text=True)
    assert done.returncode == 2
    assert "top needs a terminal ('radar status' prints once)" in done.stderr
    done = run_radar("celery", "top", "-b", "redis://localhost", text=True)
    assert "top needs a terminal ('radar celery check' prints once)" in done.stderr
    radar = in_own_environment(tmp_path, "import sys\nsys.modules['textual'] = None\n")
    for words in (("top",), ("celery", "top"), ("celery",)):
        # Help needs no screen.
        subprocess.run(
            [radar, *words, "--help"], env=environment(), capture_output=True, check=True
        )
    with Terminal([radar, "top"]) as terminal:
        assert terminal.wait(30) == 2
        assert b"top needs textual" in terminal.screen
        assert b"[top]" in terminal.screen


def test_a_signal_gives_the_terminal_back(state_dir: Path) -> None:
    populate(state_dir, 1)
    with Terminal(
        [radar_path(), "top", "--interval", "1s"], environment(TERM="xterm-256color")
    ) as terminal:
        terminal.read_until(b"1 monitor")
        assert not terminal.has_echo()
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait(20) == -signal.SIGTERM
        assert terminal.has_echo()
        assert terminal.screen.rindex(b"\x1b[?1049l") > terminal.screen.rindex(b"\x1b[?1049h")


@pytest.mark.parametrize(
    ("order", "keys"),
    [
        (Order(), "abcd"),
        (Order(is_reversed=True), "dcba"),
        (Order(column=1), "cdab"),
        (Order(column=1, is_reversed=True), "adcb"),
        (Order(column=0, words="RED x"), "ac"),
        (Order(words="nothing like it"), ""),
    ],
)
def test_rows_are_filtered_and_sorted_and_the_unknown_comes_last(order: Order, keys: str) -> None:
    rows = [
        Row("a", ("x1", Cell("red")), ("x1", 30)),
        Row("b", ("x2", Cell(None)), ("x2", None)),
        Row("c", ("x3", Cell("Red")), ("x3", 4)),
        Row("d", ("x4", Cell("blue")), ("x4", 5)),
    ]
    assert "".join(row.key for row in order.arrange(rows)) == keys


def test_each_press_sorts_by_the_next_column() -> None:
    order, seen = Order(), []
    for _ in range(3):
        order.next_column(2)
        seen.append(order.mark(("a", "b")))
    assert seen == [("a +", "b"), ("a", "b +"), ("a", "b")]


def test_a_question_takes_a_yes_or_what_is_typed() -> None:
    asked = Question("Do it?", print)
    assert [asked.press(key) for key in ("x", "enter", "n", "escape", "y")] == [
        *(None, None, "", "", "y")
    ]
    typed = Question("For how long?", print, Typing("4h"))
    for key in ("ctrl+u", "1", "2", "backspace", "down"):
        assert typed.press(key) is None
    assert typed.typing is not None
    typed.typing.paste("d \x1b\nrm -rf")
    assert typed.shown().endswith("> 1d _")
    assert typed.press("enter") == "1d"
    assert Question("What?", print, Typing("x")).press("escape") == ""
