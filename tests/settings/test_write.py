import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from radar_cli.core.errors import ConfigError
from radar_cli.settings.editing import back_up, locked, write_file
from tests.support.radar import environment, radar_path


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_it_makes_new_files_and_directories_private(tmp_path: Path) -> None:
    path = tmp_path / "a/b/config.toml"
    with locked(str(path)) as real:
        write_file(real, "x = 1\n")
    assert path.read_text() == "x = 1\n"
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)


def test_it_keeps_the_mode_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")
    path.chmod(0o640)
    write_file(str(path), "new")
    assert (path.read_text(), mode_of(path)) == ("new", 0o640)
    assert sorted(os.listdir(tmp_path)) == ["config.toml", "home"]


def test_it_writes_through_links(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    target = tmp_path / "dotfiles/radar.toml"
    target.write_text("old")
    link = tmp_path / "config.toml"
    link.symlink_to("dotfiles/radar.toml")
    with locked(str(link)) as real:
        write_file(real, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_it_makes_the_target_of_a_dangling_link(tmp_path: Path) -> None:
    link = tmp_path / "config.toml"
    link.symlink_to("dotfiles/radar.toml")
    with locked(str(link)) as real:
        write_file(real, "new")
    assert (tmp_path / "dotfiles/radar.toml").read_text() == "new"


def test_it_keeps_every_backup(tmp_path: Path) -> None:
    path = str(tmp_path / "config.toml")
    copies = [back_up(path, text) for text in ("one", "two")]
    assert copies == [f"{path}.bak", f"{path}.bak2"]
    assert [Path(copy).read_text() for copy in copies] == ["one", "two"]
    assert mode_of(Path(copies[0])) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a file of another user: root only")
def test_it_keeps_the_owner_when_root_edits(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")
    os.chown(path, 65534, 65534)
    write_file(str(path), "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_it_leaves_the_old_file_when_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")
    # A limit on the size of files stands in for a full disk; SIGXFSZ is ignored by Python.
    program = (
        "import resource, sys\n"
        "from radar_cli.settings.editing import write_file\n"
        "from radar_cli.core.errors import ConfigError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: write_file(sys.argv[1], 'x' * 1000)\n"
        "except ConfigError as error: print(error.slug)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path],
        env=environment(measured=False),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout == "unwritable-config\n"
    assert path.read_text() == "old"
    assert [name for name in os.listdir(tmp_path) if name.startswith(".radar-")] == []


@pytest.mark.parametrize("path", ["/proc/radar/config.toml", "/dev/null"])
def test_it_says_what_it_cannot_write(path: str) -> None:
    with pytest.raises(ConfigError, match=path.split("/")[1]) as caught, locked(path) as real:
        write_file(real, "x")
    assert caught.value.slug == "unwritable-config"
    assert os.path.exists("/dev/null")
    assert not os.path.isfile("/dev/null")


def test_it_loses_none_of_many_changes_at_once(tmp_path: Path) -> None:
    env = environment()

    def change(number: int) -> int:
        words: list[str | Path] = [
            radar_path(),
            "config",
            "set",
            f"headers.X-{number}",
            str(number),
        ]
        return subprocess.run(words, env=env, capture_output=True, check=False).returncode

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(change, range(12))) == [0] * 12
    lines = (tmp_path / "config.toml").read_text().splitlines()
    assert sorted(lines[1:]) == sorted(f'X-{number} = "{number}"' for number in range(12))
