"""radar: a dead man's switch for cron jobs, CI scripts and Celery.

Where the `radar` command begins, since a plain run needs no other module that is looked up: the
fast commands go past click, and the modules of a run past the import system. For each of them it
would look along paths, take locks, build loaders and read a file: an eighth of a whole run. Here
all that belong to one step of a run come from one file of bytecode, which `hatch_build.py` puts
into the wheel. A module of which the source is another one by now, and whatever else is unusual,
is left to the import system: the `import` statements stand where they always do.
"""

import _imp
import _thread
import gc
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

__version__ = "0.1.0"

# So many new objects, net, before the collector looks for cycles: imports make thousands, and none.
_GARBAGE_OBJECTS = 50_000

# By the step of a run that needs them, each after those that it imports.
MODULES = {
    "before-the-job": (
        "exits",
        "ids",
        "wrap",
        "wrap.options",
        "wrap.child",
        "wrap.kill",
        "wrap.signals",
        "wrap.streams",
        "wrap.run",
    ),
    "beside-the-job": (
        "pings",
        "pings.codec",
        "pings.ping",
        "wrap.tail",
        "wrap.report",
        "places",
        "urls",
        "pings.destinations",
        "pings.spool",
        "pings.courier",
        "pings.announcer",
    ),
    "for-a-value": ("grammar",),
    "for-a-timeout": ("wrap.group",),
    "for-a-declaration": ("cron", "zone", "wrap.declaration"),
    "for-output": ("pings.text", "wrap.cat", "wrap.relay", "wrap.watchers", "wrap.redaction"),
    "for-a-server": ("pings.http", "pings.delivery", "pings.radar"),
}
# Of Python's own, in C; in some Pythons they are built in, and need no loading.
EXTENSIONS = {
    "beside-the-job": ("resource",),
    "for-output": ("select", "binascii"),
    "for-a-server": ("_socket",),
}
_EXTENSIONS_FOLDER = "/lib-dynload"
_INIT = "/__init__.py"
# An installer writes the sources and the bytecode within it. A source that was written earlier is
# another one as well: `cp -p` puts one there with its own time.
_SAME_INSTALL_S = 2.0


def main() -> int:
    """Run the command line in `sys.argv` and return its exit code."""
    gc.set_threshold(_GARBAGE_OBJECTS, *gc.get_threshold()[1:])
    _trust_no_foreign_modules()
    words = sys.argv[1:]
    if words[:1] == ["run"]:
        load("before-the-job")
        from radar_cli.wrap.run import run

        return run(words[1:])
    if words[:1] == ["ping"]:
        load("before-the-job")
        load("beside-the-job")
        if os.environ.get("RADAR_SERVER"):
            load("for-a-server")
        from radar_cli.pings.command import ping

        return ping(words[1:])
    if words[:2] == ["celery", "alive"]:
        from radar_cli.celery.alive import alive

        return alive(words[2:])
    if words[:2] == ["completion", "words"]:
        from radar_cli.completion.words import print_words

        return print_words(words[2:])
    from radar_cli.cli.app import main as click_main

    return click_main(words)


def _trust_no_foreign_modules() -> None:
    """Look in PYTHONPATH and the current directory last: they are the job's.

    An application's `resource.py` or `click` there would be imported in place of the real one.
    """
    standard = getattr(sys, "_stdlib_dir", None)
    if standard in sys.path:
        at = sys.path.index(standard)
        sys.path[:] = sys.path[at:] + sys.path[:at]


def load(step: str) -> None:
    """Load the modules of this step, as far as that is simple and not done yet."""
    # No lock keeps another thread off a half-made module.
    if f"{__name__}.{MODULES[step][-1]}" in sys.modules or _thread._count():
        return
    # With -X importtime, too, it is left to the import system, which is to be looked at then.
    if sys._xoptions or sys.flags.optimize:
        return
    _load_extensions(EXTENSIONS.get(step, ()))
    root = __path__[0]
    try:
        modules, written = _read(f"{root}/{file_name(step)}")
    except (OSError, ValueError, EOFError, TypeError):
        return
    for name, file, size_bytes, code in modules:
        source = f"{root}/{file}"
        try:
            status = os.stat(source)
        except OSError:
            return
        is_same_install = abs(status.st_mtime - written) <= _SAME_INSTALL_S
        if status.st_size != size_bytes or not is_same_install:
            return
        if name not in sys.modules:
            _imp._fix_co_filename(code, source)  # type: ignore[attr-defined]  # not in typeshed
            _make(name, source, code)


def file_name(step: str) -> str:
    """The file of a step's bytecode, in the package.

    The magic number of the Python that compiled it, and what marshal makes of a tuple that holds,
    for each module: name, source in the package, size of that in bytes, code.
    """
    return f"{step}.bytecode"


def _read(path: str) -> "tuple[tuple[tuple[str, str, int, CodeType], ...], float]":
    """What is in a step's file, and when that was written (Unix time)."""
    fd = os.open(path, os.O_RDONLY)
    try:
        status = os.fstat(fd)
        data = os.read(fd, status.st_size)
    finally:
        os.close(fd)
    if not data.startswith(MAGIC_NUMBER):
        raise ValueError("it is for another Python")
    modules = marshal.loads(memoryview(data)[len(MAGIC_NUMBER) :])  # noqa: S302 (as an import would)
    return modules, status.st_mtime


def _make(name: str, source: str, code: "CodeType") -> None:
    """Make a module as an import would."""
    is_package = source.endswith(_INIT)
    module = type(sys)(name)
    spec = type(__spec__)(name, None, origin=source)
    spec.has_location = True
    module.__spec__, module.__file__ = spec, source
    parent, _, last = name.rpartition(".")
    module.__package__ = name if is_package else parent
    if is_package:
        module.__path__ = spec.submodule_search_locations = [source[: -len(_INIT)]]
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 (as an import would)
    except BaseException:
        del sys.modules[name]
        raise
    setattr(sys.modules[parent], last, module)


def _load_extensions(names: tuple[str, ...]) -> None:
    """Load these modules of Python's own, where it keeps them as shared libraries."""
    folder = next((path for path in sys.path if path.endswith(_EXTENSIONS_FOLDER)), "")
    if not folder:
        return
    for name in names:
        if name in sys.modules or name in sys.builtin_module_names:
            continue
        origin = f"{folder}/{name}{_imp.extension_suffixes()[0]}"
        spec = type(__spec__)(name, None, origin=origin)
        try:
            module = _imp.create_dynamic(spec)
            _imp.exec_dynamic(module)
        except (ImportError, OSError):
            return
        module.__spec__, module.__file__ = spec, origin
        sys.modules[name] = module
