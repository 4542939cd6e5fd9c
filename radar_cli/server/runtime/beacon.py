"""A watch on the watcher: pings to other servers of radar's kind, while this one does its work.

Each of two servers is a monitor of the other's. Whoever is killed, cut off or stopped sends nothing
any more; whoever runs and can't do its work says so by a failure. What can't be delivered is not
kept: how this server was a while ago is no news.
"""

import os
import threading
import time
from dataclasses import dataclass
from typing import Callable, Sequence

from radar_cli.core.grammar import format_seconds
from radar_cli.core.urls import Url
from radar_cli.delivery.destinations import Destination
from radar_cli.delivery.sender import DELIVERED, Sender
from radar_cli.model.ping import Ping
from radar_cli.server.pings.endpoint import PREFIX
from radar_cli.server.pings.paths import BadPathError, parse_path
from radar_cli.server.runtime.log import log

_DELIVERY_MAX_S = 10.0
# Silence is noticed within one and a half of the time between two pings.
_GRACE = 0.5
_SHORTEST_GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Watcher:
    """A server that is to hear of this one: its URL, a monitor's key or token, and an API key."""

    server: str
    monitor: str
    api_key: str

    @classmethod
    def parse(cls, url: str) -> "Watcher":
        """Read a ping URL, `https://HOST/ping/TOKEN`, or with MONITOR/API_KEY. ValueError: none."""
        before, mark, path = url.strip().rpartition(PREFIX)
        if not mark:
            raise ValueError("a ping URL has /ping/ in it, as https://radar.example/ping/TOKEN")
        server = Url(before).text
        try:
            found = parse_path(path)
        except BadPathError as error:
            raise ValueError(str(error)) from None
        if found.kind != "success" or found.exit_code is not None:
            raise ValueError("a ping URL ends with the monitor: what happened is added to it")
        if not found.token and not found.api_key:
            raise ValueError("a ping URL has a token, or an API key behind the monitor")
        return cls(server, found.token or found.monitor, found.api_key)


class Beacon:
    """Pings each watcher all the time, in a thread of its own: one that hangs holds up none."""

    def __init__(
        self,
        watchers: Sequence[Watcher],
        every_s: float,
        find_trouble: Callable[[], str],
        *,
        ca_file: str = "",
    ) -> None:
        self._every_s = every_s
        self._find_trouble = find_trouble
        self._ca_file = ca_file
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(each,), name="beacon", daemon=True)
            for each in watchers
        ]

    def start(self) -> None:
        """Begin to ping."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; a ping that is on its way is given up."""
        self._stopping.set()

    def _run(self, watcher: Watcher) -> None:
        destination = Destination(
            "radar", server=watcher.server, key=watcher.api_key, ca_file=self._ca_file
        )
        sender = Sender(destination, self._stopping.wait)
        known = ""
        while not self._stopping.is_set():
            began = time.monotonic()
            deadline = began + min(_DELIVERY_MAX_S, self._every_s)
            try:
                outcome = sender.deliver(self._make_ping(watcher), deadline)
                reason = "" if outcome.result == DELIVERED else outcome.reason
            except Exception as fault:  # noqa: BLE001 (nobody else would notice silence)
                reason = f"{type(fault).__name__}: {fault}"
            if reason != known and not self._stopping.is_set():
                # Once, until it is something else.
                if reason:
                    log.warning("%s doesn't hear of this server: %s", watcher.server, reason)
                else:
                    log.info("%s hears of this server again", watcher.server)
            known = reason
            self._stopping.wait(max(0.0, began + self._every_s - time.monotonic()))
        sender.close()

    def _make_ping(self, watcher: Watcher) -> Ping:
        trouble = self._find_trouble()
        grace_s = max(_SHORTEST_GRACE_S, self._every_s * _GRACE)
        fields = {
            "every": format_seconds(self._every_s),
            "gracePeriod": format_seconds(grace_s),
            "host": os.uname().nodename,
        }
        if trouble:
            fields["reason"] = trouble
        return Ping(
            "fail" if trouble else "success",
            watcher.monitor,
            time_us=time.time_ns() // 1000,
            fields=fields,
        )
