"""Put mutants on trial: `trial.py MODULE [--only TEXT]... [--seconds N] [--seed N] [--log FILE]`.

`--at-most N` tries so many of them, which the seed chooses.

mutmut passes over functions with decorators (properties, context managers) and runs the checkout,
not the wheel; cosmic-ray starts pytest anew for each mutant. Here one pytest has collected all, and
has once recorded which test runs which lines; each mutant is a fork of it that has exchanged the
code of one function and runs the tests that reach it, the quickest first, until one fails. For
radars that such a test starts, the faulty file is mounted over the installed one, for that fork.
"""

import argparse
import ast
import contextlib
import ctypes
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import coverage
import pytest

_CHECKOUT = Path(__file__).parent.parent.parent
if __name__ == "__main__":
    # Behind the installed wheel, as pytest has it.
    sys.path[0:1] = []
    sys.path.append(str(_CHECKOUT))

from tests.mutation.mutants import Mutant, find_mutants  # noqa: E402 (found by the line above)
from tests.mutation.targets import BY_CHILDREN, TARGETS  # noqa: E402

_EQUIVALENT = Path(__file__).parent / "equivalent.txt"
_NEW_MOUNTS, _BIND, _PRIVATE_ALL = 0x20000, 0x1000, 0x44000  # CLONE_NEWNS, MS_BIND, MS_REC|PRIVATE
_TESTS_S = 60.0  # of tests for one mutant
_AT_ONCE = int(os.environ.get("TESTS_MUTANTS_AT_ONCE", "2"))


def read_equivalent() -> dict[str, str]:
    """The mutants that no test can tell from the original, each with the proof."""
    proofs: dict[str, str] = {}
    key = ""
    for line in _EQUIVALENT.read_text().splitlines():
        if line.startswith("    "):
            proofs[key] = f"{proofs[key]} {line.strip()}".strip()
        elif line and not line.startswith("#"):
            key = line
            proofs[key] = ""
    return proofs


class Trial:
    """A pytest plugin that runs mutants in place of tests."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._module = importlib.import_module("radar_cli." + options.module.replace("/", "."))
        self._path = Path(self._module.__file__ or "")
        self._tree = ast.parse(self._path.read_text())
        self._items: list[pytest.Item] = []
        self._seconds: dict[str, float] = {}
        self._lines: dict[int, list[str]] = {}
        self.fates: dict[str, str] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Record, then try one mutant after the other, a few at once, until the time is over."""
        begin = time.monotonic()
        self._items = session.items
        self._record()
        known = read_equivalent()
        mutants = [
            each
            for each in find_mutants(self._tree, self._options.module)
            if (each.key in known) == self._options.equivalent
            and (not self._options.only or any(text in each.key for text in self._options.only))
        ]
        random.Random(self._options.seed).shuffle(mutants)
        del mutants[self._options.at_most :]
        running: dict[int, tuple[Mutant, float, Path]] = {}
        while mutants or running:
            is_over = time.monotonic() - begin > self._options.seconds
            if mutants and is_over:
                self.fates.update((each.key, "not tried") for each in mutants)
                mutants = []
            elif mutants and len(running) < _AT_ONCE:
                mutant = mutants.pop()
                if tests := self._tests_for(mutant):
                    pid, limit_s, folder = self._start(mutant, tests)
                    running[pid] = (mutant, time.monotonic() + limit_s, folder)
                else:
                    self._note(mutant, "survived: no test reaches it")
            else:
                self._reap(running)
        return True

    def _reap(self, running: dict[int, tuple[Mutant, float, Path]]) -> None:
        time.sleep(0.01)
        for pid, (mutant, deadline, folder) in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended and time.monotonic() < deadline:
                continue
            with contextlib.suppress(ProcessLookupError):  # what its tests may have left
                os.killpg(pid, signal.SIGKILL)
            if not ended:
                os.waitpid(pid, 0)
                status = 1
            fates = {0: "survived", 2 << 8: "impossible"}
            self._note(mutant, fates.get(status, "killed"))
            shutil.rmtree(folder, ignore_errors=True)
            del running[pid]

    def _note(self, mutant: Mutant, fate: str) -> None:
        self.fates[mutant.key] = fate
        line = json.dumps({"mutant": mutant.key, "line": mutant.lines[0], "fate": fate})
        with self._options.log.open("a") as log:
            log.write(line + "\n")

    def _tests_for(self, mutant: Mutant) -> list[pytest.Item]:
        """The tests that may notice it, the quickest first."""
        reaching = {name for line in mutant.lines for name in self._lines.get(line, ())}
        chosen = [
            item
            for item in self._items
            if item.nodeid in reaching or item.nodeid.startswith(BY_CHILDREN)
        ]
        chosen.sort(key=lambda item: self._seconds.get(item.nodeid, 1e9))
        total_s = 0.0
        tests: list[pytest.Item] = []
        for item in chosen:
            total_s += self._seconds.get(item.nodeid, 1e9)
            if tests and total_s > _TESTS_S:
                break
            tests.append(item)
        return tests

    def _start(self, mutant: Mutant, tests: list[pytest.Item]) -> tuple[int, float, Path]:
        folder = Path(tempfile.mkdtemp(prefix="radar-mutant-"))
        code, text = mutant.compile_into(self._tree, self._path)
        pid = os.fork()
        if pid == 0:
            try:
                _leave(folder)
                _mount(self._path, text, folder)
                if not _exchange(self._module, mutant.function, code):
                    os._exit(2)
                os._exit(0 if all(self._passes_in_time(item) for item in tests) else 1)
            finally:
                os._exit(1)
        expected_s = sum(self._seconds.get(item.nodeid, 1.0) for item in tests)
        return pid, 20 + 5 * expected_s, folder

    def _passes_in_time(self, item: pytest.Item) -> bool:
        """A test that doesn't end notices the fault, too: then the alarm ends this process."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 10 + 5 * self._seconds.get(item.nodeid, 1.0))
        return _passes(item)

    def _record(self) -> None:
        """Run all tests in a fork; learn how long each takes and which of our lines it runs."""
        folder = Path(tempfile.mkdtemp(prefix="radar-mutant-"))
        pid = os.fork()
        if pid == 0:
            try:
                _leave(folder)
                found = self._run_all()
                (folder / "found").write_text(json.dumps(found))
            except BaseException:
                (folder / "found").write_text(traceback.format_exc())
                raise
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        said = (folder / "found").read_text()
        if not said.startswith("["):
            raise pytest.UsageError(f"the tests couldn't be recorded: {said}")
        seconds, lines = json.loads(said)
        shutil.rmtree(folder, ignore_errors=True)
        self._seconds = seconds
        self._lines = {int(line): names for line, names in lines.items()}

    def _run_all(self) -> Any:
        measured = coverage.Coverage(data_file=None, include=[str(self._path)], config_file=False)
        measured.set_option("run:disable_warnings", ["no-data-collected"])  # if all is in children
        seconds = {}
        measured.start()
        for item in self._items:
            measured.switch_context(item.nodeid)
            begin = time.monotonic()
            # One that fails without any mutant tells nothing.
            if _passes(item):
                seconds[item.nodeid] = time.monotonic() - begin
        measured.stop()
        self._items = [item for item in self._items if item.nodeid in seconds]
        data = measured.get_data()
        return seconds, data.contexts_by_lineno(str(self._path))


def _leave(folder: Path) -> None:
    """Be a process with a group, a temporary folder and an output of its own."""
    os.setsid()
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)


def _passes(item: pytest.Item) -> bool:
    from _pytest.runner import runtestprotocol

    reports = runtestprotocol(item, nextitem=None, log=False)
    return not any(report.failed for report in reports)


def _exchange(module: Any, qualified: str, code: Any) -> bool:
    """Give the function its faulty code; False if it can't have it."""
    found: Any = module
    for name in qualified.split("."):
        found = vars(found)[name]
        code = next(
            each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == name
        )
    for name in ("fget", "__func__", "__wrapped__"):
        found = getattr(found, name, found)
    while not isinstance(found, FunctionType):
        found = found.__wrapped__
    try:
        found.__code__ = code
    except ValueError:  # it needs other variables of its surroundings
        return False
    return True


def _mount(path: Path, text: str, folder: Path) -> None:
    """Put the faulty file in the place of the installed one, for us and our children."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(_NEW_MOUNTS) != 0:
        return
    libc.mount(None, b"/", None, _PRIVATE_ALL, None)
    faulty, cache = folder / path.name, folder / "__pycache__"
    faulty.write_text(text)
    shutil.copytree(path.parent / "__pycache__", cache)
    for each in cache.glob(f"{path.stem}.*"):
        each.unlink()
    for source, target in ((faulty, path), (cache, path.parent / "__pycache__")):
        libc.mount(str(source).encode(), str(target).encode(), None, _BIND, None)


def main() -> int:
    """Return 1 if a mutant survives."""
    parser = argparse.ArgumentParser()
    parser.add_argument("module", choices=TARGETS)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--equivalent", action="store_true", help="try those that survive")
    parser.add_argument("--tests", nargs="*")
    parser.add_argument("--seconds", type=float, default=3000.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-most", type=int, default=1 << 30)
    parser.add_argument("--log", type=Path, default=_CHECKOUT / ".venv/mutants.jsonl")
    options = parser.parse_args()
    trial = Trial(options)
    words = ["-q", "-s", "--timeout=0", "-p", "no:xdist", "-p", "no:cacheprovider"]
    words += ["-m", "not nightly and not slow", "--rootdir", str(_CHECKOUT)]
    os.chdir(_CHECKOUT)
    code = pytest.main([*words, *(options.tests or TARGETS[options.module])], plugins=[trial])
    survivors = sorted(key for key, fate in trial.fates.items() if fate.startswith("survived"))
    counts = {fate: [*trial.fates.values()].count(fate) for fate in set(trial.fates.values())}
    print(f"\n{options.module}: {counts}", *survivors, sep="\n")
    return 1 if survivors or code not in (0, 5) else 0


if __name__ == "__main__":
    sys.exit(main())
