"""A monitor in words for people."""

from datetime import datetime
from typing import Sequence

from radar_cli.core.ids import is_key
from radar_cli.model.port import MonitorStore, UnknownMonitorError
from radar_cli.model.record import MonitorRecord
from radar_cli.model.sentences import local_time


def find_monitors(store: MonitorStore, keys: Sequence[str]) -> list[MonitorRecord]:
    """The monitors with these keys, each once. UnknownMonitorError: one isn't there."""
    found = store.find_all(keys)
    for key in keys:
        if key not in found:
            raise _unknown(store, key)
    return [found[key] for key in dict.fromkeys(keys)]


def _unknown(store: MonitorStore, key: str) -> UnknownMonitorError:
    from radar_cli.settings.profiles import closest

    if is_key(key) and (alias := store.find_alias(key)) is not None:
        return UnknownMonitorError(f"no monitor {key!r}", f"it is called {alias.monitor!r} now")
    # A key of 10,000 characters is nobody's slip of the finger, and takes long to compare.
    close = closest(key, store.keys()) if len(key) <= 200 else ""
    hint = f"did you mean {close!r}?" if close else "see 'radar monitors list'"
    shown = key if len(key) <= 60 else key[:57] + "..."
    return UnknownMonitorError(f"no monitor {shown!r}", hint)


def local_moment(text: str) -> str:
    """The same of a time in ISO 8601."""
    return local_time(round(datetime.fromisoformat(text).timestamp() * 1e6))
