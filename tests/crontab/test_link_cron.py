"""A crontab's line that calls radar by the link, under Debian's real cron."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cron import Cron
from tests.support.installation import Installation
from tests.support.pings import kinds, last_ping
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

_HOSTILE = {
    "PYTHONHOME": "/opt/app",
    "PYTHONPATH": "/opt/app",
    "PYTHONMALLOC": "garbage",
    "ENV": "/nowhere",
    "IFS": "x",
}


def test_it_runs_a_line_whose_environment_is_hostile(
    installation: Installation, tmp_path: Path
) -> None:
    line = f"@reboot {installation.link} run backup -- sh -c 'echo $PYTHONHOME; exit 4'"
    with Cron(tmp_path, line, settings=_HOSTILE) as cron:
        wait_until(lambda: len(cron.mails) == 1)
        wait_until(lambda: kinds() == ["start", "fail"])
        assert cron.mails[0].decode().partition("\n\n")[2] == "/opt/app\n"
    assert last_ping().fields["exit"] == "4"


def _break_python(installation: Installation) -> None:
    installation.python.unlink()
    installation.python.symlink_to("/nowhere")


def _break_radar(installation: Installation) -> None:
    (installation.package / "wrap/run.py").unlink()


@pytest.mark.parametrize("breakage", [_break_python, _break_radar])
def test_it_runs_a_line_though_radar_is_broken(
    installation: Installation, tmp_path: Path, breakage: Callable[[Installation], None]
) -> None:
    breakage(installation)
    done = tmp_path / "done"
    line = (
        f"@reboot {installation.link} run backup --schedule '@daily' -- sh -c 'echo ran; exit 4'; "
        f"echo $? >{done}.new && mv {done}.new {done}"
    )
    with Cron(tmp_path, line, settings=_HOSTILE) as cron:
        wait_until(lambda: len(cron.mails) == 1)
        said, output = cron.mails[0].decode().partition("\n\n")[2].splitlines()
        assert done.read_text() == "4\n"
    assert said.startswith(f"radar: not started by {installation.python}")
    assert said.endswith("; backup runs unwatched")
    assert output == "ran"
    assert kinds() == []
