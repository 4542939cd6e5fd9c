import os
import subprocess
from pathlib import Path

import pytest

from tests.support.children import flood_bytes
from tests.support.disk import SmallDisk
from tests.support.pings import last_ping
from tests.support.radar import environment, radar_path, run_radar, start_radar
from tests.support.terminal import Terminal

LINE = "echo out; echo err >&2"


def test_a_job_that_succeeds_shows_nothing() -> None:
    done = run_radar("run", "job", "--quiet", "-c", LINE)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert sorted(last_ping().body.split()) == [b"err", b"out"]


def test_a_job_that_fails_shows_all_of_it() -> None:
    done = run_radar("run", "job", "--quiet", "-c", f"{LINE}; exit 5")

    assert (done.returncode, done.stdout, done.stderr) == (5, b"out\n", b"err\n")


def test_a_job_that_dies_shows_all_of_it() -> None:
    done = run_radar("run", "job", "--quiet", "-c", f"{LINE}; kill -9 $$")

    assert (done.returncode, done.stdout) == (-9, b"out\n")


def test_an_accepted_exit_code_shows_nothing() -> None:
    done = run_radar("run", "job", "--quiet", "--ok-codes", "0,5", "-c", f"{LINE}; exit 5")

    assert (done.returncode, done.stdout, done.stderr) == (5, b"", b"")


def test_a_verdict_of_failure_shows_all_of_it() -> None:
    done = run_radar("run", "job", "--quiet", "--fail-on", "o.t", "-c", LINE)

    assert (done.returncode, done.stdout) == (0, b"out\n")


def test_the_order_holds_as_in_crons_mail() -> None:
    line = "for i in $(seq 300); do echo o$i; echo e$i >&2; done; exit 5"
    done = subprocess.run(
        [radar_path(), "run", "job", "--quiet", "-c", line],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
        check=False,
    )

    assert done.stdout == b"".join(b"o%d\ne%d\n" % (i, i) for i in range(1, 301))


def test_a_failure_at_a_terminal_is_shown_after_its_end() -> None:
    words = [str(radar_path()), "run", "job", "--quiet", "-c", f"{LINE}; exit 5"]
    with Terminal(words) as tty:
        tty.read_until(b"out\r\nerr\r\n")
        assert tty.wait() == 5


@pytest.mark.parametrize("code", [0, 5])
def test_much_output_takes_no_memory(children: Path, tmp_path: Path, code: int) -> None:
    size = 100_000_000
    env = environment(measured=False, TMPDIR=str(tmp_path))
    words = ("--", children / "flood", str(size), str(code))
    radar = start_radar("run", "job", "--quiet", *words, env=env)
    assert radar.stdout is not None
    shown = last = b""
    total = peak_kb = 0
    while shown := radar.stdout.read(1_000_000):
        if not total:
            rows = Path(f"/proc/{radar.pid}/status").read_text().splitlines()
            peak_kb = next(int(row.split()[1]) for row in rows if row.startswith("VmHWM"))
        total, last = total + len(shown), shown

    assert radar.wait(10) == code
    assert total == (size if code else 0)
    assert peak_kb < 40_000
    assert last == (flood_bytes(size - len(last), size) if code else b"")
    assert not [name for name in os.listdir(tmp_path) if name.startswith("radar-")]


def test_where_no_more_can_be_kept_the_output_is_shown_at_once(
    children: Path, tmp_path: Path
) -> None:
    with SmallDisk(tmp_path, size_bytes=65_536) as disk:
        env = environment(TMPDIR=str(disk.path))
        words = ("--", children / "flood", "1000000")
        done = run_radar("run", "job", "--quiet", *words, env=env)

    assert done.returncode == 0
    assert done.stdout == flood_bytes(0, 1_000_000)


@pytest.mark.parametrize("code", [0, 5])
def test_a_missing_folder_for_temporary_files_is_replaced(tmp_path: Path, code: int) -> None:
    env = environment(TMPDIR=str(tmp_path / "none"))
    done = run_radar("run", "job", "--quiet", "-c", f"{LINE}; exit {code}", env=env)

    assert (done.returncode, done.stdout) == (code, b"out\n" if code else b"")


def test_retries_show_all_tries_if_the_last_one_fails() -> None:
    done = run_radar("run", "job", "--quiet", "--retries", "2", "-c", "echo out; exit 5")

    assert (done.returncode, done.stdout) == (5, b"out\n" * 3)
