"""Two worlds with the same monitors: a store on this machine, and a server."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from radar_cli.model.ping import Ping, decode_fields
from radar_cli.store.opening import open_embedded
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer

_HOUR_US = 3_600_000_000
# What isn't the same to the microsecond: the two are looked at, and changed, one after the other.
_MOMENTS = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00| UTC))"
    r"|\"lasted_s\": ([\d.]+)"
    r"|(?:just now|[\d.]+ (?:s|min|h|d)(?: \d+ (?:s|min|h))? ago)"
)
_PADDING = re.compile(r"  +")


@dataclass(frozen=True)
class Said:
    """What a command printed; `moments` are the times in it, in seconds."""

    code: int
    stdout: str
    stderr: str
    moments: tuple[float, ...]


class Worlds:
    """The same commands in both."""

    def __init__(self, here: Path, server: RadarServer) -> None:
        self.server = server
        self._here = {"RADAR_STATE_DIR": str(here)}
        # It has a state directory of its own, which stays empty.
        self._there = {
            "RADAR_STATE_DIR": str(here.with_name("client")),
            "RADAR_SERVER": server.url,
            "RADAR_API_KEY": server.key,
        }

    def say(self, *words: str, stdin: bytes = b"") -> tuple[Said, Said]:
        """Run `radar WORDS` here and there."""
        return _run(words, stdin, self._here), _run(words, stdin, self._there)

    def there(self, *words: str, stdin: bytes = b"") -> Said:
        """Run `radar WORDS` there alone."""
        return _run(words, stdin, self._there)


def _run(words: tuple[str, ...], stdin: bytes, variables: dict[str, str]) -> Said:
    done = run_radar(*words, stdin=stdin, env=environment() | variables)
    texts = [stream.decode("utf-8", "backslashreplace") for stream in (done.stdout, done.stderr)]
    moments = tuple(_moment(*found) for found in _MOMENTS.findall(texts[0]) if any(found))
    stdout, stderr = (_PADDING.sub("  ", _MOMENTS.sub("<moment>", text)) for text in texts)
    return Said(done.returncode, stdout, stderr, moments)


def _moment(time_of_day: str, duration_s: str) -> float:
    if duration_s:
        return float(duration_s)
    return datetime.fromisoformat(time_of_day.replace(" UTC", "+00:00")).timestamp()


@contextmanager
def two_worlds(folder: Path, *options: str) -> Iterator[Worlds]:
    """Both, with the monitors of `_tell`; the server is started with these options."""
    here, there = folder / "here", folder / "there"
    with open_embedded(str(here)) as store:
        now_us = time.time_ns() // 1000
        for key, declared in _DECLARED.items():
            store.monitors.create(key, declared, now_us - 100 * _HOUR_US)
        store.pings.add(_tell(now_us), now_us)
        store.monitors.pause(["paused"], now_us - _HOUR_US, now_us + 30 * _HOUR_US)
        store.outages.note_check(now_us)  # at the server somebody looks, too
    shutil.copytree(here, there)
    with RadarServer(there, *options) as server:
        yield Worlds(here, server)


_DECLARED = {
    "backup": {
        "schedule": "5 2 * * *",
        "tz": "Europe/London",
        "name": "My bäckup",
        "tags": "db nightly",
        "max_runtime": "7200",
    },
    "odd": {"every": "nonsense", "gracePeriod": "-1"},
    "paused": {"every": "3600", "tags": "db"},
    "quick": {"every": "60", "gracePeriod": "0", "failure_tolerance": "2"},
}
_RUN = "018f4e9a-7b1c-4c3d-8e2f-{:012x}"


def _tell(now_us: int) -> list[Ping]:
    """Runs of all kinds: well, failed, killed, going on, hung, without ids and with much output."""
    pings = []

    def tell(
        key: str, hours: float, kind: str, run: int | None, body: bytes = b"", said: str = ""
    ) -> None:
        time_us = now_us - round(hours * _HOUR_US)
        run_id = "" if run is None else _RUN.format(run)
        fields = decode_fields(said)
        pings.append(Ping(kind, key, run_id=run_id, time_us=time_us, fields=fields, body=body))

    for number in range(30):
        tell("backup", 80 - number, "start", number, said="host=db1")
        tell("backup", 79.9 - number, "success", number, b"line\n" * number, "exit=0&cpu=0.25")
    tell("failed", 9, "start", 1, said="schedule=%40daily&tags=web")
    output = "no space\n\tleft: \u00e9\u4e2d\x1b[31m\r\n".encode()
    tell("failed", 8.5, "fail", 1, output, "exit=3&reason=no%20output&rss=123456789&omitted=42")
    tell("failed", 8, "log", None, b"just so you know\n")
    tell("going-on", 0.5, "start", 7, said="every=86400")
    tell("killed", 5, "fail", 2, b"x" * 9000, "signal=9&tries=3&message=killed%20by%20hand")
    for hours in (7, 6, 5):
        tell("plain", hours, "success", None, b"ok\n", "duration=12.5")
    tell("unwatched", 2, "success", 9, said="name=No%20schedule")
    return pings
