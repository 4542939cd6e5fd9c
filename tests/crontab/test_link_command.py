"""`radar link`: where it writes, what it refuses to overwrite, and what it says."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from radar_cli import __version__
from tests.cli.envelopes import read_envelope
from tests.crontab.jobs import run_job, start
from tests.support.depth import depth
from tests.support.installation import SHELLS, Installation, as_sh
from tests.support.namespaces import as_user, own_mounts
from tests.support.pings import kinds
from tests.support.processes import remember
from tests.support.radar import Word, environment, radar_path, run_radar
from tests.support.requirements import require_root


def test_it_tells_where_the_link_is_and_how_cron_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "made for it/100%/radar"
    done = run_radar("link", path, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (0, done.stderr.count("only root"))
    first, second = done.stdout.splitlines()
    assert first == f"{path} starts radar {__version__} with {sys.executable}"
    assert second == (
        "in a crontab, by its full path (cron looks in /usr/bin:/bin):"
        f" '{tmp_path}/made for it/100\\%/radar' run MONITOR -- COMMAND"
    )
    assert run_job(path) == []
    found = read_envelope(run_radar("link", path, "--json", text=True))["data"]
    assert found["folders"]
    assert found == {
        "path": str(path),
        "python": sys.executable,
        "version": __version__,
        "folders": found["folders"],
        "replaced": __version__,
        "on_cron_path": False,
    }


def test_it_writes_where_no_installer_does() -> None:
    require_root("root's link is in /usr/local/lib")
    mounts = own_mounts("mount -t tmpfs tmpfs /usr/local/lib")
    line = 'umask 077; "$0" link && ls -l /usr/local/lib/radar/radar && ls -ld /usr/local/lib/radar'
    done = subprocess.run(
        [*mounts, "sh", "-c", line, radar_path()],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("/usr/local/lib/radar/radar starts radar")
    assert [row[:10] for row in done.stdout.splitlines()[2:]] == ["-rwxr-xr-x", "drwxr-xr-x"]


def test_it_writes_into_the_home_of_a_user(home: Path) -> None:
    done = run_radar("link", prefix=as_user(), text=True)
    assert done.stdout.startswith(f"{home}/.local/lib/radar/radar starts radar"), done.stderr
    assert run_job(home / ".local/lib/radar/radar") == []


def _installers(path: Path) -> None:
    shutil.copy(radar_path(), path)


def _script(path: Path) -> None:
    path.write_text("#!/bin/sh\n# Written by a person\n")


def _symbolic_link(path: Path) -> None:
    path.symlink_to(radar_path())


def _dangling(path: Path) -> None:
    path.symlink_to("/nowhere")


@pytest.mark.parametrize("make", [_installers, _script, _symbolic_link, _dangling])
def test_it_overwrites_nothing_that_is_not_its_own(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "radar"
    make(path)
    before = os.lstat(path)[:7]
    done = run_radar("link", path, "--json", text=True)
    assert (done.returncode, read_envelope(done)["error"]["slug"]) == (2, "link")
    assert f"{path} is " in done.stderr
    assert "--force replaces it" in done.stderr
    assert os.lstat(path)[:7] == before  # all but the times, as it was read
    assert run_radar("link", path, "--force").returncode == 0
    assert not path.is_symlink()
    assert run_job(path) == []


def test_it_never_replaces_a_folder(tmp_path: Path) -> None:
    for options in ((), ("--force",)):
        done = run_radar("link", tmp_path, *options, text=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"radar: {tmp_path} is a directory (try {tmp_path}/radar)\n"


def test_it_warns_of_a_folder_of_installers(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = run_radar("link", tmp_path / "bin/radar", text=True)
    assert done.returncode == 0
    assert "an upgrade by pip, pipx or uv replaces what is called radar" in done.stderr


def test_it_leaves_the_old_link_where_the_new_one_does_not_start(
    installation: Installation,
) -> None:
    before = installation.link.read_bytes()
    (installation.package / "cli/app.py").rename(installation.package / "cli/app.aside")
    again = "import sys; sys.path.append(sys.argv.pop(1)); from radar_cli.crontab import link; " + (
        "link.write_link(sys.argv[1], open(sys.argv[1], 'rb').read(), force=False)"
    )
    words: list[Word] = [installation.python, "-I", "-S", "-c", again]
    done = subprocess.run(
        [*words, installation.package.parent, installation.link],
        env=environment(measured=False),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "LinkError: radar doesn't start: " in done.stderr
    assert installation.link.read_bytes() == before
    assert list(installation.link.parent.iterdir()) == [installation.link]


def test_it_says_why_it_can_not_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_radar("link", tmp_path / "file/radar", text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tmp_path}/file/radar: can't be written: " in done.stderr


def test_it_links_again_from_a_link(whole: Installation, tmp_path: Path) -> None:
    done = start(whole.link, "link", tmp_path / "radar", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "radar").read_bytes() == whole.link.read_bytes()


def test_no_folder_of_the_job_is_handed_over(tmp_path: Path) -> None:
    env = environment(PYTHONPATH=f"{tmp_path}/app:{tmp_path}", PYTHONHOME=None)
    (tmp_path / "app").mkdir()
    done = run_radar("link", tmp_path / "radar", env=env, cwd=tmp_path)
    assert done.returncode == 0
    script = (tmp_path / "radar").read_text()
    assert f"'{tmp_path}" not in script.replace(f"'{sys.executable}'", "")


@pytest.mark.parametrize(
    "name",
    [
        "a b  c",
        "it's \"quoted\" '",
        "$HOME `x` \\n %",
        "new\nline",
        "ü",
        os.fsdecode(b"\xff\x81\x88"),
        "x" * 200,
    ],
    ids=["spaces", "quotes", "shell", "newline", "unicode", "bytes", "long"],
)
def test_it_works_in_any_folder(tmp_path: Path, name: str) -> None:
    made = Installation(tmp_path / name / ("y" * 200 if name.startswith("xx") else "i"))
    if not name.isprintable() and "\n" not in name:
        # Python 3.13 itself finds none of its modules in C there.
        made = Installation(tmp_path / "i")
        made.link = tmp_path / name / "radar"
    made.write_link()
    made.write_link()  # it knows itself again
    for shell in SHELLS:
        for locale in ("C", "C.UTF-8"):
            assert run_job(made.link, sh=as_sh(shell), env={"LC_ALL": locale}) == [], shell
    assert kinds() == ["start", "fail"] * 2 * len(SHELLS)
    made.python.unlink()
    for shell in SHELLS:
        lines = run_job(made.link, sh=as_sh(shell))
        assert lines[-1].endswith("; job runs unwatched"), shell
        assert len(lines) == 1 + name.count("\n"), shell


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_start_goes_well_while_one_version_replaces_the_other(tmp_path: Path) -> None:
    link = tmp_path / "radar"
    old, new = (Installation(tmp_path / name) for name in ("old", "new"))
    old.write_link(link)
    stop = tmp_path / "stop"
    relink = """while [ ! -e "$0" ]; do "$@" || exit 1; done"""
    changers = []
    for made in (old, new):
        words = made.command("link", link)
        changers.append(
            remember(
                subprocess.Popen(
                    ["/bin/sh", "-c", relink, stop, *words],
                    env=environment(measured=False),
                    stdout=subprocess.DEVNULL,
                )
            )
        )
    written = set()
    for _ in range(depth(120, 500)):
        written.add(link.read_bytes())
        assert run_job(link) == []
    stop.touch()
    assert [changer.wait(60) for changer in changers] == [0, 0]
    assert len(written) == 2
