"""Instrumentation, debuggers and applications put themselves into every Python, but radar's."""

import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.children import Report, read_report, received_signals
from tests.support.depth import depth
from tests.support.pings import kinds
from tests.support.radar import environment, in_own_environment, radar_path, start_radar
from tests.support.requirements import require, require_program

# What a `sitecustomize` on PYTHONPATH may do to the Python that radar is started with.
COMPANY = {
    "thread": """
        import threading, time
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    """,
    "SIGCHLD handler": """
        import os, signal
        def reap(*_):
            try:
                while os.waitpid(-1, os.WNOHANG)[0]: pass
            except ChildProcessError: pass
        signal.signal(signal.SIGCHLD, reap)
    """,
    "SIGTERM handler": "import signal; signal.signal(signal.SIGTERM, lambda *_: None)",
    "SIGINT handler": "import signal; signal.signal(signal.SIGINT, lambda *_: None)",
    "handler in C": """
        import ctypes
        handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: None)
        ctypes.CDLL(None).signal(15, handler)
        import sys; sys.handler = handler
    """,
    "profiler": """
        import signal
        signal.signal(signal.SIGPROF, lambda *_: None)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    """,
    "alarm": """
        import signal
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    """,
    "atexit": "import atexit, os; atexit.register(lambda: os.write(2, b'still here'))",
    "another environment": """
        import os
        os.environ['PYTHONPATH'] = '/elsewhere'; os.environ['NEW'] = '1'; os.environ.pop('KEPT', 0)
    """,
    "blocked signals": """
        import signal, threading, time
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    """,
    "a module of its own": "",
}


def company(folder: Path, name: str) -> dict[str, str]:
    """The variables of an environment in which every Python is shared with this."""
    code = textwrap.dedent(COMPANY[name])
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(folder)}


def instrumentation(name: str) -> dict[str, str]:
    """The same with a real one, as its operator or its command sets it up."""
    root = Path(sys.prefix).parent / "instrumentation" / Path(sys.prefix).name / name
    if any(root.parent.parent.glob("*")) and not root.parent.is_dir():
        pytest.skip(f"{name} is installed for the first Python only")
    require(root.is_dir(), f"{name} is not installed (tests/run installs it)")
    hooks = {
        "opentelemetry-distro": root / "opentelemetry/instrumentation/auto_instrumentation",
        "ddtrace": root / "ddtrace/bootstrap",
    }
    assert (hooks[name] / "sitecustomize.py").exists()
    return {"PYTHONPATH": f"{hooks[name]}:{root}", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}


@pytest.fixture(params=[*COMPANY, "opentelemetry-distro", "ddtrace"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Variables that put somebody else into every Python."""
    if request.param in COMPANY:
        return company(tmp_path, request.param)
    return instrumentation(request.param)


def report(children: Path, to: Path, *start: str | Path, **variables: str) -> Report:
    """The state in which a job finds itself behind `start`."""
    env = environment(measured=False, REPORT_TO=str(to), KEPT="yes", **variables)
    subprocess.run([*start, children / "report"], env=env, check=True, stdin=subprocess.DEVNULL)
    return read_report(to)


def test_the_job_finds_everything_as_without_radar(
    children: Path, tmp_path: Path, shared: dict[str, str]
) -> None:
    launch = (str(children / "launch"), "-b", "10", "-i", "12", "--")
    job = report(children, tmp_path / "a", *launch, radar_path(), "run", "job", "--", **shared)
    plain = report(children, tmp_path / "b", *launch, **shared)

    own = {b"RADAR_RUN_ID", b"RADAR_MONITOR", b"REPORT_TO"}
    assert {k: v for k, v in job.env().items() if k not in own} == {
        k: v for k, v in plain.env().items() if k not in own
    }
    assert job.argv == plain.argv
    for signals in ("blocked", "caught", "pending"):
        assert job.signals[signals] == plain.signals[signals]
    assert job.is_ignored(signal.SIGUSR2)
    assert not job.is_ignored(signal.SIGPIPE)
    assert sorted(job.fds) == sorted(plain.fds)
    assert kinds() == ["start", "success"]


@pytest.mark.nightly
@pytest.mark.slow
def test_no_signal_is_lost_and_none_kills_radar_alone(
    children: Path, tmp_path: Path, shared: dict[str, str]
) -> None:
    chance = random.Random(1)
    is_real = "OTEL_EXPORTER_OTLP_TIMEOUT" in shared
    for number in range(depth(6, 300 if is_real else 60)):
        log = tmp_path / f"log-{number}"
        job = (children / "on_signal", log, str(int(signal.SIGTERM)), "7")
        radar = start_radar("run", "job", "--", *job, env=environment(measured=False, **shared))
        try:
            radar.wait(chance.uniform(0.02, 0.6))
        except subprocess.TimeoutExpired:
            radar.send_signal(signal.SIGTERM)
        code = radar.wait(30)
        lines = log.read_text().splitlines() if log.exists() else []
        if not lines:
            # The job had not begun: whoever held that Python answered, or the job's default.
            assert code != 0
            continue
        assert not processes.is_alive(int(lines[0].split()[1])), "the job goes on without radar"
        assert code == 7
        assert [each.number for each in received_signals(log)] == [signal.SIGTERM]


def test_radar_is_not_beside_anybody(shared: dict[str, str]) -> None:
    job = ["sh", "-c", "echo $(cat /proc/$PPID/comm); tr '\\0' ' ' </proc/$PPID/cmdline"]
    env = environment(measured=False, **shared)
    words = [str(radar_path()), "run", "job", "--quiet", "--fail-on", "radar", "--", *job]
    done = subprocess.run(words, env=env, capture_output=True, check=False, text=True)

    assert done.stdout.startswith("radar\n")
    assert " -I -S " in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "harmless",
    [
        {"PYTHONPATH": "/app"},
        {"PYTHONUNBUFFERED": "1"},
        {"PYTHONFAULTHANDLER": "1"},
        {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "7"},
        {"PYTHONDEVMODE": "1"},
        {"LC_ALL": "C"},
    ],
    ids=" ".join,
)
def test_what_merely_stands_in_the_environment_costs_nothing(harmless: dict[str, str]) -> None:
    job = ["sh", "-c", "tr '\\0' ' ' </proc/$PPID/cmdline"]
    env = environment(measured=False, **harmless)
    words = [str(radar_path()), "run", "job", "--", *job]
    done = subprocess.run(words, env=env, capture_output=True, check=True, text=True)

    assert f"{radar_path()} run job" in done.stdout
    assert " -I " not in done.stdout


def test_an_ignored_signal_is_nobodys(children: Path, tmp_path: Path) -> None:
    env = environment(measured=False, REPORT_TO=str(tmp_path / "report"))
    words = ["run", "job", "--", "sh", "-c", "tr '\\0' ' ' </proc/$PPID/cmdline"]
    launch = [str(children / "launch"), "-i", "15", "-i", "17", "--", str(radar_path())]
    done = subprocess.run([*launch, *words], env=env, capture_output=True, check=True, text=True)

    assert " -I " not in done.stdout


def test_it_knows_its_own_name_there(shared: dict[str, str]) -> None:
    env = environment(measured=False, **shared)
    done = subprocess.run([str(radar_path()), "doctor"], env=env, capture_output=True, check=False)

    assert str(radar_path().parent).encode() in done.stdout
    assert b"radar_cli/launch" not in done.stdout


def test_what_the_own_environment_imports_at_its_start_is_no_company(tmp_path: Path) -> None:
    radar = in_own_environment(tmp_path, "import json, decimal, multiprocessing")
    job = ["sh", "-c", "tr '\\0' ' ' </proc/$PPID/cmdline"]
    words = [str(radar), "run", "job", "--", *job]
    env = environment(measured=False)
    done = subprocess.run(words, env=env, capture_output=True, check=True, text=True)

    assert " -I " not in done.stdout


def test_a_thread_of_the_own_environment_is_company(tmp_path: Path) -> None:
    radar = in_own_environment(tmp_path, COMPANY["thread"].replace("        ", ""))
    job = ["sh", "-c", "tr '\\0' ' ' </proc/$PPID/cmdline"]
    words = [str(radar), "run", "job", "--", *job]
    env = environment(measured=False)
    done = subprocess.run(words, env=env, capture_output=True, check=True, text=True)

    assert " -I -S " in done.stdout
    assert kinds() == ["start", "success"]


@pytest.mark.parametrize("words", [["status", "--json"], ["ping", "m"], ["monitors", "list"]])
def test_every_command_works_there(words: list[str], shared: dict[str, str]) -> None:
    env = environment(measured=False, **shared)
    subprocess.run([radar_path(), "run", "m", "--", "true"], env=env, check=True)
    done = subprocess.run([radar_path(), *words], env=env, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("way", ["PYTHONPATH", "the current folder", "a .pth file"])
def test_an_app_is_found_there(way: str, tmp_path: Path) -> None:
    where = tmp_path / "project"
    where.mkdir()
    (where / "shop.py").write_text("from celery import Celery\napp = Celery('shop')\n")
    variables = company(tmp_path, "thread")
    radar, cwd = radar_path(), tmp_path
    if way == "PYTHONPATH":
        variables["PYTHONPATH"] += f":{where}"
    elif way == "the current folder":
        cwd = where
    else:
        radar = in_own_environment(tmp_path, f"import sys; sys.path.append({str(where)!r})")
    nowhere = ["-b", "redis://127.0.0.1:1/0", "--timeout", "3s"]

    def check(app: str) -> str:
        words = [str(radar), "celery", "check", "-A", app, *nowhere]
        env = environment(measured=False, **variables)
        done = subprocess.run(words, env=env, cwd=cwd, capture_output=True, check=False, text=True)
        return done.stdout + done.stderr

    assert "can't import the app" in check("nowhere")
    assert "can't import the app" not in check("shop")


_NATIVE = r"""
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
static void *sit(void *nothing)
{
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, 0);
    for (;;)
        pause();
    return nothing;
}
__attribute__((constructor)) static void start(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, sit, 0);
}
"""


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A library with a thread that takes every signal: not even another Python is rid of it."""
    folder = tmp_path_factory.mktemp("preloaded")
    (folder / "thread.c").write_text(_NATIVE)
    words = ["-shared", "-fPIC", "-pthread", "-o", f"{folder}/thread.so", f"{folder}/thread.c"]
    subprocess.run([require_program("cc"), *words], check=True)
    return {"LD_PRELOAD": str(folder / "thread.so")}


@pytest.mark.nightly
@pytest.mark.parametrize("code", [0, 3])
def test_a_native_thread_that_takes_signals_costs_no_end(
    code: int, preloaded: dict[str, str]
) -> None:
    for _ in range(depth(8, 200)):
        env = environment(measured=False, **preloaded)
        words = ["run", "job", "--", "sh", "-c", f"sleep 0.05; exit {code}"]
        radar = start_radar(*words, env=env)
        _, said = radar.communicate(timeout=30)
        assert (radar.returncode, said) == (code, b"")


@pytest.mark.nightly
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT])
def test_a_native_thread_that_takes_signals_keeps_none(
    number: int, children: Path, tmp_path: Path, preloaded: dict[str, str]
) -> None:
    for turn in range(depth(3, 100)):
        log = tmp_path / f"log-{turn}"
        job = (children / "on_signal", log, str(int(number)), "7")
        radar = start_radar("run", "job", "--", *job, env=environment(measured=False, **preloaded))
        while not (log.exists() and log.read_text()):
            assert radar.poll() is None
        # While radar waits, it may be either thread that the kernel gives the signal to.
        os.kill(radar.pid, number)

        assert radar.wait(30) == 7
        assert [each.number for each in received_signals(log)] == [number]
