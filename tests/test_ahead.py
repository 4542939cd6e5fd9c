"""Modules that are loaded past the import system are what it would have made of them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import radar_cli
from radar_cli import ahead
from tests.support.radar import environment, radar_path
from tests.support.server import Server

_EXTENSIONS = (*ahead.EXTENSIONS_BESIDE_THE_JOB, *ahead.EXTENSIONS_FOR_A_SERVER)
_EVERY = (*ahead.BEFORE_THE_JOB, *ahead.BESIDE_THE_JOB, *ahead.FOR_A_SERVER)
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
from radar_cli import ahead
names = sys.argv[2:]
if sys.argv[1] == "ahead":
    ahead.load(tuple(names))
    assert all("radar_cli." + name in sys.modules for name in names)
for m in [importlib.import_module("radar_cli." + name) for name in names]:
    s = m.__spec__
    print(m.__name__, m.__file__, m.__package__, getattr(m, "__path__", None), m.__doc__, s.name,
          s.origin, s.cached, s.parent, s.submodule_search_locations, s.has_location,
          getattr(sys.modules[m.__name__.rpartition(".")[0]], m.__name__.rpartition(".")[2]) is m,
          sorted(n for n in vars(m) if not n.startswith("__")))
"""


def looked_for(tmp_path: Path, server: Server) -> set[str]:
    """The modules that a plain run has the import system find."""
    (tmp_path / "sitecustomize.py").write_text(_SPY)
    to = tmp_path / "looked-for"
    own = {"PYTHONPATH": str(tmp_path), "LOOKED_FOR": str(to)}
    env = environment(measured=False, RADAR_SERVER=server.url, RADAR_API_KEY="k1") | own
    done = subprocess.run(
        [str(radar_path()), "run", "m", "--", "true"], env=env, capture_output=True, check=True
    )
    assert done.stderr == b""
    return set(to.read_text().split())


def test_it_leaves_nothing_of_a_plain_run_to_the_import_system(
    tmp_path: Path, server: Server
) -> None:
    found = looked_for(tmp_path, server)

    ours = {name for name in found if name.startswith("radar_cli")}
    assert ours == {"radar_cli", "radar_cli.__main__", "radar_cli.ahead"}
    assert not found.intersection(_EXTENSIONS)


def test_modules_are_what_an_import_makes_of_them() -> None:
    assert described(_DESCRIBE, "ahead", _EVERY) == described(_DESCRIBE, "import", _EVERY)


def test_extensions_are_what_an_import_makes_of_them() -> None:
    script = (
        "import sys; from radar_cli import ahead; names = sys.argv[2:]\n"
        "if sys.argv[1] == 'ahead': ahead.load_extensions(tuple(names))\n"
        "known = {*sys.modules, *sys.builtin_module_names}\n"
        "assert sys.argv[1] == 'import' or known.issuperset(names)\n"
        "for m in map(__import__, names): print(m.__name__, m.__file__, m.__spec__.origin, dir(m))"
    )

    assert described(script, "ahead", _EXTENSIONS) == described(script, "import", _EXTENSIONS)


def described(script: str, how: str, names: tuple[str, ...]) -> bytes:
    """What a script prints of modules that are loaded one way or the other."""
    words = [sys.executable, "-c", script, how, *names]
    return subprocess.run(
        words, env=environment(measured=False), capture_output=True, check=True
    ).stdout


@pytest.mark.parametrize("change", ["source", "bytecode", "no bytecode", "half of it"])
def test_it_takes_no_bytecode_that_is_not_the_source(tmp_path: Path, change: str) -> None:
    package = tmp_path / "radar_cli"
    shutil.copytree(Path(radar_cli.__path__[0]), package)
    source = package / "ids.py"
    [cached] = (package / "__pycache__").glob(f"ids.{sys.implementation.cache_tag}.pyc")
    if change == "source":
        source.write_text(source.read_text() + "\nKEY_MAX = 7\n")
    elif change == "bytecode":
        cached.write_bytes(b"????" + cached.read_bytes()[4:])
    elif change == "half of it":
        cached.write_bytes(cached.read_bytes()[:100])
    else:
        cached.unlink()
    script = (
        "import sys; from radar_cli import ahead; ahead.load(('ids',)); "
        "print('radar_cli.ids' in sys.modules)\n"
        "from radar_cli import ids; print(ids.KEY_MAX, ids.__file__)"
    )
    env = environment(measured=False) | {"PYTHONPATH": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, check=False, text=True
    )

    value = 7 if change == "source" else 200
    if change == "half of it":  # whole at its head, so that an import fails over it, too
        assert "EOFError" in done.stderr
        assert done.stdout == "False\n"
    else:
        assert done.stdout == f"False\n{value} {source}\n"
