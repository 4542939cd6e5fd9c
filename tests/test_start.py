"""Modules that are loaded past the import system are what it would have made of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import radar_cli
from radar_cli import EXTENSIONS, MODULES, file_name
from tests.support.radar import environment, radar_path
from tests.support.server import Server

_EXTENSIONS = tuple(name for names in EXTENSIONS.values() for name in names)
_EVERY = tuple(f"radar_cli.{name}" for names in MODULES.values() for name in names)
# Notes what the import system is asked to find, from the start of Python on.
_SPY = """
import os, sys
class Spy:
    @staticmethod
    def find_spec(name, path, target=None):
        with open(os.environ["LOOKED_FOR"], "a") as file:
            file.write(name + "\\n")
sys.meta_path.insert(0, Spy)
"""
_DESCRIBE = """
import importlib, sys
from radar_cli import MODULES, load
names = sys.argv[2:]
if sys.argv[1] == "load":
    for step in MODULES:
        load(step)
    assert sys.modules.keys() >= {*names}
for m in [importlib.import_module(name) for name in names]:
    s = m.__spec__
    print(m.__name__, m.__file__, m.__package__, getattr(m, "__path__", None), s.name,
          s.origin, s.cached, s.parent, s.submodule_search_locations, s.has_location,
          getattr(sys.modules[m.__name__.rpartition(".")[0]], m.__name__.rpartition(".")[2]) is m,
          sorted(n for n in vars(m) if not n.startswith("__")),
          sorted({f.__code__.co_filename for f in vars(m).values() if hasattr(f, "__code__")}))
"""


@pytest.mark.parametrize(
    "line",
    [
        "run m -- true",
        "run m --schedule @daily --grace 10m -- echo much done",
        "run m --every 1d --timeout 1h --tag nightly -- false",
    ],
)
def test_it_leaves_nothing_of_a_plain_run_to_the_import_system(
    tmp_path: Path, server: Server, line: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(_SPY)
    to = tmp_path / "looked-for"
    own = {"PYTHONPATH": str(tmp_path), "LOOKED_FOR": str(to)}
    env = environment(measured=False, RADAR_SERVER=server.url, RADAR_API_KEY="k1") | own

    done = subprocess.run(
        [str(radar_path()), *line.split()], env=env, capture_output=True, check=False
    )

    assert done.stderr == b""
    assert len(server.accepted) == 2
    found = set(to.read_text().split())
    assert {name for name in found if name.startswith("radar_cli")} == {"radar_cli"}
    assert not found.intersection(_EXTENSIONS)


def test_modules_are_what_an_import_makes_of_them() -> None:
    assert described(_DESCRIBE, "load", _EVERY) == described(_DESCRIBE, "import", _EVERY)


def test_extensions_are_what_an_import_makes_of_them() -> None:
    script = (
        "import sys; from radar_cli import MODULES, load; names = sys.argv[2:]\n"
        "if sys.argv[1] == 'load': [load(step) for step in MODULES]\n"
        "known = {*sys.modules, *sys.builtin_module_names}\n"
        "assert sys.argv[1] == 'import' or known.issuperset(names)\n"
        "for m in map(__import__, names): print(m.__name__, m.__file__, m.__spec__.origin, dir(m))"
    )

    assert described(script, "load", _EXTENSIONS) == described(script, "import", _EXTENSIONS)


def described(script: str, how: str, names: tuple[str, ...]) -> bytes:
    """What a script prints of modules that are loaded one way or the other."""
    words = [sys.executable, "-c", script, how, *names]
    return subprocess.run(
        words, env=environment(measured=False), capture_output=True, check=True
    ).stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package that may be changed, installed a minute ago."""
    package = tmp_path / "radar_cli"
    shutil.copytree(Path(radar_cli.__path__[0]), package)
    for path in package.rglob("*"):
        a_minute_ago = path.stat().st_mtime - 60
        os.utime(path, (a_minute_ago, a_minute_ago))
    return package


def loaded(package: Path) -> list[str]:
    """Which modules are loaded in one go, and what a value in `ids.py` is then."""
    script = (
        "import sys; from radar_cli import load; load('before-the-job')\n"
        "print(*sorted(n for n in sys.modules if n.startswith('radar_cli.')))\n"
        "from radar_cli import ids, wrap; print(ids.KEY_MAX, ids.__file__)"
    )
    env = environment(measured=False) | {"PYTHONPATH": str(package.parent)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, check=True, text=True
    )
    return done.stdout.splitlines()


def test_a_copy_of_the_package_is_loaded_in_one_go(copy: Path) -> None:
    names = sorted(f"radar_cli.{m}" for m in MODULES["before-the-job"])
    assert loaded(copy) == [" ".join(names), f"200 {copy / 'ids.py'}"]


@pytest.mark.parametrize(
    ("value", "age_s"),
    [("300", 0), ("1234", 0), ("300", 90), ("300", 10**8)],
    ids=["as long", "longer", "older than the rest", "years old"],
)
def test_another_source_counts(copy: Path, value: str, age_s: int) -> None:
    source = copy / "ids.py"
    source.write_text(source.read_text().replace("KEY_MAX = 200", f"KEY_MAX = {value}"))
    written = source.stat().st_mtime - age_s
    os.utime(source, (written, written))

    before = MODULES["before-the-job"][: MODULES["before-the-job"].index("ids")]
    names = " ".join(f"radar_cli.{name}" for name in before)
    assert loaded(copy) == [names, f"{value} {source}"]


@pytest.mark.parametrize("change", ["for another Python", "half of it", "empty", "none"])
def test_it_takes_no_bytecode_that_it_cant_use(copy: Path, change: str) -> None:
    bytecode = copy / file_name("before-the-job")
    if change == "for another Python":
        bytecode.write_bytes(b"????" + bytecode.read_bytes()[4:])
    elif change == "half of it":
        bytecode.write_bytes(bytecode.read_bytes()[:-1000])
    elif change == "empty":
        bytecode.write_bytes(b"")
    else:
        bytecode.unlink()

    assert loaded(copy) == ["", f"200 {copy / 'ids.py'}"]


def test_beside_other_threads_it_leaves_all_to_the_import_system() -> None:
    script = (
        "import sys, threading; from radar_cli import load; wait = threading.Event()\n"
        "thread = threading.Thread(target=wait.wait); thread.start()\n"
        "load('before-the-job'); print('radar_cli.ids' in sys.modules)\n"
        "wait.set(); thread.join()\n"
        "load('before-the-job'); print('radar_cli.ids' in sys.modules)"
    )
    words = [sys.executable, "-c", script]
    done = subprocess.run(
        words, env=environment(measured=False), capture_output=True, check=True, text=True
    )
    assert done.stdout.split() == ["False", "True"]
