"""Loading the modules of a plain run in one go, past the import system.

For each of them it would look along paths, take locks and build loaders: a tenth of a whole run.
The files loaded here are those that it would find, ours checked as it would check them (PEP 552),
and whatever is unusual is left to it: the `import` statements stand where they always do.
Only for a thread beside which no other one imports: no lock keeps that one off a half-made module.
"""

import _imp
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER

import radar_cli

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

# Each after those that it imports.
BEFORE_THE_JOB = (
    "ids",
    "wrap",
    "wrap.options",
    "wrap.child",
    "wrap.signals",
    "wrap.streams",
    "wrap.run",
)
BESIDE_THE_JOB = (
    "pings",
    "pings.codec",
    "pings.ping",
    "wrap.tail",
    "wrap.report",
    "wrap.relay",
    "places",
    "urls",
    "pings.destinations",
    "pings.spool",
    "pings.announcer",
)
FOR_A_SERVER = ("pings.http", "pings.delivery", "pings.radar")
# Of Python's own, in C; in some Pythons they are built in, and need no loading.
EXTENSIONS_BESIDE_THE_JOB = ("select", "resource")
EXTENSIONS_FOR_A_SERVER = ("_socket",)
_EXTENSIONS_FOLDER = "/lib-dynload"
_PACKAGES = ("wrap", "pings")
# A pyc begins with the magic number and flags; 0: its source's time and size follow.
_HEAD = MAGIC_NUMBER + bytes(4)
_HEAD_BYTES = 16
_LARGEST_BYTES = 65_536


def load(names: tuple[str, ...]) -> None:
    """Load these modules of radar's, as far as that is simple."""
    # With -X importtime, too, it is left to the import system, which is to be looked at then.
    if sys._xoptions or sys.flags.optimize or sys.pycache_prefix:
        return
    folder = radar_cli.__path__[0]
    for name in names:
        full = f"radar_cli.{name}"
        if full not in sys.modules and not _load(full, folder, name.replace(".", "/")):
            return


def load_extensions(names: tuple[str, ...]) -> None:
    """Load these modules of Python's own, where it keeps them as shared libraries."""
    folder = next((path for path in sys.path if path.endswith(_EXTENSIONS_FOLDER)), "")
    if sys._xoptions or not folder:
        return
    for name in names:
        if name in sys.modules or name in sys.builtin_module_names:
            continue
        origin = f"{folder}/{name}{_imp.extension_suffixes()[0]}"
        spec = type(radar_cli.__spec__)(name, None, origin=origin)
        try:
            module = _imp.create_dynamic(spec)
            _imp.exec_dynamic(module)
        except (ImportError, OSError):
            return
        module.__spec__, module.__file__ = spec, origin
        sys.modules[name] = module


def _load(name: str, folder: str, place: str) -> bool:
    is_package = place in _PACKAGES
    folder, _, stem = f"{folder}/{place}{'/__init__' if is_package else ''}".rpartition("/")
    source = f"{folder}/{stem}.py"
    cached = f"{folder}/__pycache__/{stem}.{sys.implementation.cache_tag}.pyc"
    try:
        code = _read(source, cached)
    except (OSError, ValueError, EOFError, TypeError):
        return False
    if code is None:
        return False
    module = type(sys)(name)
    spec = type(radar_cli.__spec__)(name, None, origin=source, is_package=is_package)
    spec.has_location, spec.cached = True, cached
    module.__spec__ = spec
    module.__file__ = source
    parent, _, last = name.rpartition(".")
    module.__package__ = name if is_package else parent
    if is_package:
        module.__path__ = spec.submodule_search_locations = [folder]
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 (as an import would)
    except BaseException:
        del sys.modules[name]
        raise
    setattr(sys.modules[parent], last, module)
    return True


def _read(source: str, cached: str) -> "CodeType | None":
    """The code in a pyc, None if it isn't that of the source."""
    status = os.stat(source)
    fd = os.open(cached, os.O_RDONLY)
    try:
        data = os.read(fd, _LARGEST_BYTES)
    finally:
        os.close(fd)
    time_and_size = (int(status.st_mtime), status.st_size)
    head = _HEAD + b"".join((n & 0xFFFFFFFF).to_bytes(4, "little") for n in time_and_size)
    if not data.startswith(head) or len(data) == _LARGEST_BYTES:
        return None
    code: CodeType = marshal.loads(memoryview(data)[_HEAD_BYTES:])  # noqa: S302 (as an import would)
    return code
