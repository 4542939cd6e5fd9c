"""What needs root: namespaces, name servers, small disks, the cron daemon."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.children import read_report
from tests.support.cron import Cron
from tests.support.disk import FULL_DEVICE, SmallDisk
from tests.support.dns import NameServer
from tests.support.namespaces import as_pid_1, no_network, own_mounts
from tests.support.requirements import require_root
from tests.support.waiting import wait_for_file, wait_until

LOOK_UP = (
    "import socket, sys\n"
    "try: print(socket.getaddrinfo(sys.argv[1], 80)[0][4][0])\n"
    "except OSError as error: print(error)"
)


def test_a_dead_name_server_makes_a_lookup_hang(tmp_path: Path) -> None:
    with NameServer(tmp_path) as dns:
        look_up = subprocess.Popen([*dns.prefix, sys.executable, "-c", LOOK_UP, "cron.life"])
        wait_until(lambda: dns.questions)
        with pytest.raises(subprocess.TimeoutExpired):
            look_up.wait(1)
        look_up.kill()
        look_up.wait()

    assert set(dns.questions) == {"cron.life"}


@pytest.mark.parametrize("answer", ["servfail", "nxdomain"])
def test_a_name_server_that_says_no_says_it_at_once(tmp_path: Path, answer: str) -> None:
    start = time.monotonic()
    with NameServer(tmp_path, answer) as dns:  # type: ignore[arg-type]
        words = [*dns.prefix, sys.executable, "-c", LOOK_UP]
        no = subprocess.run([*words, "cron.life"], capture_output=True, text=True, check=True)
        yes = subprocess.run([*words, "localhost"], capture_output=True, text=True, check=True)

    assert "Errno -" in no.stdout
    assert "127.0.0.1" in yes.stdout
    assert time.monotonic() - start < 4


def test_the_machine_keeps_its_own_name_server(tmp_path: Path) -> None:
    before = Path("/etc/resolv.conf").read_bytes()
    with NameServer(tmp_path) as dns:
        inside = subprocess.check_output([*dns.prefix, "cat", "/etc/resolv.conf"])
        assert inside.startswith(b"nameserver 127.")

    assert Path("/etc/resolv.conf").read_bytes() == before


def test_a_failed_mount_runs_nothing() -> None:
    done = subprocess.run([*own_mounts("false"), "echo", "ran"], capture_output=True, check=False)

    assert (done.returncode, done.stdout) == (98, b"")


def test_without_a_network_not_even_loopback_answers() -> None:
    code = "import socket; print(socket.socket().connect_ex(('127.0.0.1', 9)))"
    words = [*no_network(), sys.executable, "-c", code]

    assert int(subprocess.check_output(words)) == errno.ENETUNREACH


def test_a_command_can_be_pid_1(tmp_path: Path, children: Path) -> None:
    env = {"REPORT_TO": str(tmp_path / "report"), "REPORT_EXIT": "9"}
    done = subprocess.run([*as_pid_1(), children / "report"], env=env, check=False)

    assert done.returncode == 9
    assert read_report(tmp_path / "report").pid == 1


def test_a_small_disk_is_full_until_it_is_freed(tmp_path: Path) -> None:
    with SmallDisk(tmp_path) as disk:
        disk.fill()
        with pytest.raises(OSError, match="No space left"):
            (disk.path / "file").write_bytes(b"x")
        disk.free()
        (disk.path / "file").write_bytes(b"x")
        disk.fill(leave_bytes=8192)
        (disk.path / "file").write_bytes(b"x" * 8192)
        disk.remount("ro")
        with pytest.raises(OSError, match="Read-only"):
            (disk.path / "file").write_bytes(b"x")

    assert os.listdir(disk.path) == []


def test_a_disk_can_be_out_of_files(tmp_path: Path) -> None:
    with SmallDisk(tmp_path, files=3) as disk:
        (disk.path / "1").touch()
        (disk.path / "2").touch()
        with pytest.raises(OSError, match="No space left"):
            (disk.path / "3").touch()


def test_the_full_device_is_full() -> None:
    with FULL_DEVICE.open("wb", buffering=0) as full, pytest.raises(OSError, match="No space"):
        full.write(b"x")


def test_cron_runs_a_line_at_once_and_mails_what_it_prints(
    tmp_path: Path, children: Path, home: Path
) -> None:
    out = tmp_path / "out"
    with Cron(tmp_path, f"@reboot echo hello; REPORT_TO={out} {children}/report") as cron:
        wait_until(lambda: cron.mails)
        wait_until(out.exists)
        mail = cron.mails[0]
    report = read_report(out)

    assert mail.partition(b"\n\n")[2] == b"hello\n"
    env = report.env()
    assert env[b"HOME"] == os.fsencode(home)
    assert env.keys() >= {b"RADAR_STATE_DIR", b"RADAR_CONFIG", b"LOGNAME", b"SHELL"}
    assert env.keys().isdisjoint({b"LANG", b"TERM", b"USER", b"TZ"})
    assert report.fds[1].target == report.fds[2].target  # one pipe for both


def test_cron_runs_no_line_of_the_machine(tmp_path: Path) -> None:
    require_root("the cron daemon")
    listing = (
        f"@reboot ls /etc/cron.d /var/spool/cron/crontabs >{tmp_path}/ls; "
        f"grep -c run-parts /etc/crontab >>{tmp_path}/ls; echo end >>{tmp_path}/ls"
    )
    with Cron(tmp_path, listing):
        wait_until(lambda: b"end\n" in wait_for_file(tmp_path / "ls"))

    words = (tmp_path / "ls").read_text().split()
    assert words == ["/etc/cron.d:", "/var/spool/cron/crontabs:", "root", "0", "end"]


@pytest.mark.slow
@pytest.mark.nightly(daily="tests/test_cron.py")
def test_cron_runs_a_line_by_the_clock(tmp_path: Path) -> None:
    with Cron(tmp_path, f"* * * * * date +\\%S >{tmp_path}/seconds"):
        seconds = int(wait_for_file(tmp_path / "seconds", timeout_s=70))

    assert seconds < 5
