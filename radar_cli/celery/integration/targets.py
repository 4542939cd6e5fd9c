"""Targets: the monitor that a task's run belongs to, and where that monitor is.

`cronradar_monitors` maps the name of a task, or of an entry of Beat's schedule, to a monitor's key,
its secret ping token or its ping URL. A run that Beat has sent and that isn't named there belongs
to its entry's monitor, whose key Beat has stamped into the message's headers.
"""

import os
from typing import Any, Mapping, NamedTuple, TypeVar

from celery.utils.log import get_logger

from radar_cli.core.ids import check_key, is_key
from radar_cli.core.urls import Url
from radar_cli.delivery.destinations import Destination
from radar_cli.model.ping import unquote

ENTRY_HEADER = "radar_entry"  # the name of Beat's entry
MONITOR_HEADER = "radar_monitor"  # the key of its monitor
SENT_HEADER = "radar_sent"  # when it was published, Unix time in seconds
_SKIP = "radar_skip"
_KINDS = ("start", "success", "complete", "fail", "log")
_logger = get_logger(__name__)
_T = TypeVar("_T")


class Target(NamedTuple):
    """A monitor, and its server if no profile names that."""

    monitor: str
    destination: Destination | None = None


class Targets:
    """The monitors of an app. `monitors` is what the person has named."""

    def __init__(self, monitors: Mapping[str, Any]) -> None:
        self.named: dict[str, Target] = {}
        for name, value in monitors.items():
            try:
                self.named[str(name)] = read_target(str(value))
            except ValueError as error:
                _logger.error("radar: %s has no monitor: %s", name, error)

    def find(self, task: str, headers: Mapping[str, Any]) -> Target | None:
        """The monitor of a run of a task; None: it has none."""
        entry, key = headers.get(ENTRY_HEADER), headers.get(MONITOR_HEADER)
        named = self.named.get(entry) if isinstance(entry, str) else None
        named = named or self.named.get(task)
        if named is None and isinstance(key, str):
            return Target(key) if is_key(key) else None
        return named


def read_target(text: str) -> Target:
    """The monitor of a key, a secret token or a ping URL. ValueError: it is neither."""
    text = text.strip()
    if "://" not in text:
        token = text.lower()
        return Target(check_key(token if _is_token(token) else text))
    base, mark, path = text.partition("?")[0].rstrip("/").partition("/ping/")
    url = Url(base)  # ValueError never shows a password
    words = [unquote(word) for word in path.split("/")]
    if len(words) > 1 and words[-1] in _KINDS:
        words.pop()
    key = ""
    if len(words) == 2:
        is_key_first = words[0].startswith("ck_") and not words[1].startswith("ck_")
        monitor, key = reversed(words) if is_key_first else words
    else:
        monitor = words[0]
    if not mark or len(words) > 2:
        raise ValueError(f"{url.text} with that path is no ping URL, like https://HOST/ping/TOKEN")
    monitor = check_key(monitor.lower() if _is_token(monitor.lower()) else monitor)
    server = url.text
    if not key and not _is_token(monitor):
        key = _own_key(server)
    protocol = "cronradar" if url.host in ("cron.life", "cronradar.io") else "radar"
    return Target(
        monitor,
        Destination(protocol, server=server, key=key, is_from_environment=True, is_default=False),
    )


def skip_monitor(task: _T) -> _T:
    """Have radar neither tell of the runs of a task nor watch the entries that send it.

    Put it above or below `@app.task`.
    """
    then = getattr(type(task), "__then__", None)
    if then is not None:  # the app isn't finalized yet: it is no task before that
        then(task, _mark, task)
    else:
        _mark(task)
    return task


def is_skipped(task: Any) -> bool:
    """Whether `skip_monitor` was said of a task."""
    return bool(getattr(task, _SKIP, False) or getattr(getattr(task, "run", None), _SKIP, False))


def _mark(task: Any) -> None:
    setattr(task, _SKIP, True)


def _own_key(server: str) -> str:
    """The API key of the environment, if it is for this server."""
    for name, key in (
        ("RADAR_SERVER", "RADAR_API_KEY"),
        ("CRONRADAR_BASE_URL", "CRONRADAR_API_KEY"),
    ):
        own = os.environ.get(name, "https://cron.life" if name.startswith("CRON") else "")
        try:
            is_own = bool(own) and Url(own).text == server
        except ValueError:
            is_own = False
        if is_own:
            return os.environ.get(key, "")
    return ""


def _is_token(text: str) -> bool:
    parts = text.split("-")
    digits = "0123456789abcdef"
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and not text.strip(digits + "-")
