"""By whose clock a schedule goes that names none: the order, on machines made of files."""

import os
from pathlib import Path

import pytest

from radar_cli.core.zone import describe_clock, find_scheduler, is_zone, local_zone

BERLIN, TOKYO, LIMA = "Europe/Berlin", "Asia/Tokyo", "America/Lima"


class Machine:
    """A tree with what is read of /proc and /etc."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, content: bytes = b"") -> None:
        """Write a file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def link(self, path: str, target: str) -> None:
        """Make a link."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, self.root / path)

    def run(self, *names: str) -> None:
        """Have these processes, from ours upwards."""
        pids = ["self", *(str(100 + number) for number in range(len(names)))]
        for pid, name, parent in zip(pids, names, [*pids[1:], "0"], strict=False):
            number = "99" if pid == "self" else pid
            self.write(f"proc/{pid}/stat", f"{number} ({name}) S {parent} 1 1 0".encode())

    def zone(self, **environ: str) -> str:
        """What schedules go by here."""
        return local_zone(environ, str(self.root))

    def clock(self, **environ: str) -> dict[str, str]:
        """What a ping says of it."""
        return describe_clock(environ, str(self.root))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One in Berlin."""
    made = Machine(tmp_path)
    made.link("etc/localtime", f"/usr/share/zoneinfo/{BERLIN}")
    made.run("radar", "sh", "bash", "sshd")
    return made


def test_it_is_that_of_the_machine_and_not_that_of_the_shell(machine: Machine) -> None:
    assert machine.zone() == BERLIN
    assert machine.zone(TZ=TOKYO) == BERLIN
    assert machine.zone(CRON_TZ=TOKYO) == BERLIN
    assert machine.zone(RADAR_TZ=LIMA, TZ=TOKYO) == LIMA
    assert machine.clock(CRON_TZ=TOKYO) == {}


@pytest.mark.parametrize("target", ["posix/", "right/", ""])
def test_it_reads_what_localtime_leads_to(tmp_path: Path, target: str) -> None:
    machine = Machine(tmp_path)
    machine.link("etc/localtime", f"../usr/share/zoneinfo/{target}{LIMA}")
    assert machine.zone() == LIMA


def test_without_localtime_there_is_timezone_and_then_tz(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.zone() == ""
    assert machine.zone(TZ=f":{TOKYO}") == TOKYO
    machine.write("etc/timezone", f"{LIMA}\n".encode())
    assert machine.zone(TZ=TOKYO) == LIMA


@pytest.mark.parametrize(
    ("names", "scheduler"),
    [
        (("radar", "sh", "cron", "cron", "systemd"), "cron"),
        (("radar", "timeout", "sh", "flock", "sh", "crond", "crond"), "crond"),
        (("radar", "sh", "CROND", "crond"), "crond"),
        (("radar", "sh", "supercronic"), "supercronic"),
        (("radar", "sh", "weird ) name (", "cron"), "cron"),
        (("radar", "sh", "python3", "systemd"), ""),
        (("cronish", "crontab", "sh"), ""),
    ],
)
def test_it_finds_the_scheduler_that_started_the_job(
    machine: Machine, names: tuple[str, ...], scheduler: str
) -> None:
    machine.run(*names)
    assert find_scheduler(str(machine.root)) == scheduler


@pytest.mark.parametrize("name", ["crond", "supercronic"])
def test_cron_tz_counts_where_the_scheduler_knows_it(machine: Machine, name: str) -> None:
    machine.run("radar", "sh", name)
    assert machine.zone(CRON_TZ=TOKYO) == TOKYO
    assert machine.zone(CRON_TZ="Mars/Olympus") == BERLIN
    assert machine.zone(CRON_TZ=TOKYO, RADAR_TZ=LIMA) == LIMA
    # A scheduler's own clock is told whatever the schedule was declared by.
    assert machine.clock(CRON_TZ=TOKYO, RADAR_TZ=LIMA) == {"zone": TOKYO}


def test_debians_cron_runs_by_the_machines_clock_whatever_cron_tz_says(machine: Machine) -> None:
    machine.run("radar", "sh", "cron")
    assert machine.zone(CRON_TZ=TOKYO, TZ=LIMA) == BERLIN
    assert machine.clock(CRON_TZ=TOKYO) == {"zone": BERLIN, "cron_tz": TOKYO}


@pytest.mark.parametrize("is_readable", [True, False])
def test_busyboxs_crond_is_not_cronies(machine: Machine, is_readable: bool) -> None:
    machine.run("radar", "sh", "crond")
    machine.write("bin/busybox")
    if is_readable:
        machine.link("proc/101/exe", str(machine.root / "bin/busybox"))
    else:
        machine.link("usr/sbin/crond", str(machine.root / "bin/busybox"))
    assert find_scheduler(str(machine.root)) == "busybox"
    assert machine.zone(CRON_TZ=TOKYO) == BERLIN
    assert machine.clock(CRON_TZ=TOKYO) == {"zone": BERLIN, "cron_tz": TOKYO}


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_in_a_container_it_is_that_of_its_first_process(machine: Machine, mark: str) -> None:
    machine.write(mark)
    machine.write("proc/1/environ", f"PATH=/bin\0TZ={TOKYO}\0HOME=/\0".encode())
    assert machine.zone(TZ=LIMA) == TOKYO
    machine.run("radar", "sh", "cron")
    assert machine.clock(TZ=LIMA) == {"zone": TOKYO}
    # One that has no TZ goes by its localtime, as its cron does.
    machine.write("proc/1/environ", b"PATH=/bin\0")
    assert machine.zone(TZ=LIMA) == BERLIN
    machine.write("proc/1/environ", b"TZ=CET-1CEST\0")
    assert machine.zone(TZ=LIMA) == BERLIN


@pytest.mark.parametrize("variable", ["KUBERNETES_SERVICE_HOST", "container"])
def test_where_its_first_process_cant_be_read_it_is_the_jobs_own(
    machine: Machine, variable: str
) -> None:
    there = {variable: "10.0.0.1"}
    assert machine.zone(TZ=LIMA, **there) == LIMA
    assert machine.zone(**there) == BERLIN
    # But a crontab's TZ is for its jobs alone.
    machine.run("radar", "sh", "cron")
    assert machine.zone(TZ=LIMA, **there) == BERLIN


def test_it_knows_what_is_a_zone() -> None:
    names = ["UTC", BERLIN, "", "Mars/Olympus", "../../etc/passwd", "CET-1CEST"]
    assert [is_zone(name) for name in names] == [True, True, False, False, False, False]
