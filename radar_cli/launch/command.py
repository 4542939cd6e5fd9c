"""The `radar` command: `main` reads `sys.argv[1:]` and returns the exit code."""

from radar_cli import main

__all__ = ["main"]
