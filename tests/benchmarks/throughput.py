"""Measure what radar's server takes: `python -m tests.benchmarks.throughput --help`."""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.benchmarks.million import judge_a_million
from tests.support import postgresql
from tests.support.radar_server import RadarServer

_DESCRIPTION = """
How many pings a second radar's server stores, durably, and whether a million monitors are watched
in time. The load comes from wrk over loopback, on the same CPUs as the server: `server` is what
the server itself used of one. To be started in the checkout, by the Python of an environment in
which radar's wheel and the dependency group `dev` are installed.
"""
_SCRIPT = Path(__file__).with_name("load.lua")
_TO_HOLD_PINGS_A_S = 5_000
_CONNECTIONS = 192
_MONITORS = 1_000


@dataclass(frozen=True)
class Load:
    """What wrk saw of one run; latencies in milliseconds."""

    answered: int
    seconds: float
    refused: int
    broken: int
    percentiles_ms: tuple[float, ...]  # 50, 95, 99 and the maximum
    server_cpus: float
    stored: int

    @property
    def pings_a_second(self) -> float:
        return self.answered / self.seconds


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.throughput", description=_DESCRIPTION
    )
    parser.add_argument("--seconds", type=int, default=8, help="of load, each time")
    parser.add_argument("--connections", type=int, default=_CONNECTIONS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--monitors", type=int, default=1_000_000, help="0: no scale part")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # cleaning up on the way
    if shutil.which("wrk") is None:
        print("wrk is not installed (tests/run installs it)", file=sys.stderr)
        return 2
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="radar-throughput-") as folder, _isolated(Path(folder)):
        for where in ("sqlite", "postgresql"):
            if arguments.only in (None, where):
                try:
                    _measure_throughput(Path(folder), where, arguments)
                except pytest.skip.Exception as reason:
                    print(f"{where}: not measured: {reason}")
        if arguments.monitors:
            judge_a_million(Path(folder) / "million", arguments.monitors)
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0


@contextlib.contextmanager
def _isolated(folder: Path) -> Iterator[None]:
    """Nothing of the person's own is read or written."""
    os.environ |= {
        "HOME": str(folder),
        "RADAR_STATE_DIR": str(folder / "state"),
        "RADAR_CONFIG": str(folder / "none.toml"),
        "RADAR_SYSTEM_CONFIG": str(folder / "none.toml"),
    }
    yield


def _measure_throughput(folder: Path, where: str, arguments: argparse.Namespace) -> None:
    with contextlib.ExitStack() as stack:
        database = ""
        if where == "postgresql":
            database = stack.enter_context(postgresql.running(is_durable=True)).url()
        server = stack.enter_context(RadarServer(folder / where, database=database))
        declare_monitors(server)
        for form in ("plain", "full"):
            loads = [
                _load(server, form, number, arguments.seconds, arguments.connections)
                for number in range(arguments.rounds)
            ]
            _show(where, form, loads)


def declare_monitors(server: RadarServer) -> None:
    """Monitors as people have them: each with a schedule, and told of once."""
    schedules = ("*/5 * * * *", "7 * * * *", "30 2 * * *", "15 6 * * 1-5")
    for start in range(1, _MONITORS + 1, 100):
        monitors = [
            {"key": f"m{number}", "schedule": schedules[number % len(schedules)]}
            for number in range(start, start + 100)
        ]
        content = {"source": f"part{start}", "monitors": monitors}
        answer = server.request("POST", "/api/sync", json=content)
        assert answer.status_code == 200, answer.text


def _load(server: RadarServer, form: str, number: int, seconds: int, connections: int) -> Load:
    before, cpu_before = _count(server), _cpu_s(server.pid)
    began = time.monotonic()
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    script = ["-s", str(_SCRIPT), server.url, "--", server.key, str(_MONITORS), form]
    done = subprocess.run(
        [*words, *script, f"{number:04x}"], capture_output=True, text=True, check=True
    )
    cpu_s = _cpu_s(server.pid) - cpu_before
    wall_s = time.monotonic() - began
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    _, answered, microseconds, refused, broken, *percentiles = line.split()
    return Load(
        answered=int(answered),
        seconds=int(microseconds) / 1e6,
        refused=int(refused),
        broken=int(broken),
        percentiles_ms=tuple(map(float, percentiles)),
        server_cpus=cpu_s / wall_s,
        stored=_count(server) - before,
    )


def _count(server: RadarServer) -> int:
    with server.store() as store:
        return int(store.database.read("SELECT count(*) FROM ping")[0][0])


def _cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _show(where: str, form: str, loads: list[Load]) -> None:
    best = max(loads, key=lambda load: load.pings_a_second)
    rates = ", ".join(f"{load.pings_a_second:,.0f}" for load in loads)
    held = ""
    if where == "sqlite":
        held = "held" if best.pings_a_second >= _TO_HOLD_PINGS_A_S else "NOT HELD"
    p50, p95, p99, most = best.percentiles_ms
    print(
        f"{where:<10} {form:<5} {best.pings_a_second:>7,.0f} pings/s {held:<9}"
        f" p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} max {most:.0f} ms,"
        f" server {best.server_cpus:.2f} CPU (rounds: {rates})"
    )
    for load in loads:
        # What was under way when wrk hung up may be stored without having been answered.
        if load.refused or load.broken or not 0 <= load.stored - load.answered <= 1_000:
            print(
                f"  {load.answered} answered, {load.stored} stored,"
                f" {load.refused} refused, {load.broken} broken"
            )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    sys.exit(main())
