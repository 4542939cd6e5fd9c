"""`radar check`: silence is noticed, with no server at all."""

import json
import os
import re

import pytest

from radar_cli.core.zone import local_zone
from tests.support.radar import environment, run_radar
from tests.support.waiting import wait_until


def _check(*words: str) -> tuple[int, str]:
    checked = run_radar("check", *words, text=True)
    return checked.returncode, checked.stdout


def test_all_is_well_without_monitors_and_with_one_that_ran() -> None:
    assert _check() == (0, "")
    run_radar("run", "job", "--every", "1h", "--", "true")
    checked = run_radar("check", text=True)
    # Cron mails whatever a line of it says.
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    asked = run_radar("check", "-v", text=True)
    assert (asked.returncode, asked.stdout) == (0, "")
    assert asked.stderr == "radar: all well: 1 monitor\n"


def test_it_says_that_a_failed_job_is_down_and_what_it_said() -> None:
    run_radar("run", "job", "--", "sh", "-c", "echo disk is full; exit 9")
    code, text = _check()
    assert code == 1
    assert "down (failed)" in text
    assert "exit 9: disk is full" in text
    assert " 0 ms ago" not in text
    run_radar("run", "job", "--", "true")
    assert _check()[0] == 0


@pytest.mark.slow
def test_a_job_that_stops_being_run_is_late_then_down_and_then_up_again() -> None:
    run_radar("run", "job", "--every", "3s", "--grace", "2s", "--", "true")
    assert _check()[0] == 0
    wait_until(lambda: "late" in _check()[1])
    assert _check()[0] == 0
    assert _check("--strict")[0] == 1
    wait_until(lambda: _check()[0] == 1)
    assert "down (missed)" in _check()[1]
    run_radar("run", "job", "--", "true")
    assert _check("--strict") == (0, "")


@pytest.mark.slow
def test_a_job_that_never_ends_is_hung() -> None:
    run_radar("ping", "job", "start", "--every", "1h", "--max-runtime", "1s")
    assert _check()[0] == 0
    wait_until(lambda: _check()[0] == 1)
    assert "down (hung)" in _check()[1]


def test_it_tells_programs_the_same() -> None:
    run_radar("run", "job", "--", "false")
    checked = run_radar("check", "--format", "json", text=True)
    assert checked.returncode == 1
    assert checked.stdout == run_radar("check", "--json", text=True).stdout
    (job,) = json.loads(checked.stdout)["data"]
    assert (job["key"], job["status"], job["reason"]) == ("job", "down", "failed")


@pytest.mark.parametrize(
    ("command", "code", "line"),
    [
        ("true", 0, r"RADAR OK - 1 monitor \| new=0 up=1 late=0 down=0 paused=0\n"),
        ("false", 2, r"RADAR CRITICAL - 1 of 1: job failed \| .* down=1 .*\n"),
    ],
)
def test_it_speaks_nagios(command: str, code: int, line: str) -> None:
    run_radar("run", "job", "--", command)
    found = _check("--format", "nagios")
    assert found[0] == code
    assert re.fullmatch(line, found[1])


def test_nagios_hears_that_nothing_is_known() -> None:
    code, line = _check("nobody", "--format", "nagios")
    assert (code, line) == (3, "RADAR UNKNOWN - no monitor 'nobody'\n")
    with open(os.environ["RADAR_STATE_DIR"] + "/radar.db", "wb") as file:
        file.write(b"broken" * 1000)
    code, line = _check("--format", "nagios")
    assert code == 3
    assert line.startswith("RADAR UNKNOWN - can't use ")


def test_it_writes_for_the_textfile_collector() -> None:
    run_radar("run", "job", "--every", "1h", "--", "sh", "-c", "exit 4")
    code, text = _check("--format", "prometheus")
    assert code == 1
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    for sample in samples:
        pattern = r'radar_monitor_[a-z_]+\{monitor="job"(,status="down")?\} -?[0-9.e+]+'
        assert re.fullmatch(pattern, sample)
    assert 'radar_monitor_up{monitor="job"} 0' in samples
    assert 'radar_monitor_last_run_exit_code{monitor="job"} 4' in samples
    names = re.findall(r"^# TYPE (\S+) gauge$", text, re.MULTILINE)
    told = {sample.split("{")[0] for sample in samples}
    assert set(names) - told == {"radar_monitor_last_success_timestamp_seconds"}
    assert told < set(names)


def test_it_judges_only_those_named_and_misses_who_is_not_there() -> None:
    run_radar("run", "good", "--", "true")
    run_radar("run", "bad", "--", "false")
    assert _check("good")[0] == 0
    assert _check("bad")[0] == 1
    missing = run_radar("check", "good", "nobody", text=True)
    assert missing.returncode == 2
    assert "no monitor 'nobody'" in missing.stderr


def test_a_schedule_means_the_clock_on_this_machines_wall() -> None:
    run_radar("run", "job", "--schedule", "5 2 * * *", "--", "true")
    (job,) = json.loads(run_radar("status", "--json").stdout)["data"]
    assert job["tz"] == _zone_of_this_machine()
    run_radar("run", "other", "--schedule", "5 2 * * *", "--tz", "Asia/Kolkata", "--", "true")
    run_radar("run", "third", "--schedule", "5 2 * * *", "--", "true", env=_with_tz("Asia/Tokyo"))
    found = {m["key"]: m for m in json.loads(run_radar("status", "--json").stdout)["data"]}
    assert (found["other"]["tz"], found["third"]["tz"]) == ("Asia/Kolkata", "Asia/Tokyo")


def _with_tz(name: str) -> dict[str, str]:
    return environment(RADAR_TZ=name)


def _zone_of_this_machine() -> str:
    return local_zone(environment())


def test_nagios_hears_that_there_is_nothing_to_know_here() -> None:
    assert _check("--format", "nagios") == (3, "RADAR UNKNOWN - no monitors here\n")
    run_radar("run", "job", "--", "true")
    env = environment(CRONRADAR_API_KEY="k", CRONRADAR_BASE_URL="http://127.0.0.1:9")
    elsewhere = run_radar("check", "--format", "nagios", env=env, text=True)
    assert elsewhere.returncode == 3
    assert elsewhere.stdout.startswith("RADAR UNKNOWN - pings go to http://127.0.0.1:9")
