#!/usr/bin/env python3
"""Make a release: `python3 tests/release.py 0.2.0 [--dry-run]`.

It checks that the tree is clean, that `radar_cli/__init__.py` and CHANGELOG.md have this version,
and that there is no such tag. Then it builds wheel and sdist, has twine check them, installs the
wheel in a fresh environment and runs a job with it. Without --dry-run it leaves the files in dist/
and makes the tag. Publishing is up to a person: the last lines say how.
"""

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
_HEADING = re.compile(r"^## \[([^\]]+)\](?: - (\S+))?$", re.MULTILINE)


class NotReadyError(Exception):
    """What has to be done before this can be released."""


def main() -> int:
    """Make the release, or say what is in its way."""
    parser = argparse.ArgumentParser(prog="tests/release.py", description=__doc__)
    parser.add_argument("version", help="as it stands in radar_cli/__init__.py")
    parser.add_argument("--dry-run", action="store_true", help="check all, and leave nothing")
    arguments = parser.parse_args()
    version, dry = arguments.version, arguments.dry_run
    try:
        notes = check(version)
        with tempfile.TemporaryDirectory(prefix="radar-release-") as folder:
            built = build(Path(folder))
            try_wheel(Path(folder), built, version)
            if not dry:
                keep(built, version, notes)
    except NotReadyError as problem:
        print(f"tests/release.py: {problem}", file=sys.stderr)
        return 1
    if dry:
        print(f"radar {version} could be released; nothing was kept, no tag was made")
    else:
        print(f"radar {version} is tagged v{version}, its files are in dist/. To publish it:")
        print(f"  git push origin v{version}\n  python3 -m twine upload dist/radar_cli-{version}*")
    return 0


def check(version: str) -> str:
    """Return what the changelog says of the version. NotReadyError: something has to be done."""
    if not _VERSION.fullmatch(version):
        raise NotReadyError(f"{version!r} is no version such as 0.2.0 or 0.2.0rc1")
    changed = _git("status", "--porcelain")
    if changed:
        raise NotReadyError(f"the tree isn't clean:\n{changed}")
    source = (CHECKOUT / "radar_cli/__init__.py").read_text()
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    if found is None or found[1] != version:
        there = found[1] if found else "none"
        raise NotReadyError(f"the version in radar_cli/__init__.py is {there}, not {version}")
    if _git("tag", "--list", f"v{version}"):
        raise NotReadyError(f"there is a tag v{version} already")
    return read_changelog((CHECKOUT / "CHANGELOG.md").read_text(), version)


def read_changelog(text: str, version: str) -> str:
    """Return the version's section. NotReadyError: there is none, or it isn't finished."""
    sections = {}
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=True):
        sections[heading[1]] = (heading[2], text[heading.end() : end].strip())
    if len(sections) < len(headings):
        raise NotReadyError("CHANGELOG.md has two sections of one version")
    if version not in sections:
        raise NotReadyError(f"CHANGELOG.md has no section '## [{version}] - DATE'")
    date, notes = sections[version]
    try:
        datetime.date.fromisoformat(date or "")
    except ValueError:
        raise NotReadyError(f"the date of {version} in CHANGELOG.md is {date!r}") from None
    if not notes:
        raise NotReadyError(f"CHANGELOG.md says nothing of {version}")
    if headings[0][1] != "Unreleased" or sections["Unreleased"][1]:
        raise NotReadyError("CHANGELOG.md has to begin with an empty section '## [Unreleased]'")
    return notes


def build(folder: Path) -> list[Path]:
    """Build an sdist, and the wheel from it; have twine check both."""
    tools, dist = folder / "tools", folder / "dist"
    _make_environment(tools, "build", "twine")
    # What isn't committed is no part of a release, though it be ignored by git.
    _run("git", "clone", "-q", str(CHECKOUT), str(folder / "clone"))
    _run(f"{tools}/bin/python", "-m", "build", "--outdir", str(dist), str(folder / "clone"))
    built = sorted(dist.iterdir())
    if [path.suffix for path in built] != [".whl", ".gz"]:
        raise NotReadyError(f"a wheel and an sdist were to be built, not {built}")
    _run(f"{tools}/bin/twine", "check", "--strict", *map(str, built))
    return built


def try_wheel(folder: Path, built: list[Path], version: str) -> None:
    """Install the wheel where nothing else is, and run a job with it."""
    own = folder / "own"
    _make_environment(own, str(built[0]))
    radar, state = f"{own}/bin/radar", folder / "state"
    env = {**os.environ, "RADAR_STATE_DIR": str(state), "HOME": str(folder)}
    env |= {"RADAR_CONFIG": f"{folder}/none.toml", "RADAR_SYSTEM_CONFIG": f"{folder}/none.toml"}
    said = _run(radar, "--version", env=env)
    if version not in said.split():
        raise NotReadyError(f"radar --version says {said.strip()!r}")
    _run(radar, "run", "release", "--", "true", env=env)
    status = json.loads(_run(radar, "status", "--json", env=env))
    if "release" not in json.dumps(status):
        raise NotReadyError(f"radar status doesn't know the run: {status}")


def keep(built: list[Path], version: str, notes: str) -> None:
    """Put the files into dist/, and make the tag."""
    dist = CHECKOUT / "dist"
    dist.mkdir(exist_ok=True)
    for path in built:
        shutil.copy2(path, dist)
    _git(
        "tag",
        "--annotate",
        f"v{version}",
        "--cleanup=verbatim",
        "-m",
        f"radar {version}\n\n{notes}",
    )


def _make_environment(folder: Path, *packages: str) -> None:
    _run(sys.executable, "-m", "venv", str(folder))
    pip = [f"{folder}/bin/pip", "install", "-q", "--disable-pip-version-check"]
    _run(*pip, *packages)


def _git(*words: str) -> str:
    return _run("git", "-C", str(CHECKOUT), *words).strip()


def _run(*words: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotReadyError(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
