"""The result backends of workers, and whether they take a connection from here.

A task whose result can't be stored ends without an event: the worker itself only logs it.
"""

import socket
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from radar_cli.celery.broker import Broker
from radar_cli.celery.inspect import Asking

# Where they listen unless their URL says otherwise; of others nothing is known.
_PORTS = {
    "redis": 6379,
    "rediss": 6379,
    "db+postgresql": 5432,
    "postgresql": 5432,
    "db+mysql": 3306,
    "mongodb": 27017,
    "cache+memcached": 11211,
    "elasticsearch": 9200,
}
_CONNECT_S = 1.0
_ANSWER_S = 1.0
_TRIES = 3
_URLS_MAX = 3


class Backends:
    """What is known of the result backend of each worker."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}  # by worker
        self._tries: Counter[str] = Counter()
        self._reached: set[str] = set()

    def look(self, broker: Broker, nodes: Collection[str]) -> dict[str, str]:
        """Return why the backend of these workers doesn't answer, by worker.

        Raises what the broker's library does.
        """
        asked = [n for n in nodes if n not in self._of and self._tries[n] < _TRIES]
        if asked:
            self._tries.update(asked)
            with Asking(broker.connection, exchange=broker.exchange) as asking:
                answers = asking.ask({"conf": {}}, destinations=asked, timeout_s=_ANSWER_S)
            self.learn(answers.replies["conf"])
        urls = dict.fromkeys(filter(None, (self._of.get(node) for node in nodes)))
        faults = {url: self._probe(url) for url in list(urls)[:_URLS_MAX]}
        return {node: fault for node in nodes if (fault := faults.get(self._of.get(node, ""), ""))}

    def learn(self, confs: Mapping[str, Any]) -> None:
        """Take in settings of workers, as `inspect conf` has them: without passwords."""
        for node, conf in confs.items():
            url = conf.get("result_backend") if isinstance(conf, dict) else None
            self._of[node] = str(url or "")

    def find_lost(self, faults: Mapping[str, str]) -> str:
        """Return the fault of a backend that answered earlier: it isn't just out of reach."""
        lost = (fault for node, fault in faults.items() if self._of.get(node) in self._reached)
        return next(lost, "")

    def _probe(self, url: str) -> str:
        """Return why a backend takes no connection; "" if it does, or can't be tried."""
        place = place_of(url)
        if place is None:
            return ""
        try:
            socket.create_connection(place, timeout=_CONNECT_S).close()
        except TimeoutError:
            return f"{_shown(url)}: no connection within a second"
        except OSError as error:
            return f"{_shown(url)}: {error.strerror or error}"
        self._reached.add(url)
        return ""


def place_of(url: str) -> tuple[str, int] | None:
    """Return the host and port of a result backend that is one server, reached by TCP."""
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.replace("+psycopg2", "").replace("+psycopg", "")
        port = parts.port or _PORTS.get(scheme)
    except ValueError:
        return None
    if scheme not in _PORTS or not parts.hostname or port is None or {",", ";"} & set(url):
        return None
    return parts.hostname, port


def _shown(url: str) -> str:
    host, port = place_of(url) or ("", 0)
    return f"{urlsplit(url).scheme}://{host}:{port}"
