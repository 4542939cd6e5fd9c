"""`radar crontab lint`: what in crontabs is likely not what is meant."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.radar import environment, run_radar

_QUIET = "PATH=/usr/bin:/bin\nMAILTO=root\n"


def _root(folder: Path) -> Path:
    """A machine without fault."""
    root = folder / "root"
    for path, text in {
        "usr/sbin/sendmail": "",
        "usr/bin/job": "",
        "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
        "etc/aliases": "ops: root\n",
        "etc/debian_version": "13\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "usr/bin/job").chmod(0o755)
    (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Paris")
    return root


def _lint(folder: Path, crontab: str, path: str = "var/spool/cron/crontabs/alice") -> list[Any]:
    root = _root(folder)
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(crontab.encode())
    return _look(root)


def _look(root: Path) -> list[Any]:
    done = run_radar("crontab", "lint", "--root", root, "--json", text=True)
    remarks: list[Any] = json.loads(done.stdout)["data"]["remarks"]
    assert done.returncode == (1 if remarks else 0), done.stderr
    return remarks


def test_nothing_is_found_in_what_is_meant(tmp_path: Path) -> None:
    good = (
        f"{_QUIET}# c\n0 5 * * * job\n@reboot /opt/x\n*/5 * * * * cd /x && ./y\nMAILTO=ops\n"
        "0 6 1 * * if a; then b; fi\n0 7 * * 1-5 A=b job \\%\n@daily echo x | job\n"
        "0 8 * * * radar run x --schedule '0 8 * * *' -- job\n"
    )
    remarks = _lint(tmp_path, good)
    assert remarks == [
        {
            "source": "crontab of alice",
            "line": 11,
            "rule": "path",
            "message": "cron doesn't find 'radar' in /usr/bin:/bin",
            "hint": "its full path, or PATH= at the top of the crontab",
        }
    ]


@pytest.mark.parametrize(
    ("line", "rule", "message"),
    [
        ("0 1 31 2 * job", "never", "it never matches any date"),
        ("0 1 13 * 5 job", "days", "it runs on these days of the month and on these weekdays"),
        ("30 2 * * * job", "clock-change", "the clocks of Europe/Paris skip 02:30"),
        ("0 1 * * * frobnicate x", "path", "cron doesn't find 'frobnicate' in /usr/bin:/bin"),
        ("0 1 * * * job && nada", "path", "cron doesn't find 'nada'"),
        ("PATH=$HOME/bin:/bin", "path", "cron doesn't expand variables"),
        ('MAILTO=""', "mail", "what the jobs below print goes to nobody"),
        ("MAILTO=root,nobody-here", "mail", "there is no user and no alias"),
        ("CRON_TZ=Asia/Tokyo", "zone", "this machine's cron doesn't know it"),
        ("CRON_TZ=Mars/Base", "zone", "there is no timezone 'Mars/Base'"),
        ("0 1 * * * job +%F", "percent", "cron ends the command at the first %"),
        ("0 1 * * * job\r", "crlf", "it ends in a carriage return"),
        ("61 1 * * * job", "ignored", "cron ignores it: bad minute '61'"),
        ("some words", "ignored", "cron ignores it: it is no comment"),
        (
            "*/5 * * * * /r/radar run a --schedule '*/5 * * * *' --grace 10m -- job",
            *("grace", "it runs 5 min apart, within its grace of 10 min"),
        ),
        (
            "0 5 * * * /r/radar run a --schedule '0 6 * * *' -- job",
            *("schedule", "--schedule says '0 6 * * *', and the line '0 5 * * *'"),
        ),
        ("0 5 * * * /r/radar run a --schedule 'no' -- job", "schedule", "--schedule says 'no'"),
    ],
)
def test_it_finds(tmp_path: Path, line: str, rule: str, message: str) -> None:
    remarks = _lint(tmp_path, f"{_QUIET}{line}\n")
    found = [each for each in remarks if each["rule"] == rule]
    assert [each["line"] for each in found[:1]] == [3], remarks
    assert message in found[0]["message"]
    assert {each["rule"] for each in remarks} == {rule}


def test_one_schedule_may_be_written_in_two_ways(tmp_path: Path) -> None:
    line = "0 0 * * * /r/radar run a --schedule @daily -- job"
    assert _lint(tmp_path, f"{_QUIET}{line}\n") == []


def test_a_grace_at_the_top_counts(tmp_path: Path) -> None:
    line = "*/5 * * * * /r/radar run a --schedule '*/5 * * * *' -- job"
    (found,) = _lint(tmp_path, f"{_QUIET}RADAR_GRACE=1h\n{line}\n")
    assert (found["rule"], found["line"]) == ("grace", 4)


def test_a_last_line_without_an_end(tmp_path: Path) -> None:
    (found,) = _lint(tmp_path, f"{_QUIET}0 5 * * * job")
    assert (found["rule"], found["line"]) == ("newline", 3)


def test_cronie_knows_cron_tz(tmp_path: Path) -> None:
    root = _root(tmp_path)
    (root / "usr/sbin/crond").write_text("")
    (root / "etc/crontab").write_text(f"{_QUIET}CRON_TZ=Asia/Tokyo\n0 5 * * * root job\n")
    assert _look(root) == []


def test_many_jobs_at_one_minute_are_spread(tmp_path: Path) -> None:
    lines = "".join(f"0 5 * * * job {number}\n" for number in range(6))
    (found,) = _lint(tmp_path, f"{_QUIET}{lines}* * * * * job\n")
    assert (found["rule"], found["line"]) == ("crowd", 3)
    assert found["message"] == "6 jobs start at 05:00, this one and others"
    assert "crontab of alice:4 at minute 10, crontab of alice:5 at minute 20" in found["hint"]


def test_without_sendmail_mail_goes_to_nobody(tmp_path: Path) -> None:
    root = _root(tmp_path)
    (root / "usr/sbin/sendmail").unlink()
    (root / "etc/crontab").write_text("0 5 * * * root job\n0 6 * * * root job\n")
    (found,) = _look(root)
    assert (found["rule"], found["line"]) == ("mail", 1)


def test_a_file_that_cron_ignores_for_its_name(tmp_path: Path) -> None:
    root = _root(tmp_path)
    (root / "etc/cron.d").mkdir()
    (root / "etc/cron.d/jobs.conf").write_text("0 5 * * * root job\n")
    (root / "etc/cron.d/.placeholder").write_text("")
    (found,) = _look(root)
    assert (found["source"], found["rule"]) == ("/etc/cron.d/jobs.conf", "name")


def test_a_user_who_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "cron.d/jobs"
    path.parent.mkdir()
    path.write_text("0 5 * * * nobody-at-all /opt/x\n")
    done = run_radar("crontab", "lint", path, text=True)
    assert done.returncode == 1
    assert "there is no user 'nobody-at-all': cron ignores the line" in done.stdout


def test_it_reads_a_crontab_on_stdin() -> None:
    env = environment(RADAR_TZ="Europe/Paris")
    text = b'MAILTO=""\n0 2 30 2 * /bin/true\n'
    done = run_radar("crontab", "lint", "-", "--format", "csv", stdin=text, env=env, text=True)
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        "stdin,1,mail,what the jobs below print goes to nobody,radar reports their failures",
        "stdin,2,never,it never matches any date,",
    ]
