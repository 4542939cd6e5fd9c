"""What is measured: each row is a function that lets radar and others take turns.

The figures to hold are those of the design; a row without one is for information.
"""

import os
import select
import time
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks import measure
from tests.benchmarks.celery import celery
from tests.benchmarks.integration import integration
from tests.benchmarks.measure import (
    Contestant,
    Costs,
    UnmeasurableError,
    Words,
    ratios,
    take_turns,
)
from tests.benchmarks.memory import PATIENCE_S, settled_pss
from tests.benchmarks.peers import Sentry, find_sentry, two_curls
from tests.benchmarks.results import Result, Row
from tests.benchmarks.workplace import Workplace, end
from tests.support.waiting import wait_until

# The baseline of the launch: Python as an interpreter of scripts starts anyway, nothing else.
_SPAWN = "import os, sys; os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ); os.wait()"
_AT_ONCE = 100
_FLOOD_BYTES, _FLOOD_BYTES_QUICK = 4 << 30, 512 << 20
_MONITORS = 1000


def launch(place: Workplace, rounds: int, _quick: bool) -> list[Result]:
    """From the start of radar to the first instruction of the job."""
    child = place.child("first_instruction")
    fifo = _Fifo(place.folder / "first-instruction")
    place.at_exit(fifo.close)
    words: Words = [child, fifo.path]
    plain, hanging = place.server("plain"), place.server("hang")

    def launcher(launch: Words, env: Mapping[str, str]) -> Contestant:
        def measured() -> Costs:
            started_ns = time.monotonic_ns()
            pid = measure.spawn([*launch, *words], env, place.output)
            began_ns = int(fifo.read())
            # What follows is no matter here; a server that hangs would take its ten seconds.
            end(pid)
            place.forget_state()
            return {"wall": (began_ns - started_ns) / 1e9}

        return measured

    wrapped: Words = [place.radar, "run", "job", "--"]
    contestants = {
        "python": launcher([place.python, "-c", _SPAWN], place.environment()),
        "store": launcher(wrapped, place.environment()),
        "server": launcher(wrapped, place.server_environment(plain)),
        "hang": launcher(wrapped, place.server_environment(hanging)),
    }
    sentry = find_sentry(place)
    if sentry.path:
        contestants["sentry"] = launcher(sentry.run, place.server_environment(plain))
    costs = take_turns(contestants, rounds)
    python = costs["python"]
    return [
        Result("to the job's start", ratios(costs["store"], python, "wall"), 1.25),
        Result("  with a server", ratios(costs["server"], python, "wall"), 1.25),
        Result("  with a server that hangs", ratios(costs["hang"], python, "wall"), 1.25),
        sentry.result("  sentry-cli monitors run", costs, python, "wall"),
    ]


def http(place: Workplace, rounds: int, _quick: bool) -> list[Result]:
    """A whole run of `true`, with its two pings."""
    server = place.server("plain")
    env = place.server_environment(server)
    curls = two_curls(place, server)
    return _whole_runs(place, rounds, env, curls, 1.0, "http", sentry=find_sentry(place))


def https(place: Workplace, rounds: int, _quick: bool) -> list[Result]:
    """The same with TLS, where both trust the system's whole store of authorities."""
    server, certificates = place.server("tls"), place.certificates()
    curls = two_curls(place, server, f"--cacert {certificates.bundle}")
    hashed = place.server_environment(server, SSL_CERT_DIR=str(certificates.hashed))
    bundle = place.server_environment(server, SSL_CERT_FILE=str(certificates.bundle))
    return [
        *_whole_runs(place, rounds, hashed, curls, 0.6, "https"),
        *_whole_runs(place, rounds, bundle, curls, 0.9, "https with a bundle alone"),
    ]


def memory(place: Workplace, rounds: int, _quick: bool) -> list[Result]:
    """What radar takes while the job runs and its start is announced."""
    server = place.server("plain")
    bare, env = place.environment(), place.server_environment(server)

    def wrapped() -> Costs:
        before = server.count()
        pid = measure.spawn([place.radar, "run", "job", "--", "sleep", "60"], env, place.output)
        wait_until(lambda: server.count() > before, PATIENCE_S, "the start ping")
        cost = {"PSS": settled_pss(pid)}
        os.kill(pid, 15)  # it goes to the job, as it would from cron
        os.waitpid(pid, 0)
        return cost

    def python() -> Costs:
        words = [place.python, "-c", "import time; time.sleep(60)"]
        pid = measure.spawn(words, bare, place.output)
        cost = {"PSS": settled_pss(pid)}
        end(pid)
        return cost

    costs = take_turns({"python": python, "radar": wrapped}, rounds, warm_ups=1)
    return [Result("PSS while a job runs", ratios(costs["radar"], costs["python"], "PSS"), 1.6)]


def crowd(place: Workplace, rounds: int, _quick: bool) -> list[Result]:
    """Many jobs in the same minute, as on every machine with a crontab.

    To hold is the time of 100 times the two curls; the rest is for information.
    """
    server = place.server("plain")
    env = place.server_environment(server)
    loop = f'n={_AT_ONCE}; while [ "$n" -gt 0 ]; do %s n=$((n - 1)); done; wait'

    def radars() -> Costs:
        before = server.count()
        cost = _shell(place, loop % f'"{place.radar}" run "job-$n" -- true &', env)
        if server.count() - before != 2 * _AT_ONCE:
            raise UnmeasurableError(f"{server.count() - before} pings arrived, not {2 * _AT_ONCE}")
        return cost

    curls = two_curls(place, server)
    costs = take_turns(
        {
            "in turn": lambda: _shell(place, loop % f"{curls};", env),
            "at once": lambda: _shell(place, loop % f"{{ {curls}; }} &", env),
            "radar": radars,
        },
        rounds,
        warm_ups=1,
    )
    radar, in_turn, at_once = costs["radar"], costs["in turn"], costs["at once"]
    what = f"{_AT_ONCE} jobs at once"
    return [
        Result(f"{what}, wall", ratios(radar, in_turn, "wall"), 1.0),
        Result(f"{what}, cpu", ratios(radar, in_turn, "cpu")),
        Result("  to as many curls at once, wall", ratios(radar, at_once, "wall")),
        Result("  to as many curls at once, cpu", ratios(radar, at_once, "cpu")),
    ]


def pipe(place: Workplace, rounds: int, quick: bool) -> list[Result]:
    """A job that prints a lot, into a pipe."""
    size = _FLOOD_BYTES_QUICK if quick else _FLOOD_BYTES
    flood = f"{place.child('flood')} {size}"
    env = place.environment()
    wrapped = f'"{place.radar}" run job -- {flood}'
    costs = take_turns(
        {
            "direct": lambda: _shell(place, f"{flood} | cat >/dev/null", env),
            "radar": lambda: _shell(place, f"{wrapped} | cat >/dev/null", env),
        },
        rounds,
        warm_ups=1,
    )
    place.forget_state()
    what = f"{size / (1 << 30):g} GB through the pipe"
    return [Result(what, ratios(costs["radar"], costs["direct"], "wall"), 2.0)]


def commands(place: Workplace, rounds: int, _quick: bool) -> list[Result]:
    """The commands that people type."""
    env = place.environment()
    results = [_against_pass(place, rounds, env, ["--help"], "radar --help", 25)]
    what = f"radar status, {_MONITORS} monitors"
    try:
        measure.run([place.python, "-c", _SPOOL, str(_MONITORS)], env, place.output)
        measure.run([place.radar, "status"], env, place.output)
        results.append(_against_pass(place, rounds, env, ["status"], what, 50))
    except UnmeasurableError as reason:
        results.append(Result(what, note=str(reason)))
    place.forget_state()
    return results


def alive(place: Workplace, rounds: int, _quick: bool) -> list[Result]:
    """The liveness probe of Celery's workers, which Kubernetes calls every few seconds."""
    file = place.folder / "sign"
    file.write_text("a sign of life")
    words = ["celery", "alive", "--file", str(file), "--max-age", "1d"]
    return [_against_pass(place, rounds, place.environment(), words, "radar celery alive", 1.4)]


ROWS = (
    Row("launch", launch, 200, 40),
    Row("http", http, 150, 30),
    Row("https", https, 100, 20),
    Row("memory", memory, 15, 5),
    Row("crowd", crowd, 5, 1),
    Row("pipe", pipe, 3, 2),
    Row("commands", commands, 30, 6),
    Row("alive", alive, 60, 12),
    Row("celery", celery, 20, 5),
    Row("integration", integration, 12, 3),
)

# Pings in the spool, from which the embedded store takes them in.
_SPOOL = """
import os, sys, time
from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Outbox

spool, now_us = Outbox(os.environ["RADAR_STATE_DIR"]), time.time_ns() // 1000
for number in range(int(sys.argv[1])):
    fields = {"exit": "0", "duration": "1.5", "schedule": "0 3 * * *"}
    ping = Ping("success", f"job-{number}", time_us=now_us + number, fields=fields)
    spool.put(ping, {}, durable=False)
"""


def _whole_runs(
    place: Workplace,
    rounds: int,
    env: Mapping[str, str],
    curls: str,
    to_hold: float,
    what: str,
    sentry: "Sentry | None" = None,
) -> list[Result]:
    words: Words = [place.radar, "run", "job", "--", "true"]
    contestants = {
        "curl": lambda: _shell(place, curls, env),
        "radar": lambda: measure.run(words, env, place.output),
    }
    if sentry is not None and sentry.path:
        contestants["sentry"] = lambda: measure.run([*sentry.run, "true"], env, place.output)
    if said := _said(place, words, env):
        raise UnmeasurableError(f"radar doesn't deliver: {said}")
    costs = take_turns(contestants, rounds)
    results = [
        Result(
            f"a run with two pings, {what}, {it}",
            ratios(costs["radar"], costs["curl"], it),
            to_hold,
        )
        for it in ("wall", "cpu")
    ]
    if sentry is not None:
        results += [
            sentry.result(f"  sentry-cli monitors run, {it}", costs, costs["curl"], it)
            for it in ("wall", "cpu")
        ]
    return results


def _against_pass(
    place: Workplace,
    rounds: int,
    env: Mapping[str, str],
    words: list[str],
    what: str,
    to_hold: float,
) -> Result:
    costs = take_turns(
        {
            "pass": lambda: measure.run([place.python, "-c", "pass"], env, place.output),
            "radar": lambda: measure.run([place.radar, *words], env, place.output),
        },
        rounds,
    )
    return Result(
        f"{what}, to python -c pass", ratios(costs["radar"], costs["pass"], "wall"), to_hold
    )


def _shell(place: Workplace, line: str, env: Mapping[str, str]) -> Costs:
    return measure.run(["/bin/sh", "-c", line], env, place.output)


def _said(place: Workplace, words: Words, env: Mapping[str, str]) -> str:
    """What radar has to say about a run with --verbose: nothing, if its pings arrive."""
    measure.run([*words[:3], "--verbose", *words[3:]], env, place.output)
    return place.output.read_text(errors="replace").strip()


class _Fifo:
    """Brings what a child writes, the moment it does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        # Open for writing as well, or each child that closes it would be an end of file.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def read(self) -> bytes:
        if not select.select([self._fd], [], [], PATIENCE_S)[0]:
            raise UnmeasurableError("the job doesn't start")
        return os.read(self._fd, 4096)

    def close(self) -> None:
        os.close(self._fd)
