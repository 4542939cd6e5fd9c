import os
import shlex
import signal
from pathlib import Path

import pytest

from tests.support.children import received_signals
from tests.support.pings import kinds, last_ping
from tests.support.processes import is_alive, parent, state
from tests.support.radar import radar_path, run_radar, start_radar
from tests.support.terminal import Terminal
from tests.support.waiting import wait_for_file, wait_until
from tests.wrap.job_control import JOB_CONTROL

SHORT = ("--timeout", "0.3")


def test_a_job_that_is_in_time_is_left_alone() -> None:
    assert run_radar("run", "job", "--timeout", "1h", "-c", "exit 3").returncode == 3
    assert "reason" not in last_ping().fields


def test_term_comes_first(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    term = str(int(signal.SIGTERM))
    done = run_radar("run", "job", *SHORT, "--", children / "on_signal", log, term, "0")

    assert done.returncode == 124
    assert [one.number for one in received_signals(log)][-1] == signal.SIGTERM
    ping = last_ping()
    assert (ping.kind, ping.fields["reason"], ping.fields["exit"]) == ("fail", "timeout", "0")


def test_kill_follows_where_term_is_ignored(children: Path, tmp_path: Path) -> None:
    words = (*SHORT, "--kill-after", "0.2", "--", children / "ignore_term", tmp_path / "log")

    assert run_radar("run", "job", *words).returncode == 124
    assert last_ping().fields["signal"] == str(int(signal.SIGKILL))


def test_all_of_the_group_is_killed(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    line = f"{children}/ignore_term {log} & sleep 60"
    radar = start_radar("run", "job", "--timeout", "0.5", "--kill-after", "0.2", "-c", line)
    grandchild = int(wait_for_file(log).split()[1])

    assert radar.wait(10) == 124
    assert not is_alive(grandchild)
    assert last_ping().fields["signal"] == str(int(signal.SIGTERM))


def test_a_group_that_ends_in_time_is_not_waited_for(tmp_path: Path) -> None:
    line = f"sh -c 'echo up >{tmp_path}/up; exec sleep 60' & sleep 60"
    done = run_radar("run", "job", *SHORT, "--kill-after", "1h", "-c", line, timeout=20)

    assert done.returncode == 124


def test_a_stopped_job_is_ended(tmp_path: Path) -> None:
    line = f"trap 'echo term >{tmp_path}/term; exit' TERM; kill -STOP $$; sleep 60"

    assert run_radar("run", "job", *SHORT, "-c", line, timeout=20).returncode == 124
    assert (tmp_path / "term").exists()


def test_at_a_terminal_only_the_job_is_ended(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    line = f"{children}/ignore_term {log} & exec sleep 60"
    words = [str(radar_path()), "run", "job", "--timeout", "0.5", "-c", line]
    with Terminal(words) as tty:
        grandchild = int(wait_for_file(log).split()[1])
        assert tty.wait() == 124
        assert is_alive(grandchild)
        os.kill(grandchild, signal.SIGKILL)


def test_a_term_before_the_timeout_is_forwarded(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    term = str(int(signal.SIGTERM))
    words = ("--timeout", "1h", "--", children / "on_signal", log, term, "9")
    radar = start_radar("run", "job", *words)
    wait_for_file(log)
    radar.terminate()

    assert radar.wait(10) == 9
    assert [one.number for one in received_signals(log)] == [signal.SIGTERM]


def test_a_stop_and_a_continue_reach_a_job_with_a_timeout(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    end, stop = str(int(signal.SIGUSR2)), str(int(signal.SIGTSTP))
    words = ("--timeout", "1h", "--", children / "on_signal", log, end, "9", stop)
    shell = start_radar("run", "job", *words, prefix=JOB_CONTROL)
    job = int(wait_for_file(log).split()[1])
    radar = parent(job)
    os.kill(radar, signal.SIGTSTP)
    wait_until(lambda: state(radar) == state(job) == "T")
    os.kill(radar, signal.SIGCONT)
    wait_for_file(log, lines=2)
    os.kill(radar, signal.SIGUSR2)

    assert shell.wait(10) == 9


@pytest.mark.parametrize("option", [("--retries", "1"), ("--quiet",), ("--no-output",)])
def test_it_goes_with_other_options(option: tuple[str, ...]) -> None:
    done = run_radar("run", "job", *SHORT, *option, "--", "sh", "-c", "echo hello; exec sleep 60")

    assert done.returncode == 124
    assert kinds() == ["start", "fail"]
    assert done.stdout.count(b"hello\n") == (2 if "--retries" in option else 1)


def test_a_job_that_reads_the_terminal_is_not_stopped(tmp_path: Path) -> None:
    """All streams are redirected, and the job asks its question at /dev/tty, as ssh does."""
    line = "echo asks >/dev/tty; read answer </dev/tty; echo got $answer >out; exit 4"
    words = [str(radar_path()), "run", "job", "--timeout", "30s", "-c", line]
    shell = f"cd {tmp_path}; {shlex.join(words)} </dev/null >radar-out 2>&1; echo code $?"
    with Terminal(["sh", "-c", shell]) as tty:
        tty.read_until(b"asks")
        tty.send(b"yes\n")
        tty.read_until(b"code 4")
    assert (tmp_path / "out").read_text() == "got yes\n"
