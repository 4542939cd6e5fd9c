"""A state directory that can't be written: the job doesn't notice, one line says what is lost."""

from pathlib import Path

import pytest

from tests.support import answers
from tests.support.disk import SmallDisk
from tests.support.pings import kinds
from tests.support.radar import run_radar
from tests.support.server import Server


def _run(env: dict[str, str]) -> list[str]:
    """Run a job with this environment; what radar said."""
    done = run_radar("run", "m", "--", "sh", "-c", "echo out; exit 7", env=env, timeout=15)
    assert (done.returncode, done.stdout) == (7, b"out\n")
    return done.stderr.decode().splitlines()


def _only_line(env: dict[str, str]) -> str:
    lines = _run(env)
    assert len(lines) == 1, lines
    return lines[0]


def _file_in_its_place(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("not a directory")
    return tmp_path / "file"


def _below_a_file(tmp_path: Path) -> Path:
    return _file_in_its_place(tmp_path) / "radar"


def _proc(_tmp_path: Path) -> Path:
    return Path("/proc/radar")


def _dangling(tmp_path: Path) -> Path:
    (tmp_path / "link").symlink_to("/nonexistent/deeper")
    return tmp_path / "link"


PLACES = {
    "a file": _file_in_its_place,
    "below a file": _below_a_file,
    "where nobody may write": _proc,
    "a dangling link": _dangling,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_state_directory_that_cannot_be_made_costs_nothing_while_the_server_answers(
    place: str, server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    env["RADAR_STATE_DIR"] = str(PLACES[place](tmp_path))
    assert _run(env) == []
    assert [ping.kind for ping in server.accepted] == ["start", "fail"]


@pytest.mark.parametrize("place", PLACES)
def test_one_line_says_that_pings_are_lost(
    place: str, server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    server.behave(answers.hang())
    env["RADAR_STATE_DIR"] = str(PLACES[place](tmp_path))
    line = _only_line(env)
    assert line.startswith("radar: m: the start and fail pings are lost: ")
    assert "RADAR_STATE_DIR" in line


def test_one_line_says_so_without_a_server_too(env: dict[str, str], tmp_path: Path) -> None:
    del env["RADAR_SERVER"]
    del env["RADAR_API_KEY"]
    env["RADAR_STATE_DIR"] = str(_file_in_its_place(tmp_path))
    line = _only_line(env)
    assert line.startswith("radar: m: the start and fail pings are lost: ")


def test_a_full_disk(server: Server, env: dict[str, str], tmp_path: Path) -> None:
    with SmallDisk(tmp_path) as disk:
        env["RADAR_STATE_DIR"] = str(disk.path)
        (disk.path / "spool").mkdir(mode=0o700)
        disk.fill()
        server.behave(answers.hang())
        line = _only_line(env)
        assert "are lost" in line
        assert "No space left" in line
        left = [
            path
            for path in (disk.path / "spool").rglob("*")
            if path.is_file() and path.stat().st_size
        ]
        assert left == []  # nothing half-written

        server.behave(answers.ok())
        assert _run(env) == []
        assert [ping.kind for ping in server.accepted] == ["start", "fail"]


def test_a_disk_that_fills_up_keeps_what_is_there(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    with SmallDisk(tmp_path) as disk:
        env["RADAR_STATE_DIR"] = str(disk.path)
        server.behave(answers.hang())
        assert _run(env) == []
        assert kinds(disk.path) == ["start", "fail"]
        disk.fill()
        server.behave(answers.status(404))
        line = _only_line(env)
        assert "are lost" in line
        assert "404" in line
        assert kinds(disk.path) == ["start", "fail"]
        disk.free()
        server.behave(answers.ok())
        assert _run(env) == []
        assert len(server.accepted) == 4
        assert kinds(disk.path) == []


def test_a_refused_ping_is_set_aside_on_a_full_disk(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    with SmallDisk(tmp_path) as disk:
        env["RADAR_STATE_DIR"] = str(disk.path)
        env["RADAR_NO_START"] = "1"
        server.behave(answers.hang())
        assert _run(env) == []
        disk.fill()
        server.behave(answers.status(400))
        run_radar("outbox", "flush", env=env)
        assert kinds(disk.path) == []
        assert len(list((disk.path / "spool").glob("*/*.rejected"))) == 1


def test_a_disk_without_inodes(server: Server, env: dict[str, str], tmp_path: Path) -> None:
    with SmallDisk(tmp_path, files=2) as disk:
        env["RADAR_STATE_DIR"] = str(disk.path)
        server.behave(answers.hang())
        line = _only_line(env)
        assert "are lost" in line


def test_a_read_only_disk_keeps_its_pings_for_later(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    with SmallDisk(tmp_path) as disk:
        env["RADAR_STATE_DIR"] = str(disk.path)
        server.behave(answers.hang())
        assert _run(env) == []
        disk.remount("ro")
        server.behave(answers.ok())
        assert _run(env) == []
        disk.remount("rw")
        assert kinds(disk.path) == ["start", "fail"]
        assert _run(env) == []
        assert kinds(disk.path) == []
        assert [ping.kind for ping in server.accepted[-4:]].count("fail") == 2
