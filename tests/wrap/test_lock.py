import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.disk import SmallDisk
from tests.support.pings import kinds, last_ping, read_pings
from tests.support.processes import is_alive, remember
from tests.support.radar import environment, run_radar, start_radar
from tests.support.requirements import require_program
from tests.support.waiting import wait_for_file, wait_until


@pytest.fixture
def running(children: Path, tmp_path: Path) -> "subprocess.Popen[bytes]":
    """A run that holds the lock until something is written into `fifo`."""
    os.mkfifo(tmp_path / "fifo")
    words = ("--", children / "block_until", tmp_path / "fifo", tmp_path / "log")
    radar = start_radar("run", "job", "--lock", "fail", *words)
    wait_for_file(tmp_path / "log")
    wait_until(lambda: kinds() == ["start"])
    return radar


def test_skip_runs_nothing_and_says_so(running: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    done = run_radar("run", "job", "--lock", "skip", "--", "touch", tmp_path / "ran")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not (tmp_path / "ran").exists()
    ping = last_ping()
    assert (ping.kind, ping.fields["reason"]) == ("log", "skipped: another run holds the lock")
    assert ping.run_id != read_pings()[0].run_id
    assert running.poll() is None


def test_fail_runs_nothing_and_fails(running: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    words = ("--lock", "fail", "--send-command", "--tag", "a")
    done = run_radar("run", "job", *words, "--", "touch", tmp_path / "ran", text=True)

    assert done.returncode == 75
    assert done.stderr == "radar: job: not run: another run holds the lock\n"
    assert not (tmp_path / "ran").exists()
    ping = last_ping()
    assert (ping.kind, ping.fields["reason"]) == ("fail", "another run holds the lock")
    assert running.poll() is None


def test_wait_waits_for_the_other_run(running: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    waiting = start_radar("run", "job", "--lock", "wait", "-c", f"touch {tmp_path}/ran; exit 4")
    wait_until(lambda: _waits_for_lock(waiting.pid))
    assert not (tmp_path / "ran").exists()
    (tmp_path / "fifo").write_text("0")

    assert (running.wait(10), waiting.wait(10)) == (0, 4)
    assert kinds() == ["start", "success", "start", "fail"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_waits_can_be_ended(
    running: "subprocess.Popen[bytes]", tmp_path: Path, number: int
) -> None:
    waiting = start_radar("run", "job", "--lock", "wait", "--", "touch", tmp_path / "ran")
    wait_until(lambda: _waits_for_lock(waiting.pid))
    waiting.send_signal(number)

    assert waiting.wait(10) == -number
    assert waiting.stderr is not None
    said = f"ended by signal {number} while it waited for another run's lock"
    assert waiting.stderr.read().decode() == f"radar: job: not run: {said}\n"
    assert not (tmp_path / "ran").exists()
    assert (last_ping().kind, last_ping().fields["reason"]) == ("fail", said)
    assert running.poll() is None


def test_the_wait_has_a_bound(running: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    words = ("--lock", "wait", "--lock-timeout", "1s", "--", "touch", tmp_path / "ran")
    done = run_radar("run", "job", *words, text=True)

    said = "another run has held the lock for 1 s"
    assert (done.returncode, done.stderr) == (75, f"radar: job: not run: {said}\n")
    assert (last_ping().kind, last_ping().fields["reason"]) == ("fail", said)
    assert not (tmp_path / "ran").exists()
    assert running.poll() is None


def _waits_for_lock(pid: int) -> bool:
    """Whether radar is past its arguments: it hears signals, and asks for the lock."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def test_another_monitor_has_another_lock(running: "subprocess.Popen[bytes]") -> None:
    assert run_radar("run", "other", "--lock", "fail", "--", "true").returncode == 0
    assert running.poll() is None


def test_a_run_without_the_option_does_not_care(running: "subprocess.Popen[bytes]") -> None:
    assert run_radar("run", "job", "--", "true").returncode == 0
    assert running.poll() is None


@pytest.mark.parametrize("way", ["exit", "kill job"])
def test_the_lock_is_free_after_the_run(
    running: "subprocess.Popen[bytes]", tmp_path: Path, way: str
) -> None:
    if way == "exit":
        (tmp_path / "fifo").write_text("3")
    else:
        os.kill(int((tmp_path / "log").read_text().split()[1]), signal.SIGKILL)
    running.wait(10)

    assert run_radar("run", "job", "--lock", "fail", "--", "true").returncode == 0


def test_the_job_of_a_killed_radar_still_holds_the_lock(
    running: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    job = int((tmp_path / "log").read_text().split()[1])
    running.kill()
    running.wait(10)
    assert run_radar("run", "job", "--lock", "fail", "--", "true").returncode == 75
    waiting = start_radar("run", "job", "--lock", "wait", "-c", f"touch {tmp_path}/ran; exit 4")
    assert run_radar("run", "job", "--lock", "skip", "--", "touch", tmp_path / "x").returncode == 0
    assert not (tmp_path / "x").exists()
    (tmp_path / "fifo").write_text("0")
    wait_until(lambda: not is_alive(job))

    assert waiting.wait(10) == 4


def test_a_recycled_process_id_holds_no_lock(tmp_path: Path) -> None:
    (tmp_path / "state" / "locks").mkdir(parents=True)
    (tmp_path / "state" / "locks" / "job").write_text(f"{os.getpid()} 1\n")

    assert run_radar("run", "job", "--lock", "fail", "--", "true").returncode == 0


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"garbage\xff", b"1 2 3", b"-1 5"])
def test_a_broken_lock_file_holds_no_lock(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state" / "locks").mkdir(parents=True)
    (tmp_path / "state" / "locks" / "job").write_bytes(content)

    assert run_radar("run", "job", "--lock", "fail", "--", "true").returncode == 0


@pytest.mark.parametrize("lock", ["skip", "wait", "fail"])
def test_without_a_state_directory_the_job_runs_without_a_lock(tmp_path: Path, lock: str) -> None:
    (tmp_path / "file").touch()
    env = environment(RADAR_STATE_DIR=str(tmp_path / "file"))
    done = run_radar("run", "job", "--lock", lock, "-c", "echo ran; exit 4", env=env, text=True)

    assert (done.returncode, done.stdout) == (4, "ran\n")
    assert f"runs without a lock: {tmp_path}/file/locks: Not a directory\n" in done.stderr
    assert done.stderr.count("runs without a lock") == 1


def test_a_full_state_directory_stops_no_job(tmp_path: Path) -> None:
    with SmallDisk(tmp_path) as disk:
        (disk.path / "locks").mkdir()
        disk.fill()
        env = environment(RADAR_STATE_DIR=str(disk.path))
        done = run_radar("run", "job", "--lock", "fail", "-c", "echo ran; exit 4", env=env)

    assert (done.returncode, done.stdout) == (4, b"ran\n")
    assert b" lost: " in done.stderr


@pytest.fixture
def lock_file(state_dir: Path) -> Path:
    (state_dir / "locks").mkdir(parents=True)
    return state_dir / "locks/job"


def _hold(*words: str | Path) -> "subprocess.Popen[bytes]":
    """A program that takes the lock, prints a line, and holds it until its stdin ends."""
    holder = remember(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


def _hold_by_flock(lock_file: Path) -> "subprocess.Popen[bytes]":
    line = "echo held; exec cat >/dev/null"
    return _hold(require_program("flock"), lock_file, "sh", "-c", line)


def _hold_as_radar_0_1_does(lock_file: Path) -> "subprocess.Popen[bytes]":
    code = (
        "import os, sys; fd = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600);"
        "os.lockf(fd, os.F_LOCK, 0); print('held', flush=True); sys.stdin.read()"
    )
    return _hold(sys.executable, "-c", code, lock_file)


@pytest.mark.parametrize("hold", [_hold_by_flock, _hold_as_radar_0_1_does])
def test_it_sees_who_else_holds_the_lock(
    hold: Callable[[Path], "subprocess.Popen[bytes]"], lock_file: Path, tmp_path: Path
) -> None:
    holder = hold(lock_file)
    done = run_radar("run", "job", "--lock", "skip", "--", "touch", tmp_path / "skipped")
    assert (done.returncode, (tmp_path / "skipped").exists()) == (0, False)
    assert run_radar("run", "job", "--lock", "fail", "--", "true").returncode == 75
    waiting = start_radar("run", "job", "--lock", "wait", "-c", f"touch {tmp_path}/ran; exit 4")
    wait_until(lambda: _waits_for_lock(waiting.pid))
    assert not (tmp_path / "ran").exists()
    holder.communicate()
    assert waiting.wait(10) == 4


def test_flock_sees_that_radar_holds_the_lock(
    running: "subprocess.Popen[bytes]", tmp_path: Path, state_dir: Path
) -> None:
    words = [require_program("flock"), "-n", str(state_dir / "locks/job"), "true"]
    assert subprocess.run(words, check=False).returncode == 1
    (tmp_path / "fifo").write_text("0")
    running.wait(10)
    assert subprocess.run(words, check=False).returncode == 0


def test_radar_0_1_sees_that_radar_holds_the_lock(
    running: "subprocess.Popen[bytes]", state_dir: Path
) -> None:
    with (state_dir / "locks/job").open("r+b") as file, pytest.raises(BlockingIOError):
        os.lockf(file.fileno(), os.F_TLOCK, 0)
    assert running.poll() is None
