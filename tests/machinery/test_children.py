import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.children import flood_bytes, read_report, received_signals
from tests.support.processes import is_alive, remember
from tests.support.waiting import wait_for_file, wait_until


def test_report_shows_the_bytes_it_was_given(tmp_path: Path, children: Path) -> None:
    to = tmp_path / "report"
    every_byte = bytes(range(1, 256))
    env = {b"REPORT_TO": os.fsencode(to), b"REPORT_EXIT": b"42", b"ODD": every_byte}
    done = subprocess.run(
        [children / "report", every_byte],
        env=env,
        cwd=tmp_path,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    report = read_report(to)

    assert done.returncode == 42
    assert report.argv == [os.fsencode(children / "report"), every_byte]
    assert report.env() == env
    assert report.cwd == os.fsencode(tmp_path)
    assert report.fds[0].target == b"/dev/null"
    assert report.ppid == os.getpid()


def test_report_shows_the_state_that_launch_prepared(tmp_path: Path, children: Path) -> None:
    to = tmp_path / "report"
    chld, usr1 = int(signal.SIGCHLD), int(signal.SIGUSR1)
    options = f"-i {chld} -b {usr1} -c 0 -o 9 -n 3 -u 027 -N 1".split()
    subprocess.run(
        [children / "launch", *options, "--", children / "report"],
        env={"REPORT_TO": str(to)},
        stdout=subprocess.PIPE,
        check=True,
    )
    report = read_report(to)

    assert (report.is_ignored(chld), report.is_blocked(chld)) == (True, False)
    assert (report.is_ignored(usr1), report.is_blocked(usr1)) == (False, True)
    assert sorted(report.fds) == [1, 2, 9]
    assert report.fds[1].flags & os.O_NONBLOCK
    assert (report.umask, report.nice) == (0o27, os.nice(0) + 3)


def test_on_signal_counts_and_leaves_some_alone(tmp_path: Path, children: Path) -> None:
    log = tmp_path / "log"
    term, stop = str(int(signal.SIGTERM)), str(int(signal.SIGTSTP))
    process = remember(subprocess.Popen([children / "on_signal", log, term, "7", stop]))
    assert wait_for_file(log) == b"ready %d\n" % process.pid
    for count, number in enumerate((signal.SIGHUP, signal.SIGUSR1, signal.SIGHUP, 64), start=2):
        process.send_signal(number)
        wait_for_file(log, lines=count)
    process.terminate()

    assert process.wait(10) == 7
    received = received_signals(log)
    assert [one.number for one in received] == [1, 10, 1, 64, 15]
    assert {(one.code, one.sender) for one in received} == {(0, os.getpid())}


def test_ignore_term_ignores_it(tmp_path: Path, children: Path) -> None:
    process = remember(subprocess.Popen([children / "ignore_term", tmp_path / "log"]))
    wait_for_file(tmp_path / "log")
    process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.1)


def test_block_until_blocks_until_told(tmp_path: Path, children: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    words = [children / "block_until", tmp_path / "fifo", tmp_path / "log"]
    process = remember(subprocess.Popen(words))
    wait_for_file(tmp_path / "log")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.1)
    (tmp_path / "fifo").write_text("42")

    assert process.wait(10) == 42


def test_daemonise_writes_after_its_parent_is_gone(tmp_path: Path, children: Path) -> None:
    fifo, log = tmp_path / "fifo", tmp_path / "log"
    os.mkfifo(fifo)
    process = remember(
        subprocess.Popen([children / "daemonise", fifo, log, "3"], stdout=subprocess.PIPE)
    )
    assert process.wait(10) == 3
    daemon = int(wait_for_file(log).split()[1])
    assert process.stdout is not None
    with fifo.open("wb", buffering=0) as orders:
        orders.write(b"late\n")
        assert process.stdout.readline() == b"late\n"
        process.stdout.close()
        orders.write(b"too late\n")
        content = wait_for_file(log, lines=4)

    assert content.splitlines()[1:] == [b"wrote 5", b"pipe", b"error 32"]
    wait_until(lambda: not is_alive(daemon))


@pytest.mark.parametrize("size", [0, 1, 64, 65536, 200_001])
def test_flood_writes_what_it_is_asked_for(children: Path, size: int) -> None:
    done = subprocess.run([children / "flood", str(size), "5"], capture_output=True, check=False)

    assert (done.returncode, len(done.stdout)) == (5, size)
    assert done.stdout == flood_bytes(0, size)
    assert done.stdout[-100:] == flood_bytes(max(0, size - 100), size)


def test_flood_says_when_its_output_is_full(children: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        assert subprocess.run([children / "flood", "1"], stdout=full, check=False).returncode == 97


@pytest.mark.parametrize("number", [1, 9, 11, 13, 15, 25])
def test_die_of_dies_of_it(children: Path, number: int) -> None:
    ignoring = f"-i {number} -b {number} --".split()
    done = subprocess.run(
        [children / "launch", *ignoring, children / "die_of", str(number)], check=False
    )

    assert done.returncode == -number


def test_first_instruction_tells_when(tmp_path: Path, children: Path) -> None:
    before = time.monotonic_ns()
    subprocess.run([children / "first_instruction", tmp_path / "time"], check=True)

    assert before < int((tmp_path / "time").read_text()) < time.monotonic_ns()


def test_a_report_is_json(tmp_path: Path, children: Path) -> None:
    env = {"REPORT_TO": str(tmp_path / "r")}
    subprocess.run([children / "report"], env=env, check=True)

    assert json.loads((tmp_path / "r").read_text())["limits"].keys() >= {"core", "nofile"}
