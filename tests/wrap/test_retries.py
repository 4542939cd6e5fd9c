import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.pings import kinds, last_ping, read_pings
from tests.support.processes import children_of
from tests.support.radar import environment, radar_path, run_radar, start_radar
from tests.support.waiting import wait_for_file, wait_until


def failing(tmp_path: Path, until: int) -> str:
    """A shell line that fails until it runs for that often."""
    return f"echo try >>{tmp_path}/tries; [ $(wc -l <{tmp_path}/tries) -ge {until} ] || exit 5"


def tries(tmp_path: Path) -> int:
    return (tmp_path / "tries").read_text().count("\n")


def test_it_tries_until_the_job_succeeds(tmp_path: Path) -> None:
    done = run_radar("run", "job", "--retries", "5", "-c", failing(tmp_path, 3))

    assert (done.returncode, tries(tmp_path)) == (0, 3)
    assert kinds() == ["start", "success"]
    start, end = read_pings()
    assert start.run_id == end.run_id
    assert end.fields["tries"] == "3"
    assert float(end.fields["duration"]) * 1e6 <= end.time_us - start.time_us + 1000


def test_it_gives_up_after_the_last_try(tmp_path: Path) -> None:
    done = run_radar("run", "job", "--retries", "2", "-c", failing(tmp_path, 9))

    assert (done.returncode, tries(tmp_path)) == (5, 3)
    assert kinds() == ["start", "fail"]


def test_a_try_that_succeeds_is_the_only_one(tmp_path: Path) -> None:
    assert run_radar("run", "job", "--retries", "2", "-c", failing(tmp_path, 1)).returncode == 0
    assert tries(tmp_path) == 1
    assert "tries" not in last_ping().fields


def test_an_accepted_exit_code_is_not_tried_again(tmp_path: Path) -> None:
    words = ("--retries", "2", "--ok-codes", "5", "-c", failing(tmp_path, 9))

    assert run_radar("run", "job", *words).returncode == 5
    assert tries(tmp_path) == 1


def test_a_job_that_did_not_work_is_tried_again(tmp_path: Path) -> None:
    line = f"echo try >>{tmp_path}/tries; echo ERROR"

    assert run_radar("run", "job", "--retries", "2", "--fail-on", "ERR", "-c", line).returncode == 0
    assert tries(tmp_path) == 3
    assert last_ping().fields["reason"] == "output matched: ERROR"


def test_the_output_of_all_tries_passes(tmp_path: Path) -> None:
    line = f"echo out; echo err >&2; {failing(tmp_path, 3)}"
    done = run_radar("run", "job", "--retries", "2", "-c", line)

    assert (done.stdout, done.stderr) == (b"out\n" * 3, b"err\n" * 3)
    assert sorted(last_ping().body.split()) == [b"err"] * 3 + [b"out"] * 3


def test_a_missing_program_is_looked_for_again(tmp_path: Path) -> None:
    done = run_radar("run", "job", "--retries", "2", "--", tmp_path / "no", text=True)

    assert done.returncode == 127
    assert done.stderr == f"radar: {tmp_path}/no: No such file or directory\n"
    assert kinds()[-1] == "fail"


def test_term_between_two_tries_ends_the_run(tmp_path: Path) -> None:
    line = failing(tmp_path, 9)
    radar = start_radar("run", "job", "--retries", "9", "--retry-delay", "1h", "-c", line)
    wait_for_file(tmp_path / "tries")
    wait_until(lambda: not children_of(radar.pid))
    radar.terminate()

    assert radar.wait(10) == -signal.SIGTERM
    assert tries(tmp_path) == 1
    assert kinds() == ["start", "fail"]
    assert last_ping().fields["exit"] == "5"


def test_term_during_a_try_is_its_last(tmp_path: Path) -> None:
    line = f"trap 'exit 6' TERM; echo try >>{tmp_path}/tries; while :; do sleep 0.01; done"
    radar = start_radar("run", "job", "--retries", "9", "-c", line)
    wait_for_file(tmp_path / "tries")
    radar.terminate()

    assert radar.wait(10) == 6
    assert tries(tmp_path) == 1


def test_other_signals_between_two_tries_change_nothing(tmp_path: Path) -> None:
    line = failing(tmp_path, 2)
    radar = start_radar("run", "job", "--retries", "1", "--retry-delay", "1", "-c", line)
    wait_for_file(tmp_path / "tries")
    for number in (signal.SIGUSR1, signal.SIGWINCH, signal.SIGCONT, signal.SIGPIPE):
        radar.send_signal(number)

    assert radar.wait(10) in (0, -signal.SIGUSR1)


# What the first try finds on stdin, as a function that makes it; what it leaves to a second one.
Stdin = Callable[[Path], Iterator[int]]
USED_UP = "not tried again: its first try may have used up its stdin"


def _file(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "dump").write_text("skipped\nthe dump\n")
    fd = os.open(tmp_path / "dump", os.O_RDONLY)
    os.lseek(fd, len("skipped\n"), os.SEEK_SET)
    yield fd
    os.close(fd)


def _null(_: Path) -> Iterator[int]:
    fd = os.open(os.devnull, os.O_RDONLY)
    yield fd
    os.close(fd)


def _pipe(data: bytes, *, has_writer: bool) -> Stdin:
    def make(_: Path) -> Iterator[int]:
        read, write = os.pipe()
        os.write(write, data)
        if not has_writer:
            os.close(write)
        yield read
        os.close(read)
        if has_writer:
            os.close(write)

    return make


def _socket(data: bytes, *, has_writer: bool) -> Stdin:
    def make(_: Path) -> Iterator[int]:
        ours, theirs = socket.socketpair()
        theirs.sendall(data)
        if not has_writer:
            theirs.close()
        yield ours.fileno()
        ours.close()
        theirs.close()

    return make


@pytest.mark.parametrize(
    ("make", "tries_made", "found"),
    [
        (_file, 3, "the dump\n"),
        (_null, 3, ""),
        (_pipe(b"", has_writer=False), 3, ""),
        (_pipe(b"the dump\n", has_writer=False), 1, "the dump\n"),
        (_pipe(b"the dump\n", has_writer=True), 1, "the dump\n"),
        (_pipe(b"", has_writer=True), 1, ""),
        (_socket(b"", has_writer=False), 3, ""),
        (_socket(b"the dump\n", has_writer=False), 1, "the dump\n"),
        (_socket(b"", has_writer=True), 1, ""),
    ],
    ids=[
        *("a file", "/dev/null", "an empty pipe", "a pipe with bytes", "a pipe with both"),
        *("a pipe with a writer", "an ended socket", "a socket with bytes", "a socket"),
    ],
)
def test_no_try_succeeds_on_what_an_earlier_one_has_used_up(
    make: Stdin, tries_made: int, found: str, tmp_path: Path
) -> None:
    # As many bytes as are there; the last try would succeed.
    job = f"timeout 0.2 cat >>{tmp_path}/got; {failing(tmp_path, 3)}"
    stdin = make(tmp_path)
    words = [str(radar_path()), "run", "job", "--retries", "5", "-c", job]
    done = subprocess.run(
        words, stdin=next(stdin), env=environment(), capture_output=True, check=False, text=True
    )
    next(stdin, None)

    assert tries(tmp_path) == tries_made
    assert (tmp_path / "got").read_text() == found * tries_made
    if tries_made == 1:
        assert (done.returncode, done.stderr) == (5, f"radar: job: {USED_UP}\n")
        assert (last_ping().kind, last_ping().fields["reason"]) == ("fail", USED_UP)
    else:
        assert (done.returncode, done.stderr) == (0, "")
        assert last_ping().kind == "success"


def test_a_closed_stdin_has_nothing_to_be_used_up(tmp_path: Path) -> None:
    line = f"exec {radar_path()} run job --retries 5 -c '{failing(tmp_path, 3)}' <&-"
    done = subprocess.run(["sh", "-c", line], env=environment(), check=False)

    assert (done.returncode, tries(tmp_path)) == (0, 3)


def test_a_writer_that_goes_as_the_job_starts_is_none(tmp_path: Path) -> None:
    """Cron closes its end of the pipe a moment after it has started the line."""
    ready = tmp_path / "ready"
    line = f"{failing(tmp_path, 3)}"
    read, write = os.pipe()
    radar = subprocess.Popen(
        [sys.executable, "-c", _CLOSE_AT_THE_SPAWN, str(write), str(ready), line],
        stdin=read,
        env=environment(),
        pass_fds=(write,),
    )
    os.close(read)
    os.close(write)

    assert radar.wait(30) == 0
    assert tries(tmp_path) == 3


# The writer's end is radar's own here, closed as the first job is spawned.
_CLOSE_AT_THE_SPAWN = """
import os, sys
def hook(event, args):
    if event == "os.posix_spawn" and not os.path.exists(sys.argv_of_the_test[1]):
        open(sys.argv_of_the_test[1], "w").close()
        os.close(int(sys.argv_of_the_test[0]))
sys.argv_of_the_test = sys.argv[1:]
sys.addaudithook(hook)
sys.argv = ["radar", "run", "job", "--retries", "5", "-c", sys.argv[3]]
from radar_cli.launch.command import main
sys.exit(main())
"""
