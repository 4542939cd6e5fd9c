"""A program as a channel: without a shell, within its time, and what it says is told."""

import json
import os
import time
from pathlib import Path

import pytest

from radar_cli.core.errors import RadarError
from radar_cli.notify.channel import UnusableChannelError
from radar_cli.notify.channels import find_channels
from radar_cli.notify.words import data, subject
from radar_cli.settings.profiles import load
from tests.notify.conftest import Maker, failure_of
from tests.notify.notices import NOTICE
from tests.support.processes import is_alive
from tests.support.waiting import wait_for_file


def write_program(path: Path, lines: str) -> Path:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def tell(tmp_path: Path) -> Path:
    """A program that keeps what it was given: arguments, stdin, environment."""
    return write_program(
        tmp_path / "tell",
        f"cd '{tmp_path}'; cat > stdin; env > env; for word; do echo \"$word\"; done > words",
    )


def test_it_gives_the_notice_to_the_program(
    make_channel: Maker, tell: Path, tmp_path: Path
) -> None:
    make_channel(f"command = ['{tell}', '$HOME; x', 'a  b']").send(NOTICE, timeout_s=20)
    assert (tmp_path / "words").read_text() == "$HOME; x\na  b\n"
    assert json.loads((tmp_path / "stdin").read_text()) == data(NOTICE)
    given = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert {k: v for k, v in given.items() if k.startswith("RADAR_NOTICE_")} == {
        "RADAR_NOTICE_KEY": NOTICE.key,
        "RADAR_NOTICE_KIND": "down",
        "RADAR_NOTICE_MONITOR": "backup",
        "RADAR_NOTICE_STATUS": "down",
        "RADAR_NOTICE_REASON": "missed",
        "RADAR_NOTICE_SUBJECT": subject(NOTICE),
    }
    assert given["HOME"] == os.environ["HOME"]


@pytest.mark.parametrize("program", ["./tell", "~/../tell"])
def test_it_finds_the_program_beside_its_config_file_or_at_home(
    make_channel: Maker, tell: Path, program: str
) -> None:
    make_channel(f"command = ['{program}']").send(NOTICE, timeout_s=20)
    assert (tell.parent / "stdin").exists()


def test_a_program_need_not_read_its_stdin(make_channel: Maker) -> None:
    make_channel("command = ['true']").send(NOTICE, timeout_s=20)


def test_a_failure_says_the_last_line_of_stderr(make_channel: Maker, tmp_path: Path) -> None:
    program = write_program(
        tmp_path / "fail", "echo out; printf 'noise\\nno route\\033[2J \\n\\n' >&2; exit 7"
    )
    error = failure_of(make_channel(f"command = ['{program}']"))
    assert error.message == f"{program} failed with 7: no route\ufffd[2J"
    assert error.is_retriable
    assert (error.slug, error.exit_code) == ("notify", 3)


def test_a_failure_without_words_says_the_code_or_the_signal(make_channel: Maker) -> None:
    assert failure_of(make_channel("command = ['false']")).message == "false failed with 1"
    error = failure_of(make_channel("command = ['sh', '-c', 'kill -TERM $$']"))
    assert error.message == "sh was killed by signal 15"


@pytest.mark.parametrize(
    ("program", "reason"),
    [("radar-no-such-program", "No such file or directory"), ("/", "Permission denied")],
)
def test_a_program_that_cannot_be_run_needs_a_person(
    make_channel: Maker, program: str, reason: str
) -> None:
    error = failure_of(make_channel(f"command = ['{program}']"))
    assert isinstance(error, UnusableChannelError)
    assert error.message == f"{program}: {reason}"
    assert (error.slug, error.exit_code) == ("notify-config", 2)


def test_its_whole_process_group_is_killed_when_its_time_is_up(
    make_channel: Maker, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    lines = f"trap '' TERM; sleep 600 & echo $! > {pids}; echo $$ >> {pids}; wait"
    program = write_program(tmp_path / "hang", lines)
    error = failure_of(make_channel(f"command = ['{program}']"), timeout_s=1)
    assert error.message == f"{program} took longer than 1 s"
    assert error.is_retriable
    for pid in wait_for_file(pids, lines=2).split():
        assert not is_alive(int(pid))


def test_a_daemon_that_it_leaves_behind_holds_nothing_up(
    make_channel: Maker, tmp_path: Path
) -> None:
    program = write_program(tmp_path / "leave", "sleep 600 & exit 0")
    begin = time.monotonic()
    make_channel(f"command = ['{program}']").send(NOTICE, timeout_s=60)
    assert time.monotonic() - begin < 30


def test_only_the_end_of_a_flood_on_stderr_is_kept(make_channel: Maker, tmp_path: Path) -> None:
    lines = "head -c 20000000 /dev/zero >&2; echo >&2; echo the end >&2; false"
    program = write_program(tmp_path / "flood", lines)
    error = failure_of(make_channel(f"command = ['{program}']"))
    assert error.message == f"{program} failed with 1: the end"


@pytest.mark.parametrize(
    ("mode", "why", "mend"),
    [(0o666, "anybody can write", "o-w"), (0o660, "its group can write", "g-w")],
)
def test_no_program_runs_from_a_file_that_others_can_write(
    make_channel: Maker, tell: Path, tmp_path: Path, mode: int, why: str, mend: str
) -> None:
    make_channel(f"command = ['{tell}']")
    path = Path(os.environ["RADAR_CONFIG"])
    path.chmod(mode)
    config = load(os.environ)
    (channel,) = find_channels(config)
    with pytest.raises(UnusableChannelError, match=why):
        channel.send(NOTICE, timeout_s=20)
    assert config.warnings == [
        f"{path}: notify.one: command is not run: {why} to the file (chmod {mend} {path})"
    ]
    assert not (tmp_path / "stdin").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a file of another user")
@pytest.mark.parametrize("lines", ["command = ['TELL']", "email = ['root']\nsendmail = 'TELL'"])
def test_no_program_runs_from_another_users_file(
    make_channel: Maker, tell: Path, tmp_path: Path, lines: str
) -> None:
    lines = lines.replace("TELL", str(tell))
    make_channel(lines)
    os.chown(os.environ["RADAR_CONFIG"], 65534, 65534)
    (channel,) = find_channels(load(os.environ))
    with pytest.raises(RadarError, match="belongs to another user"):
        channel.send(NOTICE, timeout_s=20)
    assert not (tmp_path / "stdin").exists()
