"""A line of a real crontab under Debian's real cron, as its owner sees it afterwards."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import Answer, accept_only, garbage, hang, ok, reset, status
from tests.support.cron import Cron
from tests.support.depth import depth
from tests.support.dns import NameServer
from tests.support.pings import read_pings
from tests.support.radar import environment, radar_path, run_radar, spool_files
from tests.support.server import Server
from tests.support.waiting import wait_for_file, wait_until

pytestmark = pytest.mark.slow


def _monitor(key: str) -> dict[str, Any]:
    shown = json.loads(run_radar("status", key, "--json").stdout)
    monitor: dict[str, Any] = shown["data"][0]
    return monitor


def test_it_records_a_line_of_cron_with_duration_exit_code_and_tail(tmp_path: Path) -> None:
    line = f"@reboot {radar_path()} run backup --schedule '@daily' -- sh -c 'echo 3 files; exit 4'"
    with Cron(tmp_path, line):
        wait_until(lambda: len(spool_files()) == 2)
    monitor = _monitor("backup")
    run = monitor["last_run"]
    assert (monitor["status"], monitor["schedule"]) == ("down", "@daily")
    assert (run["exit_code"], run["output"]) == (4, "3 files\n")
    assert 0 < run["duration_s"] < 30
    table = run_radar("status", text=True).stdout
    assert "backup" in table
    assert "3 files" in table


def test_it_mails_what_the_job_prints_and_nothing_of_its_own(tmp_path: Path) -> None:
    line = f"@reboot {radar_path()} run backup -- sh -c 'echo out; echo err >&2; echo out2'"
    with Cron(tmp_path, line) as cron:
        wait_until(lambda: cron.mails)
        mail = cron.mails[0].decode()
    assert mail.partition("\n\n")[2] == "out\nerr\nout2\n"


def test_it_runs_at_the_minute_that_the_crontab_says(tmp_path: Path) -> None:
    with Cron(tmp_path, f"* * * * * {radar_path()} run each-minute -- true"):
        wait_until(lambda: len(spool_files()) == 2, timeout_s=90)
    assert _monitor("each-minute")["status"] == "up"


@pytest.mark.nightly
@pytest.mark.parametrize("input_part", ["", "%the dump%"], ids=["without %", "with %"])
def test_a_line_is_retried_unless_it_has_input(input_part: str, tmp_path: Path) -> None:
    """An empty pipe is what cron gives to every job.

    Five at a time: of a hundred in one second, cron may close the pipe of some so late that they
    are taken for jobs with input.
    """
    job = f"{radar_path()} run job-{{0}} --retries 2 -c 'echo >>{tmp_path}/{{0}}; exit 5'"
    count = 0
    for turn in range(depth(2, 40)):
        lines = [f"@reboot {job.format(count + each)}{input_part}" for each in range(5)]
        count += len(lines)
        (tmp_path / f"cron-{turn}").mkdir()
        with Cron(tmp_path / f"cron-{turn}", "\n".join(lines)):
            wait_until(lambda: len(spool_files()) == 2 * count, timeout_s=60)  # noqa: B023
    tries = {(tmp_path / str(number)).read_text().count("\n") for number in range(count)}

    assert tries == ({1} if input_part else {3})
    reasons = {ping.fields.get("reason") for ping in read_pings() if ping.kind == "fail"}
    used_up = "not tried again: its first try may have used up its stdin"
    assert reasons == ({used_up} if input_part else {None})


def _refuse(server: Server) -> None:
    server.stop()


def _behave(*script: Answer) -> Callable[[Server], None]:
    return lambda server: server.behave(*script)


@pytest.mark.parametrize(
    "break_server",
    [
        pytest.param(_behave(hang()), id="hangs"),
        pytest.param(_behave(accept_only()), id="never-reads"),
        pytest.param(_behave(reset()), id="resets"),
        pytest.param(_behave(status(500)), id="answers-500"),
        pytest.param(_behave(garbage(b"\x00\xff nonsense\r\n\r\n")), id="answers-garbage"),
        pytest.param(_refuse, id="refuses"),
    ],
)
def test_it_delivers_once_the_server_is_back(
    tmp_path: Path, server: Server, break_server: Callable[[Server], None]
) -> None:
    break_server(server)
    done = tmp_path / "done"
    variables = {
        "RADAR_SERVER": server.url,
        "RADAR_API_KEY": "ck_app_test_key",
        "RADAR_PING_TIMEOUT": "1",
    }
    line = (
        f"@reboot {radar_path()} run backup -- sh -c 'exit 3'; "
        f"echo $? >{done}.new && mv {done}.new {done}"
    )
    with Cron(tmp_path, line, settings=variables) as cron:
        wait_for_file(done)
        assert done.read_text() == "3\n"
        assert cron.mails == []
    before = len(server.accepted)
    assert before == 0
    waiting = json.loads(run_radar("outbox", "list", "--json").stdout)["data"]
    assert [ping["kind"] for ping in waiting] == ["start", "fail"]

    if break_server is _refuse:
        server.start()
    server.behave(ok())
    flushed = run_radar("outbox", "flush", env=environment() | variables, text=True)
    assert (flushed.returncode, flushed.stdout) == (0, "2 delivered, 0 left\n")
    assert [ping.kind for ping in server.accepted] == ["start", "fail"]
    assert [ping.query["ts"] for ping in server.accepted] == [
        f"{datetime.fromisoformat(ping['time']).timestamp():.6f}" for ping in waiting
    ]
    assert spool_files() == []


def test_it_starts_the_job_while_no_name_can_be_resolved(tmp_path: Path, server: Server) -> None:
    variables = {
        "RADAR_SERVER": f"http://radar.test:{server.port}",
        "RADAR_API_KEY": "ck_app_test_key",
        "RADAR_PING_TIMEOUT": "1",
    }
    started = tmp_path / "started"
    with NameServer(tmp_path) as names:
        run = run_radar(
            *("run", "backup", "--", "sh", "-c", f"touch {started}; exit 3"),
            env=environment() | variables,
            prefix=names.prefix,
        )
        assert "radar.test" in names.questions
    assert run.returncode == 3
    assert started.exists()
    assert [path.name.split("-")[1] for path in spool_files()] == ["start", "fail"]


def test_a_zone_that_this_cron_does_not_know_is_told_of(tmp_path: Path) -> None:
    """Debian's cron runs every line by the machine's clock, whatever CRON_TZ says."""
    line = f"@reboot {radar_path()} run backup --schedule '5 2 * * *' -- true"
    with Cron(tmp_path, line, settings={"CRON_TZ": "Asia/Tokyo"}):
        wait_until(lambda: len(spool_files()) == 2)
    shown = json.loads(run_radar("monitors", "show", "backup", "--json").stdout)["data"]
    assert shown["tz"] != "Asia/Tokyo"
    (fault,) = shown["faults"]
    assert (fault["kind"], fault["field"], fault["text"]) == ("beware", "tz", "CRON_TZ=Asia/Tokyo")
    line = f"@reboot {radar_path()} run other --schedule '5 2 * * *' --tz Asia/Tokyo -- true"
    with Cron(tmp_path / "again", line):
        wait_until(lambda: len(spool_files()) == 2)
    shown = json.loads(run_radar("monitors", "show", "other", "--json").stdout)["data"]
    assert shown["tz"] == "Asia/Tokyo"
    assert "its host runs it by" in shown["faults"][0]["message"]
