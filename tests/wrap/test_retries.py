import signal
from pathlib import Path

from tests.support.pings import kinds, last_ping, read_pings
from tests.support.processes import children_of
from tests.support.radar import run_radar, start_radar
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
