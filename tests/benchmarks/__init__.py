"""What radar costs, as ratios to what it replaces: `python -m tests.benchmarks`."""
