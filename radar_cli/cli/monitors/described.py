"""A monitor in words for people."""

from datetime import datetime, tzinfo
from typing import Sequence

from radar_cli.api.monitors import MonitorStore
from radar_cli.monitors.monitor import Monitor
from radar_cli.monitors.state import Status, View
from radar_cli.store.judged import Judged
from radar_cli.store.managing import UnknownMonitorError


def find_monitors(store: MonitorStore, keys: Sequence[str]) -> list[Judged]:
    """The monitors with these keys, each once. UnknownMonitorError: one isn't there."""
    found = store.find_all(keys)
    for key in keys:
        if key not in found:
            raise _unknown(store, key)
    return [found[key] for key in dict.fromkeys(keys)]


def _unknown(store: MonitorStore, key: str) -> UnknownMonitorError:
    from radar_cli.config.layers import closest

    # A key of 10,000 characters is nobody's slip of the finger, and takes long to compare.
    close = closest(key, store.keys()) if len(key) <= 200 else ""
    hint = f"did you mean {close!r}?" if close else "see 'radar monitors list'"
    shown = key if len(key) <= 60 else key[:57] + "..."
    return UnknownMonitorError(f"no monitor {shown!r}", hint)


def status_in_words(known: Judged, view: View, now_us: int) -> str:
    """`down (missed)`, `up, running`, `paused until 2026-11-23 17:00:00 UTC`."""
    words = str(view.status) + (f" ({view.reason})" if view.reason else "")
    pause = known.monitor.pause_at(now_us)
    if view.status == Status.PAUSED and pause is not None and pause.end_us is not None:
        words += f" until {local_time(pause.end_us)}"
    return words + (", running" if view.is_running else "")


def next_in_words(monitor: Monitor, expected_us: int | None) -> str:
    """When the next run is due: in the monitor's timezone, and here if that is another time."""
    if expected_us is None:
        return ""
    here = local_time(expected_us)
    if monitor.schedule is None:
        return here
    there = local_time(expected_us, monitor.schedule.tz)
    is_same = there.split()[:2] == here.split()[:2]
    return there if is_same else f"{there}, here {here}"


def local_time(time_us: int, zone: tzinfo | None = None) -> str:
    """A time for people, with its zone; that of this machine if none is given."""
    moment = datetime.fromtimestamp(time_us / 1e6).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def local_moment(text: str) -> str:
    """The same of a time in ISO 8601."""
    return local_time(round(datetime.fromisoformat(text).timestamp() * 1e6))
