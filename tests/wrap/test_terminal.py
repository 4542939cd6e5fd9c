import os
import signal
from pathlib import Path

import pytest

from tests.support.children import read_report, received_signals
from tests.support.pings import kinds, last_ping, read_pings
from tests.support.processes import children_of, parent, state
from tests.support.radar import environment, radar_path
from tests.support.terminal import Terminal
from tests.support.waiting import wait_for_file, wait_until

SHELL = ("bash", "--norc", "--noprofile", "-i")
END = int(signal.SIGUSR2)


def radar_run(*words: Path | str) -> list[Path | str]:
    return [radar_path(), "run", *words]


def test_the_job_has_the_terminal_itself(tmp_path: Path, children: Path) -> None:
    to = tmp_path / "report"
    env = environment(REPORT_TO=str(to), REPORT_EXIT="3")
    with Terminal(radar_run("job", "--", children / "report"), env) as tty:
        assert tty.wait() == 3
    report = read_report(to)

    assert [report.fds[fd].is_terminal for fd in (0, 1, 2)] == [True] * 3
    assert report.pgid == report.foreground == tty.process.pid
    assert last_ping().body == b""


def test_the_job_knows_the_size_of_the_terminal() -> None:
    with Terminal(radar_run("job", "--", "stty", "size"), rows=33, columns=99) as tty:
        tty.read_until(rb"33 99\r\n")
        assert tty.wait() == 0


def test_a_change_of_size_reaches_the_job_once(tmp_path: Path, children: Path) -> None:
    log = tmp_path / "log"
    with Terminal(radar_run("job", "--", children / "on_signal", log, str(END), "7")) as tty:
        wait_for_file(log)
        tty.resize(10, 20)
        wait_for_file(log, lines=2)
        os.kill(tty.process.pid, END)
        assert tty.wait() == 7

    assert [one.number for one in received_signals(log)] == [signal.SIGWINCH, END]


@pytest.mark.parametrize(
    ("key", "number"), [("c", signal.SIGINT), ("\\", signal.SIGQUIT), ("z", signal.SIGTSTP)]
)
@pytest.mark.parametrize("options", [(), ("--capture",), ("--timeout", "1h")])
def test_a_signal_of_the_terminal_reaches_the_job_once(
    tmp_path: Path, children: Path, key: str, number: int, options: tuple[str, ...]
) -> None:
    log = tmp_path / "log"
    words = radar_run("job", *options, "--", children / "on_signal", log, str(END), "7")
    with Terminal(words) as tty:
        wait_for_file(log)
        tty.send_control(key)
        wait_for_file(log, lines=2)
        os.kill(tty.process.pid, END)
        assert tty.wait() == 7

    assert [one.number for one in received_signals(log)] == [number, END]
    assert kinds() == ["start", "fail"]


def test_a_signal_of_the_terminal_reaches_all_of_a_group_of_its_own(
    tmp_path: Path, children: Path
) -> None:
    log = tmp_path / "log"
    # With all three streams elsewhere the job has its own group, which the terminal doesn't know.
    line = f"{children}/on_signal {log} {int(signal.SIGINT)} 7; exit 8"
    words = radar_run("job", "--timeout", "1h", "-c", f"trap : INT; {line}")
    apart = 'exec "$@" </dev/null >/dev/null 2>&1'
    with Terminal(["sh", "-c", apart, "sh", *words]) as tty:
        wait_for_file(log)
        tty.send_control("c")
        assert tty.wait() == 8

    assert [one.number for one in received_signals(log)] == [signal.SIGINT]


def test_control_c_ends_radar_by_the_signal_and_is_reported() -> None:
    with Terminal(radar_run("job", "--", "sh", "-c", "echo up; exec sleep 60")) as tty:
        tty.read_until(b"up")
        tty.send_control("c")
        assert tty.wait() == -signal.SIGINT

    assert last_ping().fields["signal"] == str(int(signal.SIGINT))


def test_control_c_stops_a_shell_loop() -> None:
    radar = radar_path()
    with Terminal(SHELL, environment(PS1="ready> ")) as tty:
        tty.read_until(b"ready> ")
        tty.send(f"while {radar} run x -- sh -c 'echo u''p; exec sleep 60'; do :; done\n".encode())
        tty.read_until(rb"\rup")
        tty.send_control("c")
        tty.read_until(b"ready> ")
        tty.send(b"echo the; echo end; exit 5\n")
        tty.read_until(rb"\nend")
        assert tty.wait() == 5

    assert kinds() == ["start", "fail"]


def test_control_c_between_two_tries_ends_radar_by_the_signal() -> None:
    words = radar_run("job", "--retries", "3", "--retry-delay", "1h", "-c", "echo up; exit 4")
    with Terminal(words) as tty:
        tty.read_until(b"up")
        wait_until(lambda: kinds() == ["start"])
        wait_until(lambda: not children_of(tty.process.pid))
        tty.send_control("c")
        assert tty.wait() == -signal.SIGINT

    assert last_ping().fields["exit"] == "4"


@pytest.mark.parametrize("options", ["", "--capture", "--timeout 1h"])
def test_a_shell_stops_and_continues_the_job(tmp_path: Path, children: Path, options: str) -> None:
    log = tmp_path / "log"
    with Terminal(SHELL, environment(PS1="ready> ")) as tty:
        tty.read_until(b"ready> ")
        stop = f"{int(signal.SIGTSTP)} {int(signal.SIGCONT)}"
        command = f"{children / 'on_signal'} {log} {END} 7 {stop}"
        tty.send(f"{radar_path()} run job {options} -- {command}; echo code=$?\n".encode())
        job = int(wait_for_file(log).split()[1])
        radar = parent(job)
        for _ in range(2):
            tty.send_control("z")
            tty.read_until(rb"Stopped")
            wait_until(lambda: state(job) == "T" and state(radar) == "T")
            tty.send(b"fg\n")
            wait_until(lambda: state(job) == "S" and state(radar) == "S")
            wait_until(lambda: tty.foreground_group() == radar)
        os.kill(radar, END)
        tty.read_until(b"ready> ")
        tty.send(b"exit 5\n")
        assert tty.wait() == 5

    assert [one.number for one in received_signals(log)] == [END]
    assert last_ping().fields["exit"] == "7"


def test_a_job_that_stops_itself_gives_the_terminal_back() -> None:
    with Terminal(SHELL, environment(PS1="ready> ")) as tty:
        tty.read_until(b"ready> ")
        tty.send(
            f"{radar_path()} run job -- sh -c 'kill -STOP $$; echo a''gain; exit 3'\n".encode()
        )
        tty.read_until(rb"Stopped")
        tty.read_until(b"ready> ")
        tty.send(b"fg; echo code=$?\n")
        tty.read_until(rb"again\r\ncode=3\r\n")
        tty.send(b"exit\n")
        tty.wait()


def test_a_job_that_is_not_stopped_by_the_key_keeps_the_terminal(
    tmp_path: Path, children: Path
) -> None:
    log = tmp_path / "log"
    with Terminal(SHELL, environment(PS1="ready> ")) as tty:
        tty.read_until(b"ready> ")
        tty.send(f"{radar_path()} run job -- {children}/on_signal {log} {END} 7\n".encode())
        job = int(wait_for_file(log).split()[1])
        tty.send_control("z")
        wait_for_file(log, lines=2)
        os.kill(parent(job), END)
        tty.read_until(b"ready> ")
        assert b"Stopped" not in tty.screen
        tty.send(b"exit\n")
        tty.wait()

    assert [one.number for one in received_signals(log)] == [signal.SIGTSTP, END]


def test_a_stopped_job_where_no_shell_watches_does_not_stop_radar() -> None:
    words = radar_run("job", "--", "sh", "-c", "kill -STOP $$; echo again; exit 3")
    with Terminal(words) as tty:
        job = wait_until(lambda: children_of(tty.process.pid)).pop()
        wait_until(lambda: state(job) == "T")
        wait_until(read_pings)
        os.kill(job, signal.SIGCONT)
        tty.read_until(b"again")
        assert tty.wait() == 3


def test_a_hangup_reaches_the_job_once(tmp_path: Path, children: Path) -> None:
    log = tmp_path / "log"
    hup = str(int(signal.SIGHUP))
    tty = Terminal(radar_run("job", "--", children / "on_signal", log, hup, "7", "18"))
    wait_for_file(log)
    os.close(tty.master)
    tty.master = os.open(os.devnull, os.O_RDWR)

    assert tty.process.wait(10) == 7
    assert [one.number for one in received_signals(log)] == [signal.SIGHUP]
    assert kinds() == ["start", "fail"]
    tty.close()


def test_a_hangup_of_the_shell_reaches_the_job(tmp_path: Path, children: Path) -> None:
    log = tmp_path / "log"
    tty = Terminal(SHELL, environment(PS1="ready> "))
    tty.read_until(b"ready> ")
    hup = int(signal.SIGHUP)
    tty.send(f"{radar_path()} run job -- {children}/on_signal {log} {hup} 7\n".encode())
    wait_for_file(log)
    tty.close()

    wait_until(lambda: kinds() == ["start", "fail"])
    assert signal.SIGHUP in [one.number for one in received_signals(log)]


def test_it_captures_at_a_terminal_when_asked() -> None:
    words = radar_run("job", "--capture", "--", "sh", "-c", "test -t 1 || echo piped; test -t 0")
    with Terminal(words) as tty:
        tty.read_until(b"piped\r\n")
        assert tty.wait() == 0

    assert last_ping().body == b"piped\n"


def test_an_output_that_is_no_terminal_is_captured_beside_one_that_is(tmp_path: Path) -> None:
    line = f"{radar_path()} run job -- sh -c 'echo out; echo err >&2' >{tmp_path}/out"
    with Terminal(["sh", "-c", line]) as tty:
        tty.read_until(b"err\r\n")
        assert tty.wait() == 0

    assert (tmp_path / "out").read_bytes() == b"out\n"
    assert last_ping().body == b"out\n"
