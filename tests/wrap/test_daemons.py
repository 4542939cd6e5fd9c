import os
import subprocess
from pathlib import Path

import pytest

from tests.support.pings import last_ping
from tests.support.processes import is_alive
from tests.support.radar import start_radar
from tests.support.waiting import wait_for_file, wait_until


def leave_daemon(
    children: Path, tmp_path: Path, *options: str, code: int = 5
) -> tuple["subprocess.Popen[bytes]", int]:
    """Radar around a job that leaves a daemon behind, which holds stdout; and the daemon's pid."""
    os.mkfifo(tmp_path / "fifo")
    words = (children / "daemonise", tmp_path / "fifo", tmp_path / "log", str(code))
    radar = start_radar("run", "job", *options, "--", *words)
    return radar, int(wait_for_file(tmp_path / "log").split()[1])


def test_radar_returns_at_once_and_later_output_arrives(children: Path, tmp_path: Path) -> None:
    radar, daemon = leave_daemon(children, tmp_path)
    assert radar.wait(10) == 5
    assert radar.stdout is not None
    with (tmp_path / "fifo").open("wb", buffering=0) as orders:
        for line in (b"late\n", b"later\n"):
            orders.write(line)
            assert radar.stdout.readline() == line
    assert radar.stdout.read() == b""

    log = wait_for_file(tmp_path / "log", lines=3).splitlines()[1:]
    assert log == [b"wrote 5", b"wrote 6"]
    wait_until(lambda: not is_alive(daemon))
    assert last_ping().fields["exit"] == "5"


def test_what_the_daemon_wrote_before_the_end_arrives_too(children: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    line = f"echo before; {children}/daemonise {tmp_path}/fifo {tmp_path}/log; exit 5"
    radar = start_radar("run", "job", "-c", line)
    assert radar.wait(10) == 5
    with (tmp_path / "fifo").open("wb", buffering=0) as orders:
        orders.write(b"after\n")

    assert radar.communicate(timeout=10)[0] == b"before\nafter\n"
    assert last_ping().body == b"before\n"


def test_the_daemon_hears_of_a_reader_that_is_gone(children: Path, tmp_path: Path) -> None:
    radar, _ = leave_daemon(children, tmp_path)
    assert radar.wait(10) == 5
    assert radar.stdout is not None
    assert radar.stderr is not None
    radar.stdout.close()
    with (tmp_path / "fifo").open("wb", buffering=0) as orders:

        def has_heard() -> bool:
            orders.write(b"x\n")
            return b"pipe\n" in (tmp_path / "log").read_bytes()

        wait_until(has_heard)
    assert radar.stderr.read() == b""


def test_nothing_of_radars_holds_another_descriptor(children: Path, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.mkfifo(tmp_path / "fifo")
    # The daemon has neither stderr nor the other descriptor: their readers see the end.
    daemon = f"{children}/daemonise {tmp_path}/fifo {tmp_path}/log 2>/dev/null {write}>&-"
    radar = start_radar("run", "job", "--", "bash", "-c", daemon, pass_fds=(write,))
    os.close(write)
    assert radar.wait(10) == 0
    assert radar.stderr is not None
    assert radar.stderr.read() == b""
    with open(read, "rb") as file:
        assert file.read() == b""
    with (tmp_path / "fifo").open("wb", buffering=0) as orders:
        orders.write(b"late\n")
    assert radar.stdout is not None
    assert radar.stdout.read() == b"late\n"


def test_an_endless_writer_does_not_hold_radar(tmp_path: Path) -> None:
    line = f"sh -c 'echo $$ >{tmp_path}/pid; exec yes' & until test -s {tmp_path}/pid; do :; done"
    radar = start_radar("run", "job", "-c", f"{line}; exit 5")
    assert radar.stdout is not None
    for _ in range(200):
        os.read(radar.stdout.fileno(), 65_536)
    writer = int(wait_for_file(tmp_path / "pid"))
    stdout = radar.stdout.fileno()
    wait_until(lambda: os.read(stdout, 65_536) and radar.poll() is not None)

    assert radar.returncode == 5
    assert is_alive(writer)
    for _ in range(200):
        assert set(os.read(radar.stdout.fileno(), 65_536)) == set(b"y\n")
    radar.stdout.close()
    wait_until(lambda: not is_alive(writer))


@pytest.mark.parametrize("code", [0, 5])
def test_quiet_keeps_quiet_about_a_daemon(children: Path, tmp_path: Path, code: int) -> None:
    radar, _ = leave_daemon(children, tmp_path, "--quiet", code=code)
    assert radar.wait(10) == code
    with (tmp_path / "fifo").open("wb", buffering=0) as orders:
        orders.write(b"late\n")

    assert radar.communicate(timeout=10)[0] == (b"late\n" if code else b"")
    log = wait_for_file(tmp_path / "log", lines=2)
    assert log.splitlines()[1:] == [b"wrote 5"]
