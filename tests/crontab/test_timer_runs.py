"""systemd's timers, as `systemctl` tells of them: a program that prints its documented output."""

import json
import os
import time
from pathlib import Path

import pytest

from radar_cli.cli import timers as cli_timers
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session
from radar_cli.core.errors import UsageError
from radar_cli.crontab.drop_in import make_drop_in
from radar_cli.crontab.sources import Machine
from radar_cli.crontab.timer_runs import ask_services, ask_timers, is_systemd_here, key_of
from tests.cli.envelopes import read_envelope
from tests.support.radar import run_radar

_SECOND_US = 1_000_000
# What `systemctl show --timestamp=unix` of systemd 252 prints, with these properties.
_SHOWN = """Result={result}
ExecMainStartTimestamp=@{began}
ExecMainCode={code}
ExecMainStatus={status}
Id={name}.service
ActiveState={active}
InactiveEnterTimestamp=@{ended}
ConditionResult={condition}
"""


@pytest.fixture
def now() -> int:
    """The time in seconds."""
    return int(time.time())


def plant(
    folder: Path, monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, object]], shown: str
) -> None:
    """Put a `systemctl` first in PATH that knows these timers and services."""
    (folder / "timers.json").write_text(json.dumps(rows))
    (folder / "shown").write_text(shown)
    program = folder / "bin/systemctl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(
        f'#!/bin/sh\ncase $1 in\nlist-timers) exec cat "{folder}/timers.json" ;;\n'
        f'show) exec cat "{folder}/shown" ;;\nesac\necho "Unknown command verb $1." >&2\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def row(name: str, last: int | None, following: int | None) -> dict[str, object]:
    """A timer as `systemctl list-timers --output=json` has it: microseconds, 0 or null for none."""
    return {
        "next": following and following * _SECOND_US,
        "left": following and following * _SECOND_US,
        "last": last and last * _SECOND_US,
        "passed": 0,
        "unit": f"{name}.timer",
        "activates": f"{name}.service",
    }


def shown(name: str, began: int, ended: int, **other: str) -> str:
    """A service as `systemctl show` has it."""
    facts = {"result": "success", "code": "1", "status": "0", "active": "inactive"}
    return _SHOWN.format(
        **{**facts, "condition": "yes", **other}, name=name, began=began, ended=ended
    )


def statuses() -> dict[str, tuple[str, str | None]]:
    with open_monitors(Session()) as opened:
        keep(opened.now_us())
    data = read_envelope(run_radar("status", "--json", text=True))["data"]
    return {entry["key"]: (entry["status"], entry["reason"]) for entry in data}


def keep(now_us: int) -> None:
    with open_monitors(Session()) as opened:
        assert opened.local is not None
        found = ask_timers()
        services = ask_services(timer.service for timer in found)
        cli_timers.keep_timers(opened.local, found, services, now_us)


def test_each_timer_is_judged_by_what_systemd_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: int
) -> None:
    rows = [
        row("well", now - 600, now + 3000),
        row("fails", now - 600, now + 3000),
        row("killed", now - 600, now + 3000),
        row("late", now - 600, now + 3000),
        row("running", now - 60, None),
        row("stopped", now - 90_000, now - 3600),
        row("skipped", now - 600, now + 3000),
        row("waits", None, now + 3000),
        row("never", None, None),
    ]
    services = "\n".join(
        [
            shown("well", now - 600, now - 590),
            shown("fails", now - 600, now - 590, result="exit-code", status="7"),
            shown("killed", now - 600, now - 590, result="signal", code="2", status="9"),
            shown("late", now - 600, now - 590, result="timeout", code="2", status="15"),
            shown("running", now - 60, now - 4000, active="activating"),
            shown("stopped", now - 90_000, now - 89_990),
            shown("skipped", now - 9000, now - 8990, condition="no"),
        ]
    )
    plant(tmp_path, monkeypatch, rows, services)
    expected = {
        "well.timer": ("up", None),
        "fails.timer": ("down", "failed"),
        "killed.timer": ("down", "failed"),
        "late.timer": ("down", "failed"),
        "running.timer": ("new", None),
        "stopped.timer": ("down", "missed"),
        "skipped.timer": ("up", None),
        "waits.timer": ("new", None),
    }
    assert statuses() == expected
    # Asked again, nothing is new.
    assert statuses() == expected
    history = read_envelope(
        run_radar("monitors", "history", "late.timer", "killed.timer", "--json", text=True)
    )["data"]
    found = {run["key"]: (run["signal"], run["reason"], run["duration_s"]) for run in history}
    assert found == {"late.timer": (15, "systemd: timeout", 10), "killed.timer": (9, None, 10)}


def test_a_timer_that_comes_again_is_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: int
) -> None:
    broken = shown("job", now - 600, now - 590, result="exit-code", status="1")
    plant(tmp_path, monkeypatch, [row("job", now - 600, now + 60)], broken)
    assert statuses() == {"job.timer": ("down", "failed")}
    mended = shown("job", now - 60, now - 50)
    plant(tmp_path, monkeypatch, [row("job", now - 60, now + 600)], mended)
    assert statuses() == {"job.timer": ("up", None)}


@pytest.mark.skipif(is_systemd_here(), reason="systemd runs this machine")
def test_it_says_that_there_is_no_systemd() -> None:
    done = run_radar("check", "--timers", text=True)
    assert done.returncode == 0
    assert "systemd doesn't run this machine: there are no timers to watch" in done.stderr


def test_it_says_what_systemctl_complains_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_timers, "is_systemd_here", lambda: True)
    plant(tmp_path, monkeypatch, [], "")
    (tmp_path / "timers.json").unlink()
    with open_monitors(Session()) as opened:
        (remark,) = cli_timers.take_timers(opened)
        assert "systemctl list-timers: cat: " in remark
        (tmp_path / "timers.json").write_text('[{"unit": 3}]')
        (remark,) = cli_timers.take_timers(opened)
        assert "systemctl list-timers prints something else" in remark
        (tmp_path / "timers.json").write_text("[]")
        assert cli_timers.take_timers(opened) == []


def test_it_leaves_the_timers_of_a_servers_client_alone() -> None:
    done = run_radar("check", "--timers", "--server", "http://127.0.0.1:1", text=True)
    assert done.returncode == 3


def _plant_units(root: Path, service: str) -> Machine:
    folder = root / "etc/systemd/system"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.timer").write_text("[Timer]\nOnCalendar=daily\n")
    (folder / "job.service").write_text(service)
    return Machine(str(root))


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("/opt/job --all %i $X", "/lib/radar run job.timer -- /opt/job --all %i $X"),
        ("-/opt/job", "-/lib/radar run job.timer -- /opt/job"),
        ("+-/opt/job", "+-/lib/radar run job.timer -- /opt/job"),
    ],
)
def test_it_makes_a_drop_in(tmp_path: Path, line: str, call: str) -> None:
    machine = _plant_units(tmp_path, f"[Service]\nExecStart={line}\n")
    assert make_drop_in(machine, "job", "/lib/radar") == (
        "/etc/systemd/system/job.service.d/radar.conf",
        f"[Service]\nExecStart=\nExecStart={call}\n",
    )


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("[Service]\nExecStart=@/opt/job other\n", "argv[0]"),
        ("[Service]\nExecStart=/a\nExecStart=/b\n", "starts 2 programs"),
        ("[Service]\nExecStart=/lib/radar run x -- /a\n", "already"),
    ],
)
def test_it_makes_none_where_it_would_be_wrong(tmp_path: Path, service: str, message: str) -> None:
    machine = _plant_units(tmp_path, service)
    with pytest.raises(UsageError) as caught:
        make_drop_in(machine, "job.timer", "/lib/radar")
    assert message in caught.value.line()
    with pytest.raises(UsageError, match=r"no timer 'jbo\.timer'"):
        make_drop_in(machine, "jbo", "/lib/radar")


def test_it_prints_and_writes_a_drop_in(tmp_path: Path) -> None:
    _plant_units(tmp_path / "root", "[Service]\nExecStart=/opt/job\n")
    words = ("crontab", "drop-in", "job", "--root", str(tmp_path / "root"))
    link = ("--link", str(tmp_path / "lib/radar"))
    printed = run_radar(*words, *link, text=True)
    assert (printed.returncode, "[Service]\nExecStart=\n" in printed.stdout) == (0, True)
    written = run_radar(*words, *link, "--write", text=True)
    assert "systemctl daemon-reload" in written.stderr
    path = tmp_path / "root/etc/systemd/system/job.service.d/radar.conf"
    assert path.read_text() == printed.stdout
    assert (tmp_path / "lib/radar").exists()
    assert run_radar(*words, *link, "--write").returncode == 2  # it is there


def test_it_makes_keys_of_units() -> None:
    assert key_of("apt-daily.timer") == "apt-daily.timer"
    assert key_of("Backup@home-\\x2dx.timer") == "backup-home--x2dx.timer"
