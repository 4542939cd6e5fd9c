"""Make a Debian package of radar, with all that it needs but Python itself.

    python3 tests/debian.py [FOLDER]

FOLDER is dist, if not given. Debian's own packages of what radar needs may be too old, so the
package has its own below /usr/lib/radar, where no other program finds them. /usr/bin/radar is the
script that `radar link` writes: a crontab may call it, and it runs the job even where radar can't.
"""

import argparse
import gzip
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
_SITE = "usr/lib/radar"
_SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from radar_cli.cli.link import make_portable_script
script = make_portable_script(python="/usr/bin/python3", folder="/usr/lib/radar")
sys.stdout.buffer.write(script)
"""
_CONTROL = """\
Package: radar-cli
Version: {version}
Section: admin
Priority: optional
Architecture: all
Depends: python3 (>= 3.11), tzdata
Recommends: cron | cron-daemon
Suggests: default-mta | mail-transport-agent
Installed-Size: {size_kb}
Maintainer: The radar authors <radar@example.com>
Description: dead man's switch for cron jobs, CI scripts and Celery
 It runs a job exactly as it would have run, keeps what became of it, and
 reports when it fails, hangs, or doesn't run at all.
"""
# Compiled here, each start takes half of the time.
_POSTINST = """\
#!/bin/sh
set -e
[ "$1" != configure ] || /usr/bin/python3 -m compileall -q /usr/lib/radar
"""
_PRERM = """\
#!/bin/sh
set -e
find /usr/lib/radar -name __pycache__ -type d -prune -exec rm -r {} +
"""
_POSTRM = """\
#!/bin/sh
set -e
[ "$1" != purge ] || rm -rf /var/lib/radar /etc/radar
"""
_COMPLETIONS = {
    "radar.bash": "usr/share/bash-completion/completions/radar",
    "_radar": "usr/share/zsh/vendor-completions/_radar",
    "radar.fish": "usr/share/fish/vendor_completions.d/radar.fish",
}


def make(folder: Path, what: str = str(CHECKOUT)) -> Path:
    """Have pip install `what`, and pack that with man pages and completions; return the package."""
    with tempfile.TemporaryDirectory(prefix="radar-debian-") as made:
        root = Path(made) / "root"
        site = root / _SITE
        site.mkdir(parents=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-compile", "--target", str(site), what], check=True)
        for name in ("bin", "share"):
            shutil.rmtree(site / name, ignore_errors=True)
        lay_out(root)
        version = write_control(root)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"radar-cli_{version}_all.deb"
        words = ["dpkg-deb", "--build", "--root-owner-group", str(root), str(target)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return target


def lay_out(root: Path) -> None:
    """Put the script, the man pages, the completions and the licence into their places."""
    words = [sys.executable, "-I", "-S", "-c", _SCRIPT, str(root / _SITE)]
    script = subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout
    write(root / "usr/bin/radar", script, 0o755)
    for page in (CHECKOUT / "docs/man").iterdir():
        packed = gzip.compress(page.read_bytes(), mtime=0)
        write(root / f"usr/share/man/man1/{page.name}.gz", packed)
    for name, path in _COMPLETIONS.items():
        write(root / path, (CHECKOUT / "completions" / name).read_bytes())
    write(root / "usr/share/doc/radar-cli/copyright", (CHECKOUT / "LICENSE").read_bytes())


def write_control(root: Path) -> str:
    """Write what dpkg reads, and return the version."""
    [metadata] = (root / _SITE).glob("radar_cli-*.dist-info/METADATA")
    version = metadata.parent.name.removeprefix("radar_cli-").removesuffix(".dist-info")
    # A release candidate comes before its release.
    for mark in ("a", "b", "rc"):
        version = version.replace(mark, f"~{mark}") if "~" not in version else version
    size_kb = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024
    write(root / "DEBIAN/control", _CONTROL.format(version=version, size_kb=size_kb).encode())
    for name, text in (("postinst", _POSTINST), ("prerm", _PRERM), ("postrm", _POSTRM)):
        write(root / "DEBIAN" / name, text.encode(), 0o755)
    return version


def write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def main() -> None:
    """Make the package."""
    parser = argparse.ArgumentParser(prog="tests/debian.py", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=CHECKOUT / "dist")
    print(make(parser.parse_args().folder))


if __name__ == "__main__":
    main()
