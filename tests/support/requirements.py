"""What a test needs from the machine: missing, it skips on a laptop and fails in CI."""

import os
import shutil
import sys
from typing import NoReturn

import pytest

# Where daemons live that a person's PATH may not name.
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def missing(what: str) -> NoReturn:
    """End the test: skipped on a laptop, failed in CI."""
    if in_ci():
        pytest.fail(f"CI must have what the tests need: {what}", pytrace=False)
    pytest.skip(what)


def require(is_there: bool, what: str) -> None:
    """Go on only if `is_there`; `what` is the reason shown otherwise."""
    if not is_there:
        missing(what)


def require_program(name: str) -> str:
    """The program's path. The pytest worker's own PATH counts before the system's."""
    path = shutil.which(name) or shutil.which(name, path=_SYSTEM_PATH)
    if path is None:
        missing(f"{name} is not installed (tests/run installs it)")
    return path


def require_root(why: str) -> None:
    require(os.geteuid() == 0, f"needs root: {why}")


def require_linux(why: str) -> None:
    require(sys.platform == "linux", f"needs Linux: {why}")
