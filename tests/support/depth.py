"""How thorough a test is: daily in every run of the suite, or nightly (`tests/run --nightly`)."""

import os
from typing import Any

import pytest


def depth(daily: int, nightly: int) -> int:
    """Return how many times, or how much, a test marked `nightly` has to do it now."""
    return nightly if os.environ.get("TESTS_NIGHTLY") else daily


def at_night(value: Any) -> Any:
    """Return a parameter that is left to the night; the others of the test are tried daily."""
    return pytest.param(value, marks=pytest.mark.nightly(daily="the other parameters"))
