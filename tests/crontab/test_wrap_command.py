"""`radar crontab wrap` and `unwrap`: what becomes of the files and of the monitors."""

import json
import os
import pwd
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.namespaces import own_mounts
from tests.support.radar import environment, run_radar, start_radar
from tests.support.requirements import require_program, require_root

_TEXT = "# jobs\n5 2 * * * /opt/backup.sh --all\n@reboot  /opt/boot\n"


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "link/radar"


@pytest.fixture
def crontab(tmp_path: Path) -> Path:
    path = tmp_path / "jobs"
    path.write_text(_TEXT)
    return path


def _wrap(*words: str | Path, link: Path, **more: Any) -> dict[str, Any]:
    done = run_radar("crontab", "wrap", "--json", "--yes", "--link", link, *words, **more)
    assert done.returncode == 0, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)["data"]
    return data


def _unwrap(*words: str | Path, **more: Any) -> str:
    done = run_radar("crontab", "unwrap", "--yes", *words, text=True, **more)
    assert done.returncode == 0, done.stderr
    return str(done.stderr)


def _monitors() -> dict[str, Any]:
    listed = json.loads(run_radar("monitors", "list", "--json").stdout)["data"]
    return {monitor["key"]: monitor for monitor in listed}


def test_it_wraps_creates_monitors_and_unwraps(crontab: Path, link: Path) -> None:
    crontab.chmod(0o640)
    data = _wrap(crontab, link=link)
    assert crontab.read_text() == (
        "# jobs\n"
        f"5 2 * * * {link} run backup --schedule '5 2 * * *' -- /opt/backup.sh --all\n"
        f"@reboot  {link} run boot -- /opt/boot\n"
        f"*/5 * * * * {link} check --notify\n"
    )
    assert crontab.stat().st_mode & 0o777 == 0o640
    assert data["monitors"] == ["backup", "boot"]
    (backup,) = data["backups"]
    assert Path(backup).read_text() == _TEXT
    monitors = _monitors()
    # Its silence counts, though it never ran.
    assert monitors["backup"]["schedule"] == "5 2 * * *"
    assert monitors["backup"]["tags"] == ["cron"]
    assert monitors["backup"]["expected_at"] is not None
    assert monitors["boot"]["schedule"] is None
    said = _unwrap(crontab)
    assert crontab.read_text() == _TEXT
    assert "'radar monitors delete backup boot' ends that" in said


def test_a_second_time_there_is_nothing_to_do(crontab: Path, link: Path) -> None:
    _wrap(crontab, link=link)
    wrapped = crontab.read_text()
    assert _wrap(crontab, link=link)["crontabs"] == []
    assert crontab.read_text() == wrapped


def test_a_line_that_came_later_is_wrapped_and_the_check_stays_one(
    crontab: Path, link: Path
) -> None:
    _wrap(crontab, link=link)
    with crontab.open("a") as file:
        file.write("0 1 * * * /opt/late\n")
    assert _wrap(crontab, link=link)["monitors"] == ["late"]
    assert crontab.read_text().count("check --notify") == 1


def test_it_shows_the_diff_and_asks(crontab: Path, link: Path) -> None:
    done = run_radar("crontab", "wrap", "--link", link, crontab, stdin=b"n\n", text=True)
    assert done.returncode == 130
    assert "\n-5 2 * * * /opt/backup.sh --all\n" in done.stdout
    assert f"\n+5 2 * * * {link} run backup " in done.stdout
    assert f"Put radar in front of 2 jobs in {crontab}? [y/N]" in done.stderr
    assert (crontab.read_text(), link.exists()) == (_TEXT, False)
    run_radar("crontab", "wrap", "--link", link, crontab, stdin=b"y\n")
    assert "run backup" in crontab.read_text()


def test_it_just_shows_the_diff(crontab: Path, link: Path) -> None:
    done = run_radar("crontab", "wrap", "--diff", "--link", link, crontab, text=True)
    assert (done.returncode, crontab.read_text()) == (0, _TEXT)
    assert done.stdout.startswith(f"--- {crontab}\n+++ {crontab}\n")
    assert _monitors() == {}


def test_a_person_picks_the_jobs(crontab: Path, link: Path) -> None:
    words = ("crontab", "wrap", "--interactive", "--yes", "--link", link, crontab)
    done = run_radar(*words, stdin=b"n\ny\n", text=True)
    assert f"{crontab}:2 /opt/backup.sh --all\n  as backup? [Y/n]" in done.stderr
    lines = crontab.read_text().splitlines()
    assert lines[1] == "5 2 * * * /opt/backup.sh --all"
    assert " run boot -- /opt/boot" in lines[2]


def test_an_edited_line_keeps_the_edit(crontab: Path, link: Path) -> None:
    _wrap(crontab, link=link)
    edited = crontab.read_text().replace("backup.sh --all", "backup.sh --some")
    crontab.write_text(edited)
    _unwrap(crontab)
    assert crontab.read_text() == _TEXT.replace("--all", "--some")


def test_the_check_stays_while_it_looks_for_others(
    crontab: Path, tmp_path: Path, link: Path
) -> None:
    other = tmp_path / "other"
    other.write_text("0 1 * * * radar run mine -- /opt/mine\n")
    _wrap(crontab, link=link)
    said = _unwrap(crontab, other)
    assert "'check --notify' stays: it looks for mine, too" in said
    assert crontab.read_text() == f"{_TEXT}*/5 * * * * {link} check --notify\n"
    assert other.read_text() == "0 1 * * * radar run mine -- /opt/mine\n"


def test_keys_may_begin_with_the_machines_name(crontab: Path, link: Path) -> None:
    env = environment(RADAR_HOST="web1")
    data = _wrap("--prefix", "{host}-", crontab, link=link, env=env)
    assert f"{link} run '{{host}}-backup' --schedule" in crontab.read_text()
    assert data["monitors"] == ["web1-backup", "web1-boot"]
    assert _monitors()["web1-backup"]["name"].startswith("web1-backup of ")
    done = run_radar("crontab", "wrap", "--prefix", "No ", crontab, text=True)
    assert (done.returncode, done.stderr.startswith("radar: --prefix: bad monitor key")) == (
        2,
        True,
    )


def test_the_monitors_are_where_the_crontab_says(crontab: Path, link: Path, tmp_path: Path) -> None:
    crontab.write_text(f"RADAR_STATE_DIR={tmp_path}/elsewhere\n0 1 * * * /opt/job\n")
    assert _wrap(crontab, link=link)["monitors"] == ["job"]
    assert _monitors() == {}
    env = environment(RADAR_STATE_DIR=f"{tmp_path}/elsewhere")
    listed = json.loads(run_radar("monitors", "list", "--json", env=env).stdout)["data"]
    assert [monitor["key"] for monitor in listed] == ["job"]


def test_what_a_line_has_of_cronies_is_declared_or_told(crontab: Path, link: Path) -> None:
    crontab.write_text("RANDOM_DELAY=10\n0 1 * * * /opt/late\n0~30 2 * * * /opt/random\n")
    done = run_radar("crontab", "wrap", "--yes", "--link", link, crontab, text=True)
    words = f"{crontab}:3 has times that only cron knows: nothing misses random"
    assert words in done.stderr
    monitors = _monitors()
    assert monitors["late"]["grace_s"] == 900
    assert monitors["random"]["schedule"] is None


def test_a_monitor_that_is_there_stays_as_it_is(crontab: Path, link: Path) -> None:
    run_radar("monitors", "create", "backup", "--every", "1h")
    assert _wrap(crontab, link=link)["monitors"] == ["boot"]
    assert _monitors()["backup"]["schedule"] is None


def test_it_says_where_no_monitor_could_be_made(tmp_path: Path, link: Path) -> None:
    path = tmp_path / "cron.d/jobs"
    path.parent.mkdir()
    path.write_text("0 1 * * * nobody-at-all /opt/job\n")
    done = run_radar("crontab", "wrap", "--yes", "--link", link, path, text=True)
    assert done.returncode == 1
    assert "no monitors yet for job: no user nobody-at-all" in done.stderr
    assert "nobody-at-all " + str(link) + " run job" in path.read_text()


def test_the_monitors_of_another_user_are_made_by_that_user() -> None:
    require_root("becoming another user")
    nobody = pwd.getpwnam("nobody")
    if not _can_start_python(nobody.pw_uid):
        pytest.skip("this Python is root's alone")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        path = folder / "cron.d/jobs"
        path.parent.mkdir()
        path.write_text(f"RADAR_STATE_DIR={folder}/state\n0 1 * * * nobody /opt/job\n")
        data = _wrap(path, link=folder / "radar")
        assert data["monitors"] == ["job"]
        assert {each.stat().st_uid for each in (folder / "state").iterdir()} == {nobody.pw_uid}
        assert "root " + str(folder / "radar") + " check --notify --all-users" in path.read_text()
    assert _monitors() == {}


def _can_start_python(uid: int) -> bool:
    words = [sys.executable, "-c", ""]
    try:
        return (
            subprocess.run(words, user=uid, group=uid, extra_groups=[], check=False).returncode == 0
        )
    except OSError:
        return False


def test_where_a_server_looks_no_line_is_added(crontab: Path, link: Path) -> None:
    env = environment(RADAR_SERVER="http://127.0.0.1:9")
    done = run_radar("crontab", "wrap", "--yes", "--link", link, crontab, env=env, text=True)
    assert "check --notify" not in crontab.read_text()
    assert "run backup" in crontab.read_text()
    assert (done.returncode, "no monitors yet for backup, boot: " in done.stderr) == (1, True)


def test_a_crontab_that_was_edited_meanwhile_stays_and_stops_no_other(
    crontab: Path, tmp_path: Path, link: Path
) -> None:
    edited = tmp_path / "edited"
    edited.write_text("0 3 * * * /opt/third\n")
    words = ("crontab", "wrap", "--link", link, edited, crontab)
    process = start_radar(*words, stdin=subprocess.PIPE)
    assert process.stderr is not None
    asked = b""
    while b"[y/N]" not in asked:
        asked += process.stderr.read(1)
    edited.write_text("0 4 * * * /opt/third\n")
    _, said = process.communicate(b"y\n", timeout=60)
    assert process.returncode == 1
    assert f"{edited} has changed meanwhile" in said.decode()
    assert edited.read_text() == "0 4 * * * /opt/third\n"
    assert "run backup" in crontab.read_text()
    assert sorted(_monitors()) == ["backup", "boot"]


def test_what_is_no_file_of_records_is_not_overwritten(crontab: Path, link: Path) -> None:
    records = Path(os.environ["RADAR_STATE_DIR"]) / "crontab/lines.json"
    records.parent.mkdir(parents=True)
    records.write_text("{")
    done = run_radar("crontab", "wrap", "--yes", "--link", link, crontab, text=True)
    assert (done.returncode, crontab.read_text()) == (2, _TEXT)
    assert "isn't what radar wrote" in done.stderr


def test_monitors_are_declared_once() -> None:
    options = {"name": "job of me", "tag": ["cron"], "schedule": "0 1 * * *", "grace": None}
    rows = json.dumps([{"key": "job", "options": options, "tz": "Asia/Tokyo"}]).encode()
    for created in (["job"], []):
        done = run_radar("crontab", "declare", "--json", stdin=rows)
        assert json.loads(done.stdout)["data"] == {"created": created}
    assert (_monitors()["job"]["name"], _monitors()["job"]["tz"]) == ("job of me", "Asia/Tokyo")
    refused = run_radar("crontab", "declare", stdin=b"{", text=True)
    assert (refused.returncode, "is no JSON" in refused.stderr) == (2, True)
    assert "declare" not in run_radar("crontab", "--help", text=True).stdout


def test_stdin_cannot_be_edited() -> None:
    done = run_radar("crontab", "wrap", "-", stdin=b"0 1 * * * x\n", text=True)
    assert (done.returncode, "can't be edited" in done.stderr) == (2, True)


class System:
    """The crontabs of a machine, which stand in a test's folder."""

    def __init__(self, folder: Path) -> None:
        require_root("the crontabs of others")
        require_program("crontab")
        self.spool, self.cron_d = folder / "spool", folder / "cron.d"
        self.crontab = folder / "crontab"
        self.spool.mkdir()
        self.cron_d.mkdir()
        self.crontab.write_text("")
        self.prefix = own_mounts(
            f"mount --bind {self.spool} /var/spool/cron/crontabs",
            f"mount --bind {self.cron_d} /etc/cron.d",
            f"mount --bind {self.crontab} /etc/crontab",
        )


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_a_users_crontab_is_written_by_the_program(system: System, link: Path) -> None:
    spooled = system.spool / "root"
    spooled.write_text("0 1 * * * /opt/job\n")
    spooled.chmod(0o600)
    data = _wrap(link=link, prefix=system.prefix)
    wrapped = spooled.read_text()
    assert f"0 1 * * * {link} run job --schedule '0 1 * * *' -- /opt/job\n" in wrapped
    assert f"*/5 * * * * {link} check --notify\n" in wrapped
    assert data["monitors"] == ["job"]
    _unwrap(prefix=system.prefix)
    listed = subprocess.run(
        [*system.prefix, "crontab", "-l"], capture_output=True, text=True, check=True
    )
    assert listed.stdout == "0 1 * * * /opt/job\n"
    # Debian's crontab puts a header on top each time, and one is enough.
    assert spooled.read_text().count("DO NOT EDIT") <= 1


def test_a_link_that_starts_nothing_is_made_anew(crontab: Path, link: Path) -> None:
    _wrap(crontab, link=link)
    python = re.compile(rb"(?<=set -- )'[^']*'")
    link.write_bytes(python.sub(b"'/nowhere/python'", link.read_bytes(), count=1))
    crontab.write_text(_TEXT)
    _wrap(crontab, link=link)
    assert b"/nowhere/python" not in link.read_bytes()


def test_a_crontab_that_the_program_refuses_stays(system: System, link: Path) -> None:
    spooled = system.spool / "root"
    spooled.write_text("0 1 * * * /opt/job")
    words = ("crontab", "wrap", "--yes", "--link", link)
    done = run_radar(*words, prefix=system.prefix, text=True)
    assert done.returncode == 1
    assert "crontab of root isn't written: new crontab file is missing newline" in done.stderr
    assert spooled.read_text() == "0 1 * * * /opt/job"
    assert _monitors() == {}


def test_a_file_keeps_its_owner(crontab: Path, link: Path) -> None:
    require_root("giving a file away")
    os.chown(crontab, 1, 2)
    _wrap(crontab, link=link)
    assert (crontab.stat().st_uid, crontab.stat().st_gid) == (1, 2)
    assert "run backup" in crontab.read_text()


def test_a_link_to_a_crontab_stays_one(crontab: Path, tmp_path: Path, link: Path) -> None:
    linked = tmp_path / "linked"
    linked.symlink_to(crontab)
    _wrap(linked, link=link)
    assert linked.is_symlink()
    assert "run backup" in crontab.read_text()


def test_what_cannot_be_written_is_said(crontab: Path, link: Path) -> None:
    require_root("a disk that is read-only")
    folder = crontab.parent
    prefix = own_mounts(f"mount --bind {folder} {folder}", f"mount -o remount,ro,bind {folder}")
    words = ("crontab", "wrap", "--diff", "--link", link, crontab)
    done = run_radar(*words, prefix=prefix, text=True)
    assert f"{crontab} can't be written by root" in done.stderr
    assert done.stdout == "nothing to wrap\n"


def test_rpm_knows_what_belongs_to_a_package(crontab: Path, tmp_path: Path, link: Path) -> None:
    program = tmp_path / "bin/rpm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$2" = {crontab} ] || exit 1\necho cronie-1.7\n')
    program.chmod(0o755)
    env = environment(PATH=str(program.parent))
    words = ("crontab", "wrap", "--diff", "--link", link)
    done = run_radar(*words, crontab, env=env, text=True)
    assert f"{crontab} belongs to cronie-1.7: --packaged edits it" in done.stderr
    other = tmp_path / "other"
    other.write_text(_TEXT)
    assert "run backup" in run_radar(*words, other, env=env, text=True).stdout


def test_what_belongs_to_a_package_is_not_edited(system: System, link: Path) -> None:
    require_program("dpkg")
    owner = subprocess.run(["dpkg", "-S", "/etc/crontab"], capture_output=True, check=False)
    if owner.returncode:
        pytest.skip("/etc/crontab belongs to no package here")
    package = owner.stdout.decode().partition(":")[0]
    text = "0 1 * * * root /opt/system\n"
    system.crontab.write_text(text)
    (system.cron_d / "own").write_text("0 2 * * * root /opt/own\n")
    words = ("crontab", "wrap", "--yes", "--diff", "--link", link)
    done = run_radar(*words, prefix=system.prefix, text=True)
    assert f"/etc/crontab belongs to {package}: --packaged edits it all the same" in done.stderr
    assert "run own" in done.stdout
    assert "run system" not in done.stdout
    done = run_radar(*words, "--packaged", prefix=system.prefix, text=True)
    assert "run system" in done.stdout


def test_the_line_that_checks_goes_into_roots_crontab(system: System, link: Path) -> None:
    (system.spool / "daemon").write_text("0 1 * * * /opt/job\n")
    words = ("crontab", "wrap", "--diff", "--link", link)
    done = run_radar(*words, prefix=system.prefix, text=True)
    assert "--- /var/spool/cron/crontabs/root\n" in done.stdout
    (system.spool / "root").write_text("RADAR_TAG=web\n")
    done = run_radar(*words, prefix=system.prefix, text=True)
    assert f" RADAR_TAG=web\n+*/5 * * * * {link} check --notify --all-users\n" in done.stdout
    # Neither daemon's own look nor one at root's monitors alone is one at all of them.
    (system.spool / "daemon").write_text("0 1 * * * /opt/job\n0 2 * * * radar check --notify\n")
    (system.spool / "root").write_text("0 1 * * * radar check --notify\n")
    done = run_radar(*words, prefix=system.prefix, text=True)
    assert f"+*/5 * * * * {link} check --notify --all-users\n" in done.stdout
    (system.spool / "root").write_text("0 1 * * * radar check --all-users --notify\n")
    done = run_radar(*words, prefix=system.prefix, text=True)
    assert "run job" in done.stdout
    assert "crontabs/root" not in done.stdout


def test_the_line_that_checks_is_roots_and_for_everybody(system: System, link: Path) -> None:
    (system.cron_d / "own").write_text("0 2 * * * daemon /opt/own\n0 3 * * * root /opt/b\n")
    done = run_radar(
        *("crontab", "wrap", "--diff", "--link", link), prefix=system.prefix, text=True
    )
    assert f"+*/5 * * * * root {link} check --notify --all-users\n" in done.stdout


def test_the_line_that_checks_watches_timers_if_wanted(system: System, link: Path) -> None:
    (system.cron_d / "own").write_text("0 3 * * * root /opt/b\n")
    words = ("crontab", "wrap", "--diff", "--timers", "--link", link)
    done = run_radar(*words, prefix=system.prefix, text=True)
    assert f"+*/5 * * * * root {link} check --notify --timers\n" in done.stdout
