"""What others rely on when they join: changelog, release, templates, hooks, public names."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import radar_cli
import radar_cli.celery
import radar_cli.sdk
from tests.support import docs
from tests.support.depth import depth
from tests.support.radar import environment

_CHECKOUT = Path(__file__).parent.parent
_CHANGELOG = (_CHECKOUT / "CHANGELOG.md").read_text()
_GROUPS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
# The installers' settings on this machine, such as a proxy or certificates.
_INSTALLERS = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_"))}
_NOTES = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-24\n\n### Added\n\n- All.\n"


# The changelog.


def test_the_changelog_keeps_its_form() -> None:
    versions = re.findall(r"^## (.+)$", _CHANGELOG, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", each) for each in versions[1:])
    assert f"[{radar_cli.__version__}]" in {each.split()[0] for each in versions}
    for section in _CHANGELOG.split("\n## ")[1:]:
        groups = re.findall(r"^### (.+)$", section, re.MULTILINE)
        assert groups == [each for each in _GROUPS if each in groups]
        assert "\n- " not in section.partition("\n### ")[0]


# The release.


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small repository that could be released as 0.2.0, as far as it is looked at first."""
    folder = tmp_path / "repository"
    for name in ("radar_cli", "tests"):
        (folder / name).mkdir(parents=True)
    (folder / "radar_cli/__init__.py").write_text('__version__ = "0.2.0"\n')
    (folder / "CHANGELOG.md").write_text(_NOTES)
    shutil.copy(_CHECKOUT / "tests/release.py", folder / "tests")
    _git(folder, "init", "-q")
    _commit(folder)
    return folder


def _git(folder: Path, *words: str) -> str:
    person = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    done = subprocess.run(
        ["git", *person, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def _commit(folder: Path) -> None:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "all")


def _release(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, folder / "tests/release.py", *words],
        env=environment(
            measured=False,
            PATH=os.environ["PATH"],
            GIT_COMMITTER_NAME="Ann",
            GIT_COMMITTER_EMAIL="ann@example.com",
            **_INSTALLERS,
        ),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("version", "changelog", "message"),
    [
        ("0.2", _NOTES, "'0.2' is no version"),
        ("0.3.0", _NOTES, "the version in radar_cli/__init__.py is 0.2.0, not 0.3.0"),
        ("0.2.0", _NOTES.replace("0.2.0", "0.1.0"), "no section '## [0.2.0] - DATE'"),
        ("0.2.0", _NOTES.replace(" - 2026-12-24", ""), "the date of 0.2.0"),
        ("0.2.0", _NOTES.replace("2026-12-24", "2026-12-32"), "the date of 0.2.0"),
        ("0.2.0", _NOTES.partition("\n### ")[0], "says nothing of 0.2.0"),
        (
            "0.2.0",
            _NOTES.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n"),
            "an empty section",
        ),
        ("0.2.0", _NOTES.replace("## [Unreleased]\n", ""), "an empty section"),
        ("0.2.0", _NOTES * 2, "two sections of one version"),
    ],
)
def test_nothing_is_released_that_is_not_ready(
    repository: Path, version: str, changelog: str, message: str
) -> None:
    (repository / "CHANGELOG.md").write_text(changelog)
    if changelog != _NOTES:
        _commit(repository)
    done = _release(repository, version, "--dry-run")
    assert done.returncode == 1
    assert message in done.stderr


def test_nothing_is_released_of_a_tree_that_is_not_clean(repository: Path) -> None:
    (repository / "new").touch()
    assert "the tree isn't clean:\n?? new" in _release(repository, "0.2.0", "--dry-run").stderr


def test_nothing_is_released_twice(repository: Path) -> None:
    _git(repository, "tag", "v0.2.0")
    assert "there is a tag v0.2.0 already" in _release(repository, "0.2.0", "--dry-run").stderr


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(depth(1, 0) == 1, reason="builds and installs: nightly")
def test_a_release_is_built_checked_and_tried(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(_CHECKOUT, folder, ignore=ignored)
    package = folder / "radar_cli/__init__.py"
    package.write_text(package.read_text().replace(radar_cli.__version__, "0.9.9"))
    heading = "## [Unreleased]\n\n## [0.9.9] - 2026-12-24\n"
    text = _CHANGELOG.replace("## [Unreleased]\n", heading, 1)
    (folder / "CHANGELOG.md").write_text(text)
    _git(folder, "init", "-q")
    _commit(folder)
    done = _release(folder, "0.9.9")
    assert done.returncode == 0, done.stderr
    assert "radar 0.9.9 is tagged v0.9.9" in done.stdout
    assert _git(folder, "tag", "--format=%(contents:subject)").strip() == "radar 0.9.9"
    assert _git(folder, "status", "--porcelain") == ""
    assert {path.name for path in (folder / "dist").iterdir()} == {
        "radar_cli-0.9.9-py3-none-any.whl",
        "radar_cli-0.9.9.tar.gz",
    }


# The first minute.


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(depth(1, 0) == 1, reason="installs: nightly")
def test_the_first_lines_of_contributing_run_a_test(tmp_path: Path) -> None:
    text = (_CHECKOUT / "CONTRIBUTING.md").read_text()
    lines = text.partition("```sh\n")[2].partition("```")[0]
    folder = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(_CHECKOUT, folder, ignore=ignored)
    done = subprocess.run(
        ["bash", "-ec", lines],
        cwd=folder,
        env=environment(measured=False, PATH=os.environ["PATH"], **_INSTALLERS),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


# Templates, hooks and the workflow.


def _yaml(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((_CHECKOUT / path).read_text())
    return loaded


def test_the_workflow_calls_what_the_gate_calls() -> None:
    text = (_CHECKOUT / ".github/workflows/ci.yml").read_text()
    runs = re.findall(r"^ +run: (\.ci/run.*)$", text, re.MULTILINE)
    assert runs == [".ci/run", ".ci/run --nightly"]
    assert "jobs" in _yaml(".github/workflows/ci.yml")


def test_the_hooks_are_the_linters() -> None:
    [group] = _yaml(".pre-commit-config.yaml")["repos"]
    assert group["repo"] == "local"
    assert [hook["id"] for hook in group["hooks"]] == ["ruff", "ruff-format", "mypy"]
    for hook in group["hooks"]:
        done = subprocess.run(
            ["sh", "-c", f"{hook['entry']} --version"],
            cwd=_fake_environment(Path.cwd()),
            capture_output=True,
            text=True,
            check=False,
        )
        program = hook["id"].partition("-")[0]
        assert done.stdout.split()[0] == program, done.stderr
        assert done.stdout.split()[-1] == "--version"


def _fake_environment(folder: Path) -> Path:
    """A checkout in which each linter prints how it was called."""
    programs = folder / ".venv/3.11/bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("ruff", "mypy"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (programs / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("name", ["bug", "wish"])
def test_an_issue_asks_for_something(name: str) -> None:
    form = _yaml(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert {"name", "description", "body"} <= set(form)
    assert "validations" in str(form["body"])


# The public names.


def test_the_public_names_are_those_that_the_docs_have() -> None:
    section = docs.page("guides/python").partition("## What is public")[2]
    named = dict(re.findall(r"^\| `(radar_cli\.\w+)` \| (.+) \|$", section, re.MULTILINE))
    assert set(named) == {"radar_cli.celery", "radar_cli.sdk"}
    for module, names in named.items():
        public = importlib.import_module(module).__all__
        assert re.findall(r"`(\w+)`", names) == sorted(public, key=str.lower)
        for name in public:
            assert callable(getattr(importlib.import_module(module), name))


def test_other_names_are_not_there() -> None:
    code = "from radar_cli.celery import *; from radar_cli.sdk import *; print(sorted(globals()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    public = {*radar_cli.celery.__all__, *radar_cli.sdk.__all__}
    found = {name for name in re.findall(r"'(\w+)'", done.stdout) if not name.startswith("_")}
    assert found == public


# The package.


def test_each_python_that_is_tested_is_named() -> None:
    project = tomllib.loads((_CHECKOUT / "pyproject.toml").read_text())["project"]
    prefix = "Programming Language :: Python :: "
    named = [each.removeprefix(prefix) for each in project["classifiers"] if prefix in each]
    text = (_CHECKOUT / "noxfile.py").read_text()
    wanted = re.search(r'"TESTS_PYTHONS", "([\d. ]+)"', text)
    assert wanted is not None
    assert [each for each in named if each.startswith("3.")] == wanted[1].split()
    assert project["requires-python"] == f">={wanted[1].split()[0]}"
    assert project["authors"]
