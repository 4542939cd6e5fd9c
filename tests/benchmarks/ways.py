"""Walk the four ways of ARCHITECTURE.md and count: `python -m tests.benchmarks.ways [--calls]`.

Each command is the installed one, with a hook in its Python that writes down each call from a file
of radar's to a function of another one (from the nearest caller of radar's: a library may stand
between), and each module that is loaded. With --checkout DIR it walks the code of another checkout,
in the same environment, so that two states can be compared.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support import processes
from tests.support.celery_app import Worker
from tests.support.ports import free_port
from tests.support.radar import radar_path
from tests.support.redis import running
from tests.support.waiting import wait_until

_LOADING = " <module>"
# Runs in every Python of an environment of its own, when TRACE_CALLS names a file.
_HOOK = """
import os
if "TRACE_CALLS" in os.environ:
    import _thread, sys
    fd = os.open(os.environ["TRACE_CALLS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    names = {}

    def name_of(code):
        name = names.get(code)
        if name is None:
            before, found, after = code.co_filename.rpartition("radar_cli/")
            is_loading = code.co_name == "<module>"
            is_function = code.co_flags & 2  # CO_NEWLOCALS: and no class's body
            shown = found and (is_loading or is_function)
            name = names[code] = f"{after} {code.co_qualname}" if shown else ""
        return name

    def trace(frame, event, argument):
        if event != "call":
            return
        callee = name_of(frame.f_code)
        if not callee:
            return
        frame = frame.f_back
        while frame is not None and not name_of(frame.f_code):
            frame = frame.f_back
        caller = name_of(frame.f_code) if frame is not None else "- -"
        if caller.split()[0] != callee.split()[0]:
            os.write(fd, f"{caller} {callee}\\n".encode())

    start = _thread.start_new_thread

    def start_traced(function, args, kwargs=None):
        def traced():
            sys.setprofile(trace)
            function(*args, **(kwargs or {}))
        return start(traced, ())

    _thread.start_new_thread = start_traced
    import threading
    threading._start_new_thread = start_traced
    sys.setprofile(trace)
"""


class Walker:
    """Starts the traced radar in a folder of its own."""

    def __init__(self, folder: Path, checkout: Path | None) -> None:
        self.folder = folder
        packages = sysconfig.get_path("purelib")
        venv.create(folder / "venv", symlinks=True)
        own = next((folder / "venv").glob("lib/python3*/site-packages"))
        (own / "hook.py").write_text(_HOOK)
        before = f"{checkout}\n" if checkout is not None else ""
        (own / "hook.pth").write_text(f"{before}{packages}\nimport hook\n")
        self.program = folder / "venv/bin/radar"
        script = radar_path().read_text().partition("\n")[2]
        self.program.write_text(f"#!{folder}/venv/bin/python\n{script}")
        self.program.chmod(0o755)
        self._log = folder / "calls"

    def start(self, *words: str, state: str = "state", **env: str) -> "subprocess.Popen[bytes]":
        """Start `radar WORDS`."""
        own = {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "RADAR_STATE_DIR": str(self.folder / state),
            "RADAR_CONFIG": str(self.folder / f"{state}.toml"),
            "RADAR_SYSTEM_CONFIG": str(self.folder / "none.toml"),
            **env,
        }
        return processes.remember(
            subprocess.Popen(
                [self.program, *words],
                env=own,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    def run(self, *words: str, **more: str) -> int:
        """Run `radar WORDS` to its end, and return its exit code."""
        return self.start(*words, **more).wait(120)

    def traced(self, *words: str, **more: str) -> list[str]:
        """Run `radar WORDS`, and return its calls."""
        self._log.unlink(missing_ok=True)
        self.run(*words, TRACE_CALLS=str(self._log), **more)
        return self.calls()

    def calls(self) -> list[str]:
        """Return the calls that are written down so far: `FILE FUNCTION FILE FUNCTION`."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    @contextlib.contextmanager
    def serving(self, config: str, **env: str) -> Iterator[tuple[str, str]]:
        """A server, which is traced if TRACE_CALLS is in `env`: its URL and its admin key."""
        (self.folder / "server.toml").write_text(config)
        url = f"http://127.0.0.1:{(port := free_port())}"
        server = self.start("server", "--bind", f"127.0.0.1:{port}", state="server", **env)
        try:
            wait_until(lambda: _curl(f"{url}/healthz") == 0, 60, "a healthy server")
            yield url, (self.folder / "server/admin-key").read_text().strip()
        finally:
            server.terminate()
            server.wait(30)


def _curl(*words: str) -> int:
    command = ["curl", "-fsS", "--max-time", "10", *words]
    return subprocess.run(command, capture_output=True, check=False).returncode


def walk_run(walker: Walker) -> list[str]:
    walker.run("run", "first", "--", "true")  # the state directory is there then
    return walker.traced("run", "hello", "--", "true")


def walk_ping(walker: Walker) -> list[str]:
    """From a ping by HTTP to the notice that it makes."""
    told = walker.folder / "told"
    config = f'[notify.file]\ncommand = ["touch", "{told}"]\n'
    log = walker._log
    log.unlink(missing_ok=True)
    with walker.serving(config, TRACE_CALLS=str(log)) as (url, key):
        bearer = ("-H", f"Authorization: Bearer {key}", "-X", "POST")
        assert _curl(*bearer, f"{url}/ping/backup?every=1h") == 0
        before = len(walker.calls())
        assert _curl(*bearer, f"{url}/ping/backup/fail") == 0
        wait_until(told.exists, 60, "the notice")
        return walker.calls()[before:]


def walk_list_local(walker: Walker) -> list[str]:
    walker.run("monitors", "create", "backup", "--every", "1h")
    return walker.traced("monitors", "list")


def walk_list_remote(walker: Walker) -> list[str]:
    with walker.serving("") as (url, key):
        remote = {"RADAR_SERVER": url, "RADAR_API_KEY": key, "state": "client"}
        walker.run("monitors", "create", "other", "--every", "1h", **remote)
        return walker.traced("monitors", "list", **remote)


def walk_celery_check(walker: Walker) -> list[str]:
    with running() as redis:
        Worker(redis.url(), walker.folder).wait()
        return walker.traced("celery", "check", "-b", redis.url())


WAYS = {
    "radar run -- true, embedded store": walk_run,
    "an HTTP ping to a notice": walk_ping,
    "radar monitors list, local": walk_list_local,
    "radar monitors list, remote": walk_list_remote,
    "radar celery check, one worker": walk_celery_check,
}


def files_of(calls: list[str]) -> list[str]:
    """Return the files entered, in the order of their first call."""
    return list(dict.fromkeys(call.split()[2] for call in calls))


def split(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return the calls of functions, and the loading of modules (what that calls is neither)."""
    loaded = [line for line in lines if line.endswith(_LOADING)]
    calls = [line for line in lines if _LOADING not in line]
    return calls, loaded


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.ways", description=__doc__)
    parser.add_argument("--calls", action="store_true", help="show each kind of call, in order")
    parser.add_argument("--checkout", type=Path, metavar="DIR", help="walk that code instead")
    arguments = parser.parse_args()
    checkout = arguments.checkout and arguments.checkout.resolve()
    print(f"{'way':<36} {'files':>5} {'calls':>6} {'kinds':>6} {'loaded':>6}")
    for name, walk in WAYS.items():
        with tempfile.TemporaryDirectory(prefix="radar-ways-") as folder, processes.no_strays():
            calls, loaded = split(walk(Walker(Path(folder), checkout)))
        counted = Counter(calls)
        print(f"{name:<36} {len(files_of(calls)):>5} {len(calls):>6} {len(counted):>6}", end="")
        print(f" {len(files_of(loaded)):>6}")
        for call, count in counted.items() if arguments.calls else ():
            caller, _, callee, function = call.split()
            print(f"    {caller} -> {callee} {function}{f' ({count})' if count > 1 else ''}")
    return 0


if __name__ == "__main__":
    os.environ.pop("TRACE_CALLS", None)
    sys.exit(main())
