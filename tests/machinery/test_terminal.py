import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.children import read_report, received_signals
from tests.support.processes import state
from tests.support.radar import environment
from tests.support.terminal import Terminal
from tests.support.waiting import wait_for_file, wait_until

SHELL = ("bash", "--norc", "--noprofile", "-i")


def test_it_is_the_controlling_terminal_of_a_session_of_its_own(
    tmp_path: Path, children: Path
) -> None:
    to = tmp_path / "report"
    with Terminal([children / "report"], environment(REPORT_TO=str(to), REPORT_EXIT="3")) as tty:
        assert tty.wait() == 3
    report = read_report(to)

    assert report.pid == report.sid == report.pgid == report.foreground == tty.process.pid
    assert [report.fds[number].is_terminal for number in (0, 1, 2)] == [True] * 3


def test_it_turns_a_control_character_into_a_signal_of_the_kernel(
    tmp_path: Path, children: Path
) -> None:
    log = tmp_path / "log"
    with Terminal([children / "on_signal", log, str(int(signal.SIGINT)), "7"]) as tty:
        wait_for_file(log)
        tty.send_control("\\")
        wait_for_file(log, lines=2)
        tty.send_control("c")
        assert tty.wait() == 7

    received = received_signals(log)
    assert [signal.Signals(one.number).name for one in received] == ["SIGQUIT", "SIGINT"]
    assert [one.code for one in received] == [128, 128]  # SI_KERNEL


def test_it_stops_and_continues_jobs_in_a_shell(tmp_path: Path, children: Path) -> None:
    log = tmp_path / "log"
    with Terminal(SHELL, environment(PS1="ready> ")) as tty:
        tty.read_until(b"ready> ")
        stop = f"{int(signal.SIGTSTP)} {int(signal.SIGCONT)}"
        command = f"{children / 'on_signal'} {log} {int(signal.SIGTERM)} 7 {stop}"
        tty.send(f"{command}; echo code=$?\n".encode())
        pid = int(wait_for_file(log).split()[1])
        assert tty.foreground_group() == pid

        tty.send_control("z")
        tty.read_until(rb"Stopped")
        wait_until(lambda: state(pid) == "T")
        assert tty.foreground_group() == tty.process.pid

        tty.send(b"fg\n")
        wait_until(lambda: state(pid) != "T")
        wait_until(lambda: tty.foreground_group() == pid)
        os.kill(pid, signal.SIGTERM)
        tty.read_until(b"ready> ")
        tty.send(b"exit 5\n")
        assert tty.wait() == 5


def test_it_tells_the_size_and_its_change(tmp_path: Path, children: Path) -> None:
    with Terminal(["stty", "size"], rows=33, columns=99) as tty:
        tty.read_until(rb"33 99\r\n")
        tty.wait()
    log = tmp_path / "log"
    with Terminal([children / "on_signal", log, str(int(signal.SIGWINCH)), "0"]) as tty:
        wait_for_file(log)
        tty.resize(10, 20)
        assert tty.wait() == 0


def test_it_shows_what_came_instead() -> None:
    with (
        Terminal(["echo", "hello"]) as tty,
        pytest.raises(AssertionError, match=r"no b'bye' on the terminal, only b'hello\\r\\n'"),
    ):
        tty.read_until(b"bye", timeout_s=0.3)


def test_it_ends_what_ignores_the_hangup(tmp_path: Path, children: Path) -> None:
    log = tmp_path / "log"
    with Terminal([children / "ignore_term", log]) as tty:
        wait_for_file(log)

    assert tty.process.returncode == -signal.SIGKILL


def test_its_kernel_agrees_that_a_plain_child_has_no_terminal(
    tmp_path: Path, children: Path
) -> None:
    to = tmp_path / "report"
    env = environment(REPORT_TO=str(to))
    subprocess.run(["setsid", "--wait", children / "report"], env=env, check=True)

    assert read_report(to).foreground == -1
