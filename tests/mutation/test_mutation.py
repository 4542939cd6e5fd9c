"""What judges and delivers is noticed when it is wrong: no mutant of it passes the tests.

Daily a few that were once noticed by none, and a few of one module's; nightly as many of all as fit
into the time that they share, others each night.
"""

import ast
import functools
import subprocess
import sys
import time
from pathlib import Path

import pytest

import radar_cli
from tests.mutation.mutants import find_mutants
from tests.mutation.targets import CHOSEN, CHOSEN_NIGHTLY, HELD, QUICK, TARGETS
from tests.mutation.trial import read_equivalent

_TRIAL = Path(__file__).parent / "trial.py"
# Half an hour for all modules together, and for each by the number of its mutants.
_NIGHTLY_S = 1800
_DAILY = 5
_PACKAGE = Path(radar_cli.__path__[0])


def _try(module: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, _TRIAL, module, *words], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "mutant", "tests"),
    [*CHOSEN, pytest.param(*CHOSEN_NIGHTLY, marks=pytest.mark.nightly)],
)
def test_the_tests_notice_what_they_once_did_not(
    module: str, mutant: str, tests: str, tmp_path: Path
) -> None:
    if (module, mutant, tests) == CHOSEN_NIGHTLY and not _is_night():
        pytest.skip("it takes 20 s to be noticed: nightly")
    done = _try(module, "--only", mutant, "--tests", tests, "--log", str(tmp_path / "log"))
    assert f"{module}: {{'killed': 1}}" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.slow
def test_what_nobody_can_notice_survives(tmp_path: Path) -> None:
    """Else each mutant would count as noticed by tests that fail anyhow."""
    module, mutant = "store/flips", next(key for key in read_equivalent() if "add_flips" in key)
    test = "tests/store/test_flips.py::test_each_change_makes_one"
    words = ("--equivalent", "--only", mutant, "--tests", test)
    done = _try(module, *words, "--log", str(tmp_path / "log"))
    assert f"{module}: {{'survived': 1}}" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1


@pytest.mark.slow
def test_a_few_are_noticed_each_day(tmp_path: Path) -> None:
    today = int(time.time() // 86_400)
    module = QUICK[today % len(QUICK)]
    print(f"seed {today}")
    limits = ("--at-most", str(_DAILY), "--seconds", "60", "--seed", str(today))
    done = _try(module, *limits, "--log", str(tmp_path / "log"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'killed': " in done.stdout


def _share_s(module: str) -> float:
    return _NIGHTLY_S * _count(module) / sum(map(_count, TARGETS))


@functools.cache
def _count(module: str) -> int:
    return len(find_mutants(ast.parse((_PACKAGE / f"{module}.py").read_text()), module))


def test_each_proof_is_of_a_mutant_that_there_is() -> None:
    proofs = read_equivalent()
    assert [key for key, proof in proofs.items() if len(proof) < 20] == []
    for module in {key.partition("::")[0] for key in proofs}:
        tree = ast.parse((_PACKAGE / f"{module}.py").read_text())
        there = {mutant.key for mutant in find_mutants(tree, module)}
        assert {key for key in proofs if key.startswith(f"{module}::")} <= there
    assert set(QUICK) <= set(HELD) <= set(TARGETS)


def test_each_target_has_tests_that_there_are() -> None:
    paths = {path for tests in TARGETS.values() for path in tests}
    assert [path for path in paths if not (_TRIAL.parent.parent.parent / path).exists()] == []


@pytest.mark.nightly
@pytest.mark.timeout(_NIGHTLY_S)
@pytest.mark.parametrize("module", TARGETS)
def test_no_mutant_survives(module: str, tmp_path: Path) -> None:
    """Of modules that aren't held to it yet the survivors are only shown."""
    if not _is_night():
        pytest.skip("the chosen ones are tried daily, all of them nightly")
    tonight = int(time.time() // 86_400)
    print(f"seed {tonight}")
    limits = ("--seconds", f"{_share_s(module):.0f}", "--seed", str(tonight))
    done = _try(module, *limits, "--log", str(tmp_path / "log"))
    print(done.stdout[-20_000:], done.stderr[-2_000:])
    assert f"{module}: {{" in done.stdout
    assert done.returncode == 0 or module not in HELD


def _is_night() -> bool:
    from tests.support.depth import depth

    return depth(0, 1) == 1
