"""Beats that answer remote control: Celery 5.7 and newer, with beat_enable_remote_control."""

from datetime import datetime
from typing import Any

from radar_cli.celery.inspect import Asking
from radar_cli.celery.schedule.entry import Beat, Entry

_TIMEOUT_S = 2.0
_HOW = "its answer to a ping"


class Remote:
    """The Beats on a broker: those of the usual name, or one by its own."""

    def __init__(self, node: str, connection: Any) -> None:
        self.text = f"remote:{node}" if node else "remote"
        self._node = node
        self._connection = connection

    def entries(self, now: datetime) -> list[Entry]:
        """None: a Beat answers nothing but a ping."""
        del now
        return []

    def beats(self, now: datetime) -> list[Beat]:
        """All that answer: Celery sees to it that one whose scheduler hangs doesn't."""
        wanted = [self._node] if self._node else []
        with Asking(self._connection) as asking:
            answers = asking.ask({"ping": {}}, destinations=wanted, timeout_s=_TIMEOUT_S)
        names = sorted(answers.beats | answers.replies["ping"].keys() if wanted else answers.beats)
        if not names:
            fault = "no Beat answers a ping: it does with beat_enable_remote_control (Celery 5.7)"
            return [Beat(self._node or "Beat", None, 0.0, _HOW, fault)]
        return [Beat(name, now, 0.0, _HOW) for name in names]
