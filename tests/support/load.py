"""Clients that ping a server all at once, and remember what they were answered."""

import contextlib
import http.client
import threading
import time
from collections import Counter
from typing import Self
from urllib.parse import quote

from radar_cli.core.ids import new_id
from tests.support.radar_server import RadarServer


class Load:
    """So many clients ping so many monitors for as long as the block lasts; bounded in all."""

    def __init__(self, *servers: RadarServer, clients: int = 8, monitors: int = 50) -> None:
        self._servers = servers
        self._monitors = monitors
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._ping, args=(number,), daemon=True)
            for number in range(clients)
        ]
        self.acknowledged: set[str] = set()  # ids
        self.statuses: Counter[int] = Counter()  # 0: no answer

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)

    def _ping(self, number: int) -> None:
        server = self._servers[number % len(self._servers)]
        headers = {"Authorization": f"Bearer {server.key}"}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=40)
        count = 0
        deadline = time.monotonic() + 60
        while not self._stopping.is_set() and time.monotonic() < deadline:
            ping_id, count = new_id(time.time_ns() // 1000), count + 1
            monitor = f"m{(number * 7 + count) % self._monitors}"
            path = f"/ping/{monitor}?id={quote(ping_id)}"
            try:
                connection.request("POST", path, b"output", headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self.statuses[0] += 1
                self._stopping.wait(0.05)
                continue
            self.statuses[answer.status] += 1
            if answer.status == 200:
                self.acknowledged.add(ping_id)
            else:
                self._stopping.wait(0.05)
        with contextlib.suppress(OSError):
            connection.close()


def stored_ids(server: RadarServer) -> Counter[str]:
    """How often each ping is in a server's store."""
    with server.store() as store:
        return Counter(row[0] for row in store.database.read("SELECT id FROM ping"))
