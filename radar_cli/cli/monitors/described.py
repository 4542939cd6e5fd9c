"""A monitor in words for people."""

from datetime import datetime
from typing import Sequence

<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
from radar_cli.core.ids import is_key
from radar_cli.model.port import MonitorStore, UnknownMonitorError
=======
from radar_cli.cli.choosing import Choice, choose
from radar_cli.model.port import MonitorStore
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd
from radar_cli.model.record import MonitorRecord
from radar_cli.model.sentences import local_time


<<<<<<< ab3cbd040996d1940e43543a1b51482c27f423ef
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
=======
def find_monitors(store: MonitorStore, choice: Choice | Sequence[str]) -> list[MonitorRecord]:
    """The monitors of a choice, each once. UnknownMonitorError: one isn't there."""
    return choose(store, choice)
>>>>>>> 9d57471251f3fc3c347f9b7446e5a58538155ccd


def local_moment(text: str) -> str:
    """The same of a time in ISO 8601."""
    return local_time(round(datetime.fromisoformat(text).timestamp() * 1e6))
