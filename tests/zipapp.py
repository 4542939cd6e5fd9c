"""Make a zipapp: radar and what it needs in one file, which needs python3 in PATH and no installer.

    python3 tests/zipapp.py [FILE]

FILE is dist/radar.pyz, if not given. It begins with the script that `radar link` writes, so it runs
a job even where radar can't be started, and ends with a zip archive of the packages that pip has
installed, compiled for the Python that makes it; others compile it at each start, which is slower.
"""

import argparse
import os
import py_compile
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
_HEAD = """
import sys
sys.path.insert(0, sys.argv[1])
from radar_cli.cli.link import make_portable_script
sys.stdout.buffer.write(make_portable_script())
"""
_LEFT_OUT = {"__pycache__", "bin", "share"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that an archive can hold


def make(target: Path, what: str = str(CHECKOUT)) -> None:
    """Have pip install `what` into a folder, and pack that into `target`."""
    with tempfile.TemporaryDirectory(prefix="radar-zipapp-") as made:
        site = Path(made)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-compile", "--target", str(site), what], check=True)
        pack(target, site)


def pack(target: Path, site: Path) -> None:
    """Pack the packages in `site` into `target`, in one step."""
    native = [path.name for path in site.rglob("*.so")]
    if native:
        raise SystemExit(f"tests/zipapp.py: a zip archive can't hold {', '.join(native)}")
    head = [sys.executable, "-I", "-S", "-c", _HEAD, str(site)]
    script = subprocess.run(head, check=True, stdout=subprocess.PIPE).stdout
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    beside.write_bytes(script)
    with zipfile.ZipFile(beside, "a", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(site.rglob("*")):
            name = path.relative_to(site)
            if path.is_file() and not _LEFT_OUT & set(name.parts) and path.suffix != ".pyc":
                _add(archive, name, path.read_bytes())
                if path.suffix == ".py":
                    _add_compiled(archive, name, path)
    beside.chmod(0o755)
    os.replace(beside, target)


def _add_compiled(archive: zipfile.ZipFile, name: Path, path: Path) -> None:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compiled = path.with_suffix(".pyc")
    py_compile.compile(str(path), str(compiled), str(name), doraise=True, invalidation_mode=mode)
    _add(archive, name.with_suffix(".pyc"), compiled.read_bytes())


def _add(archive: zipfile.ZipFile, name: Path, data: bytes) -> None:
    """Add a file that is the same, whenever the archive is made."""
    entry = zipfile.ZipInfo(str(name), _EPOCH)
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def main() -> None:
    """Make the zipapp."""
    parser = argparse.ArgumentParser(prog="tests/zipapp.py", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=CHECKOUT / "dist/radar.pyz")
    target = parser.parse_args().file
    make(target)
    print(f"{target} ({target.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
