"""`--lock` where radar can't be started: flock(1) on the file that radar itself locks."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crontab.jobs import run_job, start
from tests.support.installation import Installation
from tests.support.namespaces import own_mounts
from tests.support.processes import remember
from tests.support.radar import Word, environment
from tests.support.requirements import require_program, require_root
from tests.support.waiting import wait_for_file, wait_until

_NOBODY = 65534


@pytest.fixture(params=["radar", "link without radar"])
def holder(
    request: pytest.FixtureRequest,
    sh: list[str],
    whole: Installation,
    gone: Installation,
    tmp_path: Path,
) -> "subprocess.Popen[bytes]":
    """A run that holds the lock until its stdin ends."""
    link = whole.link if request.param == "radar" else gone.link
    line = f"echo up >{tmp_path}/up; exec cat >/dev/null"
    words: list[Word] = [*sh, link, "run", "job", "--lock", "fail", "-c", line]
    run = remember(
        subprocess.Popen(
            words,
            env=environment(measured=False),
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    )
    wait_for_file(tmp_path / "up")
    return run


def test_it_skips_fails_and_waits_as_radar_does(
    sh: list[str],
    whole: Installation,
    gone: Installation,
    holder: "subprocess.Popen[bytes]",
    tmp_path: Path,
) -> None:
    touch = f"touch {tmp_path}/ran"
    for link in (whole.link, gone.link):
        done = start(link, "run", "job", "--lock=skip", "-c", touch, sh=sh)
        assert (done.returncode, done.stdout) == (0, b"")
        done = start(link, "run", "job", "-c", touch, sh=sh, env={"RADAR_LOCK": "skip"})
        assert (done.returncode, done.stdout) == (0, b"")
        done = start(link, "run", "job", "--lock", "fail", "-c", touch, sh=sh)
        assert (done.returncode, done.stdout) == (75, b"")
    assert done.stderr.endswith(b"; job is not run: it runs already\n")
    words: list[Word] = [*sh, gone.link, "run", "job", "--lock", "wait", "-c", touch]
    waiting = remember(subprocess.Popen(words, env=environment(measured=False)))
    wait_until(lambda: _does_anybody_wait(tmp_path / "state/locks/job"))
    assert not (tmp_path / "ran").exists()
    holder.communicate()
    assert waiting.wait(10) == 0
    assert (tmp_path / "ran").exists()


def _does_anybody_wait(file: Path) -> bool:
    inode = f":{file.stat().st_ino} "
    locks = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and inode in line for line in locks)


def test_it_runs_the_job_under_a_lock_that_is_free(
    sh: list[str], whole: Installation, gone: Installation, tmp_path: Path
) -> None:
    for mode in ("skip", "wait", "fail"):
        assert len(run_job(gone.link, "--lock", mode, sh=sh)) == 1
    folder = tmp_path / "state/locks"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "job").stat().st_mode & 0o777 == 0o600
    assert run_job(whole.link, "--lock", "fail") == []


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"RADAR_STATE_DIR": "~/there"}, "home/there"),
        ({"RADAR_STATE_DIR": "there/below"}, "there/below"),
        ({"RADAR_STATE_DIR": "{tmp}/a  b/$c*"}, "a  b/$c*"),
    ],
)
def test_it_finds_the_state_directory_as_radar_does(
    sh: list[str],
    whole: Installation,
    gone: Installation,
    tmp_path: Path,
    env: dict[str, str],
    folder: str,
) -> None:
    env = {name: value.replace("{tmp}", str(tmp_path)) for name, value in env.items()}
    file = tmp_path / folder / "locks/job"
    for link in (whole.link, gone.link):
        run_job(link, "--lock", "fail", sh=sh, env=env, cwd=tmp_path)
        assert file.exists()
        file.unlink()


@pytest.fixture
def folder_of_a_user() -> Iterator[Path]:
    """A folder that another user than root owns and can reach."""
    require_root("becoming another user")
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, _NOBODY, _NOBODY)
        yield Path(name)


@pytest.mark.parametrize(
    ("env", "file"),
    [
        ({"XDG_STATE_HOME": ""}, "home/.local/state/radar/locks/job"),
        ({"XDG_STATE_HOME": "relative"}, "home/.local/state/radar/locks/job"),
        ({"XDG_STATE_HOME": "{folder}/x y"}, "x y/radar/locks/job"),
    ],
)
def test_it_locks_in_the_state_directory_of_the_user(
    sh: list[str], gone: Installation, folder_of_a_user: Path, env: dict[str, str], file: str
) -> None:
    link = Path(shutil.copy(gone.link, folder_of_a_user))
    env = {name: value.replace("{folder}", str(folder_of_a_user)) for name, value in env.items()}
    variables = environment(measured=False, RADAR_STATE_DIR=None, HOME=f"{folder_of_a_user}/home")
    user = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
    words: list[Word] = [*sh, *user, link, "run", "job", "--lock", "fail", "--", "true"]
    done = subprocess.run(words, env=variables | env, cwd=folder_of_a_user, check=False)
    assert done.returncode == 0
    assert (folder_of_a_user / file).stat().st_uid == _NOBODY


def test_it_locks_in_the_state_directory_of_root(sh: list[str], gone: Installation) -> None:
    require_root("root's state directory")
    own = own_mounts("mount -t tmpfs tmpfs /var/lib")
    words: list[Word] = [
        *own,
        *sh,
        gone.link,
        "run",
        "job",
        "--lock",
        "fail",
        "--",
        "ls",
        "/var/lib/radar/locks",
    ]
    env = environment(measured=False, RADAR_STATE_DIR=None)
    done = subprocess.run(words, env=env, stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"job\n"


@pytest.mark.parametrize(
    "name", [{}, {"RADAR_HOST": "Web_1.example.org"}, {"RADAR_HOST": "a b"}], ids=["own", "1", "2"]
)
def test_it_knows_the_machine_in_a_key_as_radar_does(
    sh: list[str], whole: Installation, gone: Installation, name: dict[str, str], tmp_path: Path
) -> None:
    locks = []
    for link in (whole.link, gone.link):
        done = start(link, "run", "on.{host}", "--lock", "fail", "--", "true", sh=sh, env=name)
        assert done.returncode == 0
        locks.append(os.listdir(tmp_path / "state/locks"))
        shutil.rmtree(tmp_path / "state/locks")
    assert len(locks[0]) == 1
    assert locks[0] == locks[1]


def test_it_runs_without_a_lock_where_there_can_be_none(
    sh: list[str], whole: Installation, gone: Installation, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for link in (whole.link, gone.link):
        lines = run_job(link, "--lock", "skip", sh=sh, env={"RADAR_STATE_DIR": f"{tmp_path}/file"})
        assert "without a lock" in lines[0]


def test_it_runs_nothing_without_flock(gone: Installation, tmp_path: Path) -> None:
    flock = os.path.realpath(require_program("flock"))
    own = own_mounts(f"mount --bind /dev/null {flock}")
    done = start(gone.link, "run", "job", "--lock", "wait", "-c", f"touch {tmp_path}/ran", sh=own)
    assert (done.returncode, (tmp_path / "ran").exists()) == (125, False)
    assert done.stderr.endswith(b"; job is not run: --lock needs flock(1)\n")
    assert len(done.stderr.splitlines()) == 1
    assert len(run_job(gone.link, sh=own)) == 1
