"""Whether cron runs, and whether its lines find radar, as `radar doctor` looks at it."""

from pathlib import Path

import pytest

from radar_cli.crontab.daemon import find_daemons
from radar_cli.crontab.sources import Machine
from radar_cli.why.cron import look_at_cron


def plant_processes(folder: Path, *processes: tuple[str, bytes]) -> str:
    """A process table with these names and command lines; the first one is process 1."""
    for number, (name, line) in enumerate(processes, 1):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "comm").write_text(name + "\n")
        (folder / str(number) / "cmdline").write_bytes(line)
    folder.mkdir(exist_ok=True)
    (folder / "self").mkdir()
    return str(folder)


@pytest.mark.parametrize(
    ("processes", "found"),
    [
        ((("systemd", b"init"), ("cron", b"/usr/sbin/cron\0-f")), ["cron"]),
        ((("crond", b"crond"),), ["crond"]),
        ((("sh", b"sh"), ("busybox", b"busybox\0crond\0-f")), ["busybox"]),
        ((("sh", b"sh"), ("busybox", b"busybox\0sh\0crond")), []),
        ((("sh", b"sh"),), []),
        ((), None),
    ],
)
def test_it_finds_cron_among_the_processes(
    tmp_path: Path, processes: tuple[tuple[str, bytes], ...], found: list[str] | None
) -> None:
    assert find_daemons(plant_processes(tmp_path / "proc", *processes)) == found


def test_it_knows_what_it_cannot_see(tmp_path: Path) -> None:
    assert find_daemons(str(tmp_path / "none")) is None


@pytest.mark.parametrize(
    ("crontab", "daemon", "expected"),
    [
        ("", "cron", [("daemon", "ok", "cron runs, with 0 lines in crontabs, 0 under radar")]),
        ("", "sh", [("daemon", "ok", "none runs")]),
        ("5 2 * * * root /opt/job\n", "sh", [("daemon", "beware", "1 line in crontabs wait")]),
        (
            "5 2 * * * root /opt/bin/radar run a -- x\n1 * * * * root /opt/b\n",
            "cron",
            [("daemon", "ok", "2 lines in crontabs, 1 under radar"), ("cron", "ok", "in 1 line")],
        ),
        (
            "5 2 * * * root /opt/gone/radar run a -- x\n",
            "sh",
            [
                ("daemon", "bad", "no cron daemon runs"),
                ("cron", "bad", "/etc/crontab:1 doesn't find radar: /opt/gone/radar isn't there"),
            ],
        ),
        (
            "PATH=/nowhere\n5 2 * * * root radar run a -- x\n",
            "cron",
            [
                ("daemon", "ok", ""),
                ("cron", "bad", "/etc/crontab:2 doesn't find radar: cron looks"),
            ],
        ),
    ],
)
def test_it_reads_the_crontabs(
    tmp_path: Path, crontab: str, daemon: str, expected: list[tuple[str, str, str]]
) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/crontab").write_text(crontab)
    (root / "opt/bin").mkdir(parents=True)
    (root / "opt/bin/radar").touch(0o755)
    proc = plant_processes(tmp_path / "proc", (daemon, b""))
    found = list(look_at_cron(Machine(str(root)), proc))
    for remark, (what, state, message) in zip(found, expected, strict=False):
        assert (remark.what, remark.state) == (what, state)
        assert message in remark.message
    # Where no line calls radar, it is asked whether one would find it.
    assert len(found) == 2


def test_it_says_where_cron_cannot_be_seen(tmp_path: Path) -> None:
    daemon, _ = look_at_cron(Machine(str(tmp_path)), str(tmp_path / "none"))
    assert (daemon.state, "can't be seen" in daemon.message) == ("beware", True)
