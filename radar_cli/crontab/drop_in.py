"""A drop-in that puts radar in front of what a systemd timer starts, for who wants its output."""

import os

from radar_cli.core.errors import UsageError
from radar_cli.crontab.sources import Machine
from radar_cli.crontab.timer_runs import key_of
from radar_cli.crontab.timers import find_timers

FOLDER = "/etc/systemd/system"
_FILE = "radar.conf"
# What may stand in front of a program (systemd.service(5)); behind `@` stands another argv[0].
_PREFIXES = "-:+!"


def make_drop_in(machine: Machine, name: str, link: str) -> tuple[str, str]:
    """Return the path and the text of a drop-in for the service of a timer.

    UsageError: there is no such timer, or it can't be told what its service starts.
    """
    wanted = name if name.endswith(".timer") else f"{name}.timer"
    timers = {os.path.basename(timer.path): timer for timer in find_timers(machine)}
    if wanted not in timers:
        from radar_cli.settings.profiles import closest

        close = closest(wanted, timers)
        hint = f"did you mean {close!r}?" if close else "see 'radar crontab scan'"
        raise UsageError(f"no timer {wanted[:100]!r}", hint)
    timer = timers[wanted]
    if len(timer.commands) != 1:
        raise UsageError(
            f"{timer.service} starts {len(timer.commands)} programs",
            "put 'radar run KEY --' in front of the one that matters, by 'systemctl edit'",
        )
    line = timer.commands[0]
    bare = line.lstrip(_PREFIXES)
    if bare.startswith("@"):
        raise UsageError(
            f"{timer.service} has an argv[0] of its own", "'systemctl edit' it by hand"
        )
    prefix = line[: len(line) - len(bare)]
    call = f"{prefix}{link} run {key_of(wanted)} -- {bare}"
    if bare.split()[:1] == [link]:
        raise UsageError(f"radar is in front of {timer.service} already")
    return f"{FOLDER}/{timer.service}.d/{_FILE}", f"[Service]\nExecStart=\nExecStart={call}\n"
