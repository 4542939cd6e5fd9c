"""A monitor in words for people."""

from datetime import datetime
from typing import Sequence

from radar_cli.cli.choosing import Choice, choose
from radar_cli.model.port import MonitorStore
from radar_cli.model.record import MonitorRecord
from radar_cli.model.sentences import local_time


def find_monitors(store: MonitorStore, choice: Choice | Sequence[str]) -> list[MonitorRecord]:
    """The monitors of a choice, each once. UnknownMonitorError: one isn't there."""
    return choose(store, choice)


def local_moment(text: str) -> str:
    """The same of a time in ISO 8601."""
    return local_time(round(datetime.fromisoformat(text).timestamp() * 1e6))
