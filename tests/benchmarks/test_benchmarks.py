import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


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
