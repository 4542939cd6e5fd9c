"""The way without `sigwaitinfo`, as macOS has to go it: here Linux, with that taken from it."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.children import received_signals
from tests.support.pings import kinds, last_ping
from tests.support.processes import parent
from tests.support.radar import environment, radar_path, run_radar, start_radar
from tests.support.terminal import Terminal
from tests.support.waiting import wait_for_file


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(
        "import _signal\ndel _signal.sigwaitinfo, _signal.sigtimedwait\n"
    )
    return environment(measured=False, PYTHONPATH=str(tmp_path))


@pytest.mark.parametrize("code", [0, 7])
def test_it_waits_for_the_job(env: dict[str, str], code: int) -> None:
    done = run_radar("run", "job", "-c", f"echo hello; exit {code}", env=env)

    assert (done.returncode, done.stdout, done.stderr) == (code, b"hello\n", b"")
    assert kinds() == ["start", "fail" if code else "success"]


def test_it_dies_of_the_jobs_signal(env: dict[str, str]) -> None:
    assert run_radar("run", "job", "-c", "kill -9 $$", env=env).returncode == -9


def test_it_ends_a_job_in_time(env: dict[str, str]) -> None:
    words = ("--timeout", "0.2", "--retries", "1", "--retry-delay", "0.2", "--", "sleep", "60")

    assert run_radar("run", "job", *words, env=env).returncode == 124
    assert last_ping().fields["tries"] == "2"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_it_forwards_a_signal_once(
    children: Path, tmp_path: Path, env: dict[str, str], number: signal.Signals
) -> None:
    log, end = tmp_path / "log", signal.SIGUSR2
    words = ("--", children / "on_signal", log, str(int(end)), "7")
    radar = start_radar("run", "job", *words, env=env, prefix=("setsid", "--wait"))
    job = int(wait_for_file(log).split()[1])
    os.kill(parent(job), number)
    wait_for_file(log, lines=2)
    os.kill(parent(job), end)

    assert radar.wait(10) == 7
    assert [one.number for one in received_signals(log)] == [number, end]


def test_it_leaves_the_terminals_signals_to_the_terminal(
    children: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    log = tmp_path / "log"
    words = [str(radar_path()), "run", "job", "--", str(children / "on_signal"), str(log)]
    with Terminal([*words, str(int(signal.SIGQUIT)), "7"], env) as tty:
        wait_for_file(log)
        tty.send_control("c")
        wait_for_file(log, lines=2)
        tty.send_control("\\")
        assert tty.wait() == 7

    assert [one.number for one in received_signals(log)] == [signal.SIGINT, signal.SIGQUIT]
