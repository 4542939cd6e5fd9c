"""Puts the bytecode of a plain run's modules into the wheel: see radar_cli/__init__.py.

Such a wheel is for the Python that built it, and its tag says so.
"""

import __future__

import marshal
import shutil
import sys
import tempfile
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import interpreter_name, interpreter_version


class Bytecode(BuildHookInterface[Any]):
    """One file for each step of a run."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the modules, unless the wheel just points to the checkout."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        import radar_cli

        self._folder = Path(tempfile.mkdtemp())
        for step, names in radar_cli.MODULES.items():
            modules = tuple(_compiled(Path(self.root, "radar_cli"), name) for name in names)
            file = self._folder / radar_cli.file_name(step)
            file.write_bytes(MAGIC_NUMBER + marshal.dumps(modules))
            build_data["force_include"][str(file)] = f"radar_cli/{file.name}"
        build_data["tag"] = f"{interpreter_name()}{interpreter_version()}-none-any"

    def finalize(self, version: str, _build_data: dict[str, Any], _artifact: str) -> None:
        """Remove what `initialize` made."""
        if version != "editable":
            shutil.rmtree(self._folder)


def _compiled(package: Path, name: str) -> tuple[str, str, int, object]:
    """A module as `load` wants it."""
    place = package / name.replace(".", "/")
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = source.read_bytes()
    file = str(source.relative_to(package))
    # What nobody reads in a run costs nothing there: docstrings, and the values of annotations.
    flags = __future__.annotations.compiler_flag
    code = compile(text, file, "exec", flags, dont_inherit=True, optimize=2)
    return f"radar_cli.{name}", file, len(text), code
