import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import is_alive, no_strays
from tests.support.radar import environment, radar_path, run_radar, start_radar
from tests.support.requirements import require, require_program
from tests.support.waiting import wait_for_file, wait_until


def test_it_tests_the_installed_wheel(radar: Path) -> None:
    where = [sys.executable, "-c", "import radar_cli; print(radar_cli.__file__)"]
    imported = subprocess.run(where, capture_output=True, text=True, check=True)

    assert radar == Path(sys.executable).parent / "radar"
    assert "site-packages" in imported.stdout


def test_it_gives_each_test_a_home_of_its_own(home: Path, tmp_path: Path) -> None:
    assert Path.home() == home
    assert home.is_relative_to(tmp_path)
    assert Path.cwd() == tmp_path
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "RADAR_STATE_DIR", "RADAR_CONFIG"):
        assert Path(os.environ[name]).is_relative_to(tmp_path)


def test_it_lets_nothing_of_the_machine_into_a_child() -> None:
    env = environment(EXTRA="1", TZ=None)

    assert env["EXTRA"] == "1"
    assert "TZ" not in env
    foreign = [name for name in (*os.environ, *env) if name.lower().endswith("_proxy")]
    assert foreign == []


def test_it_leaves_coverage_out_of_what_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", "{}")

    assert "COVERAGE_PROCESS_CONFIG" in environment()
    assert "COVERAGE_PROCESS_CONFIG" not in environment(measured=False)


def test_it_runs_radar() -> None:
    done = run_radar("run", "--no-such-option", text=True)

    assert done.returncode == 125, done.stderr


def test_it_kills_what_a_test_leaves_running(tmp_path: Path, children: Path) -> None:
    log = tmp_path / "log"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    with no_strays():
        started = subprocess.run([children / "daemonise", fifo, log, "3"], check=False)
        daemon = int(wait_for_file(log).split()[1])
        assert is_alive(daemon)

    assert started.returncode == 3
    assert not is_alive(daemon)


def test_it_kills_a_radar_that_a_test_leaves_running(tmp_path: Path, children: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    log = tmp_path / "log"

    with no_strays():
        radar = start_radar("run", "m", "--", children / "block_until", str(fifo), str(log))
        child = int(wait_for_file(log).split()[1])
        assert is_alive(radar.pid)
        assert is_alive(child)

    assert not is_alive(radar.pid)
    assert not is_alive(child)


def test_it_takes_a_process_that_ended_for_dead() -> None:
    process = subprocess.Popen(["true"])

    wait_until(lambda: not is_alive(process.pid))
    assert process.poll() == 0


def test_it_waits_and_then_says_what_did_not_happen() -> None:
    with pytest.raises(AssertionError, match=r"the moon did not happen in 0.05 s \(last: 0\)"):
        wait_until(lambda: 0, timeout_s=0.05, what="the moon")


def test_it_skips_on_a_laptop_what_it_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        require_program("no-such-program")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        require_program("no-such-program")
    with pytest.raises(pytest.fail.Exception, match="a moon"):
        require(False, "a moon")
    assert require_program("sh")


def test_it_has_one_radar(radar: Path) -> None:
    assert radar_path() == radar


def test_it_measures_threads_below_threading_too() -> None:
    code = "import _thread; print(_thread.start_new_thread.__module__)"
    printed = subprocess.check_output([sys.executable, "-c", code], env=environment(), text=True)
    is_measured = "COVERAGE_PROCESS_CONFIG" in os.environ

    assert printed.strip() == ("traced_threads" if is_measured else "_thread")
