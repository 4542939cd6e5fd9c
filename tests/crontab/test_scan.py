"""`radar crontab scan`: every scheduled job of a machine that was planted for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.namespaces import as_user, own_mounts
from tests.support.radar import environment, run_radar
from tests.support.requirements import require_root

_SERVICE = "[Service]\nUser=ops\nExecStart=/opt/timed --all\n"


class Planted:
    """A root directory with scheduled jobs in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("etc/localtime", "")
        (root / "etc/localtime").unlink()
        (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Paris")
        self.write("etc/debian_version", "13\n")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def scan(self) -> dict[str, dict[str, Any]]:
        """What is found, by its command."""
        return {job["command"]: job for job in self.look()["jobs"]}

    def look(self) -> dict[str, Any]:
        done = run_radar("crontab", "scan", "--root", self.root, "--json", text=True)
        assert done.returncode == 0, done.stderr
        data: dict[str, Any] = json.loads(done.stdout)["data"]
        return data


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path / "root")


def test_it_finds_the_crontabs_of_users_and_of_the_system(planted: Planted) -> None:
    planted.write("var/spool/cron/crontabs/alice", "# mine\n5 2 * * * /opt/user x\n")
    planted.write("var/spool/cron/bob", "@reboot /opt/boot\n")
    planted.write("etc/crontab", "0 4 * * 1\troot\t/opt/system\n")
    planted.write("etc/cron.d/some", "*/5 * * * * www-data radar run watched -- /opt/some\n")
    found = planted.scan()
    assert found["/opt/user x"] | {"next": None} == {
        "kind": "crontab",
        "source": "crontab of alice",
        "line": 2,
        "user": "alice",
        "schedule": "5 2 * * *",
        "words": "at 02:05 every day",
        "next": None,
        "command": "/opt/user x",
        "watched": False,
        "monitor": None,
        "note": None,
    }
    assert found["/opt/boot"]["words"] == "when cron starts"
    assert (found["/opt/system"]["user"], found["/opt/system"]["source"]) == (
        *("root", "/etc/crontab"),
    )
    watched = found["radar run watched -- /opt/some"]
    assert (watched["watched"], watched["monitor"], watched["user"]) == (
        *(True, "watched", "www-data"),
    )
    assert len(found) == 4


def test_a_line_runs_by_the_clock_of_its_machine(planted: Planted) -> None:
    planted.write("etc/crontab", "5 2 * * * root /opt/system\n")
    # 02:05 in Paris is 00:05 or 01:05 UTC.
    assert planted.scan()["/opt/system"]["next"][11:16] in ("00:05", "01:05")


def test_only_cronie_obeys_cron_tz(planted: Planted) -> None:
    planted.write("etc/crontab", "CRON_TZ=Asia/Tokyo\n5 2 * * * root /opt/system\n")
    assert "Tokyo" not in planted.scan()["/opt/system"]["words"]
    planted.write("usr/sbin/crond", "")
    assert planted.scan()["/opt/system"]["words"].endswith(", by the clock of Asia/Tokyo")
    assert planted.scan()["/opt/system"]["next"][11:16] == "17:05"


def test_it_leaves_out_what_cron_leaves_out_of_cron_d(planted: Planted) -> None:
    for name in ("good", "bad.conf", "bad~", ".placeholder"):
        planted.write(f"etc/cron.d/{name}", f"0 1 * * * root /opt/{name}\n")
    assert list(planted.scan()) == ["/opt/good"]
    (planted.root / "etc/debian_version").unlink()
    planted.write("usr/sbin/crond", "")
    assert sorted(planted.scan()) == ["/opt/bad.conf", "/opt/good"]


def test_it_finds_what_run_parts_starts(planted: Planted) -> None:
    planted.write("etc/crontab", "25 6 * * * root cd / && run-parts --report /etc/cron.daily\n")
    planted.write("etc/cron.daily/rotate", "#!/bin/sh\nrotate\n", 0o755)
    planted.write("etc/cron.daily/seen", "#!/bin/sh\nexec radar run seen -- x\n", 0o755)
    planted.write("etc/cron.daily/off", "#!/bin/sh\n", 0o644)
    planted.write("etc/cron.daily/bad.sh", "#!/bin/sh\n", 0o755)
    planted.write("etc/cron.weekly/lost", "#!/bin/sh\n", 0o755)
    found = planted.scan()
    assert found["/etc/cron.daily/rotate"]["words"] == "at 06:25 every day"
    assert not found["/etc/cron.daily/rotate"]["watched"]
    assert found["/etc/cron.daily/seen"]["watched"]
    assert found["/etc/cron.daily/off"]["note"] == "it isn't executable: run-parts leaves it out"
    assert found["/etc/cron.weekly/lost"]["note"] == "nothing was found that starts it"
    assert "/etc/cron.daily/bad.sh" not in found


def test_a_script_is_watched_with_the_line_that_starts_it(planted: Planted) -> None:
    line = "25 6 * * * root radar run cron.daily -c 'cd / && run-parts /etc/cron.daily'\n"
    planted.write("etc/crontab", line)
    planted.write("etc/cron.daily/rotate", "#!/bin/sh\nrotate\n", 0o755)
    found = planted.scan()
    assert found["/etc/cron.daily/rotate"]["monitor"] == "cron.daily"
    assert found["/etc/cron.daily/rotate"]["watched"]


def test_it_says_what_watches_the_others(planted: Planted) -> None:
    planted.write("etc/systemd/system/a.timer", "[Timer]\nOnCalendar=daily\n")
    planted.write("etc/systemd/system/a.service", _SERVICE)
    words = ("crontab", "scan", "--root", planted.root)
    assert run_radar(*words, text=True).stderr == (
        "radar: 1 of 1 jobs aren't watched ('radar check --timers' watches timers)\n"
    )
    planted.write("etc/crontab", "25 6 * * * root /opt/job\n")
    assert "'radar crontab wrap' does it" in run_radar(*words, text=True).stderr


def test_anacron_starts_the_folders_where_it_is_installed(planted: Planted) -> None:
    planted.write(
        "etc/crontab",
        "25 6 * * * root test -x /usr/sbin/anacron || { cd / && run-parts /etc/cron.daily; }\n",
    )
    planted.write("usr/sbin/anacron", "", 0o755)
    planted.write(
        "etc/anacrontab", "SHELL=/bin/sh\n# x\n1\t5\tcron.daily\trun-parts /etc/cron.daily\n"
    )
    planted.write("var/spool/anacron/cron.daily", "20261130\n")
    planted.write("etc/cron.daily/rotate", "#!/bin/sh\n", 0o755)
    found = planted.scan()
    assert found["run-parts /etc/cron.daily"]["kind"] == "anacron"
    assert found["run-parts /etc/cron.daily"]["next"] == "2026-12-01T00:00:00+00:00"
    assert found["/etc/cron.daily/rotate"]["words"] == "every day"


def test_it_finds_timers_with_what_they_start(planted: Planted) -> None:
    planted.write("etc/systemd/system/a.timer", "[Timer]\nOnCalendar=daily\nOnBootSec=5min\n")
    planted.write("etc/systemd/system/a.service", _SERVICE)
    planted.write("usr/lib/systemd/system/b.timer", "[Timer]\nOnCalendar=hourly\nUnit=c.service\n")
    planted.write("usr/lib/systemd/system/c.service", "[Service]\nExecStart=radar run c -- x\n")
    planted.write(
        "etc/systemd/system/b.timer.d/x.conf", "[Timer]\nOnCalendar=\nOnCalendar=Mon 04:00\n"
    )
    wants = planted.root / "etc/systemd/system/timers.target.wants"
    wants.mkdir()
    (wants / "a.timer").symlink_to("../a.timer")
    (planted.root / "etc/systemd/system/masked.timer").symlink_to("/dev/null")
    found = planted.scan()
    first, second = found["/opt/timed --all"], found["radar run c -- x"]
    assert first["source"] == "/etc/systemd/system/a.timer"
    assert (first["user"], first["words"]) == ("ops", "at 00:00 every day and 5min after boot")
    assert first["schedule"] == "OnCalendar=daily OnBootSec=5min"
    assert (first["watched"], first["note"]) == (False, None)
    assert (second["watched"], second["monitor"]) == (True, "c")
    assert (second["words"], second["note"]) == ("at Mon 04:00", "it isn't enabled")
    assert len(found) == 2


def test_it_finds_the_timers_of_users(planted: Planted) -> None:
    planted.write("etc/passwd", "alice:x:1000:1000::/home/alice:/bin/sh\n")
    own = "home/alice/.config/systemd/user"
    planted.write(f"{own}/mine.timer", "[Timer]\nOnCalendar=weekly\n")
    planted.write(f"{own}/mine.service", "[Service]\nExecStart=/opt/mine\n")
    planted.write(f"{own}/off.timer", "[Timer]\nOnCalendar=weekly\n")
    planted.write("usr/lib/systemd/user/shared.timer", "[Timer]\nOnUnitActiveSec=1h\n")
    planted.write(f"{own}/timers.target.wants/shared.timer", "")
    planted.write(f"{own}/timers.target.wants/mine.timer", "")
    found = planted.scan()
    assert (found["/opt/mine"]["user"], found["/opt/mine"]["words"]) == (
        *("alice", "at 00:00 on Monday"),
    )
    assert found["shared.service"]["words"] == "1h after each start"
    assert len(found) == 2


def test_a_systemd_at_work_tells_the_next_runs(tmp_path: Path) -> None:
    require_root("mounting over /run")
    row = {
        "next": 1796000000000000,
        "left": 1,
        "last": 0,
        "unit": "a.timer",
        "activates": "a.service",
    }
    env = _with_program(tmp_path, "systemctl", f"echo '{json.dumps([row])}'")
    prefix = own_mounts("mount -t tmpfs tmpfs /run", "mkdir -p /run/systemd/system")
    found = _timers(env, prefix)
    assert [(job["command"], job["next"]) for job in found] == [
        ("a.service", "2026-11-30T00:53:20+00:00"),
    ]
    env = _with_program(tmp_path, "systemctl", "echo 'not today' >&2; exit 1")
    done = run_radar("crontab", "scan", env=env, prefix=prefix, text=True)
    assert "radar: systemd can't be read: not today" in done.stderr
    env = _with_program(tmp_path, "systemctl", "echo '[{}]'")
    done = run_radar("crontab", "scan", env=env, prefix=prefix, text=True)
    assert "radar: systemd can't be read: systemctl list-timers" in done.stderr


# What systemd-analyze 257 prints, in a timezone of its own and in UTC.
_ANALYZED = """
  Original form: daily
Normalized form: *-*-* 00:00:00
    Next elapse: Wed 2026-12-02 00:00:00 CET
       (in UTC): Tue 2026-12-01 23:00:00 UTC
       From now: 21h left

Normalized form: *-*-* 23:30:00
    Next elapse: Tue 2026-12-01 23:30:00 UTC
       From now: 22h left
"""


def test_systemd_analyze_tells_when_a_calendar_comes_next(tmp_path: Path) -> None:
    require_root("mounting over /etc/systemd")
    units = tmp_path / "system"
    (units / "timers.target.wants").mkdir(parents=True)
    (units / "own.timer").write_text("[Timer]\nOnCalendar=daily\nOnCalendar=23:30\n")
    (units / "own.service").write_text("[Service]\nExecStart=/opt/own\n")
    (units / "timers.target.wants/own.timer").symlink_to("../own.timer")
    env = _with_program(tmp_path, "systemd-analyze", f"cat <<'EOF'{_ANALYZED}EOF")
    prefix = own_mounts(f"mount --bind {units} /etc/systemd/system")
    (job,) = [job for job in _timers(env, prefix) if job["command"] == "/opt/own"]
    assert job["next"] == "2026-12-01T23:00:00+00:00"


def _timers(env: dict[str, str], prefix: list[str]) -> list[dict[str, Any]]:
    done = run_radar("crontab", "scan", "--json", env=env, prefix=prefix)
    return [job for job in json.loads(done.stdout)["data"]["jobs"] if job["kind"] == "timer"]


def _with_program(folder: Path, name: str, script: str) -> dict[str, str]:
    """An environment with a program of that name in front of all others."""
    program = folder / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    env = environment()
    return env | {"PATH": f"{program.parent}:{env['PATH']}"}


def test_it_finds_each_of_sixty_jobs(planted: Planted) -> None:
    """Ten of each kind; each names what it runs, so that none is found for another."""
    expected = set()
    for number in range(10):
        planted.write(f"var/spool/cron/crontabs/u{number}", f"{number} 1 * * * /opt/own{number}\n")
        planted.write(f"etc/cron.d/d{number}", f"{number} 2 * * * root /opt/d{number}\n")
        planted.write(f"etc/cron.daily/s{number}", "#!/bin/sh\n", 0o755)
        planted.write(f"etc/systemd/system/t{number}.timer", "[Timer]\nOnCalendar=daily\n")
        service = f"[Service]\nExecStart=/opt/t{number}\n"
        planted.write(f"etc/systemd/system/t{number}.service", service)
        planted.write(f"var/spool/at/a{number:05x}01c9a1f0", "#!/bin/sh\n", 0o700)
        expected |= {f"/opt/own{number}", f"/opt/d{number}", f"/etc/cron.daily/s{number}"}
        expected |= {f"/opt/t{number}", f"job {number}"}
    lines = "".join(f"{number} 3 * * * root /opt/s{number}\n" for number in range(10))
    planted.write("etc/crontab", f"SHELL=/bin/sh\n# x\n{lines}")
    expected |= {f"/opt/s{number}" for number in range(10)}
    assert set(planted.scan()) == expected
    assert len(expected) == 60


def test_it_finds_jobs_of_at(planted: Planted) -> None:
    planted.write("var/spool/cron/atjobs/a0000c01c9a1f0", "#!/bin/sh\n/opt/later\n", 0o700)
    planted.write("var/spool/cron/atjobs/.SEQ", "")
    (job,) = planted.look()["jobs"]
    assert (job["kind"], job["command"], job["words"]) == ("at", "job 12", "once")
    assert job["next"] == "2027-01-09T08:48:00+00:00"


def test_it_says_what_it_cannot_read(planted: Planted) -> None:
    # Not even root reads a link that leads to itself.
    (planted.root / "etc/cron.d").mkdir()
    (planted.root / "etc/crontab").symlink_to("crontab")
    done = run_radar("crontab", "scan", "--root", planted.root, text=True)
    assert "radar: /etc/crontab can't be read: Too many levels of symbolic links" in done.stderr
    assert "/etc/crontab" in planted.look()["unreadable"]


def test_it_reads_a_crontab_on_stdin_and_by_its_path(tmp_path: Path) -> None:
    text = b"0 1 * * * /opt/a\n0 2 * * * /opt/b\n"
    for done in (
        run_radar("crontab", "scan", "-", stdin=text, text=True),
        run_radar("crontab", "scan", _write(tmp_path / "jobs", text), text=True),
    ):
        header, *rows = done.stdout.splitlines()
        assert header.split()[0] == "watched"
        assert {row.split()[-1] for row in rows} == {"/opt/a", "/opt/b"}
        assert "2 of 2 jobs aren't watched" in done.stderr


def test_a_file_in_a_cron_d_names_its_users(tmp_path: Path) -> None:
    path = tmp_path / "cron.d/jobs"
    path.parent.mkdir()
    done = run_radar("crontab", "scan", "--json", _write(path, b"0 1 * * * alice /opt/a\n"))
    (job,) = json.loads(done.stdout)["data"]["jobs"]
    assert (job["user"], job["command"]) == ("alice", "/opt/a")


def test_it_refuses_a_file_or_a_root_that_is_not_there() -> None:
    done = run_radar("crontab", "scan", "/nowhere/crontab", text=True)
    assert (done.returncode, done.stderr) == (
        *(2, "radar: /nowhere/crontab can't be read: No such file or directory\n"),
    )
    assert run_radar("crontab", "scan", "--root", "/nowhere").returncode == 2


def test_who_is_not_root_has_programs_read_what_is_theirs(tmp_path: Path) -> None:
    """Only root can read the spools."""
    _with_program(tmp_path, "crontab", "echo '0 1 * * * /opt/own'")
    env = _with_program(tmp_path, "atq", "printf '7\\tTue Dec  1 12:30:00 2026 a me\\nwhat\\n'")
    done = run_radar("crontab", "scan", "--json", env=env, prefix=as_user(), text=True)
    data = json.loads(done.stdout)["data"]
    found = {job["command"]: job for job in data["jobs"]}
    assert found["/opt/own"]["kind"] == "crontab"
    assert (found["job 7"]["next"], found["job 7"]["user"]) == ("2026-12-01T12:30:00+00:00", "me")
    assert data["unreadable"]["atq"] == "not understood: 'what'"
    _with_program(tmp_path, "crontab", "echo 'not allowed' >&2; exit 1")
    done = run_radar("crontab", "scan", env=env, prefix=as_user(), text=True)
    assert "can't be read: not allowed" in done.stderr
    _with_program(tmp_path, "crontab", "echo 'no crontab for me' >&2; exit 1")
    done = run_radar("crontab", "scan", env=env, prefix=as_user(), text=True)
    assert "no crontab" not in done.stderr


def _write(path: Path, text: bytes) -> Path:
    path.write_bytes(text)
    return path
