import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.children import flood_bytes, read_report
from tests.support.disk import FULL_DEVICE
from tests.support.pings import kinds, last_ping
from tests.support.radar import environment, radar_path, run_radar, start_radar
from tests.support.waiting import wait_for_file, wait_until

ODD_BYTES = b"no newline \xff\xfe\x00\x80 \xc3 \r\n" + bytes(range(256)) * 300 + b"end"


@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "02", "12", "012"])
@pytest.mark.parametrize("option", ["--no-start", "--capture", "--quiet", "--no-output"])
def test_closed_streams_stay_closed(
    children: Path, tmp_path: Path, closed: str, option: str
) -> None:
    to = tmp_path / "report"
    launch = [word for fd in closed for word in ("-c", fd)]
    done = run_radar(
        *("run", "job", option, "--", children / "report"),
        prefix=(children / "launch", *launch, "--"),
        env=environment(REPORT_TO=str(to), REPORT_EXIT="7"),
    )

    assert (done.returncode, done.stdout) == (7, b"")
    assert sorted(read_report(to).fds) == [fd for fd in (0, 1, 2) if str(fd) not in closed]


def test_the_open_stream_beside_a_closed_one_is_relayed(children: Path) -> None:
    line = "echo out; echo err >&2; exit 7"
    for fd, (out, err) in {"1": (b"", b"err\n"), "2": (b"out\n", b"")}.items():
        done = run_radar("run", "job", "-c", line, prefix=(children / "launch", "-c", fd, "--"))
        assert done.returncode == 7
        assert done.stdout == out
        assert done.stderr.endswith(err)
        assert last_ping().body.endswith(out + err)


def test_stdin_is_the_jobs() -> None:
    done = run_radar("run", "job", "--", "cat", stdin=ODD_BYTES)

    assert done.stdout == ODD_BYTES


def test_it_passes_every_byte_on_both_streams(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(ODD_BYTES)
    done = run_radar("run", "job", "-c", f"cat {tmp_path}/odd; tac {tmp_path}/odd >&2")
    tac = subprocess.check_output(["tac", tmp_path / "odd"])

    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(ODD_BYTES).digest()
    assert hashlib.sha256(done.stderr).digest() == hashlib.sha256(tac).digest()


def test_the_order_holds_where_both_streams_are_one(tmp_path: Path) -> None:
    line = "for i in $(seq 500); do echo o$i; echo e$i >&2; done"
    expected = b"".join(b"o%d\ne%d\n" % (i, i) for i in range(1, 501))
    piped = subprocess.run(
        [radar_path(), "run", "job", "-c", line],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
        check=True,
    )
    assert piped.stdout == expected
    assert last_ping().body == expected
    with (tmp_path / "file").open("wb") as file:
        start_radar("run", "job", "-c", line, stdout=file, stderr=file).wait(10)
    assert (tmp_path / "file").read_bytes() == expected


def test_two_streams_stay_apart() -> None:
    done = run_radar("run", "job", "-c", "echo out; echo err >&2")

    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


def test_a_full_disk_behind_stdout_costs_a_warning_and_no_more() -> None:
    with FULL_DEVICE.open("wb") as full:
        radar = start_radar("run", "job", "-c", "seq 100000; echo done >&2; exit 7", stdout=full)
        _, stderr = radar.communicate(timeout=20)

    assert radar.returncode == 7
    size = sum(len(str(i)) + 1 for i in range(1, 100_001))
    warning = f"radar: job: {size} bytes of output are not on stdout: No space left on device"
    assert stderr.decode().splitlines() == ["done", warning]
    assert last_ping().fields["output"] == str(size + 5)


def test_a_job_learns_by_sigpipe_that_its_reader_is_gone() -> None:
    radar = start_radar("run", "job", "yes")
    assert radar.stdout is not None
    assert radar.stdout.readline() == b"y\n"
    radar.stdout.close()

    assert radar.wait(10) == -13
    assert last_ping().fields["signal"] == "13"


def test_a_job_that_ignores_sigpipe_learns_it_by_epipe() -> None:
    line = "trap '' PIPE; yes 2>/dev/null; exit 7"
    radar = start_radar("run", "job", "-c", line)
    assert radar.stdout is not None
    radar.stdout.close()

    assert radar.wait(10) == 7


def test_a_shell_pipeline_ends_as_without_radar() -> None:
    line = f"set -o pipefail; {radar_path()} run job -- seq 10000000 | head -1; echo $?"
    done = subprocess.run(["bash", "-c", line], env=environment(), capture_output=True, check=False)

    assert done.stdout == b"1\n141\n"
    assert done.stderr == b""


def test_it_writes_all_to_a_stdout_that_does_not_block(children: Path) -> None:
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETFL, fcntl.fcntl(write, fcntl.F_GETFL) | os.O_NONBLOCK)
    radar = start_radar("run", "job", "--", children / "flood", "3000000", stdout=write)
    os.close(write)
    with open(read, "rb") as file:
        assert file.read() == flood_bytes(0, 3_000_000)

    assert radar.wait(10) == 0


def test_it_leaves_the_flags_of_what_it_inherits_alone(tmp_path: Path) -> None:
    pipes = [os.pipe() for _ in range(3)]
    ends = (pipes[0][0], pipes[1][1], pipes[2][1])
    before = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends]
    line = f"echo up >{tmp_path}/up; read line; echo out; echo err >&2"
    stdin, stdout, stderr = ends
    radar = start_radar("run", "job", "-c", line, stdin=stdin, stdout=stdout, stderr=stderr)
    wait_for_file(tmp_path / "up")
    wait_until(lambda: kinds() == ["start"])
    assert [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends] == before
    os.write(pipes[0][1], b"go\n")

    assert radar.wait(10) == 0
    assert [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends] == before
    for fd in (fd for pipe in pipes for fd in pipe):
        os.close(fd)


def test_a_slow_reader_gets_everything(children: Path) -> None:
    radar = start_radar("run", "job", "--", children / "flood", "3000000", "7")
    assert radar.stdout is not None
    # The pipes fill up and the job waits; radar is alive all the same.
    wait_until(lambda: kinds() == ["start"])
    got = b""
    while data := os.read(radar.stdout.fileno(), 4096):
        got += data

    assert radar.wait(10) == 7
    assert got == flood_bytes(0, 3_000_000)


# A job that prints a lot, and something last, into pipes that hold as much as pipes can.
PRINT = """
import fcntl, os, sys
size, last, fd, code = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3]), int(sys.argv[4])
for each in (1, 2):
    fcntl.fcntl(each, fcntl.F_SETPIPE_SZ, 1_048_576)
data = b"x" * size
while data:
    data = data[os.write(1, data) :]
os.write(fd, last)
os._exit(code)
"""


@pytest.mark.parametrize("size", [10, 100_000, 900_000])
@pytest.mark.parametrize(
    ("words", "last", "fd", "code"),
    [
        ((), "", 1, 7),
        (("--fail-on", "^ERROR"), "\nERROR here\n", 1, 0),
        (("--fail-on", "ERROR", "--retries", "1", "--retry-delay", "0"), "\nERROR here\n", 1, 0),
        (("--fail-on-stderr",), "ERROR here\n", 2, 0),
    ],
    ids=["exit code", "pattern", "retries", "stderr"],
)
def test_the_news_of_a_failure_does_not_wait_for_a_reader(
    words: tuple[str, ...], last: str, fd: int, code: int, size: int
) -> None:
    read, write = os.pipe()
    job = [sys.executable, "-c", PRINT, str(size), last, str(fd), str(code)]
    radar = start_radar("run", "job", *words, "--", *job, stdout=write)
    os.close(write)
    printed = b"x" * size + (last.encode() if fd == 1 else b"")
    with open(read, "rb") as file:
        if "--retries" in words:
            assert file.read(len(printed)) == printed
        wait_until(lambda: kinds() == ["start", "fail"])
        assert radar.poll() is None or size < 65_536
        ping = last_ping()
        assert file.read() == printed

    assert radar.wait(10) == code
    tries = int(ping.fields.get("tries", 1))
    assert int(ping.fields["output"]) == tries * (size + len(last))
    assert fd == 2 or ping.body.endswith(printed[-20:])


def test_without_output_the_job_writes_where_radar_would() -> None:
    done = run_radar("run", "job", "--no-output", "-c", "echo hello; readlink /proc/self/fd/1")
    ping = last_ping()

    assert done.stdout.startswith(b"hello\npipe:[")
    assert ping.body == b""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_gigabytes_pass_in_flat_memory(children: Path, tmp_path: Path) -> None:
    size = 10_000_000_000
    line = f"{children}/flood {size}; echo up >{tmp_path}/up; read line <{tmp_path}/go; exit 7"
    os.mkfifo(tmp_path / "go")
    env = environment(measured=False)
    with open(os.devnull, "wb") as null:
        radar = start_radar("run", "job", "-c", line, stdout=null, env=env)
        wait_for_file(tmp_path / "up", timeout_s=240)
    status = Path(f"/proc/{radar.pid}/status").read_text()
    (tmp_path / "go").write_text("on\n")
    peak_kb = next(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmHWM"))

    assert radar.wait(20) == 7
    assert peak_kb < 40_000
    ping = last_ping()
    assert ping.fields["output"] == str(size)
    assert ping.body == flood_bytes(size - 10_000, size)
    assert int(ping.fields["omitted"]) == size - 10_000
