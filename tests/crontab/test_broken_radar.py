"""The link with a radar of which something is missing or broken: the job runs all the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import radar_cli
from tests.crontab.jobs import run_job
from tests.support.depth import depth
from tests.support.installation import Installation
from tests.support.pings import kinds

_ROOT = Path(radar_cli.__path__[0])
# What a run may load.
_HOT = ("__init__.py", "launch", "core", "wrap", "model", "outbox", "delivery", "net")


def _modules() -> list[Path]:
    """Every module, in the package; those of a run first."""
    return sorted(path.relative_to(_ROOT) for path in _ROOT.rglob("*.py"))


def _is_hot(module: Path) -> bool:
    return module.parts[0] in _HOT or len(module.parts) == 1


@contextmanager
def _without(path: Path) -> Iterator[None]:
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


@contextmanager
def _with_a_syntax_error(path: Path) -> Iterator[None]:
    with _without(path):
        path.write_text("def broken(:\n")
        try:
            yield
        finally:
            path.unlink()


# With an option of each kind, so that as much as possible is loaded.
_OPTIONS = ("--every", "1h", "--tail", "10k", "--fail-on", "x", "--timeout", "30s")


def _run_with_each_broken(installation: Installation, modules: list[Path]) -> set[str]:
    """Run a job with each module missing, then with an error in it; return what wasn't found."""
    noticed = set()
    for module in modules:
        for breaking in (_without, _with_a_syntax_error):
            with breaking(installation.package / module):
                lines = run_job(installation.link, *_OPTIONS)
            assert all(line.startswith("radar: ") for line in lines), (module, lines)
            assert len(lines) <= 1, (module, lines)
            if lines:
                noticed.add(str(module))
    return noticed


def test_the_job_runs_with_each_module_of_a_run_broken(installation: Installation) -> None:
    noticed = _run_with_each_broken(installation, [m for m in _modules() if _is_hot(m)])
    assert {"__init__.py", "launch/command.py", "wrap/run.py", "wrap/options.py"} <= noticed


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_job_runs_with_each_other_module_broken(installation: Installation) -> None:
    _run_with_each_broken(installation, [m for m in _modules() if not _is_hot(m)][:: depth(6, 1)])
    assert set(kinds()) == {"start", "fail"}
