"""Schedule files for tests, of every kind of dbm that some Python here writes."""

import functools
import os
import pickle
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celery.beat import ScheduleEntry

from tests.support.requirements import missing

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
_WRITE = """
import importlib, pickle, sys
kind, path = sys.argv[1:]
with importlib.import_module("dbm." + kind).open(path, "n") as shelf:
    for key, value in pickle.load(sys.stdin.buffer).items():
        shelf[key] = value
"""


def entry(
    name: str,
    schedule: Any,
    last_run_at: datetime = NOW - timedelta(minutes=10),
    count: int = 5,
    **options: Any,
) -> ScheduleEntry:
    """An entry as Beat keeps it."""
    return ScheduleEntry(name, "shop.tasks.work", last_run_at, count, schedule, (), {}, options)


def contents(*entries: ScheduleEntry, tz: str | None = None) -> dict[bytes, bytes]:
    """What a shelf of Beat's holds."""
    values = {
        "entries": {each.name: each for each in entries},
        "__version__": "5.7.0",
        "tz": tz,
        "utc_enabled": True,
    }
    return {name.encode(): pickle.dumps(value, 4) for name, value in values.items()}


def write(kind: str, path: Path, values: Mapping[bytes, bytes]) -> None:
    """Write a dbm file of a kind with a Python that can, in its own process."""
    python = _python_with(kind)
    if python is None:
        missing(f"no Python here has dbm.{kind}")
    subprocess.run(
        [python, "-c", _WRITE, kind, path], input=pickle.dumps(dict(values), 4), check=True
    )


@functools.cache
def _python_with(kind: str) -> str | None:
    candidates = [sys.executable, "/usr/bin/python3", *_others()]
    for each in candidates:
        words = [each, "-c", f"import dbm.{kind}"]
        if (
            shutil.which(each)
            and not subprocess.run(words, capture_output=True, check=False).returncode
        ):
            return each
    return None


def _others() -> list[str]:
    found = (Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv/versions").glob("3.*/bin/python3")
    return [str(each) for each in sorted(found, reverse=True)]
