"""What nobody means well, and what nobody can work with: one clear line, and nothing is lost.

What `radar monitors` and `radar run` say of impossible options stands in test_monitors_manage.py
and in tests/wrap.
"""

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Outbox
from tests.cli.envelopes import read_envelope
from tests.support.depth import depth
from tests.support.disk import SmallDisk
from tests.support.radar import environment, run_radar, spool_files
from tests.support.requirements import require_program, require_root

_READERS = {
    "status": ("status",),
    "check": ("check",),
    "check, strictly": ("check", "--strict", "job"),
    "metrics": ("check", "--format", "prometheus"),
    "list": ("monitors", "list"),
    "show": ("monitors", "show", "job"),
    "history": ("monitors", "history", "job"),
    "output": ("monitors", "output", "job"),
    "create": ("monitors", "create", "new"),
    "update": ("monitors", "update", "job", "--name", "other"),
    "pause": ("monitors", "pause", "job"),
    "resume": ("monitors", "resume", "job"),
    "delete": ("monitors", "delete", "job", "--yes"),
}


def _read(*words: str, state: Path | None = None) -> "subprocess.CompletedProcess[str]":
    env = environment() if state is None else environment(RADAR_STATE_DIR=str(state))
    return run_radar(*words, env=env, text=True)


def _only_line(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line that it says, with a hint, if it says nothing else."""
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("radar: ")
    assert line.isprintable()
    assert len(line) < 400
    assert line.endswith(")"), "without a hint"
    return line


def _content(folder: Path) -> dict[str, bytes]:
    """All files of a folder, as they are."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def used(state_dir: Path) -> Path:
    """A state directory in which `job` has failed, and a ping waits."""
    run_radar("run", "job", "--", "sh", "-c", "echo no space; exit 4")
    assert run_radar("check").returncode == 1
    run_radar("ping", "job", "log", "--message", "waits")
    assert len(spool_files(state_dir)) == 1
    return state_dir


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1000")
    connection.close()


def _corrupt_head(path: Path) -> None:
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])


def _corrupt_tables(path: Path) -> None:
    """All but the first page, on which stands what the tables are called."""
    path.write_bytes(path.read_bytes()[:4096] + b"\xa5" * (path.stat().st_size - 4096))


def _cut_off(path: Path) -> None:
    os.truncate(path, 4096 + 100)


def _other(path: Path) -> None:
    """A database of another program, whose tables are called the same."""
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE monitor (name TEXT)")
    connection.close()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


_DAMAGES = {
    "newer": (_newer, "was made by a newer radar", "upgrade radar"),
    "a corrupt head": (_corrupt_head, "file is not a database", "move it away"),
    "corrupt tables": (_corrupt_tables, "malformed", ".recover | sqlite3"),
    "cut off": (_cut_off, "malformed", ".recover | sqlite3"),
    "another program's": (_other, "table monitor already exists", "move it away"),
    "a folder": (_folder, "Is a directory", "RADAR_STATE_DIR"),
}


@pytest.mark.nightly
@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_database_that_cannot_be_used_is_left_alone(used: Path, damage: str) -> None:
    inflict, what, hint = _DAMAGES[damage]
    inflict(used / "radar.db")
    before = _content(used)
    for words in [*_READERS.values()][:: depth(4, 1)]:
        done = _read(*words)
        assert done.returncode == 2, words
        line = _only_line(done)
        assert what in line, words
        assert hint in line, words
    assert _content(used) == before
    envelope = read_envelope(_read("status", "--json"))
    assert envelope["error"]["slug"] == "state"
    assert envelope["error"]["hint"]


@pytest.mark.parametrize("damage", ["newer", "corrupt tables", "a folder"])
def test_jobs_run_on_beside_it_and_their_pings_wait(used: Path, damage: str) -> None:
    _DAMAGES[damage][0](used / "radar.db")
    for number in range(3):
        done = _read("run", "job", "--", "sh", "-c", f"exit {number}")
        assert (done.returncode, done.stdout, done.stderr) == (number, "", "")
    assert len(spool_files(used)) == 7
    (used / "radar.db").rename(used / "broken.db")
    assert "is missing: 1 monitor was known" in _only_line(_read("status"))
    (used / "radar.db.known").unlink()
    (job,) = read_envelope(_read("status", "--json"))["data"]
    assert job["last_run"]["exit_code"] == 2
    assert spool_files(used) == []


def _is_not_privileged() -> list[str]:
    """A prefix: root without the right to write where it mustn't, as any other user."""
    require_root("taking a capability away")
    setpriv = require_program("setpriv")
    return [setpriv, "--bounding-set=-dac_override,-dac_read_search"]


@pytest.fixture(params=["by its mode", "by its file system"])
def read_only(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """A used state directory that can't be written, and the prefix of who can't."""
    prefix = _is_not_privileged()
    with SmallDisk(tmp_path, size_bytes=2_000_000) as disk:
        state = disk.path / "state"
        env = environment(RADAR_STATE_DIR=str(state))
        run_radar("run", "job", "--", "false", env=env)
        run_radar("check", env=env)
        run_radar("ping", "job", "log", env=env)
        if request.param == "by its mode":
            for folder in (state, state / "spool", state / "spool/store"):
                folder.chmod(0o500)
        else:
            disk.remount("ro")
        yield state, prefix
        if request.param == "by its file system":
            disk.remount("rw")
        for folder in (state, state / "spool", state / "spool/store"):
            folder.chmod(0o700)
        # Nothing was lost, and nothing done.
        checked = run_radar("check", "--json", env=env, text=True)
        (job,) = read_envelope(checked)["data"]
        assert (job["status"], job["reason"], job["name"]) == ("down", "failed", "")
        assert spool_files(state) == []


@pytest.mark.parametrize("command", _READERS)
def test_a_state_directory_that_cannot_be_written_is_named(
    read_only: tuple[Path, list[str]], command: str
) -> None:
    state, prefix = read_only
    env = environment(RADAR_STATE_DIR=str(state))
    before = _content(state)
    done = run_radar(*_READERS[command], env=env, prefix=prefix, text=True)
    assert done.returncode == 2
    line = _only_line(done)
    assert str(state) in line
    assert "radar has to write to it" in line or "RADAR_STATE_DIR" in line
    assert _content(state) == before


def test_a_job_runs_where_its_pings_cannot_be_kept(read_only: tuple[Path, list[str]]) -> None:
    state, prefix = read_only
    env = environment(RADAR_STATE_DIR=str(state))
    words = ("run", "job", "--", "sh", "-c", "echo out; exit 3")
    done = run_radar(*words, env=env, prefix=prefix, text=True)
    assert (done.returncode, done.stdout) == (3, "out\n")
    (line,) = done.stderr.splitlines()
    assert "are lost" in line
    assert str(state) in line


@pytest.mark.parametrize("command", _READERS)
def test_a_state_directory_that_is_a_file_is_named_and_stays_one(
    tmp_path: Path, command: str
) -> None:
    path = tmp_path / "precious"
    path.write_text("a file")
    for place in (path, path / "below"):
        done = _read(*_READERS[command], state=place)
        assert done.returncode == 2
        line = _only_line(done)
        assert f"can't use the state directory {place}: " in line
        assert "RADAR_STATE_DIR" in line
    assert path.read_text() == "a file"


# Keys and schedules on the command line


@pytest.mark.parametrize(
    "key",
    ["a/b", "../../etc/passwd", "a\x1b[2Jb", "a\nb", "k" * 10_000, "\u202egnp", "a b", "%2e"],
)
def test_no_command_takes_what_is_no_key(key: str) -> None:
    """A job is not run for it, a ping is not kept, and nobody looks for it on the disk."""
    refusals: list[tuple[int, tuple[str, ...]]] = [
        (125, ("run", key, "--", "echo", "ran")),
        (2, ("ping", key)),
        (2, ("monitors", "create", "--", key)),
    ]
    for code, words in refusals:
        done = _read(*words)
        assert (done.returncode, done.stdout) == (code, ""), words
        (line,) = done.stderr.splitlines()
        assert line.isprintable()
        assert len(line) < 300
        assert "(" in line or "at most 200 fit" in line
    for command in ("status", "check"):
        done = _read(command, "--", key)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.isprintable()
        assert len(line) < 300
    nagios = _read("check", "--format", "nagios", "--", key)
    (line,) = nagios.stdout.splitlines()
    assert (nagios.returncode, line.isprintable(), len(line) < 300) == (3, True, True)
    assert spool_files() == []
    assert read_envelope(_read("monitors", "list", "--json"))["data"] == []


# What an SDK, or another program in the spool, may have sent

_HOSTILE: dict[str, tuple[dict[str, str], str]] = {
    "a minute that is none": ({"schedule": "61 * * * *"}, "bad minute '61'"),
    "six fields": ({"schedule": "0 0 1 1 1 1"}, "it has 6 fields"),
    "an unknown timezone": ({"schedule": "@daily", "tz": "Mars/Base"}, "no timezone 'Mars/Base'"),
    "a path for a timezone": ({"schedule": "@daily", "tz": "../passwd"}, "no timezone"),
    "a negative grace": ({"every": "60", "gracePeriod": "-300"}, "grace: bad duration '-300'"),
    "a grace with a unit": ({"every": "60", "gracePeriod": "-5m"}, "grace: bad duration '-5m'"),
    "an endless interval": ({"every": "inf"}, "every: bad duration 'inf'"),
    "no number": ({"max_runtime": "nan"}, "max runtime: bad duration 'nan'"),
    "a huge number": ({"every": "9" * 5000}, "every: bad duration '9999"),
    "never": ({"schedule": "0 0 30 2 *"}, "never matches"),
    "a schedule without end": ({"schedule": "0," * 100_000 + "0 * * * *"}, "at most 200 fit"),
}


def _send(state_dir: Path, fields: dict[str, str], key: str = "odd", body: bytes = b"") -> None:
    Outbox(str(state_dir)).put(
        Ping("success", key, time_us=1_700_000_000_000_000, fields=fields, body=body),
        {},
        durable=False,
    )


@pytest.mark.parametrize("case", _HOSTILE)
def test_a_ping_that_declares_what_is_impossible_counts_and_is_said_once(
    state_dir: Path, case: str
) -> None:
    fields, fault = _HOSTILE[case]
    run_radar("run", "sound", "--every", "1h", "--", "true")
    _send(state_dir, fields)
    shown = _read("monitors", "show", "odd")
    assert shown.returncode == 0
    assert fault in shown.stdout + shown.stderr
    found = {entry["key"]: entry for entry in _data("status")}
    assert found["sound"]["status"] == "up"
    # Its interval, if that is fine, has long been missed; else nothing watches over it.
    expected = {"up": False, "down": True}
    assert expected[found["odd"]["status"]] is found["odd"]["watched"]
    for words in (("check",), ("check", "--format", "prometheus"), ("monitors", "list")):
        assert _read(*words).returncode in (0, 1)
        assert "Traceback" not in _read(*words).stderr


def _data(*words: str) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = read_envelope(_read(*words, "--json"))["data"]
    return data


@pytest.mark.parametrize("name", ["n" * 1_000_000, "\x1b[2J\x07" * 1000, "\u202e" * 9, "a\nb\0c"])
def test_a_name_of_a_megabyte_or_of_controls_floods_no_terminal(state_dir: Path, name: str) -> None:
    _send(state_dir, {"name": name, "tags": name, "host": name, "message": name, "schedule": name})
    run_radar("run", "sound", "--", "true")
    for words in (
        ("status",),
        ("status", "-v"),
        ("check",),
        ("monitors", "list"),
        ("monitors", "show", "odd"),
        ("monitors", "history", "odd"),
    ):
        done = _read(*words)
        # Its schedule is none, which is bad.
        assert done.returncode == (1 if words == ("check",) else 0), done.stderr
        said = done.stdout + done.stderr
        assert len(said) < 50_000, words
        assert all(line.isprintable() for line in said.splitlines()), words
    assert [entry["key"] for entry in _data("status")] == ["odd", "sound"]


def test_what_is_no_ping_stands_aside_and_keeps_nobody_waiting(state_dir: Path) -> None:
    spool = state_dir / "spool"
    run_radar("run", "sound", "--", "true")
    whole = spool_files(state_dir)[0].read_bytes()
    (spool / "00000000000000001-start-a.ping").write_bytes(whole[:-1])
    (spool / "00000000000000002-start-b.ping").write_bytes(b"\0" * 1_000_000)
    (spool / "00000000000000003-start-c.ping").symlink_to("/etc/passwd")
    os.mkfifo(spool / "00000000000000004-start-d.ping")
    (spool / "00000000000000005-start-e.ping").mkdir()
    (spool / "\udcff.ping").write_bytes(b"")
    done = _read("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert [entry["key"] for entry in json.loads(_read("status", "--json").stdout)["data"]] == [
        "sound"
    ]
    assert spool_files(state_dir) == []
    assert len(list((spool / "aside").iterdir())) == 6
