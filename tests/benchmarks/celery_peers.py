"""`radar celery watch` beside Flower and celery-exporter, under the same load of events.

    python -m tests.benchmarks.celery_peers [--seconds 60] [--flower PYTHON] [--exporter FOLDER]

PYTHON is that of an environment with flower in it. FOLDER is a checkout of celery-exporter
(danihodovic's), which runs in the same environment. Who isn't named doesn't take part. All listen
to one Redis while 2,000 events a second come. Printed of each: CPU and memory, how many of the
tasks it counted, and how long a scrape takes. Then all are killed, started again, and asked what
they still know.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from radar_cli.store.ledger import TaskSearch
from radar_cli.store.opening import open_embedded
from tests.support import redis
from tests.support.ports import free_port
from tests.support.radar import environment, radar_path
from tests.support.waiting import wait_until

EVENTS_PER_S = 2000
_EVENTS_PER_TASK = 4
_SCRAPES_EVERY_S = 1.0
_CHECKOUT = Path(__file__).parents[2]
_SUCCEEDED = r"^celery_task_succeeded_total\{.* (\S+)$"
_FLOWER_SUCCEEDED = r"^flower_events_total\{.*task-succeeded.* (\S+)$"


@dataclass
class Peer:
    """A program that listens to the events. `pattern` finds the counts of successes in a scrape."""

    name: str
    command: Sequence[str | Path]
    folder: Path
    port: int
    pattern: str
    scrapes_ms: list[float] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, env: Mapping[str, str], log: Path) -> None:
        """Start it, and wait until it answers a scrape."""
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(lambda: self.scrape() is not None, 60, f"{self.name} answers")

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def scrape(self) -> str | None:
        """Return its metrics; None if it doesn't answer."""
        with suppress(OSError):
            url = f"http://127.0.0.1:{self.port}/metrics"
            with urllib.request.urlopen(url, timeout=30) as response:
                page: bytes = response.read()
                return page.decode()
        return None

    def measure_scrape(self) -> None:
        """Note how long a scrape takes."""
        began = time.perf_counter()
        if self.scrape() is not None:
            self.scrapes_ms.append((time.perf_counter() - began) * 1000)

    def count(self) -> int:
        """Return how many successes it has counted."""
        return round(sum(map(float, re.findall(self.pattern, self.scrape() or "", re.M))))

    def cpu_s(self) -> float:
        """Return the CPU time that it has taken."""
        assert self.process is not None
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / 100

    def memory_mb(self) -> int:
        """Return the most memory that it has had."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def find_peers(url: str, flower: str, exporter: str, folder: Path) -> list[Peer]:
    """Return who takes part."""
    ports = [free_port() for _ in range(3)]
    metrics = ("--metrics", f"127.0.0.1:{ports[0]}")
    watch = (radar_path(), "celery", "watch", "-b", url, "--no-monitors", *metrics)
    peers = [Peer("radar", watch, folder, ports[0], _SUCCEEDED)]
    if flower:
        place = (f"--port={ports[1]}", "--address=127.0.0.1")
        live = (flower, "-m", "celery", "-b", url, "flower", *place)
        peers.append(Peer("Flower", live, folder, ports[1], _FLOWER_SUCCEEDED))
    if flower and exporter:
        options = (f"--broker-url={url}", f"--port={ports[2]}", "--host=127.0.0.1")
        export = (flower, "cli.py", *options)
        peers.append(Peer("celery-exporter", export, Path(exporter), ports[2], _SUCCEEDED))
    return peers


def compare(seconds: float, flower: str, exporter: str) -> dict[str, dict[str, float]]:
    """Run all of it, print a line for each, and return the figures by name."""
    tasks = round(seconds * EVENTS_PER_S / _EVENTS_PER_TASK)
    with ExitStack() as stack:
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix="radar-peers-"))
        url = stack.enter_context(redis.running()).url(0)
        folder = Path(made)
        env = environment(measured=False, RADAR_STATE_DIR=str(folder / "state"))
        peers = find_peers(url, flower, exporter, folder)
        for peer in peers:
            stack.callback(peer.stop)
            peer.start(env, folder / f"{peer.name}.log")
        time.sleep(3)  # each is to listen before the first event, and not all of them say when
        before = {peer.name: peer.cpu_s() for peer in peers}
        words = ("-m", "tests.support.event_load", url, str(tasks), str(EVENTS_PER_S))
        sending = subprocess.Popen([sys.executable, *words], cwd=_CHECKOUT)
        while sending.poll() is None:
            for peer in peers:
                peer.measure_scrape()
            time.sleep(_SCRAPES_EVERY_S)
        with suppress(AssertionError):
            wait_until(lambda: all(peer.count() >= tasks for peer in peers), 20, "all is counted")
        figures = {
            peer.name: {
                "cpu_s": peer.cpu_s() - before[peer.name],
                "memory_mb": peer.memory_mb(),
                "share": peer.count() / tasks,
                "scrape_ms": statistics.median(peer.scrapes_ms),
                "slowest_ms": max(peer.scrapes_ms),
            }
            for peer in peers
        }
        for peer in peers:
            peer.stop()
            peer.start(env, folder / f"{peer.name}.log")
            figures[peer.name]["known_after_restart"] = peer.count() / tasks
        with open_embedded(str(folder / "state")) as store:
            known = store.ledger.count_tasks(TaskSearch()).get("success", 0)
        figures["radar"]["known_after_restart"] = known / tasks
    print(f"{tasks:,} tasks, {EVENTS_PER_S:,} events a second for {seconds:g} s")
    for name, each in figures.items():
        print(
            f"{name:16} CPU {each['cpu_s']:6.1f} s   memory {each['memory_mb']:4.0f} MB   counted"
            f" {each['share']:.2%}   scrape {each['scrape_ms']:.1f} ms (at most"
            f" {each['slowest_ms']:.0f})   known after a restart {each['known_after_restart']:.0%}"
        )
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--flower", default="", metavar="PYTHON")
    parser.add_argument("--exporter", default="", metavar="FOLDER")
    given = parser.parse_args()
    compare(given.seconds, given.flower, given.exporter)
