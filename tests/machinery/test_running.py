"""How the suite is run: what nox's sessions are, and the second try of a test that failed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import remember
from tests.support.radar import environment
from tests.support.requirements import require
from tests.support.waiting import wait_until

_CHECKOUT = Path(__file__).parent.parent.parent
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_PLUGINS = ("-p", "xdist.plugin")  # most of them take longer to load than these tests
_FLAKY = """
from pathlib import Path

def test_it_passes_at_the_second_try():
    path = Path("was-here")
    was_here = path.exists()
    path.touch()
    assert was_here

def test_it_passes():
    pass
"""


def _sessions(tag: str) -> dict[str, str]:
    """The sessions of a tag, with their descriptions, where this Python alone is wanted."""
    nox = Path(sys.executable).parent / "nox"
    require(nox.exists(), "nox is not installed (tests/run installs it)")
    done = subprocess.run(
        [nox, "--noxfile", _CHECKOUT / "noxfile.py", "--list", "--json", "-t", tag],
        env=environment(TESTS_PYTHONS=_VERSION),
        capture_output=True,
        text=True,
        check=True,
    )
    return {each["session"]: each["description"] for each in json.loads(done.stdout)}


def test_each_part_of_the_suite_is_a_set_of_sessions() -> None:
    linters = ["lint", "format", "types", "laws", "docs"]
    assert list(_sessions("fast")) == [*linters, f"fast-{_VERSION}"]
    daily = [f"tests-{_VERSION}", f"field-{_VERSION}", "celery-5.3", "celery-5.5"]
    sessions = _sessions("daily")
    assert list(sessions) == [*linters, *daily]
    assert all(sessions.values())
    nightly = [f"nightly-{_VERSION}", f"nightly-field-{_VERSION}", "coverage"]
    assert list(_sessions("nightly")) == [*linters, *nightly]


def _run_twice(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / ".venv").mkdir(exist_ok=True)
    program = _CHECKOUT / "tests/support/second_try.py"
    command: list[str | Path] = [
        sys.executable,
        program,
        "some-3.x",
        Path(sys.executable).parent / "pytest",
    ]
    return subprocess.run(
        [*command, "-ra", *_PLUGINS, "test_it.py"],
        cwd=folder,
        env=environment(measured=False, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        capture_output=True,
        text=True,
        check=False,
    )


def _results(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / ".venv/results").iterdir()}


def test_what_passes_only_at_the_second_try_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(_FLAKY)
    done = _run_twice(tmp_path)
    results = _results(tmp_path)

    assert done.returncode == 0, done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("=")
    name = "FAILED test_it.py::test_it_passes_at_the_second_try"
    assert results["flaky"] == f"some-3.x, only at the second try: {name}\n"
    assert "1 failed, 1 passed" in results["ended"]
    assert "failed" not in results


@pytest.mark.parametrize(
    ("content", "code", "failed"),
    [
        ("def test_no(): assert 0", 1, "some-3.x: FAILED test_it.py::test_no\n"),
        ("import no_such_module", 2, "some-3.x: ERROR test_it.py\n"),
        ("", 5, ""),
    ],
)
def test_what_fails_twice_or_breaks_has_failed(
    tmp_path: Path, content: str, code: int, failed: str
) -> None:
    (tmp_path / "test_it.py").write_text(content)
    done = _run_twice(tmp_path)
    results = _results(tmp_path)

    assert done.returncode == code
    assert ("what failed, once more" in done.stdout) == (code == 1)
    assert results["failed"] == failed
    assert "flaky" not in results


def test_told_to_end_it_ends_pytest_first(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pathlib, time\n\ndef test_it():\n"
        "    try:\n        pathlib.Path('began').touch()\n        time.sleep(60)\n"
        "    finally:\n        pathlib.Path('ended').touch()\n"
    )
    program = _CHECKOUT / "tests/support/second_try.py"
    (tmp_path / ".venv").mkdir()
    process = remember(
        subprocess.Popen(
            [sys.executable, program, "some", Path(sys.executable).parent / "pytest", "test_it.py"],
            cwd=tmp_path,
            env=environment(measured=False, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
            stdout=subprocess.DEVNULL,
        )
    )
    wait_until((tmp_path / "began").exists, 60, "the test")
    process.terminate()

    assert process.wait(60) == 2
    assert (tmp_path / "ended").exists()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with `tests/run` and a nox that prints how it was called; apt-get fails there."""
    folder = tmp_path / "checkout"
    (folder / "tests").mkdir(parents=True)
    text = (_CHECKOUT / "tests/run").read_text()
    (folder / "tests/run").write_text(
        text.replace("PACKAGES=(\n", 'PACKAGES=(\n"no-such|no-such-program|nothing"\n')
    )
    requirement = re.search(r'^NOX="(.+)"$', text, re.MULTILINE)
    assert requirement is not None
    programs = folder / ".venv/nox/bin"
    programs.mkdir(parents=True)
    (folder / ".venv/nox/stamp").write_text(f"{requirement[1]}\n")
    _write_program(programs / "nox", _NOX)
    _write_program(folder / "bin/apt-get", "exit 100")
    return folder


_NOX = """
[ "$1" != --version ] || exit 0
echo "nox $* on ${TESTS_PYTHONS:-all}"
mkdir -p .venv/results
echo "flaky one" >.venv/results/flaky
echo "== 1 passed ==" >.venv/results/ended
exit "${NOX_EXITS:-0}"
"""


def _write_program(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _run_suite(checkout: Path, *words: str, **env: str) -> tuple[int, list[str]]:
    path = f"{checkout}/bin:{environment()['PATH']}"
    done = subprocess.run(
        ["bash", "tests/run", *words],
        cwd=checkout,
        env=environment(measured=False, **env) | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("", "-t daily -- on all"),
        ("--fast tests/wrap -k signal", "-t fast -- tests/wrap -k signal on all"),
        ("--only-python 3.12 --nightly", "-t nightly -- on 3.12"),
    ],
)
def test_its_options_choose_sessions(checkout: Path, words: str, call: str) -> None:
    code, lines = _run_suite(checkout, *words.split())
    assert code == 0
    assert f"nox {call}" in [" ".join(line.split()) for line in lines]
    assert lines[-3:] == ["all sessions passed", "flaky one", "== 1 passed =="]


def test_it_fails_as_nox_does_and_ends_with_what_pytest_said(checkout: Path) -> None:
    code, lines = _run_suite(checkout, NOX_EXITS="1")
    assert code == 1
    assert lines[-3:] == ["FAILED: some sessions, which nox lists above", "flaky one", lines[-1]]


def test_what_is_missing_is_a_failure_in_ci_alone(checkout: Path) -> None:
    assert _run_suite(checkout)[0] == 0
    code, lines = _run_suite(checkout, CI="true")
    assert code == 1
    assert any(re.match("FAILED: Debian packages: .*no-such", line) for line in lines)


def test_it_explains_itself(checkout: Path) -> None:
    code, lines = _run_suite(checkout, "--help")
    assert (code, lines[0]) == (0, "The whole test suite, with everything that it needs.")
