"""`radar check --timers`: what systemd knows of its timers, taken into the store."""

import os

from radar_cli.cli.opening import Opened
from radar_cli.core.errors import StateError
from radar_cli.crontab.timer_runs import (
    TimerState,
    ask_services,
    ask_timers,
    declare,
    is_systemd_here,
    make_pings,
)
from radar_cli.store.store import Store


def take_timers(opened: Opened) -> list[str]:
    """Take in how systemd's timers ran; return remarks. Those of a server's are its own host's."""
    if opened.user:
        return []
    if opened.local is None or opened.is_elsewhere:
        return [f"--timers works with the store on this machine, and not with {opened.store.place}"]
    if not is_systemd_here():
        return ["systemd doesn't run this machine: there are no timers to watch"]
    try:
        timers = ask_timers()
        services = ask_services(timer.service for timer in timers)
    except StateError as error:
        return [error.line()]
    keep_timers(opened.local, timers, services, opened.now_us())
    return []


def keep_timers(
    store: Store, timers: list[TimerState], services: dict[str, dict[str, str]], now_us: int
) -> None:
    """Add the pings of timers, and make monitors of those that have yet to run."""
    store.pings.add(make_pings(timers, services, os.uname().nodename), now_us)
    waiting = [timer for timer in timers if timer.last_us is None and timer.next_us is not None]
    known = store.monitors.find_all([timer.key for timer in waiting])
    for timer in waiting:
        if timer.key not in known:
            store.monitors.create(timer.key, declare(timer, now_us), now_us)
