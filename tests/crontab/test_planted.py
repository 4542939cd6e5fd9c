"""Sixty scheduled things of all kinds on a machine: each is found, and each that breaks is told."""

import re
import shlex
import time
from datetime import UTC, datetime
from pathlib import Path

from radar_cli.cli.crontab import VALUED
from radar_cli.cli.monitors.declaring import read_options
from radar_cli.cli.timers import keep_timers
from radar_cli.crontab.keeping import Keeping
from radar_cli.crontab.scan import Scan
from radar_cli.crontab.sources import Machine
from radar_cli.crontab.timer_runs import TimerState
from radar_cli.crontab.wrapping import Wrapper
from radar_cli.store.opening import open_embedded
from radar_cli.wrap import options

_TIMES = ("5 2 * * *", "*/15 * * * *", "0 4 * * 1", "@hourly", "30 6 1 * *", "@reboot")
_PERIODS = ("hourly", "daily", "weekly", "monthly")
_DAY_US = 86_400_000_000
_LINK = "/usr/local/lib/radar/radar"


def plant(root: Path) -> set[str]:
    """Plant sixty things, and return what each is found by."""

    def write(path: str, text: str, mode: int = 0o644) -> None:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    planted = set()

    def name(number: int) -> str:
        planted.add(f"/opt/thing-{number}")
        return f"/opt/thing-{number}"

    write("etc/debian_version", "13\n")
    write("etc/passwd", "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n")
    for user in range(6):  # 24 lines of users
        lines = [f"{_TIMES[(user + n) % 6]} {name(user * 4 + n)} --all\n" for n in range(4)]
        write(
            f"var/spool/cron/crontabs/user{user}", "# mine\nPATH=/usr/bin:/bin\n" + "".join(lines)
        )
    system = "".join(f"{n} 3 * * * root cd / && {name(24 + n)} >/dev/null 2>&1\n" for n in range(6))
    parts = "".join(f"17 * * * * root run-parts --report /etc/cron.{each}\n" for each in _PERIODS)
    write("etc/crontab", system + parts)
    for number in range(6):  # 12 lines in cron.d
        times, other = _TIMES[number % 5], _TIMES[(number + 1) % 5]
        first, second = name(30 + 2 * number), name(31 + 2 * number)
        write(
            f"etc/cron.d/some{number}", f"{times} root {first}\n{other} www-data LANG=C {second}\n"
        )
    for number in range(8):  # scripts that run-parts starts
        path = f"/etc/cron.{_PERIODS[number % 4]}/script{number}"
        write(path[1:], "#!/bin/sh\n", 0o755)
        planted.add(path)
    for number in range(6):
        write(f"etc/systemd/system/t{number}.timer", "[Timer]\nOnCalendar=daily\n")
        write(
            f"etc/systemd/system/t{number}.service", f"[Service]\nExecStart={name(50 + number)}\n"
        )
    for number in range(4):
        minutes = int(time.time()) // 60 + 60 + number
        write(f"var/spool/cron/atjobs/a{number + 1:05x}{minutes:08x}", "#!/bin/sh\n")
        planted.add(f"job {number + 1}")
    return planted


def test_it_finds_each_of_sixty_things(tmp_path: Path) -> None:
    planted = plant(tmp_path)
    assert len(planted) == 60
    found = list(Scan(Machine(str(tmp_path)), VALUED, datetime.now(UTC)).find_all())
    commands = [job.command for job in found]
    for each in planted:
        assert any(re.search(rf"{re.escape(each)}(?!\d)", command) for command in commands), each
    # Four lines start the folders, and nothing is listed twice.
    assert len(found) == 64


def test_each_that_never_runs_or_fails_is_told(tmp_path: Path, state_dir: Path) -> None:
    plant(tmp_path)
    machine = Machine(str(tmp_path))
    wrapper = Wrapper(
        _LINK, VALUED, Keeping(str(tmp_path / "kept")), (), lambda _: "", lambda *_: True
    )
    edits = [wrapper.wrap(source) for source in machine.find_crontabs()]
    assert not [why for edit in edits for why in edit.left]
    changes = [change for edit in edits for change in edit.changes]
    assert len(changes) == len({change.key for change in changes}) == 46
    now_us = time.time_ns() // 1000
    long_ago_us = now_us - 70 * _DAY_US
    unscheduled = set()
    with open_embedded(str(state_dir)) as store:
        for change in changes:
            line = change.after.decode().partition(f"{_LINK} run ")[2]
            said = options.parse(shlex.split(line.replace(r"\%", "%")))
            assert said.monitor == change.key
            given = {"schedule": said.schedule, "tag": ("cron",)}
            declared = {n: t for n, t in read_options(given, {}, "UTC").items() if t is not None}
            store.monitors.create(change.key, declared, long_ago_us)
            if said.schedule is None:
                unscheduled.add(change.key)
        timers = [
            TimerState(f"t{n}.timer", f"t{n}.service", long_ago_us, long_ago_us + _DAY_US)
            for n in range(3)
        ]
        failing = [
            TimerState(f"t{n}.timer", f"t{n}.service", now_us - 10**7, now_us + _DAY_US)
            for n in range(3, 6)
        ]
        moment = str((now_us - 10**7) // 10**6)
        service = {"Result": "exit-code", "ExecMainStatus": "1", "InactiveEnterTimestamp": moment}
        ended = {"Result": "success", "InactiveEnterTimestamp": str(long_ago_us // 10**6)}
        services = {each.service: ended for each in timers}
        services |= {each.service: service for each in failing}
        keep_timers(store, [*timers, *failing], services, now_us)
        store.monitors.judge(now_us)
        seen = {known.key: known.view_at(now_us) for known in store.monitors.all()}
    down = {key for key, view in seen.items() if view.status == "down"}
    # Cron starts @reboot's once: of them only a failure tells.
    assert set(seen) - down == unscheduled
    assert len(unscheduled) == 4
    reasons = {key: str(seen[key].reason) for key in down if key.startswith("t")}
    expected = {"t0": "missed", "t1": "missed", "t2": "missed"}
    for key, reason in expected.items():
        assert reasons[f"{key}.timer"] == reason
    for key in ("t3", "t4", "t5"):
        assert reasons[f"{key}.timer"] == "failed"
