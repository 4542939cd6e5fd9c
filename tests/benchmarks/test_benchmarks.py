import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.requirements import require_program


@pytest.mark.slow
def test_it_prints_a_ratio() -> None:
    words = [sys.executable, "-m", "tests.benchmarks", "--quick", "--rounds", "1"]
    done = subprocess.run(
        [*words, "--only", "http"],
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in os.environ.items() if "COVERAGE" not in name},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^a run with two pings, http, wall +\d+\.\d{3} ", done.stdout, re.M), (
        done.stdout
    )


@pytest.mark.nightly(daily="tests/benchmarks/test_benchmarks.py")
@pytest.mark.slow
def test_it_prints_what_the_server_takes() -> None:
    require_program("wrk")
    words = [sys.executable, "-m", "tests.benchmarks.throughput", "--only", "sqlite"]
    done = subprocess.run(
        [*words, "--seconds", "1", "--rounds", "1", "--monitors", "1000"],
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in os.environ.items() if "COVERAGE" not in name},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^sqlite +full +[\d,]+ pings/s", done.stdout, re.M), done.stdout
    assert "a missed run noticed after" in done.stdout
    assert "refused" not in done.stdout
