"""How thorough a test is: daily in every run of the suite, or nightly (`tests/run --nightly`)."""

import os


def depth(daily: int, nightly: int) -> int:
    """Return how many times, or how much, a test marked `nightly` has to do it now."""
    return nightly if os.environ.get("TESTS_NIGHTLY") else daily
