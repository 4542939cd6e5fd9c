"""The zipapp: radar in one file, which begins with the link's script and passes its tests."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import zipapp
from tests.crontab import test_fallback, test_fallback_lock, test_launcher
from tests.crontab.jobs import run_job, start
from tests.launch.test_installing import interpreter
from tests.support.depth import depth
from tests.support.installation import SHELLS, as_sh
from tests.support.pings import kinds
from tests.support.radar import environment, radar_path

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
_SHELLS = SHELLS[: depth(1, len(SHELLS))]


@dataclass
class Zipapp:
    """A zipapp where the link's tests expect an installation with its link."""

    link: Path


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Zipapp:
    made = Zipapp(tmp_path_factory.mktemp("zip app's") / "radar.pyz")
    zipapp.make(made.link)
    return made


@pytest.fixture(scope="session")
def gone(whole: Zipapp, tmp_path_factory: pytest.TempPathFactory) -> Zipapp:
    """The same without the archive."""
    made = Zipapp(tmp_path_factory.mktemp("gone") / "radar.pyz")
    made.link.write_bytes(whole.link.read_bytes().partition(b"\nexit 126\n")[0] + b"\nexit 126\n")
    made.link.chmod(0o755)
    return made


@pytest.fixture(params=_SHELLS)
def sh(request: pytest.FixtureRequest) -> list[str]:
    return as_sh(request.param)


test_it_runs_the_job = test_launcher.test_it_runs_the_job_under_radar
test_variables_of_python = test_launcher.test_all_variables_of_python_reach_the_job
test_modules_of_the_job = test_launcher.test_no_module_of_the_job_reaches_radar
test_other_commands = test_fallback.test_another_command_does_nothing
test_words = test_fallback.test_it_reads_the_words_as_radar_does
test_wrong_words = test_fallback.test_it_runs_nothing_where_radar_would_not
test_exit = test_fallback.test_the_exit_is_the_jobs
test_stderr_takes_nothing = test_fallback.test_it_runs_where_stderr_takes_nothing
test_no_flock = test_fallback_lock.test_it_runs_nothing_without_flock


@pytest.mark.parametrize(
    "variables", [each for each in test_launcher.SHELL_VARIABLES if "PATH" not in each], ids=str
)
def test_no_variable_of_sh_stops_radar(
    whole: Zipapp, tmp_path: Path, variables: dict[str, str]
) -> None:
    (tmp_path / "exits").write_text("exit 9\n")
    env = {n: value.replace("{exits}", str(tmp_path / "exits")) for n, value in variables.items()}
    for shell in _SHELLS:
        assert run_job(whole.link, sh=as_sh(shell), env=env) == [], shell
    assert kinds() == ["start", "fail"] * len(_SHELLS)


def test_it_says_when_there_is_no_python(whole: Zipapp, tmp_path: Path) -> None:
    [line] = run_job(whole.link, env={"PATH": str(tmp_path)})
    assert line == "radar: not started by python3; job runs unwatched"


def test_the_job_runs_by_a_python_that_is_none(whole: Zipapp, tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("")
    (tmp_path / "python3").chmod(0o755)
    [line] = run_job(whole.link, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert line == f"radar: not started by {tmp_path}/python3; job runs unwatched"


def test_the_job_runs_by_a_damaged_archive(whole: Zipapp, tmp_path: Path) -> None:
    data = whole.link.read_bytes()
    (tmp_path / "radar.pyz").write_bytes(data[: len(data) * 2 // 3])
    (tmp_path / "radar.pyz").chmod(0o755)
    [line] = run_job(tmp_path / "radar.pyz")
    assert line.endswith("; job runs unwatched")
    assert kinds() == []


def test_it_has_all_that_the_installed_one_has(whole: Zipapp) -> None:
    for words in (["completion", "zsh"], ["recipe", "ansible"], ["link", "--help"]):
        installed = subprocess.run(
            [radar_path(), *words], env=environment(), capture_output=True, check=True
        )
        assert start(whole.link, *words).stdout == installed.stdout
    assert start(whole.link, "run", "job", "--every", "1h", "-c", "echo done").returncode == 0
    [monitor] = json.loads(start(whole.link, "status", "--json").stdout)["data"]
    assert (monitor["key"], monitor["status"]) == ("job", "up")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_runs_it_and_nothing_else_is_needed(
    version: str, whole: Zipapp, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3").symlink_to(interpreter(version))
    env = environment(measured=False, PATH=f"{folder}:/usr/bin:/bin")
    copy = tmp_path / "moved/radar.pyz"
    copy.parent.mkdir()
    copy.write_bytes(whole.link.read_bytes())
    copy.chmod(0o755)
    done = subprocess.run(
        [copy, "run", "job", "-c", "exit 3"], env=env, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (3, b"")
    assert kinds() == ["start", "fail"]
    env = environment(measured=False, PATH=env["PATH"], RADAR_CONFIG=None, RADAR_SYSTEM_CONFIG=None)
    doctor = subprocess.run([copy, "doctor", "--json"], env=env, capture_output=True, check=False)
    assert [each for each in json.loads(doctor.stdout)["data"] if each["state"] == "bad"] == []
    assert [path.name for path in copy.parent.iterdir()] == ["radar.pyz"]


def test_a_link_to_it_runs_the_job(whole: Zipapp, tmp_path: Path) -> None:
    link = tmp_path / "link/radar"
    assert start(whole.link, "link", str(link)).returncode == 0
    assert run_job(link) == []
    assert kinds() == ["start", "fail"]


def test_an_archive_that_is_made_anew_is_the_same(whole: Zipapp, tmp_path: Path) -> None:
    zipapp.make(tmp_path / "again.pyz")
    assert (tmp_path / "again.pyz").read_bytes() == whole.link.read_bytes()
