"""Cron as `radar doctor` sees it: whether it runs, and whether its lines find radar."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator

from radar_cli.crontab.calls import Call, find_call
from radar_cli.crontab.daemon import find_daemons
from radar_cli.crontab.lines import Job
from radar_cli.crontab.link import CRON_PATH
from radar_cli.crontab.sources import Machine
from radar_cli.why.remarks import BAD, BEWARE, GOOD, Remark
from radar_cli.wrap import options

_VALUED = frozenset(row[0] for row in options.TABLE if row[1] != "switch")
_START = "'systemctl enable --now cron' (crond on Red Hat's), or what starts services here"


def look_at_cron(machine: Machine, proc: str = "/proc") -> Iterator[Remark]:
    """Look at the crontabs that can be read, and at the daemon that would run their lines."""
    jobs = [
        (source, number, job)
        for source in machine.find_crontabs()
        for number, job in source.crontab.jobs
    ]
    calls = [(*each, call) for each in jobs if (call := find_call(each[2].shell_line, _VALUED))]
    yield _look_at_daemon(find_daemons(proc), len(jobs), len(calls))
    if not calls:
        yield _look_at_path()
        return
    lost = [
        (source, number, why)
        for source, number, job, call in calls
        if (why := _miss(machine, job, call))
    ]
    for source, number, why in lost:
        hint = f"PATH={_folder()}:{CRON_PATH} at the top, or the full path of a link"
        yield Remark("cron", BAD, f"{source.place}:{number} doesn't find radar: {why}", hint)
    if not lost:
        count = f"{len(calls)} line{'' if len(calls) == 1 else 's'}"
        yield Remark("cron", GOOD, f"finds radar in {count} of crontabs")


def _look_at_daemon(daemons: list[str] | None, jobs: int, calls: int) -> Remark:
    count = f"{jobs} line{'' if jobs == 1 else 's'}"
    if daemons:
        return Remark(
            "daemon", GOOD, f"{daemons[0]} runs, with {count} in crontabs, {calls} under radar"
        )
    if daemons is None:
        return Remark("daemon", BEWARE, "it can't be seen whether cron runs", "root can see it")
    if not jobs:
        return Remark("daemon", GOOD, "none runs, and no crontab that can be read has a line")
    # Lines of others' packages are in every image; those under radar are somebody's.
    state = BAD if calls else BEWARE
    return Remark(
        "daemon", state, f"no cron daemon runs, and {count} in crontabs wait for one", _START
    )


def _look_at_path() -> Remark:
    if shutil.which("radar", path=CRON_PATH):
        return Remark("cron", GOOD, f"finds radar in {CRON_PATH}")
    return Remark(
        *("cron", BEWARE, f"doesn't find radar by itself: it looks in {CRON_PATH}"),
        f"PATH={_folder()}:{CRON_PATH} at the top of the crontab, or the full path of a link",
    )


def _miss(machine: Machine, job: Job, call: Call) -> str:
    """Return why the radar that a line calls isn't there, "" if it is."""
    words = shlex.split(os.fsdecode(job.shell_line[call.start : call.end]), posix=True) or ["radar"]
    program = words[0]
    if program == "-m" or os.path.basename(program) != "radar":
        return ""  # a Python module, or words of another shell
    if "/" in program:
        is_there = os.access(machine.at(program), os.X_OK)
        return "" if is_there or "$" in program else f"{program} isn't there, or can't be executed"
    path = os.fsdecode(job.variables.get(b"PATH", CRON_PATH.encode()))
    return "" if shutil.which(program, path=path) else f"cron looks in {path}"


def _folder() -> str:
    return os.path.dirname(os.path.abspath(sys.argv[0]))
